/* trainstats: what becomes of the parts of a model: norms of groups of tensors, and how the sizes
   of the gradient's numbers are spread. Sums are taken in the update's fixed order, so equal runs
   have equal records. */
#include "nn/traini.h"
#include <inttypes.h>
#include <math.h>

enum { EVERY = 10 }; /* steps: seldom enough to cost nothing, often enough to see a trend */

static bool is_norm(int w)
{
    return w == LM_W_NORM1 || w == LM_W_BNORM1 || w == LM_W_QN || w == LM_W_KN || w == LM_W_NORM2 ||
           w == LM_W_BNORM2;
}

/* The name of the group of tensor i: embed, N-attn, N-mlp, N-norm of layer N, norm, head. */
static void group_of(const lm_model *m, size_t i, char *out, size_t room)
{
    size_t end = m->layer0 + m->per_layer * m->cfg.layers, at;
    const char *part = "attn";

    if (i < m->layer0 || i >= end) {
        part = i < m->layer0 ? "embed" : m->t[i].flags & LM_T_EMBED ? "head" : "norm";
        snprintf(out, room, "%s", part);
        return;
    }
    at = (i - m->layer0) % m->per_layer;
    for (int w = 0; w < LM_W_N; w++)
        if (m->at[w] == (int)at)
            part = w >= LM_W_GATE ? "mlp" : is_norm(w) ? "norm" : "attn";
    snprintf(out, room, "%zu-%s", (i - m->layer0) / m->per_layer, part);
}

static void set_norm(lm_rec *r, const char *what, const char *group, double sq)
{
    char key[64], s[32];

    snprintf(key, sizeof key, "%s-%s", what, group);
    lm_set(r, key, (lm_str){s, (size_t)lm_fmt_f32(s, (float)sqrt(sq))});
}

static void layer_record(lm_trainer *t)
{
    const lm_model *m = t->m;
    lm_nn_norm *sum = lm_zalloc(m->nt, sizeof *sum);
    char(*name)[48] = lm_zalloc(m->nt, sizeof *name);
    size_t n = 0;
    lm_rec r = {0};

    for (size_t i = 0; i < m->nt; i++) {
        lm_nn_norm one = lm_nn_norms(t->nn, i);
        size_t g = n;

        if (t->frozen && t->frozen[i])
            continue;
        group_of(m, i, name[n], sizeof *name);
        while (g > 0 && strcmp(name[g - 1], name[n])) /* a group's tensors lie near each other */
            g--;
        g = g ? g - 1 : n++;
        sum[g].weight += one.weight;
        sum[g].grad += one.grad;
        sum[g].update += one.update;
    }
    lm_trainer_begin(&r, t, "layer");
    for (size_t g = 0; g < n; g++) {
        set_norm(&r, "w", name[g], sum[g].weight);
        set_norm(&r, "g", name[g], sum[g].grad);
        set_norm(&r, "u", name[g], sum[g].update);
    }
    lm_runlog_put(&t->metrics, &r);
    lm_rec_free(&r);
    free(sum);
    free(name);
}

static void hist_record(lm_trainer *t)
{
    uint64_t count[LM_NN_HIST];
    lm_rec r = {0};

    lm_nn_hist(t->nn, count);
    lm_trainer_begin(&r, t, "hist");
    for (size_t i = 0; i < LM_NN_HIST; i++) {
        char key[16];

        snprintf(key, sizeof key, "b-%zu", i);
        lm_setf(&r, key, "%" PRIu64, count[i]);
    }
    lm_runlog_put(&t->metrics, &r);
    lm_rec_free(&r);
}

bool lm_trainer_stats_due(const lm_trainer *t, uint64_t step)
{
    return t->o->stats && step % EVERY == 0;
}

void lm_trainer_stats(lm_trainer *t)
{
    if (!lm_trainer_stats_due(t, t->step))
        return;
    layer_record(t);
    if (t->o->stats > 1)
        hist_record(t);
}
