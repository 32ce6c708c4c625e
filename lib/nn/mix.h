/* mix: several sets of rows as one, in exact shares, without an index. */
#ifndef LM_MIX_H
#define LM_MIX_H
#include "nn/perm.h"

/* Samples come in strata of LM_STRATUM, each with the same number of every set, in an order of its own. */
enum { LM_STRATUM = 4096 };
typedef struct {
    size_t sets;
    uint32_t *quota, *base;                        /* of a stratum; base[sets] = LM_STRATUM */
    uint64_t seed, stratum;                        /* whose order perm is */
    lm_perm perm;
} lm_mix;

/* Reads n numbers with commas between them; *w is the caller's to free. LM_EUSAGE. */
int lm_mix_parse(const char *s, size_t n, double **w);
/* Quotas by largest remainder, of equals the earlier set. LM_EUSAGE: a weight that is not positive and finite, or a
   share so small (under about 1 / (2 LM_STRATUM)) that its quota is 0. lm_mix_free frees what *m holds. */
int lm_mix_init(lm_mix *m, const double *weight, size_t sets, uint64_t seed);
void lm_mix_free(lm_mix *m);
/* The set that sample number c is of, and its number among that set's samples: each number once, from 0. O(log sets). */
size_t lm_mix_at(lm_mix *m, uint64_t c, uint64_t *index);

#endif
