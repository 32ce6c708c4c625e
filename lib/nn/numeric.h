/* numeric: the values of tensors of any type as f64 and back, and distances between them. */
#ifndef LM_NN_NUMERIC_H
#define LM_NN_NUMERIC_H
#include "nn/st.h"
#include "par/par.h"

bool lm_dtype_float(int dt); /* F16, BF16, F32, F64 */
/* n values at src, which may lie at any address, as f64: whole numbers beyond 2^53 are rounded. */
void lm_wide_f64(int dt, const void *src, size_t n, double *out);
/* The same back to a float type, each rounded once, to nearest even; out: n values of dt. */
void lm_narrow_f64(int dt, const double *x, size_t n, void *out);

/* How far two tensors of one shape are apart. Both must be of one type, or of float types: the
   distance is then in units of the coarser one. */
typedef struct {
    bool bits;       /* one type, the same bytes */
    uint64_t differ; /* values that differ; two NaNs do not, nor do 0 and -0 */
    uint64_t ulp;    /* the greatest distance in units in the last place, of whole numbers in ones;
                        UINT64_MAX: a NaN on one side alone */
    double rel, cos; /* |a - b| / |a|, Euclidean; cosine of the angle between them */
} lm_distance;
/* The result does not depend on the threads of pool, which may be NULL. */
void lm_st_distance(const lm_st_tensor *a, const lm_st_tensor *b, lm_pool *pool, lm_distance *d);

#endif
