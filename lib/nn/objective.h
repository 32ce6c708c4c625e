/* objective: what a model is asked to predict, as lengths: spans to leave out, a prefix to see. */
#ifndef LM_OBJECTIVE_H
#define LM_OBJECTIVE_H
#include "base/base.h"

/* A denoiser: spans of `span` tokens in the mean that cover `rate` of a text; span 0: the rest behind a prefix of any
   length. mode: 'r', 'x' or 's'. share: of the texts; those of a mixture sum to 1. */
typedef struct { double span, rate, share; char mode; } lm_denoiser;

/* Published mixtures: "ul2" (Tay et al. 2205.05131, table 3, equal shares), "ul2r" (2210.11399, 3.2); the rows and
   their number, NULL: no such name. */
const lm_denoiser *lm_mixture(const char *name, size_t *n);
/* The row that x in [0, 1) falls into. */
const lm_denoiser *lm_mixture_at(const lm_denoiser *rows, size_t n, double x);

/* How many spans leave out how many of n >= 2 tokens: T5's random_spans_noise_mask (Raffel et al. 1910.10683): both
   rounded to whole numbers, at least one span and one token outside, at most `most` spans. */
void lm_noise(const lm_denoiser *d, uint64_t n, uint64_t most, uint64_t *spans, uint64_t *noise);
/* The most tokens of a text of which lm_noise makes no more than `most` spans. */
uint64_t lm_noise_room(const lm_denoiser *d, uint64_t most);
/* Lengths in turn: a gap, a span, a gap, .. of n tokens, all at least 1, each way to divide them equally likely.
   len has room for 2 * spans. */
void lm_noise_lengths(uint64_t *state, uint64_t n, uint64_t spans, uint64_t noise, uint32_t *len);

#endif
