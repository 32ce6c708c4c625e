/* opt: gradient norm, clipping, AdamW and Lion, the moving average, and the arrays a checkpoint
   needs. Work is cut into pieces of a tensor; those that are frozen have none. */
#include "nn/stepi.h"
#include <math.h>

typedef struct {
    lm_nn *nn;
    lm_adamw_arg a;
    double wd, lr;
} job;

void lm_opt_plan(lm_nn *nn, lm_plan *p)
{
    const lm_model *m = nn->m;
    size_t pieces = 0, mom = 0;

    nn->piece0 = lm_take(p, (m->nt + 1) * sizeof *nn->piece0);
    nn->moff = lm_take(p, (m->nt + 1) * sizeof *nn->moff);
    for (size_t i = 0; i <= m->nt; i++) {
        if (p->base) {
            nn->piece0[i] = pieces;
            nn->moff[i] = mom;
        }
        if (i < m->nt && !lm_nn_frozen(nn, i)) {
            pieces += (m->t[i].n + LM_PIECE - 1) / LM_PIECE;
            mom += m->t[i].n;
        }
    }
    nn->nsq = pieces;
    nn->nmom = mom;
    p->at = LM_PART_MOMENTS;
    nn->mom = lm_take(p, mom * 4);
    nn->var = nn->o.opt == LM_OPT_LION ? NULL : lm_take(p, mom * 4);
    p->at = LM_PART_EMA;
    nn->ema = nn->o.ema > 0 ? lm_take(p, m->n * 4) : NULL;
    p->at = LM_PART_WORK;
    nn->sq = lm_take(p, pieces * sizeof *nn->sq);
    nn->wsq = lm_take(p, pieces * sizeof *nn->wsq);
    nn->usq = lm_take(p, pieces * sizeof *nn->usq);
}

/* Piece i of all parameters: its tensor, and its range within that. */
static size_t piece(const lm_nn *nn, size_t i, size_t *at, size_t *n)
{
    size_t lo = 0, hi = nn->m->nt;

    while (hi - lo > 1) { /* the last tensor that begins at i or before: those behind are beyond */
        size_t mid = lo + (hi - lo) / 2;

        if (nn->piece0[mid] <= i)
            lo = mid;
        else
            hi = mid;
    }
    *at = (i - nn->piece0[lo]) * LM_PIECE;
    *n = nn->m->t[lo].n - *at < LM_PIECE ? nn->m->t[lo].n - *at : LM_PIECE;
    return lo;
}

static void norm_task(void *ctx, size_t i, unsigned thread)
{
    lm_nn *nn = ctx;
    size_t at, n, t = piece(nn, i, &at, &n);

    (void)thread;
    LM_TASK(nn->sq[i] = nn->net.k->sumsq(n, nn->grad + nn->m->t[t].off + at));
}

void lm_opt_after(lm_nn *nn, size_t i, size_t from, size_t n, const float *was)
{
    const lm_kern *k = nn->net.k;
    const float *w = nn->m->w + from;

    if (nn->norms) {
        nn->wsq[i] = k->sumsq(n, w);
        nn->usq[i] = k->distsq(n, w, was);
    }
    if (nn->ema)
        k->ema(n, nn->ema + from, w, 1 - nn->o.ema);
}

