/* opt: sums, AdamW, Lion, averages and conversion over flat arrays. */
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

/* The sign of the momentum on its way to the gradient, then the momentum goes there by b2 (Chen et
   al. 2023, Symbolic Discovery of Optimization Algorithms, algorithm 2); of 0 the sign is 0. */
static void lion(size_t n, lm_real *w, lm_real *m, const lm_real *g, const lm_adamw_arg *a)
{
    for (size_t i = 0; i < n; i++) {
        lm_real x = g[i] * a->gs, c = rfma(a->b1, m[i], (1 - a->b1) * x);

        w[i] = rfma(-a->lr, c >= 0 ? (-c >= 0 ? 0 : 1) : -1, w[i] * a->keep);
        m[i] = rfma(a->b2, m[i], (1 - a->b2) * x);
    }
}

static void ema(size_t n, lm_real *e, const lm_real *w, lm_real share)
{
    for (size_t i = 0; i < n; i++)
        e[i] = rfma(share, w[i] - e[i], e[i]);
}

static double sumsq(size_t n, const lm_real *x)
{
    double s = 0;

    for (size_t i = 0; i < n; i += 4096)
        s += lm_dot16(n - i < 4096 ? n - i : 4096, x + i, x + i);
    return s;
}

static double distsq(size_t n, const lm_real *x, const lm_real *y)
{
    double s = 0;

    for (size_t i = 0; i < n; i += 4096) {
        lm_real acc[16] = {0};

        for (size_t j = i; j < n && j < i + 4096; j++)
            acc[j % 16] = rfma(x[j] - y[j], x[j] - y[j], acc[j % 16]);
        s += lm_lanes(acc);
    }
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
    k->lion = lion;
    k->ema = ema;
    k->sumsq = sumsq;
    k->distsq = distsq;
    k->to_bf16 = to_bf16;
}
