/* walk: what training and generation share: packed weights and the forward pass over a block of
   rows. Internal to lib/nn. A "row" is one token; d = width, nq = heads x hd, nkv = key heads x hd,
   f = MLP width. */
#ifndef LM_NN_WALK_H
#define LM_NN_WALK_H
#include "kernels/kern.h"
#include "nn/model.h"
#include "par/par.h"

/* Rows a task takes. Part of the meaning: partial sums of norm gradients are one block's. */
enum { LM_BLOCK = 64 };

/* Right operands of a layer: forward W', depth = inputs; backward W, depth = outputs (training
 * only). */
typedef struct {
    void *qkv, *o, *gu, *down, *bqkv, *bo, *bgu, *bdown;
    float *norm1, *norm2, *qnorm, *knorm; /* as the arithmetic sees them: rounded if bf16 */
} lm_wl;

typedef struct lm_net {
    const lm_kern *k;
    const lm_model *m;
    lm_pool *pool;
    int fmt;
    bool train;
    uint32_t d, hd, heads, kvh, nq, nkv, nqkv, f, vocab, layers, ctx;
    float eps, scale;
    lm_wl *l; /* [layers] */
    void *head, *bhead;
    float *norm;
    float *cs; /* [ctx, hd]: hd/2 cosines, hd/2 sines */
} lm_net;

/* A bump allocator: with base NULL it only counts. */
typedef struct {
    char *base;
    size_t n;
} lm_plan;
void *lm_take(lm_plan *p, size_t bytes); /* 64-byte aligned; NULL while counting */

int lm_net_init(lm_net *n, const lm_model *m, lm_pool *pool,
                bool train); /* sizes and kernels; LM_EDEVICE .. */
void lm_net_plan(lm_net *n, lm_plan *p, uint32_t ctx);
void lm_net_fill(lm_net *n); /* rotary table, then packs the weights */
void lm_net_pack(lm_net *n); /* packs the weights: after each update */
void lm_net_embed(const lm_net *n, uint32_t id, float *x);
/* Index of layer l's tensors in m->t. */
enum {
    LM_W_NORM1,
    LM_W_Q,
    LM_W_K,
    LM_W_V,
    LM_W_QN,
    LM_W_KN,
    LM_W_O,
    LM_W_NORM2,
    LM_W_GATE,
    LM_W_UP,
    LM_W_DOWN
};
const lm_tensor *lm_net_t(const lm_net *n, uint32_t layer,
                          int which); /* NULL: no q, k norms in this family */
const lm_tensor *lm_net_tail(const lm_net *n,
                             bool head); /* final norm; head (the embedding if tied) */

/* Scratch of a thread, for LM_BLOCK rows. */
typedef struct {
    float *a, *b, *c, *g;
    void *pa, *att;
} lm_scr;
void lm_scr_plan(const lm_net *n, lm_plan *p, lm_scr *s, size_t seq, bool train);

/* y = x W' for rows x [n, kt], packed through pa; y [n, ldy]. */
void lm_rows_mul(const lm_net *net, size_t n, size_t kt, const float *x, size_t ldx, const void *w,
                 size_t outs, float *y, size_t ldy, void *pa);
/* First half of a layer: raw q, k, v [n, nqkv]; rot: q and k after norm and rotation [n, nq + nkv].
 */
void lm_rows_in(const lm_net *net, uint32_t layer, size_t n, const float *x, const uint32_t *pos,
                float *raw, float *rot, float *rstd, float *rstdq, float *rstdk, const lm_scr *s);
/* Second half: x1 = x + o Wo', gu, y = x1 + MLP. gu [n, 2f]. y may be x. */
void lm_rows_out(const lm_net *net, uint32_t layer, size_t n, const float *x, const float *o,
                 float *x1, float *rstd, float *gu, float *y, const lm_scr *s);

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
