/* scanre: patterns that have no scanner of their own: splits by regular expressions, one after the
   other, each within the pieces of the one before. */
/* link: pcre2-8 */
#include "text/re.h"
#include "text/scan-priv.h"

typedef struct {
    size_t lo, hi;  /* the piece being cut */
    size_t pos;     /* cut so far */
    size_t from;    /* the next match from pos on was looked for from here (SIZE_MAX: not yet) */
    size_t m[1][2]; /* and is this; SIZE_MAX = there is none */
} level;

struct lm_scan_run {
    level at[LM_PRE_STEPS];
    const char *p;
    char copy[];
};

/* The next match from pos on, of which an empty one at pos does not count. */
static int find(const lm_re *re, const char *p, level *l)
{
    lm_str s = {p + l->lo, l->hi - l->lo};
    size_t from = l->pos - l->lo, len;
    int got;

    if (l->from != SIZE_MAX && l->from <= l->pos &&
        (l->m[0][0] > l->pos || (l->m[0][0] == l->pos && l->m[0][1] > l->pos)))
        return 0;
    l->from = l->pos;
    got = re ? lm_re_match(re, s, from, l->m, 1) : 0;
    if (got > 0 && l->m[0][1] == from) {
        lm_utf8_get(s.p + from, s.n - from, &len);
        got = from + len < s.n ? lm_re_match(re, s, from + len, l->m, 1) : 0;
    }
    if (got > 0) {
        l->m[0][0] += l->lo;
        l->m[0][1] += l->lo;
    } else {
        l->m[0][0] = l->m[0][1] = SIZE_MAX;
    }
    return got < 0 ? got : 0;
}

/* Moves l->pos to the end of the piece that begins there. */
static int cut(const lm_re *re, int how, const char *p, level *l)
{
    size_t begin = l->pos;
    int err = find(re, p, l);

    if (err < 0)
        return err;
    if (l->m[0][0] == SIZE_MAX) {
        l->pos = l->hi;
        return 0;
    }
    if (l->m[0][0] > begin) { /* what is no match, up to one */
        l->pos = how == LM_CUT_PREVIOUS ? l->m[0][1] : l->m[0][0];
        return 0;
    }
    l->pos = l->m[0][1];
    while ((how == LM_CUT_NEXT || how == LM_CUT_RUN) && l->pos < l->hi) {
        if ((err = find(re, p, l)) < 0)
            return err;
        if (how == LM_CUT_NEXT) {
            if (l->m[0][0] > l->pos)
                l->pos = l->m[0][0] < l->hi ? l->m[0][0] : l->hi;
            return 0;
        }
        if (l->m[0][0] != l->pos)
            return 0;
        l->pos = l->m[0][1];
    }
    return 0;
}

static struct lm_scan_run *begin(const char *p, size_t n)
{
    bool valid = lm_utf8_valid(p, n);
    struct lm_scan_run *r = lm_alloc(sizeof *r + (valid ? 0 : n));

    memset(r, 0, sizeof *r);
    r->p = p;
    r->at[0].hi = n;
    r->at[0].from = SIZE_MAX;
    if (valid)
        return r;
    memcpy(r->copy, p, n);
    for (size_t i = 0, len; i < n; i += len)
        if (lm_utf8_get(p + i, n - i, &len) == UINT32_MAX)
            r->copy[i] = 0x1a;
    r->p = r->copy;
    return r;
}

static size_t scan(const lm_pre *pre, const char *p, size_t n, lm_scan_pos *pos, size_t *ends,
                   size_t cap)
{
    struct lm_scan_run *r = pos->run;
    size_t k = 0, last = pre->nstep - 1;

    if (pos->at >= n || pos->err < 0)
        return 0;
    if (!pre->nstep) {
        if (!cap)
            return 0;
        ends[0] = pos->at = n;
        return 1;
    }
    if (!r)
        r = pos->run = begin(p, n);
    while (k < cap && pos->at < n) {
        size_t i = last;

        while (i && r->at[i].pos == r->at[i].hi)
            i--;
        for (;; i++) {
            size_t lo = r->at[i].pos;

            if ((pos->err = cut(pre->re[i], pre->step[i].how, r->p, &r->at[i])) < 0) {
                lm_scan_stop(pos);
                return k;
            }
            if (i == last)
                break;
            r->at[i + 1] = (level){lo, r->at[i].pos, lo, SIZE_MAX, {{0, 0}}};
        }
        ends[k++] = pos->at = r->at[last].pos;
    }
    if (pos->at >= n)
        lm_scan_stop(pos);
    return k;
}

