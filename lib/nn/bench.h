/* bench: what this machine can do at most, as records kind=peak for lm-train --peaks and for people.
   A record tells what=, and of processor work level=, fmt=, threads= and gflops=; best of the
   repeats that fit into the time given, at least one after a first that does not count. */
#ifndef LM_BENCH_H
#define LM_BENCH_H
#include "nn/step.h"
#include "par/par.h"

typedef struct {
    lm_out *out;
    lm_pool *pool;  /* all threads; what is measured on one goes without */
    bool best;      /* of products and attention the best level alone */
    double seconds; /* for each figure */
    const uint64_t *size; /* of square products and depths */
    size_t nsize;
    uint64_t vocab; /* columns of the head's product */
    uint64_t bytes; /* of copies, sums and the file */
    const char *dir; /* of the file; NULL: $TMPDIR or /tmp */
} lm_bench;

/* For each level up to that of LM_DEVICE, or that one alone with best or where it is forced. 0 or an error class. */
int lm_bench_gemm(const lm_bench *b); /* what=fma: registers alone; what=gemm: m, n, k, share= of fma */
int lm_bench_attn(const lm_bench *b); /* what=attn pass=fwd, bwd: causal, seq, hd, heads; share= */
/* Memory: gbs=, 10^9 bytes read and written a second. */
int lm_bench_copy(const lm_bench *b);   /* what=copy: memcpy */
int lm_bench_reduce(const lm_bench *b); /* what=reduce: y = x + y of f32 */
int lm_bench_disk(const lm_bench *b);   /* what=disk: gbs= of a new file until fsync is done */

/* FLOPs of a token of training in rows of seq, forward and backward: 6 N + 6 L d seq, the causal half of
   attention counted; N: parameters, once each, without positions and without an input embedding that
   is not the head too; d: heads x head_dim. */
double lm_model_flops(const lm_model *m, uint64_t seq);
/* FLOPs of a token that training by *o does a second time, products and attention. */
void lm_model_again(const lm_model *m, const lm_nn_opt *o, double *products, double *attn);
double lm_muon_flops(const lm_model *m, const lm_nn_opt *o); /* of an update; 0 without Muon */

/* Peaks for a training: the fastest fma and gemm of the format on `threads` threads, in GFLOP/s; where
   there is none of so many, those of one thread times threads. attn: of attention, forward and backward; 0: not
   measured. 0, or LM_EIO .., LM_EMISSING: the file has no such records of products. */
typedef struct {
    double fma, gemm, attn[2];
} lm_peaks;
int lm_peaks_read(lm_peaks *p, const char *file, bool bf16, int sum, unsigned threads);

#endif
