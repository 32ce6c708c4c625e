/* scandialect: a regular expression of Hugging Face's library, which is Oniguruma's in the syntax
   of Ruby, as one that means the same to PCRE2 with UTF, UCP, MULTILINE (in Ruby ^ and $ always
   know lines). What the two take in different senses, and has no like, is refused by name. Sources:
   doc/RE of Oniguruma, pcre2pattern(3). */
#include "text/scan-priv.h"

static int refuse(lm_str re, size_t at, size_t n, const char *why)
{
    n = n < re.n - at ? n : re.n - at;
    return lm_err(LM_EINVALID, "pattern '%.*s', byte %zu: '%.*s' %s: not supported",
                  (int)(re.n < 100 ? re.n : 100), re.p, at, (int)n, re.p + at, why);
}

static bool starts(lm_str re, size_t at, const char *with)
{
    size_t n = strlen(with);

    return re.n - at >= n && !memcmp(re.p + at, with, n);
}

static bool hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f');
}

/* \p{..} at i: a general category stands as it is, a script is asked for by its own name, for
   PCRE2 means script extensions else. */
static int property(lm_str re, size_t *i, lm_buf *out)
{
    const char *end = memchr(re.p + *i, '}', re.n - *i);
    lm_str name;
    bool inverted;

    if (!starts(re, *i + 2, "{") || !end)
        return refuse(re, *i, 3, "is no \\p{..}");
    name = (lm_str){re.p + *i + 3, (size_t)(end - re.p) - *i - 3};
    inverted = name.n && *name.p == '^';
    name.p += inverted;
    name.n -= inverted;
    lm_buf_add(out, re.p + *i, 3);
    lm_buf_adds(out, inverted ? "^" : "");
    if (name.n > 2 || !name.n || !strchr("LMNPSZC", *name.p))
        lm_buf_adds(out, "sc:");
    lm_buf_add(out, name.p, name.n);
    lm_buf_addc(out, '}');
    *i = (size_t)(end - re.p) + 1;
    return 0;
}

/* The escape at i. */
static int escape(lm_str re, size_t *i, lm_buf *out)
{
    size_t len, n = 2;
    char c = *i + 1 < re.n ? re.p[*i + 1] : 0;

    if (c == 'p' || c == 'P')
        return property(re, i, out);
    if (c == 's' || c == 'S') { /* U+180E is a space to \s of PCRE2 alone */
        lm_buf_addf(out, "\\%c{White_Space}", c == 's' ? 'p' : 'P');
        *i += 2;
        return 0;
    }
    if (c == 'u') {
        for (n = 2; n < 6; n++)
            if (*i + n >= re.n || !hex(re.p[*i + n]))
                return refuse(re, *i, 6, "is no \\uHHHH");
        lm_buf_addf(out, "\\x{%.4s}", re.p + *i + 2);
        *i += 6;
        return 0;
    }
    if (c == 'x' && starts(re, *i + 2, "{")) {
        while (*i + n < re.n && re.p[*i + n - 1] != '}')
            n++;
    } else if (c == 'x') {
        while (n < 4 && *i + n < re.n && hex(re.p[*i + n]))
            n++;
        if (n < 4 || re.p[*i + 2] > '7')
            return refuse(re, *i, 4, "is a byte, or less");
    } else if (!c || ((c | 32) >= 'a' && (c | 32) <= 'z' && !strchr("dDnrtfaexAzZ", c)) ||
               (c >= '0' && c <= '9')) {
        return refuse(re, *i, 2, "means something else to PCRE2, or nothing");
    } else if ((unsigned char)c >= 0x80) {
        lm_utf8_get(re.p + *i + 1, re.n - *i - 1, &len);
        n = 1 + len;
    }
    lm_buf_add(out, re.p + *i, n);
    *i += n;
    return 0;
}

static int group(lm_str re, size_t at, bool *fold)
{
    static const char *const same[] = {"(?:", "(?=", "(?!", "(?>", "(?<=", "(?<!", NULL};

    if (starts(re, at, "(*"))
        return refuse(re, at, 2, "is a verb");
    if (!starts(re, at, "(?"))
        return 0;
    if (starts(re, at, "(?i:") || (starts(re, at, "(?i)") && !at)) {
        *fold = true;
        return 0;
    }
    for (int k = 0; same[k]; k++)
        if (starts(re, at, same[k]))
            return 0;
    return refuse(re, at, 4, "is a group of a kind");
}

/* A brace at `at` that begins a quantifier; what follows it is looked at. */
static int quantifier(lm_str re, size_t at)
{
    size_t i = at + 1;
    bool comma = false;

    while (i < re.n && ((re.p[i] >= '0' && re.p[i] <= '9') || re.p[i] == ','))
        comma |= re.p[i++] == ',';
    if (i == at + 1 || re.p[at + 1] == ',' || i == re.n || re.p[i] != '}')
        return refuse(re, at, i + 1 - at, "is no {n}, {n,} or {n,m}");
    if (++i < re.n && (re.p[i] == '+' || (re.p[i] == '?' && !comma)))
        return refuse(re, at, i + 1 - at, "repeats a repetition");
    return 0;
}

/* Under (?i) one character may be as good as two there, but not here: those pairs, and all that is
   not ASCII, are kept out. */
static bool folds_to_one(lm_str re, size_t i)
{
    static const char *const pairs[] = {"ss", "ff", "fi", "fl", "st", NULL};
    char two[3] = {(char)(re.p[i] | 32), i + 1 < re.n ? (char)(re.p[i + 1] | 32) : 0, 0};

    for (int k = 0; pairs[k]; k++)
        if (!strcmp(two, pairs[k]))
            return true;
    return (unsigned char)re.p[i] >= 0x80;
}

int lm_scan_dialect(lm_str re, lm_buf *out)
{
    bool set = false, fold = false;
    int err = 0;

    for (size_t i = 0; i < re.n && err >= 0;) {
        char c = re.p[i];

        if (c == '\\') {
            err = escape(re, &i, out);
            continue;
        }
        if (fold && folds_to_one(re, i))
            return refuse(re, i, 2, "where case is ignored");
        if (set && c == '[')
            return refuse(re, i, 2, "in brackets");
        if (set && starts(re, i, "&&"))
            return refuse(re, i, 2, "in brackets");
        if (!set && (starts(re, i, "[]") || starts(re, i, "[^]")))
            return refuse(re, i, 3, "is an empty set, or not");
        if (!set && c == '(')
            err = group(re, i, &fold);
        if (!set && c == '{')
            err = quantifier(re, i);
        set = c == '[' || (set && c != ']');
        lm_buf_addc(out, c);
        i++;
    }
    return err;
}
