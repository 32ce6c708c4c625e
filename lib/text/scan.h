/* scan: cuts text into pretokens, the pieces inside which byte pairs are merged, as a pattern says. */
#ifndef LM_SCAN_H
#define LM_SCAN_H
#include "base/base.h"

/* The patterns known by name: Qwen2 (each digit alone), GPT-2, cl100k (digits by up to three). */
enum { LM_PRE_QWEN2, LM_PRE_GPT2, LM_PRE_CL100K, LM_PRE_COUNT };
extern const char *const lm_pre_name[LM_PRE_COUNT];        /* "qwen2", "gpt2", "cl100k" */
extern const char *const lm_pre_regex[LM_PRE_COUNT];       /* as tokenizer.json has them */

/* Writes the ends (offsets in p) of the pretokens that follow *from, at most cap; moves *from to the last.
   Returns how many: 0 at the end of the text only. Together they cover p[0, n), whatever the bytes: a byte
   that is not UTF-8 counts as a character of class Other. Time is linear in n over a whole text. */
size_t lm_scan(int pre, const char *p, size_t n, size_t *from, size_t *ends, size_t cap);

#endif
