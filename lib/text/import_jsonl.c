/* JSON Lines into documents: one line one document, its body in one field, attributes in others. */
#include "text/import.h"
#include <stdarg.h>

typedef struct {
    lm_import *m;
    const char *path;
    lm_str b64;             /* "TEXT_base64": a body that is not UTF-8 */
    lm_buf text, bytes;     /* of the body's field; out of its base64 */
    uint64_t line, at, max; /* number and place of the line; its most bytes */
} lines;

static int damaged(lines *l, size_t at, const char *fmt, ...) LM_PRINTF(3, 4);
static int damaged(lines *l, size_t at, const char *fmt, ...)
{
    char where[512], why[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, sizeof why, fmt, ap);
    va_end(ap);
    snprintf(where, sizeof where, "%.400s:%llu:%llu", l->path, (unsigned long long)l->line,
             (unsigned long long)(l->at + at));
    lm_err_at(LM_EINVALID, where, "%s", why);
    lm_import_bad(l->m);
    return 0;
}

/* A field's value as an attribute's: into l->m->conv. False: null, or an id that is none of ours.
 */
static bool value(lines *l, const lm_jsonl_field *f, lm_str key, bool b64, lm_str *v)
{
    lm_buf *b = &l->m->conv;

    b->n = 0;
    switch (f->kind) {
    case LM_JS_NULL:
        return false;
    case LM_JS_TRUE:
        *v = LM_STR("1");
        break;
    case LM_JS_FALSE:
        *v = LM_STR("0");
        break;
    case LM_JS_STRING:
        lm_jsonl_text(&l->m->js, f, b);
        *v = lm_buf_str(b);
        if (b64) {
            l->bytes.n = 0;
            if (!lm_b64_decode(&l->bytes, *v))
                return false;
            *v = lm_buf_str(&l->bytes);
        }
        break;
    default:
        *v = f->raw;
    }
    return !lm_is(key, "id") || lm_doc_id_ok(*v);
}

/* Sets the attribute for field f; false if the line has it twice. */
static bool attr(lines *l, const lm_jsonl_field *f, lm_str key, bool b64)
{
    lm_rec *r = &l->m->r;
    lm_str k = lm_arena_str(l->m->js.ar, key), v; /* with a NUL, as long-lived as the line */

    if (!value(l, f, key, b64, &v))
        return true;
    if (lm_get(r, k.p).p)
        return false;
    lm_set(r, k.p, v);
    return true;
}

static bool attrs(lines *l, const lm_jsonl_field *f)
{
    lm_import *m = l->m;
    lm_str key = f->key;
    static const char tail[] = "_base64";
    size_t nt = sizeof tail - 1;

    for (size_t i = 0; i < m->map.n; i++)
        if (lm_eq(m->map.v[i].field, key) && !attr(l, f, m->map.v[i].key, false))
            return false;
    if (m->map.n)
        return true;
    if (lm_key_ok(key))
        return attr(l, f, key, false);
    if (key.n > nt && !memcmp(key.p + key.n - nt, tail, nt)) {
        key.n -= nt;
        if (lm_key_ok(key) && f->kind == LM_JS_STRING)
            return attr(l, f, key, true);
    }
    return true;
}

static int one(lines *l, lm_str s)
{
    lm_import *m = l->m;
    lm_jsonl *j = &m->js;
    lm_jsonl_field *body = NULL;
    int rc = lm_jsonl_scan(j, s.p, s.n);
    bool b64 = false;
    lm_str path, text;

    if (rc == 0)
        return 0;
    if (rc < 0)
        return damaged(l, j->at, "%s", j->why);
    lm_rec_new(&m->r, "doc");
    for (size_t i = 0; i < j->n; i++) {
        lm_jsonl_field *f = &j->f[i];

        if (lm_is(f->key, m->text) || (lm_eq(f->key, l->b64) && f->kind == LM_JS_STRING)) {
            if (body)
                return damaged(l, 0, "field %s twice", m->text);
            b64 = !lm_is(f->key, m->text);
            body = f;
        } else if (!attrs(l, f)) {
            return damaged(l, 0, "field %.*s twice", (int)(f->key.n < 99 ? f->key.n : 99),
                           f->key.p);
        }
    }
    if (!body || body->kind != LM_JS_STRING)
        return damaged(l, 0, "no string in field %s", m->text);
    l->text.n = l->bytes.n = 0;
    lm_jsonl_text(j, body, &l->text);
    text = lm_buf_str(&l->text);
    if (b64) {
        if (!lm_b64_decode(&l->bytes, text))
            return damaged(l, (size_t)(body->raw.p - s.p), "bad base64");
        text = lm_buf_str(&l->bytes);
    }
    path = lm_get(&m->r, "path");
    if (text.n > m->max_bytes) {
        lm_import_skip(m, "large", path, text.n);
        return 0;
    }
    return lm_import_put(m, path, text, INT64_MIN);
}

/* Lines that begin at lo <= offset < hi. The source starts at lo - 1 (so that a line beginning at
   lo is known for one), or at 0; first: what was read of it already. */
int lm_import_jsonl(lm_import *m, lm_source *s, const char *path, lm_str first, uint64_t lo,
                    uint64_t hi)
{
    lines l = {.m = m, .path = path};
    lm_buf carry = {0}, b64 = {0};
    lm_str b = first;
    bool skip = lo > 0, quiet = skip; /* to the next LF: a piece of line, or one too long */
    int rc = 1, err = 0;

    lm_buf_addf(&b64, "%s_base64", m->text);
    l.b64 = lm_buf_str(&b64);
    l.at = lo ? lo - 1 : 0;
    l.max =
        m->max_bytes * 8 > 64u << 20 ? m->max_bytes * 8 : 64u << 20; /* six for one, and the rest */
    m->js.max_depth = (unsigned)m->max_depth;
    if (!lo && b.n >= 3 && !memcmp(b.p, "\xEF\xBB\xBF", 3))
        b.p += 3, b.n -= 3, l.at = 3;
    do {
        while (b.n && !err) {
            const char *q = memchr(b.p, '\n', b.n);
            size_t n = q ? (size_t)(q - b.p) + 1 : b.n;

            if (l.at >= hi)
                break;
            if (!skip && carry.n + n > l.max) {
                err = damaged(&l, 0, "line over %llu bytes", (unsigned long long)l.max);
                l.at += carry.n;
                carry.n = 0;
                skip = true, quiet = false;
            }
            if (skip) {
                l.at += n;
                if (q) {
                    l.line += !quiet;
                    skip = false;
                }
            } else if (!q) {
                lm_buf_add(&carry, b.p, n);
            } else {
                lm_str s1 = {b.p, n};

                if (carry.n) {
                    lm_buf_add(&carry, b.p, n);
                    s1 = lm_buf_str(&carry);
                }
                err = one(&l, s1);
                l.at += s1.n;
                l.line++;
                carry.n = 0;
            }
            b.p += n;
            b.n -= n;
        }
    } while (!err && l.at < hi && (rc = lm_source_block(s, &b)) == 1);
    if (!err && rc < 0)
        lm_import_bad(m); /* a line cut with the file is part of that damage */
    else if (!err && carry.n && l.at < hi)
        err = one(&l, lm_buf_str(&carry));
    lm_buf_free(&carry);
    lm_buf_free(&b64);
    lm_buf_free(&l.text);
    lm_buf_free(&l.bytes);
    return err;
}
