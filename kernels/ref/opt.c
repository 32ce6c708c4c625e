/* opt: sums, AdamW and conversion over flat arrays. */
#include "kernels/ref/real.h"

static void add(size_t n, const lm_real *a, const lm_real *b, lm_real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

static void sum_rows(size_t rows, size_t d, const lm_real *x, size_t ldx, lm_real *y, bool beta)
{
    for (size_t j = 0; j < d; j++) {
        lm_real s = beta ? y[j] : 0;

        for (size_t i = 0; i < rows; i++)
            s += x[i * ldx + j];
        y[j] = s;
    }
}

/* gs: factor of the gradient (mean and clipping); c1, c2 = 1/(1 - beta^t); keep = 1 - lr * wd. */
static void adamw(size_t n, lm_real *w, lm_real *m, lm_real *v, const lm_real *g,
                  const lm_adamw_arg *a)
{
    for (size_t i = 0; i < n; i++) {
        lm_real x = g[i] * a->gs;

        m[i] = rfma(a->b1, m[i], (1 - a->b1) * x);
        v[i] = rfma(a->b2, v[i], (1 - a->b2) * x * x);
        w[i] = rfma(-a->lr, m[i] * a->c1 / (rroot(v[i] * a->c2) + a->eps), w[i] * a->keep);
    }
}

static double sumsq(size_t n, const lm_real *x)
{
    double s = 0;

    for (size_t i = 0; i < n; i += 4096)
        s += lm_dot16(n - i < 4096 ? n - i : 4096, x + i, x + i);
    return s;
}

static void to_bf16(size_t n, const float *x, uint16_t *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = lm_f32_bf16(x[i]);
}

LM_KERN(ref, opt)
{
    k->add = add;
    k->sum_rows = sum_rows;
    k->adamw = adamw;
    k->sumsq = sumsq;
    k->to_bf16 = to_bf16;
}
