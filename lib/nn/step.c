/* step: the plan of a micro-batch and its forward pass. */
#include "nn/stepi.h"

static void plan_backward(lm_nn *nn, lm_plan *p)
{
    const lm_net *n = &nn->net;
    const lm_kern *k = n->k;
    const lm_cfg *c = &nn->m->cfg;
    const lm_tensor *qn = lm_model_layer(nn->m, 0, LM_W_QN),
                    *kn = lm_model_layer(nn->m, 0, LM_W_KN);
    size_t t = nn->t, f = n->f, d = n->d;
    int fm = n->mul;

    p->at = LM_PART_GRADS;
    nn->grad = lm_take(p, nn->m->n * 4);
    nn->table = c->tie ? lm_take(p, nn->m->t[0].n * 4) : NULL;
    p->at = LM_PART_WORK;
    lm_opt_plan(nn, p);
    nn->dy = lm_take(p, t * d * 4);
    nn->dx1 = lm_take(p, t * d * 4);
    nn->dout = lm_take(p, t * n->nq * 4);
    nn->drot = lm_take(p, t * (n->nq + n->nkv) * 4);
    nn->dqkv = lm_take(p, t * n->nqkv * 4);
    nn->dyp = lm_take(p, k->asize(fm, true, t, d));
    nn->dx1p = lm_take(p, k->asize(fm, true, t, d));
    nn->dgup = lm_take(p, k->asize(fm, true, t, n->fi));
    nn->dqkvp = lm_take(p, k->asize(fm, true, t, n->nqkv));
    nn->actp = lm_take(p, k->bsize(fm, t, f));
    nn->hn1p = lm_take(p, k->bsize(fm, t, d));
    nn->hn2p = lm_take(p, k->bsize(fm, t, d));
    nn->op = lm_take(p, k->bsize(fm, t, n->nq));
    nn->dlogp = lm_take(p, k->asize(fm, true, nn->chunk, n->vocab));
    nn->hnfp = lm_take(p, k->bsize(fm, nn->chunk, d));
    nn->pn1 = lm_take(p, nn->blocks * d * 4);
    nn->pn2 = lm_take(p, nn->blocks * d * 4);
    nn->pq = qn ? lm_take(p, nn->blocks * qn->n * 4) : NULL;
    nn->pk = kn ? lm_take(p, nn->blocks * kn->n * 4) : NULL;
    nn->pn1b = n->fam->norm_bias ? lm_take(p, nn->blocks * d * 4) : NULL;
    nn->pn2b = n->fam->norm_bias ? lm_take(p, nn->blocks * d * 4) : NULL;
    nn->pqkv = c->qkv_bias ? lm_take(p, nn->blocks * n->nqkv * 4) : NULL;
    nn->po = c->o_bias ? lm_take(p, nn->blocks * d * 4) : NULL;
    nn->pgu = c->mlp_bias ? lm_take(p, nn->blocks * n->fi * 4) : NULL;
    nn->pdown = c->mlp_bias ? lm_take(p, nn->blocks * d * 4) : NULL;
}

