/* lm-metrics: training records as a table, for TensorBoard or for Prometheus, resumed runs made
   one. Apart from lm-cut: it knows runs, steps, what a resume did over again, and smoothing. */
#include "lm.h"
#include <fcntl.h>
#include <inttypes.h>
#include <time.h>
#include <unistd.h>

static bool tsv, jsonl, follow, samples;
static const char *kinds, *keys, *board, *prom;
static uint64_t every = 1;
static double smooth;
static const lm_opt opts[] = {
    LM_FLAG(0, "tsv", &tsv, "a table with TABs and a head line (the default)"),
    LM_FLAG(0, "jsonl", &jsonl, "an object a line"),
    LM_STRING(
        0, "kind", &kinds, "KINDS",
        "records of KINDS: step, time, val, sys, event .. (step; for a dashboard also val, time)"),
    LM_STRING('k', "keys", &keys, "KEYS", "columns, a,b,c (all, in order of appearance)"),
    LM_NUM(0, "every", &every, 1, UINT64_MAX, "N", "only steps that are multiples of N (1)"),
    LM_REAL(0, "smooth", &smooth, 0, 0.9999999, "F",
            "moving average: F of the past, 1-F of the new (0)"),
    LM_FILE(0, "tensorboard", &board, "DIR", "event files for TensorBoard, a folder a run"),
    LM_FILE(0, "prom", &prom, "FILE", "the newest values as Prometheus reads them"),
    LM_FLAG(0, "follow", &follow, "go on as the file grows, until its %end"),
    LM_FLAG(0, "samples", &samples, "the rows of @ledger records: step, sample, loss, weight"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-metrics",
                             .does = "training records as a table, for TensorBoard, for Prometheus",
                             .types = "metric,event,run,ledger",
                             .opts = opts,
                             .flags = LM_IN | LM_TEXT};

typedef struct {
    lm_metrics m;
    lm_str *col;
    size_t ncol, cap;
    lm_arena *ar;
    lm_means mean;
    bool table, many_kinds, many_runs, headed;
    size_t shown; /* rows of m written */
    lm_dash *dash;
    int err; /* of a write that had no way to tell */
} table;

static bool wanted(const lm_mrow *w)
{
    lm_str kind = w->event ? LM_STR("event") : w->kind;

    return !w->dead && lm_listed(kinds, kind) && (every == 1 || w->step % every == 0);
}

static void add_column(table *t, lm_str name)
{
    for (size_t i = 0; i < t->ncol; i++)
        if (lm_eq(t->col[i], name))
            return;
    LM_GROW(t->col, t->ncol, t->cap);
    t->col[t->ncol++] = lm_arena_str(t->ar, name);
}

/* The columns: those asked for, else all that the rows have, step first. */
static void columns(table *t)
{
    t->many_kinds = strchr(kinds, ',');
    t->many_runs = t->m.nrun > 1;
    if (keys) {
        for (const char *p = keys; *p;) {
            size_t n = strcspn(p, ",");

            add_column(t, (lm_str){p, n});
            p += n + (p[n] == ',');
        }
        return;
    }
    add_column(t, LM_STR("step"));
    for (size_t i = 0; i < t->m.n; i++) {
        lm_str k, v;

        if (!wanted(&t->m.row[i]))
            continue;
        for (size_t at = 0; lm_mrow_each(&t->m.row[i], &at, &k, &v);)
            if (!lm_is(k, "kind"))
                add_column(t, k);
    }
}

static lm_str value(table *t, size_t col, const lm_mrow *w, char buf[32])
{
    lm_str key = t->col[col], s = lm_mrow_get(w, lm_is(key, "kind") && w->event ? "event" : key.p);
    double v, mean;

    if (!lm_metric_num(key, s, &v) || (mean = lm_means_add(&t->mean, smooth, w, key, v)) == v ||
        v - v != 0)
        return s;
    return (lm_str){buf, (size_t)lm_fmt_f32(buf, (float)mean)};
}

static void json_value(lm_jw *j, const char *key, lm_str s)
{
    uint64_t u;
    double v;

    if (!lm_metric_num(lm_cstr(key), s, &v))
        lm_jw_str(j, key, s);
    else if (lm_parse_u64(s, &u))
        lm_jw_u64(j, key, u);
    else
        lm_jw_f64(j, key, v); /* nan and inf: null */
}

static void line(table *t, const lm_mrow *w)
{
    lm_buf b = {0};
    lm_jw j;
    char num[32];
    const char *sep = "";

    if (jsonl) {
        lm_jw_init(&j, &b, 0);
        lm_jw_obj(&j, NULL);
    }
    if (t->many_runs) {
        if (jsonl)
            lm_jw_str(&j, "run", lm_cstr(t->m.run[w->run].name));
        else
            lm_buf_adds(&b, t->m.run[w->run].name);
        sep = "\t";
    }
    if (t->many_kinds || jsonl) {
        lm_str kind = w->event ? LM_STR("event") : w->kind;

        if (jsonl)
            lm_jw_str(&j, "kind", kind);
        else
            lm_buf_addf(&b, "%s%.*s", sep, (int)kind.n, kind.p);
        sep = "\t";
    }
    for (size_t i = 0; i < t->ncol; i++) {
        lm_str s = value(t, i, w, num);

        if (!jsonl)
            lm_buf_addf(&b, "%s%.*s", i ? "\t" : sep, (int)s.n, s.p ? s.p : "");
        else if (s.p)
            json_value(&j, t->col[i].p, s);
    }
    if (jsonl)
        lm_jw_end(&j);
    lm_buf_addc(&b, '\n');
    fwrite(b.p, 1, b.n, stdout);
    lm_buf_free(&b);
}

static void head(table *t)
{
    if (jsonl)
        return;
    if (t->many_runs)
        printf("run\t");
    if (t->many_kinds)
        printf("kind\t");
    for (size_t i = 0; i < t->ncol; i++)
        printf("%s%.*s", i ? "\t" : "", (int)t->col[i].n, t->col[i].p);
    putchar('\n');
}

/* Writes the rows not yet written; the columns are fixed at the first call. */
static void show(table *t)
{
    if (t->table && !t->headed) {
        columns(t);
        head(t);
        t->headed = true;
    }
    if (t->dash)
        lm_dash_wind(t->dash, t->shown);
    for (; t->shown < t->m.n; t->shown++) {
        if (!wanted(&t->m.row[t->shown]))
            continue;
        if (t->table)
            line(t, &t->m.row[t->shown]);
        if (t->dash)
            lm_dash_row(t->dash, &t->m.row[t->shown]);
    }
    fflush(stdout);
    if (!t->err && t->dash)
        t->err = lm_dash_flush(t->dash, follow);
}

/* A record comes in. Rows shown that a resume takes out are taken out of the dashboards. */
static int take(table *t, lm_rec *r)
{
    bool resume = t->dash && t->shown && lm_is(r->type, "run");
    size_t runs = t->m.nrun;
    uint64_t step = 0;
    int err = lm_metrics_take(&t->m, r);

    if (err || !resume || t->m.nrun > runs || (err = lm_get_u64(r, "step", &step)) < 0)
        return err;
    lm_dash_resume(t->dash, step);
    for (size_t i = 0; i < t->shown; i++)
        if (wanted(&t->m.row[i]))
            lm_dash_again(t->dash, &t->m.row[i]);
    return 0;
}

static int ledger(lm_in *in, lm_rec *r)
{
    uint64_t step, d0, n;
    lm_str a;
    int err = lm_get_u64(r, "step", &step);

    if (err != 1)
        return err ? err : lm_fail(in, LM_EMISSING, "ledger without step=");
    if ((err = lm_array(r, "", "f32", &a, &d0, &n)) < 0)
        return err;
    if (!err || n != d0 * 2)
        return lm_fail(in, LM_EINVALID, "ledger: not pairs of numbers");
    for (uint64_t i = 0; step % every == 0 && i < d0; i++) {
        float v[2];
        char loss[32], weight[32];

        memcpy(v, a.p + 8 * i, 8);
        lm_fmt_f32(loss, v[0]);
        lm_fmt_f32(weight, v[1]);
        printf("%" PRIu64 "\t%" PRIu64 "\t%s\t%s\n", step, i, loss, weight);
    }
    return 0;
}

/* Reads what is written to the file behind byte `at`, until %end. */
static int tail(table *t, const char *file, uint64_t at)
{
    const struct timespec nap = {0, 200000000};
    lm_buf b = {0};
    lm_rec r = {0}, raw = {0};
    char *name = lm_strdup(file);
    int fd = open(file, O_RDONLY | O_CLOEXEC), err = 0;
    bool end = false;

    if (fd < 0)
        err = lm_err_sys(file, "open");
    while (!err && !end) {
        ssize_t n = pread(fd, lm_buf_need(&b, 65536), 65536, (off_t)(at + b.n));
        const char *lf, *why = "";
        uint64_t len = 0;
        size_t used = 0;

        if (n < 0) {
            err = lm_err_sys(file, "read");
            break;
        }
        b.n += (size_t)n;
        while (!err && !end && (lf = memchr(b.p + used, '\n', b.n - used))) {
            char *p = b.p + used;
            size_t h = (size_t)(lf - p) + 1;

            if (*p == '@') {
                err = lm_head_parse(p, h, &raw, &len, &why);
                if (err < 0)
                    err = lm_err_at(err, file, "%s", why);
                if (err || b.n - used < h + len + 1)
                    break;
                lm_rec_view(&r, (lm_str){p, h + len + 1}, raw.type, raw.attrs,
                            (lm_str){p + h, len});
                r.file = name;
                err = take(t, &r);
                h += len + 1;
            } else {
                end = h > 5 && (!memcmp(p, "%end ", 5) || !memcmp(p, "%abor", 5));
            }
            used += h;
        }
        at += used;
        b.n -= used;
        memmove(b.p, b.p + used, b.n);
        if (used)
            show(t);
        err = err ? err : t->err;
        if (!n && !end)
            nanosleep(&nap, NULL);
    }
    if (fd >= 0)
        close(fd);
    free(name);
    lm_rec_free(&r);
    lm_buf_free(&b);
    return err;
}

/* Nothing more has come down the pipe for now. */
static void on_block(void *t)
{
    show(t);
}

static int run(lm_in *in, lm_out *unused)
{
    table t = {0};
    lm_rec r = {0};
    char *file = NULL;
    uint64_t end = 0;
    int got, err = 0;

    (void)unused;
    if (tsv && jsonl)
        return lm_err(LM_EUSAGE, "--tsv and --jsonl at once");
    if (samples && (board || prom))
        return lm_err(LM_EUSAGE, "--samples is a table alone");
    t.table = tsv || jsonl || (!board && !prom);
    if (!t.table && lm_common.out)
        return lm_err(LM_EUSAGE, "-o is for the table: --tsv or --jsonl asks for one too");
    if (!kinds)
        kinds = board || prom ? "step,val,time" : "step";
    if (board || prom)
        t.dash = lm_dash_new(&t.m, &(lm_dash_opt){board, prom, keys, smooth});
    t.ar = lm_arena_new();
    if (follow && !samples)
        lm_in_on_block(in, on_block, &t);
    if (samples)
        puts("step\tsample\tloss\tweight");
    while (!err && (got = lm_next(in, &r)) != 0) {
        if (got == LM_ETRUNC && follow && file) {
            show(&t);
            err = t.err ? t.err : tail(&t, file, end);
            break;
        }
        if (got < 0) {
            err = got;
            break;
        }
        if (follow) {
            if (!file && r.file)
                file = lm_strdup(r.file);
            end = r.off + r.raw.n;
        }
        if (!lm_acts_on(r.type))
            continue;
        if (samples)
            err = lm_is(r.type, "ledger") ? ledger(in, &r) : 0;
        else
            err = take(&t, &r);
    }
    if (!err && !samples)
        show(&t);
    err = err ? err : t.err;
    lm_dash_free(t.dash);
    lm_means_free(&t.mean);
    free(file);
    free(t.col);
    lm_metrics_free(&t.m);
    lm_arena_free(t.ar);
    lm_rec_free(&r);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
