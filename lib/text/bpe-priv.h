/* bpe-priv: what learning merges is made of; for the bpe*.c files alone. */
#ifndef LM_BPE_PRIV_H
#define LM_BPE_PRIV_H
#include "text/bpe.h"

enum { LM_BPE_HEAD = 3 };                          /* of a word in lm_bpe_words: symbols left, count low, count high */
#define LM_BPE_NONE UINT32_MAX

/* A pair: key = left << 32 | right. Its words: 0 none, ONE | place for a single one, else 1 + where in the pool
   their number and places stand, in rising order. Words it has left since may still be there. */
typedef struct { uint64_t key; int64_t count; uint64_t words; } lm_bpe_pair;
#define LM_BPE_ONE (1ull << 63)

typedef struct {
    lm_bpe_pair *pair; size_t n, cap;
    uint64_t *slot; size_t used; unsigned bits;    /* open table: a hash's upper half, and number + 1 below; 0 = free */
    uint32_t *pool; size_t npool, cappool;
} lm_bpe_pairs;

void lm_bpe_pairs_new(lm_bpe_pairs *p, size_t expect);
void lm_bpe_pairs_free(lm_bpe_pairs *p);
uint32_t lm_bpe_find(const lm_bpe_pairs *p, uint64_t key);         /* LM_BPE_NONE if there is none */
void lm_bpe_pair_add(lm_bpe_pairs *p, lm_bpe_pair pair);           /* its key must be new */
void lm_bpe_prefetch(const lm_bpe_pairs *p, uint64_t key);
/* The places of a pair's words, *one holds a single one; valid until the pool grows. */
const uint32_t *lm_bpe_list(const lm_bpe_pairs *p, uint64_t words, uint32_t *one, size_t *n);
uint32_t *lm_bpe_list_new(lm_bpe_pairs *p, size_t n, uint64_t *words);     /* room for n > 1 places */

/* Counts the pairs of neighbouring bytes of all words; symbols become ids. */
void lm_bpe_count(lm_bpe_words *w, const uint32_t id[256], lm_pool *pool, lm_bpe_pairs *p);

/* What one merge did: for each neighbour of the new symbol how often, and the words. side 0: on the left. */
typedef struct { uint32_t side, id; int64_t times; uint64_t words; } lm_bpe_side;
typedef struct lm_bpe_walk lm_bpe_walk;
lm_bpe_walk *lm_bpe_walk_new(lm_pool *pool);
void lm_bpe_walk_free(lm_bpe_walk *k);
/* Merges left right to made in the given words of a list (as lm_bpe_pair has it); ids: symbols there are by now.
   The sides live until the next call. */
size_t lm_bpe_walk_words(lm_bpe_walk *k, lm_bpe_words *w, lm_bpe_pairs *p, uint64_t list, const uint32_t merge[3],
                         size_t ids, const lm_bpe_side **sides);

#endif
