/* lm-dedup: drop documents that equal or resemble another, and say which.
   The six steps exact, sign, band, join, rank and drop in one process; a corpus over one machine's
   memory takes them one by one. */
#include "lm.h"

enum { WALK = 512 }; /* records after which those passed may leave memory */

static const char *near_ = "0.7", *rank = LM_RANK_DEFAULT, *table, *tmp;
static double verify;
static uint64_t seed, mem = 1 << 30;
static bool mark;
static const lm_opt opts[] = {
    LM_STRING(0, "near", &near_, "T|off",
              "similarity of near duplicates (0.7); off: exact ones alone"),
    LM_REAL(0, "verify", &verify, 0, 1, "S",
            "join only pairs whose estimate is at least S (0: all)"),
    LM_STRING(0, "rank", &rank, "KEYS", "keep the first by KEYS, -KEY: the greatest first"),
    LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "SEED", "of the signatures (0)"),
    LM_FLAG(0, "mark", &mark, "mark duplicates, drop none"),
    LM_FILE('T', "table", &table, "FILE", "write a dup record for each duplicate to FILE"),
    LM_MUTE,
    LM_SIZE('m', "memory", &mem, 32 << 20, UINT64_MAX / 2, "SIZE", "memory bound (1G)"),
    LM_FILE(0, "tmp", &tmp, "DIR", "spill to DIR ($TMPDIR, else /tmp)"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-dedup",
                             .does = "drop exact and near duplicate documents",
                             .types = "doc",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR | LM_REJ};

typedef struct {
    lm_dedup *d;
    int err;
} feed;

static void on_note(void *ctx, lm_str line)
{
    feed *f = ctx;

    if (!f->err)
        f->err = lm_dedup_note(f->d, line);
}

static int read_all(lm_in *in, lm_dedup *d)
{
    feed f = {d, 0};
    lm_rec r = {0};
    int got = 0;

    lm_in_on_note(in, on_note, &f);
    while (!f.err && (got = lm_next(in, &r)) == 1)
        f.err = lm_dedup_add(d, &r, lm_acts_on(r.type));
    lm_rec_free(&r);
    return f.err ? f.err : got;
}

/* The keys a marked or rejected document gets; those of an earlier run go. */
static void annotate(lm_dedup *d, lm_rec *r, const lm_dup *v)
{
    static const char *const own[] = {"dup-exact", "dup-of", "dup-cluster", "dup-size", "dup-sim"};
    lm_buf id = {0};
    size_t from[3] = {v->exact, v->near, v->cluster}, i;

    for (i = 0; i < LM_COUNT(own); i++) {
        bool has = i < 3    ? from[i] != SIZE_MAX
                   : i == 3 ? v->cluster != SIZE_MAX
                            : v->near != SIZE_MAX;

        if (!has) {
            if (lm_get(r, own[i]).p)
                lm_del(r, own[i]);
        } else if (i < 3) {
            id.n = 0;
            lm_dedup_id(d, from[i], &id);
            lm_set(r, own[i], lm_buf_str(&id));
        } else if (i == 3) {
            lm_setf(r, own[i], "%llu", (unsigned long long)v->size);
        } else {
            lm_set_f64(r, own[i], v->sim);
        }
    }
    lm_buf_free(&id);
}

static int reject(lm_dedup *d, lm_rec *r, const lm_dup *v)
{
    bool exact = v->exact != SIZE_MAX;
    lm_buf id = {0};
    int err = 0;

    annotate(d, r, v);
    lm_dedup_id(d, exact ? v->exact : v->near, &id);
    lm_drop(r, exact ? "exact" : "near", "%s", id.p);
    lm_buf_free(&id);
    lm_count_drop(r);
    if (lm_rejects())
        err = lm_put(lm_rejects(), r);
    return err;
}

static int write_all(lm_out *out, lm_dedup *d)
{
    size_t i;
    lm_rec r = {0};
    lm_dup v;
    int err = 0;

    for (i = 0; i < lm_dedup_count(d) && !err; i++) {
        if (i % WALK == 0 && i)
            lm_dedup_passed(d, i - WALK, i);
        lm_dedup_get(d, i, &r, &v);
        if (v.kind == LM_DUP_NOTE) {
            err = lm_out_note(out, v.note);
            continue;
        }
        if (!mark && (v.kind == LM_DUP_EXACT || v.kind == LM_DUP_NEAR)) {
            err = reject(d, &r, &v);
            continue;
        }
        if (mark && v.kind != LM_DUP_PASS)
            annotate(d, &r, &v);
        err = lm_put(out, &r);
    }
    lm_rec_free(&r);
    return err;
}

