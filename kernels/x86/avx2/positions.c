/* positions, BMI: eight bits at a time without a branch; what is written too much is written over.
   Equal to kernels/ref/positions.c. */
#include <immintrin.h>
#include "kernels/data.h"

size_t lm_positions_avx2(const uint64_t *mask, size_t n, uint32_t *pos)
{
    size_t k = 0;

    for (size_t i = 0; i < n; i++) {
        uint64_t x = mask[i];
        size_t count = (size_t)_mm_popcnt_u64(x);

        for (size_t j = 0; j < count; j += 8)
            for (size_t u = 0; u < 8; u++) {
                pos[k + j + u] = (uint32_t)(64 * i + _tzcnt_u64(x));
                x = _blsr_u64(x);
            }
        k += count;
    }
    return k;
}
