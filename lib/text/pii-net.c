/* pii-net: e-mail addresses, IP addresses, passwords in URLs. */
#include <arpa/inet.h>
#include "text/pii-priv.h"

static bool local_byte(char c)
{
    return pii_alnum(c) || (c && strchr("._%+-", c));
}

static bool in_list(const char *p, size_t n, const char *const *list)
{
    for (; *list; list++)
        if (strlen(*list) == n && pii_has_word(p, n, *list))
            return true;
    return false;
}

/* Last labels that are no domains here: reserved ones (RFC 2606), and file extensions that are no
   country's and no common top-level domain. */
static bool no_domain(const char *p, size_t n)
{
    static const char *const list[] = {
        "test", "invalid", "example", "localhost", "localdomain", "local",  "png",   "jpg",
        "jpeg", "gif",     "svg",     "webp",      "ico",         "bmp",    "tif",   "tiff",
        "css",  "scss",    "less",    "js",        "mjs",         "jsx",    "ts",    "tsx",
        "json", "html",    "htm",     "xml",       "yml",         "yaml",   "txt",   "exe",
        "dll",  "zip",     "gz",      "tar",       "bz",          "pdf",    "java",  "class",
        "jar",  "cpp",     "hpp",     "php",       "vue",         "lock",   "toml",  "map",
        "woff", "ttf",     "eot",     "otf",       "wav",         "log",    "ini",   "cfg",
        "conf", "bak",     "tmp",     "service",   "socket",      "target", "mount", "timer",
        "path", "whl",     "deb",     "rpm",       "tgz",         "swift",  "dart",  "csv",
        "sql",  "doc",     "xls",     NULL};

    return in_list(p, n, list);
}

/* The host behind an @ at i: *end past its last label, which is of 2 to 24 letters. */
static bool host(const pii_scan *s, size_t i, size_t *end)
{
    size_t at = i + 1, labels = 0, last = at, prev = 0, n;

    for (;;) {
        size_t from = at;

        while (pii_alnum(pii_at(s, at)) ||
               (pii_at(s, at) == '-' && at > from && pii_alnum(pii_at(s, at + 1))))
            at++;
        n = at - from;
        if (!n || n > 63 || at - i > 254)
            return false;
        prev = last;
        last = from;
        labels++;
        if (pii_at(s, at) != '.' || !pii_alnum(pii_at(s, at + 1)))
            break;
        at++;
    }
    if (labels < 2 || n < 2 || n > 24)
        return false;
    for (n = last; n < at; n++)
        if (!pii_alpha(s->p[n]))
            return false;
    *end = at;
    if (pii_digit(s->p[i + 1]) && labels > 2) { /* name@1.2.3-rc: a version */
        for (n = i + 1; pii_digit(pii_at(s, n)); n++)
            ;
        if (pii_at(s, n) == '.' && pii_digit(pii_at(s, n + 1)))
            return false;
    }
    return !no_domain(s->p + last, at - last) &&
           !(last - prev == 8 && pii_has_word(s->p + prev, 7, "example"));
}

static void email(pii_scan *s, size_t i)
{
    size_t from = i, end, k;
    char next;

    while (from > s->lo && i - from < 65 && local_byte(s->p[from - 1]))
        from--;
    if (i - from > 64)
        return;
    for (k = i; k > from + 1; k--) /* two dots end what came before them */
        if (s->p[k - 1] == '.' && s->p[k - 2] == '.')
            from = k;
    while (from < i && !pii_alnum(s->p[from]) &&
           s->p[from] != '_') /* a dot, a sign of a diff before it */
        from++;
    if (from == i || s->p[i - 1] == '.' || !host(s, i, &end))
        return;
    if (i - from >= 4 && !memcmp(s->p + from, "XKEY", 4) && pii_before(s, from) == '/')
        return; /* a fake of ours, where a URL had user and password */
    next = pii_at(s, end);
    if (next == '@' || next == '(' || next == '_')
        return;
    if (i - from == 3 && !memcmp(s->p + from, "git", 3) && (next == ':' || next == '/'))
        return;
    pii_found(s, LM_PII_EMAIL, "email", from, end - from);
}

