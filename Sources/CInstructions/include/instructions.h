#ifndef PLUMBLINE_INSTRUCTIONS_H
#define PLUMBLINE_INSTRUCTIONS_H

/// Asks for the cache line at `address`, in the second-level cache. Swift has no such instruction.
static inline void plumbline_prefetch(const void *address) { __builtin_prefetch(address, 0, 2); }

/// Asks for the cache line at `address`, to be written to.
static inline void plumbline_prefetch_to_write(void *address) { __builtin_prefetch(address, 1, 3); }

/// Vectors as Swift's SIMD8 and SIMD16.
typedef float plumbline_float8 __attribute__((ext_vector_type(8)));
typedef float plumbline_float16 __attribute__((ext_vector_type(16)));

/// The square root of every lane. Swift's is a branch and a call for each, because C's sets errno.
static inline __attribute__((always_inline)) plumbline_float8 plumbline_sqrt8(plumbline_float8 x) {
    return __builtin_elementwise_sqrt(x);
}

/// The same for 16 lanes.
static inline __attribute__((always_inline)) plumbline_float16 plumbline_sqrt16(plumbline_float16 x) {
    return __builtin_elementwise_sqrt(x);
}

#endif
