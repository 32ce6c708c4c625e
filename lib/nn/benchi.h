/* benchi: what the files of the bench share. */
#ifndef LM_BENCHI_H
#define LM_BENCHI_H
#include "nn/bench.h"
#include "nn/walk.h"

/* What a measurement calls again and again: tasks of a run. */
typedef struct {
    void (*f)(void *ctx, size_t i, unsigned thread);
    void *ctx;
    size_t tasks;
} lm_work;
/* Seconds of the fastest of the runs that fit into the time, not counting the first. */
double lm_bench_best(const lm_bench *b, const lm_work *w, lm_pool *pool);
float *lm_bench_noise(size_t n); /* numbers within half of 0; lm_free_huge of 4 n bytes */
/* A record with what it measures; level NULL: of no level and format. Then its figure, and out it goes. */
void lm_bench_begin(lm_rec *r, const char *what, const char *level, int fmt, unsigned threads);
int lm_bench_end(const lm_bench *b, lm_rec *r, const char *key, double v);

#endif
