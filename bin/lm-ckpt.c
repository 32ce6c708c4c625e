/* lm-ckpt: list the checkpoints of a run, tell lm_about a model, find damage.
   Apart from lm-check: it reads folders of models against their MANIFEST, not streams. */
#include "lm.h"
#include <inttypes.h>
#include <unistd.h>

static bool tsv, check;
static const lm_opt opts[] = {LM_FLAG(0, "tsv", &tsv,
                                      "a table for scripts: a row for each checkpoint or damage"),
                              LM_FLAG(0, "check", &check,
                                      "read everything against MANIFEST and tell what is damaged"),
                              LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-ckpt",
                             .does = "list and verify checkpoints",
                             .args = "DIR...",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_TEXT,
                             .epilog =
                                 "DIR: a run of lm-train, a checkpoint of it, or any model.\n"};

/* The first error stands for all; the others are warnings. */
typedef struct {
    lm_error why;
    bool damaged;
} outcome;

static void went_wrong(outcome *o)
{
    const lm_error *e = lm_last_error();

    if (!o->why.err)
        o->why = *e;
    else
        lm_warn("%s: %s: %s", e->where, lm_class_name(e->err), e->detail);
}

static void clean(const char *s, lm_buf *out)
{
    out->n = 0;
    lm_buf_adds(out, "");
    lm_pct_encode(out, lm_cstr(s));
}

static void row(const lm_about *a)
{
    lm_buf b = {0};
    char size[16];

    clean(a->path, &b);
    lm_fmt_bytes(size, a->bytes);
    if (tsv)
        printf("%s\t%s\t%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%s\n", b.p, a->step, a->tokens,
               a->loss, a->val, a->params, a->bytes, a->latest ? "latest" : "");
    else
        printf("%10s %14s %11s %11s %9s%s\n", *a->step ? a->step : "?",
               *a->tokens ? a->tokens : "?", *a->loss ? a->loss : "-", *a->val ? a->val : "-", size,
               a->latest ? "  latest" : "");
    lm_buf_free(&b);
}

/* A line for a person; bytes that a terminal acts on are escaped. */
static void pair(const char *key, const char *value)
{
    if (!*value)
        return;
    printf("%-12s ", key);
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;

        printf(c < 0x20 || c == 0x7f ? "%%%02X" : "%c", c);
    }
    putchar('\n');
}

/* The strings of an object of state.json. */
static void settings(const json_t *j, const char *key)
{
    json_t *o = NULL, *v;
    const char *k;

    if (lm_json_obj(j, key, &o) == 1)
        json_object_foreach (o, k, v)
            if (json_is_string(v) && strcmp(k, "vocab")) /* told before: the tokenizer's */
                pair(k, json_string_value(v));
}

/* All that is known of one model, for people. */
static int details(const lm_about *a, const json_t *state)
{
    char *path = lm_in_dir(a->path, "config.json"), hex[33] = "", text[64];
    json_t *cfg = NULL;
    lm_str type = {0};
    lm_buf dts = {0};
    int err = lm_json_read(path, 1 << 20, &cfg);

    if (err >= 0 && (err = lm_json_str(cfg, "model_type", &type)) < 0)
        lm_err_at(err, path, "%s", lm_last_error()->detail);
    if (err >= 0 && lm_tokenizer_hash(a->path, hex) < 0)
        err = lm_last_error()->err;
    pair("path", a->path);
    if (type.p)
        pair("type", json_string_value(json_object_get(cfg, "model_type")));
    lm_buf_adds(&dts, "");
    for (int i = 0; i < LM_NDT; i++)
        if (a->of_dt[i])
            lm_buf_addf(&dts, "%s%s", dts.n ? "," : "", lm_dtype_name(i));
    pair("dtype", dts.p);
    snprintf(text, sizeof text, "%" PRIu64, a->params);
    pair("params", text);
    snprintf(text, sizeof text, "%" PRIu64, a->tensors);
    pair("tensors", text);
    lm_fmt_bytes(text, a->bytes);
    pair("size", text);
    pair("vocab", hex);
    pair("step", a->step);
    pair("tokens", a->tokens);
    pair("loss", a->loss);
    pair("val", a->val);
    settings(state, "recipe");
    settings(state, "schedule");
    lm_buf_free(&dts);
    json_decref(cfg);
    free(path);
    return err < 0 ? err : 0;
}

static void list_run(const char *run, const uint64_t *step, size_t n, outcome *o)
{
    lm_about *v = lm_zalloc(n + 1, sizeof *v);
    uint64_t latest = lm_ckpt_latest(run);
    lm_buf shown = {0};

    for (size_t i = 0; i < n; i++) {
        lm_buf path = {0};
        json_t *state;

        lm_ckpt_path(run, step[i], &path);
        v[i].path = path.p;
        v[i].latest = step[i] == latest;
        if (lm_about_state(&v[i], &state))
            went_wrong(o);
        if (lm_about_sizes(&v[i]))
            went_wrong(o);
        snprintf(v[i].step, sizeof v[i].step, "%" PRIu64, step[i]);
        json_decref(state);
    }
    lm_about_losses(run, v, n);
    if (!tsv) {
        clean(run, &shown);
        printf("%s\n%10s %14s %11s %11s %9s\n", shown.p, "step", "tokens", "loss", "val", "size");
        lm_buf_free(&shown);
    }
    for (size_t i = 0; i < n; i++) {
        row(&v[i]);
        free((char *)v[i].path);
    }
    free(v);
}

