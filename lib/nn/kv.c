/* kv: forward with a cache. Keys and values lie in the cache as right operands of the attention's
   products, so appending is packing, and a decoded token meets the same tiles in the same order as
   a prefilled one. */
#include "nn/kv.h"
#include "nn/walk.h"

struct lm_kv {
    lm_net net;
    uint32_t seqs, ctx, batch, room; /* room: ctx rounded up to whole tiles */
    size_t ks, vs, slot; /* bytes of one head's keys, values; of a sequence's whole cache */
    void *base;
    size_t bytes;
    char *cache;                        /* [seqs][layers][kvh] keys, then values */
    uint32_t *len;                      /* [seqs] */
    float *x, *raw, *rot, *o, *x1, *hn; /* [batch, ..] */
    uint32_t *pos, *want; /* [batch] position of a row; rows whose logits are wanted */
    uint32_t *slide; /* [batch] first position a row sees in a layer with a window; NULL: none */
    lm_scr *scr;
    const lm_kv_item *it; /* of the call under way */
    size_t n, rows, block, wants, split;
    uint32_t *first; /* [seqs] first row of an item */
    uint32_t *ids;   /* [batch] */
    uint32_t layer;
    float *logits;
};

static void plan(lm_kv *kv, lm_plan *p)
{
    lm_net *n = &kv->net;
    const lm_kern *k = n->k;
    unsigned threads = n->pool ? lm_pool_size(n->pool) : 1;
    size_t b = kv->batch;
    lm_scr s;

    lm_net_plan(n, p, kv->ctx);
    kv->room = (kv->ctx + LM_ATT - 1) / LM_ATT * LM_ATT;
    kv->ks = (k->bsize(n->fmt, n->hd, kv->room) + 63) & ~(size_t)63;
    kv->vs = (k->bsize(n->fmt, kv->room, n->hd) + 63) & ~(size_t)63;
    kv->slot = (kv->ks + kv->vs) * n->kvh * n->layers;
    kv->cache = lm_take(p, kv->slot * kv->seqs);
    kv->len = lm_take(p, kv->seqs * 4);
    kv->first = lm_take(p, kv->seqs * 4);
    kv->x = lm_take(p, b * n->d * 4);
    kv->raw = lm_take(p, b * n->nqkv * 4);
    kv->rot = lm_take(p, b * (n->nq + n->nkv) * 4);
    kv->o = lm_take(p, b * n->nq * 4);
    kv->x1 = lm_take(p, b * n->d * 4);
    kv->hn = lm_take(p, b * n->d * 4);
    kv->pos = lm_take(p, b * 4);
    kv->slide = n->m->cfg.window ? lm_take(p, b * 4) : NULL;
    kv->want = lm_take(p, b * 4);
    kv->ids = lm_take(p, b * 4);
    kv->scr = lm_take(p, threads * sizeof *kv->scr);
    for (unsigned i = 0; i < threads; i++) {
        lm_scr_plan(n, p, &s, 1, false);
        if (p->base)
            kv->scr[i] = s;
    }
}

static int check_sizes(const lm_model *m, uint32_t seqs, uint32_t ctx, uint32_t batch)
{
    if (!seqs || !ctx || !batch || seqs > 1 << 16 || batch > 1 << 20)
        return lm_err(LM_EINVALID, "a cache of %u sequences of %u tokens, %u a call", seqs, ctx,
                      batch);
    return ctx > m->cfg.ctx ? lm_err(LM_EINVALID, "a context of %u tokens, but %s is %u", ctx,
                                     lm_cfg_ctx_key(&m->cfg), m->cfg.ctx)
                            : 0;
}

uint64_t lm_kv_bytes(const lm_model *m, uint32_t seqs, uint32_t ctx, uint32_t batch)
{
    lm_kv kv = {.seqs = seqs, .ctx = ctx, .batch = batch};
    lm_plan p = {0};

    if (lm_net_init(&kv.net, m, NULL, false, LM_SUM_CHAIN) < 0)
        return 0;
    plan(&kv, &p);
    return p.n;
}

int lm_kv_new(lm_kv **out, const lm_model *m, uint32_t seqs, uint32_t ctx, uint32_t batch,
              lm_pool *pool)
{
    lm_kv *kv = lm_zalloc(1, sizeof *kv);
    lm_plan p = {0};
    int err = lm_net_init(&kv->net, m, pool, false, LM_SUM_CHAIN);

    *out = NULL;
    if (!err)
        err = check_sizes(m, seqs, ctx, batch);
    if (err < 0) {
        free(kv);
        return err;
    }
    kv->seqs = seqs;
    kv->ctx = ctx;
    kv->batch = batch;
    plan(kv, &p);
    kv->bytes = p.n;
    p = (lm_plan){.base = kv->base = lm_alloc_huge(kv->bytes)};
    plan(kv, &p);
    lm_net_fill(&kv->net);
    *out = kv;
    return 0;
}

