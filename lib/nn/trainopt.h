/* trainopt: the options of a training, one table for all tools that take them. */
#ifndef LM_TRAINOPT_H
#define LM_TRAINOPT_H
#include "cli/cli.h"
#include "nn/train.h"

/* What the options set, as they were given; -1 and NULL where the default is lm_train_take's to
 * tell. */
typedef struct {
    const char *model, *mix, *shuffle, *skip_ids, *betas, *warmup, *decay, *resume, *ckpt_every,
        *metrics, *ema, *freeze, *peaks;
    lm_list val;
    uint64_t seq, seed, batch_tokens, micro, steps, tokens, keep, major, eval_every, stats;
    int pack, loss, opt, sched, dtype, sum, recompute;
    double zloss, lr, eps, wd, clip, ratio;
    bool allow_drift, tail;
} lm_train_args;
#define LM_TRAIN_ARGS \
    { \
        .shuffle = "full", .warmup = "1%", .decay = "20%", .resume = "auto", \
        .ckpt_every = "1000,15m", .ema = "off", .batch_tokens = 524288, .keep = 3, .major = 10, \
        .eval_every = 250, .stats = 1, .opt = -1, .zloss = -1, .lr = -1, .eps = 1e-8, .wd = 0.1, \
        .clip = 1, .ratio = 20 \
    }

/* Rows of an option table, for an lm_train_args at file scope. */
#define LM_TRAIN_OPTS(a) \
    LM_FILE('m', "model", &(a).model, "MODEL", "directory of the model to begin from"), \
        LM_LIST(0, "val", &(a).val, "SHARDS", "validate on these shards (repeatable)"), \
        LM_NUM(0, "seq", &(a).seq, 2, 1 << 24, "N", "tokens a row (the shards' seq=, else 2048)"), \
        LM_ENUM(0, "pack", &(a).pack, "docmask|plain", \
                "documents of a row apart, or not (docmask)"), \
        LM_STRING(0, "mix", &(a).mix, "W1,W2,..", "a weight for each of SHARDS: exact shares"), \
        LM_STRING(0, "shuffle", &(a).shuffle, "full|block:SIZE,N|none", \
                  "order of the rows: all, blocks N at a time, as they lie (full)"), \
        LM_NUM('s', "seed", &(a).seed, 0, UINT64_MAX, "N", "seed of the order of the rows (0)"), \
        LM_NUM(0, "batch-tokens", &(a).batch_tokens, 1, 1ull << 40, "N", \
               "tokens a step (524288)"), \
        LM_NUM(0, "micro", &(a).micro, 1, 1 << 20, "ROWS", "rows computed at once (1024 tokens)"), \
        LM_FILE(0, "skip-ids", &(a).skip_ids, "FILE", \
                "documents, an id a line, that get weight 0"), \
        LM_ENUM(0, "loss", &(a).loss, "ce|sft", \
                "pretraining, or fine-tuning on marked answers (ce)"), \
        LM_REAL(0, "zloss", &(a).zloss, 0, 1, "F", \
                "weight of the squared log-sum-exp (1e-4; sft: 0)"), \
        LM_ENUM(0, "opt", &(a).opt, "muon|adamw|lion", \
                "optimiser (muon for hidden matrices, AdamW the rest; sft: adamw)"), \
        LM_REAL(0, "lr", &(a).lr, 0, 10, "F", "peak learning rate (3e-4; sft: 1e-5)"), \
        LM_STRING(0, "betas", &(a).betas, "B1,B2", "AdamW's moments (.9,.95); Lion's (.9,.99)"), \
        LM_REAL(0, "eps", &(a).eps, 1e-30, 1, "F", "AdamW's epsilon (1e-8)"), \
        LM_REAL(0, "wd", &(a).wd, 0, 10, "F", "weight decay of matrices (0.1)"), \
        LM_REAL(0, "clip", &(a).clip, 0, 1e9, "F", "bound of the gradient norm, 0 = none (1)"), \
        LM_STRING(0, "ema", &(a).ema, "off|B", \
                  "keep a moving average of the weights, decay B (off)"), \
        LM_STRING(0, "freeze", &(a).freeze, "REGEX", \
                  "leave the tensors whose name matches as they are"), \
        LM_NUM(0, "steps", &(a).steps, 1, 1ull << 40, "N", "steps in all"), \
        LM_NUM(0, "tokens", &(a).tokens, 1, 1ull << 60, "N", "or tokens in all"), \
        LM_REAL(0, "ratio", &(a).ratio, 1e-6, 1e9, "F", "or tokens a parameter (20)"), \
        LM_ENUM(0, "sched", &(a).sched, "wsd|cosine|linear|const", \
                "learning rate over time (wsd)"), \
        LM_STRING(0, "warmup", &(a).warmup, "N|N%", "steps of linear rise (1%)"), \
        LM_STRING(0, "decay", &(a).decay, "N|N%", "steps of the fall at the end of wsd (20%)"), \
        LM_ENUM(0, "dtype", &(a).dtype, "bf16|f32", \
                "of weights and products; masters are f32 (bf16)"), \
        LM_ENUM(0, "sum", &(a).sum, "chain|tile", \
                "order of the sums of bf16 products; tile: fast with AMX (chain)"), \
        LM_ENUM(0, "recompute", &(a).recompute, "auto|none|act|block", \
                "compute again instead of keeping: the least that fits (auto)"), \
        LM_STRING(0, "resume", &(a).resume, "auto|no|STEP", \
                  "go on from the newest checkpoint, none, or STEP"), \
        LM_STRING(0, "ckpt-every", &(a).ckpt_every, "N,T", \
                  "checkpoint after N steps or T s, m, h (1000,15m)"), \
        LM_NUM(0, "keep", &(a).keep, 1, 1 << 20, "N", "newest checkpoints kept (3)"), \
        LM_NUM(0, "major", &(a).major, 0, 1 << 20, "N", \
               "every N-th checkpoint is kept for ever, 0 = none (10)"), \
        LM_FLAG(0, "allow-drift", &(a).allow_drift, \
                "resume with another recipe, and record the change"), \
        LM_NUM(0, "eval-every", &(a).eval_every, 0, 1ull << 40, "N", \
               "validate every N steps, 0 = at the end (250)"), \
        LM_NUM(0, "stats", &(a).stats, 0, 2, "N", \
               "1: norms of groups of tensors, 2: a histogram of the gradient too (1)"), \
        LM_FILE(0, "peaks", &(a).peaks, "FILE", \
                "peaks that lm-bench measured: records tell the share reached"), \
        LM_FILE(0, "metrics", &(a).metrics, "FILE", "records to FILE or - (RUN/metrics.lm)"), \
        LM_FLAG(0, "tail", &(a).tail, "tell a person of each step on stderr")

/* o from a and the operands of the tool (SHARDS); o->run, jobs and verbose are left to the tool.
 *shards is to be freed. 0, or LM_EUSAGE. */
int lm_train_take(lm_train_opt *o, const lm_train_args *a, const char ***shards);

#endif
