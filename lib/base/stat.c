#include "base/stat.h"
#include <math.h>

double lm_stat_passk(uint64_t n, uint64_t c, uint64_t k)
{
    double s = 0, lo = 0;

    if (c == 0)
        return 0;
    if (n - c < k)
        return 1;
    /* C(n-c,k)/C(n,k) = prod_{i<k} (n-c-i)/(n-i) = prod_{i=n-c+1..n} (1 - k/i): take the shorter.
     */
    if (k <= c) {
        for (uint64_t i = 0; i < k; i++) {
            double t = log1p(-(double)c / (double)(n - i)) - lo, u = s + t;
            lo = (u - s) - t; /* Kahan: n may be large */
            s = u;
        }
    } else {
        for (uint64_t i = n - c + 1; i <= n; i++) {
            double t = log1p(-(double)k / (double)i) - lo, u = s + t;
            lo = (u - s) - t;
            s = u;
        }
    }
    return -expm1(s);
}

double lm_stat_mean(const double *x, size_t n)
{
    double s = 0, lo = 0;

    for (size_t i = 0; i < n; i++) {
        double t = x[i] - lo, u = s + t;
        lo = (u - s) - t;
        s = u;
    }
    return n ? s / (double)n : 0;
}

double lm_stat_se(const double *x, size_t n)
{
    double m = lm_stat_mean(x, n), s = 0;

    if (n < 2)
        return 0;
    for (size_t i = 0; i < n; i++)
        s += (x[i] - m) * (x[i] - m);
    return sqrt(s / (double)(n - 1) / (double)n);
}

double lm_stat_se_cluster(const double *x, const uint32_t *g, size_t n, size_t groups)
{
    double m = lm_stat_mean(x, n), s = 0, *sum = lm_zalloc(groups ? groups : 1, sizeof *sum);

    for (size_t i = 0; i < n; i++)
        sum[g[i]] += x[i] - m;
    for (size_t i = 0; i < groups; i++)
        s += sum[i] * sum[i];
    free(sum);
    return n ? sqrt(s) / (double)n : 0;
}

double lm_stat_normal_cdf(double z)
{
    return 0.5 * erfc(-z / sqrt(2));
}

/* Bisection to a bracket, then Newton steps on the exact cdf: no table of fitted constants. */
double lm_stat_quantile(double p)
{
    double lo = -40, hi = 40, z;

    if (!(p > 0 && p < 1))
        return p <= 0 ? -INFINITY : INFINITY;
    for (int i = 0; i < 20; i++) {
        z = (lo + hi) / 2;
        *(lm_stat_normal_cdf(z) < p ? &lo : &hi) = z;
    }
    z = (lo + hi) / 2;
    for (int i = 0; i < 8; i++) {
        double d = exp(-z * z / 2) / sqrt(2 * acos(-1.0));
        if (!(d > 0))
            break;
        z -= (lm_stat_normal_cdf(z) - p) / d;
    }
    return z;
}

void lm_stat_wilson(uint64_t c, uint64_t n, double z, double *lo, double *hi)
{
    double p = n ? (double)c / (double)n : 0, m = (double)n, z2 = z * z;
    double mid, half;

    if (!n) {
        *lo = 0, *hi = 1;
        return;
    }
    mid = (p + z2 / (2 * m)) / (1 + z2 / m);
    half = z / (1 + z2 / m) * sqrt(p * (1 - p) / m + z2 / (4 * m * m));
    *lo = c == 0 ? 0 : mid - half;
    *hi = c == n ? 1 : mid + half;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* A number in [0, n) from 32 random bits, by multiplication: the bias is at most n / 2^32. */
static size_t below(uint64_t *state, size_t n)
{
    return (size_t)(((lm_splitmix(state) >> 32) * (uint64_t)n) >> 32);
}

void lm_stat_bootstrap(const double *x, size_t n, size_t rounds, uint64_t seed, double conf,
                       double *lo, double *hi)
{
    double *m, tail = (1 - conf) / 2;
    uint64_t state = lm_keyed(seed, "bootstrap", NULL, 0);

    if (!n || !rounds) {
        *lo = *hi = 0;
        return;
    }
    m = lm_zalloc(rounds, sizeof *m);
    for (size_t r = 0; r < rounds; r++) {
        double s = 0;
        for (size_t i = 0; i < n; i++)
            s += x[below(&state, n)];
        m[r] = s / (double)n;
    }
    qsort(m, rounds, sizeof *m, by_value);
    *lo = m[(size_t)(tail * (double)(rounds - 1) + .5)];
    *hi = m[(size_t)((1 - tail) * (double)(rounds - 1) + .5)];
    free(m);
}

double lm_stat_mcnemar(uint64_t b, uint64_t c)
{
    uint64_t n = b + c, k = b < c ? b : c;
    double p = 0, base = lgamma((double)n + 1) - (double)n * log(2);

    for (uint64_t i = 0; i <= k && n; i++)
        p += exp(base - lgamma((double)i + 1) - lgamma((double)(n - i) + 1));
    p *= 2;
    return n == 0 || p > 1 ? 1 : p;
}

double lm_stat_signflip(const double *d, size_t n, size_t rounds, uint64_t seed)
{
    double seen = 0, eps;
    uint64_t state = lm_keyed(seed, "signflip", NULL, 0), hits = 0, total;

    for (size_t i = 0; i < n; i++)
        seen += d[i];
    seen = fabs(seen);
    eps = 1e-12 * (seen + 1); /* equal sums in another order count as equal */
    total = n <= 16 ? 1ull << n : rounds;
    for (uint64_t r = 0; r < total; r++) {
        double s = 0;
        uint64_t bits = r;
        for (size_t i = 0; i < n; i++, bits >>= 1) {
            if (n > 16 && i % 64 == 0)
                bits = lm_splitmix(&state);
            s += bits & 1 ? -d[i] : d[i];
        }
        hits += fabs(s) >= seen - eps;
    }
    return n <= 16 ? (double)hits / (double)total : ((double)hits + 1) / ((double)total + 1);
}

void lm_stat_holm(double *p, size_t n)
{
    size_t *order = lm_zalloc(n ? n : 1, sizeof *order);
    double top = 0;

    for (size_t i = 0; i < n; i++) { /* insertion sort: n is a handful of tasks */
        size_t j = i;
        for (; j && p[order[j - 1]] > p[i]; j--)
            order[j] = order[j - 1];
        order[j] = i;
    }
    for (size_t i = 0; i < n; i++) {
        double a = p[order[i]] * (double)(n - i);
        top = a > top ? a : top;
        p[order[i]] = top > 1 ? 1 : top;
    }
    free(order);
}

double lm_stat_resolves(double se, double alpha, double power)
{
    return se * (lm_stat_quantile(1 - alpha / 2) + lm_stat_quantile(power));
}