typedef struct {
    lm_buf id, of;
    size_t doc;
} row;

static int by_id(const void *a, const void *b)
{
    const row *x = a, *y = b;
    int k = lm_cmp(lm_buf_str(&x->id), lm_buf_str(&y->id));

    if (!k)
        k = lm_cmp(lm_buf_str(&x->of), lm_buf_str(&y->of));
    return k ? k : x->doc < y->doc ? -1 : 1;
}

static int put_row(lm_out *o, lm_dedup *d, const row *w, lm_rec *doc, lm_rec *dup)
{
    lm_buf id = {0};
    lm_dup v;
    lm_str path;
    int err;

    lm_rec_new(dup, "dup");
    lm_dedup_get(d, w->doc, doc, &v);
    path = lm_get(doc, "path");
    lm_set(dup, "id", lm_buf_str(&w->id));
    if (v.near != SIZE_MAX) {
        lm_dedup_id(d, v.near, &id);
        lm_set(dup, "dup-of", lm_buf_str(&id));
        id.n = 0;
        lm_dedup_id(d, v.cluster, &id);
        lm_set(dup, "dup-cluster", lm_buf_str(&id));
        lm_setf(dup, "dup-size", "%llu", (unsigned long long)v.size);
        lm_set_f64(dup, "dup-sim", v.sim);
    }
    if (v.exact != SIZE_MAX)
        lm_set(dup, "dup-exact", lm_buf_str(&w->of));
    if (path.p)
        lm_set(dup, "path", path);
    lm_dedup_get(d, v.exact != SIZE_MAX ? v.exact : v.near, doc, &v);
    path = lm_get(doc, "path");
    if (path.p)
        lm_set(dup, "of-path", path);
    err = lm_put(o, dup);
    lm_buf_free(&id);
    return err;
}

static int write_table(lm_dedup *d)
{
    lm_out *o = lm_out_open(table, LM_OUT_CRC);
    row *w = NULL;
    size_t i, n = 0, cap = 0;
    lm_rec r = {0}, dup = {0};
    lm_dup v;
    int err = 0;

    if (!o)
        return LM_EIO;
    lm_out_by(o, lm_by_line());
    for (i = 0; i < lm_dedup_count(d); i++) {
        lm_dedup_get(d, i, &r, &v);
        if (v.kind != LM_DUP_EXACT && v.kind != LM_DUP_NEAR)
            continue;
        LM_GROW(w, n, cap);
        w[n] = (row){.doc = i};
        lm_dedup_id(d, i, &w[n].id);
        lm_dedup_id(d, v.exact != SIZE_MAX ? v.exact : v.near, &w[n++].of);
    }
    if (n)
        qsort(w, n, sizeof *w, by_id);
    for (i = 0; i < n; i++) {
        if (!err)
            err = put_row(o, d, &w[i], &r, &dup);
        lm_buf_free(&w[i].id);
        lm_buf_free(&w[i].of);
    }
    free(w);
    lm_rec_free(&r);
    lm_rec_free(&dup);
    if (!err)
        err = lm_out_end(o);
    lm_out_close(o);
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    lm_dedup_cfg cfg = {.verify = verify, .seed = seed, .mem = mem, .tmp = tmp, .jobs = lm_jobs()};
    lm_dedup *d;
    lm_rank *k;
    double t;
    int err;

    if (mark && lm_common.rejects)
        return lm_err(LM_EUSAGE, "--mark drops nothing for -r to write");
    if (strcmp(near_, "off")) {
        if (!lm_parse_f64(lm_cstr(near_), &t) || !(t > 0 && t < 1))
            return lm_err(LM_EUSAGE, "--near %s: neither off nor between 0 and 1", near_);
        lm_minhash_split(t, &cfg.bands, &cfg.rows);
    }
    cfg.k = lm_data_kernels();
    if (!cfg.k)
        return lm_last_error()->err;
    k = lm_rank_new(lm_cstr(rank));
    if (!k)
        return LM_EUSAGE;
    cfg.rank = k;
    d = lm_dedup_new(&cfg);
    err = read_all(in, d);
    if (!err)
        err = lm_dedup_solve(d);
    if (!err)
        err = write_all(out, d);
    if (!err && table)
        err = write_table(d);
    lm_dedup_free(d);
    lm_rank_free(k);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
