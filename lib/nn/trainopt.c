/* trainopt: what the options of a training mean. */
#include "nn/trainopt.h"

enum { DOCMASK, PLAIN }; /* the choices, as the table names them */
enum { BF16, F32 };
enum { CHAIN, TILE };
enum { CE, SFT };
enum { MUON, ADAMW, LION };

/* "1000", "15m", "1000,15m": steps and seconds. */
static int parse_every(const char *s, uint64_t *n, double *seconds)
{
    *n = 0;
    *seconds = 0;
    for (const char *p = s; *p;) {
        size_t len = strcspn(p, ",");
        const char *unit = len ? memchr("smh", p[len - 1], 3) : NULL;
        uint64_t v;

        if (!len || !lm_parse_num((lm_str){p, unit ? len - 1 : len}, &v))
            return lm_err(LM_EUSAGE, "--ckpt-every %s: want steps, a time as 15m, or both", s);
        if (unit)
            *seconds = (double)v * (*unit == 's' ? 1 : *unit == 'm' ? 60 : 3600);
        else
            *n = v;
        p += len + (p[len] == ',');
    }
    return 0;
}

static int check_resume(const char *s)
{
    uint64_t step;

    return !strcmp(s, "auto") || !strcmp(s, "no") || lm_parse_u64(lm_cstr(s), &step)
               ? 0
               : lm_err(LM_EUSAGE, "--resume %s: want auto, no or a step", s);
}

/* "off", or a decay within 0 and 1. */
static int parse_ema(const char *ema, double *b)
{
    *b = 0;
    if (strcmp(ema, "off") && (!lm_parse_f64(lm_cstr(ema), b) || !(*b > 0 && *b < 1)))
        return lm_err(LM_EUSAGE, "--ema %s: want off or a decay above 0 and below 1", ema);
    return 0;
}

static int parse_betas(const char *betas, double *b1, double *b2)
{
    const char *comma = strchr(betas, ',');

    if (!comma || !lm_parse_f64((lm_str){betas, (size_t)(comma - betas)}, b1) ||
        !lm_parse_f64(lm_cstr(comma + 1), b2) || !(*b1 >= 0 && *b1 < 1 && *b2 >= 0 && *b2 < 1))
        return lm_err(LM_EUSAGE, "--betas %s: want two numbers from 0 to below 1", betas);
    return 0;
}

int lm_train_take(lm_train_opt *o, const lm_train_args *a, const char ***shards)
{
    static const int kind[] = {LM_SCHED_WSD, LM_SCHED_COSINE, LM_SCHED_LINEAR, LM_SCHED_CONST};
    static const int who[] = {LM_OPT_MUON, LM_OPT_ADAMW, LM_OPT_LION};
    bool sft = a->loss == SFT;
    int opt = a->opt >= 0 ? a->opt : sft ? ADAMW : MUON, err;

    *shards = lm_zalloc(lm_nargs() + 1, sizeof **shards);
    for (size_t i = 0; i < lm_nargs(); i++)
        (*shards)[i] = lm_arg(i).p;
    *o = (lm_train_opt){
        .model = a->model,
        .shards = *shards,
        .nshards = lm_nargs(),
        .val = a->val.v,
        .nval = a->val.n,
        .mix = a->mix,
        .shuffle = a->shuffle,
        .seq = a->seq,
        .seed = a->seed,
        .batch_tokens = a->batch_tokens,
        .micro = a->micro,
        .plain = a->pack == PLAIN,
        .skip_ids = a->skip_ids,
        .sft = sft,
        .opt = who[opt],
        .eps = a->eps,
        .wd = a->wd,
        .clip = a->clip,
        .freeze = a->freeze,
        .steps = a->steps,
        .tokens = a->tokens,
        .ratio = a->ratio,
        .sched = kind[a->sched],
        .warmup = a->warmup,
        .decay = a->decay,
        .dt = a->dtype == BF16 ? LM_BF16 : LM_F32,
        .sum = a->sum == TILE ? LM_SUM_TILE : LM_SUM_CHAIN,
        .resume = a->resume,
        .keep = a->keep,
        .major = a->major,
        .eval_every = a->eval_every,
        .stats = (int)a->stats,
        .allow_drift = a->allow_drift,
        .recompute = a->recompute - 1,
        .tail = a->tail,
        .metrics = a->metrics,
        .peaks = a->peaks,
    };
    o->zloss = a->zloss >= 0 ? a->zloss : sft ? 0 : 1e-4;
    o->lr = a->lr >= 0 ? a->lr : sft ? 1e-5 : 3e-4;
    if (!a->model)
        return lm_err(LM_EUSAGE, "-m MODEL is needed");
    if (a->sum == TILE && a->dtype != BF16)
        return lm_err(LM_EUSAGE, "--sum tile is of bf16 products, not of --dtype f32");
    if (a->steps && a->tokens)
        return lm_err(LM_EUSAGE, "--steps and --tokens at once");
    if ((err = check_resume(a->resume)) ||
        (err = parse_every(a->ckpt_every, &o->ckpt_steps, &o->ckpt_seconds)) ||
        (err = parse_betas(a->betas                ? a->betas
                           : o->opt == LM_OPT_LION ? ".9,.99"
                                                   : ".9,.95",
                           &o->beta1, &o->beta2)))
        return err;
    return parse_ema(a->ema, &o->ema);
}
