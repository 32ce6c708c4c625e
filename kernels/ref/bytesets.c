/* bytesets: one bit a byte and set, 64 bytes a word (kernels/data.h). The meaning. */
#include "kernels/data.h"

void lm_bytesets_ref(const void *p, size_t n, const lm_byteset *set, size_t nset, uint64_t *mask)
{
    const uint8_t *c = p;
    size_t i, s;

    for (i = 0; i < n; i++) {
        uint64_t *row = mask + i / 64 * (nset + 1), bit = 1ull << i % 64;

        if (!(i % 64))
            for (s = 0; s <= nset; s++)
                row[s] = 0;
        if (c[i] >= 128)
            row[nset] |= bit;
        else
            for (s = 0; s < nset; s++)
                if (set[s].row[c[i] % 16] >> c[i] / 16 & 1)
                    row[s] |= bit;
    }
}
