/* stat: the statistics of scores: pass@k, standard errors, intervals, paired tests, corrections.
   Pure functions of their arguments; all randomness is keyed by the seed that is passed in. */
#ifndef LM_STAT_H
#define LM_STAT_H
#include "base/base.h"

/* The unbiased estimate of pass@k from n samples of which c passed (Chen et al. 2021, section
   2.1): 1 - C(n-c, k) / C(n, k), as a sum of logarithms. Needs c <= n and 1 <= k <= n. */
double lm_stat_passk(uint64_t n, uint64_t c, uint64_t k);

double lm_stat_mean(const double *x, size_t n);    /* 0 for n = 0 */
double lm_stat_se(const double *x, size_t n);      /* of the mean: sample deviation / sqrt(n); 0 for n < 2 */
/* SE of the mean when x[i] belongs to cluster g[i] in [0, groups): sums of residuals by cluster
   (Miller, arXiv 2411.00640, section 2.2). Equal to the plain formula without its n-1 for singletons. */
double lm_stat_se_cluster(const double *x, const uint32_t *g, size_t n, size_t groups);

double lm_stat_quantile(double p);           /* the normal quantile of p in (0, 1), |error| < 1e-9 */
double lm_stat_normal_cdf(double z);

/* Wilson's score interval of c successes in n trials at quantile z (1.96 for 95 %). */
void lm_stat_wilson(uint64_t c, uint64_t n, double z, double *lo, double *hi);
/* Percentile bootstrap interval of the mean over n items, `rounds` resamples, level 0 < conf < 1. */
void lm_stat_bootstrap(const double *x, size_t n, size_t rounds, uint64_t seed, double conf,
                       double *lo, double *hi);

/* Exact two-sided McNemar test: b and c discordant pairs; p of a fair coin. */
double lm_stat_mcnemar(uint64_t b, uint64_t c);
/* Two-sided sign-flip permutation test of mean(d) = 0. All 2^n flips when n <= 16, else `rounds`
   seeded ones with the add-one estimate (never 0). */
double lm_stat_signflip(const double *d, size_t n, size_t rounds, uint64_t seed);
/* Holm's step-down correction in place: p[i] becomes the adjusted p. */
void lm_stat_holm(double *p, size_t n);
/* The smallest true mean difference found with probability `power` at two-sided level alpha, given its SE. */
double lm_stat_resolves(double se, double alpha, double power);

#endif
