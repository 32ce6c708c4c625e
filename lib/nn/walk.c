/* walk: what the arithmetic of a model needs in memory: packed weights, tables, scratch. */
#include "nn/walk.h"
#include "nn/weights.h"
#include <math.h>

void *lm_take(lm_plan *p, size_t bytes)
{
    size_t at = p->n, n = (bytes + 63) & ~(size_t)63;

    p->n += n;
    p->part[p->at] += n;
    return p->base ? p->base + at : NULL;
}

int lm_net_init(lm_net *n, const lm_model *m, lm_pool *pool, bool train, int sum)
{
    const lm_cfg *c = &m->cfg;

    *n = (lm_net){.m = m,
                  .fam = lm_family_of(c),
                  .pool = pool,
                  .train = train,
                  .fmt = c->dt == LM_BF16 ? LM_FMT_BF16 : LM_FMT_F32,
                  .d = c->dim,
                  .hd = c->head_dim,
                  .heads = c->heads,
                  .kvh = c->kv_heads,
                  .nq = c->heads * c->head_dim,
                  .nkv = c->kv_heads * c->head_dim,
                  .f = c->ffn,
                  .fi = c->ffn * (lm_family_of(c)->act == LM_ACT_SWIGLU ? 2 : 1),
                  .vocab = c->vocab,
                  .layers = c->layers,
                  .eps = (float)c->eps,
                  .scale = (float)(c->att_scale > 0 ? c->att_scale : 1 / sqrt((double)c->head_dim)),
                  .cap = (float)c->softcap,
                  .clip = (float)c->clip};
    n->nqkv = n->nq + 2 * n->nkv;
    n->mul = sum == LM_SUM_TILE ? LM_FMT_BF16T : n->fmt;
    if (n->mul == LM_FMT_BF16T && n->fmt != LM_FMT_BF16)
        return lm_err(LM_EUSAGE, "sums in tile order are of bf16 products, but the model is f32");
    if (!(n->k = lm_kern_get()))
        return lm_last_error()->err;
    return 0;
}

void lm_net_plan(lm_net *n, lm_plan *p, uint32_t ctx)
{
    size_t (*bs)(int, size_t, size_t) = n->k->bsize;
    const lm_cfg *c = &n->m->cfg;
    const lm_tensor *qn = lm_model_layer(n->m, 0, LM_W_QN), *kn = lm_model_layer(n->m, 0, LM_W_KN);
    int f = n->mul;

    n->ctx = ctx;
    n->cs = n->fam->rotary ? lm_take(p, (size_t)ctx * n->hd * 4) : NULL;
    n->slope = c->alibi > 0 ? lm_take(p, n->heads * 4) : NULL;
    p->at = LM_PART_FORWARD;
    n->norm = lm_take(p, n->d * 4);
    n->normb = n->fam->norm_bias ? lm_take(p, n->d * 4) : NULL;
    n->l = lm_take(p, n->layers * sizeof *n->l);
    for (uint32_t i = 0; i < n->layers; i++) {
        lm_wl w = {0};

        w.norm1 = lm_take(p, n->d * 4);
        w.norm2 = lm_take(p, n->d * 4);
        w.qnorm = qn ? lm_take(p, qn->n * 4) : NULL;
        w.knorm = kn ? lm_take(p, kn->n * 4) : NULL;
        w.norm1b = n->fam->norm_bias ? lm_take(p, n->d * 4) : NULL;
        w.norm2b = n->fam->norm_bias ? lm_take(p, n->d * 4) : NULL;
        w.qkvb = c->qkv_bias ? lm_take(p, n->nqkv * 4) : NULL;
        w.ob = c->o_bias ? lm_take(p, n->d * 4) : NULL;
        w.gub = c->mlp_bias ? lm_take(p, n->fi * 4) : NULL;
        w.downb = c->mlp_bias ? lm_take(p, n->d * 4) : NULL;
        w.qkv = lm_take(p, bs(f, n->d, n->nqkv));
        w.o = lm_take(p, bs(f, n->nq, n->d));
        w.gu = lm_take(p, bs(f, n->d, n->fi));
        w.down = lm_take(p, bs(f, n->f, n->d));
        if (n->train) {
            p->at = LM_PART_BACK;
            w.bqkv = lm_take(p, bs(f, n->nqkv, n->d));
            w.bo = lm_take(p, bs(f, n->d, n->nq));
            w.bgu = lm_take(p, bs(f, n->fi, n->d));
            w.bdown = lm_take(p, bs(f, n->d, n->f));
            p->at = LM_PART_FORWARD;
        }
        if (p->base)
            n->l[i] = w;
    }
    n->head = lm_take(p, bs(f, n->d, n->vocab));
    p->at = LM_PART_BACK;
    if (n->train)
        n->bhead = lm_take(p, bs(f, n->vocab, n->d));
    p->at = LM_PART_WORK;
}

/* Angles as transformers computes them: f32 inverse frequency times f32 position; sine and cosine
 * in f64, rounded. */
