/* Attributes and the fields of foreign formats they go by. */
#include "text/fields.h"

bool lm_key_ok(lm_str s)
{
    if (!s.n || s.n > 32 || s.p[0] < 'a' || s.p[0] > 'z')
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '-'))
            return false;
    return true;
}

int lm_fields_parse(const lm_list *maps, lm_fields *out)
{
    size_t cap = 0;

    for (size_t i = 0; i < maps->n; i++)
        for (const char *p = maps->v[i]; *p;) {
            size_t n = strcspn(p, ",");
            const char *eq = memchr(p, '=', n);
            lm_str key = {p, eq ? (size_t)(eq - p) : n};

            if (!eq || !lm_key_ok(key) || eq + 1 == p + n)
                return lm_err(LM_EUSAGE, "--map wants ATTR=FIELD,.., not %s", maps->v[i]);
            LM_GROW(out->v, out->n, cap);
            out->v[out->n++] = (lm_field){key, {eq + 1, n - (size_t)(eq + 1 - p)}};
            p += n + (p[n] == ',');
        }
    return 0;
}

bool lm_key_number(lm_str key)
{
    static const char *const keys[] = {
        "size",     "stars",    "forks",    "part",          "last",      "sub",       "epoch",
        "sample",   "step",     "tokens",   "n-lines",       "line-max",  "line-mean", "alpha",
        "alnum",    "digit",    "space",    "nonascii",      "enc-run",   "enc-frac",  "words",
        "comment",  "dup-line", "html-vis", "cpt",           "lang-conf", "dup-size",  "dup-sim",
        "dup-frac", "pii-n",    "parse-n",  "parse-err",     "cut",       "value",     "n",
        "se",       "lo",       "hi",       "prompt-tokens", "cached",    "ttft-ms",   "ms",
        "logp",     "cpu-ms",   "wall-ms",  "mem",           "tries",     "reward"};

    for (size_t i = 0; i < LM_COUNT(keys); i++)
        if (lm_is(key, keys[i]))
            return true;
    return false;
}
