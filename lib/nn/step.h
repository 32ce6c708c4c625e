/* step: one training step: forward, backward, update. Result bits depend on the model and the
   step's rows alone; never on threads, on the kernels' instruction level, nor on how the rows are
   cut into micro-batches of whole blocks (LM_BLOCK tokens): every gradient is one chain over the
   step's tokens. */
#ifndef LM_NN_STEP_H
#define LM_NN_STEP_H
#include "nn/arena.h"
#include "nn/model.h"
#include "par/par.h"

typedef struct lm_nn lm_nn;
typedef struct {
    uint32_t rows, seq; /* shape of a micro-batch */
    uint64_t tokens; /* of all micro-batches of a step, what scales the gradient; 0 = rows * seq */
    lm_pool *pool;   /* NULL = this thread alone; the caller's */
    bool train;      /* false: only lm_nn_loss and lm_nn_logits */
    int opt;         /* LM_OPT_*: who updates */
    int recompute;   /* LM_RECOMPUTE_*; changes no bit */
    int sum;         /* LM_SUM_*; changes bits, which stay those of every machine */
    float zloss;     /* weight of the squared log-sum-exp in the gradient, 0 = off */
    float ema;       /* decay of a moving average of the masters, 0 = none is kept */
    const bool *frozen; /* [m->nt]: these are not updated and have no moments; the caller's until
                           lm_nn_free; NULL = none */
} lm_nn_opt;
/* What forward keeps for backward: all it needs (act: but not the residual behind attention and the
   MLP's first product; block: of each layer the input alone), the rest is computed again. */
enum { LM_RECOMPUTE_NONE = 0, LM_RECOMPUTE_ACT = 1, LM_RECOMPUTE_BLOCK = 2 };
const char *lm_recompute_name(int recompute); /* "none", "act", "block" */
/* Muon: of the hidden matrices, the rest by AdamW. */
enum { LM_OPT_ADAMW = 0, LM_OPT_MUON = 1, LM_OPT_LION = 2 };

/* Plans one arena for everything and packs the weights; afterwards no call allocates. m stays the
   caller's and must have m->w when training. LM_EUSAGE, LM_EDEVICE, LM_EFACILITY (LM_DEVICE),
   LM_EINVALID (shape). */
int lm_nn_new(lm_nn **nn, lm_model *m, const lm_nn_opt *o);
/* The bytes that lm_nn_new would take, and what for (part, may be NULL: their sum is *bytes): the
   plan itself, made but not taken. Its errors. m needs no m->w. */
int lm_nn_need(lm_model *m, const lm_nn_opt *o, size_t *bytes, size_t part[LM_PARTS]);
void lm_nn_free(lm_nn *nn);
const lm_nn_opt *lm_nn_made(const lm_nn *nn); /* what it was made with */
size_t lm_nn_bytes(const lm_nn *nn);          /* size of the arena */
/* Are its micro-batches whole blocks, so that a step has the bits of any other cut into such? */
bool lm_nn_whole(const lm_nn *nn);

/* A micro-batch, all arrays [rows * seq]. target[i] is the id to predict after in[i]; weight[i] =
   0: no loss there (padding, prompt, the last token of a document). start[i]: place within its row
   (0 ..) of the first token of the document that token i is of; positions count from it and
   attention never looks before it; it never falls along a row. end[i]: place in its row of the last
   token that i sees: itself or, within a prefix whose tokens see each other, one further on of the
   same document; it never falls along a row. NULL weight = all 1, NULL start = all 0, NULL end =
   i. Ids must be < vocab (checked, as are start and end: LM_EINVALID). */
typedef struct {
    const uint32_t *in, *target;
    const uint8_t *weight;
    const uint32_t *start, *end;
} lm_batch;
/* Loss sums, f64: of a row in token order, and a row after the other onto loss, z and weight, which
   begin at what the caller put there: those of many micro-batches do not tell how they were cut.
   The arrays are of this micro-batch, may be NULL, else are the caller's. */
