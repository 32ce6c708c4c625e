/* Fuzz target: any bytes as a safetensors file; what is taken lies within the bytes, without
   overlap. As the beginning of a longer file too, of which the table alone is read. */
#include "nn/nn.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* The tensors are those of a file of size bytes, one behind the other to its end. */
static void head(lm_str b, uint64_t size)
{
    lm_st *st;
    uint64_t at = 0;

    if (lm_st_head(&st, b, size, "cut") < 0) {
        if (st)
            abort();
        return;
    }
    for (size_t i = 0; i < lm_st_count(st); i++) {
        const lm_st_tensor *t = lm_st_at(st, i);

        if ((i && lm_st_offset(st, t) != at) || lm_st_offset(st, t) < 8)
            abort();
        at = lm_st_offset(st, t) + t->bytes;
    }
    if (lm_st_count(st) && at != size)
        abort();
    lm_st_close(st);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_st *st;
    const char *at = NULL;
    volatile unsigned sum = 0;
    static const uint64_t more[] = {0, 12, 16, 1 << 20, 1ull << 40};

    for (size_t i = 0; i < LM_COUNT(more); i++)
        head((lm_str){(const char *)p, n}, n + more[i]);
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
