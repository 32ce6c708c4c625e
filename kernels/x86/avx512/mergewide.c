/* merge, AVX-512, ids of 21 bits: a lane holds its number below the id, so that the least tells it.
 */
#include <immintrin.h>
#include <stdbool.h>
#include "kernels/data.h"

enum { SHIFT = 5 };
typedef struct {
    __m512i low, high; /* id << SHIFT | lane; of no id: all ones, or not much less */
} lanes;
typedef lm_jointab table;

static inline __m512i numbers(int from)
{
    return _mm512_add_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                            _mm512_set1_epi32(from));
}

static inline lanes load(const uint32_t *to, size_t n, int halves)
{
    const __m512i ones = _mm512_set1_epi32(-1);
    __mmask32 in = (__mmask32)((1ull << n) - 1);
    lanes v = {ones, ones};

    v.low = _mm512_mask_loadu_epi32(ones, (__mmask16)in, to);
    v.low = _mm512_or_si512(_mm512_slli_epi32(v.low, SHIFT), numbers(0));
    if (halves > 1) {
        v.high = _mm512_mask_loadu_epi32(ones, (__mmask16)(in >> 16), to + 16);
        v.high = _mm512_or_si512(_mm512_slli_epi32(v.high, SHIFT), numbers(16));
    }
    return v;
}

static inline uint32_t least(lanes v, int halves, uint32_t *place)
{
    __m512i m = halves > 1 ? _mm512_min_epu32(v.low, v.high) : v.low;
    uint32_t x = _mm512_reduce_min_epu32(m);

    *place = x & 31;
    x >>= SHIFT;
    return x == LM_MERGE_NONE >> SHIFT ? LM_MERGE_NONE : x;
}

static inline lanes put(lanes v, uint32_t bit, uint32_t id)
{
    uint32_t x = id << SHIFT | (uint32_t)_tzcnt_u32(bit) % 32;

    return (lanes){_mm512_mask_set1_epi32(v.low, (__mmask16)bit, (int)x),
                   _mm512_mask_set1_epi32(v.high, (__mmask16)(bit >> 16), (int)x)};
}

/* LM_MERGE_NONE becomes 2^21 - 1, which no pair holds. */
static inline uint64_t pair_of(uint32_t left, uint32_t right)
{
    return (uint64_t)(left & 0x1fffff) << 21 | (right & 0x1fffff);
}

static inline uint32_t line_of(const table *t, uint32_t left, uint32_t right)
{
    return (uint32_t)lm_join_line(pair_of(left, right), t->bits);
}

static inline uint32_t find(const table *t, uint32_t left, uint32_t right, uint32_t i)
{
    const __m512i want = _mm512_set1_epi64((long long)pair_of(left, right));

    for (;; i = (i + 1) & ((1u << t->bits) - 1)) {
        const uint64_t *line = t->slot + 8 * (size_t)i;
        __m512i v = _mm512_load_si512(line);
        unsigned hit = _mm512_cmpeq_epi64_mask(_mm512_srli_epi64(v, 22), want);
        unsigned used = _mm512_cmpneq_epi64_mask(v, _mm512_set1_epi64(-1));
        uint32_t id = (uint32_t)line[_tzcnt_u32(hit) & 7] & 0x3fffff;

        if (__builtin_expect(hit || used != 255, 1))
            return hit ? id : LM_MERGE_NONE;
    }
}

#include "kernels/x86/merge.h"

void lm_wide_avx512(const lm_jointab *t, size_t words, uint32_t (*id)[LM_MERGE_MAX],
                    uint32_t (*to)[LM_MERGE_MAX], uint8_t *n)
{
    merge_all(t, words, id, to, n);
}
