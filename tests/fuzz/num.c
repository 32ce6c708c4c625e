/* Fuzz target: any text given to the number parsers; what they take they print and take again. */
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_str s = {(const char *)p, n};
    char t[32];
    uint64_t u, v;
    int64_t i;
    double x, y;
    float f;

    if (lm_parse_u64(s, &u)) {
        snprintf(t, sizeof t, "%llu", (unsigned long long)u);
        if (!lm_is(s, t) || !lm_parse_num(s, &v) || v != u || !lm_parse_size(s, &v) || v != u)
            abort();
    }
    if (lm_parse_i64(s, &i)) {
        snprintf(t, sizeof t, "%lld", (long long)i);
        if (!lm_is(s, t) && !lm_is(s, "-0"))
            abort();
    }
    (void)lm_parse_num(s, &v);
    (void)lm_parse_size(s, &v);
    if (lm_parse_f64(s, &x) && x == x) {
        int len = lm_fmt_f64(t, x);

        if (len < 1 || len > 31 || !lm_parse_f64((lm_str){t, (size_t)len}, &y) || y != x)
            abort();
        f = (float)x;
        len = lm_fmt_f32(t, f);
        if (len < 1 || len > 31 || !lm_parse_f64((lm_str){t, (size_t)len}, &y) || (float)y != f)
            abort();
    }
    return 0;
}
