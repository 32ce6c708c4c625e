/* trainahead: a training told before it begins, by the very plans that it would be made with. */
#include "nn/traini.h"

/* Seconds of a step if all were done at the peaks of peaks.lm: the products, attention, what is
   computed again, Muon's products; no memory traffic, no reading, no checkpoint. Of ranks the one
   with most micro-batches counts. */
static double seconds_of(const lm_trainer *t, const lm_nn_opt *n, unsigned ranks,
                         const lm_train_facts *f)
{
    const lm_cfg *c = &t->m->cfg;
    const lm_peaks *p = &t->peaks;
    double att = (double)c->layers * c->heads * c->head_dim * (double)t->seq, products, again_att,
           fwd = p->attn[0] > 0 ? p->attn[0] : p->gemm, bwd = p->attn[1] > 0 ? p->attn[1] : p->gemm,
           tokens = (double)((f->batches + ranks - 1) / ranks) * (double)(t->micro * t->seq), ns;

    lm_model_again(t->m, n, &products, &again_att);
    products += f->flops - 6 * att;
    ns = products / p->gemm + (2 * att + again_att) / fwd + 5 * att / bwd; /* of a token */
    return (tokens * ns + f->update / p->gemm) / 1e9;
}

static void schedule(const lm_trainer *t, lm_train_facts *f)
{
    const lm_train_opt *o = t->o;
    uint64_t majors = o->major && o->ckpt_steps ? t->steps / (o->major * o->ckpt_steps) : 0,
             fall = t->steps - t->decay;

    f->batch_tokens = t->rows * t->seq;
    f->batches = t->rows / t->micro;
    f->steps = t->steps;
    f->warm = t->warm;
    f->fall = o->sched == LM_SCHED_CONST ? t->steps
              : o->sched != LM_SCHED_WSD ? t->warm
              : fall > t->warm           ? fall
                                         : t->warm;
    f->ckpts = o->keep + majors;
    if (t->data) {
        f->rows = lm_data_about(t->data)->rows;
        f->data_tokens = lm_data_about(t->data)->tokens;
    }
}

static int plan(lm_trainer *t, uint64_t mem, unsigned ranks, lm_train_facts *f)
{
    const lm_train_opt *o = t->o;
    lm_nn_opt n;
    lm_fit fit;
    double products, att;
    int err = lm_model_shape(&t->m, o->model, o->dt);

    if (err < 0 || (err = lm_tokenizer_hash(o->model, t->vocab)) < 0)
        return err;
    if ((err = lm_trainer_prepare(t, &n)) || (err = lm_trainer_fit(t, &n, mem, &fit)))
        return err;
    f->family = lm_family_of(&t->m->cfg)->type;
    f->params = t->m->n;
    for (size_t i = 0; i < t->m->nt; i++)
        f->trained += t->frozen && t->frozen[i] ? 0 : t->m->t[i].n;
    f->seq = t->seq;
    f->micro = t->micro;
    schedule(t, f);
    if (ranks > f->batches)
        return lm_err(LM_EUSAGE, "--ranks %u: a step has %llu micro-batches to share", ranks,
                      (unsigned long long)f->batches);
    f->masters = t->m->n * sizeof *t->m->w;
    memcpy(f->part, fit.part, sizeof f->part);
    f->arena = fit.need;
    f->batch = t->batch_bytes;
    f->recompute = n.recompute;
    f->room = fit.may;
    f->fits = fit.fits;
    f->fit_recompute = fit.recompute;
    f->fit_micro = fit.rows;
    f->fit_bytes = fit.bytes;
    f->ckpt = lm_ckpt_bytes(t->m, &n);
    lm_model_again(t->m, &n, &products, &att);
    f->flops = lm_model_flops(t->m, t->seq);
    f->again = products + att;
    f->update = lm_muon_flops(t->m, &n);
    f->timed = o->peaks;
    if (!o->peaks)
        return 0;
    if ((err = lm_peaks_read(&t->peaks, o->peaks, o->dt == LM_BF16, o->sum, lm_pool_size(t->pool))))
        return err;
    f->seconds = seconds_of(t, &n, ranks, f);
    f->tps = (double)f->batch_tokens / f->seconds;
    f->seconds *= (double)t->steps;
    return 0;
}

int lm_train_plan(const lm_train_opt *o, uint64_t mem, unsigned ranks, lm_train_facts *f)
{
    lm_trainer t = {.o = o, .dry = true};
    int err;

    *f = (lm_train_facts){0};
    err = plan(&t, mem, ranks, f);
    lm_trainer_free(&t);
    return err;
}
