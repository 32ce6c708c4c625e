/* pii-key: vendors' keys by the table, JSON web tokens, PEM private keys. */
#include "text/pii-priv.h"

enum { PART = 16 << 10 }; /* longest part of a web token */

bool pii_class(char cls, char c)
{
    switch (cls) {
    case 'a':
        return pii_alnum(c);
    case 'b':
        return (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
    case 'd':
        return pii_digit(c);
    case 'e':
        return pii_alpha(c);
    case 'h':
        return pii_digit(c) || (c >= 'a' && c <= 'f');
    case 'l':
        return pii_digit(c) || (c >= 'a' && c <= 'z');
    case 'n':
        return pii_word(c);
    case 's':
        return pii_alnum(c) || c == '+' || c == '/' || c == '=';
    case 'u':
        return pii_digit(c) || (c >= 'A' && c <= 'Z');
    case 'x':
        return pii_hex(c);
    default:
        return pii_word(c) || c == '-'; /* w */
    }
}

static void add_part(pii_prog *g, const char **pat)
{
    pii_part *part = &g->part[g->nparts++];
    const char *p = *pat, *e;

    *part = (pii_part){0};
    if (*p != '<') {
        e = strchrnul(p, '<');
        part->lit = (lm_str){p, (size_t)(e - p)};
        *pat = e;
        return;
    }
    part->cls = *++p;
    for (p++; pii_digit(*p); p++)
        part->min = (uint16_t)(part->min * 10 + (*p - '0'));
    part->max = *p == '-' ? 0 : part->min;
    if (*p == '-')
        for (p++; pii_digit(*p); p++)
            part->max = (uint16_t)(part->max * 10 + (*p - '0'));
    *pat = p + 1;
}

static void enlist(uint16_t *list, size_t room, size_t prog)
{
    size_t i;

    for (i = 0; i + 1 < room && list[i]; i++)
        ;
    list[i] = (uint16_t)(prog + 1);
}

void pii_programs(lm_pii *p)
{
    size_t i;

    p->prog = lm_zalloc(lm_pii_nrules, sizeof *p->prog);
    for (i = 0; i < lm_pii_nrules; i++) {
        pii_prog *g = &p->prog[i];
        const char *pat = lm_pii_rules[i].pattern, *dot;

        g->rule = &lm_pii_rules[i];
        while (*pat)
            add_part(g, &pat);
        dot = g->part[0].cls ? NULL : memrchr(g->part[0].lit.p, '.', g->part[0].lit.n);
        g->back = dot ? (size_t)(dot - g->part[0].lit.p) + 1 : 0;
        if (g->part[0].cls)
            enlist(p->hexed, LM_COUNT(p->hexed), i);
        else if (g->back)
            enlist(p->dotted, LM_COUNT(p->dotted), i);
        else
            enlist(p->by_first[(unsigned char)g->part[0].lit.p[0]], LM_COUNT(p->by_first[0]), i);
    }
}

/* The length of what the parts of g match at i, or 0. A counted part takes all it can. */
static size_t match(const pii_scan *s, const pii_prog *g, size_t i)
{
    size_t at = i, k;

    for (k = 0; k < g->nparts; k++) {
        const pii_part *part = &g->part[k];
        size_t n = 0;

        if (!part->cls) {
            if (s->hi - at < part->lit.n || memcmp(s->p + at, part->lit.p, part->lit.n))
                return 0;
            at += part->lit.n;
            continue;
        }
        while (n < part->max && pii_class(part->cls, pii_at(s, at + n)))
            n++;
        if (n < part->min)
            return 0;
        at += n;
    }
    return pii_word(pii_at(s, at)) ? 0 : at - i;
}

/* The sum of GitHub's and npm's tokens: CRC-32 of the 30 before it, in base 62, high digit first.
 */
static void crc62(const char *p, char out[6])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint32_t v = lm_crc32(0, p, 30);
    int i;

    for (i = 5; i >= 0; i--, v /= 62)
        out[i] = digits[v % 62];
}

static bool sum_holds(const char *p, size_t n)
{
    char want[6];

    crc62(p + n - 36, want);
    return !memcmp(want, p + n - 6, 6);
}

/* One byte that must be right, looked at before all others. */
static inline bool cheap(const pii_scan *s, const pii_prog *g, size_t at)
{
    if (g->part[0].cls)
        return g->part[0].min != g->part[0].max || g->nparts < 2 || g->part[1].cls ||
               pii_at(s, at + g->part[0].min) == g->part[1].lit.p[0];
    return g->part[0].lit.n < 2 || pii_at(s, at + 1) == g->part[0].lit.p[1];
}

