/* spin512: 16 chains of 16 lanes, enough for two units of six cycles; with NATIVE pairs of bf16 by
   vdpbf16ps, each half of a pair half of the step. The meaning is ref/spin.c. */
#include "kernels/x86/v16.h"

enum { CHAINS = 16 };

static double spin(int fmt, size_t n, float *sum)
{
    volatile float one = 1, step = 0x1p-10f;
    __m512 a = _mm512_set1_ps(one), b = _mm512_set1_ps(step), acc[CHAINS];
    float s = 0;
    double flops = 2.0 * 16 * CHAINS * (double)n;

    UNROLL
    for (int i = 0; i < CHAINS; i++)
        acc[i] = _mm512_set1_ps((float)i);
#if NATIVE
    if (fmt == LM_FMT_BF16) {
        __m512 h = _mm512_set1_ps(step / 2);
        __m512bh pa = _mm512_cvtne2ps_pbh(a, a), pb = _mm512_cvtne2ps_pbh(h, h);

        for (size_t k = 0; k < n; k++) {
    UNROLL
            for (int i = 0; i < CHAINS; i++)
                acc[i] = _mm512_dpbf16_ps(acc[i], pa, pb);
        }
        flops *= 2;
        n = 0;
    }
#endif
    (void)fmt;
    for (size_t k = 0; k < n; k++) {
    UNROLL
        for (int i = 0; i < CHAINS; i++)
            acc[i] = _mm512_fmadd_ps(a, b, acc[i]);
    }
    UNROLL
    for (int i = 0; i < CHAINS; i++)
        s += _mm512_cvtss_f32(acc[i]) - (float)i;
    *sum = s / CHAINS;
    return flops;
}
