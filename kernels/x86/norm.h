/* norm: RMSNorm and layer norm over v16; bits of ref/norm.c. */
#include "kernels/x86/v16.h"

static void rms(size_t n, size_t d, const float *x, size_t ldx, const float *w, float eps, float *y,
                size_t ldy, float *rstd)
{
    for (size_t i = 0; i < n; i++, x += ldx, y += ldy) {
        float r = 1 / __builtin_sqrtf(v_dot(d, x, x) / (float)d + eps);

        EACH16 (j, c, d)
            v_storen(y + j, c, v_mul(v_mul(v_loadn(x + j, c), v_set(r)), v_loadn(w + j, c)));
        if (rstd)
            rstd[i] = r;
    }
}

static void rms_bwd(size_t n, size_t d, const float *x, size_t ldx, const float *w,
                    const float *rstd, const float *dy, size_t lddy, const float *add, float *dx,
                    size_t lddx, float *dw)
{
    for (size_t i = 0; i < n; i++, x += ldx, dy += lddy, dx += lddx, add = add ? add + lddx : add) {
        v16 r = v_set(rstd[i]), acc = v_zero(), t;

        EACH16 (j, c, d)
            acc = v_fma(v_mul(v_loadn(dy + j, c), v_loadn(w + j, c)), v_mul(v_loadn(x + j, c), r),
                        acc);
        t = v_set(v_sum(acc) / (float)d);
        EACH16 (j, c, d) {
            v16 xh = v_mul(v_loadn(x + j, c), r), g = v_loadn(dy + j, c);

            v_storen(dw + j, c, v_fma(g, xh, v_loadn(dw + j, c)));
            g = v_fnma(xh, t, v_mul(g, v_loadn(w + j, c)));
            v_storen(dx + j, c, add ? v_fma(g, r, v_loadn(add + j, c)) : v_mul(g, r));
        }
    }
}

INL float mean(size_t d, const float *x)
{
    v16 acc = v_zero();

    EACH16 (j, c, d)
        acc = v_add(acc, v_loadn(x + j, c));
    return v_sum(acc) / (float)d;
}

/* x - m in the c lanes in use, zero in the rest. */
INL v16 off_mean(const float *x, size_t c, v16 m)
{
    v16 y = v_sub(v_loadn(x, c), m);

    return c == 16 ? y : v_pick(v_le(v_index(), v_set((float)c - 1)), y, v_zero());
}

static void ln(size_t n, size_t d, const float *x, size_t ldx, const float *w, const float *b,
               float eps, float *y, size_t ldy, float *rstd)
{
    for (size_t i = 0; i < n; i++, x += ldx, y += ldy) {
        v16 m = v_set(mean(d, x)), acc = v_zero(), r;

        EACH16 (j, c, d) {
            v16 z = off_mean(x + j, c, m);

            acc = v_fma(z, z, acc);
        }
        r = v_set(1 / __builtin_sqrtf(v_sum(acc) / (float)d + eps));
        EACH16 (j, c, d) {
            v16 z = v_mul(v_sub(v_loadn(x + j, c), m), r), g = v_loadn(w + j, c);

            v_storen(y + j, c, b ? v_fma(z, g, v_loadn(b + j, c)) : v_mul(z, g));
        }
        if (rstd)
            v_storen(rstd + i, 1, r);
    }
}

static void ln_bwd(size_t n, size_t d, const float *x, size_t ldx, const float *w,
                   const float *rstd, const float *dy, size_t lddy, const float *add, float *dx,
                   size_t lddx, float *dw, float *db)
{
    for (size_t i = 0; i < n; i++, x += ldx, dy += lddy, dx += lddx, add = add ? add + lddx : add) {
        v16 m = v_set(mean(d, x)), r = v_set(rstd[i]), a = v_zero(), b = v_zero(), s, t;

        EACH16 (j, c, d) {
            v16 g = v_mul(v_loadn(dy + j, c), v_loadn(w + j, c));

            a = v_add(a, g);
            b = v_fma(g, v_mul(off_mean(x + j, c, m), r), b);
        }
        s = v_set(v_sum(a) / (float)d);
        t = v_set(v_sum(b) / (float)d);
        EACH16 (j, c, d) {
            v16 xh = v_mul(v_sub(v_loadn(x + j, c), m), r), g = v_loadn(dy + j, c);

            v_storen(dw + j, c, v_fma(g, xh, v_loadn(dw + j, c)));
            if (db)
                v_storen(db + j, c, v_add(v_loadn(db + j, c), g));
            g = v_fnma(xh, t, v_sub(v_mul(g, v_loadn(w + j, c)), s));
            v_storen(dx + j, c, add ? v_fma(g, r, v_loadn(add + j, c)) : v_mul(g, r));
        }
    }
}
