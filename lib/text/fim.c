/* fim: fill-in-the-middle: documents cut at random, prompts made of two sides. */
#include "text/fim.h"
#include <inttypes.h>

bool lm_fim_next(lm_str *list, lm_str *role, uint64_t *len)
{
    const char *comma = memchr(list->p, ',', list->n);
    size_t n = comma ? (size_t)(comma - list->p) : list->n;
    const char *colon = memchr(list->p, ':', n);

    if (!colon)
        return false;
    *role = (lm_str){list->p, (size_t)(colon - list->p)};
    if (!lm_parse_u64((lm_str){colon + 1, n - role->n - 1}, len))
        return false;
    n += comma != NULL;
    *list = (lm_str){list->p + n, list->n - n};
    return true;
}

void lm_fim_add(lm_buf *list, const char *role, uint64_t len)
{
    lm_buf_addf(list, "%s%s:%" PRIu64, list->n ? "," : "", role, len);
}

/* A byte position in [0, t.n], moved to where a character begins. */
static size_t any_char(lm_str t, uint64_t *s)
{
    size_t i = lm_below(s, t.n + 1);

    for (int k = 0; k < 3 && i && i < t.n && (unsigned char)t.p[i] >> 6 == 2; k++)
        i--;
    return i;
}

/* The place behind line end number k of t, from 1; 0 or beyond the last: an end of t. */
static size_t line_at(lm_str t, uint64_t k)
{
    const char *p = t.p, *end = t.p + t.n;

    while (k-- && p < end) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));

        p = lf ? lf + 1 : end;
    }
    return (size_t)(p - t.p);
}

/* How many lines t has, one behind the last line end included if it is not empty. */
static uint64_t lines(lm_str t)
{
    uint64_t n = 0;

    for (size_t i = 0; i < t.n; i = line_at((lm_str){t.p + i, t.n - i}, 1) + i)
        n++;
    return n;
}

static size_t any_cut(const lm_fim_opt *o, lm_str t, const lm_ids *off, uint64_t nlines,
                      uint64_t *s)
{
    uint64_t k;

    if (o->cut == LM_FIM_CHAR)
        return any_char(t, s);
    if (o->cut == LM_FIM_LINE)
        return line_at(t, lm_below(s, nlines + 1));
    k = lm_below(s, off->n + 1);
    return k < off->n ? off->v[k] : t.n;
}

static void part(lm_buf *body, lm_buf *fim, const char *role, lm_str t)
{
    lm_fim_add(fim, role, t.n);
    lm_buf_add(body, t.p, t.n);
}

bool lm_fim_cut(const lm_fim_opt *o, const lm_str *key, size_t n, lm_str t, const lm_ids *off,
                lm_buf *body, lm_buf *fim)
{
    uint64_t s = lm_keyed(o->seed, "fim", key, n), count;
    bool yes = lm_unit(lm_splitmix(&s)) < o->rate, spm = lm_unit(lm_splitmix(&s)) < o->spm;
    size_t a, b;
    lm_str pre, mid, suf;

    if (!yes || t.n < o->min_bytes)
        return false;
    count = o->cut == LM_FIM_LINE ? lines(t) : 0;
    a = any_cut(o, t, off, count, &s);
    b = any_cut(o, t, off, count, &s);
    pre = (lm_str){t.p, a < b ? a : b};
    mid = (lm_str){t.p + pre.n, (a < b ? b : a) - pre.n};
    suf = (lm_str){mid.p + mid.n, t.n - pre.n - mid.n};
    if (spm)
        part(body, fim, "suf", suf);
    part(body, fim, "pre", pre);
    if (!spm)
        part(body, fim, "suf", suf);
    part(body, fim, "mid", mid);
    return true;
}

int lm_fim_texts(lm_str body, lm_str *list, size_t *at, lm_fim_text *t)
{
    static const char *const name[] = {"pre", "suf", "mid"};
    lm_str part[3], role;
    uint64_t len;
    int have = 0;

    while (list->n) {
        int i = 0;

        if (!lm_fim_next(list, &role, &len) || len > body.n - *at)
            return lm_err(LM_EINVALID, "fim= does not fit the body");
        while (i < 3 && !lm_is(role, name[i]))
            i++;
        if (i < 3) {
            part[i] = (lm_str){body.p + *at, len};
            if (have & 1 << i || (i == 2 && have != 3))
                break;
            have |= 1 << i;
        } else if (have) {
            break;
        }
        *at += len;
        if (have == 7) {
            *t = (lm_fim_text){part[0], part[2], part[1]};
            return 1;
        }
    }
    if (have)
        return lm_err(LM_EINVALID, "fim=: pre, suf and then mid do not stand together");
    return *at == body.n ? 0 : lm_err(LM_EINVALID, "fim= does not cover the body");
}

static int mark(const lm_vocab *v, int role, lm_ids *out)
{
    uint32_t id = lm_vocab_role(v, role);

    if (id == LM_NO_ID)
        return lm_err(LM_EMISMATCH, "the vocabulary has no %s token", lm_role_name[role]);
    lm_ids_put(out, NULL, id, 0);
    return 0;
}

static void copy(lm_ids *out, const uint32_t *ids, size_t n)
{
    lm_ids_need(out, n);
    if (n)
        memcpy(out->v + out->n, ids, n * sizeof *ids);
    out->n += n;
}

int lm_fim_layout(const lm_vocab *v, const uint32_t *left, size_t nleft, const uint32_t *right,
                  size_t nright, int order, size_t room, lm_ids *out)
{
    size_t sides = room - LM_FIM_MARKS, half = sides / 2, nl, nr;
    bool spm = order == LM_FIM_SPM;
    int err;

    nr = nright < half ? nright : half;
    nl = nleft < sides - nr ? nleft : sides - nr;
    nr = nright < sides - nl ? nright : sides - nl;
    if (nl)
        left += nleft - nl;
    if ((err = mark(v, LM_ROLE_FIM_PRE, out)) < 0)
        return err;
    if (!spm)
        copy(out, left, nl);
    if ((err = mark(v, LM_ROLE_FIM_SUF, out)) < 0)
        return err;
    copy(out, right, nr);
    if ((err = mark(v, LM_ROLE_FIM_MID, out)) < 0)
        return err;
    if (spm)
        copy(out, left, nl);
    return 0;
}

int lm_fim_prompt(const lm_vocab *v, lm_str prefix, lm_str suffix, int order, size_t room,
                  lm_ids *out)
{
    lm_ids left = {0}, right = {0};
    int err = prefix.n ? lm_vocab_encode(v, prefix, &left) : 0;

    if (err >= 0 && suffix.n)
        err = lm_vocab_encode(v, suffix, &right);
    if (err >= 0)
        err = lm_fim_layout(v, left.v, left.n, right.v, right.n, order, room, out);
    free(left.v);
    free(right.v);
    return err;
}
