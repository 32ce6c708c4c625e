/* prom: the samples of a metric must stand together, so values are kept by metric, then by run. */
#include "nn/prom.h"
#include "stream/stream.h"

typedef struct {
    char *run, val[32];
} sample;
typedef struct {
    char *name, *help;
    sample *v;
    size_t n, cap;
} gauge;
struct lm_prom {
    char *path;
    gauge *v;
    size_t n, cap;
    lm_dict byname;
};

lm_prom *lm_prom_new(const char *path)
{
    lm_prom *p = lm_zalloc(1, sizeof *p);

    p->path = lm_strdup(path);
    return p;
}

static gauge *metric(lm_prom *p, const char *kind, lm_str key)
{
    lm_buf b = {0};
    uint64_t at;
    gauge *g;

    lm_buf_addf(&b, "lm_%s_%.*s", kind, (int)key.n, key.p);
    for (size_t i = 0; i < b.n; i++)
        if (!strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", b.p[i]))
            b.p[i] = '_';
    at = *lm_dict_put(&p->byname, lm_buf_str(&b), p->n);
    if (at < p->n) {
        lm_buf_free(&b);
        return &p->v[at];
    }
    LM_GROW(p->v, p->n, p->cap);
    g = &p->v[p->n++];
    *g = (gauge){.name = b.p};
    b = (lm_buf){0};
    lm_buf_addf(&b, "newest %.*s of the records of kind %s", (int)key.n, key.p,
                strcmp(kind, "train") ? kind : "step");
    g->help = b.p;
    return g;
}

void lm_prom_set(lm_prom *p, const char *run, const char *kind, lm_str key, lm_str val)
{
    gauge *g = metric(p, kind, key);
    sample *s = NULL;

    if (lm_is(val, "nan"))
        val = LM_STR("NaN");
    else if (lm_is(val, "inf"))
        val = LM_STR("+Inf");
    else if (lm_is(val, "-inf"))
        val = LM_STR("-Inf");
    for (size_t i = 0; !s && i < g->n; i++)
        if (!strcmp(g->v[i].run, run))
            s = &g->v[i];
    if (!s) {
        LM_GROW(g->v, g->n, g->cap);
        s = &g->v[g->n++];
        s->run = lm_strdup(run);
    }
    snprintf(s->val, sizeof s->val, "%.*s", (int)val.n, val.p);
}

void lm_prom_clear(lm_prom *p)
{
    for (size_t i = 0; i < p->n; i++) {
        for (size_t k = 0; k < p->v[i].n; k++)
            free(p->v[i].v[k].run);
        free(p->v[i].v);
        free(p->v[i].name);
        free(p->v[i].help);
    }
    p->n = 0;
    lm_dict_free(&p->byname);
}

/* A label's value: backslash, quote and line feed are escaped. */
static void quoted(lm_buf *b, const char *s)
{
    for (; *s; s++)
        if (*s == '\n')
            lm_buf_adds(b, "\\n");
        else if (*s == '\\' || *s == '"')
            lm_buf_addf(b, "\\%c", *s);
        else
            lm_buf_addc(b, *s);
}

/* Help text: backslash and line feed are escaped. */
static void helptext(lm_buf *b, const char *s)
{
    for (; *s; s++)
        if (*s == '\\')
            lm_buf_adds(b, "\\\\");
        else
            lm_buf_addc(b, *s == '\n' ? ' ' : *s);
}

void lm_prom_text(const lm_prom *p, lm_buf *out)
{
    for (size_t i = 0; i < p->n; i++) {
        const gauge *g = &p->v[i];

        lm_buf_addf(out, "# HELP %s ", g->name);
        helptext(out, g->help);
        lm_buf_addf(out, "\n# TYPE %s gauge\n", g->name);
        for (size_t k = 0; k < g->n; k++) {
            lm_buf_addf(out, "%s{run=\"", g->name);
            quoted(out, g->v[k].run);
            lm_buf_addf(out, "\"} %s\n", g->v[k].val);
        }
    }
}

int lm_prom_write(const lm_prom *p)
{
    lm_buf b = {0};
    lm_aside *a;
    int fd, err = 0;

    lm_prom_text(p, &b);
    if (!(a = lm_aside_open(p->path, &fd))) {
        err = lm_last_error()->err;
    } else if (lm_write_all(fd, b.p, b.n)) {
        err = lm_err_sys(p->path, "write");
        lm_aside_drop(a);
    } else {
        err = lm_aside_commit(a);
    }
    lm_buf_free(&b);
    return err;
}

void lm_prom_free(lm_prom *p)
{
    if (!p)
        return;
    lm_prom_clear(p);
    free(p->v);
    free(p->path);
    free(p);
}
