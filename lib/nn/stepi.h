/* stepi: the trainer's insides, shared by step.c, bwd.c and opt.c. t = rows x seq tokens of a
 * micro-batch. */
#ifndef LM_NN_STEPI_H
#define LM_NN_STEPI_H
#include "nn/step.h"
#include "nn/walk.h"

typedef struct { /* what forward keeps of a layer for backward */
    float *x, *rstd1, *raw, *rot, *rstdq, *rstdk, *o, *lse, *x1, *rstd2, *gu;
} lm_keep_layer;

struct lm_nn {
    lm_net net;
    lm_model *m;
    lm_nn_opt o;
    void *base;
    size_t bytes, t, blocks,
        chunk;           /* chunk: tokens whose logits exist at a time, a multiple of LM_BLOCK */
    float *grad;         /* [m->n] */
    float *table;        /* [vocab, d] or NULL: of a table that is the head too, its gradient as an
                            embedding, so that each of its two chains goes through the step alone */
    bool apart;          /* table holds something that grad lacks */
    float *mom, *var;    /* [nmom]: of tensor i from moff[i] on; var NULL under Lion */
    float *ema;          /* [m->n] or NULL */
    size_t *moff, nmom;  /* [nt + 1]: frozen tensors take no room */
    size_t *piece0, nsq; /* [nt + 1]: the first piece of each tensor; pieces in all */
    double *sq;          /* [nsq] of each piece: sum of squares of the gradient */
    double *wsq, *usq;   /* of the weights, of their change: if norms were asked for */
    double mean;         /* what the gradient had to be multiplied with to be a mean */
    bool norms;          /* asked for in the update under way */
    lm_keep_layer *keep; /* [layers]; without training all share one */
    float *x, *rstdf;    /* output of the last layer [t, d] */
    float *dy, *dx1, *dout, *drot, *dqkv; /* gradients [t, ..] */
    void *dyp, *dx1p, *dgup, *dqkvp, *actp, *hn1p, *hn2p, *op, *dlogp,
        *hnfp;                                    /* operands of weight gradients */
    float *pn1, *pn2, *pq, *pk;                   /* norm gradients, one row a block */
    float *pn1b, *pn2b, *pqkv, *po, *pgu, *pdown; /* those of biases; NULL: none */
    float *tok_loss, *tok_lse, *gw;               /* [t] */
    uint32_t *pos, *slide;        /* slide: start, and not before the window; NULL: there is none */
    struct lm_muon_scratch *muon; /* [threads]; NULL without Muon */
    lm_scr *scr;                  /* [threads] */
    bool fresh;                   /* accumulators hold nothing yet */
    uint64_t weight, updates;
    const lm_batch *b; /* of the call under way */
    uint32_t layer;
    size_t chunk0, chunkn;
    float *logits;
    bool grads;
};

void lm_nn_backward(
    struct lm_nn *nn); /* after the head: dy holds the gradient of the last layer's output */
void lm_nn_redo(struct lm_nn *nn); /* q, k, v and attention of the layer under way, once more */
void lm_nn_head_backward(
    struct lm_nn *nn); /* weight gradient of the head for the chunk under way */
void lm_nn_embed_backward(struct lm_nn *nn);
void lm_nn_settle(struct lm_nn *nn); /* adds table to grad */
enum { LM_PIECE = 4096 }; /* elements of an update's task; part of the meaning of the norm */
static inline bool lm_nn_frozen(const struct lm_nn *nn, size_t i)
{
    return nn->o.frozen && nn->o.frozen[i];
}
void lm_opt_plan(struct lm_nn *nn, lm_plan *p);
/* What has to follow the update of n weights from `from` on, which are piece `piece`, and were
   `was` if norms are asked for. */
void lm_opt_after(struct lm_nn *nn, size_t piece, size_t from, size_t n, const float *was);
bool lm_muon_takes(const lm_tensor *t); /* a hidden matrix? */
void lm_muon_plan(struct lm_nn *nn, lm_plan *p, unsigned threads);
void lm_muon_update(struct lm_nn *nn, const lm_adamw *o,
                    double gs); /* gs: factor of the gradient */
/* C [outs, ins] of tensor t (+)= A' B: a task a unit of rows. */
typedef struct {
    const lm_tensor *t;
    size_t outs, ins, k;
    const void *a, *b;
} lm_wgrad;
size_t lm_wgrad_tasks(const lm_wgrad *w);
void lm_wgrad_task(struct lm_nn *nn, const lm_wgrad *w, size_t i);
/* First place that the tokens from `at` on see, in the layer under way. */
static inline const uint32_t *lm_nn_start(const struct lm_nn *nn, size_t at)
{
    const uint32_t *s = nn->slide && nn->layer >= nn->m->cfg.window_from ? nn->slide : nn->b->start;

    return s ? s + at : NULL;
}
static inline size_t lm_block_n(const struct lm_nn *nn, size_t i) /* rows of block i */
{
    return nn->t - i * LM_BLOCK < LM_BLOCK ? nn->t - i * LM_BLOCK : LM_BLOCK;
}

#endif