static void list_model(const char *dir, outcome *o)
{
    lm_about a = {.path = dir};
    char *run = lm_in_dir(dir, "..");
    json_t *state;

    if (lm_about_state(&a, &state))
        went_wrong(o);
    if (lm_about_sizes(&a))
        went_wrong(o);
    if (*a.step)
        lm_about_losses(run, &a, 1);
    if (tsv)
        row(&a);
    else if (details(&a, state))
        went_wrong(o);
    json_decref(state);
    free(run);
}

/* The tensors that share a byte with d, parted by commas; their number. */
static size_t tensors_in(const char *dir, const lm_damage *d, lm_buf *out)
{
    char *path = lm_in_dir(dir, d->file);
    size_t len = strlen(d->file), n = 0;
    lm_buf name = {0};
    lm_st *st = NULL;
    lm_str m = {0};

    out->n = 0;
    lm_buf_adds(out, "");
    if (len > 12 && !strcmp(d->file + len - 12, ".safetensors") && !lm_mmap_file(path, &m) &&
        !lm_st_head(&st, m, m.n > d->size ? m.n : d->size, path)) {
        const lm_st_tensor *t;

        for (size_t i = 0; (t = lm_st_at(st, i)); i++) {
            uint64_t from = lm_st_offset(st, t);

            if (from >= d->to || from + t->bytes <= d->from)
                continue;
            if (n++)
                lm_buf_addc(out, ',');
            clean(t->name, &name);
            for (const char *p = name.p; *p; p++)
                lm_buf_adds(out, *p == ',' ? "%2C" : (char[]){*p, 0});
        }
        lm_st_close(st);
    }
    lm_munmap_file(m);
    lm_buf_free(&name);
    free(path);
    return n;
}

typedef struct {
    const char *dir;
    size_t n;
} checked;

static int damage(void *ctx, const lm_damage *d)
{
    checked *c = ctx;
    lm_buf dir = {0}, file = {0}, names = {0};
    const char *kind = d->err == LM_EMISMATCH ? "unlisted" : lm_class_name(d->err);
    size_t n = tensors_in(c->dir, d, &names);

    c->n++;
    clean(c->dir, &dir);
    clean(d->file, &file);
    if (tsv) {
        printf("%s\t%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%s\n", dir.p, kind, file.p, d->from, d->to,
               names.p);
    } else {
        printf("%s/%s: %s: %s", dir.p, file.p, kind, d->what);
        if (n)
            printf("; %s%.*s%s", n > 1 ? "tensors " : "tensor ", (int)strcspn(names.p, ","),
                   names.p, n > 1 ? "" : "\n");
        if (n > 1)
            printf(" to %s (%zu)\n", strrchr(names.p, ',') + 1, n);
        if (!n)
            putchar('\n');
    }
    lm_buf_free(&dir);
    lm_buf_free(&file);
    lm_buf_free(&names);
    return 0;
}

static void verify(const char *dir, outcome *o)
{
    checked c = {.dir = dir};
    lm_buf b = {0};

    if (lm_manifest_each(dir, damage, &c)) {
        went_wrong(o);
    } else if (!c.n) {
        clean(dir, &b);
        printf(tsv ? "%s\tok\t\t\t\t\n" : "%s: ok\n", b.p);
        lm_buf_free(&b);
    }
    o->damaged |= c.n > 0;
}

/* A run has checkpoints or records, a model its configuration. */
static void one(const char *dir, outcome *o)
{
    char *cfg = lm_in_dir(dir, "config.json"), *log = lm_in_dir(dir, "metrics.lm"),
         *man = lm_in_dir(dir, "MANIFEST");
    uint64_t *step = NULL;
    size_t n = 0;

    if (access(dir, R_OK | X_OK)) {
        lm_err_sys(dir, "cannot read");
        went_wrong(o);
    } else if (lm_ckpt_list(dir, &step, &n)) {
        went_wrong(o);
    } else if (!n && access(log, F_OK) && access(cfg, F_OK) && access(man, F_OK)) {
        lm_err_at(LM_EMISSING, dir, "no checkpoints and no config.json: neither run nor model");
        went_wrong(o);
    } else if (!n && access(log, F_OK)) {
        (check ? verify : list_model)(dir, o);
    } else if (!check) {
        list_run(dir, step, n, o);
    }
    for (size_t i = 0; check && i < n; i++) {
        lm_buf path = {0};

        lm_ckpt_path(dir, step[i], &path);
        verify(path.p, o);
        lm_buf_free(&path);
    }
    free(step);
    free(cfg);
    free(log);
    free(man);
}

static int run(lm_in *in, lm_out *out)
{
    outcome o = {0};

    (void)in;
    (void)out;
    if (tsv)
        puts(check ? "path\tstate\tfile\tfrom\tto\ttensors"
                   : "path\tstep\ttokens\tloss\tval\tparams\tbytes\tlatest");
    for (size_t i = 0; i < lm_nargs(); i++)
        one(lm_arg(i).p, &o);
    if (o.why.err) {
        *lm_last_error() = o.why;
        return o.why.err;
    }
    return o.damaged ? LM_NO : LM_DONE;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
