/* metric: rows are kept as the text they came as: a long run is a hundred thousand lines. */
#include "nn/metric.h"
#include <inttypes.h>
#include <math.h>

bool lm_mrow_each(const lm_mrow *w, size_t *at, lm_str *key, lm_str *val)
{
    const char *p = w->attrs.p + *at, *end = w->attrs.p + w->attrs.n, *eq, *stop;

    while (p < end && (*p == ' ' || *p == '\n'))
        p++;
    if (p >= end || !(eq = memchr(p, '=', (size_t)(end - p))))
        return false;
    stop = memchr(eq, ' ', (size_t)(end - eq));
    if (!stop)
        stop = end;
    while (stop > eq && stop[-1] == '\n')
        stop--;
    *key = (lm_str){p, (size_t)(eq - p)};
    *val = (lm_str){eq + 1, (size_t)(stop - eq - 1)};
    *at = (size_t)(stop - w->attrs.p);
    return true;
}

lm_str lm_mrow_get(const lm_mrow *w, const char *key)
{
    lm_str k, v;

    for (size_t at = 0; lm_mrow_each(w, &at, &k, &v);)
        if (lm_is(k, key))
            return v;
    return (lm_str){0};
}

bool lm_mrow_f64(const lm_mrow *w, const char *key, double *v)
{
    lm_str s = lm_mrow_get(w, key);

    return s.p && lm_parse_f64(s, v);
}

bool lm_metric_num(lm_str key, lm_str val, double *v)
{
    bool hash = key.n >= 4 && !memcmp(key.p + key.n - 4, "hash", 4);

    return !hash && val.p && lm_parse_f64(val, v);
}

/* The name people know a run by: RUN of RUN/metrics.lm, else the file without .lm. */
static char *run_name(const char *file)
{
    const char *slash, *base, *end;

    if (!file || !strcmp(file, "-") || !strcmp(file, "stdin") || !strcmp(file, "<stdin>"))
        return lm_strdup("run");
    slash = strrchr(file, '/');
    base = slash ? slash + 1 : file;
    if (slash && slash > file && !strcmp(base, "metrics.lm")) {
        end = slash;
        base = end;
        while (base > file && base[-1] != '/')
            base--;
    } else {
        size_t n = strlen(base);

        end = base + (n > 3 && !strcmp(base + n - 3, ".lm") ? n - 3 : n);
    }
    if (end == base || (*base == '.' && (end - base == 1 || (end - base == 2 && base[1] == '.'))))
        return lm_strdup("run"); /* a folder's name only as it is spelled: . and .. tell nothing */
    return lm_strndup((lm_str){base, (size_t)(end - base)});
}

static uint32_t new_run(lm_metrics *m, const char *file, lm_str id)
{
    lm_mrun *u;

    LM_GROW(m->run, m->nrun, m->caprun);
    u = &m->run[m->nrun];
    memset(u, 0, sizeof *u);
    if (id.n < sizeof u->id && id.n) {
        memcpy(u->id, id.p, id.n);
        memcpy(u->last, id.p, id.n);
    }
    u->name = run_name(file);
    return (uint32_t)m->nrun++;
}

static int take_run(lm_metrics *m, lm_rec *r)
{
    lm_str id = lm_get(r, "run"), parent = lm_get(r, "parent");
    uint64_t step = 0;
    int err = lm_get_u64(r, "step", &step);

    if (err < 0)
        return err;
    for (size_t i = m->nrun; parent.p && i-- > 0;) {
        lm_mrun *u = &m->run[i];

        if (!lm_is(parent, u->last))
            continue;
        memset(u->last, 0, sizeof u->last);
        memcpy(u->last, id.p, id.n < sizeof u->last ? id.n : 0);
        for (size_t k = m->n; k-- > 0;)
            if (m->row[k].run == i && !m->row[k].event && m->row[k].step > step)
                m->row[k].dead = true;
        /* records that follow belong to the latest run of the list: move it there by its index */
        if (i + 1 != m->nrun)
            return lm_rec_fail(r, LM_EINVALID, "a resume of another run than the last");
        return 0;
    }
    new_run(m, r->file, id);
    return 0;
}

