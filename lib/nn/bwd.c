/* bwd: the way back through the layers, by hand. Four passes a layer: rows (MLP and output
   projection), attention, rows (rotation, norms, q k v), weight gradients. Weight gradients are
   products over all tokens of the micro-batch whose operands the row passes pack while the values
   are in cache. */
#include "nn/stepi.h"

size_t lm_wgrad_tasks(const lm_wgrad *w)
{
    return (w->outs + LM_M_UNIT - 1) / LM_M_UNIT;
}

void lm_wgrad_task(lm_nn *nn, const lm_wgrad *w, size_t i)
{
    size_t m0 = i * LM_M_UNIT, m = w->outs - m0 < LM_M_UNIT ? w->outs - m0 : LM_M_UNIT;

    nn->net.k->gemm(&(lm_gemm){.fmt = nn->net.fmt,
                               .akm = true,
                               .beta = !nn->fresh || (w->b == nn->hnfp && nn->chunk0),
                               .a = w->a,
                               .akt = w->k,
                               .m0 = m0,
                               .m = m,
                               .b = w->b,
                               .bkt = w->k,
                               .n = w->ins,
                               .k = w->k,
                               .c = nn->grad + w->t->off + m0 * w->ins,
                               .ldc = w->ins});
}

static void packa(const lm_nn *nn, size_t at, size_t rows, const float *src, size_t m, void *dst)
{
    nn->net.k->packa(&(lm_pack){.fmt = nn->net.fmt,
                                .kmajor = true,
                                .kt = nn->t,
                                .src = src,
                                .ld = m,
                                .k0 = at,
                                .kn = rows,
                                .nn = m,
                                .dst = dst});
}

static void packb(const lm_nn *nn, size_t at, size_t rows, const float *src, size_t n, void *dst)
{
    nn->net.k->packb(&(lm_pack){.fmt = nn->net.fmt,
                                .kmajor = true,
                                .kt = nn->t,
                                .src = src,
                                .ld = n,
                                .k0 = at,
                                .kn = rows,
                                .nn = n,
                                .dst = dst});
}

/* dy -> gradients of gate and up, of x1, of the attention's output. */
static void mlp_task(void *ctx, size_t i, unsigned thread)
{
    lm_nn *nn = ctx;
    const lm_net *n = &nn->net;
    const lm_kern *k = n->k;
    const lm_wl *w = &n->l[nn->layer];
    const lm_keep_layer *kl = &nn->keep[nn->layer];
    const lm_scr *s = &nn->scr[thread];
    size_t at = i * LM_BLOCK, rows = lm_block_n(nn, i), d = n->d, f = n->f;
    float *dy = nn->dy + at * d, *dx1 = nn->dx1 + at * d, *pn = nn->pn2 + i * d, *act = s->c;
    unsigned csr = lm_kern_enter();

    packa(nn, at, rows, dy, d, nn->dyp);
    lm_rows_mul(n, rows, d, dy, d, w->bdown, f, act, f, s->pa);
    k->swiglu_bwd(rows, f, kl->gu + at * 2 * f, act, s->g, act);
    packb(nn, at, rows, act, f, nn->actp);
    packa(nn, at, rows, s->g, 2 * f, nn->dgup);
    k->rms(rows, d, kl->x1 + at * d, d, w->norm2, n->eps, s->b, d, NULL);
    packb(nn, at, rows, s->b, d, nn->hn2p);
    lm_rows_mul(n, rows, 2 * f, s->g, 2 * f, w->bgu, d, s->b, d, s->pa);
    memset(pn, 0, d * 4);
    k->rms_bwd(rows, d, kl->x1 + at * d, d, w->norm2, kl->rstd2 + at, s->b, d, dy, dx1, d, pn);
    packa(nn, at, rows, dx1, d, nn->dx1p);
    packb(nn, at, rows, kl->o + at * n->nq, n->nq, nn->op);
    lm_rows_mul(n, rows, d, dx1, d, w->bo, n->nq, nn->dout + at * n->nq, n->nq, s->pa);
    lm_kern_leave(csr);
}

