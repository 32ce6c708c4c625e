/* xsort: external sort of byte strings within a memory bound: sorted runs in an unlinked temporary
   file, merged as often as the bound asks. */
#ifndef LM_XSORT_H
#define LM_XSORT_H
#include "base/base.h"

typedef struct lm_xsort lm_xsort;
/* mem: bytes to hold at once, at least 1 MiB. dir: for the temporary file (NULL = $TMPDIR or /tmp), made
   only when needed. Items come out by key, those of equal key by cmp (NULL = by bytes); equal ones in no order. */
lm_xsort *lm_xsort_new(size_t mem, const char *dir, int (*cmp)(void *ctx, lm_str a, lm_str b), void *ctx);
size_t lm_xsort_largest(const lm_xsort *x);        /* bytes an item may have */
/* The item is a then b, copied. 0, LM_EIO, LM_ELIMIT (larger than lm_xsort_largest). */
int lm_xsort_add(lm_xsort *x, uint64_t key, lm_str a, lm_str b);
int lm_xsort_next(lm_xsort *x, lm_str *item);      /* after the last add: 1, 0 at the end, <0; valid to the next call */
void lm_xsort_free(lm_xsort *x);

#endif
