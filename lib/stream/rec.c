/* rec: attributes and edits of one record. */
#include "stream/stream.h"
#include "stream/io.h"

struct lm_kv {
    lm_str key, val;
}; /* val as written, escapes and all */

static lm_arena *arena(lm_rec *r)
{
    if (!r->ar)
        r->ar = lm_arena_new();
    return r->ar;
}

static void kv_add(lm_rec *r, lm_str key, lm_str val)
{
    LM_GROW(r->kv, r->nkv, r->capkv);
    r->kv[r->nkv++] = (struct lm_kv){key, val};
}

/* From the first edit on the attributes live in kv and raw is gone. */
static void edit(lm_rec *r)
{
    const char *p = r->attrs.p, *end = r->attrs.n ? p + r->attrs.n : p;

    if (!r->raw.p)
        return;
    r->raw = (lm_str){NULL, 0};
    r->nkv = 0;
    while (p < end) {
        const char *stop = memchr(p, ' ', (size_t)(end - p)), *eq;

        if (!stop)
            stop = end;
        eq = memchr(p, '=', (size_t)(stop - p));
        kv_add(r, (lm_str){p, (size_t)(eq - p)}, (lm_str){eq + 1, (size_t)(stop - eq - 1)});
        p = stop + 1;
    }
}

static struct lm_kv *kv_find(lm_rec *r, const char *key)
{
    for (size_t i = 0; i < r->nkv; i++)
        if (lm_is(r->kv[i].key, key))
            return &r->kv[i];
    return NULL;
}

static lm_str decoded(lm_rec *r, lm_str v)
{
    lm_buf b = {0};
    lm_str s;

    if (!v.p || !memchr(v.p, '%', v.n))
        return v;
    lm_pct_decode(&b, v); /* checked when the header was parsed */
    s = lm_arena_str(arena(r), lm_buf_str(&b));
    lm_buf_free(&b);
    return s;
}

lm_str lm_get(lm_rec *r, const char *key)
{
    struct lm_kv *kv;

    if (r->raw.p)
        return decoded(r, lm_attr_find(r->attrs, key));
    kv = kv_find(r, key);
    return decoded(r, kv ? kv->val : (lm_str){NULL, 0});
}

bool lm_attr_each(lm_rec *r, size_t *i, lm_str *key, lm_str *val)
{
    if (r->raw.p) { /* here *i counts bytes */
        const char *p = r->attrs.p + *i, *end = r->attrs.p + r->attrs.n, *stop, *eq;

        if (p >= end)
            return false;
        stop = memchr(p, ' ', (size_t)(end - p));
        if (!stop)
            stop = end;
        eq = memchr(p, '=', (size_t)(stop - p));
        *key = (lm_str){p, (size_t)(eq - p)};
        *val = decoded(r, (lm_str){eq + 1, (size_t)(stop - eq - 1)});
        *i = (size_t)(stop + 1 - r->attrs.p);
        return true;
    }
    if (*i >= r->nkv)
        return false;
    *key = r->kv[*i].key;
    *val = decoded(r, r->kv[(*i)++].val);
    return true;
}

int lm_get_u64(lm_rec *r, const char *key, uint64_t *v)
{
    lm_str s = lm_get(r, key);

    if (!s.p)
        return 0;
    if (!lm_parse_u64(s, v))
        return lm_rec_fail(r, LM_EINVALID, "%s=%.*s is not a whole number", key, (int)s.n, s.p);
    return 1;
}

int lm_get_f64(lm_rec *r, const char *key, double *v)
{
    lm_str s = lm_get(r, key);

    if (!s.p)
        return 0;
    if (!lm_parse_f64(s, v))
        return lm_rec_fail(r, LM_EINVALID, "%s=%.*s is not a number", key, (int)s.n, s.p);
    return 1;
}

