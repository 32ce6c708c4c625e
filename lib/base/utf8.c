/* utf8: characters as Unicode scalars (RFC 3629), and the percent escapes of stream headers. */
#include "base/base.h"

/* Valid two- to four-byte sequences by their first two bytes (Unicode 16, table 3-7). */
size_t lm_utf8_len(const char *s, size_t n)
{
    const unsigned char *p = (const unsigned char *)s;
    unsigned char lo = 0x80, hi = 0xbf;
    size_t len;

    if (!n)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] == 0xe0)
        lo = 0xa0;
    else if (p[0] == 0xed)
        hi = 0x9f;
    else if (p[0] == 0xf0)
        lo = 0x90;
    else if (p[0] == 0xf4)
        hi = 0x8f;
    if (n < len || p[1] < lo || p[1] > hi)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

uint32_t lm_utf8_get(const char *s, size_t n, size_t *len)
{
    const unsigned char *p = (const unsigned char *)s;
    size_t k = lm_utf8_len(s, n);

    *len = k ? k : 1;
    switch (k) {
    case 1:
        return p[0];
    case 2:
        return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    case 3:
        return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    case 4:
        return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
    default:
        return 0xffffffffu;
    }
}

size_t lm_utf8_put(char out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        if (c >= 0xd800 && c < 0xe000)
            return 0;
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    if (c > 0x10ffff)
        return 0;
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* Length of the run of ASCII at p, eight bytes at a time. */
static size_t ascii_run(const char *p, size_t n)
{
    size_t i = 0;
    uint64_t w;

    for (; i + 8 <= n; i += 8) {
        memcpy(&w, p + i, 8);
        if (w & 0x8080808080808080u)
            break;
    }
    while (i < n && !(p[i] & 0x80))
        i++;
    return i;
}

size_t lm_utf8_count(const char *p, size_t n)
{
    size_t chars = 0, i = 0;

    while (i < n) {
        size_t run = ascii_run(p + i, n - i), len;

        chars += run;
        i += run;
        if (i < n) {
            len = lm_utf8_len(p + i, n - i);
            i += len ? len : 1;
            chars++;
        }
    }
    return chars;
}

bool lm_utf8_valid(const char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t len;

        i += ascii_run(p + i, n - i);
        if (i == n)
            return true;
        len = lm_utf8_len(p + i, n - i);
        if (!len)
            return false;
        i += len;
    }
    return true;
}

size_t lm_utf8_partial(const char *p, size_t n)
{
    for (size_t k = 1; k <= 3 && k <= n; k++) {
        unsigned char c = (unsigned char)p[n - k];

        if (c >= 0xc2 && c <= 0xf4)
            return (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u) > k ? k : 0;
        if ((c & 0xc0) != 0x80)
            break;
    }
    return 0;
}

static bool escaped(unsigned char c)
{
    return c <= 0x20 || c == '%' || c >= 0x7f;
}

void lm_pct_encode(lm_buf *out, lm_str s)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0, from = 0; i <= s.n; i++) {
        unsigned char c = i < s.n ? (unsigned char)s.p[i] : 0;

        if (i < s.n && !escaped(c))
            continue;
        lm_buf_add(out, s.p ? s.p + from : "", i - from);
        from = i + 1;
        if (i < s.n)
            lm_buf_add(out, (char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
    }
}

static int hexval(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool lm_pct_decode(lm_buf *out, lm_str s)
{
    char *o = lm_buf_need(out, s.n);

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%') {
            int hi = i + 2 < s.n ? hexval(s.p[i + 1]) : -1;
            int lo = i + 2 < s.n ? hexval(s.p[i + 2]) : -1;

            if (hi < 0 || lo < 0)
                return false;
            *o++ = (char)(hi << 4 | lo);
            i += 2;
        } else if (escaped((unsigned char)s.p[i])) {
            return false;
        } else {
            *o++ = s.p[i];
        }
    }
    out->n = (size_t)(o - out->p);
    out->p[out->n] = 0;
    return true;
}