static void att_task(void *ctx, size_t i, unsigned thread)
{
    lm_nn *nn = ctx;
    const lm_net *n = &nn->net;
    const lm_keep_layer *kl = &nn->keep[nn->layer];
    size_t seq = nn->o.seq, at = i / n->kvh * seq, h = i % n->kvh, g = n->heads / n->kvh,
           ldr = n->nq + n->nkv, hd = n->hd;
    unsigned csr = lm_kern_enter();

    n->k->attn_bwd(n->k, &(lm_attn_bwd){.fmt = n->fmt,
                                        .n = seq,
                                        .hd = hd,
                                        .g = g,
                                        .scale = n->scale,
                                        .q = kl->rot + at * ldr + h * g * hd,
                                        .ldq = ldr,
                                        .k = kl->rot + at * ldr + n->nq + h * hd,
                                        .ldk = ldr,
                                        .v = kl->raw + at * n->nqkv + n->nq + n->nkv + h * hd,
                                        .ldv = n->nqkv,
                                        .o = kl->o + at * n->nq + h * g * hd,
                                        .go = nn->dout + at * n->nq + h * g * hd,
                                        .ldo = n->nq,
                                        .lse = kl->lse + at * n->heads + h * g,
                                        .ldl = n->heads,
                                        .start = nn->b->start ? nn->b->start + at : NULL,
                                        .end = nn->b->end ? nn->b->end + at : NULL,
                                        .dq = nn->drot + at * ldr + h * g * hd,
                                        .lddq = ldr,
                                        .dk = nn->drot + at * ldr + n->nq + h * hd,
                                        .lddk = ldr,
                                        .dv = nn->dqkv + at * n->nqkv + n->nq + n->nkv + h * hd,
                                        .lddv = n->nqkv,
                                        .scratch = nn->scr[thread].att});
    lm_kern_leave(csr);
}

/* Gradients of q, k, v -> gradient of the layer's input, in dy. */
static void qkv_task(void *ctx, size_t i, unsigned thread)
{
    lm_nn *nn = ctx;
    const lm_net *n = &nn->net;
    const lm_kern *k = n->k;
    const lm_wl *w = &n->l[nn->layer];
    const lm_keep_layer *kl = &nn->keep[nn->layer];
    const lm_scr *s = &nn->scr[thread];
    size_t at = i * LM_BLOCK, rows = lm_block_n(nn, i), d = n->d, ldr = n->nq + n->nkv;
    float *dq = nn->dqkv + at * n->nqkv, *pn = nn->pn1 + i * d, *pq = nn->pq + i * n->hd,
          *pk = nn->pk + i * n->hd;
    const float *raw = kl->raw + at * n->nqkv, *dr = nn->drot + at * ldr;
    unsigned csr = lm_kern_enter();

    memset(pn, 0, d * 4);
    memset(pq, 0, n->hd * 4);
    memset(pk, 0, n->hd * 4);
    k->rope_bwd(rows, n->heads, n->hd, raw, n->nqkv, w->qnorm, kl->rstdq + at * n->heads, n->cs,
                nn->pos + at, dr, ldr, dq, n->nqkv, pq);
    k->rope_bwd(rows, n->kvh, n->hd, raw + n->nq, n->nqkv, w->knorm, kl->rstdk + at * n->kvh, n->cs,
                nn->pos + at, dr + n->nq, ldr, dq + n->nq, n->nqkv, pk);
    packa(nn, at, rows, dq, n->nqkv, nn->dqkvp);
    k->rms(rows, d, kl->x + at * d, d, w->norm1, n->eps, s->b, d, NULL);
    packb(nn, at, rows, s->b, d, nn->hn1p);
    lm_rows_mul(n, rows, n->nqkv, dq, n->nqkv, w->bqkv, d, s->b, d, s->pa);
    k->rms_bwd(rows, d, kl->x + at * d, d, w->norm1, kl->rstd1 + at, s->b, d, nn->dx1 + at * d,
               nn->dy + at * d, d, pn);
    lm_kern_leave(csr);
}

enum { WG = 4 };
static void layer_wgrads(const lm_nn *nn, lm_wgrad w[WG])
{
    const lm_net *n = &nn->net;
    uint32_t l = nn->layer;

    w[0] = (lm_wgrad){lm_net_t(n, l, LM_W_GATE), 2 * (size_t)n->f, n->d, nn->t, nn->dgup, nn->hn2p};
    w[1] = (lm_wgrad){lm_net_t(n, l, LM_W_DOWN), n->d, n->f, nn->t, nn->dyp, nn->actp};
    w[2] = (lm_wgrad){lm_net_t(n, l, LM_W_Q), n->nqkv, n->d, nn->t, nn->dqkvp, nn->hn1p};
    w[3] = (lm_wgrad){lm_net_t(n, l, LM_W_O), n->d, n->nq, nn->t, nn->dx1p, nn->op};
}