static void plan(lm_nn *nn, lm_plan *p)
{
    lm_net *n = &nn->net;
    unsigned threads = n->pool ? lm_pool_size(n->pool) : 1;
    size_t t = nn->t;
    lm_scr s;
    lm_keep_layer kl = {0};

    lm_net_plan(n, p, nn->o.seq);
    nn->keep = lm_take(p, n->layers * sizeof *nn->keep);
    p->at = LM_PART_ACTS;
    for (uint32_t l = 0; l < n->layers; l++) { /* what a layer does not take it shares */
        if (!l || nn->o.train)
            kl.x = lm_take(p, t * n->d * 4);
        if (!l || (nn->o.train && nn->o.recompute < LM_RECOMPUTE_BLOCK)) {
            kl.rstd1 = lm_take(p, t * 4);
            kl.raw = lm_take(p, t * n->nqkv * 4);
            kl.rot = lm_take(p, t * (n->nq + n->nkv) * 4);
            kl.rstdq = lm_take(p, t * n->heads * 4);
            kl.rstdk = lm_take(p, t * n->kvh * 4);
            kl.o = lm_take(p, t * n->nq * 4);
            kl.lse = lm_take(p, t * n->heads * 4);
        }
        if (!l || (nn->o.train && nn->o.recompute < LM_RECOMPUTE_ACT)) {
            kl.x1 = lm_take(p, t * n->d * 4);
            kl.rstd2 = lm_take(p, t * 4);
            kl.gu = lm_take(p, t * n->fi * 4);
        }
        if (p->base)
            nn->keep[l] = kl;
    }
    nn->x = nn->o.train ? lm_take(p, t * n->d * 4) : kl.x;
    p->at = LM_PART_WORK;
    nn->rstdf = lm_take(p, t * 4);
    nn->tok_loss = lm_take(p, t * 4);
    nn->tok_lse = lm_take(p, t * 4);
    nn->gw = lm_take(p, t * 4);
    nn->pos = lm_take(p, t * 4);
    nn->slide = nn->m->cfg.window ? lm_take(p, t * 4) : NULL;
    nn->scr = lm_take(p, threads * sizeof *nn->scr);
    for (unsigned i = 0; i < threads; i++) {
        lm_scr_plan(n, p, &s, nn->o.seq, true);
        if (p->base)
            nn->scr[i] = s;
    }
    if (nn->o.train)
        plan_backward(nn, p);
    if (nn->o.train && nn->o.opt == LM_OPT_MUON)
        lm_muon_plan(nn, p, threads);
}

/* All but the arena. */
static int prepare(lm_nn *nn, lm_model *m, const lm_nn_opt *o, size_t *part)
{
    lm_plan p = {0};
    int err = lm_net_init(&nn->net, m, o->pool, o->train, o->sum);

    if (!err && (!o->rows || !o->seq || (uint64_t)o->rows * o->seq > 1u << 26))
        err = lm_err(LM_EINVALID, "a micro-batch of %u rows of %u tokens", o->rows, o->seq);
    if (!err && o->seq > m->cfg.ctx)
        err = lm_err(LM_EINVALID, "rows of %u tokens, but %s is %u", o->seq,
                     lm_cfg_ctx_key(&m->cfg), m->cfg.ctx);
    if (err < 0)
        return err;
    nn->m = m;
    nn->o = *o;
    if (!o->tokens)
        nn->o.tokens = (uint64_t)o->rows * o->seq;
    nn->t = (size_t)o->rows * o->seq;
    nn->blocks = (nn->t + LM_BLOCK - 1) / LM_BLOCK;
    nn->chunk = (size_t)(4 << 20) / m->cfg.vocab / LM_BLOCK *
                LM_BLOCK; /* about 8 MB of gradients of logits */
    if (nn->chunk < LM_BLOCK)
        nn->chunk = LM_BLOCK;
    if (nn->chunk > nn->blocks * LM_BLOCK)
        nn->chunk = nn->blocks * LM_BLOCK;
    plan(nn, &p);
    nn->bytes = p.n;
    if (part)
        memcpy(part, p.part, sizeof p.part);
    return 0;
}

int lm_nn_need(lm_model *m, const lm_nn_opt *o, size_t *bytes, size_t part[LM_PARTS])
{
    lm_nn *nn = lm_zalloc(1, sizeof *nn);
    int err = prepare(nn, m, o, part);

    *bytes = nn->bytes;
    free(nn);
    return err;
}

int lm_nn_new(lm_nn **out, lm_model *m, const lm_nn_opt *o)
{
    lm_nn *nn = lm_zalloc(1, sizeof *nn);
    lm_plan p = {0};
    int err = prepare(nn, m, o, NULL);

    *out = NULL;
    if (!err && o->train && !m->w)
        err = lm_err(LM_EUSAGE, "the model was loaded read-only");
    if (err < 0) {
        free(nn);
        return err;
    }
    p.base = nn->base = lm_alloc_huge(nn->bytes);
    plan(nn, &p);
    nn->fresh = true;
    lm_nn_restart_ema(nn);
    lm_net_fill(&nn->net);
    *out = nn;
    return 0;
}