static void rotary(lm_net *n)
{
    const lm_cfg *c = &n->m->cfg;
    size_t h = n->hd / 2;

    for (size_t j = 0; j < h; j++) {
        float e = (float)(2 * j) / (float)n->hd, inv = 1.0f / (float)pow(c->theta, e);

        if (c->rope == LM_ROPE_LINEAR)
            inv = (float)(inv / c->rope_factor);
        if (c->rope == LM_ROPE_LLAMA3) {
            double wave = 6.28318530717958647693 / inv, lo = c->rope_old / c->rope_low,
                   hi = c->rope_old / c->rope_high;
            double mix = (c->rope_old / wave - c->rope_low) / (c->rope_high - c->rope_low);

            if (wave > lo)
                inv = (float)(inv / c->rope_factor);
            else if (wave >= hi)
                inv = (float)((1 - mix) * inv / c->rope_factor + mix * inv);
        }
        for (uint32_t p = 0; p < n->ctx; p++) {
            double s, k;

            lm_sincos((double)((float)p * inv), &s, &k);
            n->cs[p * n->hd + j] = (float)k;
            n->cs[p * n->hd + h + j] = (float)s;
        }
    }
}

/* Slopes of ALiBi (Press et al. 2022) by the rule of mpt in transformers: 2^(-max i / n), i = 1 ..
   n, n the power of two from the number of heads up; if it is above, every second first. */
static void slopes(lm_net *n)
{
    uint32_t all = 1, half;

    while (all < n->heads)
        all *= 2;
    half = all / 2;
    for (uint32_t h = 0; h < n->heads; h++) {
        uint32_t i = all == n->heads ? h + 1 : h < half ? 2 * h + 2 : 2 * (h - half) + 1;
        float e = (float)i * (float)(n->m->cfg.alibi / all);

        n->slope[h] = 1 / (float)exp2((double)e);
    }
}

/* One matrix to pack: `outs` rows of `ins`; PARTS tasks each way. */
enum { PARTS = 4, MATS = 7 };
typedef struct {
    const lm_tensor *t;
    size_t outs, ins, row, rows;
    void *fwd, *bwd;
} mat;

static mat matrix(const lm_net *n, size_t i)
{
    uint32_t l = (uint32_t)(i / MATS), w = (uint32_t)(i % MATS);
    const lm_wl *p = &n->l[l];
    size_t d = n->d, nq = n->nq, nkv = n->nkv, f = n->f, fi = n->fi;

    switch (l == n->layers ? MATS : w) {
    case 0:
        return (mat){lm_model_layer(n->m, l, LM_W_Q), nq, d, 0, n->nqkv, p->qkv, p->bqkv};
    case 1:
        return (mat){lm_model_layer(n->m, l, LM_W_K), nkv, d, nq, n->nqkv, p->qkv, p->bqkv};
    case 2:
        return (mat){lm_model_layer(n->m, l, LM_W_V), nkv, d, nq + nkv, n->nqkv, p->qkv, p->bqkv};
    case 3:
        return (mat){lm_model_layer(n->m, l, LM_W_O), d, nq, 0, d, p->o, p->bo};
    case 4:
        return (mat){lm_model_layer(n->m, l, LM_W_GATE), f, d, 0, fi, p->gu, p->bgu};
    case 5:
        return (mat){lm_model_layer(n->m, l, LM_W_UP), f, d, fi - f, fi, p->gu, p->bgu};
    case 6:
        return (mat){lm_model_layer(n->m, l, LM_W_DOWN), d, f, 0, d, p->down, p->bdown};
    default:
        return (mat){lm_model_end(n->m, LM_W_HEAD), n->vocab, d, 0, n->vocab, n->head, n->bhead};
    }
}

/* Part `part` of n things in units of the panel width. */
static size_t cut(size_t n, size_t part)
{
    size_t units = (n + LM_N_UNIT - 1) / LM_N_UNIT, at = units * part / PARTS * LM_N_UNIT;

    return at < n ? at : n;
}

static void pack_task(void *ctx, size_t i, unsigned thread)
{
    const lm_net *n = ctx;
    size_t part = i % PARTS, way = i / PARTS % 2, a, b;
    mat w = matrix(n, i / PARTS / 2);
    bool mapped = !n->m->w;
    size_t es, ld;
    const char *src;

    (void)thread;
    if (!w.t || (way && !n->train)) /* not every family has gates */
        return;
    es = mapped ? lm_dtype_size(w.t->dt) : 4;
    ld = mapped ? w.t->ld : w.ins;
    src = mapped ? w.t->src : (const void *)(n->m->w + w.t->off);
    /* fwd: outputs are the n of the operand; bwd: inputs are, and rows of stacked matrices go on in
     * depth */
    a = cut(way ? w.ins : w.outs, part);
    b = cut(way ? w.ins : w.outs, part + 1);
    if (a == b)
        return;
    if (way && w.row) /* the first of a stack packs all: an odd depth must not split a pair */
        return;
    if (way)
        n->k->packb(&(lm_pack){.fmt = n->mul,
                               .dt = LM_SRC_F32,
                               .kmajor = true,
                               .kt = w.rows,
                               .src = src + a * 4,
                               .ld = w.ins,
                               .k0 = 0,
                               .kn = w.rows,
                               .n0 = a,
                               .nn = b - a,
                               .dst = w.bwd});
    else
        n->k->packb(&(lm_pack){.fmt = n->mul,
                               .dt = mapped ? w.t->dt : LM_SRC_F32,
                               .kmajor = mapped && w.t->kmajor,
                               .kt = w.ins,
                               .src = src + (mapped && w.t->kmajor ? a : a * ld) * es,
                               .ld = ld,
                               .k0 = 0,
                               .kn = w.ins,
                               .n0 = w.row + a,
                               .nn = b - a,
                               .dst = w.fwd});
}

