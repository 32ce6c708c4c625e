/* norm: RMSNorm (Zhang and Sennrich 2019) and layer norm (Ba et al. 2016), rows [n, d]. Sums over a
   row go in 16 lanes (real.h). */
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

static lm_real mean(size_t d, const lm_real *x)
{
    lm_real acc[16] = {0};

    for (size_t j = 0; j < d; j++)
        acc[j % 16] += x[j];
    return lm_lanes(acc) / (lm_real)d;
}

static void ln(size_t n, size_t d, const lm_real *x, size_t ldx, const lm_real *w, const lm_real *b,
               lm_real eps, lm_real *y, size_t ldy, lm_real *rstd)
{
    for (size_t i = 0; i < n; i++, x += ldx, y += ldy) {
        lm_real m = mean(d, x), acc[16] = {0}, r;

        for (size_t j = 0; j < d; j++)
            acc[j % 16] = rfma(x[j] - m, x[j] - m, acc[j % 16]);
        r = 1 / rroot(lm_lanes(acc) / (lm_real)d + eps);
        for (size_t j = 0; j < d; j++)
            y[j] = b ? rfma((x[j] - m) * r, w[j], b[j]) : (x[j] - m) * r * w[j];
        if (rstd)
            rstd[i] = r;
    }
}

/* With xh = (x - mean) rstd and g = dy w: dx = rstd (g - mean g - xh mean(g xh)). */
static void ln_bwd(size_t n, size_t d, const lm_real *x, size_t ldx, const lm_real *w,
                   const lm_real *rstd, const lm_real *dy, size_t lddy, const lm_real *add,
                   lm_real *dx, size_t lddx, lm_real *dw, lm_real *db)
{
    for (size_t i = 0; i < n; i++, x += ldx, dy += lddy, dx += lddx, add = add ? add + lddx : add) {
        lm_real m = mean(d, x), r = rstd[i], a[16] = {0}, b[16] = {0}, s, t;

        for (size_t j = 0; j < d; j++) {
            lm_real g = dy[j] * w[j];

            a[j % 16] += g;
            b[j % 16] = rfma(g, (x[j] - m) * r, b[j % 16]);
        }
        s = lm_lanes(a) / (lm_real)d;
        t = lm_lanes(b) / (lm_real)d;
        for (size_t j = 0; j < d; j++) {
            lm_real xh = (x[j] - m) * r, g = rfma(-xh, t, dy[j] * w[j] - s);

            dw[j] = rfma(dy[j], xh, dw[j]);
            if (db)
                db[j] += dy[j];
            dx[j] = add ? rfma(g, r, add[j]) : g * r;
        }
    }
}

LM_KERN(ref, norm)
{
    k->ln = ln;
    k->ln_bwd = ln_bwd;
    k->rms = rms;
    k->rms_bwd = rms_bwd;
}
