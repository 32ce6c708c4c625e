/* minhash, AVX2: 16 permutations stay in registers while the shingles of a block go by.
   With a = ah 2^32 + al the value is high(al x + b) + low(ah x) mod 2^32, so two 32-bit products
   do. Equal to kernels/ref/minhash.c. */
#include <immintrin.h>
#include "kernels/data.h"

enum { LANES = 8, BLOCK = 512 }; /* 8 values a vector; shingles of a block: 2 KiB, in L1 */

/* Eight permutations from a[0..8): products of the low four in even, of the high four in odd
 * places. */
typedef struct {
    __m256i al0, al1, b0, b1, ah;
} perm8;

static inline __m256i weave(__m256i even, __m256i odd) /* high halves of both */
{
    return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
}

static inline __m256i step(const perm8 *k, __m256i x, __m256i m)
{
    __m256i p0 = _mm256_add_epi64(_mm256_mul_epu32(k->al0, x), k->b0);
    __m256i p1 = _mm256_add_epi64(_mm256_mul_epu32(k->al1, x), k->b1);

    return _mm256_min_epu32(m, _mm256_add_epi32(weave(p0, p1), _mm256_mullo_epi32(k->ah, x)));
}

static inline void load(perm8 *k, const uint64_t *a, const uint64_t *b)
{
    k->al0 = _mm256_loadu_si256((const __m256i *)a);
    k->al1 = _mm256_loadu_si256((const __m256i *)(a + 4));
    k->b0 = _mm256_loadu_si256((const __m256i *)b);
    k->b1 = _mm256_loadu_si256((const __m256i *)(b + 4));
    k->ah = weave(k->al0, k->al1);
}

void lm_minhash_avx2(const uint32_t *x, size_t n, const uint64_t *a, const uint64_t *b,
                     size_t perms, uint32_t *min)
{
    uint32_t out[LANES];
    size_t i, j, k, l, m;

    for (j = 0; j < n; j = m) {
        m = n - j < BLOCK ? n : j + BLOCK;
        for (i = 0; i < perms; i += 2 * LANES) {
            __m256i m0 = _mm256_set1_epi32(-1), m1 = m0;
            perm8 k0, k1;

            load(&k0, a + i, b + i);
            load(&k1, a + i + LANES, b + i + LANES);
            for (k = j; k < m; k++) {
                __m256i v = _mm256_set1_epi32((int)x[k]);

                m0 = step(&k0, v, m0);
                m1 = step(&k1, v, m1);
            }
            for (l = 0; l < 2; l++) {
                _mm256_storeu_si256((__m256i *)out, l ? m1 : m0);
                for (k = 0; k < LANES; k++) { /* even places hold 0-3, odd ones 4-7 */
                    size_t at = i + l * LANES + k / 2 + (k & 1) * 4;

                    min[at] = out[k] < min[at] ? out[k] : min[at];
                }
            }
        }
    }
}
