/* jscan: JSON by RFC 8259, checked in one pass without a tree. */
#include "base/jscan.h"

bool lm_js_bad(lm_jscan *c, const char *why)
{
    if (!c->why) {
        c->why = why;
        c->at = (size_t)(c->p - c->s);
    }
    return false;
}

#define ONES 0x0101010101010101ull
#define HIGH 0x8080808080808080ull
#define ZERO(x) (((x)-ONES) & ~(x)&HIGH)

/* Eight bytes a step; the exact place is then found byte by byte, since the trick may flag a later
   byte too. */
const char *lm_js_plain(const char *p, const char *e)
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

bool lm_js_string(lm_jscan *c, lm_str *raw, bool *esc)
{
    const char *b = ++c->p;

    *esc = false;
    for (;;) {
        c->p = lm_js_plain(c->p, c->e);
        if (c->p == c->e)
            return lm_js_bad(c, "string without an end");
        if (*c->p == '"')
            break;
        if (*c->p != '\\')
            return lm_js_bad(c, "control byte in a string");
        *esc = true;
        if (c->e - c->p < 2)
            return lm_js_bad(c, "string without an end");
        if (c->p[1] == 'u') {
            if (c->e - c->p < 6 || hex4(c->p + 2) < 0)
                return lm_js_bad(c, "bad \\u escape");
            c->p += 6;
        } else {
            if (!c->p[1] || !strchr("\"\\/bfnrt", c->p[1]))
                return lm_js_bad(c, "bad escape");
            c->p += 2;
        }
    }
    *raw = (lm_str){b, (size_t)(c->p - b)};
    c->p++;
    return true;
}

static bool digits(lm_jscan *c)
{
    const char *b = c->p;

    while (c->p < c->e && *c->p >= '0' && *c->p <= '9')
        c->p++;
    return c->p > b || lm_js_bad(c, "bad number");
}

static bool number(lm_jscan *c)
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

static bool word(lm_jscan *c, const char *w, size_t n)
{
    if ((size_t)(c->e - c->p) < n || memcmp(c->p, w, n))
        return lm_js_bad(c, "not a JSON value");
    c->p += n;
    return true;
}

bool lm_js_key(lm_jscan *c, lm_str *raw, bool *esc)
{
    lm_js_blanks(c);
    if (c->p == c->e || *c->p != '"')
        return lm_js_bad(c, "no key");
    if (!lm_js_string(c, raw, esc))
        return false;
    return lm_js_next(c, ':') || lm_js_bad(c, "no colon after a key");
}

int lm_js_more(lm_jscan *c, char close)
{
    lm_js_blanks(c);
    if (c->p < c->e && (*c->p == close || *c->p == ','))
        return *c->p++ == ',';
    lm_js_bad(c, "no comma or closing bracket");
    return -1;
}

static bool nest(lm_jscan *c, unsigned depth)
{
    char open = *c->p, close = open == '{' ? '}' : ']';
    unsigned kind;
    lm_str raw;
    bool esc;
    int more;

    if (depth > c->max_depth)
        return lm_js_bad(c, "nested too deep");
    c->p++;
    if (lm_js_next(c, close))
        return true;
    do {
        if ((open == '{' && !lm_js_key(c, &raw, &esc)) ||
            !lm_js_value(c, depth, &kind, &raw, &esc) || (more = lm_js_more(c, close)) < 0)
            return false;
    } while (more);
    return true;
}

bool lm_js_value(lm_jscan *c, unsigned depth, unsigned *kind, lm_str *raw, bool *esc)
{
    const char *b;
    bool good;

    lm_js_blanks(c);
    if (c->p == c->e)
        return lm_js_bad(c, "no value");
    b = c->p;
    *esc = false;
    switch (*b) {
    case '"':
        *kind = LM_JS_STRING;
        return lm_js_string(c, raw, esc);
    case '{':
    case '[':
        *kind = LM_JS_NEST;
        good = nest(c, depth + 1);
        break;
    case 't':
        *kind = LM_JS_TRUE;
        good = word(c, "true", 4);
        break;
    case 'f':
        *kind = LM_JS_FALSE;
        good = word(c, "false", 5);
        break;
    case 'n':
        *kind = LM_JS_NULL;
        good = word(c, "null", 4);
        break;
    default:
        *kind = LM_JS_NUMBER;
        if (*b != '-' && (*b < '0' || *b > '9'))
            return lm_js_bad(c, "not a JSON value");
        good = number(c);
    }
    *raw = (lm_str){b, (size_t)(c->p - b)};
    return good;
}

size_t lm_js_text(lm_str raw, bool esc, lm_buf *out)
{
    const char *p = raw.p, *e = p + raw.n;
    size_t lone = 0;

    if (!esc) {
        lm_buf_add(out, p, raw.n);
        return 0;
    }
    lm_buf_need(out, raw.n); /* the text is never longer than its escapes */
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
            lone++;
        }
        lm_buf_add(out, utf, lm_utf8_put(utf, (uint32_t)cp));
    }
    return lone;
}
