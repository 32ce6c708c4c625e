/* pii-quoted: secrets that no vendor's prefix gives away, by the name they are given: the value in
   quotes after key, secret, token, password with = or : between, random enough (3.5 bits a byte,
   the floor of the common scanners), and none of what usually turns out to be harmless. */
#include <math.h>
#include "text/pii-priv.h"

enum { LONGEST = 512 };

static bool secret_byte(char c)
{
    return pii_alnum(c) || (c && strchr("_+/=.~!@#$%^&*:?|-", c));
}

static double entropy(const char *p, size_t n)
{
    unsigned count[256] = {0};
    double h = 0;
    size_t i;

    for (i = 0; i < n; i++)
        count[(unsigned char)p[i]]++;
    for (i = 0; i < 256; i++)
        if (count[i])
            h -= count[i] / (double)n * log2(count[i] / (double)n);
    return h;
}

static bool starts(const char *p, size_t n, const char *with)
{
    size_t k = strlen(with);

    return n >= k && !memcmp(p, with, k);
}

static bool uuid(const char *p, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (i == 8 || i == 13 || i == 18 || i == 23 ? p[i] != '-' : !pii_hex(p[i]))
            return false;
    return n == 36;
}

/* Words and short numbers between separators, as in names and paths: my.config.key-v2 */
static bool wordy(const char *p, size_t n)
{
    size_t i = 0, letters, digits;

    while (i < n) {
        for (letters = 0; i < n && pii_alpha(p[i]); i++)
            letters++;
        for (digits = 0; i < n && pii_digit(p[i]); i++)
            digits++;
        if (letters > 24 || digits > 4 || (i < n && pii_alpha(p[i])))
            return false;
        while (i < n && !pii_alnum(p[i]))
            i++;
    }
    return true;
}

/* Most bytes repeat or follow the one before: 0123456789abcdef, aaaaaaaa. */
static bool sequence(const char *p, size_t n)
{
    size_t i, steps = 0;

    for (i = 1; i < n; i++)
        steps += p[i] == p[i - 1] || p[i] == p[i - 1] + 1 || p[i] == p[i - 1] - 1;
    return steps * 10 >= n * 6;
}

static bool manual_word(const char *p, size_t n)
{
    static const char *const words[] = {"example", "changeme", "change_me", "placeholder",
                                        "your_",   "your-",    "xxxx",      "dummy",
                                        "sample",  "redacted", "insert"};
    size_t i;

    for (i = 0; i < LM_COUNT(words); i++)
        if (pii_has_word(p, n, words[i]))
            return true;
    return false;
}

/* A hex digest where one is expected: 32, 40 or 64 digits that stand, anywhere in the text, on a
   line that names a hash. */
static bool digest(const pii_scan *s, const char *v, size_t n)
{
    static const char *const words[] = {"sha", "md5", "hash", "byte", "digest"};
    const char *hit = s->p, *end = s->p + s->n, *a, *b; /* the whole text, whatever the window */
    size_t i;

    for (i = 0; i < n; i++)
        if (!pii_hex(v[i]))
            return false;
    if (n != 32 && n != 40 && n != 64)
        return false;
    for (; (hit = memmem(hit, (size_t)(end - hit), v, n)); hit += n) {
        for (a = hit; a > s->p && a[-1] != '\n' && hit - a < 512; a--)
            ;
        for (b = hit + n; b < end && *b != '\n' && b - hit < 1024; b++)
            ;
        for (i = 0; i < LM_COUNT(words); i++)
            if (pii_has_word(a, (size_t)(hit - a), words[i]) ||
                pii_has_word(hit + n, (size_t)(b - hit) - n, words[i]))
                return true;
    }
    return false;
}

static bool harmless(const pii_scan *s, const char *p, size_t n)
{
    static const char *const bad[] = {"${", "{{", "$(", "%(", "%s", "://", "..", "()", NULL};
    size_t i, digits = 0, letters = 0;

    for (i = 0; i < n; i++) {
        digits += pii_digit(p[i]);
        letters += pii_alpha(p[i]);
    }
    if (!digits || !letters || strchr("$%*#/.:?&", p[0]) || starts(p, n, "XKEY") ||
        starts(p, n, "sha1-") || starts(p, n, "sha256-") || starts(p, n, "sha384-") ||
        starts(p, n, "sha512-") || starts(p, n, "sha256:") || starts(p, n, "data:") ||
        starts(p, n, "ssh-"))
        return true;
    for (i = 0; bad[i]; i++)
        if (memmem(p, n, bad[i], strlen(bad[i])))
            return true;
    return uuid(p, n) || manual_word(p, n) || sequence(p, n) || wordy(p, n) ||
           entropy(p, n) < 3.5 || digest(s, p, n);
}

static bool secret_name(const char *p, size_t n)
{
    static const char *const words[] = {"key",    "secret", "token",      "password",
                                        "passwd", "pwd",    "credential", "passphrase"};
    const uint32_t first = 1u << ('k' & 31) | 1u << ('s' & 31) | 1u << ('t' & 31) |
                           1u << ('p' & 31) | 1u << ('c' & 31);
    size_t i, k, len;

    for (i = 0; i + 3 <= n; i++)
        for (k = first >> (p[i] & 31) & 1 ? 0 : LM_COUNT(words); k < LM_COUNT(words); k++)
            if ((p[i] | 32) == words[k][0] && (len = strlen(words[k])) <= n - i &&
                pii_has_word(p + i, len, words[k]))
                return true;
    return false;
}

/* The name that the quote at i belongs to: NAME = ", "NAME": ', NAME := ` and the like, on one
 * line. */
static bool named_secret(const pii_scan *s, size_t i)
{
    size_t at = i, end, signs = 0;

    while (at > s->lo && (s->p[at - 1] == ' ' || s->p[at - 1] == '\t') && i - at < 64)
        at--;
    if (at > s->lo + 1 && s->p[at - 1] == '>' && (s->p[at - 2] == '=' || s->p[at - 2] == '-')) {
        at -= 2;
        signs++;
    }
    while (at > s->lo && (s->p[at - 1] == '=' || s->p[at - 1] == ':') && signs < 3) {
        at--;
        signs++;
    }
    if (!signs)
        return false;
    while (at > s->lo && (s->p[at - 1] == ' ' || s->p[at - 1] == '\t') && i - at < 64)
        at--;
    while (at > s->lo && s->p[at - 1] && strchr("\"'`])", s->p[at - 1]) && i - at < 70)
        at--;
    end = at;
    while (at > s->lo && end - at < 64 &&
           (pii_word(s->p[at - 1]) || s->p[at - 1] == '-' || s->p[at - 1] == '.'))
        at--;
    return secret_name(s->p + at, end - at);
}

void pii_quote(pii_scan *s, size_t i)
{
    size_t n = 0;
    char quote = s->p[i];

    if (s->lockfile || !named_secret(s, i))
        return;
    while (n < LONGEST && secret_byte(pii_at(s, i + 1 + n)))
        n++;
    if (n < 16 || pii_at(s, i + 1 + n) != quote || harmless(s, s->p + i + 1, n))
        return;
    pii_found(s, LM_PII_KEY, "key-generic", i + 1, n);
}
