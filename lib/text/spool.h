/* spool: pieces of bytes put aside in memory, and beyond a bound in a temporary file that has no name. */
#ifndef LM_SPOOL_H
#define LM_SPOOL_H
#include "base/base.h"

typedef struct lm_spool lm_spool;
/* dir: where the file is made when memory is spent; NULL = $TMPDIR or /tmp. *room: bytes of memory left,
   shared by spools that point at the same number. */
lm_spool *lm_spool_new(const char *dir, size_t *room);
/* Puts n bytes aside; *at names them. 0 or LM_EIO. */
int lm_spool_add(lm_spool *s, const void *p, size_t n, uint64_t *at);
int lm_spool_seal(lm_spool *s);                    /* once, after the last add and before the first get */
const char *lm_spool_get(const lm_spool *s, uint64_t at);          /* valid until the spool is freed */
/* What lies in the file from one name to another (in the order they were given) need not stay in memory. */
void lm_spool_drop(const lm_spool *s, uint64_t from, uint64_t to);
bool lm_spool_spilled(const lm_spool *s);
void lm_spool_free(lm_spool *s);

#endif