static void norm_grad(lm_nn *nn, const lm_tensor *t, const float *part)
{
    if (t)
        nn->net.k->sum_rows(nn->blocks, t->n, part, t->n, nn->grad + t->off, !nn->fresh);
}

static void weight_task(void *ctx, size_t i, unsigned thread)
{
    lm_nn *nn = ctx;
    lm_wgrad w[WG];
    unsigned csr = lm_kern_enter();

    (void)thread;
    layer_wgrads(nn, w);
    for (size_t j = 0; j < WG; j++) {
        if (i < lm_wgrad_tasks(&w[j])) {
            lm_wgrad_task(nn, &w[j], i);
            goto done;
        }
        i -= lm_wgrad_tasks(&w[j]);
    }
    norm_grad(nn, lm_net_t(&nn->net, nn->layer, LM_W_NORM1), nn->pn1);
    norm_grad(nn, lm_net_t(&nn->net, nn->layer, LM_W_NORM2), nn->pn2);
    norm_grad(nn, lm_net_t(&nn->net, nn->layer, LM_W_QN), nn->pq);
    norm_grad(nn, lm_net_t(&nn->net, nn->layer, LM_W_KN), nn->pk);
done:
    lm_kern_leave(csr);
}

void lm_nn_backward(lm_nn *nn)
{
    const lm_net *n = &nn->net;
    lm_wgrad w[WG];
    size_t tasks = 1;

    norm_grad(nn, lm_net_tail(n, false), nn->pn1);
    for (nn->layer = n->layers; nn->layer-- > 0;) {
        lm_net_run(n, nn->blocks, mlp_task, nn);
        lm_net_run(n, (size_t)nn->o.rows * n->kvh, att_task, nn);
        /* the MLP's operand of down is packed from dy, which the next pass overwrites: weights wait
         * for both */
        lm_net_run(n, nn->blocks, qkv_task, nn);
        layer_wgrads(nn, w);
        tasks = 1;
        for (size_t j = 0; j < WG; j++)
            tasks += lm_wgrad_tasks(&w[j]);
        lm_net_run(n, tasks, weight_task, nn);
    }
    lm_nn_embed_backward(nn);
}

static lm_wgrad head_wgrad(const lm_nn *nn)
{
    return (lm_wgrad){
        lm_net_tail(&nn->net, true), nn->net.vocab, nn->net.d, nn->chunkn, nn->dlogp, nn->hnfp};
}

static void head_weight_task(void *ctx, size_t i, unsigned thread)
{
    lm_wgrad w = head_wgrad(ctx);

    (void)thread;
    LM_TASK(lm_wgrad_task(ctx, &w, i));
}

void lm_nn_head_backward(lm_nn *nn)
{
    lm_wgrad w = head_wgrad(nn);

    lm_net_run(&nn->net, lm_wgrad_tasks(&w), head_weight_task, nn);
}

/* Tasks split the columns, so each element of the table grows in the order of the tokens. */
enum { COLS = 64 };
static void embed_task(void *ctx, size_t i, unsigned thread)
{
    lm_nn *nn = ctx;
    const lm_net *n = &nn->net;
    size_t c0 = i * COLS, c = n->d - c0 < COLS ? n->d - c0 : COLS;
    float *g = nn->grad + nn->m->t[0].off;
    unsigned csr = lm_kern_enter();

    (void)thread;
    if (nn->fresh && !nn->m->cfg.tie)
        for (size_t r = 0; r < n->vocab; r++)
            memset(g + r * n->d + c0, 0, c * 4);
    for (size_t t = 0; t < nn->t; t++) {
        float *to = g + nn->b->in[t] * (size_t)n->d + c0;

        n->k->add(c, to, nn->dy + t * n->d + c0, to);
    }
    lm_kern_leave(csr);
}

void lm_nn_embed_backward(lm_nn *nn)
{
    lm_net_run(&nn->net, (nn->net.d + COLS - 1) / COLS, embed_task, nn);
}
