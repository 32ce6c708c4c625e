/* wordids, both levels: keys and prefetches of a batch first, then the look-ups; then the same for
   the words that the first table lacks. find_few(line, key), find_many(line, key) give the lanes of a
   line that hold key, as bits (of the second: its even lanes); load16 some bytes, zero filled. */
#include <string.h>
#include "kernels/data.h"

enum { BATCH = 128 };

static inline size_t wordids(const lm_wordtab *t, const char *p, size_t left, size_t at,
                             const uint32_t *end, size_t k, uint32_t *id, uint16_t *missed)
{
    const lm_shortline *few[BATCH];
    const lm_longline *many[BATCH];
    uint64_t key[BATCH];
    __m128i key2[BATCH];
    uint32_t from[BATCH];
    size_t nmissed = 0;

    for (size_t base = 0; base < k; base += BATCH) {
        size_t n = k - base < BATCH ? k - base : BATCH, old = nmissed, more;
        bool inside = end[base + n - 1] + (size_t)8 <= left;

        for (size_t j = 0; j < n; at = end[base + j++]) {
            size_t len = end[base + j] - at;
            uint64_t x = 0;

            if (inside || left - at >= 8)
                memcpy(&x, p + at, 8);
            else
                memcpy(&x, p + at, left - at);
            len = len < 8 ? len : 8; /* 8 and what it is joined with: no such key */
            x = _bzhi_u64(x, (unsigned)(8 * len)) | (uint64_t)len << 56;
            from[j] = (uint32_t)at;
            key[j] = x;
            few[j] = t->few + (lm_short_hash(x) >> t->fewshift);
            _mm_prefetch((const char *)few[j], _MM_HINT_T0);
        }
        for (size_t j = 0; j < n; j++) {
            unsigned hit = find_few(few[j], key[j]);

            id[base + j] = few[j]->id[_tzcnt_u32(hit | 1u << LM_SHORT_WAYS)];
            missed[nmissed] = (uint16_t)j;
            nmissed += !hit;
        }
        more = nmissed - old;
        for (size_t m = 0; m < more; m++) {
            size_t j = missed[old + m], len = end[base + j] - from[j];

            len = len <= LM_WORD_LONG ? len : 0;
            key2[m] = _mm_or_si128(load16(p + from[j], len),
                                   _mm_set_epi64x((long long)((uint64_t)len << 56), 0));
            many[m] = t->many + (lm_long_hash((uint64_t)_mm_cvtsi128_si64(key2[m]),
                                              (uint64_t)_mm_extract_epi64(key2[m], 1)) >>
                                 t->manyshift);
            _mm_prefetch((const char *)many[m], _MM_HINT_T0);
        }
        nmissed = old;
        for (size_t m = 0; m < more; m++) {
            size_t j = missed[old + m];
            unsigned hit = find_many(many[m], key2[m]) & (unsigned)-(end[base + j] - from[j] <= LM_WORD_LONG);

            id[base + j] = many[m]->id[_tzcnt_u32(hit | 1u << 2 * LM_LONG_WAYS) / 2];
            missed[nmissed] = (uint16_t)(base + j);
            nmissed += !hit;
        }
    }
    return nmissed;
}