static void update_task(void *ctx, size_t i, unsigned thread)
{
    job *j = ctx;
    lm_nn *nn = j->nn;
    const lm_kern *k = nn->net.k;
    size_t at, n, ti = piece(nn, i, &at, &n);
    const lm_tensor *t = &nn->m->t[ti];
    float *w = nn->m->w + t->off + at, *m = nn->mom + nn->moff[ti] + at, was[LM_PIECE];
    const float *g = nn->grad + t->off + at;
    lm_adamw_arg a = j->a;
    unsigned csr;

    (void)thread;
    if (nn->o.opt == LM_OPT_MUON && lm_muon_takes(t))
        return;
    csr = lm_kern_enter();
    a.keep = t->flags & LM_T_MATRIX ? (float)(1 - j->lr * j->wd) : 1;
    if (nn->norms)
        memcpy(was, w, n * sizeof *w);
    if (nn->o.opt == LM_OPT_LION)
        k->lion(n, w, m, g, &a);
    else
        k->adamw(n, w, m, nn->var + nn->moff[ti] + at, g, &a);
    lm_opt_after(nn, i, t->off + at, n, was);
    lm_kern_leave(csr);
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
    double sum = 0, mean, norm, scale;
    job j = {.nn = nn, .wd = o->wd, .lr = o->lr};

    if (!nn->o.train)
        return lm_err(LM_EUSAGE, "this trainer was made without gradients");
    if (nn->fresh || !nn->weight)
        return lm_err(LM_EINVALID, "no token of the step has a weight");
    lm_nn_settle(nn);
    lm_net_run(&nn->net, nn->nsq, norm_task, nn);
    for (size_t i = 0; i < nn->nsq; i++)
        sum += nn->sq[i];
    nn->mean = mean = (double)nn->o.tokens / (double)nn->weight;
    nn->norms = o->norms;
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
    lm_net_run(&nn->net, nn->nsq, update_task, &j);
    if (nn->o.opt == LM_OPT_MUON)
        lm_muon_update(nn, o, scale);
    lm_nn_clear(nn);
    lm_net_pack(&nn->net);
    return 0;
}

void lm_nn_clear(lm_nn *nn)
{
    nn->fresh = true;
    nn->apart = false;
    nn->weight = 0;
}

bool lm_nn_keeps(const lm_nn_opt *o, int which, size_t i)
{
    if (which == LM_NN_MASTER || which == LM_NN_GRAD)
        return true;
    return !(o->frozen && o->frozen[i]) && (which != LM_NN_V || o->opt != LM_OPT_LION) &&
           (which != LM_NN_EMA || o->ema > 0);
}

float *lm_nn_array(lm_nn *nn, int which, size_t i)
{
    size_t off = nn->m->t[i].off;

    if (which == LM_NN_GRAD)
        lm_nn_settle(nn);
    if (which == LM_NN_MASTER || which == LM_NN_GRAD)
        return (which == LM_NN_MASTER ? nn->m->w : nn->grad) + off;
    if (!lm_nn_keeps(&nn->o, which, i))
        return NULL;
    return which == LM_NN_EMA ? nn->ema + off
                              : (which == LM_NN_M ? nn->mom : nn->var) + nn->moff[i];
}

void lm_nn_trade_ema(lm_nn *nn)
{
    float *w = nn->m->w;

    nn->m->w = nn->ema;
    nn->ema = w;
}

bool lm_nn_has_ema(const lm_nn *nn)
{
    return nn->ema;
}

void lm_nn_restart_ema(lm_nn *nn)
{
    if (nn->ema)
        memcpy(nn->ema, nn->m->w, nn->m->n * sizeof *nn->ema);
}

lm_nn_norm lm_nn_norms(const lm_nn *nn, size_t i)
{
    lm_nn_norm s = {0, 0, 0};

    for (size_t p = nn->piece0[i]; p < nn->piece0[i + 1]; p++) {
        s.weight += nn->wsq[p];
        s.grad += nn->sq[p];
        s.update += nn->usq[p];
    }
    s.grad *= nn->mean * nn->mean;
    return s;
}

void lm_nn_hist(const lm_nn *nn, uint64_t count[LM_NN_HIST])
{
    memset(count, 0, LM_NN_HIST * sizeof *count);
    for (size_t i = 0; i < nn->m->nt; i++)
        for (size_t j = 0; !lm_nn_frozen(nn, i) && j < nn->m->t[i].n; j++) {
            double x = nn->grad[nn->m->t[i].off + j] * nn->mean;
            uint64_t u, e; /* e: the exponent, 1023 for 1 */

            memcpy(&u, &x, sizeof u);
            e = u >> 52 & 2047;
            count[e < 1023 - 32                      ? 0
                  : e - (1023 - 32) + 1 < LM_NN_HIST ? e - (1023 - 32) + 1
                                                     : LM_NN_HIST - 1]++;
        }
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