/* user:password before the @ of a URL. What says that it is no password: nothing there, the user's
   name again, a template, a word from a manual. */
static bool url_password(pii_scan *s, size_t i)
{
    static const char *const words[] = {"password", "passwd",   "pass", "pwd",      "pw",
                                        "secret",   "changeme", "user", "username", "token",
                                        "xxx",      "xxxx",     NULL};
    size_t from = i, colon = 0, k;

    while (from > s->lo && i - from < 256 &&
           (pii_alnum(s->p[from - 1]) ||
            (s->p[from - 1] && strchr("._~!$&()*+,;=:%-", s->p[from - 1]))))
        from--;
    for (k = from; k < i && !colon; k++)
        if (s->p[k] == ':')
            colon = k;
    if (!colon || from < s->lo + 3 || memcmp(s->p + from - 2, "//", 2) || s->p[from - 3] != ':')
        return false;
    if (!pii_alnum(pii_at(s, i + 1)) && pii_at(s, i + 1) != '[')
        return false;
    k = colon + 1;
    if (i - k < 3 || (i - k == colon - from && !memcmp(s->p + k, s->p + from, i - k)))
        return false;
    if (s->p[k] == '$' || s->p[k] == '%' || s->p[k] == '*' || s->p[k] == '(' ||
        in_list(s->p + k, i - k, words))
        return false;
    if (!memcmp(s->p + from, "XKEY", i - from < 4 ? i - from : 4))
        return false;
    if (s->pii->cfg.kinds & LM_PII_URL)
        pii_found(s, LM_PII_URL, "url-cred", from, i - from);
    return true;
}

void pii_at_sign(pii_scan *s, size_t i)
{
    if (!url_password(s, i) && s->pii->cfg.kinds & LM_PII_EMAIL)
        email(s, i);
}

enum { PERSONAL, SPECIAL, NEVER };

