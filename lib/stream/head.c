/* head: the grammar of header lines, and finding an attribute in one. */
#include "stream/io.h"

enum { LOWER = 1, KEY = 2, VALUE = 4, DIGIT = 8, UHEX = 16 };

/* What a byte may be in a header, by the grammar in lm-stream(5): rows of 16 from 00 to 7F. */
#define V VALUE
#define K (KEY | VALUE)
#define D (KEY | VALUE | DIGIT | UHEX)
#define X (VALUE | UHEX)
#define L (LOWER | KEY | VALUE)
static const unsigned char kinds[256] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                         0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, V, V, V, V, 0,
                                         V, V, V, V, V, V, V, K, V, V, D, D, D, D, D, D, D, D, D,
                                         D, V, V, V, V, V, V, V, X, X, X, X, X, X, V, V, V, V, V,
                                         V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
                                         V, V, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
                                         L, L, L, L, L, L, L, L, L, V, V, V, V, 0};
#undef V
#undef K
#undef D
#undef X
#undef L

static inline unsigned kind(unsigned char c)
{
    return kinds[c];
}

/* A word at p: [a-z][a-z0-9-]{0,31}; the byte behind it, or NULL. The line's LF stops the loop. */
static const char *word(const char *p)
{
    const char *s = p;

    if (!(kind((unsigned char)*p) & LOWER))
        return NULL;
    while (kind((unsigned char)*p) & KEY)
        p++;
    return p - s <= 32 ? p : NULL;
}

/* Goes over *(SP attr) *SP from p to the LF, which stops every loop: its place, or NULL and what is
 * wrong. */
static const char *attrs_scan(const char *p, lm_str *attrs, const char **why)
{
    const char *from = p, *last = p;

    while (*p == ' ') {
        p++;
        if (*p == ' ' || *p == '\n') { /* padding up to the LF */
            while (*p == ' ')
                p++;
            break;
        }
        p = word(p);
        if (!p || *p != '=') {
            *why = "bad attribute key";
            return NULL;
        }
        for (p++;; p++) { /* blank, LF and % are no value bytes: they stop the inner loop */
            while (kind((unsigned char)*p) & VALUE)
                p++;
            if (*p == ' ' || *p == '\n')
                break;
            if (*p != '%' || !(kind((unsigned char)p[1]) & UHEX) ||
                !(kind((unsigned char)p[2]) & UHEX)) {
                *why = "bad byte in an attribute value";
                return NULL;
            }
            p += 2;
        }
        last = p;
    }
    if (*p != '\n') {
        *why = "bad header line";
        return NULL;
    }
    *attrs = last > from ? (lm_str){from + 1, (size_t)(last - from - 1)} : (lm_str){from, 0};
    return p;
}

const char *lm_attrs_check(const char *p, const char *end, lm_str *attrs)
{
    const char *why = NULL, *lf = attrs_scan(p, attrs, &why);

    return lf == end ? NULL : why ? why : "bad header line";
}

const char *lm_head_scan(const char *line, lm_rec *r, uint64_t *len, const char **why)
{
    const char *p = word(line + 1), *digits;
    uint64_t v = 0;

    if (!p || *p != ' ') {
        *why = "bad record type";
        return NULL;
    }
    r->type = (lm_str){line + 1, (size_t)(p - line - 1)};
    digits = ++p;
    while (kind((unsigned char)*p) & DIGIT)
        v = v * 10 + (uint64_t)(*p++ - '0');
    if (p == digits || p - digits > 18 || (*digits == '0' && p - digits > 1) ||
        (*p != ' ' && *p != '\n')) {
        *why = "bad body length";
        return NULL;
    }
    *len = v;
    return attrs_scan(p, &r->attrs, why);
}

int lm_head_parse(const char *line, size_t n, lm_rec *r, uint64_t *len, const char **why)
{
    const char *lf;

    if (n > LM_MAX_HEAD) {
        *why = "header line over 65536 bytes";
        return LM_ELIMIT;
    }
    *why = "bad header line";
    if (n < 2 || *line != '@' || line[n - 1] != '\n')
        return LM_ECORRUPT;
    lf = lm_head_scan(line, r, len, why);
    return lf == line + n - 1 ? 0 : LM_ECORRUPT;
}

lm_str lm_attr_find(lm_str attrs, const char *key)
{
    size_t nk = strlen(key);
    const char *p = attrs.p, *end = attrs.p + attrs.n;

    while (p < end) {
        const char *stop = memchr(p, ' ', (size_t)(end - p));

        if (!stop)
            stop = end;
        if ((size_t)(stop - p) > nk && p[nk] == '=' && !memcmp(p, key, nk))
            return (lm_str){p + nk + 1, (size_t)(stop - p) - nk - 1};
        p = stop + 1;
    }
    return (lm_str){NULL, 0};
}
