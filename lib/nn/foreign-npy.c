/* foreign-npy: ids in NumPy's .npy: one dimension, or rows. */
#include "nn/foreign-priv.h"
#include "nn/npy.h"
#include <inttypes.h>

typedef struct {
    lm_fin f;
    lm_npy h;
    lm_elem e;
} npy;

static int bad(const npy *a, uint64_t at, int err, const char *what)
{
    return lm_fin_bad(&a->f, at, err, "%s", what);
}

static int type(npy *a)
{
    static const struct {
        const char *name;
        lm_elem e;
    } known[] = {{"<u2", {2, false}}, {"<u4", {4, false}}, {"<i4", {4, true}}, {"<i8", {8, true}},
                 {"<u8", {8, false}}, {"<i2", {2, true}},  {"|u1", {1, false}}};
    lm_str s = a->h.descr;

    for (size_t i = 0; i < LM_COUNT(known); i++)
        if (lm_is(s, known[i].name)) {
            a->e = known[i].e;
            return 0;
        }
    return lm_fin_bad(&a->f, (uint64_t)(s.p - a->f.map.p), LM_EINVALID,
                      "ids of type %.*s: not one of uint16 uint32 int32 int64 (little-endian)",
                      (int)(s.n < 40 ? s.n : 40), s.p);
}

static int ids(npy *a)
{
    uint64_t at = a->h.data, left = a->f.map.n - at, n = a->h.dim[0];
    size_t all = 0, len = 0;
    int err = 0;

    if (a->h.fortran && a->h.dims == 2)
        return bad(a, at, LM_EINVALID,
                   "rows in Fortran order (numpy.ascontiguousarray mends that)");
    if (a->h.dims == 1)
        a->h.dim[1] = 1;
    if (!lm_mul_ok(n, a->h.dim[1], &all) || !lm_mul_ok(all, a->e.size, &len) || len > left)
        return lm_fin_bad(&a->f, a->f.map.n, LM_ETRUNC,
                          "%" PRIu64 " bytes are fewer than its shape needs", left);
    if (len < left)
        return lm_fin_bad(&a->f, at + len, LM_ECORRUPT, "more bytes than its shape needs");
    if (a->h.dims == 1)
        return lm_fin_cut(&a->f, at, n, a->e, NULL);
    if (!a->h.dim[1] && n)
        return bad(a, at, LM_EINVALID, "rows without an id");
    for (uint64_t i = 0; !err && i < n; i++)
        err = lm_fin_put(&a->f, at + i * a->h.dim[1] * a->e.size, a->h.dim[1], a->e, a->h.dim[1],
                         NULL);
    return err;
}

int lm_npy_import(const lm_importer *m, const char *path)
{
    npy a = {0};
    int err = lm_fin_open(&a.f, m, path);

    if (!err && (err = lm_npy_parse(a.f.map, &a.h)))
        err = bad(&a, a.h.at, err, a.h.why);
    if (!err && !(err = type(&a)))
        err = ids(&a);
    lm_fin_close(&a.f);
    return err;
}
