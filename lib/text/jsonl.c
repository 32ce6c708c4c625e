/* The JSON Lines scanner of lm-import and the string writer of lm-export. */
#include "text/jsonl.h"

static bool member(lm_jsonl *j, lm_jscan *c)
{
    lm_jsonl_field *f;

    LM_GROW(j->f, j->n, j->cap);
    f = &j->f[j->n];
    if (!lm_js_key(c, &f->key, &f->esc))
        return false;
    if (f->esc) {
        lm_buf b = {0};

        j->surrogates += lm_js_text(f->key, true, &b);
        f->key = lm_arena_str(j->ar, lm_buf_str(&b));
        lm_buf_free(&b);
    }
    if (!lm_js_value(c, 1, &f->kind, &f->raw, &f->esc))
        return false;
    j->n++;
    return true;
}

/* The object at c->p, and that nothing is behind it. */
static bool object(lm_jsonl *j, lm_jscan *c)
{
    int more;

    if (*c->p != '{')
        return lm_js_bad(c, "not a JSON object");
    c->p++;
    if (!lm_js_next(c, '}')) {
        do {
            if (!member(j, c) || (more = lm_js_more(c, '}')) < 0)
                return false;
        } while (more);
    }
    lm_js_blanks(c);
    return c->p == c->e || lm_js_bad(c, "bytes after the object");
}

int lm_jsonl_scan(lm_jsonl *j, const char *p, size_t n)
{
    lm_jscan c = {.s = p, .p = p, .e = p + n, .max_depth = j->max_depth};
    size_t bytes;

    j->n = 0;
    j->why = NULL;
    j->at = 0;
    if (j->ar)
        lm_arena_reset(j->ar);
    else
        j->ar = lm_arena_new();
    lm_js_blanks(&c);
    if (c.p == c.e)
        return 0;
    if (!lm_utf8_valid(p, n)) { /* the whole line at once, so that no view is bad */
        for (c.p = p; (bytes = lm_utf8_len(c.p, (size_t)(c.e - c.p))); c.p += bytes)
            ;
        lm_js_bad(&c, "invalid UTF-8");
    } else if (object(j, &c)) {
        return 1;
    }
    j->why = c.why;
    j->at = c.at;
    return LM_EINVALID;
}

void lm_jsonl_text(lm_jsonl *j, const lm_jsonl_field *f, lm_buf *out)
{
    j->surrogates += lm_js_text(f->raw, f->esc, out);
}

lm_jsonl_field *lm_jsonl_find(lm_jsonl *j, lm_str key)
{
    for (size_t i = 0; i < j->n; i++)
        if (lm_eq(j->f[i].key, key))
            return &j->f[i];
    return NULL;
}

void lm_jsonl_free(lm_jsonl *j)
{
    free(j->f);
    if (j->ar)
        lm_arena_free(j->ar);
    *j = (lm_jsonl){0};
}

void lm_jsonl_quote(lm_buf *out, lm_str s)
{
    const char *p = s.p, *e = s.p + s.n;

    lm_buf_addc(out, '"');
    while (p < e) {
        const char *q = lm_js_plain(p, e);
        const char *sh;
        static const char names[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";

        lm_buf_add(out, p, (size_t)(q - p));
        if (q == e)
            break;
        if (*q && (sh = strchr(names, *q))) {
            lm_buf_addc(out, '\\');
            lm_buf_addc(out, letters[sh - names]);
        } else {
            lm_buf_addf(out, "\\u%04x", (unsigned)(unsigned char)*q);
        }
        p = q + 1;
    }
    lm_buf_addc(out, '"');
}
