/* train: the training of one process: steps, validation, checkpoints, resume, records. */
#ifndef LM_TRAIN_H
#define LM_TRAIN_H
#include "nn/ckpt.h"
#include "nn/data.h"

typedef struct {
    const char *model, *run;                       /* MODEL directory, RUN directory */
    const char *const *shards; size_t nshards;     /* folders or shards, or "-" alone: a stream */
    const char *mix;                               /* a weight for each of them, as lm_mix_parse takes it; NULL: one set */
    const char *const *val; size_t nval;
    uint64_t seq, seed, batch_tokens, micro;       /* seq, micro 0: the defaults */
    const char *shuffle;                           /* as lm_order_parse takes it */
    bool plain;                                    /* documents of a row see each other */
    const char *skip_ids;                          /* file of document ids of weight 0; may be NULL */
    bool sft;                                      /* data must have weights: they tell what is to be learnt */
    int opt;                                       /* LM_OPT_* */
    double zloss, lr, beta1, beta2, eps, wd, clip;
    double ema;                                    /* decay of the average of the weights; 0: none */
    const char *freeze;                            /* PCRE2: tensors whose name it finds are left as they are; NULL: none */
    uint64_t steps, tokens; double ratio;          /* the first that is not 0 */
    int sched;                                     /* LM_SCHED_* */
    const char *warmup, *decay;                    /* steps, or a share of all as "5%" */
    int dt;                                        /* LM_BF16 or LM_F32 */
    int sum;                                       /* LM_SUM_*; tile with LM_BF16 alone */
    const char *resume;                            /* "auto", "no", or a step in digits */
    uint64_t ckpt_steps; double ckpt_seconds;      /* whichever comes first; 0: not by this */
    uint64_t keep, major, eval_every;
    int stats;                                     /* 0: step records alone; 1: layer too; 2: hist too */
    int recompute;                                 /* LM_RECOMPUTE_*; -1: the least that fits in memory */
    bool allow_drift, tail, verbose;
    const char *peaks;                             /* file of lm-bench, or NULL: no mfu= */
    const char *metrics;                           /* file, "-" or NULL: RUN/metrics.lm */
    unsigned jobs;
} lm_train_opt;

/* Trains. 0 done; LM_EAGAIN stopped by a signal, checkpoint written; LM_EDIVERGED; or an error class.
   Takes SIGTERM, SIGINT, SIGUSR1 (finish the step, checkpoint, stop; again: stop at once) and SIGUSR2. */
int lm_train(const lm_train_opt *o);

/* What lm_train would do with o and what that takes; bytes, unless said. */
typedef struct {
    const char *family;
    size_t params, trained;                        /* trained: of tensors that are not frozen */
    uint64_t seq, micro, batches;                  /* tokens a row, rows a micro-batch, micro-batches a step */
    uint64_t batch_tokens, steps, warm, fall;      /* the rate is full from step warm + 1 on; falls behind step `fall` */
    uint64_t rows, data_tokens;                    /* of SHARDS; 0: none, or a stream */
    size_t masters, part[LM_PARTS], arena, batch;  /* f32 weights; the arena and what for; rows read */
    int recompute;                                 /* LM_RECOMPUTE_* */
    uint64_t room;                                 /* for all of it */
    bool fits;
    int fit_recompute; uint32_t fit_micro;         /* if not: of the smallest change that does; fit_micro 0: none does */
    size_t fit_bytes;
    uint64_t ckpt, ckpts;                          /* weights and state of a checkpoint; how many there are at most */
    double flops, again, update;                   /* FLOPs a token; of them computed again; of products a step, Muon's */
    bool timed;                                    /* o->peaks was given */
    double tps, seconds;                           /* tokens a second, seconds of all steps */
} lm_train_facts;
/* Only config.json and tokenizer of o->model are read, and the heads of its shards; o->run, resume and outputs do not
   matter. mem: bytes that the process may have, of which nine tenths are used; 0: what this one has. ranks: processes
   that share the micro-batches of a step. The errors of lm_train before its first step, but for LM_EMEM: f->fits. */
int lm_train_plan(const lm_train_opt *o, uint64_t mem, unsigned ranks, lm_train_facts *f);

#endif
