/* gemm: 6 x 16 tiles in 12 ymm accumulators. Equal to ref/gemm.c bit for bit. */
#define MR 6
#define NR 16
#include "kernels/x86/gemm.h"

INL void tile(const int m, const bool pair, const bool panel, const size_t step, size_t kw,
              const uint32_t *a, size_t rs, const uint32_t *b, float *c, size_t ldc, size_t n,
              bool beta)
{
    __m256 acc[MR][2];
    __m256i lo = lanes8(n), hi = lanes8(n > 8 ? n - 8 : 0);

    UNROLL
    for (int i = 0; i < m; i++) {
        acc[i][0] = beta ? _mm256_maskload_ps(c + i * ldc, lo) : _mm256_setzero_ps();
        acc[i][1] = beta && n > 8 ? _mm256_maskload_ps(c + i * ldc + 8, hi) : _mm256_setzero_ps();
    }
    for (size_t k = 0; k < kw; k += step) {
        __m256 b0 = _mm256_loadu_ps((const float *)b + k * NR),
               b1 = _mm256_loadu_ps((const float *)b + k * NR + 8);

        UNROLL
        for (int i = 0; i < m; i++) {
            __m256 x = _mm256_broadcast_ss((const float *)a +
                                           (panel ? k * MR + (size_t)i : (size_t)i * rs + k));

            acc[i][0] = _mm256_fmadd_ps(x, b0, acc[i][0]);
            acc[i][1] = _mm256_fmadd_ps(x, b1, acc[i][1]);
        }
    }
    (void)pair;
    UNROLL
    for (int i = 0; i < m; i++) {
        _mm256_maskstore_ps(c + i * ldc, lo, acc[i][0]);
        if (n > 8)
            _mm256_maskstore_ps(c + i * ldc + 8, hi, acc[i][1]);
    }
}
#include "kernels/x86/gemmset.h"

LM_KERN(avx2, gemm)
{
    set(k);
}
