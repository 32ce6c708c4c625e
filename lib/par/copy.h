/* copy: what the two halves of lm_deal share: deal.c (the input, the output) and copy.c (the copies). */
#ifndef LM_COPY_H
#define LM_COPY_H
#include "par/deal.h"
#include "par/spawn.h"
#include <pthread.h>

typedef struct { size_t at; lm_buf line; } note;   /* at: byte of the answer it stands before */
typedef struct {
    lm_buf in, out;                                /* records as text */
    uint64_t n, b, on, ob;                         /* records and body bytes of in and out */
    note *notes;
    size_t nnotes, capnotes;
    bool seg, answered;                            /* seg: the input had a %seg behind it */
} batch;

struct pool;
typedef struct {
    struct pool *p;
    unsigned no;
    lm_child child;
    pthread_t feeder, reader;
    uint64_t next, asked;                          /* serials: to be fed next, to be answered next */
    uint64_t n, b;                                 /* fed so far */
    batch *cur;                                    /* the batch whose answer is being read */
    lm_in *in;
    pid_t group;
    bool ending;                                   /* its thread waits for it: not to be killed by others */
} copy;

typedef struct pool {
    pthread_mutex_t lock;
    pthread_cond_t change;
    const char *cmd;
    lm_out *out;
    lm_buf head, last;                             /* first lines for each copy; how its input ends, if not by %end */
    batch *ring;
    uint64_t size, made, sent;                     /* serials: read, written out */
    bool whole, stop;                              /* no more batches; something failed */
    int err;
    lm_error error;
    lm_buf abort;
    copy *copies;
    unsigned jobs;
    _Atomic unsigned yes;                          /* copies that ended with status 0 */
} pool;

void lm_deal_failed(pool *p, int err);             /* the stored error is the run's; all stop */
void *lm_copy_feed(void *copy);                    /* threads: batches to the copy, answers from it */
void *lm_copy_read(void *copy);

#endif
