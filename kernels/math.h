/* math: conversions, exp, tanh, erf and log by our own polynomials in fma form, so that bits do not
   depend on a libm. The vector twins in kernels/x86/v16.h do the same operations lane by lane. */
#ifndef LM_KERN_MATH_H
#define LM_KERN_MATH_H
#include "base/base.h"

static inline uint32_t lm_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, 4);
    return u;
}
static inline float lm_unbits(uint32_t u)
{
    float x;
    memcpy(&x, &u, 4);
    return x;
}

/* f32 -> bf16, nearest even; denormals become zero, NaNs quiet: as vcvtneps2bf16. */
static inline uint16_t lm_f32_bf16(float x)
{
    uint32_t u = lm_bits(x);

    if (!(u & 0x7f800000))
        return (uint16_t)(u >> 16 & 0x8000);
    if ((u & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(u >> 16 | 0x40);
    return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
static inline float lm_bf16_f32(uint16_t h)
{
    return lm_unbits((uint32_t)h << 16);
}

static inline float lm_f16_f32(uint16_t h)
{
    uint32_t s = (uint32_t)(h & 0x8000) << 16, e = h >> 10 & 31, m = h & 0x3ff;

    if (e == 31)
        return lm_unbits(s | 0x7f800000 | m << 13);
    if (e)
        return lm_unbits(s | (e + 112) << 23 | m << 13);
    for (e = 113; m && !(m & 0x400); e--) /* a subnormal half is a normal float */
        m <<= 1;
    return lm_unbits(m ? s | e << 23 | (m & 0x3ff) << 13 : s);
}

/* exp: n = rint(x log2 e) by the magic-number trick, r = x - n ln 2 in two steps, a polynomial of
   degree 6 (its coefficients 1/k! nudged to the minimax of [-ln2/2, ln2/2]), scaled by 2^n, n <=
   127. Below -87.33 it is 0, above 88.37 what it is there (2.4e38): softmax never goes over 0, and
   a sigmoid is 0 on either side. */
#define LM_EXP_LO (-87.33f)
#define LM_EXP_HI 88.37f
#define LM_EXP_L2E 1.44269504088896341f
#define LM_EXP_MAGIC 12582912.0f /* 1.5 * 2^23 */
#define LM_EXP_C1 0.693359375f
#define LM_EXP_C2 (-2.12194440e-4f)
#define LM_EXP_P0 1.9875691500e-4f
#define LM_EXP_P1 1.3981999507e-3f
#define LM_EXP_P2 8.3334519073e-3f
#define LM_EXP_P3 4.1665795894e-2f
#define LM_EXP_P4 1.6666665459e-1f
#define LM_EXP_P5 5.0000001201e-1f
static inline float lm_exp1(float x)
{
    float t, n, r, p;

    if (!(x >= LM_EXP_LO))
        return x != x ? x : 0.0f;
    if (x > LM_EXP_HI)
        x = LM_EXP_HI;
    t = __builtin_fmaf(x, LM_EXP_L2E, LM_EXP_MAGIC);
    n = t - LM_EXP_MAGIC;
    r = __builtin_fmaf(n, -LM_EXP_C1, x);
    r = __builtin_fmaf(n, -LM_EXP_C2, r);
    p = __builtin_fmaf(LM_EXP_P0, r, LM_EXP_P1);
    p = __builtin_fmaf(p, r, LM_EXP_P2);
    p = __builtin_fmaf(p, r, LM_EXP_P3);
    p = __builtin_fmaf(p, r, LM_EXP_P4);
    p = __builtin_fmaf(p, r, LM_EXP_P5);
    p = __builtin_fmaf(p, r * r, r) + 1.0f;
    return p * lm_unbits((lm_bits(t) - lm_bits(LM_EXP_MAGIC) + 127) << 23);
}

/* tanh: below 0.625 x + x^3 P(x^2), P the minimax of degree 4; above 1 - 2 / (e^2x + 1).
   tests/unit/ kern.c states the errors. */
#define LM_TANH_FAR 0.625f
#define LM_TANH_P0 (-3.3333283924e-1f)
#define LM_TANH_P1 1.3331491249e-1f
#define LM_TANH_P2 (-5.3743495261e-2f)
#define LM_TANH_P3 2.0650579003e-2f
#define LM_TANH_P4 (-5.7170365605e-3f)
static inline float lm_tanh1(float x)
{
    float z = x * x, a = __builtin_fabsf(x), p;

    if (a >= LM_TANH_FAR) {
        p = 1 - 2 / (lm_exp1(a + a) + 1);
        return x >= 0 ? p : p * -1;
    }
    p = __builtin_fmaf(LM_TANH_P4, z, LM_TANH_P3);
    p = __builtin_fmaf(p, z, LM_TANH_P2);
    p = __builtin_fmaf(p, z, LM_TANH_P1);
    p = __builtin_fmaf(p, z, LM_TANH_P0);
    return __builtin_fmaf(p * z, x, x);
}

/* erf: up to 1 x + x P(x^2), degree 6; above 1 - e^(x Q(x)), Q the minimax of log(erfc(x)) / x over
   [0.97, 4], degree 6; from 4 on it is 1. */
#define LM_ERF_FAR 1.0f
#define LM_ERF_TOP 4.0f
#define LM_ERF_P0 1.283791657e-1f
#define LM_ERF_P1 (-3.761262582e-1f)
#define LM_ERF_P2 1.128358515e-1f
#define LM_ERF_P3 (-2.685381193e-2f)
#define LM_ERF_P4 5.188327682e-3f
#define LM_ERF_P5 (-8.010193590e-4f)
#define LM_ERF_P6 7.853861236e-5f
#define LM_ERF_Q0 (-1.128677176f)
#define LM_ERF_Q1 (-6.350365167e-1f)
#define LM_ERF_Q2 (-1.064241436e-1f)
#define LM_ERF_Q3 2.392130844e-2f
#define LM_ERF_Q4 (-3.716860518e-3f)
#define LM_ERF_Q5 3.409019061e-4f
#define LM_ERF_Q6 (-1.302119577e-5f)
static inline float lm_erf1(float x)
{
    float z = x * x, a = __builtin_fabsf(x), p;

    if (a >= LM_ERF_FAR) {
        a = a <= LM_ERF_TOP ? a : LM_ERF_TOP;
        p = __builtin_fmaf(LM_ERF_Q6, a, LM_ERF_Q5);
        p = __builtin_fmaf(p, a, LM_ERF_Q4);
        p = __builtin_fmaf(p, a, LM_ERF_Q3);
        p = __builtin_fmaf(p, a, LM_ERF_Q2);
        p = __builtin_fmaf(p, a, LM_ERF_Q1);
        p = __builtin_fmaf(p, a, LM_ERF_Q0);
        p = 1 - lm_exp1(p * a);
        return x >= 0 ? p : p * -1;
    }
    p = __builtin_fmaf(LM_ERF_P6, z, LM_ERF_P5);
    p = __builtin_fmaf(p, z, LM_ERF_P4);
    p = __builtin_fmaf(p, z, LM_ERF_P3);
    p = __builtin_fmaf(p, z, LM_ERF_P2);
    p = __builtin_fmaf(p, z, LM_ERF_P1);
    p = __builtin_fmaf(p, z, LM_ERF_P0);
    return __builtin_fmaf(p, x, x);
}

/* log of a positive normal f64: mantissa into [sqrt 1/2, sqrt 2), 2 atanh((f-1)/(f+1)) by its
 * series. */
static inline double lm_log1(double x)
{
    uint64_t u;
    double f, z, z2, p = 0;
    int e;

    if (!(x > 0))
        return x < 0 || x != x ? __builtin_nan("") : -__builtin_inf();
    memcpy(&u, &x, 8);
    if (u >> 52 == 0x7ff)
        return x;
    e = (int)(u >> 52) - 1022;
    u = (u & 0xfffffffffffffull) | 0x3fe0000000000000ull;
    memcpy(&f, &u, 8);
    if (f < 0.70710678118654752) {
        f *= 2;
        e--;
    }
    z = (f - 1) / (f + 1);
    z2 = z * z;
    for (int k = 21; k >= 3; k -= 2)
        p = __builtin_fma(p, z2, 1.0 / k);
    p = __builtin_fma(p * z2, z, z);
    return __builtin_fma((double)e, 0.69314718055994530942, 2 * p);
}
#endif
