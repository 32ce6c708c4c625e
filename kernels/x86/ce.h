/* ce: cross-entropy of a row over v16; bits of ref/ce.c. */
#include "kernels/x86/v16.h"

static float ce(size_t v, float *logit, uint32_t target, float gw, float z, bool grad, float *lse)
{
    float top, at = logit[target];
    v16 m = v_set(logit[0]), c;
    double sum = 0;
    size_t i = 0;

    for (; i + 16 <= v; i += 16)
        m = v_max(m, v_load(logit + i));
    top = v_top(m);
    for (; i < v; i++)
        top = logit[i] > top ? logit[i] : top;
    for (size_t b = 0; b < v; b += 4096) {
        size_t n = v - b < 4096 ? v - b : 4096, j = 0;
        v16 acc = v_zero(), e;

        for (; j + 16 <= n; j += 16) {
            e = v_exp(v_sub(v_load(logit + b + j), v_set(top)));
            if (grad)
                v_store(logit + b + j, e);
            acc = v_add(acc, e);
        }
        if (j < n) {
            float part[16] = {0};

            e = v_exp(v_sub(v_loadn(logit + b + j, n - j), v_set(top)));
            v_storen(part, n - j, e); /* the lanes beyond the row count as zero */
            if (grad)
                v_storen(logit + b + j, n - j, e);
            acc = v_add(acc, v_load(part));
        }
        sum += v_sum(acc);
    }
    *lse = top + (float)lm_log1(sum);
    if (grad) {
        c = v_set(gw * (1 + 2 * z * *lse) / (float)sum);
        EACH16 (j, n, v)
            v_storen(logit + j, n, v_mul(v_loadn(logit + j, n), c));
        logit[target] -= gw;
    }
    return *lse - at;
}
