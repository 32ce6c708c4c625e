/* rows: the forward pass over a block of rows: products, norms, the two halves of a layer. */
#include "nn/walk.h"

void lm_rows_mul(const lm_net *net, size_t n, size_t kt, const float *x, size_t ldx, const void *w,
                 size_t outs, float *y, size_t ldy, void *pa)
{
    net->k->packa(
        &(lm_pack){.fmt = net->mul, .kt = kt, .src = x, .ld = ldx, .kn = kt, .nn = n, .dst = pa});
    net->k->gemm(&(lm_gemm){.fmt = net->mul,
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

void lm_rows_norm(const lm_net *net, size_t n, const float *x, const float *w, const float *b,
                  float *y, float *rstd)
{
    if (net->fam->layernorm)
        net->k->ln(n, net->d, x, net->d, w, b, net->eps, y, net->d, rstd);
    else
        net->k->rms(n, net->d, x, net->d, w, net->eps, y, net->d, rstd);
}

void lm_rows_norm_bwd(const lm_net *net, size_t n, const float *x, const float *w,
                      const float *rstd, const float *dy, const float *add, float *dx, float *dw,
                      float *db)
{
    size_t d = net->d;

    if (net->fam->layernorm)
        net->k->ln_bwd(n, d, x, d, w, rstd, dy, d, add, dx, d, dw, db);
    else
        net->k->rms_bwd(n, d, x, d, w, rstd, dy, d, add, dx, d, dw);
}

/* b [d], unless it is NULL, onto each row of y. */
static void bias(const lm_net *net, size_t n, size_t d, const float *b, float *y)
{
    for (size_t i = 0; i < n && b; i++)
        net->k->add(d, y + i * d, b, y + i * d);
}

/* q or k of `heads` heads from raw to rot: norm, rotation, or as it is. */
static void turn(const lm_net *net, size_t n, uint32_t heads, const float *raw, const float *w,
                 const uint32_t *pos, float *rot, float *rstd)
{
    size_t ldr = net->nq + net->nkv, cols = heads * net->hd;

    if (net->cs)
        net->k->rope(n, heads, net->hd, raw, net->nqkv, w, net->eps, net->cs, pos, rot, ldr, rstd);
    else if (w)
        net->k->ln(n, cols, raw, net->nqkv, w, NULL, net->eps, rot, ldr, rstd);
    else
        for (size_t i = 0; i < n; i++)
            memcpy(rot + i * ldr, raw + i * net->nqkv, cols * 4);
}

void lm_rows_in(const lm_net *net, uint32_t layer, size_t n, const float *x, const uint32_t *pos,
                float *raw, float *rot, float *rstd, float *rstdq, float *rstdk, const lm_scr *s)
{
    const lm_wl *w = &net->l[layer];

    lm_rows_norm(net, n, x, w->norm1, w->norm1b, s->b, rstd);
    lm_rows_mul(net, n, net->d, s->b, net->d, w->qkv, net->nqkv, raw, net->nqkv, s->pa);
    bias(net, n, net->nqkv, w->qkvb, raw);
    if (net->clip > 0)
        net->k->clip(n * net->nqkv, net->clip, raw);
    turn(net, n, net->heads, raw, w->qnorm, pos, rot, rstdq);
    turn(net, n, net->kvh, raw + net->nq, w->knorm, pos, rot + net->nq, rstdk);
}

void lm_rows_mid(const lm_net *net, uint32_t layer, size_t n, const float *x, const float *o,
                 float *x1, float *rstd, float *gu, const lm_scr *s)
{
    const lm_wl *w = &net->l[layer];

    lm_rows_mul(net, n, net->nq, o, net->nq, w->o, net->d, s->b, net->d, s->pa);
    bias(net, n, net->d, w->ob, s->b);
    net->k->add(n * net->d, x, s->b, x1);
    lm_rows_norm(net, n, x1, w->norm2, w->norm2b, s->b, rstd);
    lm_rows_mul(net, n, net->d, s->b, net->d, w->gu, net->fi, gu, net->fi, s->pa);
    bias(net, n, net->fi, w->gub, gu);
}

void lm_rows_out(const lm_net *net, uint32_t layer, size_t n, const float *x, const float *o,
                 float *x1, float *rstd, float *gu, float *y, const lm_scr *s)
{
    const lm_kern *k = net->k;
    const lm_wl *w = &net->l[layer];

    lm_rows_mid(net, layer, n, x, o, x1, rstd, gu, s);
    if (net->fam->act == LM_ACT_SWIGLU)
        k->swiglu(n, net->f, gu, s->c);
    else
        k->gelu(net->fam->act == LM_ACT_GELU_ERF, n * net->f, gu, s->c);
    lm_rows_mul(net, n, net->f, s->c, net->f, w->down, net->d, s->b, net->d, s->pa);
    bias(net, n, net->d, w->downb, s->b);
    k->add(n * net->d, x1, s->b, y);
}
