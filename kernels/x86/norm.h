/* norm: RMSNorm over v16; bits of ref/norm.c. */
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
