/* A mixture: exact shares in every stratum, each sample of a set once and in order of strata, any
   place the same however it was reached. */
#include "lm.h"
#include "tap.h"
#include <math.h>

static uint64_t seed = 1;

static bool exact(const double *weight, size_t sets, uint64_t strata)
{
    uint64_t *next = lm_zalloc(sets, sizeof *next);
    uint32_t sum = 0;
    uint8_t *seen = lm_zalloc(sets * strata * LM_STRATUM, 1);
    double total = 0;
    lm_mix m;
    bool good = !lm_mix_init(&m, weight, sets, 7);

    for (size_t i = 0; i < sets; i++)
        total += weight[i];
    for (size_t i = 0; good && i < sets; i++) {
        good = fabs(m.quota[i] - weight[i] / total * LM_STRATUM) < 1;
        sum += m.quota[i];
    }
    good = good && sum == LM_STRATUM;
    for (uint64_t s = 0; good && s < strata; s++) {
        memset(next, 0, sets * sizeof *next);
        for (uint64_t c = s * LM_STRATUM; good && c < (s + 1) * LM_STRATUM; c++) {
            uint64_t i;
            size_t d = lm_mix_at(&m, c, &i);

            good = d < sets && i >= s * m.quota[d] && i < (s + 1) * m.quota[d] &&
                   !seen[d * strata * LM_STRATUM + i]++;
            next[d]++;
        }
        for (size_t d = 0; good && d < sets; d++)
            good = next[d] == m.quota[d];
    }
    lm_mix_free(&m);
    free(next);
    free(seen);
    return good;
}

/* Sets 1/4 and 3/4: how often the first stands at each sixteenth of a stratum. */
static bool even(void)
{
    enum { STRATA = 400 };
    static const double weight[] = {1, 3};
    double cell[16] = {0}, want = 1024.0 / 16 * STRATA, chi = 0;
    lm_mix m;

    lm_mix_init(&m, weight, 2, 3);
    for (uint64_t c = 0; c < (uint64_t)STRATA * LM_STRATUM; c++) {
        uint64_t i;

        if (lm_mix_at(&m, c, &i) == 0)
            cell[c % LM_STRATUM / 256]++;
    }
    lm_mix_free(&m);
    for (int i = 0; i < 16; i++)
        chi += (cell[i] - want) * (cell[i] - want) / want;
    return chi < 37.7; /* 15 degrees of freedom: one in a thousand is above */
}

static bool anywhere(void)
{
    static const double weight[] = {.5, .2, .3};
    lm_mix a, b;
    bool good = !lm_mix_init(&a, weight, 3, 5) && !lm_mix_init(&b, weight, 3, 5);

    for (int k = 0; good && k < 10000; k++) {
        uint64_t c = lm_below(&seed, 1ull << 40), i, j;
        size_t d = lm_mix_at(&a, c, &i);

        lm_mix_free(&b);
        lm_mix_init(&b, weight, 3, 5);
        good = lm_mix_at(&b, c, &j) == d && i == j;
    }
    lm_mix_free(&a);
    lm_mix_free(&b);
    return good;
}

static bool refused(double small)
{
    double weight[] = {1, small};
    lm_mix m;

    return lm_mix_init(&m, weight, 2, 0) == LM_EUSAGE;
}

int main(void)
{
    double weight[60], one = 3, thirds[] = {1, 1, 1};
    bool good = exact(&one, 1, 3) && exact(thirds, 3, 5);

    for (size_t sets = 2; good && sets <= 60; sets += 7) {
        for (size_t i = 0; i < sets; i++)
            weight[i] = .01 + lm_unit(lm_splitmix(&seed));
        good = exact(weight, sets, 4);
    }
    ok(good, "quotas are exact in every stratum, every sample of a set comes once");
    ok(even(), "within a stratum no place is preferred");
    ok(anywhere(), "any sample is the same, wherever one begins");
    ok(refused(0) && refused(-1) && refused(NAN) && refused(INFINITY) && refused(1e-5),
       "weights that cannot be kept");
    return done();
}
