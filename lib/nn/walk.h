/* walk: what training and generation share: packed weights and the forward pass over a block of
   rows. Internal to lib/nn. A "row" is one token; d = width, nq = heads x hd, nkv = key heads x hd,
   f = MLP width, fi = width of the MLP's first product: 2 f with gates. */
#ifndef LM_NN_WALK_H
#define LM_NN_WALK_H
#include "kernels/kern.h"
#include "nn/arena.h"
#include "nn/model.h"
#include "par/par.h"

/* Rows a task takes. Part of the meaning: partial sums of norm gradients are one block's. */
enum { LM_BLOCK = 64 };

/* Right operands of a layer: forward W', depth = inputs; backward W, depth = outputs (training
 * only). */
typedef struct {
    void *qkv, *o, *gu, *down, *bqkv, *bo, *bgu, *bdown;
    float *norm1, *norm2, *qnorm, *knorm; /* as the arithmetic sees them: rounded if bf16 */
    float *norm1b, *norm2b, *qkvb, *ob, *gub, *downb; /* biases; NULL: none */
} lm_wl;

typedef struct lm_net {
    const lm_kern *k;
    const lm_model *m;
    const lm_family *fam;
    lm_pool *pool;
    int fmt, mul; /* LM_FMT_*: of attention, and of all other products */
    bool train;
    uint32_t d, hd, heads, kvh, nq, nkv, nqkv, f, fi, vocab, layers, ctx;
    float eps, scale, cap, clip;
    float *slope; /* [heads] ALiBi; NULL: none */
    lm_wl *l;     /* [layers] */
    void *head, *bhead;
    float *norm, *normb;
    float *cs; /* [ctx, hd]: hd/2 cosines, hd/2 sines; NULL: positions are not rotary */
} lm_net;

/* How far back a token at pos of its text sees in a layer with a window. */
static inline uint32_t lm_net_back(const lm_net *n, uint32_t pos)
{
    uint32_t w = n->m->cfg.window;

    return pos < w ? pos : w - 1;
}

/* Sizes and kernels; sum: LM_SUM_*. LM_EDEVICE .., LM_EUSAGE: tile order without bf16. */
int lm_net_init(lm_net *n, const lm_model *m, lm_pool *pool, bool train, int sum);
void lm_net_plan(lm_net *n, lm_plan *p, uint32_t ctx);
void lm_net_fill(lm_net *n); /* rotary table or slopes, then packs the weights */
void lm_net_pack(lm_net *n); /* packs the weights: after each update */
void lm_net_embed(const lm_net *n, uint32_t id, uint32_t pos, float *x);
/* The family's norm of rows [n, d], and its gradient: dx = add + ..; dw, db (NULL: none) grow. */
void lm_rows_norm(const lm_net *net, size_t n, const float *x, const float *w, const float *b,
                  float *y, float *rstd);
void lm_rows_norm_bwd(const lm_net *net, size_t n, const float *x, const float *w,
                      const float *rstd, const float *dy, const float *add, float *dx, float *dw,
                      float *db);
/* Scratch of a thread, for LM_BLOCK rows. */
typedef struct {
    float *a, *b, *c, *g;
    void *pa, *att;
} lm_scr;
void lm_scr_plan(const lm_net *n, lm_plan *p, lm_scr *s, size_t seq, bool train);

/* y = x W' for rows x [n, kt], packed through pa; y [n, ldy]. */
void lm_rows_mul(const lm_net *net, size_t n, size_t kt, const float *x, size_t ldx, const void *w,
                 size_t outs, float *y, size_t ldy, void *pa);
/* First half of a layer: raw q, k, v [n, nqkv], clipped; rot: q and k after norm and rotation [n,
   nq + nkv]. */
void lm_rows_in(const lm_net *net, uint32_t layer, size_t n, const float *x, const uint32_t *pos,
                float *raw, float *rot, float *rstd, float *rstdq, float *rstdk, const lm_scr *s);
/* Second half: x1 = x + o Wo', gu, y = x1 + MLP. gu [n, fi]. y may be x. */
void lm_rows_out(const lm_net *net, uint32_t layer, size_t n, const float *x, const float *o,
                 float *x1, float *rstd, float *gu, float *y, const lm_scr *s);

/* Its part before the activation: x1 and gu. */
void lm_rows_mid(const lm_net *net, uint32_t layer, size_t n, const float *x, const float *o,
                 float *x1, float *rstd, float *gu, const lm_scr *s);

/* f over n tasks on the pool, kernels entered. */
void lm_net_run(const lm_net *net, size_t n, void (*f)(void *ctx, size_t i, unsigned thread),
                void *ctx);
#define LM_TASK(body) \
    do { \
        unsigned csr_ = lm_kern_enter(); \
        body; \
        lm_kern_leave(csr_); \
    } while (0)

#endif
