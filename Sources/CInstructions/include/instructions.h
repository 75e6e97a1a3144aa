#ifndef PLUMBLINE_INSTRUCTIONS_H
#define PLUMBLINE_INSTRUCTIONS_H

/// What Swift's SIMD types have no instruction for, or take lane by lane: for 8 and for 16 lanes, on any CPU.
///
/// Most is written in clang's vector extensions, for which the compiler knows the instruction of each CPU, in as many
/// registers as a vector takes. Only powers of two, estimates of inverses and parts of vectors need intrinsics.

#include <string.h>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

// No vector is passed to a function or returned, where its registers would depend on the CPU: all are inlined.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"

/// A function that is a few instructions of whoever calls it.
#define PLUMBLINE_INLINE static inline __attribute__((always_inline))

/// Asks for the cache line at `address`, in the second-level cache. Swift has no such instruction.
static inline void plumbline_prefetch(const void *address) { __builtin_prefetch(address, 0, 2); }

/// Asks for the cache line at `address`, to be written to.
static inline void plumbline_prefetch_to_write(void *address) { __builtin_prefetch(address, 1, 3); }

/// Has other threads see what was streamed before they see what is written after.
static inline void plumbline_fence(void) {
#if defined(__SSE2__)
    __builtin_ia32_sfence();
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/// Vectors as Swift's SIMD2 to SIMD16.
typedef float plumbline_float2 __attribute__((ext_vector_type(2)));
typedef float plumbline_float4 __attribute__((ext_vector_type(4)));
typedef float plumbline_float8 __attribute__((ext_vector_type(8)));
typedef float plumbline_float16 __attribute__((ext_vector_type(16)));
typedef int plumbline_int8 __attribute__((ext_vector_type(8)));
typedef int plumbline_int16 __attribute__((ext_vector_type(16)));

// MARK: - The same for both widths

// - less:     all bits of a lane where x is below y, else none; none where either is NaN.
// - select:   x where all bits of the mask are set, y where none is.
// - min, max: y where either is NaN, which is what the instruction of x86 does: a bound goes first.
// - negative: Swift's is a subtraction from 0, which no multiply-add takes in.
// - stream:   writes x past the caches, to an address that is a multiple of its size; `plumbline_fence` comes after.
// - sqrt:     Swift's is a branch and a call for each lane, because C's sets errno.
#define PLUMBLINE_COMMON(n)                                                                                            \
    PLUMBLINE_INLINE plumbline_int##n plumbline_less##n(plumbline_float##n x, plumbline_float##n y) { return x < y; }  \
    PLUMBLINE_INLINE plumbline_float##n plumbline_select##n(                                                           \
        plumbline_int##n mask, plumbline_float##n x, plumbline_float##n y) {                                           \
        return mask ? x : y;                                                                                           \
    }                                                                                                                  \
    PLUMBLINE_INLINE plumbline_float##n plumbline_min##n(plumbline_float##n x, plumbline_float##n y) {                 \
        return x < y ? x : y;                                                                                          \
    }                                                                                                                  \
    PLUMBLINE_INLINE plumbline_float##n plumbline_max##n(plumbline_float##n x, plumbline_float##n y) {                 \
        return x > y ? x : y;                                                                                          \
    }                                                                                                                  \
    PLUMBLINE_INLINE plumbline_float##n plumbline_negative##n(plumbline_float##n x) { return -x; }                     \
    PLUMBLINE_INLINE void plumbline_stream##n(float *to, plumbline_float##n x) {                                       \
        __builtin_nontemporal_store(x, (plumbline_float##n *)to);                                                      \
    }                                                                                                                  \
    PLUMBLINE_INLINE plumbline_float##n plumbline_sqrt##n(plumbline_float##n x) {                                      \
        return __builtin_elementwise_sqrt(x);                                                                          \
    }

PLUMBLINE_COMMON(8)
PLUMBLINE_COMMON(16)

#undef PLUMBLINE_COMMON

