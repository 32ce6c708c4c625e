/* array: the numeric arrays in a record's body, dt= shape= and with=NAME:DT:D0xD1,.. */
#include "stream/stream.h"

size_t lm_dt_size(lm_str dt)
{
    static const struct {
        const char *name;
        size_t size;
    } t[] = {{"u8", 1},  {"i8", 1},  {"u16", 2}, {"i16", 2},  {"u32", 4}, {"i32", 4},
             {"u64", 8}, {"i64", 8}, {"f16", 2}, {"bf16", 2}, {"f32", 4}, {"f64", 8}};

    for (size_t i = 0; i < LM_COUNT(t); i++)
        if (lm_is(dt, t[i].name))
            return t[i].size;
    return 0;
}

static lm_str cut(lm_str *s, char sep)
{
    const char *p = s->n ? memchr(s->p, sep, s->n) : NULL;
    lm_str head = {s->p, p ? (size_t)(p - s->p) : s->n};

    *s = p ? (lm_str){p + 1, s->n - head.n - 1} : (lm_str){NULL, 0};
    return head;
}

/* Product of dimensions separated by sep. */
static bool dims(lm_str s, char sep, uint64_t *d0, size_t *n)
{
    *n = 1;
    for (bool first = true; s.p; first = false) {
        uint64_t d;

        if (!lm_parse_u64(cut(&s, sep), &d) || !lm_mul_ok(*n, d, n))
            return false;
        if (first)
            *d0 = d;
    }
    return true;
}

int lm_array(lm_rec *r, const char *name, const char *dt, lm_str *bytes, uint64_t *d0, uint64_t *n)
{
    lm_str type = lm_get(r, "dt"), shape = lm_get(r, "shape"), with = lm_get(r, "with"),
           nm = LM_STR("");
    size_t at = 0, count, len;

    if (!type.p || !shape.p)
        return *name ? 0 : lm_rec_fail(r, LM_EMISSING, "no dt= or shape=");
    for (;;) {
        if (!dims(shape, *nm.p ? 'x' : ',', d0, &count) || !lm_dt_size(type) ||
            !lm_mul_ok(count, lm_dt_size(type), &len) || len > r->body.n || at > r->body.n - len)
            return lm_rec_fail(r, LM_EINVALID, "dt= shape= with= do not fit the body");
        if (lm_is(nm, name))
            break;
        at = (at + len + 7) & ~(size_t)7;
        if (!with.p)
            return 0;
        shape = cut(&with, ',');
        nm = cut(&shape, ':');
        type = cut(&shape, ':');
        if (!nm.n || !shape.p)
            return lm_rec_fail(r, LM_EINVALID, "bad with=");
    }
    if (dt && !lm_is(type, dt))
        return lm_rec_fail(r, LM_EINVALID, "array %s is %.*s, not %s", *name ? name : "of the body",
                           (int)type.n, type.p, dt);
    *bytes = (lm_str){r->body.p + at, len};
    *n = count;
    return 1;
}
