/* rolling: the likelihood of long texts: windows over the ids, each id scored once with at least
   ctx - stride ids before it (where the text has them). */
#ifndef LM_NN_ROLLING_H
#define LM_NN_ROLLING_H
#include "nn/step.h"

typedef struct lm_roll lm_roll;
/* rows windows of ctx ids a forward pass; each next window begins stride ids later (1 <= stride <=
   ctx). Values do not depend on rows. LM_EDEVICE .. as lm_nn_new. */
int lm_roll_new(lm_roll **r, lm_model *m, uint32_t ctx, uint32_t stride, uint32_t rows,
                lm_pool *pool);
void lm_roll_free(lm_roll *r);
/* A text: ids[0] is its context alone (the end token of a text before), ids[1 .. n) are scored: nll
   [n - 1] gets -log p, natural logarithm, of each, once lm_roll_flush or a later call has run its
   window; both live until then. */
int lm_roll_text(lm_roll *r, const uint32_t *ids, size_t n, float *nll);
int lm_roll_flush(lm_roll *r);

#endif