// MARK: - One value of all lanes

// By halves, which is faster than lane by lane, and a sum rounds less.

PLUMBLINE_INLINE float plumbline_sum8(plumbline_float8 x) {
    plumbline_float4 four = x.lo + x.hi;
    plumbline_float2 two = four.lo + four.hi;
    return two.x + two.y;
}
PLUMBLINE_INLINE float plumbline_sum16(plumbline_float16 x) { return plumbline_sum8(x.lo + x.hi); }

PLUMBLINE_INLINE float plumbline_largest8(plumbline_float8 x) {
    plumbline_float4 four = x.hi > x.lo ? x.hi : x.lo;
    plumbline_float2 two = four.hi > four.lo ? four.hi : four.lo;
    return two.y > two.x ? two.y : two.x;
}
PLUMBLINE_INLINE float plumbline_largest16(plumbline_float16 x) {
    return plumbline_largest8(plumbline_max8(x.hi, x.lo));
}

// MARK: - By the instructions of a CPU

// - round:      to the nearest whole number, the even one of two.
// - scale:      x times 2 to a whole power, where x and the product are normal; NaN stays.
// - inverse:    1/x with a relative error of at most 2^-14, where x and 1/x are normal.
// - load_part:  the first `count` elements, and `rest` in the other lanes; no other element is touched.
// - store_part: the first `count` lanes; no other element is touched.

#if defined(__SSE2__) && !defined(__SSE4_1__)

/// No instruction: from 2^23 on all are whole, and adding that to a smaller one rounds it.
#define PLUMBLINE_ROUND(n)                                                                                             \
    PLUMBLINE_INLINE plumbline_float##n plumbline_round##n(plumbline_float##n x) {                                     \
        plumbline_int##n sign = (plumbline_int##n)x & (int)0x80000000;                                                 \
        plumbline_float##n size = (plumbline_float##n)((plumbline_int##n)x ^ sign);                                    \
        plumbline_float##n whole = (size + 0x1p23f) - 0x1p23f;                                                         \
        return (plumbline_float##n)((size < 0x1p23f ? (plumbline_int##n)whole : (plumbline_int##n)size) | sign);       \
    }

#else

#define PLUMBLINE_ROUND(n)                                                                                             \
    PLUMBLINE_INLINE plumbline_float##n plumbline_round##n(plumbline_float##n x) {                                     \
        return __builtin_elementwise_roundeven(x);                                                                     \
    }

#endif

PLUMBLINE_ROUND(8)
PLUMBLINE_ROUND(16)

#undef PLUMBLINE_ROUND

#if defined(__AVX512F__) && defined(__AVX512VL__)

PLUMBLINE_INLINE plumbline_float8 plumbline_scale8(plumbline_float8 x, plumbline_float8 power) {
    return _mm256_scalef_ps(x, power);
}
PLUMBLINE_INLINE plumbline_float16 plumbline_scale16(plumbline_float16 x, plumbline_float16 power) {
    return _mm512_scalef_ps(x, power);
}
PLUMBLINE_INLINE plumbline_float8 plumbline_inverse8(plumbline_float8 x) { return _mm256_rcp14_ps(x); }
PLUMBLINE_INLINE plumbline_float16 plumbline_inverse16(plumbline_float16 x) { return _mm512_rcp14_ps(x); }

PLUMBLINE_INLINE plumbline_float8 plumbline_load_part8(const float *from, long count, plumbline_float8 rest) {
    return _mm256_mask_loadu_ps(rest, (__mmask8)((1u << count) - 1), from);
}
PLUMBLINE_INLINE plumbline_float16 plumbline_load_part16(const float *from, long count, plumbline_float16 rest) {
    return _mm512_mask_loadu_ps(rest, (__mmask16)((1u << count) - 1), from);
}
PLUMBLINE_INLINE void plumbline_store_part8(float *to, long count, plumbline_float8 x) {
    _mm256_mask_storeu_ps(to, (__mmask8)((1u << count) - 1), x);
}
PLUMBLINE_INLINE void plumbline_store_part16(float *to, long count, plumbline_float16 x) {
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), x);
}

