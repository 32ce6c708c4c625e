/* positions, AVX-512: sixteen numbers at once, packed to the front. Equal to
   kernels/ref/positions.c. */
#include <immintrin.h>
#include "kernels/data.h"

size_t lm_positions_avx512(const uint64_t *mask, size_t n, uint32_t *pos)
{
    const __m512i step = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    size_t k = 0;

    for (size_t i = 0; i < n; i++)
        for (unsigned q = 0; q < 64; q += 16) {
            __mmask16 m = (__mmask16)(mask[i] >> q);
            __m512i v = _mm512_add_epi32(step, _mm512_set1_epi32((int)(64 * i + q)));

            _mm512_storeu_si512(pos + k, _mm512_maskz_compress_epi32(m, v));
            k += (size_t)_mm_popcnt_u32(m);
        }
    return k;
}
