/* muon: momentum made orthogonal, for the hidden matrices (Jordan et al. 2024, Muon; Liu et al.
   2025, 2502.16982, for the step's scale, by which one learning rate and decay serve AdamW's
   tensors too). One thread does a whole matrix, in products whose order is fixed: the bits depend
   on no thread count. */
#include "nn/bench.h"
#include "nn/stepi.h"
#include <math.h>

enum { STEPS = 5 }; /* of Newton-Schulz */
#define MOMENTUM 0.95f

struct lm_muon_scratch {
    int fmt; /* of its products: bf16, summed as the model's */
    float *x, *y, *a, *b;
    void *pa, *pb;
};

bool lm_muon_takes(const lm_tensor *t)
{
    return t->flags & LM_T_MATRIX && !(t->flags & LM_T_EMBED);
}

void lm_muon_plan(lm_nn *nn, lm_plan *p, unsigned threads)
{
    const lm_kern *k = nn->net.k;
    size_t most = 0, rows = 0, cols = 0, packa, packb;
    int fmt = nn->net.mul == LM_FMT_F32 ? LM_FMT_BF16 : nn->net.mul;

    for (size_t i = 0; i < nn->m->nt; i++) {
        const lm_tensor *t = &nn->m->t[i];
        size_t lo, hi;

        if (!lm_muon_takes(t) || lm_nn_frozen(nn, i))
            continue;
        lo = t->dim[0] < t->dim[1] ? t->dim[0] : t->dim[1];
        hi = t->dim[0] < t->dim[1] ? t->dim[1] : t->dim[0];
        most = t->n > most ? t->n : most;
        rows = lo > rows ? lo : rows;
        cols = hi > cols ? hi : cols;
    }
    packa = k->asize(fmt, false, cols, rows);
    packb = k->bsize(fmt, cols, rows);
    if (k->bsize(fmt, rows, cols) > packb)
        packb = k->bsize(fmt, rows, cols);
    nn->muon = lm_take(p, threads * sizeof *nn->muon);
    for (unsigned i = 0; i < threads; i++) {
        struct lm_muon_scratch s = {fmt,
                                    lm_take(p, most * 4),
                                    lm_take(p, most * 4),
                                    lm_take(p, rows * rows * 4),
                                    lm_take(p, rows * rows * 4),
                                    lm_take(p, packa),
                                    lm_take(p, packb)};

        if (p->base)
            nn->muon[i] = s;
    }
}

double lm_muon_flops(const lm_model *m, const lm_nn_opt *o)
{
    double sum = 0;

    for (size_t i = 0; i < m->nt; i++) {
        const lm_tensor *t = &m->t[i];
        double a = t->dim[0], b = t->dim[1], lo = a < b ? a : b, hi = a < b ? b : a;

        if (o->opt == LM_OPT_MUON && lm_muon_takes(t) && !(o->frozen && o->frozen[i]))
            sum += STEPS * (2 * lo * lo * hi + 2 * lo * lo * lo + 2 * lo * lo * hi);
    }
    return sum;
}

/* c [m, n] = a [m, k] times b, where b is given as [n, k] rows, or as [k, n] if bt. */
static void mul(const lm_kern *kern, const struct lm_muon_scratch *s, size_t m, size_t n, size_t k,
                const float *a, const float *b, bool bt, float *c)
{
    kern->packa(
        &(lm_pack){.fmt = s->fmt, .kt = k, .src = a, .ld = k, .kn = k, .nn = m, .dst = s->pa});
    kern->packb(&(lm_pack){.fmt = s->fmt,
                           .kmajor = bt,
                           .kt = k,
                           .src = b,
                           .ld = bt ? n : k,
                           .kn = k,
                           .nn = n,
                           .dst = s->pb});
    kern->gemm(&(lm_gemm){.fmt = s->fmt,
                          .a = s->pa,
                          .akt = k,
                          .m = m,
                          .b = s->pb,
                          .bkt = k,
                          .n = n,
                          .k = k,
                          .c = c,
                          .ldc = n});
}

/* x [m, n], m <= n, becomes nearly orthogonal: all singular values near 1. */
static void orthogonal(const lm_kern *kern, struct lm_muon_scratch *s, size_t m, size_t n)
{
    float scale = (float)(1 / (sqrt(kern->sumsq(m * n, s->x)) + 1e-7));

    for (size_t i = 0; i < m * n; i++)
        s->x[i] *= scale;
    for (int step = 0; step < STEPS; step++) {
        float *t;

        mul(kern, s, m, m, n, s->x, s->x, false, s->a); /* A = X X' */
        mul(kern, s, m, m, m, s->a, s->a, false, s->b); /* A A, A being symmetric */
        for (size_t i = 0; i < m * m; i++)
            s->b[i] = -4.7750f * s->a[i] + 2.0315f * s->b[i];
        mul(kern, s, m, n, m, s->b, s->x, true, s->y);
        for (size_t i = 0; i < m * n; i++)
            s->y[i] += 3.4445f * s->x[i];
        t = s->x;
        s->x = s->y;
        s->y = t;
    }
}

static void update(lm_nn *nn, size_t ti, const lm_adamw *o, float gs, struct lm_muon_scratch s)
{
    const lm_tensor *t = &nn->m->t[ti];
    size_t r = t->dim[0], c = t->dim[1];
    float *w = nn->m->w + t->off, *mom = nn->mom + nn->moff[ti];
    const float *g = nn->grad + t->off;
    bool tall = r > c;
    float keep = (float)(1 - o->lr * o->wd),
          lr = (float)(o->lr * 0.2 * sqrt((double)(tall ? r : c)));

    for (size_t i = 0; i < r; i++)
        for (size_t j = 0; j < c; j++) {
            float x = g[i * c + j] * gs;

            mom[i * c + j] = MOMENTUM * mom[i * c + j] + x;
            s.x[tall ? j * r + i : i * c + j] = x + MOMENTUM * mom[i * c + j]; /* Nesterov */
        }
    orthogonal(nn->net.k, &s, tall ? c : r, tall ? r : c);
    if (nn->norms)
        memcpy(s.y, w, t->n * sizeof *w);
    for (size_t i = 0; i < r; i++)
        for (size_t j = 0; j < c; j++)
            w[i * c + j] = w[i * c + j] * keep - lr * s.x[tall ? j * r + i : i * c + j];
    for (size_t at = 0, p = nn->piece0[ti]; at < t->n; at += LM_PIECE, p++)
        lm_opt_after(nn, p, t->off + at, t->n - at < LM_PIECE ? t->n - at : LM_PIECE, s.y + at);
}

struct job {
    lm_nn *nn;
    const lm_adamw *o;
    float gs;
};

static void task(void *ctx, size_t i, unsigned thread)
{
    struct job *j = ctx;

    if (lm_muon_takes(&j->nn->m->t[i]) && !lm_nn_frozen(j->nn, i))
        LM_TASK(update(j->nn, i, j->o, j->gs, j->nn->muon[thread]));
}

void lm_muon_update(lm_nn *nn, const lm_adamw *o, double gs)
{
    struct job j = {nn, o, (float)gs};

    lm_net_run(&nn->net, nn->m->nt, task, &j);
}
