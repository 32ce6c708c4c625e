/* sched: the learning rate of a step. */
#include "nn/step.h"
#include "nn/weights.h"
#include <math.h>

double lm_sched(int kind, double lr, uint64_t t, uint64_t n, uint64_t warm, uint64_t decay)
{
    double x, s, c;

    if (t < warm)
        return lr * (double)(t + 1) / (double)(warm + 1);
    if (kind == LM_SCHED_CONST || t >= n)
        return kind == LM_SCHED_CONST ? lr : 0;
    if (kind == LM_SCHED_WSD) {
        if (decay > n - warm)
            decay = n - warm;
        return t < n - decay ? lr : lr * (1 - sqrt((double)(t - (n - decay)) / (double)decay));
    }
    x = (double)(t - warm) / (double)(n - warm);
    if (kind == LM_SCHED_LINEAR)
        return lr * (1 - x);
    lm_sincos(x * 3.14159265358979323846, &s, &c);
    return lr * 0.5 * (1 + c);
}
