/* infill: how likely a model finds the middle of a text, given both sides or the left one alone. */
#ifndef LM_NN_INFILL_H
#define LM_NN_INFILL_H
#include "nn/kv.h"
#include "text/fim.h"

typedef struct lm_infill lm_infill;
typedef struct {
    int order;    /* LM_FIM_PSM, LM_FIM_SPM: laid out by lm_fim_layout; LM_FIM_OFF: left to right */
    uint32_t ctx; /* ids a window */
    uint32_t step; /* ids of a middle scored in one window, at most ctx - 1 - LM_FIM_MARKS */
    uint32_t rows; /* windows at once; values do not depend on it */
    lm_pool *pool;
} lm_infill_opt;
/* m and enc stay the caller's. LM_EMISMATCH: enc's vocabulary lacks a mark or (PSM, SPM) an end
   token; LM_EDEVICE .. as lm_kv_new. */
int lm_infill_new(lm_infill **f, const lm_model *m, lm_enc *enc, const lm_infill_opt *o);
void lm_infill_free(lm_infill *f);

/* Sums over middles. logp: natural logarithm, of the ids of the middle; end: of the end token
   behind it (PSM, SPM). tokens, bytes: of the middle; ends: middles whose end is in `end`. */
typedef struct {
    double logp, end;
    uint64_t tokens, bytes, ends;
} lm_infill_sum;
/* Adds a middle to *sum: the counts now, logp and end once lm_infill_flush or a later call has run
   its windows; sum lives until then. Under PSM and SPM each part is encoded alone. Under OFF pre
   and mid are one text; of an id that begins in pre and ends in mid counts the chance among the ids
   that begin with those bytes of pre. A middle of more than step ids is scored in steps: what was
   scored is then the end of pre. LM_EINVALID as lm_enc_text, LM_ELIMIT (4 GiB), LM_EDEVICE (a loss
   that is no number). */
int lm_infill_add(lm_infill *f, const lm_fim_text *t, lm_infill_sum *sum);
int lm_infill_flush(lm_infill *f);

#endif
