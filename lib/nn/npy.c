/* npy: the head is the text of a Python dict. */
#include "nn/npy.h"
#include <inttypes.h>

typedef struct {
    lm_npy *out;
    const char *p, *end; /* in the head */
    lm_str m;
    bool has_descr, has_order, has_shape;
} cur;

static int fail(cur *a, const char *p, int err, const char *why)
{
    a->out->at = (uint64_t)(p - a->m.p);
    snprintf(a->out->why, sizeof a->out->why, "%s", why);
    return err;
}

static int bad(cur *a, const char *why)
{
    return fail(a, a->p, LM_EINVALID, why);
}

static void blank(cur *a)
{
    while (a->p < a->end && (*a->p == ' ' || *a->p == '\n' || *a->p == '\t'))
        a->p++;
}

static bool take(cur *a, char c)
{
    blank(a);
    if (a->p == a->end || *a->p != c)
        return false;
    a->p++;
    return true;
}

/* A string without escapes, in either quotes. */
static bool string(cur *a, lm_str *s)
{
    char q;
    const char *close;

    blank(a);
    if (a->p == a->end || (*a->p != '\'' && *a->p != '"'))
        return false;
    q = *a->p++;
    close = memchr(a->p, q, (size_t)(a->end - a->p));
    if (!close)
        return false;
    *s = (lm_str){a->p, (size_t)(close - a->p)};
    a->p = close + 1;
    return true;
}

static int descr(cur *a)
{
    const char *at = a->p;

    if (string(a, &a->out->descr))
        return 0;
    a->p = at;
    return bad(a, "descr is no simple type: fields or an object");
}

static int shape(cur *a)
{
    if (!take(a, '('))
        return bad(a, "shape is no tuple");
    while (!take(a, ')')) {
        lm_str s;

        blank(a);
        s = (lm_str){a->p, 0};
        while (a->p < a->end && *a->p >= '0' && *a->p <= '9')
            a->p++;
        s.n = (size_t)(a->p - s.p);
        if (a->out->dims == 2)
            return bad(a, "more than two dimensions: neither a list nor rows");
        if (!lm_parse_u64(s, &a->out->dim[a->out->dims++]))
            return bad(a, "shape holds what is no number");
        if (!take(a, ',') && a->p < a->end && *a->p != ')')
            return bad(a, "no comma in shape");
    }
    return a->out->dims ? 0 : bad(a, "a single number, no array");
}

static int order(cur *a)
{
    blank(a);
    if (a->end - a->p >= 4 && !memcmp(a->p, "True", 4)) {
        a->out->fortran = true;
        a->p += 4;
        return 0;
    }
    if (a->end - a->p < 5 || memcmp(a->p, "False", 5))
        return bad(a, "fortran_order is neither True nor False");
    a->p += 5;
    return 0;
}

static int dict(cur *a)
{
    int err = 0;

    if (!take(a, '{'))
        return bad(a, "the head is no dict");
    while (!err && !take(a, '}')) {
        const char *at = a->p;
        lm_str key;

        if (!string(a, &key) || !take(a, ':'))
            return bad(a, "the head is no dict of names");
        if (lm_is(key, "descr") && !a->has_descr) {
            a->has_descr = true;
            err = descr(a);
        } else if (lm_is(key, "fortran_order") && !a->has_order) {
            a->has_order = true;
            err = order(a);
        } else if (lm_is(key, "shape") && !a->has_shape) {
            a->has_shape = true;
            err = shape(a);
        } else {
            a->p = at;
            err = bad(a, "a key the head of an array does not have, or twice");
        }
        if (!err && !take(a, ',') && a->p < a->end && *a->p != '}')
            err = bad(a, "no comma in the head");
    }
    if (!err && (!a->has_descr || !a->has_order || !a->has_shape))
        err = bad(a, "the head lacks descr, fortran_order or shape");
    return err;
}

int lm_npy_parse(lm_str m, lm_npy *out)
{
    cur a = {.out = out, .m = m};
    size_t len, at;

    *out = (lm_npy){0};
    if (m.n < 10)
        return fail(&a, m.p + m.n, LM_ETRUNC, "shorter than the head of an array");
    if (memcmp(m.p, "\x93NUMPY", 6))
        return fail(&a, m.p, LM_EINVALID, "not a .npy file: no magic");
    if ((uint8_t)m.p[6] < 1 || (uint8_t)m.p[6] > 3 || m.p[7]) {
        fail(&a, m.p + 6, LM_EVERSION, "");
        snprintf(out->why, sizeof out->why, "version %u.%u of the .npy format",
                 (unsigned)(uint8_t)m.p[6], (unsigned)(uint8_t)m.p[7]);
        return LM_EVERSION;
    }
    at = m.p[6] == 1 ? 10 : 12;
    if (m.n < at)
        return fail(&a, m.p + m.n, LM_ETRUNC, "shorter than the head of an array");
    len = (size_t)(uint8_t)m.p[8] | (size_t)(uint8_t)m.p[9] << 8;
    if (at == 12)
        len |= (size_t)(uint8_t)m.p[10] << 16 | (size_t)(uint8_t)m.p[11] << 24;
    if (len > m.n - at) {
        fail(&a, m.p + m.n, LM_ETRUNC, "");
        snprintf(out->why, sizeof out->why, "cut in its head of %zu bytes", len);
        return LM_ETRUNC;
    }
    a.p = m.p + at;
    a.end = a.p + len;
    out->data = at + len;
    return dict(&a);
}

void lm_npy_head(char out[LM_NPY_HEAD], const char *descr, unsigned dims, const uint64_t *dim)
{
    int k = snprintf(out, LM_NPY_HEAD, "\x93NUMPY%c%c%c%c{'descr': '%s', 'fortran_order': False, ",
                     1, 0, LM_NPY_HEAD - 10, 0, descr);

    /* snprintf has stopped at no NUL: %c writes it */
    if (dims == 2)
        k += snprintf(out + k, LM_NPY_HEAD - (size_t)k, "'shape': (%" PRIu64 ", %" PRIu64 "), }",
                      dim[0], dim[1]);
    else
        k += snprintf(out + k, LM_NPY_HEAD - (size_t)k, "'shape': (%" PRIu64 ",), }", dim[0]);
    memset(out + k, ' ', (size_t)(LM_NPY_HEAD - 1 - k));
    out[LM_NPY_HEAD - 1] = '\n';
}
