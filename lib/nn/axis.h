/* axis: the scale of one direction of a plot: its range and where the ticks are. */
#ifndef LM_AXIS_H
#define LM_AXIS_H
#include "base/base.h"

#define LM_TICKS 24
typedef struct { double lo, hi; bool log; size_t n; double tick[LM_TICKS]; } lm_axis;

/* Widens [lo, hi] to ticks at round numbers (1, 2, 5 times a power of ten), about `want` of them. */
void lm_axis_fit(lm_axis *a, double lo, double hi, bool log, unsigned want, bool widen);
double lm_axis_at(const lm_axis *a, double v);     /* 0 at lo, 1 at hi */
void lm_axis_label(const lm_axis *a, double v, char out[24]);      /* 0.5, 200, 15k, 3M, 1e-04 */

#endif
