/* merge, AVX-512: what neighbours make in one register, where its least and the place of that are
   one instruction; which places are still a token's in a bit mask. A step waits for the one before,
   so four words go side by side. Equal to kernels/ref/merge.c. */
#include <immintrin.h>
#include <stdbool.h>
#include "kernels/data.h"

enum { SIDE = 4, NONE = 256 };
typedef struct {
    __m512i to;                    /* lane i: place i and the next, all ones: nothing */
    uint64_t tokens;               /* bit i + 1: place i begins a token; and 0 and the end, */
    uint16_t id[LM_MERGE_MAX + 2]; /* which have ids that no pair holds; of place i: [i + 1] */
    size_t at;                     /* the word's number */
} word;

static inline uint16_t find(const lm_mergetab *t, uint32_t pair, uint32_t i)
{
    const __m512i want = _mm512_set1_epi32((int)pair);

    for (;; i = i + 1 < t->lines ? i + 1 : 0) {
        const lm_mergeline *l = &t->line[i];
        unsigned hit =
            _mm512_cmpeq_epi32_mask(_mm512_load_si512(l), want) & ((1u << LM_MERGE_WAYS) - 1);

        if (__builtin_expect(hit || !l->more, 1))
            return l->id[_tzcnt_u32(hit | 1u << LM_MERGE_WAYS)];
    }
}

/* The least of eight << 16 | where it is, the first of equals. */
static inline uint32_t least_of(__m128i v)
{
    uint32_t x = (uint32_t)_mm_cvtsi128_si32(_mm_minpos_epu16(v));

    return x << 16 | x >> 16;
}

static inline uint32_t min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The same of 8 * eights. */
static inline uint32_t least_all(__m512i v, int eights)
{
    uint32_t x = least_of(_mm512_castsi512_si128(v));

    if (eights > 1)
        x = min(x, least_of(_mm512_extracti32x4_epi32(v, 1)) + 8);
    if (eights > 2)
        x = min(min(x, least_of(_mm512_extracti32x4_epi32(v, 2)) + 16),
                least_of(_mm512_extracti32x4_epi32(v, 3)) + 24);
    return x;
}

static inline void begin(word *w, const uint16_t *id, const uint16_t *to, size_t n, size_t at)
{
    const __m512i ones = _mm512_set1_epi16(-1);
    __mmask32 in = (__mmask32)((1ull << n) - 1);

    w->to = _mm512_mask_loadu_epi16(ones, in, to);
    w->tokens = (4ull << n) - 1;
    w->id[0] = LM_MERGE_NONE;
    _mm512_storeu_si512(w->id + 1, _mm512_mask_loadu_epi16(ones, in, id));
    w->id[n + 1] = LM_MERGE_NONE;
    w->at = at;
}

/* One merge; false if there was none. */
static inline bool step(const lm_mergetab *t, word *w, int eights)
{
    uint32_t x = least_all(w->to, eights), least = x >> 16, i = (x & 31) + 1, before, second,
             behind, l, r, m, k;
    uint64_t rest;

    if (least == LM_MERGE_NONE)
        return false;
    before = 63 - (uint32_t)__builtin_clzll(_bzhi_u64(w->tokens, i));
    rest = w->tokens >> i >> 1;
    second = (uint32_t)_tzcnt_u64(rest) + i + 1;
    behind = (uint32_t)_tzcnt_u64(_blsr_u64(rest)) + i + 1;
    w->tokens ^= 1ull << second;
    w->id[i] = (uint16_t)least;
    l = (uint32_t)w->id[before] << 16 | least;
    r = least << 16 | w->id[behind];
    m = lm_merge_line(l, t->lines);
    k = lm_merge_line(r, t->lines);
    m = before ? m : k; /* nothing is there: any line will do */
    k = w->id[behind] == LM_MERGE_NONE ? m : k;
    w->to = _mm512_mask_set1_epi16(w->to, (__mmask32)(1ull << (second - 1)), -1);
    w->to = _mm512_mask_set1_epi16(w->to, 1u << (i - 1), (short)find(t, r, k));
    w->to = _mm512_mask_set1_epi16(w->to, (1u << before) >> 1, (short)find(t, l, m));
    return true;
}

/* Packs the ids; how many. */
static inline uint8_t end(const word *w, uint16_t *id)
{
    uint32_t m = (uint32_t)(w->tokens >> 1), low = m & 0xffff;
    size_t k = (size_t)_mm_popcnt_u32(low);
    __m512i v = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(w->id + 1)));

    _mm256_storeu_si256((__m256i *)id,
                        _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32((__mmask16)low, v)));
    if (m >> 16) {
        v = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(w->id + 17)));
        v = _mm512_maskz_compress_epi32((__mmask16)(m >> 16), v);
        _mm256_mask_storeu_epi16(
            id + k, (__mmask16)((1u << (LM_MERGE_MAX - k < 16 ? LM_MERGE_MAX - k : 16)) - 1),
            _mm512_cvtepi32_epi16(v));
    }
    return (uint8_t)(_mm_popcnt_u64(w->tokens) - 2);
}

/* The n words of `order`, all of at most 8 * eights + 1 ids. */
static inline void merge(const lm_mergetab *t, const uint8_t *order, size_t n,
                         uint16_t (*id)[LM_MERGE_MAX], uint16_t (*to)[LM_MERGE_MAX], uint8_t *len,
                         int eights)
{
    size_t next = 0, busy = SIDE;
    word w[SIDE] = {0};

    /* a word that is done makes room for the next */
#define NEXT(w) \
    if (next < n) { \
        size_t at = order[next++]; \
\
        begin((w), id[at], to[at], len[at], at); \
    } else { \
        (w)->at = NONE; \
        (w)->to = _mm512_set1_epi16(-1); \
        busy--; \
    }
#define TURN(w) \
    if (!step(t, (w), eights) && (w)->at != NONE) { \
        len[(w)->at] = end((w), id[(w)->at]); \
        NEXT(w) \
    }
    NEXT(&w[0])
    NEXT(&w[1])
    NEXT(&w[2])
    NEXT(&w[3])
    while (busy) {
        TURN(&w[0])
        TURN(&w[1])
        TURN(&w[2])
        TURN(&w[3])
    }
}

void lm_merge_avx512(const lm_mergetab *t, size_t words, uint16_t (*id)[LM_MERGE_MAX],
                     uint16_t (*to)[LM_MERGE_MAX], uint8_t *n)
{
    static const uint8_t class[LM_MERGE_MAX + 1] = {[10] = 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2,
                                                    2,        2, 2, 2, 2, 2, 2, 2, 2, 2, 2};

    for (size_t some; words; words -= some, id += some, to += some, n += some) {
        uint8_t order[3][256];
        size_t k[3] = {0};

        some = words < 256 ? words : 256;
        for (size_t i = 0; i < some; i++) {
            size_t c = class[n[i]];

            order[c][k[c]++] = (uint8_t)i;
        }
        merge(t, order[0], k[0], id, to, n, 1);
        merge(t, order[1], k[1], id, to, n, 2);
        merge(t, order[2], k[2], id, to, n, 4);
    }
}
