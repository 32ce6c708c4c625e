/* babble: random numbers from a fixed seed, and text of few letters, so that merges nest. */
#ifndef LM_BABBLE_H
#define LM_BABBLE_H
#include "lm.h"

static uint64_t seed = 1;

static inline uint64_t rnd(uint64_t n)
{
    return lm_splitmix(&seed) % n;
}

/* A word of n bytes, each one of letters. */
static inline void babble_word(lm_buf *b, const char *letters, size_t n)
{
    for (size_t k = strlen(letters); n; n--)
        lm_buf_addc(b, letters[rnd(k)]);
}

/* n bytes or some more: words of up to `longest`. */
static inline void babble(lm_buf *b, size_t n, size_t longest)
{
    b->n = 0;
    while (b->n < n) {
        babble_word(b, "aab", 1 + rnd(longest));
        lm_buf_addc(b, " \n\xff\t"[rnd(4)]);
    }
}

#endif
