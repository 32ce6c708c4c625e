/* trainloop: step after step: rows, forward and backward, update, records, checkpoints. */
#include "nn/traini.h"
#include "stream/stream.h"
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <unistd.h>

/* What signals ask for; handlers have no context. */
static volatile sig_atomic_t stop_asked, sys_asked;

static void on_stop(int sig)
{
    if (stop_asked && sig != SIGUSR1) {
        lm_aside_drop_all();
        _exit(6);
    }
    stop_asked = sig;
}

static void on_sys(int sig)
{
    (void)sig;
    sys_asked = 1;
}

static void take_signals(const lm_trainer *t)
{
    const int stop[] = {SIGTERM, SIGINT, SIGUSR1};
    struct sigaction a = {.sa_handler = on_stop, .sa_flags = SA_RESTART};

    for (size_t i = 0; i < LM_COUNT(stop); i++)
        sigaction(stop[i], &a, NULL);
    a.sa_handler = on_sys;
    sigaction(SIGUSR2, &a, NULL);
    if (t->metrics.is_pipe)
        signal(SIGPIPE, SIG_IGN); /* a reader that leaves does not end the training */
}

/* Row r of the micro-batch from sample; 1, 0 at a stream's end, < 0. */
static int fetch(lm_trainer *t, lm_data *d, uint64_t sample, uint64_t r)
{
    uint64_t at = r * t->seq;
    lm_row row = {t->ids + at, t->tgt + at, t->start + at, t->end + at, t->w + at, false};
    int got = lm_data_sample(d, sample, &row);

    t->prefixed[r] = row.prefixed;
    return got;
}

/* The last token that each of the micro-batch sees; NULL where all are causal. */
static const uint32_t *ends(lm_trainer *t)
{
    bool any = false;

    for (uint64_t r = 0; r < t->micro; r++)
        any = any || t->prefixed[r];
    for (uint64_t r = 0; any && r < t->micro; r++)
        for (uint64_t i = 0; !t->prefixed[r] && i < t->seq; i++)
            t->end[r * t->seq + i] = (uint32_t)i;
    return any ? t->end : NULL;
}

/* Rows the data do not have: padding of weight 0. */
static void blank(lm_trainer *t, uint64_t r)
{
    uint64_t at = r * t->seq;

    memset(t->ids + at, 0, t->seq * sizeof *t->ids);
    memset(t->tgt + at, 0, t->seq * sizeof *t->tgt);
    memset(t->start + at, 0, t->seq * sizeof *t->start);
    memset(t->w + at, 0, t->seq);
    t->prefixed[r] = false;
}

static uint64_t row_hash(const lm_trainer *t, uint64_t r)
{
    uint64_t at = r * t->seq, h = lm_hash64(t->ids + at, t->seq * 4, 0);

    h = lm_hash64(t->tgt + at, t->seq * 4, h);
    h = lm_hash64(t->start + at, t->seq * 4, h);
    if (t->prefixed[r])
        h = lm_hash64(t->end + at, t->seq * 4, h);
    return lm_hash64(t->w + at, t->seq, h);
}

/* A step without a token to learn from: its gradient is zero, and no optimiser may make anything of
   it, neither decay nor momentum. The step counts and is recorded, weights and moments stay. */
static int pass_by(lm_trainer *t)
{
    lm_nn_clear(t->nn);
    if (!t->passed)
        lm_warn("step %" PRIu64 ": every token of the batch has weight 0: nothing is updated, "
                "training goes on; further such steps are events alone",
                t->step + 1);
    t->passed = true;
    return 0;
}

/* The update of a step with a loss. */
static int update(lm_trainer *t, const lm_adamw *a, lm_stepfacts *f)
{
    int err;

    if (!isfinite(f->loss))
        return lm_err(LM_EDIVERGED, "step %" PRIu64 ": the loss is not finite", t->step + 1);
    err = lm_nn_update(t->nn, a, &f->gnorm);
    return err == LM_EDIVERGED
               ? lm_err(LM_EDIVERGED, "step %" PRIu64 ": the gradient norm is not finite",
                        t->step + 1)
               : err;
}

