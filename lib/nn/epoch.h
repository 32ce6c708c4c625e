/* epoch: the order in which the rows of a set come, epoch after epoch, without an index. */
#ifndef LM_EPOCH_H
#define LM_EPOCH_H
#include "nn/perm.h"

enum { LM_ORDER_FULL, LM_ORDER_NONE, LM_ORDER_BLOCK };
typedef struct { int kind; uint64_t block, era; } lm_order;        /* of LM_ORDER_BLOCK: bytes of tokens a block, blocks an era */
/* full, none, block or block:SIZE,BLOCKS (2M,1024). LM_EUSAGE. */
int lm_order_parse(const char *s, lm_order *o);

/* Order full permutes all rows of an epoch. Order block permutes blocks of rows, takes an era of so many of them at a
   time and permutes the rows of the era: for disks that are slow to seek; a last block that is not whole stays in the
   last era. Each a bijection, and any place of it found at once. */
typedef struct {
    lm_order o;
    uint64_t rows, per, seed;                      /* per: rows a block */
    uint64_t epoch, era;                           /* whose orders perm and inner are */
    lm_perm perm, inner;
} lm_epochs;
void lm_epochs_init(lm_epochs *e, const lm_order *o, uint64_t rows, uint64_t row_bytes, uint64_t seed); /* rows >= 1 */
uint64_t lm_epochs_at(lm_epochs *e, uint64_t sample);              /* the row of sample 0, 1, ..; epoch e is [e rows, (e + 1) rows) */

#endif
