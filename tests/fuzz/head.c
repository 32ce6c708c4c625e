/* Fuzz target: any line given to the header parser; what it takes is, once edited, written as the
 * same header. */
#include "stream/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_rec r = {0}, back = {0};
    const uint8_t *lf = n ? memchr(p, '\n', n) : NULL;
    lm_buf line = {0}, out = {0};
    const char *why = NULL;
    uint64_t len;

    lm_buf_add(&line, p, lf ? (size_t)(lf - p) : n);
    lm_buf_addc(&line, '\n');
    if (lm_head_parse(line.p, line.n, &r, &len, &why) < 0) {
        if (!why)
            abort();
    } else {
        lm_str key, val;
        size_t i = 0, k = 0;

        r.raw = lm_buf_str(&line);
        r.body = LM_STR("");
        while (lm_attr_each(&r, &i, &key, &val)) {
            char name[64];

            if (!key.n || key.n > 32)
                abort();
            snprintf(name, sizeof name, "%.*s", (int)key.n, key.p);
            if (!k++ && !lm_eq(lm_get(&r, name), val))
                abort();
        }
        lm_set(&r, "zz-new", LM_STR("\xff %"));
        if (lm_rec_write(&out, &r) < 0 ? line.n < LM_MAX_HEAD - 64
                                       : lm_head_parse(out.p, out.n - 1, &back, &len, &why) < 0 ||
                                             len || !lm_eq(back.type, r.type))
            abort();
    }
    lm_rec_free(&r);
    lm_rec_free(&back);
    lm_buf_free(&line);
    lm_buf_free(&out);
    return 0;
}
