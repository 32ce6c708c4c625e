/* lm-grep: pass the records whose body, or one attribute, matches a pattern; exit 1 if none did.
   Apart from lm-select: it reads bodies. */
#include "lm.h"

static const char *key;
static bool fixed, icase, invert, count;
static const lm_opt opts[] = {
    LM_FLAG('F', "fixed", &fixed, "PATTERN is plain bytes, not a regular expression"),
    LM_FLAG('i', "ignore-case", &icase, "letters match in either case"),
    LM_STRING('k', "key", &key, "ATTR", "match attribute ATTR, not the body"),
    LM_FLAG(0, "not", &invert, "pass the records that do not match"),
    LM_FLAG('c', "count", &count, "print only the number of records that would pass"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-grep",
                             .does = "pass records that match a pattern",
                             .args = "PATTERN",
                             .types = "*",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR | LM_REJ};

typedef struct {
    lm_re *re; /* NULL: plain bytes, case counts */
    lm_str want;
    _Atomic uint64_t hits;
} search;

static int matches(const search *s, lm_str in)
{
    if (!in.p)
        return 0;
    if (!s->re)
        return !s->want.n || (in.n && memmem(in.p, in.n, s->want.p, s->want.n));
    return lm_re_match(s->re, in, 0, NULL, 0);
}

static int one(lm_rec *r, void *ctx)
{
    search *s = ctx;
    int m = matches(s, key ? lm_get(r, key) : r->body);

    if (m < 0)
        return lm_rec_fail(r, m, "%s", lm_last_error()->detail);
    if (!m == !invert)
        return lm_drop(r, "grep", "%.*s", (int)s->want.n, s->want.p);
    atomic_fetch_add_explicit(&s->hits, 1, memory_order_relaxed);
    return LM_KEEP;
}

static int run(lm_in *in, lm_out *out)
{
    search s = {.want = lm_arg(0)};
    int err;

    if (!fixed || icase) {
        s.re = lm_re_new(s.want, LM_RE_UTF | LM_RE_LINES | (icase ? LM_RE_ICASE : 0) |
                                     (fixed ? LM_RE_LITERAL : 0));
        if (!s.re)
            return LM_EUSAGE;
    }
    err = lm_map(in, count ? NULL : out, LM_JOBS, one, &s);
    lm_re_free(s.re);
    if (!err && count)
        fprintf(lm_out_text(out), "%llu\n", (unsigned long long)s.hits);
    return err ? err : s.hits ? LM_DONE : LM_NO;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
