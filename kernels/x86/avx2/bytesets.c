/* bytesets, AVX2: a byte's low nibble picks the set's row, its high nibble a bit of the row.
   Equal to kernels/ref/bytesets.c, bit for bit. */
#include <immintrin.h>
#include <string.h>
#include "kernels/data.h"

static inline uint32_t half(__m256i lo, __m256i bit, __m256i table)
{
    __m256i hit = _mm256_and_si256(_mm256_shuffle_epi8(table, lo), bit);

    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(hit, _mm256_setzero_si256()));
}

static inline __m256i bits_of(__m256i v)
{
    const __m256i pow2 = _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0, 1,
                                          2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0);

    return _mm256_shuffle_epi8(pow2,
                               _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(15)));
}

static inline void block(const uint8_t *p, const __m256i *table, size_t nset, uint64_t *row)
{
    __m256i v0 = _mm256_loadu_si256((const __m256i *)p),
            v1 = _mm256_loadu_si256((const __m256i *)(p + 32));
    __m256i lo0 = _mm256_and_si256(v0, _mm256_set1_epi8(15)),
            lo1 = _mm256_and_si256(v1, _mm256_set1_epi8(15));
    __m256i b0 = bits_of(v0), b1 = bits_of(v1);
    size_t s;

    for (s = 0; s < nset; s++)
        row[s] = half(lo0, b0, table[s]) | (uint64_t)half(lo1, b1, table[s]) << 32;
    row[nset] = (uint32_t)_mm256_movemask_epi8(v0) | (uint64_t)(uint32_t)_mm256_movemask_epi8(v1)
                                                         << 32;
}

void lm_bytesets_avx2(const void *p, size_t n, const lm_byteset *set, size_t nset, uint64_t *mask)
{
    const uint8_t *c = p;
    __m256i table[15];
    uint8_t last[64] = {0};
    size_t s, i;

    for (s = 0; s < nset; s++)
        table[s] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)set[s].row));
    for (i = 0; i + 64 <= n; i += 64, mask += nset + 1)
        block(c + i, table, nset, mask);
    if (i == n)
        return;
    memcpy(last, c + i, n - i);
    block(last, table, nset, mask);
    for (s = 0; s <= nset; s++) /* a set may hold the padding byte 0 */
        mask[s] &= (1ull << (n - i)) - 1;
}
