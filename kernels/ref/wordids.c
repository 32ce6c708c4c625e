/* wordids: ids of words by two tables (kernels/data.h). The meaning. */
#include "kernels/data.h"

static uint32_t find(const lm_wordtab *t, const unsigned char *p, size_t n)
{
    uint64_t k[2] = {0, 0};

    if (n > LM_WORD_LONG)
        return LM_WORD_NONE;
    for (size_t i = 0; i < n; i++)
        k[i / 8] |= (uint64_t)p[i] << 8 * (i % 8);
    if (n <= LM_WORD_SHORT) {
        return lm_shortword(t, k[0] | (uint64_t)n << 56);
    } else {
        const lm_longline *line;

        k[1] |= (uint64_t)n << 56;
        line = t->many + (lm_long_hash(k[0], k[1]) >> t->manyshift);
        for (size_t i = 0; i < LM_LONG_WAYS; i++)
            if (line->key[i][0] == k[0] && line->key[i][1] == k[1])
                return line->id[i];
    }
    return LM_WORD_NONE;
}

size_t lm_wordids_ref(const lm_wordtab *t, const char *p, size_t left, size_t at,
                      const uint32_t *end, size_t k, uint32_t *id, uint16_t *missed)
{
    size_t nmissed = 0;

    (void)left;
    for (size_t j = 0; j < k; at = end[j++]) {
        id[j] = find(t, (const unsigned char *)p + at, end[j] - at);
        if (id[j] == LM_WORD_NONE)
            missed[nmissed++] = (uint16_t)j;
    }
    return nmissed;
}
