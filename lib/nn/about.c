/* about: what lies in the directory of a model or a checkpoint, without reading its values. */
#include "nn/about.h"
#include "nn/metric.h"
#include <inttypes.h>
#include <unistd.h>

char *lm_in_dir(const char *dir, const char *name)
{
    lm_buf b = {0};

    lm_buf_addf(&b, "%s/%s", dir, name);
    return b.p;
}

int lm_about_state(lm_about *a, json_t **j)
{
    char *path = lm_in_dir(a->path, "state.json");
    uint64_t step, tokens;
    int err = 0;

    *j = NULL;
    if (!access(path, F_OK)) {
        err = lm_json_read(path, 1 << 20, j);
        if (err >= 0 && ((err = lm_json_need(lm_json_u64(*j, "step", &step), "step")) < 0 ||
                         (err = lm_json_need(lm_json_u64(*j, "tokens", &tokens), "tokens")) < 0))
            lm_err_at(err, path, "%s", lm_last_error()->detail);
        if (err >= 0) {
            snprintf(a->step, sizeof a->step, "%" PRIu64, step);
            snprintf(a->tokens, sizeof a->tokens, "%" PRIu64, tokens);
        }
    }
    free(path);
    return err < 0 ? err : 0;
}

int lm_about_sizes(lm_about *a)
{
    lm_st **f;
    size_t n;
    char *inside = lm_in_dir(a->path, "."); /* of a link too */
    int err = lm_tree_bytes(inside, &a->bytes);

    free(inside);
    if (err || (err = lm_st_open_model(&f, &n, a->path)))
        return err;
    for (size_t k = 0; k < n; k++) {
        const lm_st_tensor *t;

        for (size_t i = 0; (t = lm_st_at(f[k], i)); i++) {
            a->params += t->count;
            a->tensors++;
            a->of_dt[t->dt]++;
        }
        lm_st_close(f[k]);
    }
    free(f);
    return 0;
}

void lm_about_losses(const char *run, lm_about *v, size_t n)
{
    char *path = lm_in_dir(run, "metrics.lm");
    lm_in *in = access(path, R_OK) ? NULL : lm_in_open(path, LM_IN_LAX);
    lm_metrics m = {0};
    lm_dict steps = {0};
    lm_rec r = {0};

    for (size_t i = 0; i < n; i++)
        lm_dict_put(&steps, lm_cstr(v[i].step), i);
    while (in && lm_next(in, &r) == 1) {
        lm_str kind = lm_get(&r, "kind"), step = lm_get(&r, "step");

        if (lm_is(r.type, "run") ||
            (lm_is(r.type, "metric") && step.p && (lm_is(kind, "step") || lm_is(kind, "val")) &&
             lm_dict_get(&steps, step)))
            (void)lm_metrics_take(&m, &r); /* what it cannot take has no loss to show */
    }
    for (size_t i = 0; i < m.n; i++) {
        lm_str loss = lm_mrow_get(&m.row[i], "loss");
        char step[24];
        uint64_t *at;

        snprintf(step, sizeof step, "%" PRIu64, m.row[i].step);
        at = m.row[i].dead || !loss.p ? NULL : lm_dict_get(&steps, lm_cstr(step));
        if (at)
            snprintf(lm_is(m.row[i].kind, "val") ? v[*at].val : v[*at].loss, sizeof v->loss, "%.*s",
                     (int)loss.n, loss.p);
    }
    lm_metrics_free(&m);
    lm_dict_free(&steps);
    lm_rec_free(&r);
    lm_in_close(in);
    free(path);
}
