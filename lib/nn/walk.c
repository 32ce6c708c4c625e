/* walk: packed weights and the forward pass over a block of rows. */
#include "nn/walk.h"
#include "nn/weights.h"
#include <math.h>

void *lm_take(lm_plan *p, size_t bytes)
{
    size_t at = p->n;

    p->n += (bytes + 63) & ~(size_t)63;
    return p->base ? p->base + at : NULL;
}

int lm_net_init(lm_net *n, const lm_model *m, lm_pool *pool, bool train)
{
    const lm_cfg *c = &m->cfg;

    *n = (lm_net){.m = m,
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
                  .vocab = c->vocab,
                  .layers = c->layers,
                  .eps = (float)c->eps,
                  .scale = (float)(1 / sqrt((double)c->head_dim))};
    n->nqkv = n->nq + 2 * n->nkv;
    if (!(n->k = lm_kern_get()))
        return lm_last_error()->err;
    return train && !m->w ? lm_err(LM_EUSAGE, "the model was loaded read-only") : 0;
}

const lm_tensor *lm_net_t(const lm_net *n, uint32_t layer, int which)
{
    bool norms = n->m->cfg.family == LM_FAM_QWEN3;
    size_t at = 1 + (size_t)layer * (norms ? 11 : 9) + (size_t)which;

    if (!norms && which >= LM_W_QN)
        at -= 2;
    return norms || (which != LM_W_QN && which != LM_W_KN) ? &n->m->t[at] : NULL;
}

const lm_tensor *lm_net_tail(const lm_net *n, bool head)
{
    const lm_model *m = n->m;

    return !head ? &m->t[m->nt - (m->cfg.tie ? 1 : 2)] : m->cfg.tie ? &m->t[0] : &m->t[m->nt - 1];
}

