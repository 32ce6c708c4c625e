/* real: scalar arithmetic of the reference kernels: f32 with our own exp, log, tanh and erf, or,
   where LM_SCALAR is double (tests of gradients), what the includer says. */
#ifndef LM_REF_REAL_H
#define LM_REF_REAL_H
#include "kernels/kern.h"
#ifndef LM_SCALAR64 /* else the includer defines these */
#define rfma(a, b, c) __builtin_fmaf(a, b, c)
#define rexp(x) lm_exp1(x)
#define rtanh(x) lm_tanh1(x)
#define rerf(x) lm_erf1(x)
#define rroot(x) __builtin_sqrtf(x)
#define rround(x, fmt) ((fmt) != LM_FMT_F32 ? lm_bf16_f32(lm_f32_bf16(x)) : (x))
static inline float rlog(double x)
{
    return (float)lm_log1(x);
}
#endif

/* The sum over lanes: lane j holds elements j, j+16, ..; then lanes j and j+8, j+4, j+2, j+1 are
 * added. */
static inline lm_real lm_lanes(lm_real acc[16])
{
    for (int h = 8; h; h /= 2)
        for (int j = 0; j < h; j++)
            acc[j] += acc[j + h];
    return acc[0];
}

static inline lm_real lm_dot16(size_t n, const lm_real *x, const lm_real *y)
{
    lm_real acc[16] = {0};

    for (size_t i = 0; i < n; i++)
        acc[i % 16] = rfma(x[i], y[i], acc[i % 16]);
    return lm_lanes(acc);
}
#endif