#else

#if defined(__AVX2__)

/// Adds to the exponent. NaN as a whole number is 2^31, which leaves nothing to add.
PLUMBLINE_INLINE plumbline_float8 plumbline_scale8(plumbline_float8 x, plumbline_float8 power) {
    __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(power), 23);
    return (plumbline_float8)_mm256_add_epi32((__m256i)x, exponent);
}

/// The estimate has 12 bits: one of Newton's steps doubles them.
PLUMBLINE_INLINE plumbline_float8 plumbline_inverse8(plumbline_float8 x) {
    plumbline_float8 y = _mm256_rcp_ps(x);
    return _mm256_fmadd_ps(y, _mm256_fnmadd_ps(x, y, _mm256_set1_ps(1)), y);
}

PLUMBLINE_INLINE __m256i plumbline_first8(long count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
PLUMBLINE_INLINE plumbline_float8 plumbline_load_part8(const float *from, long count, plumbline_float8 rest) {
    __m256i first = plumbline_first8(count);
    return plumbline_select8((plumbline_int8)first, _mm256_maskload_ps(from, first), rest);
}
PLUMBLINE_INLINE void plumbline_store_part8(float *to, long count, plumbline_float8 x) {
    _mm256_maskstore_ps(to, plumbline_first8(count), x);
}

#else

/// 1.5 * 2^23 more leaves a whole number in the lowest bits.
PLUMBLINE_INLINE plumbline_float8 plumbline_scale8(plumbline_float8 x, plumbline_float8 power) {
    plumbline_int8 exponent = ((plumbline_int8)(power + 0x1.8p23f) << 23) + 0x3f800000;
    return x * (plumbline_float8)exponent;
}
PLUMBLINE_INLINE plumbline_float8 plumbline_inverse8(plumbline_float8 x) { return 1 / x; }

PLUMBLINE_INLINE plumbline_float8 plumbline_load_part8(const float *from, long count, plumbline_float8 rest) {
    memcpy(&rest, from, (unsigned long)count * sizeof(float));
    return rest;
}
PLUMBLINE_INLINE void plumbline_store_part8(float *to, long count, plumbline_float8 x) {
    memcpy(to, &x, (unsigned long)count * sizeof(float));
}

#endif

// 16 lanes are two times 8.
PLUMBLINE_INLINE plumbline_float16 plumbline_join(plumbline_float8 low, plumbline_float8 high) {
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
PLUMBLINE_INLINE plumbline_float16 plumbline_scale16(plumbline_float16 x, plumbline_float16 power) {
    return plumbline_join(plumbline_scale8(x.lo, power.lo), plumbline_scale8(x.hi, power.hi));
}
PLUMBLINE_INLINE plumbline_float16 plumbline_inverse16(plumbline_float16 x) {
    return plumbline_join(plumbline_inverse8(x.lo), plumbline_inverse8(x.hi));
}
PLUMBLINE_INLINE plumbline_float16 plumbline_load_part16(const float *from, long count, plumbline_float16 rest) {
    if (count <= 8) return plumbline_join(plumbline_load_part8(from, count, rest.lo), rest.hi);
    plumbline_float8 low;
    memcpy(&low, from, sizeof low);
    return plumbline_join(low, plumbline_load_part8(from + 8, count - 8, rest.hi));
}
PLUMBLINE_INLINE void plumbline_store_part16(float *to, long count, plumbline_float16 x) {
    if (count <= 8) {
        plumbline_store_part8(to, count, x.lo);
    } else {
        plumbline_float8 low = x.lo;
        memcpy(to, &low, sizeof low);
        plumbline_store_part8(to + 8, count - 8, x.hi);
    }
}

#endif

#undef PLUMBLINE_INLINE

#pragma clang diagnostic pop

#endif
