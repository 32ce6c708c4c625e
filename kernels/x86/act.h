/* act: SwiGLU over v16; bits of ref/act.c. */
#include "kernels/x86/v16.h"

INL v16 sigmoid(v16 g)
{
    return v_div(v_set(1), v_add(v_set(1), v_exp(v_neg(g))));
}

static void swiglu(size_t n, size_t f, const float *gu, float *act)
{
    for (size_t i = 0; i < n; i++, gu += 2 * f, act += f)
        EACH16 (j, c, f) {
            v16 g = v_loadn(gu + j, c);

            v_storen(act + j, c, v_mul(v_mul(g, sigmoid(g)), v_loadn(gu + f + j, c)));
        }
}

static void swiglu_bwd(size_t n, size_t f, const float *gu, const float *dact, float *dgu,
                       float *act)
{
    for (size_t i = 0; i < n; i++, gu += 2 * f, dgu += 2 * f, act += f, dact += f)
        EACH16 (j, c, f) {
            v16 g = v_loadn(gu + j, c), u = v_loadn(gu + f + j, c), s = sigmoid(g),
                si = v_mul(g, s), da = v_loadn(dact + j, c);

            v_storen(act + j, c, v_mul(si, u));
            v_storen(dgu + f + j, c, v_mul(da, si));
            v_storen(dgu + j, c, v_mul(v_mul(da, u), v_fma(si, v_sub(v_set(1), s), s)));
        }
}
