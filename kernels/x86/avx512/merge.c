/* merge, AVX-512: the ids of a word in one register, what neighbours make in another; a line of the
   table in one comparison. A step waits for the one before, so four words go in step: those that
   are done stand still. Equal to kernels/ref/merge.c. */
#include <immintrin.h>
#include <stdbool.h>
#include "kernels/data.h"

static inline uint32_t join(const lm_jointab *t, uint32_t left, uint32_t right)
{
    uint64_t pair = (uint64_t)left << 21 | right, i = lm_pair_line(pair, t->bits);
    const __m512i want = _mm512_set1_epi64((long long)pair);

    for (;; i = (i + 1) & ((1ull << t->bits) - 1)) {
        const uint64_t *line = t->slot + 8 * i;
        __m512i v = _mm512_load_si512(line);
        unsigned hit = _mm512_cmpeq_epi64_mask(_mm512_srli_epi64(v, 22), want);
        unsigned used = _mm512_cmpneq_epi64_mask(v, _mm512_set1_epi64(-1));
        uint32_t id = (uint32_t)line[_tzcnt_u32(hit) & 7] & 0x3fffff;

        if (hit || used != 255)
            return hit ? id : LM_JOIN_NONE;
    }
}

typedef struct {
    __m512i id, to;
} word;

static inline uint32_t lane(__m512i v, unsigned i)
{
    return (uint32_t)_mm_cvtsi128_si32(
        _mm512_castsi512_si128(_mm512_permutexvar_epi32(_mm512_set1_epi32((int)i), v)));
}

/* One merge; false if there was none. */
static inline bool step(const lm_jointab *t, word *w)
{
    const __m512i none = _mm512_set1_epi32(-1), end = _mm512_set1_epi32(LM_JOIN_END);
    uint32_t least = _mm512_reduce_min_epu32(w->to);
    __m512i all = _mm512_set1_epi32((int)least);
    unsigned best = _tzcnt_u32(_mm512_cmpeq_epi32_mask(w->to, all)), bit = 1u << best;
    __mmask16 stay = (__mmask16) ~(bit << 1);

    if (least == LM_JOIN_NONE)
        return false;
    w->id =
        _mm512_mask_compress_epi32(end, stay, _mm512_mask_mov_epi32(w->id, (__mmask16)bit, all));
    w->to = _mm512_mask_compress_epi32(none, stay, w->to);
    /* the last lane holds no id now: it stands before the first too */
    w->to =
        _mm512_mask_set1_epi32(w->to, (__mmask16)bit, (int)join(t, least, lane(w->id, best + 1)));
    w->to = _mm512_mask_set1_epi32(w->to, (__mmask16)(bit >> 1),
                                   (int)join(t, lane(w->id, best - 1), least));
    return true;
}

void lm_merge_avx512(const lm_jointab *t, size_t words, uint32_t (*id)[LM_MERGE_MAX],
                     uint32_t (*to)[LM_MERGE_MAX], uint8_t *n)
{
    const __m512i none = _mm512_set1_epi32(-1), end = _mm512_set1_epi32(LM_JOIN_END);
    word w[4] = {{end, none}, {end, none}, {end, none}, {end, none}};
    size_t at[4] = {words, words, words, words}, next = 0, busy = 0;

    for (size_t i = 0; i < 4 && next < words; i++, busy++, next++) {
        __mmask16 in = (__mmask16)((1u << n[next]) - 1);

        at[i] = next;
        w[i].id = _mm512_mask_loadu_epi32(end, in, id[next]);
        w[i].to = _mm512_mask_loadu_epi32(none, in, to[next]);
    }
#define TURN(i) \
    if (!step(t, &w[i]) && at[i] < words) { \
        _mm512_storeu_si512(id[at[i]], w[i].id); \
        n[at[i]] = (uint8_t)_mm_popcnt_u32(_mm512_cmpneq_epi32_mask(w[i].id, end)); \
        if (next < words) { \
            __mmask16 in = (__mmask16)((1u << n[next]) - 1); \
\
            at[i] = next; \
            w[i].id = _mm512_mask_loadu_epi32(end, in, id[next]); \
            w[i].to = _mm512_mask_loadu_epi32(none, in, to[next]); \
            next++; \
        } else { \
            busy--; \
            at[i] = words; \
        } \
    }
    while (busy) {
        TURN(0);
        TURN(1);
        TURN(2);
        TURN(3);
    }
}
