/* fimprompt: the ids of an infilling prompt. */
#ifndef LM_FIMPROMPT_H
#define LM_FIMPROMPT_H
#include "text/vocab.h"

/* Bavarian et al. 2022 (2207.14255). PSM = pre prefix suf suffix mid; SPM = pre suf suffix mid
 * prefix. */
enum { LM_FIM_PSM, LM_FIM_SPM };
/* Appends them. LM_EMISMATCH: the vocabulary lacks one of the three tokens (named); LM_EINVALID as
 * lm_vocab_encode. */
int lm_fim_prompt(const lm_vocab *v, lm_str prefix, lm_str suffix, int order, lm_ids *out);

#endif
