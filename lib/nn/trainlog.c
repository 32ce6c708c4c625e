/* trainlog: the records of a run. Clock, host and speed are in time, sys and event records alone.
 */
#include "nn/traini.h"
#include <inttypes.h>
#include <math.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void set_f32(lm_rec *r, const char *key, double v)
{
    char s[32];

    lm_set(r, key, (lm_str){s, (size_t)lm_fmt_f32(s, (float)v)});
}

static void set_ms(lm_rec *r, const char *key, double ms)
{
    lm_setf(r, key, "%.1f", ms);
}

void lm_trainer_begin(lm_rec *r, const lm_trainer *t, const char *kind)
{
    lm_rec_new(r, "metric");
    lm_set(r, "kind", lm_cstr(kind));
    lm_setf(r, "step", "%" PRIu64, t->step);
}

static void run_record(lm_trainer *t)
{
    lm_rec r = {0};
    char hex[33];
    lm_id id;

    lm_rec_new(&r, "run");
    lm_set(&r, "tool", LM_STR("lm-train"));
    lm_set(&r, "ver", lm_cstr(lm_version()));
    lm_set(&r, "run", lm_cstr(t->run));
    if (t->parent[0])
        lm_set(&r, "parent", lm_cstr(t->parent));
    lm_setf(&r, "step", "%" PRIu64, t->step);
    lm_model_id(t->m, &id);
    lm_id_hex(id, hex);
    lm_set(&r, "model", lm_cstr(hex));
    lm_setf(&r, "params", "%zu", t->m->n);
    lm_setf(&r, "micro-rows", "%" PRIu64, t->micro);
    for (size_t i = 0; i < t->recipe.n; i++)
        lm_set(&r, t->recipe.v[i].key, lm_cstr(t->recipe.v[i].val));
    for (size_t i = 0; i < t->sched.n; i++)
        lm_set(&r, t->sched.v[i].key, lm_cstr(t->sched.v[i].val));
    lm_runlog_put(&t->metrics, &r);
    lm_rec_free(&r);
}

/* run= of the last @run of the file, if there is one: the run we go on with. */
static void find_parent(lm_trainer *t, const char *path)
{
    lm_in *in = lm_in_open(path, LM_IN_LAX);
    lm_rec r = {0};

    while (lm_next(in, &r) == 1)
        if (lm_is(r.type, "run")) {
            lm_str v = lm_get(&r, "run");

            snprintf(t->parent, sizeof t->parent, "%.*s", (int)v.n, v.p ? v.p : "");
        }
    lm_in_close(in);
    lm_rec_free(&r);
}

bool lm_trainer_has_val(const char *metrics, uint64_t step)
{
    lm_in *in = lm_in_open(metrics, LM_IN_LAX);
    lm_rec r = {0};
    bool found = false;

    while (lm_next(in, &r) == 1) {
        uint64_t s;

        if (lm_is(r.type, "metric") && lm_is(lm_get(&r, "kind"), "val") &&
            lm_parse_u64(lm_get(&r, "step"), &s))
            found = found || s == step;
    }
    lm_in_close(in);
    lm_rec_free(&r);
    return found;
}

int lm_trainer_logs(lm_trainer *t)
{
    lm_buf m = {0}, l = {0};
    const char *path = t->o->metrics;
    int err;

    lm_buf_addf(&m, "%s/metrics.lm", t->o->run);
    lm_buf_addf(&l, "%s/ledger.lm", t->o->run);
    path = path ? path : m.p;
    if (path == m.p || (t->resumed && strcmp(path, "-")))
        find_parent(t, path); /* a run killed before its first checkpoint is one too */
    lm_trainer_run_id(t);
    err = lm_runlog_open(&t->metrics, path, false, 0);
    if (!err)
        err = lm_runlog_open(&t->ledger, l.p, true, t->step);
    if (!err)
        run_record(t);
    lm_buf_free(&m);
    lm_buf_free(&l);
    return err;
}

void lm_trainer_flush(lm_trainer *t)
{
    const char *warn;

    lm_runlog_flush(&t->metrics, &warn);
    if (warn)
        lm_warn("%s: %s", t->metrics.path, warn);
    lm_runlog_flush(&t->ledger, &warn);
    if (warn)
        lm_warn("%s: %s", t->ledger.path, warn);
}

