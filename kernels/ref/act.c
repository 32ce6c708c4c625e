/* act: SwiGLU (Shazeer 2020): silu(gate) * up; GELU (Hendrycks and Gimpel 2016), both forms; clip.
 */
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

#define GELU_C (lm_real)0.79788456080286535588 /* sqrt(2 / pi) */
#define GELU_A (lm_real)0.044715
#define ROOT_HALF (lm_real)0.70710678118654752440
#define PHI_0 (lm_real)0.39894228040143267794 /* the normal density at 0 */

/* x s(x): s = (1 + tanh(c (x + a x^3))) / 2, or the normal distribution; *g = s + x s'(x). */
static lm_real half_tanh(lm_real x, lm_real *g)
{
    lm_real z = GELU_A * (x * x), t = rtanh(GELU_C * rfma(z, x, x)),
            s = rfma((lm_real)0.5, t, (lm_real)0.5);

    *g = rfma((lm_real)0.5 * x * rfma(-t, t, 1), GELU_C * rfma(3, z, 1), s);
    return s;
}

static lm_real half_erf(lm_real x, lm_real *g)
{
    lm_real s = rfma((lm_real)0.5, rerf(x * ROOT_HALF), (lm_real)0.5);

    *g = rfma(x * PHI_0, rexp(x * x * (lm_real)-0.5), s);
    return s;
}

static void gelu(bool erf, size_t n, const lm_real *x, lm_real *y)
{
    for (size_t i = 0; i < n; i++) {
        lm_real g;

        y[i] = x[i] * (erf ? half_erf(x[i], &g) : half_tanh(x[i], &g));
    }
}

static void gelu_bwd(bool erf, size_t n, const lm_real *x, const lm_real *dy, lm_real *dx,
                     lm_real *y)
{
    for (size_t i = 0; i < n; i++) {
        lm_real g, s = erf ? half_erf(x[i], &g) : half_tanh(x[i], &g);

        dx[i] = dy[i] * g;
        y[i] = x[i] * s; /* y may be dy */
    }
}

static void clip(size_t n, lm_real lim, lm_real *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] >= lim ? lim : x[i] <= -lim ? -lim : x[i];
}

static void clip_bwd(size_t n, lm_real lim, const lm_real *x, lm_real *dx)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = x[i] >= lim || x[i] <= -lim ? 0 : dx[i];
}

LM_KERN(ref, act)
{
    k->gelu = gelu;
    k->gelu_bwd = gelu_bwd;
    k->clip = clip;
    k->clip_bwd = clip_bwd;
    k->swiglu = swiglu;
    k->swiglu_bwd = swiglu_bwd;
}
