/* minhash, AVX-512DQ: 64 permutations (8 vectors of 8 64-bit lanes, with their a and b: 24
   registers) stay in registers while the shingles of a block go by. The running minimum is kept on
   whole 64-bit values: the high half of the least is the least high half. Equal to
   kernels/ref/minhash.c. */
#include <immintrin.h>
#include "kernels/data.h"

enum { LANES = 8, VECS = 8, BLOCK = 1024 };

void lm_minhash_avx512(const uint32_t *x, size_t n, const uint64_t *a, const uint64_t *b,
                       size_t perms, uint32_t *min)
{
    uint32_t out[LANES];
    size_t i, j, k, l, m;

    for (j = 0; j < n; j = m) {
        m = n - j < BLOCK ? n : j + BLOCK;
        for (i = 0; i < perms; i += LANES * VECS) {
            __m512i va[VECS], vb[VECS], vm[VECS];

            for (k = 0; k < VECS; k++) {
                va[k] = _mm512_loadu_si512(a + i + k * LANES);
                vb[k] = _mm512_loadu_si512(b + i + k * LANES);
                vm[k] = _mm512_set1_epi64(-1);
            }
            for (k = j; k < m; k++) {
                __m512i v = _mm512_maskz_set1_epi32(0x5555, (int)x[k]);

#pragma GCC unroll 8
                for (l = 0; l < VECS; l++)
                    vm[l] = _mm512_min_epu64(vm[l],
                                             _mm512_add_epi64(_mm512_mullo_epi64(va[l], v), vb[l]));
            }
            for (k = 0; k < VECS; k++) {
                _mm256_storeu_si256((__m256i *)out,
                                    _mm512_cvtepi64_epi32(_mm512_srli_epi64(vm[k], 32)));
                for (l = 0; l < LANES; l++) {
                    size_t at = i + k * LANES + l;

                    min[at] = out[l] < min[at] ? out[l] : min[at];
                }
            }
        }
    }
}
