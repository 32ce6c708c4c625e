/* par: threads. lm_map runs a function over records in any number of threads and keeps their order. */
#ifndef LM_PAR_H
#define LM_PAR_H
#include "cli/cli.h"
#include "par/box.h"

enum { LM_DROP = 0, LM_KEEP = 1 };
#define LM_JOBS 0                                  /* as many as -j said */

/* f returns LM_KEEP, LM_DROP or an error class; it may run in any thread and touches its record and
   atomics in ctx alone. Records not of the tool's types pass untouched. Output order = input order
   for any jobs. Returns 0 or an error class. out may be NULL: nothing is written. */
int lm_map(lm_in *in, lm_out *out, unsigned jobs, int (*f)(lm_rec *r, void *ctx), void *ctx);
/* The same for bodies of any size: a record of the tool's types whose body is over limit bytes is given to big in its
   turn, with no other under way, as lm_next_head leaves it: big reads the body by lm_body_read and writes what
   becomes of it to out; 0 or an error class. Other records as large pass in pieces. */
int lm_map_big(lm_in *in, lm_out *out, unsigned jobs, int (*f)(lm_rec *r, void *ctx), void *ctx, uint64_t limit,
               int (*big)(lm_in *in, lm_rec *r, uint64_t len, lm_out *out, void *ctx));
/* A zeroed block of this thread, the same at each call within one lm_map; fini (may be NULL) runs before it is freed. */
void *lm_local(size_t size, void (*fini)(void *));

/* A pool for loops: f(ctx, i, thread) for i in [0, n), dealt out dynamically; returns when all are done.
   With jobs 1 or no pool it is a plain loop. The result must not depend on which thread runs i. */
typedef struct lm_pool lm_pool;
lm_pool *lm_pool_new(unsigned threads);            /* threads counts the caller */
unsigned lm_pool_size(const lm_pool *p);
void lm_pool_run(lm_pool *p, size_t n, void (*f)(void *ctx, size_t i, unsigned thread), void *ctx);
void lm_pool_free(lm_pool *p);

#endif
