/* Fuzz target: any bytes given to the JSON reader; what it takes is written and read back the same.
 */
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    json_t *a, *b;
    lm_buf out = {0};

    if (lm_json_parse((lm_str){(const char *)p, n}, &a) < 0)
        return 0;
    lm_json_dump(&out, a, 2);
    if (lm_json_parse(lm_buf_str(&out), &b) < 0 || !json_equal(a, b))
        abort();
    json_decref(a);
    json_decref(b);
    lm_buf_free(&out);
    return 0;
}
