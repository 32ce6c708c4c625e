/* act: SwiGLU (Shazeer 2020): silu(gate) * up. */
#include "kernels/ref/real.h"

static void swiglu(size_t n, size_t f, const lm_real *gu, lm_real *act)
{
    for (size_t i = 0; i < n; i++, gu += 2 * f, act += f)
        for (size_t j = 0; j < f; j++) {
            lm_real g = gu[j], s = 1 / (1 + rexp(-g));

            act[j] = g * s * gu[f + j];
        }
}

/* d silu(g) = s + g s (1 - s) */
static void swiglu_bwd(size_t n, size_t f, const lm_real *gu, const lm_real *dact, lm_real *dgu,
                       lm_real *act)
{
    for (size_t i = 0; i < n; i++, gu += 2 * f, dgu += 2 * f, act += f, dact += f)
        for (size_t j = 0; j < f; j++) {
            lm_real g = gu[j], u = gu[f + j], s = 1 / (1 + rexp(-g)), si = g * s, da = dact[j];

            act[j] = si * u; /* act may be dact */
            dgu[f + j] = da * si;
            dgu[j] = da * u * rfma(si, 1 - s, s);
        }
}

LM_KERN(ref, act)
{
    k->swiglu = swiglu;
    k->swiglu_bwd = swiglu_bwd;
}
