/* fold: A-Z to a-z, every other byte as it is (kernels/data.h). The meaning. */
#include "kernels/data.h"

void lm_fold_ref(char *dst, const char *src, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        dst[i] = (char)(src[i] >= 'A' && src[i] <= 'Z' ? src[i] + 32 : src[i]);
}
