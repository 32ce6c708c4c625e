/* merge: the byte pair merges of short words (kernels/data.h). The meaning. */
#include "kernels/data.h"

static size_t one(const lm_mergetab *t, uint16_t *id, uint16_t *to, size_t n)
{
    for (;;) {
        uint16_t least = to[0];
        size_t best = 0;

        for (size_t i = 1; i + 1 < n; i++) {
            best = to[i] < least ? i : best;
            least = to[i] < least ? to[i] : least;
        }
        if (least == LM_MERGE_NONE)
            return n;
        id[best] = least;
        n--;
        for (size_t i = best + 1; i < n; i++) {
            id[i] = id[i + 1];
            to[i] = to[i + 1];
        }
        to[best] = best + 1 < n ? lm_merge_find(t, least, id[best + 1]) : LM_MERGE_NONE;
        if (best)
            to[best - 1] = lm_merge_find(t, id[best - 1], least);
    }
}

void lm_merge_ref(const lm_mergetab *t, size_t words, uint16_t (*id)[LM_MERGE_MAX],
                  uint16_t (*to)[LM_MERGE_MAX], uint8_t *n)
{
    for (size_t w = 0; w < words; w++)
        n[w] = (uint8_t)one(t, id[w], to[w], n[w]);
}
