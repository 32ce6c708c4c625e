/* wordids, both levels: no branch depends on a word, so that the processor itself reads many lines
   at a time: first the short words, then those among the rest that are not too long. find_few(line,
   key), find_many(line, key) give the lanes of a line that hold key, as bits (of the second: its
   even lanes); load16 some bytes, zero filled. */
#include <string.h>
#include "kernels/data.h"

static inline uint32_t few_id(const lm_shortline *line, uint64_t key)
{
    return line->id[_tzcnt_u32(find_few(line, key) | 1u << LM_SHORT_WAYS)];
}

/* Words j .. k - 1, the first of which begins at `at`. */
static inline void few_of(const lm_wordtab *t, const char *p, size_t left, size_t at,
                          const uint32_t *end, size_t j, size_t k, uint32_t *id)
{
    for (; j < k; at = end[j++]) {
        size_t len = end[j] - at < 8 ? end[j] - at : 8; /* 8 and what it is joined with: no key */
        uint64_t x = 0;

        if (left - at >= 8)
            memcpy(&x, p + at, 8);
        else
            memcpy(&x, p + at, left - at);
        x = _bzhi_u64(x, (unsigned)(8 * len)) | (uint64_t)len << 56;
        id[j] = few_id(t->few + (lm_short_hash(x) >> t->fewshift), x);
    }
}

/* The n words of `missed` that the first table lacks; returns how many the second lacks too. */
static inline size_t many_of(const lm_wordtab *t, const char *p, size_t start, const uint32_t *end,
                             size_t n, uint32_t *id, uint16_t *missed)
{
    enum { SOME = 64 };
    size_t left = 0;

    for (size_t from = 0, some; from < n; from += some) {
        __m128i key[SOME];
        const lm_longline *line[SOME];

        some = n - from < SOME ? n - from : SOME;
        for (size_t m = 0; m < some; m++) {
            size_t j = missed[from + m], at = j ? end[j - 1] : start, len = end[j] - at;

            len = len <= LM_WORD_LONG ? len : 0; /* no such word */
            key[m] = _mm_or_si128(load16(p + at, len),
                                  _mm_set_epi64x((long long)((uint64_t)len << 56), 0));
            line[m] = t->many + (lm_long_hash((uint64_t)_mm_cvtsi128_si64(key[m]),
                                              (uint64_t)_mm_extract_epi64(key[m], 1)) >>
                                 t->manyshift);
            _mm_prefetch((const char *)line[m], _MM_HINT_T0);
        }
        for (size_t m = 0; m < some; m++) {
            size_t j = missed[from + m];
            unsigned hit = find_many(line[m], key[m]);

            hit &= -(unsigned)(_mm_extract_epi64(key[m], 1) != 0);
            id[j] = line[m]->id[_tzcnt_u32(hit | 1u << 2 * LM_LONG_WAYS) / 2];
            missed[left] = (uint16_t)j;
            left += !hit;
        }
    }
    return left;
}