/* Ranges of IANA's special-purpose registry, and the public resolvers of corpus practice. */
static int v4_kind(uint32_t a)
{
    static const struct {
        uint32_t net;
        int bits;
    } special[] = {{0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
                   {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0586300, 24},
                   {0xc0a80000, 16}, {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24},
                   {0xe0000000, 4}};
    static const uint32_t resolver[] = {0x08080808, 0x08080404, 0x01010101, 0x01000001, 0x09090909,
                                        0x95707070, 0xd043dede, 0xd043dcdc, 0x4c4c1313, 0x4cdf7a96,
                                        0x081a381a, 0x0814f714, 0x5e8c0e0e, 0x5e8c0f0f};
    size_t i;

    if (a >> 24 == 0 || a >> 28 == 15) /* this network; reserved, masks, broadcast */
        return NEVER;
    for (i = 0; i < LM_COUNT(resolver); i++)
        if (a == resolver[i])
            return NEVER;
    for (i = 0; i < LM_COUNT(special); i++)
        if ((a ^ special[i].net) >> (32 - special[i].bits) == 0)
            return SPECIAL;
    return PERSONAL;
}

static bool wanted(const pii_scan *s, int kind)
{
    return kind == PERSONAL || (kind == SPECIAL && s->pii->cfg.all_ip);
}

/* One part of an address: 0 to 255 without a leading zero. Its length, or 0. */
static size_t octet(const pii_scan *s, size_t i, uint32_t *v)
{
    size_t n = 0;

    for (*v = 0; pii_digit(pii_at(s, i + n)) && n < 4; n++)
        *v = *v * 10 + (uint32_t)(s->p[i + n] - '0');
    return n > 3 || *v > 255 || (n > 1 && s->p[i] == '0') ? 0 : n;
}

/* Is a word of the list (they end with NULL) within reach bytes of [from, end)? */
static bool word_near(const pii_scan *s, size_t from, size_t end, size_t reach,
                      const char *const *words)
{
    size_t a = from - s->lo < reach ? s->lo : from - reach,
           b = s->hi - end < reach ? s->hi : end + reach;

    for (; *words; words++)
        if (pii_has_word(s->p + a, b - a, *words))
            return true;
    return false;
}

void pii_dots(pii_scan *s, size_t i)
{
    static const char *const server[] = {"dns", "server", "host", "addr", NULL},
                             *const version[] = {"version", NULL};
    size_t from = i, at, n, k;
    uint32_t v, addr = 0;
    bool small = true; /* numbers of sections and versions: all four under 40 */

    while (from > s->lo && i - from < 4 && pii_digit(s->p[from - 1]))
        from--;
    if (pii_before(s, from) == '.' || pii_word(pii_before(s, from)))
        return;
    for (at = from, k = 0; k < 4; k++) {
        if (k && pii_at(s, at++) != '.')
            return;
        n = octet(s, at, &v);
        if (!n)
            return;
        at += n;
        addr = addr << 8 | v;
        small &= v < 40;
    }
    if (pii_word(pii_at(s, at)) || (pii_at(s, at) == '.' && pii_digit(pii_at(s, at + 1))))
        return;
    if (!wanted(s, v4_kind(addr)))
        return;
    if ((at - from == 7 || (small && v4_kind(addr) == PERSONAL)) &&
        !word_near(s, from, at, 100, server))
        return;
    k = from - s->lo < 16 ? s->lo : from - 16;
    if (pii_has_word(s->p + k, from - k, version[0]))
        return;
    pii_found(s, LM_PII_IPV4, "ipv4", from, at - from);
}

static int v6_kind(const uint8_t *a)
{
    static const char *const resolver[] = {"2001:4860:4860::8888", "2001:4860:4860::8844",
                                           "2606:4700:4700::1111", "2606:4700:4700::1001",
                                           "2620:fe::fe",          "2620:fe::9",
                                           "2620:119:35::35",      "2620:119:53::53"};
    static const uint8_t zero[15];
    uint8_t r[16];
    size_t i;

    for (i = 0; i < LM_COUNT(resolver); i++)
        if (inet_pton(AF_INET6, resolver[i], r) == 1 && !memcmp(r, a, 16))
            return NEVER;
    if (!memcmp(a, zero, 15))
        return a[15] == 1 ? SPECIAL : NEVER; /* loopback; nothing */
    if (!memcmp(a, zero, 10) && a[10] == 0xff && a[11] == 0xff)
        return v4_kind((uint32_t)a[12] << 24 | (uint32_t)a[13] << 16 | (uint32_t)a[14] << 8 |
                       a[15]);
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8)
        return SPECIAL; /* documentation */
    if (a[0] == 0x3f && a[1] == 0xff && a[2] < 0x10)
        return SPECIAL;
    if (a[0] == 0xfe && (a[1] & 0xc0) == 0x80)
        return SPECIAL; /* link-local */
    if ((a[0] & 0xfe) == 0xfc || a[0] == 0xff)
        return SPECIAL; /* private, multicast */
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] < 2)
        return SPECIAL; /* of the IETF */
    if (!memcmp(a + 8, zero, 8))
        return NEVER;                         /* a network, not a host */
    return a[0] >> 5 == 1 ? PERSONAL : NEVER; /* 2000::/3 alone is given out */
}

void pii_colons(pii_scan *s, size_t i)
{
    size_t from = i, end = i, n;
    char text[48];
    uint8_t addr[16];

    while (from > s->lo && i - from < 48 && (pii_hex(s->p[from - 1]) || s->p[from - 1] == ':'))
        from--;
    if (pii_word(pii_before(s, from)) || pii_before(s, from) == '.')
        return;
    while (end < s->hi && end - from < 48 &&
           (pii_hex(s->p[end]) || s->p[end] == ':' || s->p[end] == '.'))
        end++;
    if (pii_word(pii_at(s, end)))
        return;
    while (end > from && (s->p[end - 1] == '.' ||
                          (s->p[end - 1] == ':' && end - from > 1 && s->p[end - 2] != ':')))
        end--; /* ends a sentence, names a line */
    n = end - from;
    if (n < 3 || n >= sizeof text)
        return;
    memcpy(text, s->p + from, n);
    text[n] = 0;
    if (inet_pton(AF_INET6, text, addr) == 1 && wanted(s, v6_kind(addr)))
        pii_found(s, LM_PII_IPV6, "ipv6", from, n);
}
