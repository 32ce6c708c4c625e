/* refmerge: merging byte pairs by what it means, whatever says which pairs merge and how early. For proofs and
   converters; the encoder has faster ways (vocab-merge.c). */
#ifndef LM_REFMERGE_H
#define LM_REFMERGE_H
#include "base/base.h"

/* The rank of the pair (left, right), whose bytes are both; SIZE_MAX: it does not merge. *to: what it makes. */
typedef size_t lm_ref_rank(const void *ctx, uint32_t left, uint32_t right, lm_str both, uint32_t *to);
typedef struct { struct lm_ref_part *part; size_t n, cap; } lm_ref;        /* {0} is empty; the n ids that are left */
/* Starts from the ids of single bytes and merges the pair of least rank, the leftmost of equals, until none merges
   or `least` are left. Returns how many are left; quadratic in word.n. 0: a byte has no id (byte[b] = UINT32_MAX). */
size_t lm_ref_merge(lm_ref *m, lm_str word, const uint32_t byte[256], size_t least, lm_ref_rank *rank,
                    const void *ctx);
uint32_t lm_ref_id(const lm_ref *m, size_t i);
void lm_ref_free(lm_ref *m);

#endif
