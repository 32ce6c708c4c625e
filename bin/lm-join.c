/* lm-join: glue records that were written in parts (part=0,1,.. and last=1) to one again.
   Apart from lm-cat: it holds what is unfinished in memory, and checks that all parts came. */
#include "lm.h"

static const lm_opt opts[] = {LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-join",
                             .does = "glue records written in parts",
                             .types = "*",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED};

typedef struct {
    lm_rec *rec; /* attributes of the first part, changed by later ones */
    lm_buf body;
    uint64_t parts, d0; /* d0: sum of first dimensions, for arrays */
    bool array;
    char where[600];
} piece;

typedef struct {
    piece *v;
    size_t n, cap;
    lm_dict at; /* type, id, sample, sub -> index into v, or SIZE_MAX: done */
} pieces;

static uint64_t *place(pieces *l, lm_rec *r)
{
    static const char *const keys[] = {"id", "sample", "sub"};
    lm_buf k = {0};
    uint64_t *at;

    lm_buf_add(&k, r->type.p, r->type.n);
    for (size_t i = 0; i < LM_COUNT(keys); i++) {
        lm_str v = lm_get(r, keys[i]);

        lm_buf_addc(&k, v.p ? '\1' : '\0');
        lm_pct_encode(&k, v);
    }
    at = lm_dict_put(&l->at, lm_buf_str(&k), UINT64_MAX);
    lm_buf_free(&k);
    return at;
}

/* Of an array d0,d1,..: the first dimension to *d0; the others must be those of the first part. */
static int shape(piece *p, lm_rec *r, bool first)
{
    lm_str s = lm_get(r, "shape"), old = lm_get(p->rec, "shape");
    const char *c, *oc;
    uint64_t d0;

    if (lm_get(r, "with").p)
        return lm_rec_fail(r, LM_EINVALID, "arrays named by with= cannot be glued");
    if (first)
        p->array = s.p && lm_get(r, "dt").p;
    if (!p->array)
        return 0;
    if (!s.p)
        return lm_rec_fail(r, LM_EINVALID, "a part of an array has no shape=");
    c = memchr(s.p, ',', s.n);
    if (!lm_parse_u64((lm_str){s.p, c ? (size_t)(c - s.p) : s.n}, &d0))
        return lm_rec_fail(r, LM_EINVALID, "shape=%.*s is no shape", (int)s.n, s.p);
    oc = memchr(old.p, ',', old.n);
    if (!c != !oc || (c && !lm_eq((lm_str){c, (size_t)(s.p + s.n - c)},
                                  (lm_str){oc, (size_t)(old.p + old.n - oc)})))
        return lm_rec_fail(r, LM_EINVALID, "shape=%.*s does not go on from shape=%.*s", (int)s.n,
                           s.p, (int)old.n, old.p);
    p->d0 += d0;
    return 0;
}

/* What a later part says anew (finish= is known at the end alone) holds for the whole. */
static void merge(piece *p, lm_rec *r)
{
    lm_str key, val;
    char k[33];

    for (size_t i = 0; lm_attr_each(r, &i, &key, &val);) {
        snprintf(k, sizeof k, "%.*s", (int)key.n, key.p);
        if (strcmp(k, "part") && strcmp(k, "last") && strcmp(k, "shape") &&
            !lm_eq(lm_get(p->rec, k), val))
            lm_set(p->rec, k, val);
    }
}

static int finish(piece *p, lm_out *out)
{
    int err;

    if (p->array) {
        lm_str old = lm_get(p->rec, "shape");
        const char *c = memchr(old.p, ',', old.n);

        lm_setf(p->rec, "shape", "%llu%.*s", (unsigned long long)p->d0,
                c ? (int)(old.p + old.n - c) : 0, c ? c : "");
    }
    lm_del(p->rec, "part");
    lm_del(p->rec, "last");
    lm_body(p->rec, p->body.p, p->body.n);
    err = lm_put(out, p->rec);
    lm_rec_free(p->rec);
    free(p->rec);
    lm_buf_free(&p->body);
    p->rec = NULL;
    return err;
}

static int part(pieces *l, lm_in *in, lm_out *out, lm_rec *r, uint64_t no)
{
    uint64_t *at = place(l, r), last = 0;
    piece *p;
    int err;

    if (lm_get_u64(r, "last", &last) < 0)
        return LM_EINVALID;
    if (*at == UINT64_MAX) {
        if (no)
            return lm_fail(in, LM_EINVALID, "part=%llu comes first", (unsigned long long)no);
        LM_GROW(l->v, l->n, l->cap);
        *at = l->n++;
        l->v[*at] = (piece){0};
    }
    p = &l->v[*at];
    if (!p->rec && no == 0) {
        *p = (piece){.rec = lm_keep(r)};
        lm_in_where(in, p->where, sizeof p->where);
        err = shape(p, r, true);
    } else {
        if (!p->rec || no != p->parts)
            return lm_fail(in, LM_EINVALID, "part=%llu where part=%llu should come",
                           (unsigned long long)no, (unsigned long long)(p->rec ? p->parts : 0));
        merge(p, r);
        err = shape(p, r, false);
    }
    if (err < 0)
        return err;
    if (r->body.n > lm_max_body - p->body.n)
        return lm_fail(in, LM_ELIMIT, "the glued body is larger than LM_MAX_BODY");
    lm_buf_add(&p->body, r->body.p, r->body.n);
    p->parts++;
    return last ? finish(p, out) : 0;
}

static int run(lm_in *in, lm_out *out)
{
    pieces l = {0};
    lm_rec r = {0};
    uint64_t no;
    int err, has;

    while ((err = lm_next(in, &r)) == 1) {
        has = lm_acts_on(r.type) ? lm_get_u64(&r, "part", &no) : 0;
        err = has < 0 ? has : has ? part(&l, in, out, &r, no) : lm_put(out, &r);
        if (err < 0)
            break;
    }
    for (size_t i = 0; i < l.n; i++) {
        piece *p = &l.v[i];

        if (!p->rec)
            continue;
        if (!err)
            err = lm_err_at(LM_ETRUNC, p->where, "its last part is missing: %llu came",
                            (unsigned long long)p->parts);
        lm_rec_free(p->rec);
        free(p->rec);
        lm_buf_free(&p->body);
    }
    free(l.v);
    lm_dict_free(&l.at);
    lm_rec_free(&r);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
