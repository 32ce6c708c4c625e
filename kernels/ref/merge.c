/* merge: the byte pair merges of short words (kernels/data.h). The meaning. */
#include "kernels/data.h"

typedef uint32_t find(const void *t, uint32_t left, uint32_t right);

static uint32_t find_narrow(const void *t, uint32_t left, uint32_t right)
{
    return lm_merge_find(t, left, right);
}

static uint32_t find_wide(const void *t, uint32_t left, uint32_t right)
{
    return lm_join(t, left, right);
}

static inline size_t one(find *make, const void *t, uint32_t *id, uint32_t *to, size_t n)
{
    for (;;) {
        uint32_t least = to[0];
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
        to[best] = best + 1 < n ? make(t, least, id[best + 1]) : LM_MERGE_NONE;
        if (best)
            to[best - 1] = make(t, id[best - 1], least);
    }
}

void lm_narrow_ref(const lm_mergetab *t, size_t words, uint32_t (*id)[LM_MERGE_MAX],
                   uint32_t (*to)[LM_MERGE_MAX], uint8_t *n)
{
    for (size_t w = 0; w < words; w++)
        n[w] = (uint8_t)one(find_narrow, t, id[w], to[w], n[w]);
}

void lm_wide_ref(const lm_jointab *t, size_t words, uint32_t (*id)[LM_MERGE_MAX],
                 uint32_t (*to)[LM_MERGE_MAX], uint8_t *n)
{
    for (size_t w = 0; w < words; w++)
        n[w] = (uint8_t)one(find_wide, t, id[w], to[w], n[w]);
}
