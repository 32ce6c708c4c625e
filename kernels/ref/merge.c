/* merge: the byte pair merges of short words (kernels/data.h). The meaning. */
#include "kernels/data.h"

static uint16_t join(const lm_jointab *t, uint16_t left, uint16_t right)
{
    uint32_t id = lm_join(t, left, right);

    return id == LM_JOIN_NONE ? LM_MERGE_NONE : (uint16_t)id;
}

static size_t one(const lm_jointab *t, uint16_t *id, uint16_t *to, size_t n)
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
        to[best] = best + 1 < n ? join(t, least, id[best + 1]) : LM_MERGE_NONE;
        if (best)
            to[best - 1] = join(t, id[best - 1], least);
    }
}

void lm_merge_ref(const lm_jointab *t, size_t words, uint16_t (*id)[LM_MERGE_MAX],
                  uint16_t (*to)[LM_MERGE_MAX], uint8_t *n)
{
    for (size_t w = 0; w < words; w++)
        n[w] = (uint8_t)one(t, id[w], to[w], n[w]);
}
