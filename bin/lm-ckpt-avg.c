/* lm-ckpt-avg: make one model of several: their mean, weighted mean or moving average.
   Apart from lm-train: nothing is learned, and any family of models will do. */
#include "lm.h"
#include <math.h>

static const char *weights;
static double ema;
static const lm_opt opts[] = {LM_STRING(0, "weights", &weights, "W1,W2,..",
                                        "a weight for each DIR (all alike)"),
                              LM_REAL(0, "ema", &ema, 1e-6, 0.999999, "B",
                                      "moving average: B of what came before, 1-B of each DIR"),
                              LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-ckpt-avg",
                             .does = "average models of one shape",
                             .args = "DIR...",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_FILES | LM_PAR};

/* --weights into w[0..n); their sum, by which all is divided. */
static int parse(double *w, size_t n, double *sum)
{
    const char *p = weights;
    size_t k = 0;

    *sum = 0;
    for (;; p++) {
        size_t len = strcspn(p, ",");

        if (k == n)
            return lm_err(LM_EUSAGE, "--weights %s: more than the %zu directories", weights, n);
        if (!lm_parse_f64((lm_str){p, len}, &w[k]) || !isfinite(w[k]))
            return lm_err(LM_EUSAGE, "--weights %s: number %zu is none", weights, k + 1);
        *sum += w[k++];
        p += len;
        if (!*p)
            break;
    }
    if (k < n)
        return lm_err(LM_EUSAGE, "--weights %s: %zu for %zu directories", weights, k, n);
    if (*sum == 0 || !isfinite(*sum))
        return lm_err(LM_EUSAGE, "--weights %s: their sum must be a number and not 0", weights);
    return 0;
}

static int run(lm_in *in, lm_out *out)
{
    size_t n = lm_nargs();
    double *w = lm_zalloc(n, sizeof *w), sum = (double)n, left = 1;
    const char **dir = lm_zalloc(n, sizeof *dir);
    lm_pool *pool = NULL;
    int err = 0;

    (void)in;
    (void)out;
    for (size_t i = n; i-- > 0;) {
        dir[i] = lm_arg(i).p;
        w[i] = ema > 0 ? (i ? 1 - ema : 1) * left : 1;
        left *= ema;
    }
    if (ema > 0)
        sum = 1; /* so the weights add up to */
    if (!lm_common.out)
        err = lm_err(LM_EUSAGE, "-o DIR is needed");
    else if (weights && ema > 0)
        err = lm_err(LM_EUSAGE, "--weights and --ema at once");
    else if (weights)
        err = parse(w, n, &sum);
    if (!err) {
        pool = lm_pool_new(lm_jobs());
        err = lm_model_average(dir, n, w, sum, lm_common.out, pool);
        lm_pool_free(pool);
    }
    free(w);
    free(dir);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
