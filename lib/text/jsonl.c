/* The JSON Lines scanner of lm-import and the string writer of lm-export. */
#include "text/jsonl.h"

typedef struct {
    lm_jsonl *j;
    const char *s, *p, *e;
} cur;

static bool bad(cur *c, const char *why)
{
    if (!c->j->why) {
        c->j->why = why;
        c->j->at = (size_t)(c->p - c->s);
    }
    return false;
}

static void blanks(cur *c)
{
    while (c->p < c->e && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
        c->p++;
}

#define ONES 0x0101010101010101ull
#define HIGH 0x8080808080808080ull
#define ZERO(x) (((x)-ONES) & ~(x)&HIGH)

/* The first byte at or after p that is '"', '\\' or below 20; e if there is none. Eight bytes a
   step; the exact place is then found byte by byte, since the trick may flag a later byte too. */
static const char *plain(const char *p, const char *e)
{
    while (e - p >= 8) {
        uint64_t w;

        memcpy(&w, p, 8);
        if (ZERO(w ^ ONES * '"') | ZERO(w ^ ONES * '\\') | ((w - ONES * 0x20) & ~w & HIGH))
            break;
        p += 8;
    }
    while (p < e && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
        p++;
    return p;
}

static int hex4(const char *p)
{
    int v = 0;

    for (int i = 0; i < 4; i++) {
        unsigned char h = (unsigned char)p[i];

        if (h >= '0' && h <= '9')
            v = v << 4 | (h - '0');
        else if ((h | 32) >= 'a' && (h | 32) <= 'f')
            v = v << 4 | ((h | 32) - 'a' + 10);
        else
            return -1;
    }
    return v;
}

/* A string whose opening quote is at c->p: checks it, *raw = what is between the quotes. */
static bool string(cur *c, lm_str *raw, bool *esc)
{
    const char *b = ++c->p;

    *esc = false;
    for (;;) {
        c->p = plain(c->p, c->e);
        if (c->p == c->e)
            return bad(c, "string without an end");
        if (*c->p == '"')
            break;
        if (*c->p != '\\')
            return bad(c, "control byte in a string");
        *esc = true;
        if (c->e - c->p < 2)
            return bad(c, "string without an end");
        if (c->p[1] == 'u') {
            if (c->e - c->p < 6 || hex4(c->p + 2) < 0)
                return bad(c, "bad \\u escape");
            c->p += 6;
        } else {
            if (!c->p[1] || !strchr("\"\\/bfnrt", c->p[1]))
                return bad(c, "bad escape");
            c->p += 2;
        }
    }
    *raw = (lm_str){b, (size_t)(c->p - b)};
    c->p++;
    return true;
}

static bool digits(cur *c)
{
    const char *b = c->p;

    while (c->p < c->e && *c->p >= '0' && *c->p <= '9')
        c->p++;
    return c->p > b || bad(c, "bad number");
}

static bool number(cur *c)
{
    if (c->p < c->e && *c->p == '-')
        c->p++;
    if (c->p < c->e && *c->p == '0')
        c->p++;
    else if (!digits(c))
        return false;
    if (c->p < c->e && *c->p == '.') {
        c->p++;
        if (!digits(c))
            return false;
    }
    if (c->p < c->e && (*c->p | 32) == 'e') {
        c->p++;
        if (c->p < c->e && (*c->p == '+' || *c->p == '-'))
            c->p++;
        return digits(c);
    }
    return true;
}

static bool word(cur *c, const char *w, size_t n)
{
    if ((size_t)(c->e - c->p) < n || memcmp(c->p, w, n))
        return bad(c, "not a JSON value");
    c->p += n;
    return true;
}

static bool value(cur *c, lm_jsonl_field *f, unsigned depth);

/* An object or array within the line's object, c->p on its bracket: checked, not built. */
static bool nest(cur *c, unsigned depth)
{
    char open = *c->p, close = open == '{' ? '}' : ']';
    lm_jsonl_field skip;

    if (depth > c->j->max_depth)
        return bad(c, "nested too deep");
    c->p++;
    blanks(c);
    if (c->p < c->e && *c->p == close) {
        c->p++;
        return true;
    }
    for (;;) {
        blanks(c);
        if (open == '{') {
            if (c->p == c->e || *c->p != '"')
                return bad(c, "no key");
            if (!string(c, &skip.raw, &skip.esc))
                return false;
            blanks(c);
            if (c->p == c->e || *c->p++ != ':')
                return bad(c, "no colon after a key");
        }
        if (!value(c, &skip, depth))
            return false;
        blanks(c);
        if (c->p < c->e && *c->p == close) {
            c->p++;
            return true;
        }
        if (c->p == c->e || *c->p != ',')
            return bad(c, "no comma or closing bracket");
        c->p++;
    }
}

static bool value(cur *c, lm_jsonl_field *f, unsigned depth)
{
    const char *b;
    bool ok;

    blanks(c);
    if (c->p == c->e)
        return bad(c, "no value");
    b = c->p;
    f->esc = false;
    switch (*b) {
    case '"':
        f->kind = LM_JSONL_STRING;
        return string(c, &f->raw, &f->esc);
    case '{':
    case '[':
        f->kind = LM_JSONL_NEST;
        ok = nest(c, depth + 1);
        break;
    case 't':
        f->kind = LM_JSONL_TRUE;
        ok = word(c, "true", 4);
        break;
    case 'f':
        f->kind = LM_JSONL_FALSE;
        ok = word(c, "false", 5);
        break;
    case 'n':
        f->kind = LM_JSONL_NULL;
        ok = word(c, "null", 4);
        break;
    default:
        f->kind = LM_JSONL_NUMBER;
        if (*b != '-' && (*b < '0' || *b > '9'))
            return bad(c, "not a JSON value");
        ok = number(c);
    }
    f->raw = (lm_str){b, (size_t)(c->p - b)};
    return ok;
}

static bool member(cur *c)
{
    lm_jsonl *j = c->j;
    lm_jsonl_field *f;

    LM_GROW(j->f, j->n, j->cap);
    f = &j->f[j->n];
    if (c->p == c->e || *c->p != '"')
        return bad(c, "no key");
    if (!string(c, &f->raw, &f->esc))
        return false;
    f->key = f->raw;
    if (f->esc) {
        lm_buf b = {0};

        lm_jsonl_text(j, f, &b);
        f->key = lm_arena_str(j->ar, lm_buf_str(&b));
        lm_buf_free(&b);
    }
    blanks(c);
    if (c->p == c->e || *c->p != ':')
        return bad(c, "no colon after a key");
    c->p++;
    if (!value(c, f, 1))
        return false;
    j->n++;
    return true;
}

int lm_jsonl_scan(lm_jsonl *j, const char *p, size_t n)
{
    cur c = {j, p, p, p + n};
    size_t bytes;

    j->n = 0;
    j->why = NULL;
    j->at = 0;
    if (j->ar)
        lm_arena_reset(j->ar);
    else
        j->ar = lm_arena_new();
    blanks(&c);
    if (c.p == c.e)
        return 0;
    if (!lm_utf8_valid(p, n)) { /* the whole line at once, so that no view is bad */
        for (c.p = p; (bytes = lm_utf8_len(c.p, (size_t)(c.e - c.p))); c.p += bytes)
            ;
        bad(&c, "invalid UTF-8");
        return LM_EINVALID;
    }
    if (*c.p != '{') {
        bad(&c, "not a JSON object");
        return LM_EINVALID;
    }
    c.p++;
    blanks(&c);
    if (c.p < c.e && *c.p == '}') {
        c.p++;
    } else {
        for (;;) {
            blanks(&c);
            if (!member(&c))
                return LM_EINVALID;
            blanks(&c);
            if (c.p < c.e && *c.p == '}') {
                c.p++;
                break;
            }
            if (c.p == c.e || *c.p != ',') {
                bad(&c, "no comma or closing brace");
                return LM_EINVALID;
            }
            c.p++;
        }
    }
    blanks(&c);
    if (c.p < c.e) {
        bad(&c, "bytes after the object");
        return LM_EINVALID;
    }
    return 1;
}

void lm_jsonl_text(lm_jsonl *j, const lm_jsonl_field *f, lm_buf *out)
{
    const char *p = f->raw.p, *e = p + f->raw.n;

    if (!f->esc) {
        lm_buf_add(out, p, f->raw.n);
        return;
    }
    lm_buf_need(out, f->raw.n); /* the text is never longer than its escapes */
    while (p < e) {
        const char *q = memchr(p, '\\', (size_t)(e - p));
        static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
        char utf[4];
        int cp, lo;

        if (!q)
            q = e;
        lm_buf_add(out, p, (size_t)(q - p));
        if (q == e)
            break;
        if (q[1] != 'u') {
            lm_buf_addc(out, to[strchr(from, q[1]) - from]);
            p = q + 2;
            continue;
        }
        cp = hex4(q + 2);
        p = q + 6;
        if (cp >= 0xD800 && cp < 0xDC00 && e - p >= 6 && p[0] == '\\' && p[1] == 'u' &&
            (lo = hex4(p + 2)) >= 0xDC00 && lo < 0xE000) {
            cp = 0x10000 + ((cp - 0xD800) << 10) + (lo - 0xDC00);
            p += 6;
        } else if (cp >= 0xD800 && cp < 0xE000) {
            cp = 0xFFFD;
            j->surrogates++;
        }
        lm_buf_add(out, utf, lm_utf8_put(utf, (uint32_t)cp));
    }
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
        const char *q = plain(p, e);
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
