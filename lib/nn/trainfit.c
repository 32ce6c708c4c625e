/* trainfit: which part of a model a run trains, and how it is made to fit in memory. */
#include "nn/traini.h"
#include "text/re.h"

int lm_trainer_freeze(lm_trainer *t)
{
    const char *pattern = t->o->freeze;
    size_t n = 0, params = 0;
    lm_re *re;
    int err = 0;

    if (!pattern)
        return 0;
    if (!(re = lm_re_new(lm_cstr(pattern), LM_RE_UTF)))
        return lm_err(LM_EUSAGE, "--freeze %s: %s", pattern, lm_last_error()->detail);
    t->frozen = lm_zalloc(t->m->nt, sizeof *t->frozen);
    for (size_t i = 0; i < t->m->nt && err >= 0; i++) {
        const lm_tensor *x = &t->m->t[i];

        err = lm_re_match(re, lm_cstr(x->name), 0, NULL, 0);
        t->frozen[i] = err == 1;
        n += err == 1;
        params += err == 1 ? x->n : 0;
    }
    lm_re_free(re);
    if (err < 0)
        return err;
    if (!n)
        return lm_err(LM_EUSAGE, "--freeze %s: no tensor has such a name (the first is %s)",
                      pattern, t->m->t[0].name);
    if (n == t->m->nt)
        return lm_err(LM_EUSAGE, "--freeze %s: all %zu tensors have such a name, none is trained",
                      pattern, n);
    if (t->o->verbose)
        lm_show(true, "%zu of %zu tensors are frozen, %zu of %zu parameters", n, t->m->nt, params,
                t->m->n);
    return 0;
}

int lm_trainer_marked(const lm_trainer *t)
{
    if (!t->o->sft || lm_data_about(t->data)->weighted)
        return 0;
    return lm_err(
        LM_EINVALID,
        "--loss sft: no token is marked as a prompt (weight 0, as lm-tok gives it in pair "
        "records): all would be learnt, which is --loss ce --opt adamw --lr 1e-5 --zloss 0");
}