/* A norm or bias as the arithmetic sees it. */
static void norm_copy(const lm_net *n, const lm_tensor *t, float *to)
{
    if (!t)
        return;
    lm_model_f32(n->m, t, 0, t->n, to);
    if (n->fmt == LM_FMT_BF16)
        lm_round_bf16(t->n, to);
}

void lm_net_pack(lm_net *n)
{
    for (uint32_t l = 0; l < n->layers; l++) {
        const lm_wl *w = &n->l[l];

        norm_copy(n, lm_model_layer(n->m, l, LM_W_NORM1), w->norm1);
        norm_copy(n, lm_model_layer(n->m, l, LM_W_NORM2), w->norm2);
        norm_copy(n, lm_model_layer(n->m, l, LM_W_QN), w->qnorm);
        norm_copy(n, lm_model_layer(n->m, l, LM_W_KN), w->knorm);
        norm_copy(n, lm_model_layer(n->m, l, LM_W_BNORM1), w->norm1b);
        norm_copy(n, lm_model_layer(n->m, l, LM_W_BNORM2), w->norm2b);
        norm_copy(n, lm_model_layer(n->m, l, LM_W_BQ), w->qkvb);
        norm_copy(n, lm_model_layer(n->m, l, LM_W_BK), w->qkvb + n->nq);
        norm_copy(n, lm_model_layer(n->m, l, LM_W_BV), w->qkvb + n->nq + n->nkv);
        norm_copy(n, lm_model_layer(n->m, l, LM_W_BO), w->ob);
        norm_copy(n, lm_model_layer(n->m, l, LM_W_BGATE), w->gub);
        norm_copy(n, lm_model_layer(n->m, l, LM_W_BUP), w->gub + n->fi - n->f);
        norm_copy(n, lm_model_layer(n->m, l, LM_W_BDOWN), w->downb);
    }
    norm_copy(n, lm_model_end(n->m, LM_W_FINAL), n->norm);
    norm_copy(n, lm_model_end(n->m, LM_W_BFINAL), n->normb);
    lm_net_run(n, ((size_t)n->layers * MATS + 1) * 2 * PARTS, pack_task, n);
}

void lm_net_fill(lm_net *n)
{
    if (n->cs)
        rotary(n);
    if (n->slope)
        slopes(n);
    lm_net_pack(n);
}

void lm_net_embed(const lm_net *n, uint32_t id, uint32_t pos, float *x)
{
    const lm_tensor *wpe = lm_model_end(n->m, LM_W_POS);
    float part[256];

    lm_model_f32(n->m, &n->m->t[0], (size_t)id * n->d, n->d, x);
    if (n->fmt == LM_FMT_BF16)
        lm_round_bf16(n->d, x);
    for (size_t j = 0, c; wpe && j < n->d; j += c) {
        c = n->d - j < LM_COUNT(part) ? n->d - j : LM_COUNT(part);
        lm_model_f32(n->m, wpe, (size_t)pos * n->d + j, c, part);
        if (n->fmt == LM_FMT_BF16)
            lm_round_bf16(c, part);
        n->k->add(c, x + j, part, x + j);
    }
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

void lm_scr_plan(const lm_net *n, lm_plan *p, lm_scr *s, size_t seq, bool train)
{
    const lm_kern *k = n->k;
    size_t kmax = most(most(n->d, n->nq), most(most(n->fi, n->f), n->nqkv)), att;

    if (train)
        kmax = most(kmax, n->vocab);
    att = k->attn_bytes(k, n->fmt, n->hd, train ? seq : 0) + k->bsize(n->fmt, n->hd, seq) +
          k->bsize(n->fmt, seq, n->hd) + 256;
    s->a = lm_take(p, LM_BLOCK * (most(n->d, n->nq) + (size_t)0) * 4);
    s->b = lm_take(p, LM_BLOCK * (size_t)n->d * 4);
    s->c = lm_take(p, LM_BLOCK * (size_t)n->f * 4);
    s->g = lm_take(p, LM_BLOCK * (train ? most(n->fi, n->vocab) : (size_t)n->fi) * 4);
    s->pa = lm_take(p, k->asize(n->mul, false, kmax, LM_BLOCK));
    s->att = lm_take(p, att);
}

void lm_net_run(const lm_net *net, size_t n, void (*f)(void *ctx, size_t i, unsigned thread),
                void *ctx)
{
    if (net->pool)
        lm_pool_run(net->pool, n, f, ctx);
    else
        for (size_t i = 0; i < n; i++)
            f(ctx, i, 0);
}
