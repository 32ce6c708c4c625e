/* fim: documents of several parts, and fill-in-the-middle: a text cut in three and put in another order. */
#ifndef LM_FIM_H
#define LM_FIM_H
#include "text/vocab.h"

/* A document's fim= names its parts in the order of the body: pre:120,suf:33,mid:40; also repo, file, text.
   Takes ROLE:LENGTH off the front of *list; false if that is not what stands there. */
bool lm_fim_next(lm_str *list, lm_str *role, uint64_t *len);
/* Appends ROLE:LENGTH. */
void lm_fim_add(lm_buf *list, const char *role, uint64_t len);

/* Bavarian et al. 2022 (2207.14255). PSM = pre prefix suf suffix mid middle; SPM = pre suf suffix mid prefix middle. */
enum { LM_FIM_PSM, LM_FIM_SPM };
enum { LM_FIM_CHAR, LM_FIM_LINE, LM_FIM_TOKEN };
typedef struct {
    double rate, spm;                              /* share of the texts that are cut; of those, of SPM */
    int cut;                                       /* where: between characters, behind line ends, between tokens */
    uint64_t min_bytes, seed;                      /* shorter texts stay whole */
} lm_fim_opt;

/* Cuts text, by chance that depends on seed and the n values of key alone, and appends the parts to body and fim.
   off: where the tokens of text begin (LM_FIM_TOKEN). False, and nothing is appended: it stays whole. */
bool lm_fim_cut(const lm_fim_opt *o, const lm_str *key, size_t n, lm_str text, const lm_ids *off, lm_buf *body, lm_buf *fim);

/* Appends the ids of an infilling prompt. LM_EMISMATCH: the vocabulary lacks one of the three tokens (named);
   LM_EINVALID as lm_vocab_encode. */
int lm_fim_prompt(const lm_vocab *v, lm_str prefix, lm_str suffix, int order, lm_ids *out);

#endif