/* One step. 1, 0 when a stream has no whole batch left, or an error class. */
static int step(lm_trainer *t, lm_stepfacts *f)
{
    lm_batch b = {.in = t->ids, .target = t->tgt, .weight = t->w, .start = t->start};
    lm_adamw a = {.beta1 = t->o->beta1,
                  .beta2 = t->o->beta2,
                  .eps = t->o->eps,
                  .wd = t->o->wd,
                  .clip = t->o->clip,
                  .norms = lm_trainer_stats_due(t, t->step + 1)};
    lm_loss l = {.row_loss = t->row_loss, .row_weight = t->row_weight};
    uint64_t hash = 0;
    double t0 = lm_now(), t1;
    int got;

    *f = (lm_stepfacts){0};
    lm_data_ahead(t->data, t->samples + t->rows, t->rows);
    for (uint64_t i = 0; i < t->rows; i += t->micro) {
        t1 = lm_now();
        for (uint64_t r = 0; r < t->micro; r++) {
            uint64_t h;

            if ((got = fetch(t, t->data, t->samples + i + r, r)) != 1) {
                lm_nn_clear(t->nn);
                return got;
            }
            h = row_hash(t, r);
            hash = lm_hash64(&h, sizeof h, hash);
        }
        f->ms_data += (lm_now() - t1) * 1e3;
        t1 = lm_now();
        b.end = ends(t);
        if ((got = lm_nn_fwdbwd(t->nn, &b, &l)) < 0)
            return got;
        f->ms_model += (lm_now() - t1) * 1e3;
        for (uint64_t r = 0; r < t->micro; r++) {
            t->rowlog[2 * (i + r)] = (float)t->row_loss[r];
            t->rowlog[2 * (i + r) + 1] = (float)t->row_weight[r];
        }
    }
    f->loss = l.loss;
    f->z = l.z;
    f->weight = l.weight;
    if ((got = lm_trainer_marked(t)))
        return got;
    a.lr = f->lr = lm_sched(t->o->sched, t->o->lr, t->step, t->steps, t->warm, t->decay);
    t1 = lm_now();
    if ((got = f->weight ? update(t, &a, f) : pass_by(t)) < 0)
        return got;
    f->ms_opt = (lm_now() - t1) * 1e3;
    t->step++;
    t->samples += t->rows;
    snprintf(t->bhash, sizeof t->bhash, "%016" PRIx64, hash);
    f->ms = (lm_now() - t0) * 1e3;
    return 1;
}

/* Older checkpoints go; the one just written was read back. */
static int prune(const lm_trainer *t)
{
    const lm_train_opt *o = t->o;
    uint64_t *v;
    size_t n;
    int err = lm_ckpt_spare(o->run, o->keep, o->major * o->ckpt_steps, t->step, &v, &n);

    for (size_t i = 0; !err && i < n; i++)
        err = lm_ckpt_remove(o->run, v[i]);
    free(v);
    return err;
}

/* A checkpoint of the step that is done. One failure is warned of, the second ends the run. */
static int save(lm_trainer *t)
{
    lm_buf state = {0};
    int err;

    if (t->saved == t->step)
        return 0;
    lm_trainer_state(t, &state);
    err = lm_ckpt_write(t->o->run, t->step, t->m, t->nn, lm_buf_str(&state), t->tok);
    lm_buf_free(&state);
    if (!err) {
        t->saved = t->step;
        t->saved_at = lm_now();
        t->save_failed = false;
        lm_trainer_event(t, "ckpt", NULL, NULL);
        lm_trainer_flush(t);
        return prune(t);
    }
    if (err != LM_EIO || t->save_failed)
        return err;
    t->save_failed = true;
    t->saved_at = lm_now();
    lm_warn("step %" PRIu64 ": no checkpoint: %s: %s; training goes on", t->step,
            lm_last_error()->where, lm_last_error()->detail);
    lm_trainer_event(t, "ckpt-failed", "reason", lm_last_error()->detail);
    lm_trainer_flush(t);
    return 0;
}

