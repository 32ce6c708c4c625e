/* Fuzz target: percent escapes: any bytes survive encoding and decoding; what decodes is written so
 * that it decodes the same. */
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_str s = {(const char *)p, n};
    lm_buf a = {0}, b = {0};

    lm_pct_encode(&a, s);
    if (!lm_pct_decode(&b, lm_buf_str(&a)) || !lm_eq(lm_buf_str(&b), s))
        abort();
    b.n = a.n = 0;
    if (lm_pct_decode(&b, s)) {
        lm_buf c = {0};

        lm_pct_encode(&a, lm_buf_str(&b)); /* fewer escapes perhaps, the same value */
        if (a.n > n || !lm_pct_decode(&c, lm_buf_str(&a)) || !lm_eq(lm_buf_str(&c), lm_buf_str(&b)))
            abort();
        lm_buf_free(&c);
    }
    lm_buf_free(&a);
    lm_buf_free(&b);
    return 0;
}
