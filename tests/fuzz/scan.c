/* Fuzz target: the pretoken scanners cover any bytes with pieces that are not empty; the first byte
 * chooses the pattern. */
#include "text/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    size_t at = 0, last = 0, end[16], k;
    int pre = n ? p[0] % LM_PRE_COUNT : 0;

    while ((k = lm_scan(pre, (const char *)p, n, &at, end, 16)))
        for (size_t i = 0; i < k; last = end[i++])
            if (end[i] <= last || end[i] > n)
                abort();
    if (last != n)
        abort();
    return 0;
}
