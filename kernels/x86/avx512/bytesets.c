/* bytesets, AVX-512BW: as the AVX2 one, 64 bytes at once and the test in one instruction.
   Equal to kernels/ref/bytesets.c, bit for bit. */
#include <immintrin.h>
#include "kernels/data.h"

static inline void block(__m512i v, const __m512i *table, size_t nset, uint64_t *row)
{
    const __m512i pow2 =
        _mm512_broadcast_i32x4(_mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0));
    const __m512i low = _mm512_set1_epi8(15);
    __m512i lo = _mm512_and_si512(v, low);
    __m512i bit = _mm512_shuffle_epi8(pow2, _mm512_and_si512(_mm512_srli_epi16(v, 4), low));
    size_t s;

    for (s = 0; s < nset; s++)
        row[s] = _mm512_test_epi8_mask(_mm512_shuffle_epi8(table[s], lo), bit);
    row[nset] = _mm512_movepi8_mask(v);
}

void lm_bytesets_avx512(const void *p, size_t n, const lm_byteset *set, size_t nset, uint64_t *mask)
{
    const uint8_t *c = p;
    __m512i table[15];
    size_t s, i;

    for (s = 0; s < nset; s++)
        table[s] = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)set[s].row));
    for (i = 0; i + 64 <= n; i += 64, mask += nset + 1)
        block(_mm512_loadu_si512(c + i), table, nset, mask);
    if (i == n)
        return;
    block(_mm512_maskz_loadu_epi8((1ull << (n - i)) - 1, c + i), table, nset, mask);
    for (s = 0; s <= nset; s++) /* a set may hold the padding byte 0 */
        mask[s] &= (1ull << (n - i)) - 1;
}
