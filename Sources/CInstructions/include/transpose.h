#ifndef PLUMBLINE_TRANSPOSE_H
#define PLUMBLINE_TRANSPOSE_H

typedef float plumbline_line __attribute__((ext_vector_type(16), aligned(4)));

/// Writes the first 16 numbers of 16 lines, which lie `stride` apart, as 16 columns: number k of every line, one line after
/// the other, from `target` + k * `target_stride` on.
///
/// Each line is read at once: lines that are a multiple of 4 KiB apart drive each other from the first-level cache.
static inline __attribute__((always_inline)) void plumbline_transpose16(const float *source, long stride, float *target,
                                                                        long target_stride) {
    plumbline_line x[16], y[16];
    for (int i = 0; i < 16; i++) x[i] = *(const plumbline_line *)(source + i * stride);
    // Within each vector's quarters, pairs of lines and then pairs of pairs: y[i + j] holds number 4q + j of lines i to i + 3
    // in quarter q.
    for (int i = 0; i < 16; i += 4) {
        for (int j = i; j < i + 4; j += 2) {
            y[j] = __builtin_shufflevector(x[j], x[j + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
            y[j + 1] = __builtin_shufflevector(x[j], x[j + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
        }
        for (int j = 0; j < 2; j++) {
            x[i + 2 * j] = __builtin_shufflevector(y[i + j], y[i + j + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13,
                                                   28, 29);
            x[i + 2 * j + 1] = __builtin_shufflevector(y[i + j], y[i + j + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27,
                                                       14, 15, 30, 31);
        }
    }
    // Then the quarters: those of even and of odd number of two groups of lines, and again of two such.
#define PLUMBLINE_EVEN(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27)
#define PLUMBLINE_ODD(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31)
    for (int j = 0; j < 4; j++) {
        plumbline_line even = PLUMBLINE_EVEN(x[j], x[4 + j]), odd = PLUMBLINE_ODD(x[j], x[4 + j]);
        plumbline_line evens = PLUMBLINE_EVEN(x[8 + j], x[12 + j]), odds = PLUMBLINE_ODD(x[8 + j], x[12 + j]);
        *(plumbline_line *)(target + j * target_stride) = PLUMBLINE_EVEN(even, evens);
        *(plumbline_line *)(target + (4 + j) * target_stride) = PLUMBLINE_EVEN(odd, odds);
        *(plumbline_line *)(target + (8 + j) * target_stride) = PLUMBLINE_ODD(even, evens);
        *(plumbline_line *)(target + (12 + j) * target_stride) = PLUMBLINE_ODD(odd, odds);
    }
#undef PLUMBLINE_EVEN
#undef PLUMBLINE_ODD
}

#endif
