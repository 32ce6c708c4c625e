/* merge, AVX-512, ids of 16 bits: of eight lanes the least and its place are one instruction. */
#include <immintrin.h>
#include <stdbool.h>
#include "kernels/data.h"

typedef __m512i lanes;
typedef lm_mergetab table;

static inline lanes load(const uint32_t *to, size_t n, int halves)
{
    __m512i v = _mm512_castsi256_si512(_mm512_cvtepi32_epi16(_mm512_loadu_si512(to)));

    if (halves > 1)
        v = _mm512_inserti64x4(v, _mm512_cvtepi32_epi16(_mm512_loadu_si512(to + 16)), 1);
    return _mm512_mask_mov_epi16(_mm512_set1_epi16(-1), (__mmask32)((1ull << n) - 1), v);
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

static inline uint32_t least(lanes v, int halves, uint32_t *place)
{
    uint32_t x = least_of(_mm512_castsi512_si128(v));

    if (halves > 0)
        x = min(x, least_of(_mm512_extracti32x4_epi32(v, 1)) + 8);
    if (halves > 1)
        x = min(min(x, least_of(_mm512_extracti32x4_epi32(v, 2)) + 16),
                least_of(_mm512_extracti32x4_epi32(v, 3)) + 24);
    *place = x & 31;
    return x >> 16 == LM_NARROW_NONE ? LM_MERGE_NONE : x >> 16;
}

static inline lanes put(lanes v, uint32_t bit, uint32_t id)
{
    return _mm512_mask_set1_epi16(v, bit, (short)id);
}

static inline uint32_t line_of(const table *t, uint32_t left, uint32_t right)
{
    return lm_merge_line(left << 16 | right, t->lines);
}

static inline uint32_t find(const table *t, uint32_t left, uint32_t right, uint32_t i)
{
    const __m512i want = _mm512_set1_epi32((int)(left << 16 | right));

    for (;; i = i + 1 < t->lines ? i + 1 : 0) {
        const lm_mergeline *l = &t->line[i];
        unsigned hit =
            _mm512_cmpeq_epi32_mask(_mm512_load_si512(l), want) & ((1u << LM_MERGE_WAYS) - 1);

        if (__builtin_expect(hit || !l->more, 1))
            return l->id[_tzcnt_u32(hit | 1u << LM_MERGE_WAYS)];
    }
}

#include "kernels/x86/merge.h"

void lm_narrow_avx512(const lm_mergetab *t, size_t words, uint32_t (*id)[LM_MERGE_MAX],
                      uint32_t (*to)[LM_MERGE_MAX], uint8_t *n)
{
    merge_all(t, words, id, to, n);
}