void lm_set(lm_rec *r, const char *key, lm_str v)
{
    lm_buf b = {0};
    lm_str s;
    struct lm_kv *kv;

    edit(r);
    lm_pct_encode(&b, v);
    s = lm_arena_str(arena(r), lm_buf_str(&b));
    lm_buf_free(&b);
    kv = kv_find(r, key);
    if (kv)
        kv->val = s;
    else
        kv_add(r, lm_arena_str(arena(r), lm_cstr(key)), s);
}

void lm_setf(lm_rec *r, const char *key, const char *fmt, ...)
{
    char small[256];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof small) {
        lm_set(r, key, (lm_str){small, (size_t)n});
    } else if (n >= 0) {
        char *big = lm_alloc((size_t)n + 1);

        va_start(ap, fmt);
        vsnprintf(big, (size_t)n + 1, fmt, ap);
        va_end(ap);
        lm_set(r, key, (lm_str){big, (size_t)n});
        free(big);
    }
}

void lm_set_f64(lm_rec *r, const char *key, double v)
{
    char s[32];
    int n = lm_fmt_f64(s, v);

    lm_set(r, key, (lm_str){s, (size_t)n});
}

void lm_rec_attrs(lm_rec *to, lm_rec *from)
{
    lm_str key, val;
    char k[33]; /* the longest key and a NUL */

    for (size_t i = 0; lm_attr_each(from, &i, &key, &val);) {
        memcpy(k, key.p, key.n);
        k[key.n] = 0;
        lm_set(to, k, val);
    }
}

void lm_del(lm_rec *r, const char *key)
{
    size_t n = 0;

    if (!lm_get(r, key).p)
        return;
    edit(r);
    for (size_t i = 0; i < r->nkv; i++)
        if (!lm_is(r->kv[i].key, key))
            r->kv[n++] = r->kv[i];
    r->nkv = n;
}

void lm_clear(lm_rec *r)
{
    edit(r);
    r->nkv = 0;
}

/* Equal keys keep their order: kv is filled from one line, so a later one lies at a higher address.
 */
static int kv_cmp(const void *a, const void *b)
{
    const struct lm_kv *x = a, *y = b;
    int c = lm_cmp(x->key, y->key);

    return c ? c : (x->key.p > y->key.p) - (x->key.p < y->key.p);
}

void lm_rec_canon(lm_rec *r)
{
    size_t n = 0;

    edit(r);
    for (size_t i = 0; i < r->nkv; i++) { /* escapes of bytes that need none go */
        lm_buf b = {0};

        if (!memchr(r->kv[i].val.p, '%', r->kv[i].val.n))
            continue;
        lm_pct_encode(&b, decoded(r, r->kv[i].val));
        r->kv[i].val = lm_arena_str(arena(r), lm_buf_str(&b));
        lm_buf_free(&b);
    }
    if (r->nkv)
        qsort(r->kv, r->nkv, sizeof *r->kv, kv_cmp);
    for (size_t i = 0; i < r->nkv; i++) /* of a repeated key the first one counts */
        if (!n || !lm_eq(r->kv[n - 1].key, r->kv[i].key))
            r->kv[n++] = r->kv[i];
    r->nkv = n;
}

void lm_body(lm_rec *r, const void *p, size_t n)
{
    edit(r);
    r->body = (lm_str){p ? p : "", n};
}

char *lm_body_alloc(lm_rec *r, size_t n)
{
    char *p = lm_arena_alloc(arena(r), n + 1);

    lm_body(r, p, n);
    return p;
}

void lm_retype(lm_rec *r, const char *type)
{
    edit(r);
    r->type = lm_arena_str(arena(r), lm_cstr(type));
}

void lm_rec_begin(lm_rec *r)
{
    if (r->ar)
        lm_arena_reset(r->ar);
    r->raw = (lm_str){NULL, 0}; /* the other views are set by who fills the record */
    r->nkv = 0;
    if (r->extra) {
        r->nextra = r->bextra = 0;
        r->extra->n = 0;
    }
}

void lm_rec_view(lm_rec *r, lm_str raw, lm_str type, lm_str attrs, lm_str body)
{
    lm_rec_begin(r);
    r->raw = raw;
    r->type = type;
    r->attrs = attrs;
    r->body = body;
}

