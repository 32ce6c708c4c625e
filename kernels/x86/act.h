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

#define GELU_C 0.79788456080286535588f /* sqrt(2 / pi) */
#define GELU_A 0.044715f
#define ROOT_HALF 0.70710678118654752440f
#define PHI_0 0.39894228040143267794f

INL v16 half_tanh(v16 x, v16 *g)
{
    v16 one = v_set(1), half = v_set(0.5f), z = v_mul(v_set(GELU_A), v_mul(x, x)),
        t = v_tanh(v_mul(v_set(GELU_C), v_fma(z, x, x))), s = v_fma(half, t, half);

    *g = v_fma(v_mul(v_mul(half, x), v_fnma(t, t, one)),
               v_mul(v_set(GELU_C), v_fma(v_set(3), z, one)), s);
    return s;
}

INL v16 half_erf(v16 x, v16 *g)
{
    v16 half = v_set(0.5f), s = v_fma(half, v_erf(v_mul(x, v_set(ROOT_HALF))), half);

    *g = v_fma(v_mul(x, v_set(PHI_0)), v_exp(v_mul(v_mul(x, x), v_set(-0.5f))), s);
    return s;
}

static void gelu(bool erf, size_t n, const float *x, float *y)
{
    EACH16 (i, c, n) {
        v16 v = v_loadn(x + i, c), g;

        v_storen(y + i, c, v_mul(v, erf ? half_erf(v, &g) : half_tanh(v, &g)));
    }
}

static void gelu_bwd(bool erf, size_t n, const float *x, const float *dy, float *dx, float *y)
{
    EACH16 (i, c, n) {
        v16 v = v_loadn(x + i, c), g, s = erf ? half_erf(v, &g) : half_tanh(v, &g);

        v_storen(dx + i, c, v_mul(v_loadn(dy + i, c), g));
        v_storen(y + i, c, v_mul(v, s));
    }
}

static void clip(size_t n, float lim, float *x)
{
    v16 hi = v_set(lim), lo = v_set(-lim);

    EACH16 (i, c, n) {
        v16 v = v_loadn(x + i, c);

        v_storen(x + i, c, v_pick(v_ge(v, hi), hi, v_pick(v_le(v, lo), lo, v)));
    }
}

static void clip_bwd(size_t n, float lim, const float *x, float *dx)
{
    v16 hi = v_set(lim), lo = v_set(-lim);

    EACH16 (i, c, n) {
        v16 v = v_loadn(x + i, c), g = v_loadn(dx + i, c);

        v_storen(dx + i, c, v_pick(v_ge(v, hi), v_zero(), v_pick(v_le(v, lo), v_zero(), g)));
    }
}
