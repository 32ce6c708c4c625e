/* spin: multiply-adds that wait for no memory: what they reach is the peak of the level. */
#include "kernels/ref/real.h"

enum { CHAINS = 8 };

static double spin(int fmt, size_t n, lm_real *sum)
{
    volatile lm_real one = 1, step = (lm_real)0x1p-10; /* read once, unknown to the compiler */
    lm_real a = one, b = step, acc[CHAINS], s = 0;

    (void)fmt;
    for (int i = 0; i < CHAINS; i++)
        acc[i] = (lm_real)i;
    for (size_t k = 0; k < n; k++)
        for (int i = 0; i < CHAINS; i++)
            acc[i] = rfma(a, b, acc[i]);
    for (int i = 0; i < CHAINS; i++)
        s += acc[i] - (lm_real)i;
    *sum = s / CHAINS;
    return 2.0 * CHAINS * (double)n;
}

LM_KERN(ref, spin)
{
    k->spin = spin;
}