void lm_net_plan(lm_net *n, lm_plan *p, uint32_t ctx)
{
    size_t (*bs)(int, size_t, size_t) = n->k->bsize;
    bool qn = n->m->cfg.family == LM_FAM_QWEN3;
    int f = n->fmt;

    n->ctx = ctx;
    n->cs = lm_take(p, (size_t)ctx * n->hd * 4);
    n->norm = lm_take(p, n->d * 4);
    n->l = lm_take(p, n->layers * sizeof *n->l);
    for (uint32_t i = 0; i < n->layers; i++) {
        lm_wl w = {0};

        w.norm1 = lm_take(p, n->d * 4);
        w.norm2 = lm_take(p, n->d * 4);
        w.qnorm = qn ? lm_take(p, n->hd * 4) : NULL;
        w.knorm = qn ? lm_take(p, n->hd * 4) : NULL;
        w.qkv = lm_take(p, bs(f, n->d, n->nqkv));
        w.o = lm_take(p, bs(f, n->nq, n->d));
        w.gu = lm_take(p, bs(f, n->d, 2 * (size_t)n->f));
        w.down = lm_take(p, bs(f, n->f, n->d));
        if (n->train) {
            w.bqkv = lm_take(p, bs(f, n->nqkv, n->d));
            w.bo = lm_take(p, bs(f, n->d, n->nq));
            w.bgu = lm_take(p, bs(f, 2 * (size_t)n->f, n->d));
            w.bdown = lm_take(p, bs(f, n->d, n->f));
        }
        if (p->base)
            n->l[i] = w;
    }
    n->head = lm_take(p, bs(f, n->d, n->vocab));
    if (n->train)
        n->bhead = lm_take(p, bs(f, n->vocab, n->d));
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
    size_t d = n->d, nq = n->nq, nkv = n->nkv, f = n->f;

    switch (l == n->layers ? MATS : w) {
    case 0:
        return (mat){lm_net_t(n, l, LM_W_Q), nq, d, 0, n->nqkv, p->qkv, p->bqkv};
    case 1:
        return (mat){lm_net_t(n, l, LM_W_K), nkv, d, nq, n->nqkv, p->qkv, p->bqkv};
    case 2:
        return (mat){lm_net_t(n, l, LM_W_V), nkv, d, nq + nkv, n->nqkv, p->qkv, p->bqkv};
    case 3:
        return (mat){lm_net_t(n, l, LM_W_O), d, nq, 0, d, p->o, p->bo};
    case 4:
        return (mat){lm_net_t(n, l, LM_W_GATE), f, d, 0, 2 * f, p->gu, p->bgu};
    case 5:
        return (mat){lm_net_t(n, l, LM_W_UP), f, d, f, 2 * f, p->gu, p->bgu};
    case 6:
        return (mat){lm_net_t(n, l, LM_W_DOWN), d, f, 0, d, p->down, p->bdown};
    default:
        return (mat){lm_net_tail(n, true), n->vocab, d, 0, n->vocab, n->head, n->bhead};
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
    size_t es = mapped ? lm_dtype_size(w.t->dt) : 4;
    const char *src = mapped ? w.t->src : (const void *)(n->m->w + w.t->off);

    (void)thread;
    if (way && !n->train)
        return;
    /* fwd: outputs are the n of the operand; bwd: inputs are, and rows of stacked matrices go on in
     * depth */
    a = cut(way ? w.ins : w.outs, part);
    b = cut(way ? w.ins : w.outs, part + 1);
    if (a == b)
        return;
    if (way && w.row) /* the first of a stack packs all: an odd depth must not split a pair */
        return;
    if (way)
        n->k->packb(&(lm_pack){.fmt = n->fmt,
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
        n->k->packb(&(lm_pack){.fmt = n->fmt,
                               .dt = mapped ? w.t->dt : LM_SRC_F32,
                               .kmajor = false,
                               .kt = w.ins,
                               .src = src + a * w.ins * es,
                               .ld = w.ins,
                               .k0 = 0,
                               .kn = w.ins,
                               .n0 = w.row + a,
                               .nn = b - a,
                               .dst = w.fwd});
}

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
        norm_copy(n, lm_net_t(n, l, LM_W_NORM1), n->l[l].norm1);
        norm_copy(n, lm_net_t(n, l, LM_W_NORM2), n->l[l].norm2);
        norm_copy(n, lm_net_t(n, l, LM_W_QN), n->l[l].qnorm);
        norm_copy(n, lm_net_t(n, l, LM_W_KN), n->l[l].knorm);
    }
    norm_copy(n, lm_net_tail(n, false), n->norm);
    lm_net_run(n, ((size_t)n->layers * MATS + 1) * 2 * PARTS, pack_task, n);
}

void lm_net_fill(lm_net *n)
{
    rotary(n);
    lm_net_pack(n);
}

void lm_net_embed(const lm_net *n, uint32_t id, float *x)
{
    lm_model_f32(n->m, &n->m->t[0], (size_t)id * n->d, n->d, x);
    if (n->fmt == LM_FMT_BF16)
        lm_round_bf16(n->d, x);
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

void lm_scr_plan(const lm_net *n, lm_plan *p, lm_scr *s, size_t seq, bool train)
{
    const lm_kern *k = n->k;
    size_t kmax = most(most(n->d, n->nq), most(2 * (size_t)n->f, n->nqkv)), att;

    if (train)
        kmax = most(kmax, n->vocab);
    att = k->attn_bytes(k, n->fmt, n->hd, train ? seq : 0) + k->bsize(n->fmt, n->hd, seq) +
          k->bsize(n->fmt, seq, n->hd) + 256;
    s->a = lm_take(p, LM_BLOCK * (most(n->d, n->nq) + (size_t)0) * 4);
    s->b = lm_take(p, LM_BLOCK * (size_t)n->d * 4);
    s->c = lm_take(p, LM_BLOCK * (size_t)n->f * 4);
    s->g = lm_take(p, LM_BLOCK * (train ? most(2 * (size_t)n->f, n->vocab) : 2 * (size_t)n->f) * 4);
    s->pa = lm_take(p, k->asize(n->fmt, false, kmax, LM_BLOCK));
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

void lm_rows_mul(const lm_net *net, size_t n, size_t kt, const float *x, size_t ldx, const void *w,
                 size_t outs, float *y, size_t ldy, void *pa)
{
    net->k->packa(
        &(lm_pack){.fmt = net->fmt, .kt = kt, .src = x, .ld = ldx, .kn = kt, .nn = n, .dst = pa});
    net->k->gemm(&(lm_gemm){.fmt = net->fmt,
                            .a = pa,
                            .akt = kt,
                            .m = n,
                            .b = w,
                            .bkt = kt,
                            .n = outs,
                            .k = kt,
                            .c = y,
                            .ldc = ldy});
}

void lm_rows_in(const lm_net *net, uint32_t layer, size_t n, const float *x, const uint32_t *pos,
                float *raw, float *rot, float *rstd, float *rstdq, float *rstdk, const lm_scr *s)
{
    const lm_kern *k = net->k;
    const lm_wl *w = &net->l[layer];
    size_t ldr = net->nq + net->nkv;

    k->rms(n, net->d, x, net->d, w->norm1, net->eps, s->b, net->d, rstd);
    lm_rows_mul(net, n, net->d, s->b, net->d, w->qkv, net->nqkv, raw, net->nqkv, s->pa);
    k->rope(n, net->heads, net->hd, raw, net->nqkv, w->qnorm, net->eps, net->cs, pos, rot, ldr,
            rstdq);
    k->rope(n, net->kvh, net->hd, raw + net->nq, net->nqkv, w->knorm, net->eps, net->cs, pos,
            rot + net->nq, ldr, rstdk);
}

void lm_rows_out(const lm_net *net, uint32_t layer, size_t n, const float *x, const float *o,
                 float *x1, float *rstd, float *gu, float *y, const lm_scr *s)
{
    const lm_kern *k = net->k;
    const lm_wl *w = &net->l[layer];

    lm_rows_mul(net, n, net->nq, o, net->nq, w->o, net->d, s->b, net->d, s->pa);
    k->add(n * net->d, x, s->b, x1);
    k->rms(n, net->d, x1, net->d, w->norm2, net->eps, s->b, net->d, rstd);
    lm_rows_mul(net, n, net->d, s->b, net->d, w->gu, 2 * (size_t)net->f, gu, 2 * (size_t)net->f,
                s->pa);
    k->swiglu(n, net->f, gu, s->c);
    lm_rows_mul(net, n, net->f, s->c, net->f, w->down, net->d, s->b, net->d, s->pa);
    k->add(n * net->d, x1, s->b, y);
}
