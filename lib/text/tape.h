/* tape: bytes put aside one after the other, in memory and beyond that in a temporary file, and read back in
   that order, as often as wanted. */
#ifndef LM_TAPE_H
#define LM_TAPE_H
#include "base/base.h"

typedef struct lm_tape lm_tape;
/* *room: bytes of memory left, shared by tapes that point at the same number; files are made in $TMPDIR or /tmp. */
lm_tape *lm_tape_new(size_t *room);
int lm_tape_add(lm_tape *t, const void *p, size_t n);      /* 0 or LM_EIO */
uint64_t lm_tape_size(const lm_tape *t);
/* Gives f all of it in pieces; stops at an f < 0, which it returns. After the first call nothing may be added. */
int lm_tape_each(lm_tape *t, int (*f)(void *ctx, const void *p, size_t n), void *ctx);
void lm_tape_free(lm_tape *t);

#endif
