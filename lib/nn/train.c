/* train: sets a run up: model, data, plan, the checkpoint to go on from. */
#include "nn/traini.h"
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the weights come from: t->from is MODEL, or the newest whole checkpoint of RUN. */
static int choose(lm_trainer *t, lm_buf *bad)
{
    const lm_train_opt *o = t->o;
    uint64_t *v, want = 0;
    size_t n;
    bool is_auto = !strcmp(o->resume, "auto"), fresh = !strcmp(o->resume, "no");
    int err = lm_ckpt_list(o->run, &v, &n);

    if (err)
        return err;
    if (fresh && n)
        err = lm_err_at(LM_EUSAGE, o->run, "holds checkpoints: --resume no needs a folder without");
    if (!is_auto && !fresh) {
        (void)lm_parse_u64(lm_cstr(o->resume), &want);
        lm_ckpt_path(o->run, want, &t->from);
        err = lm_manifest_check(t->from.p);
        t->resumed = true;
    }
    while (!err && is_auto && n > 0 && !t->resumed) {
        lm_ckpt_path(o->run, v[--n], &t->from);
        if (lm_manifest_check(t->from.p) >= 0) {
            t->resumed = true;
        } else if (!n) {
            err = lm_last_error()->err; /* none is whole: the run must not begin anew by itself */
        } else {
            lm_buf_addf(bad, "%s%s: %s", bad->n ? "; " : "", lm_last_error()->where,
                        lm_last_error()->detail);
            lm_warn("%s: %s: %s; an older checkpoint is tried", lm_last_error()->where,
                    lm_class_name(lm_last_error()->err), lm_last_error()->detail);
        }
    }
    if (!err && !t->resumed) {
        t->from.n = 0;
        lm_buf_adds(&t->from, o->model);
    }
    free(v);
    return err;
}

/* A stream begins anew on resume: rows trained on before are read past. */
static int wind_on(lm_trainer *t)
{
    lm_row row = {.ids = t->ids, .tgt = t->tgt, .start = t->start, .w = t->w};

    for (uint64_t i = 0; t->in && i < t->samples; i++) {
        int got = lm_data_sample(t->data, i, &row);

        if (got <= 0)
            return got ? got
                       : lm_err(LM_EINVALID,
                                "the stream ends at row %" PRIu64 ", but %" PRIu64
                                " were trained on",
                                i, t->samples);
    }
    return 0;
}

/* MODEL is what the run began with; numbers that are no shape may change where drift is allowed. */
static int same_model(lm_trainer *t, lm_buf *drift)
{
    lm_cfgdiff d[LM_CFG_DIFFS];
    lm_buf at = {0};
    lm_cfg c;
    int err = lm_cfg_read(&c, t->o->model);
    size_t n = err < 0 ? 0 : lm_cfg_diff(&t->m->cfg, &c, d);

    lm_buf_addf(&at, "%s/config.json", t->from.p);
    for (size_t i = 0; i < n && !err; i++) {
        if (d[i].shape)
            err = lm_err_at(LM_EMISMATCH, at.p,
                            "%s was %s, now %s in %s: use the model the run began with, or another "
                            "folder for the run",
                            d[i].key, d[i].was, d[i].now, t->o->model);
        else if (!t->o->allow_drift)
            err = lm_err_at(LM_EMISMATCH, at.p,
                            "%s was %s, now %s in %s: use the model the run began with, or "
                            "--allow-drift",
                            d[i].key, d[i].was, d[i].now, t->o->model);
        else
            lm_buf_addf(drift, "%s%s:%s->%s", drift->n ? " " : "", d[i].key, d[i].was, d[i].now);
    }
    if (n && !err)
        lm_cfg_adopt(&t->m->cfg, &c);
    if (!err || n)
        lm_cfg_free(&c);
    lm_buf_free(&at);
    return err < 0 ? err : 0;
}

static int setup(lm_trainer *t, lm_buf *drift, lm_buf *bad)
{
    const lm_train_opt *o = t->o;
    lm_nn_opt n;
    int err, has;

    if ((err = lm_run_lock(o->run, true)))
        return err;
    lm_ckpt_sweep(o->run);
    if ((err = choose(t, bad)))
        return err;
    if ((has = lm_tokenizer_hash(o->model, t->vocab)) < 0)
        return has;
    t->tok = has == LM_NO ? NULL : o->model;
    if (has == LM_NO)
        lm_warn("%s has no tokenizer.json: the vocabulary of the shards is not checked", o->model);
    if ((err = lm_model_load(&t->m, t->from.p, o->dt, LM_MODEL_RW)) < 0)
        return err;
    if (t->resumed && (err = same_model(t, drift)))
        return err;
    if ((err = lm_trainer_prepare(t, &n)) || (err = lm_trainer_nn(t, &n)) < 0)
        return err;
    lm_trainer_recipe(t);
    if (t->resumed &&
        ((err = lm_trainer_recall(t, t->from.p, drift)) ||
         (err = lm_ckpt_read(t->from.p, t->m, t->nn, drift->n)) || (err = wind_on(t))))
        return err;
    t->saved = t->resumed ? t->step : UINT64_MAX;
    return 0;
}

static int train(lm_trainer *t, lm_buf *drift, lm_buf *bad)
{
    const lm_train_opt *o = t->o;
    lm_buf metrics = {0};
    lm_error why;
    bool owed;
    int err;

    lm_buf_addf(&metrics, "%s/metrics.lm", o->run);
    owed = t->resumed && t->val && o->eval_every && t->step && t->step % o->eval_every == 0 &&
           !lm_trainer_has_val(o->metrics && strcmp(o->metrics, "-") ? o->metrics : metrics.p,
                               t->step);
    lm_buf_free(&metrics);
    if (t->resumed && t->step >= t->steps && !owed)
        return 0; /* all done before */
    if (o->peaks && (err = lm_peaks_read(&t->peaks, o->peaks, t->m->cfg.dt == LM_BF16, o->sum,
                                         lm_pool_size(t->pool))))
        return err;
    if ((err = lm_trainer_logs(t)))
        return err;
    if (bad->n)
        lm_trainer_event(t, "ckpt-damaged", "reason", bad->p);
    if (drift->n)
        lm_trainer_event(t, "drift", "change", drift->p);
    lm_trainer_flush(t);
    t->owed = owed;
    err = lm_trainer_loop(t);
    why = *lm_last_error();
    if (err < 0 && err != LM_EAGAIN) {
        lm_buf said = {0};

        lm_buf_addf(&said, "%s%s%s", why.where, why.where[0] ? ": " : "", why.detail);
        lm_trainer_event(t, err == LM_EDIVERGED ? "diverged" : "failed", "reason", said.p);
        lm_runlog_abort(&t->metrics, lm_class_exit(err), "lm-train", said.p);
        lm_runlog_abort(&t->ledger, lm_class_exit(err), "lm-train", said.p);
        lm_buf_free(&said);
    } else {
        int err1 = lm_runlog_end(&t->metrics), err2 = lm_runlog_end(&t->ledger);

        if (!err)
            return err1 ? err1 : err2;
    }
    *lm_last_error() = why;
    return err;
}

int lm_train(const lm_train_opt *o)
{
    lm_trainer t = {.o = o, .metrics.fd = -1, .ledger.fd = -1};
    lm_buf drift = {0}, bad = {0};
    int err = setup(&t, &drift, &bad);

    if (!err)
        err = train(&t, &drift, &bad);
    lm_trainer_free(&t);
    lm_buf_free(&drift);
    lm_buf_free(&bad);
    return err;
}
