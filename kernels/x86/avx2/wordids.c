/* wordids, AVX2: four words of a line in one comparison. Equal to kernels/ref/wordids.c. */
#include <immintrin.h>
#include <string.h>
#include "kernels/data.h"

static inline __m128i load16(const char *p, size_t n)
{
    unsigned char x[16] = {0};

    memcpy(x, p, n);
    return _mm_loadu_si128((const __m128i *)x);
}

static inline unsigned find_few(const lm_shortline *line, uint64_t key)
{
    __m256i eq = _mm256_cmpeq_epi64(_mm256_load_si256((const __m256i *)line),
                                    _mm256_set1_epi64x((long long)key));

    return (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(eq)) | (unsigned)(line->key[4] == key)
                                                                       << 4;
}

static inline unsigned find_many(const lm_longline *line, __m128i key)
{
    __m256i eq = _mm256_cmpeq_epi64(_mm256_load_si256((const __m256i *)line),
                                    _mm256_broadcastsi128_si256(key));
    __m128i last = _mm_cmpeq_epi64(_mm_load_si128((const __m128i *)line->key[2]), key);
    unsigned m = (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(eq)) |
                 (unsigned)_mm_movemask_pd(_mm_castsi128_pd(last)) << 4;

    return m & m >> 1 & 0x15;
}

#include "kernels/x86/wordids.h"

size_t lm_wordids_avx2(const lm_wordtab *t, const char *p, size_t left, size_t at,
                       const uint32_t *end, size_t k, uint32_t *id, uint16_t *missed)
{
    size_t n = 0;

    few_of(t, p, left, at, end, 0, k, id);
    for (size_t j = 0; j < k; j++) {
        missed[n] = (uint16_t)j;
        n += id[j] == LM_WORD_NONE;
    }
    return many_of(t, p, at, end, n, id, missed);
}
