/* positions: bits to numbers (kernels/data.h). The meaning. */
#include "kernels/data.h"

size_t lm_positions_ref(const uint64_t *mask, size_t n, uint32_t *pos)
{
    size_t k = 0;

    for (size_t i = 0; i < 64 * n; i++)
        if (mask[i / 64] >> i % 64 & 1)
            pos[k++] = (uint32_t)i;
    return k;
}