void lm_nn_free(lm_nn *nn)
{
    if (!nn)
        return;
    lm_free_huge(nn->base, nn->bytes);
    free(nn);
}

const char *lm_recompute_name(int recompute)
{
    return (const char *const[]){"none", "act", "block"}[recompute];
}

const lm_nn_opt *lm_nn_made(const lm_nn *nn)
{
    return &nn->o;
}

size_t lm_nn_bytes(const lm_nn *nn)
{
    return nn->bytes;
}

bool lm_nn_whole(const lm_nn *nn)
{
    return nn->t % LM_BLOCK == 0;
}

/* First half of a layer over a block; for layer 0 the embedding comes first. */
static void in_block(lm_nn *nn, uint32_t l, size_t i, unsigned thread)
{
    const lm_net *n = &nn->net;
    const lm_keep_layer *k = &nn->keep[l];
    size_t at = i * LM_BLOCK;

    lm_rows_in(n, l, lm_block_n(nn, i), k->x + at * n->d, nn->pos + at, k->raw + at * n->nqkv,
               k->rot + at * (n->nq + n->nkv), k->rstd1 + at, k->rstdq + at * n->heads,
               k->rstdk + at * n->kvh, &nn->scr[thread]);
}

static void first_task(void *ctx, size_t i, unsigned thread)
{
    lm_nn *nn = ctx;
    const lm_net *n = &nn->net;
    unsigned csr = lm_kern_enter();

    for (size_t j = 0, at = i * LM_BLOCK; j < lm_block_n(nn, i); j++)
        lm_net_embed(n, nn->b->in[at + j], nn->pos[at + j], nn->keep[0].x + (at + j) * n->d);
    in_block(nn, 0, i, thread);
    lm_kern_leave(csr);
}

/* Second half of a layer and first half of the next. */
static void out_task(void *ctx, size_t i, unsigned thread)
{
    lm_nn *nn = ctx;
    const lm_net *n = &nn->net;
    uint32_t l = nn->layer;
    const lm_keep_layer *k = &nn->keep[l];
    size_t at = i * LM_BLOCK;
    bool last = l + 1 == n->layers;
    float *y = (last ? nn->x : nn->keep[l + 1].x) + at * n->d;
    unsigned csr = lm_kern_enter();

    lm_rows_out(n, l, lm_block_n(nn, i), k->x + at * n->d, k->o + at * n->nq, k->x1 + at * n->d,
                k->rstd2 + at, k->gu + at * n->fi, y, &nn->scr[thread]);
    if (!last)
        in_block(nn, l + 1, i, thread);
    lm_kern_leave(csr);
}

/* Attention of one key head in one row of the batch. */
static void att_task(void *ctx, size_t i, unsigned thread)
{
    lm_nn *nn = ctx;
    const lm_net *n = &nn->net;
    const lm_kern *k = n->k;
    const lm_keep_layer *kl = &nn->keep[nn->layer];
    size_t seq = nn->o.seq, at = i / n->kvh * seq, h = i % n->kvh, g = n->heads / n->kvh,
           ldr = n->nq + n->nkv;
    char *kp = nn->scr[thread].att, *vp = kp + ((k->bsize(n->fmt, n->hd, seq) + 63) & ~(size_t)63);
    char *rest = vp + ((k->bsize(n->fmt, seq, n->hd) + 63) & ~(size_t)63);
    unsigned csr = lm_kern_enter();

    k->packb(&(lm_pack){.fmt = n->fmt,
                        .kt = n->hd,
                        .src = kl->rot + at * ldr + n->nq + h * n->hd,
                        .ld = ldr,
                        .kn = n->hd,
                        .nn = seq,
                        .dst = kp});
    k->packb(&(lm_pack){.fmt = n->fmt,
                        .kmajor = true,
                        .kt = seq,
                        .src = kl->raw + at * n->nqkv + n->nq + n->nkv + h * n->hd,
                        .ld = n->nqkv,
                        .kn = seq,
                        .nn = n->hd,
                        .dst = vp});
    for (size_t j = h * g; j < (h + 1) * g; j++)
        k->attn(k, &(lm_attn){.fmt = n->fmt,
                              .nq = seq,
                              .hd = n->hd,
                              .keys = seq,
                              .q = kl->rot + at * ldr + j * n->hd,
                              .ldq = ldr,
                              .kp = kp,
                              .vp = vp,
                              .start = lm_nn_start(nn, at),
                              .end = nn->b->end ? nn->b->end + at : NULL,
                              .scale = n->scale,
                              .cap = n->cap,
                              .slope = n->slope ? n->slope[j] : 0,
                              .o = kl->o + at * n->nq + j * n->hd,
                              .ldo = n->nq,
                              .lse = kl->lse + at * n->heads + j,
                              .ldl = n->heads,
                              .scratch = rest});
    lm_kern_leave(csr);
}

