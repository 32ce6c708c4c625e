/* dash: see the header. */
#include "nn/dash.h"
#include "nn/prom.h"
#include "nn/tfevent.h"
#include <time.h>

/* What is known of a run beyond its rows. */
typedef struct {
    char *name; /* no other run has it */
    lm_mclock clock;
    double t0; /* seconds of the epoch when training began; 0: not known */
} course;
struct lm_dash {
    const lm_metrics *m;
    lm_dash_opt o;
    course *run;
    size_t nrun, caprun;
    lm_means mean;
    lm_board *board;
    lm_prom *prom;
};

lm_dash *lm_dash_new(const lm_metrics *m, const lm_dash_opt *o)
{
    lm_dash *d = lm_zalloc(1, sizeof *d);

    d->m = m;
    d->o = *o;
    d->board = o->board ? lm_board_new(o->board) : NULL;
    d->prom = o->prom ? lm_prom_new(o->prom) : NULL;
    return d;
}

/* The courses of runs not met before. */
static void meet(lm_dash *d)
{
    while (d->nrun < d->m->nrun) {
        lm_buf name = {0};
        size_t same = 1;

        lm_buf_adds(&name, d->m->run[d->nrun].name);
        for (size_t i = 0; i < d->nrun; i++)
            if (!strcmp(d->run[i].name, name.p)) { /* NAME-2 may be taken too: look again */
                name.n = 0;
                lm_buf_addf(&name, "%s-%zu", d->m->run[d->nrun].name, ++same);
                i = SIZE_MAX;
            }
        LM_GROW(d->run, d->nrun, d->caprun);
        d->run[d->nrun++] = (course){.name = name.p};
    }
}

/* Time of a record, as the header of lm_dash_wind says. */
static double wall(const lm_dash *d, const lm_mrow *w)
{
    const course *c = &d->run[w->run];
    double sec = lm_mclock_at(&c->clock, w->step);

    return c->t0 + (sec == sec ? sec : c->clock.n ? 0 : (double)w->step);
}

void lm_dash_wind(lm_dash *d, size_t from)
{
    meet(d);
    for (size_t i = from; i < d->m->n; i++) {
        const lm_mrow *w = &d->m->row[i];
        course *c = &d->run[w->run];
        lm_str ts = lm_mrow_get(w, "ts");
        struct tm tm = {0};
        char buf[32];
        double ms;

        if (!w->event && !w->dead && lm_is(w->kind, "time"))
            lm_mclock_add(&c->clock, w->step, lm_mrow_f64(w, "ms", &ms) ? ms : 0);
        if (!w->event || c->t0 > 0 || !ts.p || ts.n >= sizeof buf)
            continue;
        memcpy(buf, ts.p, ts.n);
        buf[ts.n] = 0;
        if (strptime(buf, "%Y-%m-%dT%H:%M:%SZ", &tm))
            c->t0 = (double)timegm(&tm) - wall(d, w);
    }
}

/* A row for the dashboards: train/loss and lm_train_loss, an event as event/NAME. */
static void plate(lm_dash *d, const lm_mrow *w, bool to_board)
{
    const course *c = &d->run[w->run];
    char *kind = lm_strndup(w->event                 ? LM_STR("event")
                            : lm_is(w->kind, "step") ? LM_STR("train")
                                                     : w->kind);
    lm_tf_scalar *v = NULL;
    size_t n = 0, cap = 0;
    lm_arena *ar = lm_arena_new();
    lm_str key, s;

    for (size_t at = 0; lm_mrow_each(w, &at, &key, &s);) {
        bool name = w->event && lm_is(key, "event"), step = lm_is(key, "step");
        lm_buf tag = {0};
        char num[32];
        double val = 1, mean;

        if ((!name && (w->event || !lm_metric_num(key, s, &val))) ||
            (d->o.keys && !lm_listed(d->o.keys, key) && !step && !name))
            continue;
        mean = lm_means_add(&d->mean, d->o.smooth, w, key, val);
        if (mean != val)
            s = (lm_str){num, (size_t)lm_fmt_f32(num, (float)mean)};
        if (d->prom && !w->event)
            lm_prom_set(d->prom, c->name, kind, key, s);
        if (!to_board || step)
            continue;
        lm_buf_addf(&tag, "%s/", kind);
        lm_buf_add(&tag, name ? s.p : key.p, name ? s.n : key.n);
        LM_GROW(v, n, cap);
        v[n++] = (lm_tf_scalar){lm_arena_str(ar, lm_buf_str(&tag)), (float)mean};
        lm_buf_free(&tag);
    }
    if (n)
        lm_tf_scalars(lm_board_run(d->board, w->run, c->name, wall(d, w)), wall(d, w), w->step, v,
                      n);
    lm_arena_free(ar);
    free(v);
    free(kind);
}

void lm_dash_row(lm_dash *d, const lm_mrow *w)
{
    plate(d, w, d->board);
}

void lm_dash_again(lm_dash *d, const lm_mrow *w)
{
    plate(d, w, false);
}

void lm_dash_resume(lm_dash *d, uint64_t step)
{
    lm_mrow w = {.run = (uint32_t)d->m->nrun - 1, .step = step};
    double at = wall(d, &w);

    if (d->board)
        lm_tf_restart(lm_board_run(d->board, w.run, d->run[w.run].name, at), at, step + 1);
    if (d->prom)
        lm_prom_clear(d->prom);
    lm_means_free(&d->mean);
}

int lm_dash_flush(lm_dash *d, bool more)
{
    int err = d->board ? lm_board_flush(d->board, more) : 0;

    return err || !d->prom ? err : lm_prom_write(d->prom);
}

void lm_dash_free(lm_dash *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->nrun; i++) {
        free(d->run[i].name);
        lm_mclock_free(&d->run[i].clock);
    }
    free(d->run);
    lm_means_free(&d->mean);
    lm_board_free(d->board);
    lm_prom_free(d->prom);
    free(d);
}