/* Loss sum over all rows of --val, in their order. */
static int score(lm_trainer *t, double *sum, uint64_t *weight)
{
    const lm_data_facts *v = lm_data_about(t->val);
    lm_batch b = {.in = t->ids, .target = t->tgt, .weight = t->w, .start = t->start};
    lm_loss l = {0};
    int err;

    for (uint64_t i = 0; i < v->rows; i += t->micro) {
        for (uint64_t r = 0; r < t->micro; r++) {
            if (i + r >= v->rows)
                blank(t, r);
            else if ((err = fetch(t, t->val, i + r, r)) < 0)
                return err;
        }
        b.end = ends(t);
        if ((err = lm_nn_loss(t->nn, &b, &l)) < 0)
            return err;
    }
    *sum = l.loss;
    *weight = l.weight;
    return *weight ? 0 : lm_err(LM_EINVALID, "the validation rows have no token of a weight");
}

static int evaluate(lm_trainer *t)
{
    const lm_data_facts *v = lm_data_about(t->val);
    lm_valfacts f = {0};
    double sum, t0 = lm_now();
    int err = score(t, &sum, &f.weight);

    if (err)
        return err;
    f.loss = sum / (double)f.weight;
    if (v->bytes) /* the bytes of the tokens that lie in whole rows */
        f.bpb = sum / log(2) / ((double)v->bytes * (double)(v->rows * v->seq) / (double)v->tokens);
    if (lm_nn_has_ema(t->nn)) {
        lm_nn_trade_ema(t->nn);
        lm_nn_repack(t->nn);
        err = score(t, &sum, &f.weight);
        lm_nn_trade_ema(t->nn);
        lm_nn_repack(t->nn);
        if (err)
            return err;
        f.has_ema = true;
        f.ema_loss = sum / (double)f.weight;
    }
    f.ms = (lm_now() - t0) * 1e3;
    lm_trainer_val_record(t, &f);
    return 0;
}

/* What is due after a step: records asked for, checkpoint, validation. */
static int after(lm_trainer *t)
{
    const lm_train_opt *o = t->o;
    bool eval = t->val && o->eval_every && t->step % o->eval_every == 0;
    int err = 0;

    if (sys_asked) {
        sys_asked = 0;
        lm_trainer_sys_record(t);
        lm_warn("step %" PRIu64 " of %" PRIu64, t->step, t->steps);
    }
    if (eval || (o->ckpt_steps && t->step % o->ckpt_steps == 0) ||
        (o->ckpt_seconds > 0 && lm_now() - t->saved_at >= o->ckpt_seconds)) {
        err = save(t); /* before validation: a crash there loses nothing */
        lm_trainer_sys_record(t);
    }
    return err || !eval ? err : evaluate(t);
}

static int finish(lm_trainer *t)
{
    int err = save(t);

    if (!err && !lm_nn_updates(t->nn))
        return lm_err(LM_EINVALID, "no token of any step has a weight: nothing was learnt");
    if (!err && t->saved != t->step)
        return LM_EIO; /* the last one: its error is still stored */
    if (!err && t->val && !(t->o->eval_every && t->step % t->o->eval_every == 0))
        err = evaluate(t);
    return err;
}

int lm_trainer_loop(lm_trainer *t)
{
    lm_stepfacts f = {0};
    char path[16] = "";
    int got = 1, err = 0;

    take_signals(t);
    t->began = t->saved_at = lm_now();
    t->began_step = t->step;
    if (t->owed)
        err = evaluate(t);
    while (!err && t->step < t->steps && !stop_asked) {
        if ((got = step(t, &f)) <= 0) {
            err = got;
            break;
        }
        lm_trainer_step_record(t, &f);
        lm_trainer_tail(t, &f, t->step == t->steps);
        lm_progress(t->step, t->steps, "steps");
        err = after(t);
    }
    if (err)
        return err;
    if (stop_asked && t->step < t->steps) {
        snprintf(path, sizeof path, "%d", (int)stop_asked);
        lm_trainer_event(t, "signal", "signal", path);
        err = save(t);
        if (!err && t->saved != t->step)
            return LM_EIO;
        return err ? err
                   : lm_err(LM_EAGAIN, "stopped by signal %d: step-%08" PRIu64 " is written",
                            (int)stop_asked, t->step);
    }
    if (!t->step)
        return lm_err(LM_EINVALID, "the stream ended before a whole batch of %" PRIu64 " rows",
                      t->rows);
    return finish(t);
}