static void again_task(void *ctx, size_t i, unsigned thread)
{
    lm_nn *nn = ctx;

    LM_TASK(in_block(nn, nn->layer, i, thread));
}

void lm_nn_redo(lm_nn *nn)
{
    lm_net_run(&nn->net, nn->blocks, again_task, nn);
    lm_net_run(&nn->net, (size_t)nn->o.rows * nn->net.kvh, att_task, nn);
}

/* Head over a block: logits, loss and, when training, the gradients that start the way back. */
static void head_task(void *ctx, size_t j, unsigned thread)
{
    lm_nn *nn = ctx;
    const lm_net *n = &nn->net;
    const lm_kern *k = n->k;
    size_t i = nn->chunk0 / LM_BLOCK + j, at = i * LM_BLOCK, rows = lm_block_n(nn, i), d = n->d,
           v = n->vocab;
    const lm_scr *s = &nn->scr[thread];
    float *lg = nn->logits ? nn->logits + at * v : s->g, *pn = nn->pn1 + i * d,
          *pb = nn->pn1b ? nn->pn1b + i * d : NULL;
    unsigned csr = lm_kern_enter();

    lm_rows_norm(n, rows, nn->x + at * d, n->norm, n->normb, s->b, nn->rstdf + at);
    lm_rows_mul(n, rows, d, s->b, d, n->head, v, lg, v, s->pa);
    for (size_t r = 0; r < rows && !nn->logits; r++)
        nn->tok_loss[at + r] = k->ce(v, lg + r * v, nn->b->target[at + r], nn->gw[at + r],
                                     nn->o.zloss, nn->grads, &nn->tok_lse[at + r]);
    if (nn->grads) {
        k->packa(&(lm_pack){.fmt = n->mul,
                            .kmajor = true,
                            .kt = nn->chunkn,
                            .src = lg,
                            .ld = v,
                            .k0 = at - nn->chunk0,
                            .kn = rows,
                            .nn = v,
                            .dst = nn->dlogp});
        k->packb(&(lm_pack){.fmt = n->mul,
                            .kmajor = true,
                            .kt = nn->chunkn,
                            .src = s->b,
                            .ld = d,
                            .k0 = at - nn->chunk0,
                            .kn = rows,
                            .nn = d,
                            .dst = nn->hnfp});
        lm_rows_mul(n, rows, v, lg, v, n->bhead, d, s->b, d, s->pa);
        memset(pn, 0, d * 4);
        if (pb)
            memset(pb, 0, d * 4);
        lm_rows_norm_bwd(n, rows, nn->x + at * d, n->norm, nn->rstdf + at, s->b, NULL,
                         nn->dy + at * d, pn, pb);
    }
    lm_kern_leave(csr);
}

