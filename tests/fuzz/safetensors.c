/* Fuzz target: any bytes as a safetensors file; what is taken lies within the bytes, without
 * overlap. */
#include "nn/nn.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_st *st;
    const char *at = NULL;
    volatile unsigned sum = 0;

    if (lm_st_parse(&st, (lm_str){(const char *)p, n}, "fuzz") < 0) {
        if (st)
            abort();
        return 0;
    }
    for (size_t i = 0; i < lm_st_count(st); i++) {
        const lm_st_tensor *t = lm_st_at(st, i);
        const char *d = t->data;

        if (t->bytes != t->count * lm_dtype_size(t->dt) || (at && d < at) ||
            lm_st_find(st, t->name) != t)
            abort();
        for (uint64_t j = 0; j < t->bytes; j++) /* every byte that is promised can be read */
            sum = sum + (unsigned char)d[j];
        at = d + t->bytes;
    }
    lm_st_close(st);
    return 0;
}
