/* traini: what the files of the trainer share. */
#ifndef LM_TRAINI_H
#define LM_TRAINI_H
#include "nn/train.h"
#include "nn/bench.h"
#include "nn/runlog.h"
#include "par/par.h"

/* Settings as text, in a fixed order: what a checkpoint remembers and a resume compares. */
typedef struct { char key[24], *val; } lm_setting;
typedef struct { lm_setting v[32]; size_t n; } lm_settings;

typedef struct {
    const lm_train_opt *o;
    lm_model *m;
    lm_nn *nn;
    lm_pool *pool;
    lm_in *in;                                     /* of a stream */
    lm_data *data, *val;
    lm_dict skip;
    bool *frozen;                                  /* [m->nt]; NULL: none */
    char vocab[33];                                /* "" : the model has no tokenizer */
    lm_settings recipe, sched;                     /* may not, and may, change on resume */
    uint64_t seq, micro, rows, steps, warm, decay; /* rows: of a step */
    uint64_t step, samples;                        /* done */
    char run[33], parent[33], bhash[17];           /* run ids; hash of the last batch */
    const char *tok;                               /* directory of the tokenizer's files; NULL none */
    lm_buf from;                                   /* directory the weights come from */
    bool resumed;
    lm_runlog metrics, ledger;
    uint64_t saved;                                /* step of the last checkpoint, UINT64_MAX none */
    double saved_at, began, told_at;
    lm_peaks peaks;                                /* 0: not known */
    bool save_failed, owed;                        /* owed: the validation of the step resumed from */
    bool passed;                                   /* a step without any weight was warned of */
    uint64_t began_step;
    uint32_t *ids, *tgt, *start, *end;             /* a micro-batch */
    uint8_t *w;
    bool *prefixed;                                /* a flag a row of it: end counts */
    double *row_loss;
    uint64_t *row_weight;
    float *rowlog;                                 /* rows x 2: loss sum, weight */
    void *batch;                                   /* where these lie */
    size_t batch_bytes;
    bool dry;                                      /* a plan alone: a stream is left unread */
} lm_trainer;

/* trainplan.c */
/* Of a trainer that has its model: data, rows, steps, schedule, frozen tensors, threads; *n: what t->nn is to be made
   with, but for recompute. */
int lm_trainer_prepare(lm_trainer *t, lm_nn_opt *n);
void lm_trainer_batch(lm_trainer *t);              /* takes t->batch */
void lm_trainer_free(lm_trainer *t);               /* what it holds, but for the logs */

/* trainfit.c */
int lm_trainer_freeze(lm_trainer *t);              /* t->frozen from o->freeze; LM_EUSAGE: a bad pattern, or all or no tensor */
typedef struct {
    size_t need, part[LM_PARTS];                   /* bytes of the arena, and what for */
    uint64_t may, room;                            /* what all may take; of that, beyond masters and batch, the arena */
    bool fits;
    int recompute;                                 /* where it does not fit: of the smallest change that does, .. */
    uint32_t rows;                                 /* .. 0: there is none */
    size_t bytes;
} lm_fit;
/* n->recompute by o->recompute: as it says, or the least that fits in `all` bytes of memory (0: of this process), of
   which a tenth is left to all else. 0 though it may not fit, or the errors of lm_nn_need. */
int lm_trainer_fit(const lm_trainer *t, lm_nn_opt *n, uint64_t all, lm_fit *f);
/* t->nn by *n, and t->batch. LM_EMEM: does not fit, and what would is named. */
int lm_trainer_nn(lm_trainer *t, lm_nn_opt *n);
int lm_trainer_marked(const lm_trainer *t);        /* LM_EINVALID: sft, but none of the data read says weights */

/* trainstate.c */
void lm_settings_add(lm_settings *s, const char *key, const char *fmt, ...) LM_PRINTF(3, 4);
void lm_settings_f64(lm_settings *s, const char *key, double v);
void lm_settings_free(lm_settings *s);
void lm_trainer_recipe(lm_trainer *t);
void lm_trainer_state(const lm_trainer *t, lm_buf *out);           /* state.json */
/* Reads DIR/state.json into step, samples, parent. LM_EINVALID; LM_EMISMATCH where the recipe differs
   and o->allow_drift is off, else the differences are recorded by events. */
int lm_trainer_recall(lm_trainer *t, const char *dir, lm_buf *drift);
void lm_trainer_run_id(lm_trainer *t);

/* trainlog.c */
int lm_trainer_logs(lm_trainer *t);
void lm_trainer_event(lm_trainer *t, const char *event, const char *key, const char *val);
void lm_trainer_flush(lm_trainer *t);
typedef struct {
    double loss, z, gnorm, lr, ms, ms_data, ms_model, ms_opt;
    uint64_t weight;                               /* 0: nothing was updated */
} lm_stepfacts;
void lm_trainer_begin(lm_rec *r, const lm_trainer *t, const char *kind);   /* a metric record of this step */
void lm_trainer_step_record(lm_trainer *t, const lm_stepfacts *f);
typedef struct {
    double loss, bpb, ema_loss, ms;                /* bpb 0: not known */
    uint64_t weight;
    bool has_ema;
} lm_valfacts;
void lm_trainer_val_record(lm_trainer *t, const lm_valfacts *f);
void lm_trainer_sys_record(lm_trainer *t);
void lm_trainer_tail(lm_trainer *t, const lm_stepfacts *f, bool last);
bool lm_trainer_has_val(const char *metrics, uint64_t step);       /* is there a val record of this step? */

/* trainstats.c */
bool lm_trainer_stats_due(const lm_trainer *t, uint64_t step);     /* does --stats want norms of this step? */
void lm_trainer_stats(lm_trainer *t);              /* layer and hist records of the step that is done, if they are due */

/* trainloop.c */
int lm_trainer_loop(lm_trainer *t);

#endif
