/* wordids, AVX-512: the keys of a line in one comparison. Equal to kernels/ref/wordids.c. */
#include <immintrin.h>
#include <stdbool.h>
#include "kernels/data.h"

static inline __m128i load16(const char *p, size_t n)
{
    return _mm_maskz_loadu_epi8((__mmask16)((1u << n) - 1), p);
}

static inline unsigned find_few(const lm_shortline *line, uint64_t key)
{
    return _mm512_cmpeq_epi64_mask(_mm512_load_si512(line), _mm512_set1_epi64((long long)key)) & 31;
}

static inline unsigned find_many(const lm_longline *line, __m128i key)
{
    unsigned m = _mm512_cmpeq_epi64_mask(_mm512_load_si512(line), _mm512_broadcast_i64x2(key));

    return m & m >> 1 & 0x15;
}

#include "kernels/x86/wordids.h"

size_t lm_wordids_avx512(const lm_wordtab *t, const char *p, size_t left, size_t at,
                         const uint32_t *end, size_t k, uint32_t *id, uint16_t *missed)
{
    return wordids(t, p, left, at, end, k, id, missed);
}
