/* merge, AVX-512: the ids of a word in one register, what neighbours make in another; a line of the
   table in one comparison. A step waits for the one before, so four words go side by side. Equal to
   kernels/ref/merge.c. */
#include <immintrin.h>
#include <stdbool.h>
#include "kernels/data.h"

typedef struct {
    __m512i id, to; /* behind the last: all ones, which no pair holds */
    size_t at;      /* the word's number */
} word;

static inline uint16_t join(const lm_jointab *t, uint32_t left, uint32_t right)
{
    uint64_t pair = (uint64_t)left << 21 | right, i = lm_pair_line(pair, t->bits);
    const __m512i want = _mm512_set1_epi64((long long)pair);

    for (;; i = (i + 1) & ((1ull << t->bits) - 1)) {
        const uint64_t *line = t->slot + 8 * i;
        __m512i v = _mm512_load_si512(line);
        unsigned hit = _mm512_cmpeq_epi64_mask(_mm512_srli_epi64(v, 22), want);
        unsigned used = _mm512_cmpneq_epi64_mask(v, _mm512_set1_epi64(-1));
        uint32_t id = (uint32_t)line[_tzcnt_u32(hit) & 7];

        if (hit || used != 255)
            return (uint16_t)(hit ? id : LM_MERGE_NONE);
    }
}

static inline uint32_t lane(__m512i v, unsigned i)
{
    __m512i x = _mm512_permutexvar_epi16(_mm512_set1_epi16((short)i), v);

    return (uint16_t)_mm_cvtsi128_si32(_mm512_castsi512_si128(x));
}

static inline uint16_t least_of(__m512i v)
{
    __m256i h = _mm256_min_epu16(_mm512_castsi512_si256(v), _mm512_extracti64x4_epi64(v, 1));
    __m128i q = _mm_min_epu16(_mm256_castsi256_si128(h), _mm256_extracti128_si256(h, 1));

    return (uint16_t)_mm_cvtsi128_si32(_mm_minpos_epu16(q));
}

/* One merge; false if there was none. */
static inline bool step(const lm_jointab *t, word *w)
{
    const __m512i ones = _mm512_set1_epi16(-1);
    static const uint16_t count[LM_MERGE_MAX] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                                 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                                 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};
    uint16_t least = least_of(w->to);
    __m512i all = _mm512_set1_epi16((short)least), from = _mm512_loadu_si512(count);
    unsigned best;
    __mmask32 bit, behind;

    if (least == LM_MERGE_NONE)
        return false;
    best = _tzcnt_u32(_mm512_cmpeq_epu16_mask(w->to, all));
    bit = 1u << best;
    behind = ~(bit | (bit - 1)); /* these lanes take what is one further on; the last takes ones */
    from = _mm512_mask_sub_epi16(from, behind, from, ones);
    w->id = _mm512_mask_permutexvar_epi16(w->id, behind, from, w->id);
    w->id = _mm512_mask_mov_epi16(w->id, bit, all);
    w->id = _mm512_mask_mov_epi16(w->id, 1u << 31, ones);
    w->to = _mm512_mask_permutexvar_epi16(w->to, behind, from, w->to);
    w->to = _mm512_mask_mov_epi16(w->to, 1u << 31, ones);
    /* the last lane is behind every word now, and before it too */
    w->to = _mm512_mask_set1_epi16(w->to, bit, (short)join(t, least, lane(w->id, best + 1)));
    w->to = _mm512_mask_set1_epi16(w->to, bit >> 1, (short)join(t, lane(w->id, best - 1), least));
    return true;
}

void lm_merge_avx512(const lm_jointab *t, size_t words, uint16_t (*id)[LM_MERGE_MAX],
                     uint16_t (*to)[LM_MERGE_MAX], uint8_t *n)
{
    const __m512i ones = _mm512_set1_epi16(-1);
    word w[4] = {{ones, ones, words},
                 {ones, ones, words},
                 {ones, ones, words},
                 {ones, ones, words}};
    size_t next = 0, busy = words < 4 ? words : 4;

    /* a word that is done makes room for the next */
#define LOAD(w) \
    if (next < words) { \
        __mmask32 in = (__mmask32)((1ull << n[next]) - 1); \
\
        (w)->id = _mm512_mask_loadu_epi16(ones, in, id[next]); \
        (w)->to = _mm512_mask_loadu_epi16(ones, in, to[next]); \
        (w)->at = next++; \
    } else { \
        (w)->at = words; \
    }
#define TURN(w) \
    if (!step(t, w) && (w)->at < words) { \
        _mm512_storeu_si512(id[(w)->at], (w)->id); \
        n[(w)->at] = (uint8_t)_mm_popcnt_u32(_mm512_cmpneq_epu16_mask((w)->id, ones)); \
        busy -= next == words; \
        LOAD(w) \
    }
    LOAD(&w[0])
    LOAD(&w[1])
    LOAD(&w[2])
    LOAD(&w[3])
    while (busy) {
        TURN(&w[0])
        TURN(&w[1])
        TURN(&w[2])
        TURN(&w[3])
    }
}
