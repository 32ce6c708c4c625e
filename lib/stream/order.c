/* order: of two records as bytes, for ties between equal keys: what they say decides, not how it is
   written or when it came. */
#include "stream/io.h"

/* The canonical header of a whole record, and a view of its body. */
static void split(lm_str raw, lm_buf *head, lm_str *body)
{
    const char *lf = memchr(raw.p, '\n', raw.n), *why;
    lm_rec r = {0};
    uint64_t len;

    if (!lf || lm_head_parse(raw.p, (size_t)(lf - raw.p) + 1, &r, &len, &why)) {
        *body = raw;
        return;
    }
    r.raw = raw;
    r.body = *body = (lm_str){lf + 1, (size_t)len};
    lm_rec_canon(&r);
    lm_rec_head(head, &r, len);
    lm_rec_free(&r);
}

int lm_rec_order(lm_str a, lm_str b)
{
    lm_buf ha = {0}, hb = {0};
    lm_str ba, bb;
    int c;

    if (lm_eq(a, b))
        return 0;
    split(a, &ha, &ba);
    split(b, &hb, &bb);
    c = lm_cmp(lm_buf_str(&ha), lm_buf_str(&hb));
    if (!c)
        c = lm_cmp(ba, bb);
    if (!c) /* they differ in padding or escapes alone */
        c = lm_cmp(a, b);
    lm_buf_free(&ha);
    lm_buf_free(&hb);
    return c;
}
