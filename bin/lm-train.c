/* lm-train: train a model from token shards or a stream, with exact resume.
   Apart from lm-init: weights are made there, here they are only moved. */
#include "lm.h"

enum { DOCMASK, PLAIN };
enum { BF16, F32 };
enum { CE, SFT };
enum { MUON, ADAMW, LION };
static const char *mix, *shuffle = "full", *model, *skip_ids, *betas, *warmup = "1%",
                        *decay = "20%", *resume = "auto", *ckpt_every = "1000,15m", *metrics,
                        *ema = "off", *freeze, *peaks;
static lm_list val;
static uint64_t seq, seed, batch_tokens = 524288, micro, steps, tokens, keep = 3, major = 10,
                           eval_every = 250;
static int pack = DOCMASK, loss = CE, opt = -1, sched, dtype = BF16, recompute;
static double zloss = -1, lr = -1, eps = 1e-8, wd = 0.1, clip = 1, ratio = 20; /* -1: by --loss */
static bool allow_drift, tail;
static uint64_t stats = 1;
static const lm_opt opts[] = {
    LM_FILE('m', "model", &model, "MODEL", "directory of the model to begin from"),
    LM_LIST(0, "val", &val, "SHARDS", "validate on these shards (repeatable)"),
    LM_NUM(0, "seq", &seq, 2, 1 << 24, "N", "tokens a row (the shards' seq=, else 2048)"),
    LM_ENUM(0, "pack", &pack, "docmask|plain", "documents of a row apart, or not (docmask)"),
    LM_STRING(0, "mix", &mix, "W1,W2,..", "a weight for each of SHARDS: exact shares"),
    LM_STRING(0, "shuffle", &shuffle, "full|block:SIZE,N|none",
              "order of the rows: all, blocks N at a time, as they lie (full)"),
    LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "N", "seed of the order of the rows (0)"),
    LM_NUM(0, "batch-tokens", &batch_tokens, 1, 1ull << 40, "N", "tokens a step (524288)"),
    LM_NUM(0, "micro", &micro, 1, 1 << 20, "ROWS",
           "rows computed at once (1024 tokens); changes bits"),
    LM_FILE(0, "skip-ids", &skip_ids, "FILE", "documents, an id a line, that get weight 0"),
    LM_ENUM(0, "loss", &loss, "ce|sft", "pretraining, or fine-tuning on marked answers (ce)"),
    LM_REAL(0, "zloss", &zloss, 0, 1, "F", "weight of the squared log-sum-exp (1e-4; sft: 0)"),
    LM_ENUM(0, "opt", &opt, "muon|adamw|lion",
            "optimiser (muon for hidden matrices, AdamW the rest; sft: adamw)"),
    LM_REAL(0, "lr", &lr, 0, 10, "F", "peak learning rate (3e-4; sft: 1e-5)"),
    LM_STRING(0, "betas", &betas, "B1,B2", "AdamW's moments (.9,.95); Lion's (.9,.99)"),
    LM_REAL(0, "eps", &eps, 1e-30, 1, "F", "AdamW's epsilon (1e-8)"),
    LM_REAL(0, "wd", &wd, 0, 10, "F", "weight decay of matrices (0.1)"),
    LM_REAL(0, "clip", &clip, 0, 1e9, "F", "bound of the gradient norm, 0 = none (1)"),
    LM_STRING(0, "ema", &ema, "off|B", "keep a moving average of the weights, decay B (off)"),
    LM_STRING(0, "freeze", &freeze, "REGEX", "leave the tensors whose name matches as they are"),
    LM_NUM(0, "steps", &steps, 1, 1ull << 40, "N", "steps in all"),
    LM_NUM(0, "tokens", &tokens, 1, 1ull << 60, "N", "or tokens in all"),
    LM_REAL(0, "ratio", &ratio, 1e-6, 1e9, "F", "or tokens a parameter (20)"),
    LM_ENUM(0, "sched", &sched, "wsd|cosine|linear|const", "learning rate over time (wsd)"),
    LM_STRING(0, "warmup", &warmup, "N|N%", "steps of linear rise (1%)"),
    LM_STRING(0, "decay", &decay, "N|N%", "steps of the fall at the end of wsd (20%)"),
    LM_ENUM(0, "dtype", &dtype, "bf16|f32", "of weights and products; masters are f32 (bf16)"),
    LM_ENUM(0, "recompute", &recompute, "auto|none|act|block",
            "compute again instead of keeping: the least that fits (auto)"),
    LM_STRING(0, "resume", &resume, "auto|no|STEP",
              "go on from the newest checkpoint, none, or STEP"),
    LM_STRING(0, "ckpt-every", &ckpt_every, "N,T",
              "checkpoint after N steps or T s, m, h (1000,15m)"),
    LM_NUM(0, "keep", &keep, 1, 1 << 20, "N", "newest checkpoints kept (3)"),
    LM_NUM(0, "major", &major, 0, 1 << 20, "N",
           "every N-th checkpoint is kept for ever, 0 = none (10)"),
    LM_FLAG(0, "allow-drift", &allow_drift, "resume with another recipe, and record the change"),
    LM_NUM(0, "eval-every", &eval_every, 0, 1ull << 40, "N",
           "validate every N steps, 0 = at the end (250)"),
    LM_NUM(0, "stats", &stats, 0, 2, "N",
           "1: norms of groups of tensors, 2: a histogram of the gradient too (1)"),
    LM_FILE(0, "peaks", &peaks, "FILE",
            "peaks that lm-bench measured: records tell the share reached"),
    LM_FILE(0, "metrics", &metrics, "FILE", "records to FILE or - (RUN/metrics.lm)"),
    LM_FLAG(0, "tail", &tail, "tell a person of each step on stderr"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {
    .name = "lm-train",
    .does = "train a model",
    .args = "SHARDS...",
    .opts = opts,
    .flags = LM_FOREIGN | LM_FILES | LM_PAR,
    .epilog = "SHARDS: folders of lm-shard, single shards, or - for a stream of tokens.\n"
              "-o RUN is the folder of the run: checkpoints, metrics.lm, ledger.lm.\n"};

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

/* "off", or a decay within 0 and 1. */
static int parse_ema(double *b)
{
    *b = 0;
    if (strcmp(ema, "off") && (!lm_parse_f64(lm_cstr(ema), b) || !(*b > 0 && *b < 1)))
        return lm_err(LM_EUSAGE, "--ema %s: want off or a decay above 0 and below 1", ema);
    return 0;
}

static int parse_betas(double *b1, double *b2)
{
    const char *comma = strchr(betas, ',');

    if (!comma || !lm_parse_f64((lm_str){betas, (size_t)(comma - betas)}, b1) ||
        !lm_parse_f64(lm_cstr(comma + 1), b2) || !(*b1 >= 0 && *b1 < 1 && *b2 >= 0 && *b2 < 1))
        return lm_err(LM_EUSAGE, "--betas %s: want two numbers from 0 to below 1", betas);
    return 0;
}

static int run(lm_in *in, lm_out *out)
{
    static const int kind[] = {LM_SCHED_WSD, LM_SCHED_COSINE, LM_SCHED_LINEAR, LM_SCHED_CONST};
    static const int who[] = {LM_OPT_MUON, LM_OPT_ADAMW, LM_OPT_LION};
    bool sft = loss == SFT;
    lm_train_opt o = {.model = model,
                      .run = lm_common.out,
                      .val = val.v,
                      .nval = val.n,
                      .mix = mix,
                      .shuffle = shuffle,
                      .seq = seq,
                      .seed = seed,
                      .batch_tokens = batch_tokens,
                      .micro = micro,
                      .plain = pack == PLAIN,
                      .skip_ids = skip_ids,
                      .sft = sft,
                      .opt = who[opt >= 0 ? opt
                                 : sft    ? ADAMW
                                          : MUON],
                      .zloss = zloss >= 0 ? zloss
                               : sft      ? 0
                                          : 1e-4,
                      .lr = lr >= 0 ? lr
                            : sft   ? 1e-5
                                    : 3e-4,
                      .eps = eps,
                      .wd = wd,
                      .clip = clip,
                      .freeze = freeze,
                      .steps = steps,
                      .tokens = tokens,
                      .ratio = ratio,
                      .sched = kind[sched],
                      .warmup = warmup,
                      .decay = decay,
                      .dt = dtype == BF16 ? LM_BF16 : LM_F32,
                      .resume = resume,
                      .keep = keep,
                      .major = major,
                      .eval_every = eval_every,
                      .stats = (int)stats,
                      .allow_drift = allow_drift,
                      .recompute = recompute - 1,
                      .tail = tail,
                      .verbose = lm_common.verbose,
                      .metrics = metrics,
                      .peaks = peaks,
                      .jobs = lm_jobs()};
    const char **shards = lm_zalloc(lm_nargs(), sizeof *shards);
    int err;

    (void)in;
    (void)out;
    for (size_t i = 0; i < lm_nargs(); i++)
        shards[i] = lm_arg(i).p;
    if (!betas)
        betas = o.opt == LM_OPT_LION ? ".9,.99" : ".9,.95";
    o.shards = shards;
    o.nshards = lm_nargs();
    if (!model)
        err = lm_err(LM_EUSAGE, "-m MODEL is needed");
    else if (!lm_common.out)
        err = lm_err(LM_EUSAGE, "-o RUN is needed");
    else if (steps && tokens)
        err = lm_err(LM_EUSAGE, "--steps and --tokens at once");
    else if (!(err = parse_every(ckpt_every, &o.ckpt_steps, &o.ckpt_seconds)) &&
             !(err = parse_betas(&o.beta1, &o.beta2)) && !(err = parse_ema(&o.ema)))
        err = lm_train(&o);
    free(shards);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