void lm_kv_free(lm_kv *kv)
{
    if (!kv)
        return;
    lm_free_huge(kv->base, kv->bytes);
    free(kv);
}

uint32_t lm_kv_len(const lm_kv *kv, uint32_t seq)
{
    return kv->len[seq];
}

void lm_kv_trim(lm_kv *kv, uint32_t seq, uint32_t len)
{
    if (len < kv->len[seq])
        kv->len[seq] = len;
}

void lm_kv_copy(lm_kv *kv, uint32_t to, uint32_t from)
{
    if (to == from)
        return;
    memcpy(kv->cache + to * kv->slot, kv->cache + from * kv->slot, kv->slot);
    kv->len[to] = kv->len[from];
}

static void in_rows(lm_kv *kv, uint32_t l, size_t at, size_t rows, unsigned thread)
{
    const lm_net *n = &kv->net;

    lm_rows_in(n, l, rows, kv->x + at * n->d, kv->pos + at, kv->raw + at * n->nqkv,
               kv->rot + at * (n->nq + n->nkv), NULL, NULL, NULL, &kv->scr[thread]);
}

static void first_task(void *ctx, size_t i, unsigned thread)
{
    lm_kv *kv = ctx;
    size_t at = i * kv->block, rows = kv->rows - at < kv->block ? kv->rows - at : kv->block;
    unsigned csr = lm_kern_enter();

    for (size_t r = at; r < at + rows; r++)
        lm_net_embed(&kv->net, kv->ids[r], kv->pos[r], kv->x + r * kv->net.d);
    in_rows(kv, 0, at, rows, thread);
    lm_kern_leave(csr);
}

static void out_task(void *ctx, size_t i, unsigned thread)
{
    lm_kv *kv = ctx;
    const lm_net *n = &kv->net;
    size_t at = i * kv->block, rows = kv->rows - at < kv->block ? kv->rows - at : kv->block;
    float *x = kv->x + at * n->d;
    unsigned csr = lm_kern_enter();

    lm_rows_out(n, kv->layer, rows, x, kv->o + at * n->nq, kv->x1 + at * n->d, NULL,
                kv->scr[thread].g, x, &kv->scr[thread]);
    if (kv->layer + 1 < n->layers)
        in_rows(kv, kv->layer + 1, at, rows, thread);
    lm_kern_leave(csr);
}

/* One key head of one item: append its keys and values, then attend. */
static void att_task(void *ctx, size_t i, unsigned thread)
{
    lm_kv *kv = ctx;
    const lm_net *n = &kv->net;
    const lm_kern *k = n->k;
    size_t item = i / n->kvh, h = i % n->kvh, g = n->heads / n->kvh, ldr = n->nq + n->nkv,
           hd = n->hd;
    const lm_kv_item *it = &kv->it[item];
    size_t at = kv->first[item], p0 = kv->pos[at];
    char *kp = kv->cache + it->seq * kv->slot + (kv->layer * n->kvh + h) * (kv->ks + kv->vs),
         *vp = kp + kv->ks;
    const float *q = kv->rot + at * ldr + h * g * hd;
    float *o = kv->o + at * n->nq + h * g * hd;
    uint32_t end[1024], start[1024];
    const uint32_t *slide = kv->slide && kv->layer >= n->m->cfg.window_from ? kv->slide + at : NULL;
    unsigned csr = lm_kern_enter();
    lm_attn a = {.fmt = n->fmt,
                 .hd = hd,
                 .keys = kv->room,
                 .kp = kp,
                 .vp = vp,
                 .scale = n->scale,
                 .cap = n->cap,
                 .scratch = kv->scr[thread].att};

    k->packb(&(lm_pack){.fmt = n->fmt,
                        .kt = hd,
                        .src = kv->rot + at * ldr + n->nq + h * hd,
                        .ld = ldr,
                        .kn = hd,
                        .n0 = p0,
                        .nn = it->n,
                        .dst = kp});
    k->packb(&(lm_pack){.fmt = n->fmt,
                        .kmajor = true,
                        .kt = kv->room,
                        .src = kv->raw + at * n->nqkv + n->nq + n->nkv + h * hd,
                        .ld = n->nqkv,
                        .k0 = p0,
                        .kn = it->n,
                        .nn = hd,
                        .dst = vp});
    if (it->n == 1 && !n->slope) { /* the heads that share the keys are the rows */
        for (size_t j = 0; j < g; j++)
            end[j] = (uint32_t)p0, start[j] = slide ? slide[0] : 0;
        a.start = start;
        a.nq = g, a.q = q, a.ldq = hd, a.o = o, a.ldo = hd, a.end = end;
        k->attn(k, &a);
    } else {
        a.start = slide;
        for (size_t j = 0; j < g; j++) {
            a.nq = it->n, a.q0 = p0, a.q = q + j * hd, a.ldq = ldr, a.o = o + j * hd, a.ldo = n->nq;
            a.slope = n->slope ? n->slope[h * g + j] : 0;
            k->attn(k, &a);
        }
    }
    lm_kern_leave(csr);
}

