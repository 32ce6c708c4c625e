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

    nn->net.k->gemm(&(lm_gemm){.fmt = nn->net.mul,
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
    nn->net.k->packa(&(lm_pack){.fmt = nn->net.mul,
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
    nn->net.k->packb(&(lm_pack){.fmt = nn->net.mul,
                                .kmajor = true,
                                .kt = nn->t,
                                .src = src,
                                .ld = n,
                                .k0 = at,
                                .kn = rows,
                                .nn = n,
                                .dst = dst});
}

/* Part sums of block i for a gradient of n numbers, at zero; NULL: the model has no such tensor. */
static float *part(float *all, size_t i, size_t n)
{
    float *p = all ? all + i * n : NULL;

    if (p)
        memset(p, 0, n * sizeof *p);
    return p;
}

/* That of a bias: the sum of the rows' gradients, ascending. */
static void bias_part(const lm_nn *nn, float *all, size_t i, size_t rows, size_t n, const float *dy)
{
    if (all)
        nn->net.k->sum_rows(rows, n, dy, n, all + i * n, false);
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
    size_t at = i * LM_BLOCK, rows = lm_block_n(nn, i), d = n->d, f = n->f, fi = n->fi;
    float *dy = nn->dy + at * d, *dx1 = nn->dx1 + at * d, *act = s->c;
    unsigned csr = lm_kern_enter();

    if (nn->o.recompute && nn->layer + 1 < n->layers) /* of the last layer they still lie there */
        lm_rows_mid(n, nn->layer, rows, kl->x + at * d, kl->o + at * n->nq, kl->x1 + at * d,
                    kl->rstd2 + at, kl->gu + at * fi, s);
    packa(nn, at, rows, dy, d, nn->dyp);
    lm_rows_mul(n, rows, d, dy, d, w->bdown, f, act, f, s->pa);
    if (n->fam->act == LM_ACT_SWIGLU)
        k->swiglu_bwd(rows, f, kl->gu + at * fi, act, s->g, act);
    else
        k->gelu_bwd(n->fam->act == LM_ACT_GELU_ERF, rows * f, kl->gu + at * fi, act, s->g, act);
    packb(nn, at, rows, act, f, nn->actp);
    packa(nn, at, rows, s->g, fi, nn->dgup);
    bias_part(nn, nn->pdown, i, rows, d, dy);
    bias_part(nn, nn->pgu, i, rows, fi, s->g);
    lm_rows_norm(n, rows, kl->x1 + at * d, w->norm2, w->norm2b, s->b, NULL);
    packb(nn, at, rows, s->b, d, nn->hn2p);
    lm_rows_mul(n, rows, fi, s->g, fi, w->bgu, d, s->b, d, s->pa);
    lm_rows_norm_bwd(n, rows, kl->x1 + at * d, w->norm2, kl->rstd2 + at, s->b, dy, dx1,
                     part(nn->pn2, i, d), part(nn->pn2b, i, d));
    bias_part(nn, nn->po, i, rows, d, dx1);
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
                                        .cap = n->cap,
                                        .slope = n->slope ? n->slope + h * g : NULL,
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
                                        .start = lm_nn_start(nn, at),
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

/* Gradients of the rows of q or k behind norm and rotation -> of those before. */
static void turn_bwd(const lm_nn *nn, size_t at, size_t rows, uint32_t heads, size_t col,
                     const float *w, const float *rstd, float *pw)
{
    const lm_net *n = &nn->net;
    size_t ldr = n->nq + n->nkv, cols = heads * n->hd;
    const float *raw = nn->keep[nn->layer].raw + at * n->nqkv + col,
                *dr = nn->drot + at * ldr + col;
    float *dq = nn->dqkv + at * n->nqkv + col;

    if (n->cs)
        n->k->rope_bwd(rows, heads, n->hd, raw, n->nqkv, w, rstd + at * heads, n->cs, nn->pos + at,
                       dr, ldr, dq, n->nqkv, pw);
    else if (w)
        n->k->ln_bwd(rows, cols, raw, n->nqkv, w, rstd + at * heads, dr, ldr, NULL, dq, n->nqkv, pw,
                     NULL);
    else
        for (size_t i = 0; i < rows; i++)
            memcpy(dq + i * n->nqkv, dr + i * ldr, cols * 4);
}

/* Gradients of q, k, v -> gradient of the layer's input, in dy. */
static void qkv_task(void *ctx, size_t i, unsigned thread)
{
    lm_nn *nn = ctx;
    const lm_net *n = &nn->net;
    const lm_wl *w = &n->l[nn->layer];
    const lm_keep_layer *kl = &nn->keep[nn->layer];
    const lm_scr *s = &nn->scr[thread];
    size_t at = i * LM_BLOCK, rows = lm_block_n(nn, i), d = n->d,
           nqn = n->m->cfg.qk_ln ? n->nq : n->hd, nkn = n->m->cfg.qk_ln ? n->nkv : n->hd;
    float *dq = nn->dqkv + at * n->nqkv;
    unsigned csr = lm_kern_enter();

    turn_bwd(nn, at, rows, n->heads, 0, w->qnorm, kl->rstdq, part(nn->pq, i, nqn));
    turn_bwd(nn, at, rows, n->kvh, n->nq, w->knorm, kl->rstdk, part(nn->pk, i, nkn));
    if (n->clip > 0)
        n->k->clip_bwd(rows * n->nqkv, n->clip, kl->raw + at * n->nqkv, dq);
    packa(nn, at, rows, dq, n->nqkv, nn->dqkvp);
    bias_part(nn, nn->pqkv, i, rows, n->nqkv, dq);
    lm_rows_norm(n, rows, kl->x + at * d, w->norm1, w->norm1b, s->b, NULL);
    packb(nn, at, rows, s->b, d, nn->hn1p);
    lm_rows_mul(n, rows, n->nqkv, dq, n->nqkv, w->bqkv, d, s->b, d, s->pa);
    lm_rows_norm_bwd(n, rows, kl->x + at * d, w->norm1, kl->rstd1 + at, s->b, nn->dx1 + at * d,
                     nn->dy + at * d, part(nn->pn1, i, d), part(nn->pn1b, i, d));
    lm_kern_leave(csr);
}

enum { WG = 4 };
static void layer_wgrads(const lm_nn *nn, lm_wgrad w[WG])
{
    const lm_net *n = &nn->net;
    uint32_t l = nn->layer;

    int first = n->fam->act == LM_ACT_SWIGLU ? LM_W_GATE : LM_W_UP;

    w[0] = (lm_wgrad){lm_model_layer(nn->m, l, first), n->fi, n->d, nn->t, nn->dgup, nn->hn2p};
    w[1] = (lm_wgrad){lm_model_layer(nn->m, l, LM_W_DOWN), n->d, n->f, nn->t, nn->dyp, nn->actp};
    w[2] = (lm_wgrad){lm_model_layer(nn->m, l, LM_W_Q), n->nqkv, n->d, nn->t, nn->dqkvp, nn->hn1p};
    w[3] = (lm_wgrad){lm_model_layer(nn->m, l, LM_W_O), n->d, n->nq, nn->t, nn->dx1p, nn->op};
}

/* The blocks' part sums, n wide, make the gradient from t on: of t alone, or of a stack of biases.
 */
static void sum_parts(lm_nn *nn, const lm_tensor *t, size_t n, const float *part)
{
    if (t)
        nn->net.k->sum_rows(nn->blocks, n, part, n, nn->grad + t->off, !nn->fresh);
}

static void norm_grad(lm_nn *nn, const lm_tensor *t, const float *part)
{
    sum_parts(nn, t, t ? t->n : 0, part);
}

static void small_grads(lm_nn *nn)
{
    const lm_net *n = &nn->net;
    const lm_model *m = nn->m;
    uint32_t l = nn->layer;
    const lm_tensor *bg = lm_model_layer(m, l, LM_W_BGATE);

    norm_grad(nn, lm_model_layer(m, l, LM_W_NORM1), nn->pn1);
    norm_grad(nn, lm_model_layer(m, l, LM_W_NORM2), nn->pn2);
    norm_grad(nn, lm_model_layer(m, l, LM_W_QN), nn->pq);
    norm_grad(nn, lm_model_layer(m, l, LM_W_KN), nn->pk);
    norm_grad(nn, lm_model_layer(m, l, LM_W_BNORM1), nn->pn1b);
    norm_grad(nn, lm_model_layer(m, l, LM_W_BNORM2), nn->pn2b);
    norm_grad(nn, lm_model_layer(m, l, LM_W_BO), nn->po);
    norm_grad(nn, lm_model_layer(m, l, LM_W_BDOWN), nn->pdown);
    sum_parts(nn, lm_model_layer(m, l, LM_W_BQ), n->nqkv, nn->pqkv);
    sum_parts(nn, bg ? bg : lm_model_layer(m, l, LM_W_BUP), n->fi, nn->pgu);
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
    small_grads(nn);
done:
    lm_kern_leave(csr);
}

void lm_nn_backward(lm_nn *nn)
{
    const lm_net *n = &nn->net;
    lm_wgrad w[WG];
    size_t tasks = 1;

    norm_grad(nn, lm_model_end(nn->m, LM_W_FINAL), nn->pn1);
    norm_grad(nn, lm_model_end(nn->m, LM_W_BFINAL), nn->pn1b);
    for (nn->layer = n->layers; nn->layer-- > 0;) {
        if (nn->o.recompute == LM_RECOMPUTE_BLOCK && nn->layer + 1 < n->layers)
            lm_nn_redo(nn);
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
        lm_model_end(nn->m, LM_W_HEAD), nn->net.vocab, nn->net.d, nn->chunkn, nn->dlogp, nn->hnfp};
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
    const lm_tensor *wpe = lm_model_end(nn->m, LM_W_POS);
    float *g = nn->table ? nn->table : nn->grad + nn->m->t[0].off,
          *gp = wpe ? nn->grad + wpe->off : NULL;
    unsigned csr = lm_kern_enter();

    (void)thread;
    if (nn->table ? !nn->apart : nn->fresh)
        for (size_t r = 0; r < n->vocab; r++)
            memset(g + r * n->d + c0, 0, c * 4);
    for (size_t r = 0; wpe && nn->fresh && r < wpe->dim[0]; r++)
        memset(gp + r * n->d + c0, 0, c * 4);
    for (size_t t = 0; t < nn->t; t++) {
        float *to = g + nn->b->in[t] * (size_t)n->d + c0;

        n->k->add(c, to, nn->dy + t * n->d + c0, to);
        if (wpe) {
            to = gp + nn->pos[t] * (size_t)n->d + c0;
            n->k->add(c, to, nn->dy + t * n->d + c0, to);
        }
    }
    lm_kern_leave(csr);
}

void lm_nn_embed_backward(lm_nn *nn)
{
    lm_net_run(&nn->net, (nn->net.d + COLS - 1) / COLS, embed_task, nn);
    nn->apart = nn->table;
}

static void settle_task(void *ctx, size_t i, unsigned thread)
{
    lm_nn *nn = ctx;
    size_t d = nn->net.d;
    float *g = nn->grad + nn->m->t[0].off + i * d;

    (void)thread;
    LM_TASK(nn->net.k->add(d, g, nn->table + i * d, g));
}

void lm_nn_settle(lm_nn *nn)
{
    if (nn->apart)
        lm_net_run(&nn->net, nn->net.vocab, settle_task, nn);
    nn->apart = false;
}
