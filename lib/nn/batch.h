/* batch: continuous batching: many generations share each forward step. All that run decode one
   token, then prompts are filled in chunks within the step's token budget. What a generation gives
   depends on its own prompt and seed alone. */
#ifndef LM_NN_BATCH_H
#define LM_NN_BATCH_H
#include "nn/kv.h"
#include "nn/sample.h"

/* One prompt and its samples. The caller fills the first part and owns all of it until .done == .n.
 */
typedef struct lm_job {
    const uint32_t *ids; /* the prompt, nids > 0 */
    uint32_t nids, n,
        max_tokens; /* n samples; at most max_tokens each, and never beyond the context */
    lm_sampling how;
    uint64_t seed;
    lm_str id; /* names the prompt in the draws: u = K(seed, "sample", id, sample, position) */
    /* Called for each token drawn, with the logits it came from ([vocab]); returns 0 to go on, else
       that sample ends there. An error class ends everything. pos counts from 0. */
    int (*token)(struct lm_job *j, uint32_t sample, uint32_t pos, uint32_t id, const float *logits);
    /* Called when a sample ends: full = it ran into max_tokens or the context. */
    void (*ended)(struct lm_job *j, uint32_t sample, bool full);
    void *user;
    /* the engine's */
    uint32_t filled, started, done, slot;
    bool placed;
    struct lm_job *next;
} lm_job;

typedef struct lm_batch_gen lm_batch_gen;
/* seqs generations at once over ctx tokens each; chunk: prompt tokens a step. LM_EINVALID .. as
 * lm_kv_new. */
int lm_gen_new(lm_batch_gen **g, const lm_model *m, uint32_t seqs, uint32_t ctx, uint32_t chunk,
               lm_pool *pool);
void lm_gen_free(lm_batch_gen *g);
void lm_gen_submit(lm_batch_gen *g, lm_job *j); /* queued behind the others */
bool lm_gen_hungry(const lm_batch_gen *g);      /* a further prompt would find a free place */
/* One step. 1 = there is more to do, 0 = idle, <0. */
int lm_gen_step(lm_batch_gen *g);

#endif
