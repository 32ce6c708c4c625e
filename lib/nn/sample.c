/* sample: penalties, temperature, truncation and the inverse distribution function. */
#include "nn/sample.h"
#include <math.h>

/* exp by 2^k times a polynomial in |r| <= ln2 / 2; only fma, so the bits are the same everywhere.
 */
double lm_exp(double x)
{
    static const double c[] = {1.0 / 6227020800,
                               1.0 / 479001600,
                               1.0 / 39916800,
                               1.0 / 3628800,
                               1.0 / 362880,
                               1.0 / 40320,
                               1.0 / 5040,
                               1.0 / 720,
                               1.0 / 120,
                               1.0 / 24,
                               1.0 / 6,
                               0.5,
                               1,
                               1};
    double k, r, p;

    if (!(x > -745))
        return x != x ? x : 0;
    if (x > 709)
        return INFINITY;
    k = rint(x * 1.4426950408889634);
    r = fma(-k, 0x1.62e42fefa39efp-1, x);
    r = fma(-k, 0x1.abc9e3b39803fp-56, r);
    p = c[0];
    for (size_t i = 1; i < LM_COUNT(c); i++)
        p = fma(p, r, c[i]);
    return ldexp(p, (int)k);
}

/* log by Newton's step on exp from a first guess of the exponent and a short series. */
double lm_log(double x)
{
    int e;
    double m = frexp(x, &e), s, z, y;

    if (m < 0.70710678118654752) {
        m *= 2;
        e--;
    }
    s = (m - 1) / (m + 1); /* log m = 2 atanh s, |s| < .18 */
    z = s * s;
    y = 0;
    for (int k = 23; k >= 1; k -= 2)
        y = fma(y, z, 2.0 / k);
    y = fma(y, s, e * 0x1.62e42fefa39efp-1);
    return y;
}

struct cand {
    float logit;
    uint32_t id;
};
struct lm_sampler {
    uint32_t vocab;
    struct cand *c;
};

lm_sampler *lm_sampler_new(uint32_t vocab)
{
    lm_sampler *s = lm_zalloc(1, sizeof *s);

    s->vocab = vocab;
    s->c = lm_zalloc(vocab, sizeof *s->c);
    return s;
}

void lm_sampler_free(lm_sampler *s)
{
    if (s)
        free(s->c);
    free(s);
}

static bool before(struct cand a, struct cand b)
{
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

static int by_logit(const void *a, const void *b)
{
    const struct cand *x = a, *y = b;

    return before(*x, *y) ? -1 : before(*y, *x) ? 1 : 0;
}

/* Moves the k foremost candidates to the front, in no order (Hoare's selection). */
static void select_k(struct cand *c, size_t n, size_t k)
{
    size_t lo = 0, hi = n;

    while (hi - lo > 1) {
        struct cand pivot = c[lo + (hi - lo) / 2], t;
        size_t i = lo, j = hi - 1;

        for (;;) {
            while (before(c[i], pivot))
                i++;
            while (before(pivot, c[j]))
                j--;
            if (i >= j)
                break;
            t = c[i];
            c[i++] = c[j];
            c[j--] = t;
        }
        if (k <= j + 1 && j + 1 < hi)
            hi = j + 1;
        else if (k > j + 1)
            lo = j + 1;
        else
            return;
    }
}

static void penalise(struct cand *c, const uint32_t *seen, size_t n, double repeat, uint32_t vocab)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t id = seen[i];
        bool first = id < vocab;

        for (size_t j = 0; first && j < i; j++)
            first = seen[j] != id; /* once, however often it was seen */
        if (first)
            c[id].logit = (float)(c[id].logit > 0 ? c[id].logit / repeat : c[id].logit * repeat);
    }
}

int lm_sample(lm_sampler *s, const lm_sampling *how, const float *logits, const uint32_t *seen,
              size_t nseen, double u, uint32_t *token)
{
    struct cand *c = s->c;
    size_t n = s->vocab, best = 0, keep;
    double total = 0, sum = 0, top;

    for (size_t i = 0; i < n; i++) {
        if (logits[i] != logits[i])
            return lm_err(LM_EDEVICE, "a logit is not a number");
        c[i] = (struct cand){logits[i], (uint32_t)i};
    }
    if (how->repeat != 1)
        penalise(c, seen, nseen, how->repeat, s->vocab);
    for (size_t i = 1; i < n; i++)
        if (before(c[i], c[best]))
            best = i;
    if (how->temp == 0 || n == 1) {
        *token = c[best].id;
        return 0;
    }
    top = c[best].logit / how->temp;
    if (how->top_k && how->top_k < n) {
        select_k(c, n, how->top_k);
        n = how->top_k;
    }
    qsort(c, n, sizeof *c, by_logit);
    for (size_t i = 0; i < n; i++)
        total += lm_exp(c[i].logit / how->temp - top);
    keep = n;
    if (how->top_p < 1) { /* the fewest whose probabilities reach top_p */
        for (keep = 0, sum = 0; keep < n && sum < how->top_p * total; keep++)
            sum += lm_exp(c[keep].logit / how->temp - top);
        total = sum;
    }
    if (how->min_p > 0) { /* probability at least min_p of the largest */
        size_t k = 0;

        for (sum = 0; k < keep && lm_exp(c[k].logit / how->temp - top) >= how->min_p; k++)
            sum += lm_exp(c[k].logit / how->temp - top);
        keep = k;
        total = sum;
    }
    sum = 0;
    for (size_t i = 0; i + 1 < keep; i++) {
        sum += lm_exp(c[i].logit / how->temp - top);
        if (u * total < sum) {
            *token = c[i].id;
            return 0;
        }
    }
    *token = c[keep ? keep - 1 : 0].id;
    return 0;
}

double lm_logp(const float *logits, uint32_t vocab, uint32_t token)
{
    double top = logits[0], sum = 0;

    for (uint32_t i = 1; i < vocab; i++)
        if (logits[i] > top)
            top = logits[i];
    for (uint32_t i = 0; i < vocab; i++)
        sum += lm_exp(logits[i] - top);
    return logits[token] - top - lm_log(sum);
}

void lm_top(const float *logits, uint32_t vocab, uint32_t k, uint32_t *ids)
{
    for (uint32_t n = 0; n < k; n++) { /* insertion: k is small */
        uint32_t best = UINT32_MAX;

        for (uint32_t i = 0; i < vocab; i++) {
            bool taken = false;

            if (best != UINT32_MAX && !(logits[i] > logits[best]))
                continue;
            for (uint32_t j = 0; j < n; j++)
                taken = taken || ids[j] == i;
            if (!taken)
                best = i;
        }
        ids[n] = best;
    }
}
