/* lm-plot: training curves as a picture (SVG) or as text in a terminal.
   Apart from lm-metrics: that one gives numbers to programs, this one shapes to eyes. */
#include "lm.h"
#include <math.h>

enum { STEP, TOKENS, HOURS };
enum { LIN, LOG_X, LOG_Y, LOG_XY };
static int axis = STEP, logs = LIN;
static bool term;
static const char *keys = "loss,val:loss", *title;
static uint64_t width, height;
static double smooth;
static const lm_opt opts[] = {
    LM_FLAG(0, "term", &term, "text instead of SVG"),
    LM_STRING('k', "keys", &keys, "KEYS", "values to plot, KEY or KIND:KEY (loss,val:loss)"),
    LM_ENUM(0, "x", &axis, "step|tokens|hours", "what runs along the x axis"),
    LM_ENUM(0, "log", &logs, "none|x|y|xy", "logarithmic axes"),
    LM_REAL(0, "smooth", &smooth, 0, 0.9999999, "F",
            "moving average: F of the past, 1-F of the new (0)"),
    LM_STRING(0, "title", &title, "TEXT", "a line above the plot"),
    LM_NUM(0, "width", &width, 40, 10000, "N", "pixels (800) or, of text, columns (78)"),
    LM_NUM(0, "height", &height, 10, 10000, "N", "pixels (480) or, of text, lines (20)"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-plot",
                             .does = "plot training curves",
                             .types = "metric,event,run",
                             .opts = opts,
                             .flags = LM_IN | LM_TEXT};

static int row_by_step(const void *a, const void *b)
{
    const lm_mrow *const *x = a, *const *y = b;

    if ((*x)->step != (*y)->step)
        return (*x)->step < (*y)->step ? -1 : 1;
    return *x < *y ? -1 : *x > *y;
}

/* The live rows of a run and kind, by step; the caller frees. */
static const lm_mrow **rows_of(const lm_metrics *m, size_t run, lm_str kind, size_t *n)
{
    const lm_mrow **v = NULL;
    size_t cap = 0;

    *n = 0;
    for (size_t i = 0; i < m->n; i++) {
        const lm_mrow *w = &m->row[i];

        if (w->dead || w->event || w->run != run || !lm_eq(w->kind, kind))
            continue;
        LM_GROW(v, *n, cap);
        v[(*n)++] = w;
    }
    if (*n)
        qsort(v, *n, sizeof *v, row_by_step);
    return v;
}

static void wind(const lm_metrics *m, size_t run, lm_mclock *c)
{
    size_t n;
    const lm_mrow **v = rows_of(m, run, LM_STR("time"), &n);
    double ms;

    *c = (lm_mclock){0};
    for (size_t i = 0; i < n; i++)
        lm_mclock_add(c, v[i]->step, lm_mrow_f64(v[i], "ms", &ms) ? ms : 0);
    free(v);
}

static double x_of(const lm_mrow *w, const lm_mclock *c)
{
    double v = NAN;

    if (axis == STEP)
        return (double)w->step;
    if (axis == HOURS)
        return lm_mclock_at(c, w->step) / 3600;
    return lm_mrow_f64(w, "tokens", &v) ? v : NAN;
}

typedef struct {
    lm_plot p;
    size_t cap, capmark;
} picture;

static void add_series(picture *pic, const lm_metrics *m, size_t run, const lm_mclock *c,
                       lm_str item)
{
    const char *colon = memchr(item.p, ':', item.n);
    lm_str kind = colon ? (lm_str){item.p, (size_t)(colon - item.p)} : LM_STR("step");
    lm_str key = colon ? (lm_str){colon + 1, item.n - kind.n - 1} : item;
    char *k = lm_strndup(key);
    size_t n;
    const lm_mrow **v = rows_of(m, run, kind, &n);
    lm_series *s;
    lm_buf name = {0};

    LM_GROW(pic->p.s, pic->p.n, pic->cap);
    s = &pic->p.s[pic->p.n];
    *s = (lm_series){.dots = !lm_is(kind, "step") && n <= 200};
    for (size_t i = 0; i < n; i++) {
        double y;

        if (!lm_mrow_f64(v[i], k, &y))
            continue;
        if (s->n == s->cap) {
            s->cap = s->cap ? s->cap * 2 : 64;
            s->x = lm_reallocn(s->x, s->cap, sizeof *s->x);
            s->y = lm_reallocn(s->y, s->cap, sizeof *s->y);
        }
        s->x[s->n] = x_of(v[i], c);
        s->y[s->n++] = y;
    }
    if (m->nrun > 1)
        lm_buf_addf(&name, "%s ", m->run[run].name);
    if (colon)
        lm_buf_addf(&name, "%.*s ", (int)kind.n, kind.p);
    lm_buf_addf(&name, "%s", k);
    if (s->n) {
        s->name = lm_strdup(name.p);
        pic->p.n++;
    }
    lm_buf_free(&name);
    free(k);
    free(v);
}

static void add_marks(picture *pic, const lm_metrics *m, const lm_mclock *c, size_t run)
{
    for (size_t i = 0; i < m->n; i++) {
        const lm_mrow *w = &m->row[i];

        if (!w->event || w->run != run || (!lm_is(w->kind, "spike") && !lm_is(w->kind, "rewind")))
            continue;
        LM_GROW(pic->p.mark, pic->p.nmark, pic->capmark);
        pic->p.mark[pic->p.nmark++] = x_of(w, c);
    }
}

/* The label of the y axis: the key, if all curves have the same. */
static char *y_label(void)
{
    const char *first = NULL;
    size_t len = 0;

    for (const char *p = keys; *p;) {
        size_t n = strcspn(p, ","), skip = 0;
        const char *colon = memchr(p, ':', n);

        if (colon)
            skip = (size_t)(colon - p) + 1;
        if (first && (len != n - skip || memcmp(first, p + skip, len)))
            return lm_strdup("value");
        first = p + skip;
        len = n - skip;
        p += n + (p[n] == ',');
    }
    return first ? lm_strndup((lm_str){first, len}) : lm_strdup("value");
}

static int draw(const lm_metrics *m)
{
    static const char *const xname[] = {"step", "tokens", "hours"};
    picture pic = {.p = {.title = title, .xlabel = xname[axis], .smooth = smooth}};
    char *ylabel = y_label();
    lm_buf out = {0};
    int err;

    pic.p.width = (unsigned)(width ? width : term ? 78 : 800);
    pic.p.height = (unsigned)(height ? height : term ? 20 : 480);
    pic.p.logx = logs == LOG_X || logs == LOG_XY;
    pic.p.logy = logs == LOG_Y || logs == LOG_XY;
    pic.p.ylabel = ylabel;
    for (size_t run = 0; run < m->nrun; run++) {
        lm_mclock c;

        wind(m, run, &c);
        for (const char *p = keys; *p;) {
            size_t n = strcspn(p, ",");

            if (n)
                add_series(&pic, m, run, &c, (lm_str){p, n});
            p += n + (p[n] == ',');
        }
        add_marks(&pic, m, &c, run);
        lm_mclock_free(&c);
    }
    if (!pic.p.n && m->n)
        err = lm_err(LM_EINVALID, "no record has a value named %s", keys);
    else
        err = term ? lm_plot_term(&pic.p, &out) : lm_plot_svg(&pic.p, &out);
    if (!err)
        fwrite(out.p, 1, out.n, stdout);
    for (size_t i = 0; i < pic.p.n; i++) {
        free(pic.p.s[i].name);
        free(pic.p.s[i].x);
        free(pic.p.s[i].y);
    }
    free(pic.p.s);
    free(pic.p.mark);
    free(ylabel);
    lm_buf_free(&out);
    return err;
}

static int run(lm_in *in, lm_out *unused)
{
    lm_metrics m = {0};
    lm_rec r = {0};
    int got, err = 0;

    (void)unused;
    while (!err && (got = lm_next(in, &r)) != 0)
        err = got < 0 ? got : lm_acts_on(r.type) ? lm_metrics_take(&m, &r) : 0;
    if (!err)
        err = draw(&m);
    lm_metrics_free(&m);
    lm_rec_free(&r);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
