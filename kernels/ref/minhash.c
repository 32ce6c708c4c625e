/* minhash: running minima of perms linear hash functions over n shingles (kernels/data.h).
   The high half of a x + b mod 2^64 is 2-independent (Dietzfelbinger 1996). The meaning. */
#include "kernels/data.h"

void lm_minhash_ref(const uint32_t *x, size_t n, const uint64_t *a, const uint64_t *b, size_t perms,
                    uint32_t *min)
{
    size_t i, j;

    for (i = 0; i < perms; i++)
        for (j = 0; j < n; j++) {
            uint32_t v = (uint32_t)((a[i] * x[j] + b[i]) >> 32);

            if (v < min[i])
                min[i] = v;
        }
}
