/* weights: random values, conversions, and the sine and cosine they need. */
#include "nn/weights.h"
#include "nn/cfg.h"
#include "kernels/kern.h"
#include <math.h>

static void philox(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    for (int r = 0; r < 10; r++) {
        uint64_t a = (uint64_t)0xD2511F53 * c[0], b = (uint64_t)0xCD9E8D57 * c[2];
        uint32_t n0 = (uint32_t)(b >> 32) ^ c[1] ^ k0, n2 = (uint32_t)(a >> 32) ^ c[3] ^ k1;

        c[1] = (uint32_t)b;
        c[3] = (uint32_t)a;
        c[0] = n0;
        c[2] = n2;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
}

/* Reduced to r in [-pi/4, pi/4] by three parts of pi/2 (33 bits each), Taylor series to r^17. */
void lm_sincos(double x, double *s, double *c)
{
    double n = rint(x * 0.63661977236758134308), r, z, p = 0, q = 0;
    int quad = (int)((int64_t)n & 3);
    static const double sf[] = {
        1.0 / 355687428096000, -1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800,
        1.0 / 362880,          -1.0 / 5040,          1.0 / 120,        -1.0 / 6};
    static const double cf[] = {
        1.0 / 20922789888000, -1.0 / 87178291200, 1.0 / 479001600, -1.0 / 3628800,
        1.0 / 40320,          -1.0 / 720,         1.0 / 24,        -0.5};

    r = fma(-n, 1.57079632673412561417e+00, x);
    r = fma(-n, 6.07710050630396597660e-11, r);
    r = fma(-n, 2.02226624879595063154e-21, r);
    z = r * r;
    for (size_t i = 0; i < LM_COUNT(sf); i++) {
        p = fma(p, z, sf[i]);
        q = fma(q, z, cf[i]);
    }
    p = fma(p * z, r, r);
    q = fma(q, z, 1.0);
    *s = quad == 0 ? p : quad == 1 ? q : quad == 2 ? -p : -q;
    *c = quad == 0 ? q : quad == 1 ? -p : quad == 2 ? -q : p;
}

void lm_normal(uint64_t seed, const char *name, size_t n, double sd, float *out)
{
    uint64_t key = lm_keyed(seed, "init", &(lm_str){name, strlen(name)}, 1);

    for (size_t i = 0; i < n; i += 4) {
        uint32_t c[4] = {(uint32_t)(i / 4), (uint32_t)((uint64_t)i >> 34), 0, 0};
        double v[4];

        philox(c, (uint32_t)key, (uint32_t)(key >> 32));
        for (int h = 0; h < 4; h += 2) {
            double u = (c[h] + 0.5) * 0x1p-32,
                   a = (c[h + 1] + 0.5) * 0x1p-32 * 6.28318530717958647693, s, k;
            double r = sqrt(-2 * lm_log1(u)) * sd;

            lm_sincos(a, &s, &k);
            v[h] = r * k;
            v[h + 1] = r * s;
        }
        for (size_t j = 0; j < 4 && i + j < n; j++)
            out[i + j] = (float)v[j];
    }
}

void lm_round_bf16(size_t n, float *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = lm_bf16_f32(lm_f32_bf16(x[i]));
}

void lm_widen(int dt, const void *src, size_t n, float *out)
{
    const uint16_t *h = src;

    if (dt == LM_F32)
        memcpy(out, src, n * sizeof *out);
    else
        for (size_t i = 0; i < n; i++)
            out[i] = dt == LM_BF16 ? lm_bf16_f32(h[i]) : lm_f16_f32(h[i]);
}