/* Logits of a block of wanted rows for a range of the vocabulary. */
static void head_task(void *ctx, size_t i, unsigned thread)
{
    lm_kv *kv = ctx;
    const lm_net *n = &kv->net;
    const lm_kern *k = n->k;
    size_t at = i / kv->split * LM_BLOCK,
           rows = kv->wants - at < LM_BLOCK ? kv->wants - at : LM_BLOCK, d = n->d;
    size_t units = (n->vocab + LM_N_UNIT - 1) / LM_N_UNIT, part = i % kv->split;
    size_t a = units * part / kv->split * LM_N_UNIT, b = units * (part + 1) / kv->split * LM_N_UNIT;
    float *hn = kv->scr[thread].a;
    unsigned csr = lm_kern_enter();

    b = b < n->vocab ? b : n->vocab;
    for (size_t r = 0; r < rows; r++)
        lm_rows_norm(n, 1, kv->x + kv->want[at + r] * (size_t)d, n->norm, n->normb, hn + r * d,
                     NULL);
    k->packa(&(lm_pack){.fmt = n->mul,
                        .kt = d,
                        .src = hn,
                        .ld = d,
                        .kn = d,
                        .nn = rows,
                        .dst = kv->scr[thread].pa});
    k->gemm(&(lm_gemm){.fmt = n->mul,
                       .a = kv->scr[thread].pa,
                       .akt = d,
                       .m = rows,
                       .b = n->head,
                       .bkt = d,
                       .n0 = a,
                       .n = b - a,
                       .k = d,
                       .c = kv->logits + at * n->vocab + a,
                       .ldc = n->vocab});
    lm_kern_leave(csr);
}

static int lay_out(lm_kv *kv, const lm_kv_item *it, size_t n)
{
    size_t r = 0;

    kv->wants = 0;
    if (n > kv->seqs)
        return lm_err(LM_EINVALID, "%zu items for %u sequences", n, kv->seqs);
    for (size_t i = 0; i < n; i++) {
        if (it[i].seq >= kv->seqs || !it[i].n || it[i].n > kv->batch - r)
            return lm_err(LM_EINVALID, "item %zu: sequence %u, %u tokens do not fit", i, it[i].seq,
                          it[i].n);
        if (it[i].n > kv->ctx - kv->len[it[i].seq])
            return lm_err(LM_EINVALID, "sequence %u: %u tokens after %u pass the context of %u",
                          it[i].seq, it[i].n, kv->len[it[i].seq], kv->ctx);
        kv->first[i] = (uint32_t)r;
        for (uint32_t j = 0; j < it[i].n; j++, r++) {
            if (it[i].ids[j] >= kv->net.vocab)
                return lm_err(LM_EINVALID, "id %u, but the vocabulary has %u", it[i].ids[j],
                              kv->net.vocab);
            kv->ids[r] = it[i].ids[j];
            kv->pos[r] = kv->len[it[i].seq] + j;
            if (kv->slide)
                kv->slide[r] = kv->pos[r] - lm_net_back(&kv->net, kv->pos[r]);
            if (it[i].want == 2 || (it[i].want && j + 1 == it[i].n))
                kv->want[kv->wants++] = (uint32_t)r;
        }
    }
    kv->rows = r;
    return 0;
}

int lm_kv_step(lm_kv *kv, const lm_kv_item *it, size_t n, float *logits)
{
    const lm_net *net = &kv->net;
    unsigned threads = net->pool ? lm_pool_size(net->pool) : 1;
    int err = lay_out(kv, it, n);
    size_t blocks;

    if (err < 0 || !n)
        return err;
    kv->it = it;
    kv->n = n;
    kv->logits = logits;
    kv->block = (kv->rows + threads - 1) / threads;
    if (kv->block > LM_BLOCK)
        kv->block = LM_BLOCK;
    blocks = (kv->rows + kv->block - 1) / kv->block;
    lm_net_run(net, blocks, first_task, kv);
    for (kv->layer = 0; kv->layer < net->layers; kv->layer++) {
        lm_net_run(net, n * net->kvh, att_task, kv);
        lm_net_run(net, blocks, out_task, kv);
    }
    kv->split = threads;
    if (kv->wants)
        lm_net_run(net, (kv->wants + LM_BLOCK - 1) / LM_BLOCK * kv->split, head_task, kv);
    for (size_t i = 0; i < n; i++)
        kv->len[it[i].seq] += it[i].n;
    return 0;
}
