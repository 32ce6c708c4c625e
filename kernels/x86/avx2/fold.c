/* fold, AVX2. Equal to kernels/ref/fold.c. */
#include <immintrin.h>
#include "kernels/data.h"

void lm_fold_avx2(char *dst, const char *src, size_t n)
{
    const __m256i a = _mm256_set1_epi8('A' - 1), z = _mm256_set1_epi8('Z' + 1),
                  low = _mm256_set1_epi8(32);
    size_t i;

    for (i = 0; i + 32 <= n; i += 32) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(src + i));
        __m256i up = _mm256_and_si256(_mm256_cmpgt_epi8(v, a), _mm256_cmpgt_epi8(z, v));

        _mm256_storeu_si256((__m256i *)(dst + i), _mm256_or_si256(v, _mm256_and_si256(up, low)));
    }
    lm_fold_ref(dst + i, src + i, n - i);
}
