/* wordids, AVX-512: the keys of eight words at once, the keys of a line in one comparison. Equal to
   kernels/ref/wordids.c. */
#include <immintrin.h>
#include "kernels/data.h"

static inline __m128i load16(const char *p, size_t n)
{
    return _mm_maskz_loadu_epi8((__mmask16)((1u << n) - 1), p);
}

/* What stands behind the keys has no length in the top byte: no key. */
static inline unsigned find_few(const lm_shortline *line, uint64_t key)
{
    return _mm512_cmpeq_epi64_mask(_mm512_load_si512(line), _mm512_set1_epi64((long long)key));
}

static inline unsigned find_many(const lm_longline *line, __m128i key)
{
    unsigned m = _mm512_cmpeq_epi64_mask(_mm512_load_si512(line), _mm512_broadcast_i64x2(key));

    return m & m >> 1 & 0x15;
}

#include "kernels/x86/wordids.h"

/* The positions of LM_WORD_NONE in id[0..k). */
static size_t absent(const uint32_t *id, size_t k, uint16_t *missed)
{
    const __m512i none = _mm512_set1_epi32((int)LM_WORD_NONE);
    __m512i num = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t n = 0;

    for (size_t j = 0; j < k; j += 16) {
        __mmask16 in = k - j < 16 ? (__mmask16)((1u << (k - j)) - 1) : 0xffff;
        __mmask16 m = _mm512_mask_cmpeq_epi32_mask(in, _mm512_maskz_loadu_epi32(in, id + j), none);
        __mmask16 all = (__mmask16)((1u << _mm_popcnt_u32(m)) - 1);

        _mm256_mask_storeu_epi16(missed + n, all,
                                 _mm512_cvtepi32_epi16(_mm512_maskz_compress_epi32(m, num)));
        n += (size_t)_mm_popcnt_u32(m);
        num = _mm512_add_epi32(num, _mm512_set1_epi32(16));
    }
    return n;
}

size_t lm_wordids_avx512(const lm_wordtab *t, const char *p, size_t left, size_t at,
                         const uint32_t *end, size_t k, uint32_t *id, uint16_t *missed)
{
    const __m512i mul = _mm512_set1_epi64((long long)LM_SHORT_MUL), eight = _mm512_set1_epi64(8);
    const __m128i shift = _mm_cvtsi32_si128((int)t->fewshift);
    size_t start = at, j = 0, n;

    for (; j + 8 <= k && end[j + 6] + (size_t)8 <= left; at = end[j + 7], j += 8) {
        uint64_t key[8], line[8];
        __m256i to = _mm256_loadu_si256((const __m256i *)(end + j)), from;
        __m512i x, len, unused;

        from = _mm256_permutevar8x32_epi32(to, _mm256_setr_epi32(0, 0, 1, 2, 3, 4, 5, 6));
        from = _mm256_mask_set1_epi32(from, 1, (int)at);
        len = _mm512_cvtepu32_epi64(_mm256_sub_epi32(to, from));
        len = _mm512_min_epu64(len, eight); /* 8 and what it is joined with: no key */
        unused = _mm512_slli_epi64(_mm512_sub_epi64(eight, len), 3);
        x = _mm512_i32gather_epi64(from, p, 1);
        x = _mm512_srlv_epi64(_mm512_sllv_epi64(x, unused), unused);
        x = _mm512_or_si512(x, _mm512_slli_epi64(len, 56));
        _mm512_storeu_si512(key, x);
        x = _mm512_srl_epi64(_mm512_mullo_epi64(x, mul), shift);
        _mm512_storeu_si512(line, x);
        for (size_t i = 0; i < 8; i++) /* which are missed is told faster afterwards */
            id[j + i] = few_id(t->few + line[i], key[i]);
    }
    few_of(t, p, left, at, end, j, k, id);
    n = absent(id, k, missed);
    return many_of(t, p, start, end, n, id, missed);
}
