/* sample: from the logits of one position to one token. */
#ifndef LM_NN_SAMPLE_H
#define LM_NN_SAMPLE_H
#include "base/base.h"

/* In the order they act, which is that of transformers: repetition penalty (Keskar et al. 2019; 1 =
   off), temperature (0 = the largest logit), top-k (0 = off), top-p (Holtzman et al. 2020; 1 =
   off), min-p (0 = off). */
typedef struct {
    double repeat, temp, top_p, min_p;
    uint32_t top_k;
} lm_sampling;

typedef struct lm_sampler lm_sampler;
lm_sampler *lm_sampler_new(uint32_t vocab); /* one a thread: scratch memory */
void lm_sampler_free(lm_sampler *s);
/* The token at u in [0, 1) of the distribution that is left: the inverse of the cumulated
   probabilities, tokens by falling probability, ties to the smaller id. seen: ids the penalty
   counts. logits [vocab] are not changed. LM_EDEVICE if one of them is not a number. Same result on
   every machine. */
int lm_sample(lm_sampler *s, const lm_sampling *how, const float *logits, const uint32_t *seen,
              size_t nseen, double u, uint32_t *token);
/* log p of token under the softmax of the logits, natural logarithm. */
double lm_logp(const float *logits, uint32_t vocab, uint32_t token);
/* The k most likely tokens, by falling logit, ties to the smaller id. */
void lm_top(const float *logits, uint32_t vocab, uint32_t k, uint32_t *ids);

double lm_exp(double x); /* within 1 ulp, the same bits everywhere (libm's differ by version) */
double lm_log(double x); /* same, x > 0 */

#endif
