/* perm: the numbers below n in a keyed order, without a table. */
#ifndef LM_PERM_H
#define LM_PERM_H
#include "base/base.h"

/* A bijection of [0, n): 6-round Feistel network on ceil(log2 n) bits with cycle walking (Black and
   Rogaway 2002). Stateless: any index costs tens of nanoseconds. */
typedef struct { uint64_t n, key[6]; unsigned low, high; } lm_perm;
void lm_perm_key(lm_perm *p, uint64_t n, uint64_t key);     /* n >= 1 */
void lm_perm_init(lm_perm *p, uint64_t n, uint64_t seed, uint64_t epoch);   /* of K(seed, "epoch", epoch) */
uint64_t lm_perm_at(const lm_perm *p, uint64_t i);  /* i < n */

#endif
