/* trainplan: what a run is going to do: data, rows, steps, schedule, memory; and its end. */
#include "nn/mix.h"
#include "nn/traini.h"
#include <inttypes.h>
#include <math.h>

/* "5%" of all steps, or steps. */
static int share(const char *opt, const char *s, uint64_t all, uint64_t *out)
{
    size_t n = strlen(s);
    double f;

    if (n && s[n - 1] == '%') {
        if (!lm_parse_f64((lm_str){s, n - 1}, &f) || !(f >= 0 && f <= 100))
            return lm_err(LM_EUSAGE, "--%s %s: not a share of 0%% to 100%%", opt, s);
        *out = (uint64_t)llround((double)all * f / 100);
    } else if (!lm_parse_num(lm_cstr(s), out)) {
        return lm_err(LM_EUSAGE, "--%s %s: want steps or a share, as 5%%", opt, s);
    }
    return 0;
}

/* Rows, steps and schedule from the options. */
static int schedule(lm_trainer *t)
{
    const lm_train_opt *o = t->o;
    uint64_t unit, tokens;
    int err;

    t->seq = t->data ? lm_data_about(t->data)->seq : o->seq ? o->seq : 2048;
    if (t->seq > t->m->cfg.ctx)
        return lm_err(LM_EINVALID, "rows of %" PRIu64 " tokens, but the model's context is %u",
                      t->seq, t->m->cfg.ctx);
    t->micro = o->micro ? o->micro : t->seq >= 1024 ? 1 : 1024 / t->seq;
    unit = t->micro * t->seq;
    if (o->batch_tokens % unit || !o->batch_tokens)
        return lm_err(LM_EUSAGE,
                      "--batch-tokens %" PRIu64 " is no multiple of --micro %" PRIu64
                      " x --seq %" PRIu64 " = %" PRIu64,
                      o->batch_tokens, t->micro, t->seq, unit);
    t->rows = o->batch_tokens / t->seq;
    tokens = o->tokens ? o->tokens : (uint64_t)(o->ratio * (double)t->m->n);
    t->steps = o->steps ? o->steps : (tokens + o->batch_tokens - 1) / o->batch_tokens;
    if (!t->steps)
        t->steps = 1;
    if ((err = share("warmup", o->warmup, t->steps, &t->warm)) ||
        (err = share("decay", o->decay, t->steps, &t->decay)))
        return err;
    if (t->warm > t->steps || t->decay > t->steps)
        return lm_err(LM_EUSAGE, "--warmup %s or --decay %s is more than all %" PRIu64 " steps",
                      o->warmup, o->decay, t->steps);
    return 0;
}

static int skip_list(lm_trainer *t)
{
    const char *path = t->o->skip_ids, *p;
    lm_buf b = {0};
    int err;

    if (!path)
        return 0;
    err = lm_read_file(path, &b, 1 << 30);
    for (p = b.p; !err && p && p < b.p + b.n;) {
        const char *lf = memchr(p, '\n', (size_t)(b.p + b.n - p)), *end = lf ? lf : b.p + b.n;
        uint8_t key[16];
        lm_id id;

        if (end > p) {
            if (end - p != 32 || !lm_id_parse((lm_str){p, 32}, &id))
                err = lm_err_at(LM_EINVALID, path, "byte %zu: not a line of 32 hex digits",
                                (size_t)(p - b.p));
            else {
                lm_id_put(key, id);
                lm_dict_put(&t->skip, (lm_str){(char *)key, 16}, 1);
            }
        }
        p = end + 1;
    }
    lm_buf_free(&b);
    return err;
}

static bool is_stream(const lm_train_opt *o)
{
    return o->nshards == 1 && !strcmp(o->shards[0], "-");
}

static int open_data(lm_trainer *t)
{
    const lm_train_opt *o = t->o;
    lm_data_opt d = {.seq = o->seq,
                     .seed = o->seed,
                     .shuffle = o->shuffle,
                     .mix = o->mix,
                     .docmask = !o->plain,
                     .vocab = t->vocab[0] ? t->vocab : NULL,
                     .ids = t->m->cfg.vocab,
                     .skip = o->skip_ids ? &t->skip : NULL};
    int err = skip_list(t);

    if (err)
        return err;
    if (is_stream(o)) {
        if (o->mix || !strncmp(o->shuffle, "block", 5))
            return lm_err(LM_EUSAGE, "%s: a stream comes in its own order",
                          o->mix ? "--mix" : "--shuffle");
        t->in = lm_in_open("-", 0);
        t->data = lm_data_stream(t->in, &d);
        if ((err = lm_data_peek(t->data)))
            return err;
    } else {
        if (!(t->data = lm_data_open(o->shards, o->nshards, &d)))
            return lm_last_error()->err;
        if ((err = lm_trainer_marked(t)))
            return err;
    }
    if (o->nval) {
        d.shuffle = "none";
        d.mix = NULL;
        d.skip = NULL;
        d.seq = lm_data_about(t->data)->seq;
        if (!(t->val = lm_data_open(o->val, o->nval, &d)))
            return lm_last_error()->err;
    }
    return 0;
}

/* Rows on their way from the data to the arithmetic. */
static void batch(lm_trainer *t, lm_plan *p)
{
    size_t n = t->micro * t->seq;

    t->ids = lm_take(p, n * sizeof *t->ids);
    t->tgt = lm_take(p, n * sizeof *t->tgt);
    t->start = lm_take(p, n * sizeof *t->start);
    t->end = lm_take(p, n * sizeof *t->end);
    t->prefixed = lm_take(p, t->micro * sizeof *t->prefixed);
    t->w = lm_take(p, n);
    t->row_loss = lm_take(p, t->micro * sizeof *t->row_loss);
    t->row_weight = lm_take(p, t->micro * sizeof *t->row_weight);
    t->rowlog = lm_take(p, t->rows * 2 * sizeof *t->rowlog);
}

int lm_trainer_prepare(lm_trainer *t, lm_nn_opt *n)
{
    const lm_train_opt *o = t->o;
    lm_plan p = {0};
    int err = o->nshards && !(t->dry && is_stream(o)) ? open_data(t) : 0;

    if (err || (err = schedule(t)) || (err = lm_trainer_freeze(t)))
        return err;
    t->pool = lm_pool_new(o->jobs);
    *n = (lm_nn_opt){.rows = (uint32_t)t->micro,
                     .seq = (uint32_t)t->seq,
                     .tokens = t->rows * t->seq,
                     .pool = t->pool,
                     .train = true,
                     .opt = o->opt,
                     .sum = o->sum,
                     .zloss = (float)o->zloss,
                     .ema = (float)o->ema,
                     .frozen = t->frozen};
    batch(t, &p);
    t->batch_bytes = p.n;
    return 0;
}

void lm_trainer_batch(lm_trainer *t)
{
    lm_plan p = {.base = lm_alloc_huge(t->batch_bytes)};

    t->batch = p.base;
    batch(t, &p);
}

void lm_trainer_free(lm_trainer *t)
{
    lm_nn_free(t->nn);
    lm_data_close(t->data);
    lm_data_close(t->val);
    if (t->in)
        lm_in_close(t->in);
    if (t->pool)
        lm_pool_free(t->pool);
    lm_model_free(t->m);
    lm_dict_free(&t->skip);
    lm_settings_free(&t->recipe);
    lm_settings_free(&t->sched);
    free(t->frozen);
    lm_free_huge(t->batch, t->batch_bytes);
    lm_buf_free(&t->from);
}
