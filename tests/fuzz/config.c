/* Fuzz target: any bytes as config.json; what is taken is written, read back and written the same.
 */
#include "nn/nn.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_cfg c, d;
    lm_buf a = {0}, b = {0};

    if (lm_cfg_parse(&c, (lm_str){(const char *)p, n}, "fuzz") < 0)
        return 0;
    lm_cfg_text(&c, &a);
    if (lm_cfg_check(&c) < 0 || lm_cfg_parse(&d, lm_buf_str(&a), "again") < 0)
        abort();
    lm_cfg_text(&d, &b);
    if (!lm_eq(lm_buf_str(&a), lm_buf_str(&b)))
        abort();
    lm_cfg_free(&c);
    lm_cfg_free(&d);
    lm_buf_free(&a);
    lm_buf_free(&b);
    return 0;
}
