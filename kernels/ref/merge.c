/* merge: the byte pair merges of a short word (kernels/data.h). The meaning. */
#include "kernels/data.h"

static size_t one(const lm_jointab *t, uint32_t *id, uint32_t *to, size_t n)
{
    for (;;) {
        uint32_t least = to[0];
        size_t best = 0;

        for (size_t i = 1; i + 1 < n; i++) {
            best = to[i] < least ? i : best;
            least = to[i] < least ? to[i] : least;
        }
        if (least == LM_JOIN_NONE)
            return n;
        id[best] = least;
        n--;
        for (size_t i = best + 1; i < n; i++) {
            id[i] = id[i + 1];
            to[i] = to[i + 1];
        }
        to[best] = best + 1 < n ? lm_join(t, least, id[best + 1]) : LM_JOIN_NONE;
        if (best)
            to[best - 1] = lm_join(t, id[best - 1], least);
    }
}

void lm_merge_ref(const lm_jointab *t, size_t words, uint32_t (*id)[LM_MERGE_MAX],
                  uint32_t (*to)[LM_MERGE_MAX], uint8_t *n)
{
    for (size_t w = 0; w < words; w++)
        n[w] = (uint8_t)one(t, id[w], to[w], n[w]);
}
