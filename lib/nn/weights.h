/* weights: filling and converting arrays of weights. */
#ifndef LM_NN_WEIGHTS_H
#define LM_NN_WEIGHTS_H
#include "base/base.h"

/* n values of N(0, sd^2): element i is a function of (seed, name, i) alone. Philox 4x32-10 (Salmon
   et al. 2011) with a key hashed from seed and name and i/4 as its counter, then Box-Muller in f64
   by our own log, sine and cosine. */
void lm_normal(uint64_t seed, const char *name, size_t n, double sd, float *out);
void lm_round_bf16(size_t n, float *x);                       /* to the nearest bf16, in place */
void lm_widen(int dt, const void *src, size_t n, float *out); /* LM_F32, LM_BF16 or LM_F16 to f32 */
/* sin and cos of x, |x| < 2^30, within 2 ulp of f64, by fma alone: the same bits on every machine.
 */
void lm_sincos(double x, double *s, double *c);

#endif
