/* lm-ckpt-diff: compare two models tensor by tensor.
   Apart from cmp(1): tensors are matched by name, in whatever file or order they lie, and it tells
   how far apart they are. */
#include "lm.h"
#include <inttypes.h>
#include <math.h>
#include <unistd.h>

static bool tsv, weights;
static double tol = -1;
static const lm_opt opts[] = {
    LM_REAL(0, "tol", &tol, 0, 1e9, "F", "a difference is a relative L2 over F (default: any bit)"),
    LM_FLAG(0, "weights", &weights, "leave out train.safetensors: masters and moments"),
    LM_FLAG(0, "tsv", &tsv, "a table for scripts, of equal tensors too"), LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-ckpt-diff",
                             .does = "compare two models tensor by tensor",
                             .args = "A B",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_TEXT | LM_PAR};

typedef struct {
    lm_st **file;
    size_t n;
} side;

typedef struct {
    lm_pool *pool;
    uint64_t tensors, values, same, bad, differ, ulp;
    double rel, cos;
    bool headed;
} diff;

static const lm_st_tensor *find(const side *s, const char *name)
{
    const lm_st_tensor *t = NULL;

    for (size_t i = 0; i < s->n && !t; i++)
        t = lm_st_find(s->file[i], name);
    return t;
}

static void close_side(side *s)
{
    for (size_t i = 0; i < s->n; i++)
        lm_st_close(s->file[i]);
    free(s->file);
}

/* "BF16[832,32]" */
static void shape(const lm_st_tensor *t, lm_buf *b)
{
    lm_buf_adds(b, t ? lm_dtype_name(t->dt) : "");
    if (!t)
        return;
    lm_buf_addc(b, '[');
    for (int i = 0; i < t->nd; i++)
        lm_buf_addf(b, "%s%" PRIu64, i ? "," : "", t->dim[i]);
    lm_buf_addc(b, ']');
}

static void head(diff *s)
{
    if (!s->headed)
        puts("tensor\tstate\tdiffer\tulp\trel-l2\tcosine\ta\tb");
    s->headed = true;
}

/* d NULL: nothing to measure. */
static void row(diff *s, const char *state, const lm_st_tensor *a, const lm_st_tensor *b,
                const lm_distance *d)
{
    lm_buf name = {0}, sa = {0}, sb = {0};
    char differ[24] = "", ulp[24] = "", rel[32] = "", cos[32] = "";

    lm_pct_encode(&name, lm_cstr((a ? a : b)->name));
    shape(a, &sa);
    shape(b, &sb);
    if (d) {
        snprintf(differ, sizeof differ, "%" PRIu64, d->differ);
        snprintf(ulp, sizeof ulp, "%" PRIu64, d->ulp);
        if (d->ulp == UINT64_MAX)
            snprintf(ulp, sizeof ulp, "nan");
        lm_fmt_f64(rel, d->rel);
        lm_fmt_f64(cos, d->cos);
        if (!tsv) {
            snprintf(rel, sizeof rel, "%.6g", d->rel);
            snprintf(cos, sizeof cos, "%.9g", d->cos);
        }
    }
    head(s);
    printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", name.p, state, differ, ulp, rel, cos, sa.p, sb.p);
    lm_buf_free(&name);
    lm_buf_free(&sa);
    lm_buf_free(&sb);
}

static bool same_shape(const lm_st_tensor *a, const lm_st_tensor *b)
{
    return a->nd == b->nd && !memcmp(a->dim, b->dim, (size_t)a->nd * sizeof *a->dim);
}

static void pair(diff *s, const lm_st_tensor *a, const lm_st_tensor *b)
{
    lm_distance d;
    bool ok;

    s->tensors++;
    s->values += a->count;
    if (!same_shape(a, b) ||
        (a->dt != b->dt && !(lm_dtype_float(a->dt) && lm_dtype_float(b->dt)))) {
        row(s, same_shape(a, b) ? "type" : "shape", a, b, NULL);
        s->bad++;
        return;
    }
    lm_st_distance(a, b, s->pool, &d);
    ok = d.bits || (tol >= 0 && d.rel <= tol); /* nan is over any bound */
    s->bad += !ok;
    s->same += d.bits;
    s->differ += d.differ;
    s->ulp = d.ulp > s->ulp ? d.ulp : s->ulp;
    s->rel = isnan(s->rel) || d.rel <= s->rel ? s->rel : d.rel; /* nan stays */
    s->cos = isnan(s->cos) || d.cos >= s->cos ? s->cos : d.cos;
    if (tsv || !d.bits)
        row(s, d.bits ? "bits" : !d.differ ? "values" : ok ? "near" : "differs", a, b, &d);
}

static void one_sided(diff *s, const lm_st_tensor *a, const lm_st_tensor *b)
{
    s->tensors++;
    s->bad++;
    row(s, a ? "only-a" : "only-b", a, b, NULL);
}

/* In the order of a, then what b has alone. */
static void compare(diff *s, const side *a, const side *b)
{
    const lm_st_tensor *t, *u;

    for (size_t f = 0; f < a->n; f++)
        for (size_t i = 0; (t = lm_st_at(a->file[f], i)); i++) {
            u = find(b, t->name);
            if (u)
                pair(s, t, u);
            else
                one_sided(s, t, NULL);
        }
    for (size_t f = 0; f < b->n; f++)
        for (size_t i = 0; (t = lm_st_at(b->file[f], i)); i++)
            if (!find(a, t->name))
                one_sided(s, NULL, t);
}

/* A file of masters and moments, where both have one. */
static int compare_train(diff *s)
{
    side x[2] = {{0}};
    lm_st *st[2] = {0};
    bool both = true;
    int err = 0;

    for (int i = 0; i < 2; i++) {
        lm_buf path = {0};

        lm_buf_addf(&path, "%s/train.safetensors", lm_arg((size_t)i).p);
        both = both && !access(path.p, F_OK);
        if (both && !err)
            err = lm_st_open(&st[i], path.p);
        x[i] = (side){&st[i], 1};
        lm_buf_free(&path);
    }
    if (!err && both)
        compare(s, &x[0], &x[1]);
    lm_st_close(st[0]);
    lm_st_close(st[1]);
    return err;
}

static void summary(const diff *s)
{
    char ulp[24] = "nan";

    printf("%" PRIu64 " tensors, %" PRIu64 " values: %" PRIu64 " the same", s->tensors, s->values,
           s->same);
    if (s->same < s->tensors) {
        if (s->ulp != UINT64_MAX)
            snprintf(ulp, sizeof ulp, "%" PRIu64, s->ulp);
        printf(", %" PRIu64 " not (%" PRIu64 " values); at most %s ulp, relative L2 %.3g, cosine "
               "at least %.6g",
               s->tensors - s->same, s->differ, ulp, s->rel, s->cos);
    }
    putchar('\n');
}

static int run(lm_in *in, lm_out *out)
{
    side a = {0}, b = {0};
    diff s = {.cos = 1};
    int err = lm_st_open_model(&a.file, &a.n, lm_arg(0).p);

    (void)in;
    (void)out;
    if (!err)
        err = lm_st_open_model(&b.file, &b.n, lm_arg(1).p);
    if (!err) {
        s.pool = lm_pool_new(lm_jobs());
        if (tsv)
            head(&s);
        compare(&s, &a, &b);
        if (!weights)
            err = compare_train(&s);
        lm_pool_free(s.pool);
    }
    if (!err && !tsv)
        summary(&s);
    close_side(&a);
    close_side(&b);
    return err ? err : s.bad ? LM_NO : LM_DONE;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
