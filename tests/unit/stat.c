/* Unit tests of lib/base/stat: each figure was worked out apart from the code. */
#include "base/stat.h"
#include <math.h>

static int tests, bad;

static void near(double got, double want, double tol, const char *what)
{
    bool ok = fabs(got - want) <= tol;

    tests++;
    bad += !ok;
    printf("%sok %d - %s\n", ok ? "" : "not ", tests, what);
    if (!ok)
        printf("# got %.17g, want %.17g\n", got, want);
}

/* 1 - C(n-c, k) / C(n, k) as a plain product in long double. */
static double product(int n, int c, int k)
{
    long double p = 1;

    if (n - c < k)
        return 1;
    for (int i = n - c + 1; i <= n; i++)
        p *= 1 - (long double)k / i;
    return (double)(1 - p);
}

int main(void)
{
    double worst = 0, lo, hi, x[4] = {0, 1, 1, 0}, y[20], h[4] = {.01, .04, .03, .005};
    uint32_t one[4] = {0, 1, 2, 3}, two[4] = {0, 1, 1, 0};

    for (int n = 1; n <= 200; n++)
        for (int c = 0; c <= n; c++)
            for (int k = 1; k <= n; k++) {
                double d =
                    fabs(lm_stat_passk((uint64_t)n, (uint64_t)c, (uint64_t)k) - product(n, c, k));
                worst = d > worst ? d : worst;
            }
    near(worst, 0, 1e-12, "pass@k equals the product for all n <= 200, c, k");
    near(lm_stat_passk(6, 3, 1), .5, 1e-15, "3 of 6 give pass@1 = 0.5");
    near(lm_stat_mean(x, 4), .5, 0, "mean");
    near(lm_stat_se(x, 4), sqrt(1.0 / 3 / 4), 1e-15, "standard error");
    near(lm_stat_se(x, 1), 0, 0, "one value has no standard error");
    near(lm_stat_se_cluster(x, one, 4, 4), .25, 1e-15, "clusters of one");
    near(lm_stat_se_cluster(x, two, 4, 2), sqrt(2.0) / 4, 1e-15, "two opposite clusters");
    near(lm_stat_quantile(.975), 1.9599639845400545, 1e-9, "normal quantile .975");
    near(lm_stat_quantile(.2), -0.8416212335729143, 1e-9, "normal quantile .2");
    near(lm_stat_quantile(1e-12), -7.034483825301132, 1e-7, "normal quantile 1e-12");
    lm_stat_wilson(5, 10, 1.959964, &lo, &hi);
    near(lo, .236593, 1e-6, "Wilson low, 5 of 10");
    near(hi, .763407, 1e-6, "Wilson high, 5 of 10");
    lm_stat_wilson(0, 10, 1.959964, &lo, &hi);
    near(lo, 0, 0, "Wilson low, 0 of 10");
    near(hi, .277533, 1e-6, "Wilson high, 0 of 10");
    near(lm_stat_mcnemar(0, 0), 1, 0, "McNemar without discordant pairs");
    near(lm_stat_mcnemar(1, 9), .021484375, 1e-12, "McNemar 1 against 9");
    near(lm_stat_mcnemar(5, 5), 1, 0, "McNemar of equals");
    for (int i = 0; i < 20; i++)
        y[i] = 1;
    near(lm_stat_signflip(y, 5, 0, 0), 2.0 / 32, 1e-15, "all 2^5 sign flips");
    near(lm_stat_signflip(y, 20, 9999, 0), 1e-4, 1e-12, "sampled sign flips are never 0");
    lm_stat_holm(h, 4);
    near(h[3], .02, 1e-15, "Holm: smallest times 4");
    near(h[0], .03, 1e-15, "Holm: next times 3");
    near(h[2], .06, 1e-15, "Holm: next times 2");
    near(h[1], .06, 1e-15, "Holm: never below the one before");
    for (int i = 0; i < 20; i++)
        y[i] = i % 2;
    lm_stat_bootstrap(y, 20, 10000, 0, .95, &lo, &hi);
    near(lo, .5 - .22, .06, "bootstrap low of a fair coin");
    near(hi, .5 + .22, .06, "bootstrap high of a fair coin");
    lm_stat_bootstrap(y, 20, 10000, 0, .95, &worst, &hi);
    near(worst, lo, 0, "the same seed, the same interval");
    near(lm_stat_resolves(1, .05, .8), 2.8015852, 1e-6, "power: 2.80 standard errors");
    printf("1..%d\n", tests);
    return bad != 0;
}
