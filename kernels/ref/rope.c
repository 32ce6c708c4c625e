/* rope: rotary positions, half-split form (Su et al. 2021), after an optional RMSNorm of each head.
 */
#include "kernels/ref/real.h"

static void rope(size_t n, size_t heads, size_t hd, const lm_real *x, size_t ldx, const lm_real *w,
                 lm_real eps, const lm_real *cs, const uint32_t *pos, lm_real *y, size_t ldy,
                 lm_real *rstd)
{
    size_t h = hd / 2;

    for (size_t i = 0; i < n; i++)
        for (size_t a = 0; a < heads; a++) {
            const lm_real *s = x + i * ldx + a * hd, *c = cs + (size_t)pos[i] * hd;
            lm_real *o = y + i * ldy + a * hd, r = 1;

            if (w) {
                r = 1 / rroot(lm_dot16(hd, s, s) / (lm_real)hd + eps);
                if (rstd)
                    rstd[i * heads + a] = r;
            }
            for (size_t j = 0; j < h; j++) {
                lm_real p = w ? s[j] * r * w[j] : s[j], q = w ? s[j + h] * r * w[j + h] : s[j + h];

                o[j] = rfma(-q, c[h + j], p * c[j]);
                o[j + h] = rfma(p, c[h + j], q * c[j]);
            }
        }
}

/* dw [hd] grows over rows, then heads, ascending. */
static void rope_bwd(size_t n, size_t heads, size_t hd, const lm_real *x, size_t ldx,
                     const lm_real *w, const lm_real *rstd, const lm_real *cs, const uint32_t *pos,
                     const lm_real *dy, size_t lddy, lm_real *dx, size_t lddx, lm_real *dw)
{
    size_t h = hd / 2;

    for (size_t i = 0; i < n; i++)
        for (size_t a = 0; a < heads; a++) {
            const lm_real *s = x + i * ldx + a * hd, *c = cs + (size_t)pos[i] * hd,
                          *g = dy + i * lddy + a * hd;
            lm_real *o = dx + i * lddx + a * hd, r, acc[16] = {0}, t;

            for (size_t j = 0; j < h; j++) {
                lm_real p = rfma(g[j + h], c[h + j], g[j] * c[j]),
                        q = rfma(-g[j], c[h + j], g[j + h] * c[j]);

                o[j] = p;
                o[j + h] = q;
            }
            if (!w)
                continue;
            r = rstd[i * heads + a];
            for (size_t j = 0; j < hd; j++)
                acc[j % 16] = rfma(o[j] * w[j], s[j] * r, acc[j % 16]);
            t = lm_lanes(acc) / (lm_real)hd;
            for (size_t j = 0; j < hd; j++) {
                lm_real xh = s[j] * r;

                dw[j] = rfma(o[j], xh, dw[j]);
                o[j] = rfma(-xh, t, o[j] * w[j]) * r;
            }
        }
}

LM_KERN(ref, rope)
{
    k->rope = rope;
    k->rope_bwd = rope_bwd;
}
