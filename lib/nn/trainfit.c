/* trainfit: which part of a model a run trains, and how it is made to fit in memory. */
#include "nn/traini.h"
#include "text/re.h"
#include <sys/resource.h>
#include <unistd.h>

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

/* Bytes that this process may take: of the machine, its control group and its own limit the least.
 */
static uint64_t memory(void)
{
    uint64_t all = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE), group;
    struct rlimit own;
    lm_buf b = {0};

    if (!lm_read_file("/sys/fs/cgroup/memory.max", &b, 64) && b.n > 1 &&
        lm_parse_u64((lm_str){b.p, b.n - 1}, &group) && group < all) /* "max" is no number */
        all = group;
    lm_buf_free(&b);
    if (!getrlimit(RLIMIT_AS, &own) && own.rlim_cur < all)
        all = own.rlim_cur;
    return all;
}

/* The smallest change that fits: more computed again, else fewer rows. */
static void cure(const lm_trainer *t, lm_nn_opt n, lm_fit *f)
{
    for (n.recompute++; n.recompute <= LM_RECOMPUTE_BLOCK && !f->rows; n.recompute++)
        if (!lm_nn_need(t->m, &n, &f->bytes, NULL) && f->bytes <= f->room) {
            f->recompute = n.recompute;
            f->rows = n.rows;
        }
    n.recompute = LM_RECOMPUTE_BLOCK;
    for (n.rows--; n.rows > 0 && !f->rows; n.rows--)
        if (t->rows % n.rows == 0 && !lm_nn_need(t->m, &n, &f->bytes, NULL) &&
            f->bytes <= f->room) {
            f->recompute = n.recompute;
            f->rows = n.rows;
        }
}

int lm_trainer_fit(const lm_trainer *t, lm_nn_opt *n, uint64_t all, lm_fit *f)
{
    uint64_t held = t->m->n * sizeof *t->m->w + t->batch_bytes,
             may = (all ? all : memory()) / 10 * 9;
    bool any = t->o->recompute < 0;
    int err;

    *f = (lm_fit){.may = may, .room = may > held ? may - held : 0};
    n->recompute = any ? LM_RECOMPUTE_NONE : t->o->recompute;
    while (!(err = lm_nn_need(t->m, n, &f->need, f->part)) && f->need > f->room && any &&
           n->recompute < LM_RECOMPUTE_BLOCK)
        n->recompute++;
    f->fits = f->need <= f->room;
    if (!err && !f->fits)
        cure(t, *n, f);
    return err;
}

int lm_trainer_nn(lm_trainer *t, lm_nn_opt *n)
{
    char micro[32] = "";
    lm_fit f;
    int err = lm_trainer_fit(t, n, 0, &f);

    if (err)
        return err;
    if (!f.fits && !f.rows)
        return lm_err(LM_EMEM, "training takes %zu MB, there are %zu: the model is too large",
                      f.need >> 20, (size_t)f.room >> 20);
    if (!f.fits) {
        if (f.rows != n->rows)
            snprintf(micro, sizeof micro, "--micro %u ", f.rows);
        return lm_err(LM_EMEM, "training takes %zu MB, there are %zu: %s--recompute %s takes %zu",
                      f.need >> 20, (size_t)f.room >> 20, micro, lm_recompute_name(f.recompute),
                      f.bytes >> 20);
    }
    if (t->o->verbose)
        lm_show(true, "%zu MB for training, recompute %s", f.need >> 20,
                lm_recompute_name(n->recompute));
    if ((err = lm_nn_new(&t->nn, t->m, n)) < 0)
        return err;
    lm_trainer_batch(t);
    return 0;
}
