/* spin: 12 chains of 8 lanes, of the 16 registers there are; the meaning is ref/spin.c. */
#include "kernels/x86/v16.h"

enum { CHAINS = 12 };

static double spin(int fmt, size_t n, float *sum)
{
    volatile float one = 1, step = 0x1p-10f;
    __m256 a = _mm256_set1_ps(one), b = _mm256_set1_ps(step), acc[CHAINS];
    float s = 0;

    (void)fmt;
    UNROLL
    for (int i = 0; i < CHAINS; i++)
        acc[i] = _mm256_set1_ps((float)i);
    for (size_t k = 0; k < n; k++) {
        UNROLL
        for (int i = 0; i < CHAINS; i++)
            acc[i] = _mm256_fmadd_ps(a, b, acc[i]);
    }
    UNROLL
    for (int i = 0; i < CHAINS; i++)
        s += _mm256_cvtss_f32(acc[i]) - (float)i;
    *sum = s / CHAINS;
    return 2.0 * 8 * CHAINS * (double)n;
}

LM_KERN(avx2, spin)
{
    k->spin = spin;
}
