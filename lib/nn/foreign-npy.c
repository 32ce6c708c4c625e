/* foreign-npy: reads NumPy's .npy, whose head is the text of a Python dict: 1.0, 2.0 and 3.0. */
#include "nn/foreign-priv.h"
#include <inttypes.h>

typedef struct {
    lm_fin f;
    const char *p, *end; /* in the head */
    lm_elem e;
    uint64_t dim[2];
    unsigned dims;
    bool fortran, has_descr, has_order, has_shape;
} npy;

static int bad(const npy *a, const char *what)
{
    return lm_fin_bad(&a->f, (uint64_t)(a->p - a->f.map.p), LM_EINVALID, "%s", what);
}

static void blank(npy *a)
{
    while (a->p < a->end && (*a->p == ' ' || *a->p == '\n' || *a->p == '\t'))
        a->p++;
}

static bool take(npy *a, char c)
{
    blank(a);
    if (a->p == a->end || *a->p != c)
        return false;
    a->p++;
    return true;
}

/* A string without escapes, in either quotes. */
static bool string(npy *a, lm_str *s)
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

static int descr(npy *a)
{
    static const struct {
        const char *name;
        lm_elem e;
    } known[] = {{"<u2", {2, false}}, {"<u4", {4, false}}, {"<i4", {4, true}}, {"<i8", {8, true}},
                 {"<u8", {8, false}}, {"<i2", {2, true}},  {"|u1", {1, false}}};
    const char *at = a->p;
    lm_str s;

    if (!string(a, &s)) {
        a->p = at;
        return bad(a, "descr is no simple type: fields or an object");
    }
    for (size_t i = 0; i < LM_COUNT(known); i++)
        if (lm_is(s, known[i].name)) {
            a->e = known[i].e;
            return 0;
        }
    return lm_fin_bad(&a->f, (uint64_t)(s.p - a->f.map.p), LM_EINVALID,
                      "ids of type %.*s: not one of uint16 uint32 int32 int64 (little-endian)",
                      (int)(s.n < 40 ? s.n : 40), s.p);
}

static int shape(npy *a)
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
        if (a->dims == 2)
            return bad(a, "more than two dimensions: neither ids nor rows of ids");
        if (!lm_parse_u64(s, &a->dim[a->dims++]))
            return bad(a, "shape holds what is no number");
        if (!take(a, ',') && a->p < a->end && *a->p != ')')
            return bad(a, "no comma in shape");
    }
    return a->dims ? 0 : bad(a, "a single number, no array");
}

static int order(npy *a)
{
    blank(a);
    if (a->end - a->p >= 4 && !memcmp(a->p, "True", 4)) {
        a->fortran = true;
        a->p += 4;
        return 0;
    }
    if (a->end - a->p < 5 || memcmp(a->p, "False", 5))
        return bad(a, "fortran_order is neither True nor False");
    a->p += 5;
    return 0;
}

static int dict(npy *a)
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

static int head(npy *a)
{
    lm_str m = a->f.map;
    size_t len, at;

    if (m.n < 10)
        return lm_fin_bad(&a->f, m.n, LM_ETRUNC, "shorter than the head of an array");
    if (memcmp(m.p, "\x93NUMPY", 6))
        return lm_fin_bad(&a->f, 0, LM_EINVALID, "not a .npy file: no magic");
    if ((uint8_t)m.p[6] < 1 || (uint8_t)m.p[6] > 3 || m.p[7])
        return lm_fin_bad(&a->f, 6, LM_EVERSION, "version %u.%u of the .npy format",
                          (unsigned)(uint8_t)m.p[6], (unsigned)(uint8_t)m.p[7]);
    at = m.p[6] == 1 ? 10 : 12;
    if (m.n < at)
        return lm_fin_bad(&a->f, m.n, LM_ETRUNC, "shorter than the head of an array");
    len = m.p[6] == 1 ? (size_t)(uint8_t)m.p[8] | (size_t)(uint8_t)m.p[9] << 8 : lm_load32(m.p + 8);
    if (len > m.n - at)
        return lm_fin_bad(&a->f, m.n, LM_ETRUNC, "cut in its head of %zu bytes", len);
    a->p = m.p + at;
    a->end = a->p + len;
    return dict(a);
}

static int ids(npy *a)
{
    uint64_t at = (uint64_t)(a->end - a->f.map.p), left = a->f.map.n - at, n = a->dim[0];
    size_t all = 0, len = 0;
    int err = 0;

    if (a->fortran && a->dims == 2)
        return bad(a, "rows in Fortran order (numpy.ascontiguousarray mends that)");
    if (a->dims == 1)
        a->dim[1] = 1;
    if (!lm_mul_ok(n, a->dim[1], &all) || !lm_mul_ok(all, a->e.size, &len) || len > left)
        return lm_fin_bad(&a->f, a->f.map.n, LM_ETRUNC,
                          "%" PRIu64 " bytes are fewer than its shape needs", left);
    if (len < left)
        return lm_fin_bad(&a->f, at + len, LM_ECORRUPT, "more bytes than its shape needs");
    if (a->dims == 1)
        return lm_fin_cut(&a->f, at, n, a->e, NULL);
    if (!a->dim[1] && n)
        return bad(a, "rows without an id");
    for (uint64_t i = 0; !err && i < n; i++)
        err = lm_fin_put(&a->f, at + i * a->dim[1] * a->e.size, a->dim[1], a->e, a->dim[1], NULL);
    return err;
}

int lm_npy_import(const lm_importer *m, const char *path)
{
    npy a = {0};
    int err = lm_fin_open(&a.f, m, path);

    if (!err && !(err = head(&a)))
        err = ids(&a);
    lm_fin_close(&a.f);
    return err;
}