static int check(const lm_nn *nn, const lm_batch *b, bool targets)
{
    size_t seq = nn->o.seq;

    for (size_t i = 0; i < nn->t; i++) {
        if (b->in[i] >= nn->net.vocab || (targets && b->target[i] >= nn->net.vocab))
            return lm_err(LM_EINVALID, "token %zu: id %u, but the vocabulary has %u", i,
                          b->in[i] >= nn->net.vocab ? b->in[i] : b->target[i], nn->net.vocab);
        if (b->start && (b->start[i] > i % seq || (i % seq && b->start[i] < b->start[i - 1])))
            return lm_err(LM_EINVALID, "token %zu: its document cannot start at %u", i,
                          b->start[i]);
    }
    for (size_t i = 0; b->end && i < nn->t; i++) {
        size_t row = i - i % seq, end = b->end[i];

        if (end < i % seq || end >= seq || (i % seq && end < b->end[i - 1]) ||
            (b->start && b->start[row + end] != b->start[i]))
            return lm_err(LM_EINVALID, "token %zu: the last token it sees cannot be %zu", i, end);
    }
    return 0;
}

static int forward(lm_nn *nn, const lm_batch *b, bool grads, float *logits)
{
    const lm_net *n = &nn->net;
    float per = 1.0f / (float)nn->o.tokens;
    int err = check(nn, b, !logits);

    if (err < 0)
        return err;
    nn->b = b;
    nn->grads = grads;
    nn->logits = logits;
    for (size_t i = 0; i < nn->t; i++) {
        nn->pos[i] = (uint32_t)(i % nn->o.seq) - (b->start ? b->start[i] : 0);
        nn->gw[i] = b->weight ? (float)b->weight[i] * per : per;
        if (nn->slide)
            nn->slide[i] = (uint32_t)(i % nn->o.seq) - lm_net_back(n, nn->pos[i]);
    }
    lm_net_run(n, nn->blocks, first_task, nn);
    for (nn->layer = 0; nn->layer < n->layers; nn->layer++) {
        lm_net_run(n, (size_t)nn->o.rows * n->kvh, att_task, nn);
        lm_net_run(n, nn->blocks, out_task, nn);
    }
    for (nn->chunk0 = 0; nn->chunk0 < nn->t; nn->chunk0 += nn->chunk) {
        nn->chunkn = nn->t - nn->chunk0 < nn->chunk ? nn->t - nn->chunk0 : nn->chunk;
        lm_net_run(n, (nn->chunkn + LM_BLOCK - 1) / LM_BLOCK, head_task, nn);
        if (grads)
            lm_nn_head_backward(nn);
    }
    return 0;
}

static void sums(const lm_nn *nn, const lm_batch *b, lm_loss *out)
{
    for (size_t r = 0; r < nn->o.rows; r++) {
        double loss = 0, z = 0;
        uint64_t weight = 0;

        for (size_t i = r * nn->o.seq; i < (r + 1) * nn->o.seq; i++) {
            uint64_t w = b->weight ? b->weight[i] : 1;
            double s = nn->tok_lse[i];

            if (w) { /* nothing that has no weight may spoil the sum */
                loss += (double)w * nn->tok_loss[i];
                z += (double)w * nn->o.zloss * s * s;
            }
            weight += w;
        }
        out->loss += loss;
        out->z += z;
        out->weight += weight;
        if (out->row_loss)
            out->row_loss[r] = loss;
        if (out->row_weight)
            out->row_weight[r] = weight;
    }
    if (out->tok_loss)
        memcpy(out->tok_loss, nn->tok_loss, nn->t * sizeof *out->tok_loss);
}

int lm_nn_loss(lm_nn *nn, const lm_batch *b, lm_loss *out)
{
    int err = forward(nn, b, false, NULL);

    if (!err)
        sums(nn, b, out);
    return err;
}

int lm_nn_logits(lm_nn *nn, const lm_batch *b, float *logits)
{
    return forward(nn, &(lm_batch){.in = b->in, .start = b->start, .end = b->end}, false, logits);
}

int lm_nn_fwdbwd(lm_nn *nn, const lm_batch *b, lm_loss *out)
{
    uint64_t before = out->weight;
    int err = nn->o.train ? forward(nn, b, true, NULL)
                          : lm_err(LM_EUSAGE, "this trainer was made without gradients");

    if (err < 0)
        return err;
    lm_nn_backward(nn);
    nn->fresh = false;
    sums(nn, b, out);
    nn->weight += out->weight - before;
    return 0;
}
