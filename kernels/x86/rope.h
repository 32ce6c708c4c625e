/* rope: norm of heads and rotation over v16; bits of ref/rope.c. */
#include "kernels/x86/v16.h"

static void rope(size_t n, size_t heads, size_t hd, const float *x, size_t ldx, const float *w,
                 float eps, const float *cs, const uint32_t *pos, float *y, size_t ldy, float *rstd)
{
    size_t h = hd / 2;

    for (size_t i = 0; i < n; i++)
        for (size_t a = 0; a < heads; a++) {
            const float *s = x + i * ldx + a * hd, *t = cs + (size_t)pos[i] * hd;
            float *o = y + i * ldy + a * hd, r = 1;

            if (w) {
                r = 1 / __builtin_sqrtf(v_dot(hd, s, s) / (float)hd + eps);
                if (rstd)
                    rstd[i * heads + a] = r;
            }
            EACH16 (j, c, h) {
                v16 p = v_loadn(s + j, c), q = v_loadn(s + j + h, c), k = v_loadn(t + j, c),
                    z = v_loadn(t + h + j, c);

                if (w) {
                    p = v_mul(v_mul(p, v_set(r)), v_loadn(w + j, c));
                    q = v_mul(v_mul(q, v_set(r)), v_loadn(w + j + h, c));
                }
                v_storen(o + j, c, v_fnma(q, z, v_mul(p, k)));
                v_storen(o + j + h, c, v_fma(p, z, v_mul(q, k)));
            }
        }
}

static void rope_bwd(size_t n, size_t heads, size_t hd, const float *x, size_t ldx, const float *w,
                     const float *rstd, const float *cs, const uint32_t *pos, const float *dy,
                     size_t lddy, float *dx, size_t lddx, float *dw)
{
    size_t h = hd / 2;

    for (size_t i = 0; i < n; i++)
        for (size_t a = 0; a < heads; a++) {
            const float *s = x + i * ldx + a * hd, *t = cs + (size_t)pos[i] * hd,
                        *g = dy + i * lddy + a * hd;
            float *o = dx + i * lddx + a * hd;
            v16 r, acc = v_zero(), m;

            EACH16 (j, c, h) {
                v16 p = v_loadn(g + j, c), q = v_loadn(g + j + h, c), k = v_loadn(t + j, c),
                    z = v_loadn(t + h + j, c);

                v_storen(o + j, c, v_fma(q, z, v_mul(p, k)));
                v_storen(o + j + h, c, v_fnma(p, z, v_mul(q, k)));
            }
            if (!w)
                continue;
            r = v_set(rstd[i * heads + a]);
            EACH16 (j, c, hd)
                acc = v_fma(v_mul(v_loadn(o + j, c), v_loadn(w + j, c)),
                            v_mul(v_loadn(s + j, c), r), acc);
            m = v_set(v_sum(acc) / (float)hd);
            EACH16 (j, c, hd) {
                v16 xh = v_mul(v_loadn(s + j, c), r), u = v_loadn(o + j, c);

                v_storen(dw + j, c, v_fma(u, xh, v_loadn(dw + j, c)));
                v_storen(o + j, c, v_mul(v_fnma(xh, m, v_mul(u, v_loadn(w + j, c))), r));
            }
        }
}