void lm_trainer_event(lm_trainer *t, const char *event, const char *key, const char *val)
{
    lm_rec r = {0};
    time_t now = time(NULL);
    struct tm tm;
    char ts[32];

    strftime(ts, sizeof ts, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    lm_rec_new(&r, "event");
    lm_set(&r, "ts", lm_cstr(ts));
    lm_set(&r, "event", lm_cstr(event));
    lm_setf(&r, "step", "%" PRIu64, t->step);
    lm_set(&r, "cid", lm_cstr(t->run));
    if (key)
        lm_set(&r, key, lm_cstr(val));
    lm_runlog_put(&t->metrics, &r);
    lm_rec_free(&r);
}

void lm_trainer_step_record(lm_trainer *t, const lm_stepfacts *f)
{
    double scale = t->o->clip > 0 && f->gnorm > t->o->clip ? t->o->clip / f->gnorm : 1;
    lm_rec r = {0};
    double tps;
    char *p;

    lm_trainer_begin(&r, t, "step");
    lm_setf(&r, "tokens", "%" PRIu64, t->samples * t->seq);
    set_f32(&r, "loss", f->weight ? f->loss / (double)f->weight : NAN);
    if (t->o->zloss > 0)
        set_f32(&r, "zloss", f->weight ? f->z / (double)f->weight : NAN);
    lm_setf(&r, "weight", "%" PRIu64, f->weight);
    set_f32(&r, "gnorm", f->gnorm);
    set_f32(&r, "clip", scale);
    lm_set_f64(&r, "lr", f->lr);
    lm_set(&r, "bhash", lm_cstr(t->bhash));
    lm_set(&r, "skipped", f->weight ? LM_STR("0") : LM_STR("1"));
    lm_runlog_put(&t->metrics, &r);
    if (!f->weight)
        lm_trainer_event(t, "skip", "reason", "weight-0");

    lm_trainer_begin(&r, t, "time");
    set_ms(&r, "ms", f->ms);
    set_ms(&r, "ms-data", f->ms_data);
    set_ms(&r, "ms-model", f->ms_model);
    set_ms(&r, "ms-opt", f->ms_opt);
    tps = (double)(t->rows * t->seq) * 1e3 / (f->ms > 0 ? f->ms : 1);
    lm_setf(&r, "tps", "%.0f", tps);
    if (t->o->peaks) {
        double gflops = tps * lm_model_flops(t->m, t->seq) / 1e9;

        lm_setf(&r, "mfu", "%.4g", gflops / t->peaks.fma);
        lm_setf(&r, "mfu-measured", "%.4g", gflops / t->peaks.gemm);
    }
    lm_runlog_put(&t->metrics, &r);

    if (f->weight) /* else the norms are those of an update before */
        lm_trainer_stats(t);

    lm_rec_new(&r, "ledger");
    lm_setf(&r, "step", "%" PRIu64, t->step);
    lm_set(&r, "dt", LM_STR("f32"));
    lm_setf(&r, "shape", "%" PRIu64 ",2", t->rows);
    p = lm_body_alloc(&r, t->rows * 8);
    memcpy(p, t->rowlog, t->rows * 8); /* little-endian, as every machine we run on */
    lm_runlog_put(&t->ledger, &r);
    lm_rec_free(&r);
    lm_trainer_flush(t);
}

void lm_trainer_val_record(lm_trainer *t, const lm_valfacts *f)
{
    lm_rec r = {0};

    lm_trainer_begin(&r, t, "val");
    lm_setf(&r, "tokens", "%" PRIu64, t->samples * t->seq);
    set_f32(&r, "loss", f->loss);
    lm_setf(&r, "weight", "%" PRIu64, f->weight);
    if (f->bpb > 0)
        set_f32(&r, "bpb", f->bpb);
    if (f->has_ema)
        set_f32(&r, "ema-loss", f->ema_loss);
    lm_runlog_put(&t->metrics, &r);
    lm_trainer_begin(&r, t, "eval-time");
    set_ms(&r, "ms", f->ms);
    lm_runlog_put(&t->metrics, &r);
    lm_rec_free(&r);
    lm_trainer_flush(t);
}

void lm_trainer_sys_record(lm_trainer *t)
{
    struct rusage ru;
    lm_rec r = {0};

    getrusage(RUSAGE_SELF, &ru);
    lm_trainer_begin(&r, t, "sys");
    lm_setf(&r, "rss", "%ld", ru.ru_maxrss * 1024);
    lm_setf(&r, "cpu-ms", "%ld",
            ru.ru_utime.tv_sec * 1000 + ru.ru_utime.tv_usec / 1000 + ru.ru_stime.tv_sec * 1000 +
                ru.ru_stime.tv_usec / 1000);
    lm_setf(&r, "threads", "%u", lm_pool_size(t->pool));
    lm_setf(&r, "arena", "%zu", lm_nn_bytes(t->nn));
    lm_runlog_put(&t->metrics, &r);
    lm_rec_free(&r);
    lm_trainer_flush(t);
}

/* One line for a person: rewritten in place on a terminal, else one each ten seconds. */
void lm_trainer_tail(lm_trainer *t, const lm_stepfacts *f, bool last)
{
    bool tty = isatty(2);
    double now = lm_now(), done = (double)(t->step - t->began_step), left;

    if (!t->o->tail || (!last && now - t->told_at < (tty ? 0.2 : 10)))
        return;
    t->told_at = now;
    left = (now - t->began) / done * (double)(t->steps - t->step);
    lm_show(last, "step %" PRIu64 "/%" PRIu64 "  loss %.4f  lr %.2e  %.0f tok/s  %.0f:%02.0f left",
            t->step, t->steps, f->weight ? f->loss / (double)f->weight : NAN, f->lr,
            done * (double)(t->rows * t->seq) / (now - t->began),
            left / 60 - 0.5 < 0 ? 0 : (double)(int)(left / 60),
            left - 60 * (double)(int)(left / 60));
}
