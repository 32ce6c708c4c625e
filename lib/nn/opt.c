/* opt: gradient norm, clipping, AdamW, and the arrays a checkpoint needs. */
#include "nn/stepi.h"
#include <math.h>

enum { PIECE = 4096 }; /* elements of a task; part of the meaning of the norm */
typedef struct {
    lm_nn *nn;
    lm_adamw_arg a;
    double wd, lr;
} job;

/* Piece i of all parameters: its tensor and range. */
static const lm_tensor *piece(const lm_nn *nn, size_t i, size_t *from, size_t *n)
{
    const lm_model *m = nn->m;

    for (size_t j = 0; j < m->nt; j++) {
        size_t p = (m->t[j].n + PIECE - 1) / PIECE;

        if (i < p) {
            *from = m->t[j].off + i * PIECE;
            *n = m->t[j].n - i * PIECE < PIECE ? m->t[j].n - i * PIECE : PIECE;
            return &m->t[j];
        }
        i -= p;
    }
    return NULL;
}

static size_t pieces(const lm_nn *nn)
{
    size_t p = 0;

    for (size_t j = 0; j < nn->m->nt; j++)
        p += (nn->m->t[j].n + PIECE - 1) / PIECE;
    return p;
}

static void norm_task(void *ctx, size_t i, unsigned thread)
{
    lm_nn *nn = ctx;
    size_t from, n;

    (void)thread;
    if (piece(nn, i, &from, &n))
        LM_TASK(nn->sq[i] = nn->net.k->sumsq(n, nn->grad + from));
}

static void adam_task(void *ctx, size_t i, unsigned thread)
{
    job *j = ctx;
    lm_nn *nn = j->nn;
    size_t from, n;
    const lm_tensor *t = piece(nn, i, &from, &n);
    lm_adamw_arg a = j->a;

    (void)thread;
    if (!t || (nn->o.muon && lm_muon_takes(t)))
        return;
    a.keep = t->flags & LM_T_MATRIX ? (float)(1 - j->lr * j->wd) : 1;
    LM_TASK(
        nn->net.k->adamw(n, nn->m->w + from, nn->mom + from, nn->var + from, nn->grad + from, &a));
}

static double power(double b, uint64_t n) /* by squaring: the same bits everywhere */
{
    double r = 1;

    for (; n; n >>= 1, b *= b)
        if (n & 1)
            r *= b;
    return r;
}

int lm_nn_update(lm_nn *nn, const lm_adamw *o, double *gnorm)
{
    size_t p = pieces(nn);
    double sum = 0, mean, norm, scale;
    job j = {.nn = nn, .wd = o->wd, .lr = o->lr};

    if (!nn->o.train)
        return lm_err(LM_EUSAGE, "this trainer was made without gradients");
    if (nn->fresh || !nn->weight)
        return lm_err(LM_EINVALID, "no token of the step has a weight");
    lm_net_run(&nn->net, p, norm_task, nn);
    for (size_t i = 0; i < p; i++)
        sum += nn->sq[i];
    mean = (double)nn->t / (double)nn->weight;
    *gnorm = norm = sqrt(sum) * mean;
    if (!isfinite(norm)) {
        lm_nn_clear(nn);
        return lm_err(LM_EDIVERGED, "the gradient is not finite");
    }
    scale = mean * (o->clip > 0 && norm > o->clip ? o->clip / (norm + 1e-6) : 1);
    nn->updates++;
    j.a = (lm_adamw_arg){.gs = (float)scale,
                         .b1 = (float)o->beta1,
                         .b2 = (float)o->beta2,
                         .c1 = (float)(1 / (1 - power(o->beta1, nn->updates))),
                         .c2 = (float)(1 / (1 - power(o->beta2, nn->updates))),
                         .eps = (float)o->eps,
                         .lr = (float)o->lr};
    lm_net_run(&nn->net, p, adam_task, &j);
    if (nn->o.muon)
        lm_muon_update(nn, o, scale);
    lm_nn_clear(nn);
    lm_net_pack(&nn->net);
    return 0;
}

void lm_nn_clear(lm_nn *nn)
{
    nn->fresh = true;
    nn->weight = 0;
}

float *lm_nn_array(lm_nn *nn, int which)
{
    return which == LM_NN_MASTER ? nn->m->w
           : which == LM_NN_M    ? nn->mom
           : which == LM_NN_V    ? nn->var
                                 : nn->grad;
}

uint64_t lm_nn_updates(const lm_nn *nn)
{
    return nn->updates;
}

void lm_nn_set_updates(lm_nn *nn, uint64_t t)
{
    nn->updates = t;
}

void lm_nn_repack(lm_nn *nn)
{
    lm_net_pack(&nn->net);
}