static bool try_list(pii_scan *s, const uint16_t *list, size_t i)
{
    for (; *list; list++) {
        const pii_prog *g = &s->pii->prog[*list - 1];
        size_t at = i - g->back, n;

        if (!cheap(s, g, at))
            continue;
        if (i - s->lo < g->back || pii_word(pii_before(s, at)) || !(n = match(s, g, at)))
            continue;
        if (g->rule->check == LM_PII_CRC62 && !sum_holds(s->p + at, n))
            continue;
        if (pii_has_word(s->p + at, n, "example") ||
            (n > 20 && pii_has_word(s->p + at, n, "xxxxxxxx")))
            continue; /* of a manual */
        pii_found(s, LM_PII_KEY, g->rule->name, at, n);
        return true;
    }
    return false;
}

/* True if base64url text is a JSON object that names an algorithm. */
static bool jwt_head(const char *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char out[768];
    size_t i, len = 0;
    uint32_t v = 0;

    if (n > 1000)
        return false;
    for (i = 0; i < n; i++) {
        v = v << 6 | (uint32_t)(strchr(digits, p[i]) - digits);
        if (i % 4)
            out[len++] = (char)(v >> (6 - i % 4 * 2));
    }
    return len > 2 && out[0] == '{' && memchr(out, '}', len) && memmem(out, len, "\"alg\"", 5);
}

static size_t base64url(const pii_scan *s, size_t i)
{
    size_t n = 0;

    while (n < PART && pii_class('w', pii_at(s, i + n)))
        n++;
    return n;
}

static void jwt(pii_scan *s, size_t i)
{
    size_t a = base64url(s, i), b, c;

    if (pii_at(s, i + a) != '.')
        return;
    b = base64url(s, i + a + 1);
    if (b < 10 || pii_at(s, i + a + 1 + b) != '.')
        return;
    c = base64url(s, i + a + b + 2);
    if (c < 10 || !jwt_head(s->p + i, a))
        return;
    pii_found(s, LM_PII_KEY, "key-jwt", i, a + b + c + 2);
}

void pii_run(pii_scan *s, size_t i)
{
    const lm_pii *p = s->pii;
    char c = s->p[i];

    if (p->by_first[(unsigned char)c][0] && try_list(s, p->by_first[(unsigned char)c], i))
        return;
    if (pii_before(s, i) == '.' && try_list(s, p->dotted, i))
        return;
    if (c == 'e' && !memcmp(s->p + i, "eyJ", 3))
        jwt(s, i);
    else if (pii_hex(c))
        try_list(s, p->hexed, i);
}

/* -----BEGIN .. PRIVATE KEY-----, at least 40 base64 bytes, the END line of the same name, within
 * 32 KiB. */
void pii_dashes(pii_scan *s, size_t i)
{
    const char *p = s->p + i + 5, *label = p + 6, *end, *close;
    size_t room = s->hi - i, n = 0, k, body = 0;
    char line[80];

    if (room > 32 << 10)
        room = 32 << 10;
    if (room < 80 || memcmp(p, "BEGIN ", 6))
        return;
    while (n < 40 && (pii_alnum(label[n]) || label[n] == ' '))
        n++;
    if (n < 11 || memcmp(label + n, "-----", 5) || !memmem(label, n, "PRIVATE KEY", 11))
        return;
    k = (size_t)snprintf(line, sizeof line, "-----END %.*s-----", (int)n, label);
    close = memmem(label + n, room - 11 - n, line, k);
    if (!close)
        return;
    end = close + k;
    for (p = label + n + 5; p < close; p++)
        body += pii_class('s', *p);
    if (body >= 40)
        pii_found(s, LM_PII_KEY, "key-pem", i, (size_t)(end - (s->p + i)));
}

void lm_pii_sample(const lm_pii_rule *r, bool good, uint64_t seed, lm_buf *out)
{
    pii_prog g = {.rule = r};
    const char *pat = r->pattern;
    size_t k, i, start, from;
    char c;

    while (*pat)
        add_part(&g, &pat);
    if (!good && !strcmp(r->wrong, "glued"))
        lm_buf_addc(out, 'q');
    start = out->n;
    for (k = 0; k < g.nparts; k++) {
        if (!g.part[k].cls)
            lm_buf_add(out, g.part[k].lit.p, g.part[k].lit.n);
        for (i = 0; g.part[k].cls && i < g.part[k].min; i++) {
            do /* no dash or sign at an end, where it may not belong */
                c = (char)(' ' + lm_splitmix(&seed) % 95);
            while (!pii_class(g.part[k].cls, c) || !pii_alnum(c));
            lm_buf_addc(out, c);
        }
    }
    from = out->n - 36;
    if (r->check == LM_PII_CRC62)
        crc62(out->p + from, out->p + from + 30);
    if (good)
        return;
    if (!strcmp(r->wrong, "short")) /* what an exact format lacks */
        out->p[--out->n] = 0;
    else if (!strcmp(r->wrong, "class"))
        out->p[start + g.part[0].lit.n] = '_';
    else if (!strcmp(r->wrong, "crc"))
        out->p[out->n - 1] = out->p[out->n - 1] == '0' ? '1' : '0';
}