int lm_metrics_take(lm_metrics *m, lm_rec *r)
{
    bool event = lm_is(r->type, "event");
    lm_mrow *w;
    char key[80];
    uint64_t *at, step = 0;
    int n, err;

    if (!m->ar)
        m->ar = lm_arena_new();
    if (lm_is(r->type, "run"))
        return take_run(m, r);
    if (!event && !lm_is(r->type, "metric"))
        return 0;
    if ((err = lm_get_u64(r, "step", &step)) < 0)
        return err;
    if (!m->nrun)
        new_run(m, r->file, LM_STR(""));
    LM_GROW(m->row, m->n, m->cap);
    w = &m->row[m->n];
    *w = (lm_mrow){.attrs = lm_arena_str(m->ar, r->attrs),
                   .step = step,
                   .event = event,
                   .run = (uint32_t)m->nrun - 1};
    w->kind = lm_mrow_get(w, event ? "event" : "kind");
    if (!event && err == 1) {
        n = snprintf(key, sizeof key, "%" PRIu32 " %" PRIu64 " %.*s", w->run, step,
                     w->kind.n < 40 ? (int)w->kind.n : 40, w->kind.p ? w->kind.p : "");
        at = lm_dict_put(&m->seen, (lm_str){key, (size_t)n}, m->n);
        if (*at != m->n)
            m->row[*at].dead = true;
        *at = m->n;
    }
    m->n++;
    return 0;
}

void lm_metrics_free(lm_metrics *m)
{
    for (size_t i = 0; i < m->nrun; i++)
        free(m->run[i].name);
    free(m->run);
    free(m->row);
    lm_dict_free(&m->seen);
    if (m->ar)
        lm_arena_free(m->ar);
    memset(m, 0, sizeof *m);
}

double lm_ema_add(lm_ema *e, double factor, double v)
{
    e->sum = factor * e->sum + (1 - factor) * v;
    e->weight = factor * e->weight + (1 - factor);
    return e->sum / e->weight;
}

/* How many of its steps are not beyond step. */
static size_t upto(const lm_mclock *c, uint64_t step)
{
    size_t lo = 0, hi = c->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (c->step[mid] <= step)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

void lm_mclock_add(lm_mclock *c, uint64_t step, double ms)
{
    c->n = step ? upto(c, step - 1) : 0;
    LM_GROW(c->step, c->n, c->cap);
    if (c->cap2 < c->cap)
        c->sec = lm_reallocn(c->sec, c->cap2 = c->cap, sizeof *c->sec);
    c->step[c->n] = step;
    c->sec[c->n] = (c->n ? c->sec[c->n - 1] : 0) + (isfinite(ms) ? ms / 1e3 : 0);
    c->n++;
}

double lm_mclock_at(const lm_mclock *c, uint64_t step)
{
    size_t n = upto(c, step);

    return n ? c->sec[n - 1] : NAN;
}

void lm_mclock_free(lm_mclock *c)
{
    free(c->step);
    free(c->sec);
    *c = (lm_mclock){0};
}

double lm_means_add(lm_means *m, double factor, const lm_mrow *w, lm_str key, double v)
{
    lm_buf b = {0};
    lm_ema *e;

    if (factor == 0 || lm_is(key, "step") || lm_is(key, "tokens") || !isfinite(v))
        return v;
    if (!m->ar)
        m->ar = lm_arena_new();
    lm_buf_addf(&b, "%" PRIu32 " %.*s ", w->run, (int)w->kind.n, w->kind.p ? w->kind.p : "");
    lm_buf_add(&b, key.p, key.n);
    if (!(e = lm_dict_ptr(&m->dict, lm_buf_str(&b)))) {
        e = lm_dict_keep(&m->dict, lm_buf_str(&b), lm_arena_alloc(m->ar, sizeof *e));
        *e = (lm_ema){0};
    }
    lm_buf_free(&b);
    return (float)lm_ema_add(e, factor, v);
}

void lm_means_free(lm_means *m)
{
    lm_dict_free(&m->dict);
    if (m->ar)
        lm_arena_free(m->ar);
    *m = (lm_means){0};
}

bool lm_listed(const char *list, lm_str word)
{
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, ",");

        if (lm_eq((lm_str){p, n}, word))
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}
