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
enum { LM_FIM_PSM, LM_FIM_SPM, LM_FIM_OFF };       /* OFF: no order, the suffix is not seen */
enum { LM_FIM_CHAR, LM_FIM_LINE, LM_FIM_TOKEN };
typedef struct {
    double rate, spm;                              /* share of the texts that are cut; of those, of SPM */
    int cut;                                       /* where: between characters, behind line ends, between tokens */
    uint64_t min_bytes, seed;                      /* shorter texts stay whole */
} lm_fim_opt;

/* Cuts text, by chance that depends on seed and the n values of key alone, and appends the parts to body and fim.
   off: where the tokens of text begin (LM_FIM_TOKEN). False, and nothing is appended: it stays whole. */
bool lm_fim_cut(const lm_fim_opt *o, const lm_str *key, size_t n, lm_str text, const lm_ids *off, lm_buf *body, lm_buf *fim);

typedef struct { lm_str pre, mid, suf; } lm_fim_text;
/* The next text of body that list (what is left of its fim=) cuts in three; *at: where in body list begins. Parts of
   other roles are gone past. 1; 0: none is left; LM_EINVALID: list does not fit the body, or mid does not follow pre and suf. */
int lm_fim_texts(lm_str body, lm_str *list, size_t *at, lm_fim_text *t);

/* Appends the ids of an infilling prompt, at most room (>= LM_FIM_MARKS, SIZE_MAX: all): of two sides longer than that
   the ids next to the middle stay, as many of each; what a short side leaves goes to the other.
   LM_EMISMATCH: the vocabulary lacks one of the three marks (named); LM_EINVALID as lm_vocab_encode. */
enum { LM_FIM_MARKS = 3 };
int lm_fim_layout(const lm_vocab *v, const uint32_t *left, size_t nleft, const uint32_t *right, size_t nright,
                  int order, size_t room, lm_ids *out);
/* The same of two texts, each encoded alone. */
int lm_fim_prompt(const lm_vocab *v, lm_str prefix, lm_str suffix, int order, size_t room, lm_ids *out);

#endif