static char *name(const lm_pre_step *step, size_t n)
{
    static const char *const what[] = {"regex:", "text:", "digits", "gpt2"};
    static const char *const how[] = {"", "+previous", "+next", "+run"};
    lm_buf b = {0};

    if (n != 1 || step->what != LM_STEP_REGEX || step->how != LM_CUT_ISOLATED)
        lm_buf_adds(&b, "steps:");
    for (size_t i = 0; i < n; i++) {
        lm_buf_addf(&b, "%s%s", i ? ", " : "", what[step[i].what]);
        lm_buf_add(&b, step[i].pattern.p, step[i].pattern.n);
        lm_buf_adds(&b, how[step[i].how]);
    }
    return b.p;
}

static int compile(const lm_pre_step *s, lm_re **out)
{
    int flags = LM_RE_UTF | LM_RE_UCP | LM_RE_VALID | LM_RE_LINES, err = 0;
    lm_str pattern = s->pattern;
    lm_buf b = {0};
    size_t n;

    if (s->what == LM_STEP_TEXT && !pattern.n)
        return 0;
    if (s->what == LM_STEP_TEXT)
        flags |= LM_RE_LITERAL;
    else if (s->what == LM_STEP_DIGITS)
        pattern = LM_STR("\\p{N}");
    else if (s->what == LM_STEP_GPT2)
        pattern = lm_pre_steps(lm_pre_named(LM_PRE_GPT2), &n)->pattern;
    if (!lm_utf8_valid(pattern.p, pattern.n))
        return lm_err(LM_EINVALID, "a pattern is not UTF-8");
    if (s->what != LM_STEP_TEXT) {
        err = lm_scan_dialect(pattern, &b);
        pattern = lm_buf_str(&b);
    }
    if (err >= 0 && !(*out = lm_re_new(pattern, flags)))
        err = lm_err(LM_EINVALID, "%s", lm_last_error()->detail);
    lm_buf_free(&b);
    return err;
}

int lm_pre_compile(const lm_pre_step *step, size_t n, const lm_pre **out)
{
    lm_pre *pre;
    lm_pre_step *to;
    int err = 0;

    *out = NULL;
    if (n > LM_PRE_STEPS)
        return lm_err(LM_EINVALID, "a pattern of %zu steps, at most %d are taken", n, LM_PRE_STEPS);
    pre = lm_zalloc(1, sizeof *pre);
    pre->kind = LM_PRE_REGEX;
    pre->scan = scan;
    pre->step = to = lm_zalloc(n + 1, sizeof *to);
    pre->re = lm_zalloc(n + 1, sizeof(lm_re *));
    for (; pre->nstep < n && err >= 0; pre->nstep++) {
        to[pre->nstep] = step[pre->nstep];
        to[pre->nstep].pattern.p = lm_strndup(step[pre->nstep].pattern);
        err = compile(step + pre->nstep, &pre->re[pre->nstep]);
    }
    pre->name = name(pre->step, pre->nstep);
    if (err < 0)
        lm_pre_free(pre);
    else
        *out = pre;
    return err;
}

void lm_pre_free(const lm_pre *pre)
{
    if (!pre || pre->kind != LM_PRE_REGEX)
        return;
    for (size_t i = 0; i < pre->nstep; i++) {
        free((char *)pre->step[i].pattern.p);
        lm_re_free(pre->re[i]);
    }
    free(pre->re);
    free((lm_pre_step *)pre->step);
    free((char *)pre->name);
    free((lm_pre *)pre);
}
