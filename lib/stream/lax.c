/* lax: going on after damage: --lax, lm-check --salvage. */
#include "stream/in.h"

#define IN_A_ROW 3 /* whole records that prove a place: a body may hold a false header */

static void tell(lm_in *in)
{
    lm_error *e = lm_last_error();
    char text[1800];

    snprintf(text, sizeof text, "%s: %s: %s", e->where, lm_class_name(e->err), e->detail);
    if (in->warn)
        in->warn(text);
    in->st.skipped++;
    in->err = 0;
    in->lossy = true;
}

int lm_in_told(lm_in *in)
{
    if (!(in->flags & LM_IN_LAX))
        return in->err;
    tell(in);
    return 0;
}

/* Length of the line at byte `at` of the unread, with its LF; 0 = none within a header's limit. */
static size_t line_at(lm_in *in, size_t at)
{
    size_t have;
    const char *p, *lf;

    if (!lm_in_fill(in, at + LM_MAX_HEAD))
        return 0;
    have = in->hi - in->lo;
    if (have <= at)
        return 0;
    have -= at;
    p = in->buf + in->lo + at;
    lf = memchr(p, '\n', have < LM_MAX_HEAD ? have : LM_MAX_HEAD);
    return lf ? (size_t)(lf - p) + 1 : 0;
}

/* Do whole records, or notes and the end of the file, stand at byte `at` of the unread? */
static bool chain(lm_in *in, size_t at)
{
    for (int n = 0; n < IN_A_ROW;) {
        lm_rec r = {0};
        const char *why, *p;
        uint64_t len;
        size_t k;

        if (!lm_in_fill(in, at + 1))
            return false;
        if (in->hi - in->lo <= at)
            return n > 0;
        k = line_at(in, at);
        p = in->buf + in->lo + at;
        if (k && *p == '%' && n) {
            for (size_t i = 0; i + 1 < k; i++)
                if (p[i] < 0x20 || p[i] > 0x7e)
                    return false;
            at += k;
            continue;
        }
        if (!k || *p != '@' || lm_head_parse(p, k, &r, &len, &why) || len > lm_max_body)
            return false;
        if (!lm_in_fill(in, at + k + len + 1) || in->hi - in->lo < at + k + len + 1)
            return false;
        at += k + len;
        if (in->buf[in->lo + at++] != '\n')
            return false;
        n++;
    }
    return true;
}

/* Does the closing line, or the head of a further stream, stand here? They prove a place as well.
 */
static bool closing(lm_in *in)
{
    size_t k = line_at(in, 0);
    const char *p = in->buf + in->lo;
    lm_str attrs, n, b;
    uint64_t v;

    if (k == 6 && !memcmp(p, "%lm 1\n", 6))
        return true;
    if (k < 10 || memcmp(p, "%end ", 5) || lm_attrs_check(p + 4, p + k - 1, &attrs))
        return false;
    n = lm_attr_find(attrs, "n");
    b = lm_attr_find(attrs, "b");
    if (!lm_parse_u64(n, &v) || !lm_parse_u64(b, &v))
        return false;
    if (!lm_in_fill(in, k + 4))
        return false;
    return in->hi - in->lo == k ||
           (in->hi - in->lo >= k + 4 && !memcmp(in->buf + in->lo + k, "%lm ", 4));
}

static int lost(lm_in *in, uint64_t from, int rc)
{
    if (in->lost && in->off > from)
        in->lost(in->lost_ctx, lm_in_name(in), from, in->off);
    return in->err ? -1 : rc;
}

/* Tells of the trouble and finds the next place that is sound. 1 = go on, 0 = the file is done. */
int lm_in_lax_skip(lm_in *in)
{
    uint64_t from = in->recoff;
    bool here = !in->open; /* a record outside a stream may be whole itself */

    if (in->err == LM_EIO || in->err == LM_EABORT || in->err == LM_EVERSION)
        return -1;
    tell(in);
    in->open = in->any = true;
    for (;; here = false) {
        char *p = in->buf + in->lo, *lf;

        if (!here) {
            lf = in->hi > in->lo ? memchr(p, '\n', in->hi - in->lo) : NULL;
            lm_in_eat(in, lf ? (size_t)(lf - p) + 1 : in->hi - in->lo);
            if (!lf && (in->eof || !lm_in_fill(in, 1) || in->lo == in->hi))
                return lost(in, from, 0);
            if (!lf)
                continue;
        }
        if (!lm_in_fill(in, 1) || in->lo == in->hi)
            return lost(in, from, 0);
        p = in->buf + in->lo;
        if (*p == '@' ? chain(in, 0) : *p == '%' && closing(in))
            return lost(in, from, 1);
    }
}
