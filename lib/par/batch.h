/* batch: records read together, worked on together, written together; what lm_map deals in. Not for others. */
#ifndef LM_PAR_BATCH_H
#define LM_PAR_BATCH_H
#include "par/par.h"

/* One record, as places in the bytes that were read; or a note, in the batch's notes. */
struct lm_item {
    size_t at, n, ntype, attrs, nattrs, nbody;
    uint64_t seq, off;
    const char *file;
    bool note;
};
/* A stretch of output. */
enum { LM_SEG_READ, LM_SEG_MADE, LM_SEG_NOTE };
struct lm_seg {
    int src;
    size_t at, n;
    uint64_t recs, body;
};

struct lm_batch {
    struct lm_batch *next;     /* of those that are free */
    void *owner;               /* the thread whose it is */
    bool ready;                /* worked on */
    bool flush;                /* the reader was about to wait: show what there is */
    const char *from;          /* the first record; the others follow */
    lm_buf in;                 /* the memory from lies in, unless that is the reader's still */
    lm_buf notes, out, rej;
    uint64_t rejs, rejbody;
    struct lm_item *item;
    struct lm_seg *seg;
    size_t items, capitem, segs, capseg;
    int err;                   /* the record after the last one done failed */
    lm_error error;
};

void lm_batch_clear(struct lm_batch *b);           /* keeps its memory, within reason */
void lm_batch_free(struct lm_batch *b);
void lm_batch_add(struct lm_batch *b, const lm_rec *r);            /* the next record; its bytes are not copied */
void lm_batch_note(struct lm_batch *b, lm_str line);
void lm_batch_keep(struct lm_batch *b);            /* copies the bytes of its records */
/* f over its records as lm_map says, by means of r, until one fails. */
void lm_batch_run(struct lm_batch *b, int (*f)(lm_rec *r, void *ctx), void *ctx, lm_rec *r);
int lm_batch_write(struct lm_batch *b, lm_out *out);               /* what came of it; out NULL: rejects alone. Its error, or of writing */

#endif
