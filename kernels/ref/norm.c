/* norm: RMSNorm (Zhang and Sennrich 2019), rows [n, d]. Sums over a row go in 16 lanes (real.h). */
#include "kernels/ref/real.h"

static void rms(size_t n, size_t d, const lm_real *x, size_t ldx, const lm_real *w, lm_real eps,
                lm_real *y, size_t ldy, lm_real *rstd)
{
    for (size_t i = 0; i < n; i++, x += ldx, y += ldy) {
        lm_real r = 1 / rroot(lm_dot16(d, x, x) / (lm_real)d + eps);

        for (size_t j = 0; j < d; j++)
            y[j] = x[j] * r * w[j];
        if (rstd)
            rstd[i] = r;
    }
}

static void rms_bwd(size_t n, size_t d, const lm_real *x, size_t ldx, const lm_real *w,
                    const lm_real *rstd, const lm_real *dy, size_t lddy, const lm_real *add,
                    lm_real *dx, size_t lddx, lm_real *dw)
{
    for (size_t i = 0; i < n; i++, x += ldx, dy += lddy, dx += lddx, add = add ? add + lddx : add) {
        lm_real r = rstd[i], acc[16] = {0}, t;

        for (size_t j = 0; j < d; j++)
            acc[j % 16] = rfma(dy[j] * w[j], x[j] * r, acc[j % 16]);
        t = lm_lanes(acc) / (lm_real)d;
        for (size_t j = 0; j < d; j++) {
            lm_real xh = x[j] * r, g = rfma(-xh, t, dy[j] * w[j]);

            dw[j] = rfma(dy[j], xh, dw[j]);
            dx[j] = add ? rfma(g, r, add[j]) : g * r;
        }
    }
}

LM_KERN(ref, norm)
{
    k->rms = rms;
    k->rms_bwd = rms_bwd;
}
