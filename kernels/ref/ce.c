/* ce: cross-entropy over a row of logits with z-loss (Chowdhery et al. 2022), gradient in place.
   The sum of exponentials: blocks of 4096 in 16 lanes, blocks added in f64. */
#include "kernels/ref/real.h"

static lm_real ce(size_t v, lm_real *logit, uint32_t target, lm_real gw, lm_real z, bool grad,
                  lm_real *lse)
{
    lm_real top = logit[0], at = logit[target], c;
    double sum = 0;

    for (size_t i = 1; i < v; i++)
        top = logit[i] > top ? logit[i] : top;
    for (size_t b = 0; b < v; b += 4096) {
        lm_real acc[16] = {0};

        for (size_t i = b; i < v && i < b + 4096; i++) {
            lm_real e = rexp(logit[i] - top);

            if (grad)
                logit[i] = e;
            acc[i % 16] += e;
        }
        sum += lm_lanes(acc);
    }
    *lse = top + rlog(sum);
    if (grad) {
        c = gw * (1 + 2 * z * *lse) / (lm_real)sum;
        for (size_t i = 0; i < v; i++)
            logit[i] *= c;
        logit[target] -= gw;
    }
    return *lse - at;
}

LM_KERN(ref, ce)
{
    k->ce = ce;
}