typedef struct {
    double loss, z;  /* + sum of weight * cross-entropy (nats); of weight * zloss * lse^2 */
    uint64_t weight; /* + sum of weights */
    double *row_loss;
    uint64_t *row_weight; /* [rows] */
    float *tok_loss;      /* [rows * seq] cross-entropy unweighted */
} lm_loss;
/* Forward and backward; adds the gradient of sum(w * ce) / tokens to the accumulators. */
int lm_nn_fwdbwd(lm_nn *nn, const lm_batch *b, lm_loss *out);
int lm_nn_loss(lm_nn *nn, const lm_batch *b, lm_loss *out); /* forward alone */
int lm_nn_logits(lm_nn *nn, const lm_batch *b,
                 float *logits); /* [rows*seq, vocab], of b's in, start, end alone */

/* With LM_OPT_MUON the hidden matrices are updated by Muon (muon.c), which keeps its momentum in
   LM_NN_M; all else by AdamW (Loshchilov and Hutter 2019), or with LM_OPT_LION everything by Lion
   (kernels/ref/opt.c); decoupled decay on 2-D tensors only. The accumulated gradient is first
   multiplied by tokens / (sum of weights since the last update), then clipped to global norm
   clip (0 = never). *gnorm: norm before clipping, of what is not frozen. If it is not finite
   nothing is changed and LM_EDIVERGED returned. Accumulators are cleared. */
typedef struct {
    double lr, beta1, beta2, eps, wd, clip;
    bool norms; /* keep what lm_nn_norms tells; changes no bit of the update */
} lm_adamw;
int lm_nn_update(lm_nn *nn, const lm_adamw *o, double *gnorm);
void lm_nn_clear(lm_nn *nn); /* drops the accumulated gradient */

/* The values of tensor i of the model, [t[i].n]; NULL where it has none: the moments and average of
   what is frozen, LM_NN_V under Lion, LM_NN_EMA where no average is kept. After writing masters
   call lm_nn_repack. */
enum { LM_NN_MASTER = 0, LM_NN_M = 1, LM_NN_V = 2, LM_NN_EMA = 3, LM_NN_GRAD = 4 };
float *lm_nn_array(lm_nn *nn, int which, size_t i);
bool lm_nn_keeps(const lm_nn_opt *o, int which, size_t i); /* would there be such an array? */
/* Trades m->w for the average, and back: lm_model_save then writes the average. Losses need
   lm_nn_repack behind each. */
void lm_nn_trade_ema(lm_nn *nn);
bool lm_nn_has_ema(const lm_nn *nn);
void lm_nn_restart_ema(lm_nn *nn); /* the average becomes the masters */
/* Of the last update, which had norms on: sums of squares of tensor i: weights behind it, gradient
   before clipping, change. Zero of what is frozen. */
typedef struct {
    double weight, grad, update;
} lm_nn_norm;
lm_nn_norm lm_nn_norms(const lm_nn *nn, size_t i);
/* Of its gradient, all tensors that are not frozen: how many numbers are below 2^-32 [0], in each
   octave from there [1 ..], and from 2^(LM_NN_HIST - 34) on [LM_NN_HIST - 1]. */
enum { LM_NN_HIST = 42 };
void lm_nn_hist(const lm_nn *nn, uint64_t count[LM_NN_HIST]);
uint64_t lm_nn_updates(const lm_nn *nn); /* updates so far: AdamW's bias correction */
void lm_nn_set_updates(lm_nn *nn, uint64_t t);
void lm_nn_repack(lm_nn *nn);

/* Learning rate of step t (0 ..) of n: linear warm-up over the first `warm` steps, then by kind;
   over the last `decay` steps wsd falls as 1 - sqrt(x), linear and cosine fall over all that
   remains after the warm-up. */
enum { LM_SCHED_WSD = 0, LM_SCHED_COSINE = 1, LM_SCHED_LINEAR = 2, LM_SCHED_CONST = 3 };
double lm_sched(int kind, double lr, uint64_t t, uint64_t n, uint64_t warm, uint64_t decay);

#endif