void lm_rec_new(lm_rec *r, const char *type)
{
    lm_rec_begin(r);
    r->type = lm_arena_str(arena(r), lm_cstr(type));
    r->attrs = (lm_str){NULL, 0};
    r->body = LM_STR("");
    r->file = NULL;
}

lm_rec *lm_keep(lm_rec *r)
{
    lm_rec *k = lm_zalloc(1, sizeof *k);

    k->seq = r->seq;
    k->off = r->off;
    k->file = r->file;
    k->ar = lm_arena_new();
    if (r->raw.p) {
        k->raw = lm_arena_str(k->ar, r->raw);
        k->type = (lm_str){k->raw.p + (r->type.p - r->raw.p), r->type.n};
        k->attrs = (lm_str){k->raw.p + (r->attrs.p - r->raw.p), r->attrs.n};
        k->body = (lm_str){k->raw.p + (r->body.p - r->raw.p), r->body.n};
        return k;
    }
    k->type = lm_arena_str(k->ar, r->type);
    k->body = lm_arena_str(k->ar, r->body);
    for (size_t i = 0; i < r->nkv; i++)
        kv_add(k, lm_arena_str(k->ar, r->kv[i].key), lm_arena_str(k->ar, r->kv[i].val));
    return k;
}

void lm_rec_free(lm_rec *r)
{
    free(r->kv);
    lm_arena_free(r->ar);
    if (r->extra) {
        lm_buf_free(r->extra);
        free(r->extra);
    }
    *r = (lm_rec){0};
}

void lm_rec_head(lm_buf *out, lm_rec *r, uint64_t len)
{
    lm_buf_addc(out, '@');
    lm_buf_add(out, r->type.p, r->type.n);
    lm_buf_addf(out, " %llu", (unsigned long long)len);
    if (r->raw.p) {
        if (r->attrs.n)
            lm_buf_addc(out, ' ');
        lm_buf_add(out, r->attrs.p, r->attrs.n);
        return;
    }
    for (size_t i = 0; i < r->nkv; i++) {
        lm_buf_addc(out, ' ');
        lm_buf_add(out, r->kv[i].key.p, r->kv[i].key.n);
        lm_buf_addc(out, '=');
        lm_buf_add(out, r->kv[i].val.p, r->kv[i].val.n);
    }
}

int lm_rec_write(lm_buf *out, lm_rec *r)
{
    size_t from = out->n;

    if (r->raw.p) {
        lm_buf_add(out, r->raw.p, r->raw.n);
        return 0;
    }
    lm_rec_head(out, r, r->body.n);
    lm_buf_addc(out, '\n');
    if (out->n - from > LM_MAX_HEAD) {
        out->n = from;
        return lm_rec_fail(r, LM_ELIMIT, "the record's new header line is over %d bytes",
                           LM_MAX_HEAD);
    }
    lm_buf_add(out, r->body.p, r->body.n);
    lm_buf_addc(out, '\n');
    return 0;
}

void lm_add(lm_rec *r, lm_rec *more)
{
    if (!r->extra)
        r->extra = lm_zalloc(1, sizeof *r->extra);
    if (lm_rec_write(r->extra, more) < 0) {
        r->nextra = UINT64_MAX; /* told by the writer: the error is stored */
        return;
    }
    r->nextra++;
    r->bextra += more->body.n;
}

lm_id lm_rec_id(lm_rec *r)
{
    lm_id id;

    if (!lm_id_parse(lm_get(r, "id"), &id))
        id = lm_hash128(r->body.p, r->body.n);
    return id;
}

int lm_rec_fail(const lm_rec *r, int err, const char *fmt, ...)
{
    char where[600], detail[900];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    snprintf(where, sizeof where, "%s:%llu:%llu", r->file ? r->file : "-",
             (unsigned long long)r->seq, (unsigned long long)r->off);
    return lm_err_at(err, r->file ? where : NULL, "%s", detail);
}
