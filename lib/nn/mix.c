/* mix: a stratum is a row of slots, so many for each set; its samples take them in a keyed order.
   So which sample of which set comes when is arithmetic, and any place can be begun from. */
#include "nn/mix.h"
#include <math.h>

int lm_mix_parse(const char *s, size_t n, double **w)
{
    const char *p = s;
    size_t i = 0;

    *w = lm_zalloc(n + 1, sizeof **w);
    for (; i < n && p; i++) {
        const char *stop = strchrnul(p, ',');

        if (!lm_parse_f64((lm_str){p, (size_t)(stop - p)}, &(*w)[i]))
            break;
        p = *stop ? stop + 1 : NULL;
    }
    if (i == n && !p)
        return 0;
    free(*w);
    *w = NULL;
    return lm_err(LM_EUSAGE, "--mix %s: want %zu numbers, one for each set", s, n);
}

/* What is left of LM_STRATUM goes to the largest remainders. */
static void round_up(lm_mix *m, double *rest)
{
    uint32_t given = 0;

    for (size_t i = 0; i < m->sets; i++)
        given += m->quota[i];
    for (; given < LM_STRATUM; given++) {
        size_t best = 0;

        for (size_t i = 1; i < m->sets; i++)
            if (rest[i] > rest[best])
                best = i;
        m->quota[best]++;
        rest[best] -= 1;
    }
}

static int too_small(double share)
{
    return lm_err(LM_EUSAGE, "a share of %g is too small: no quota of %d keeps it", share,
                  LM_STRATUM);
}

int lm_mix_init(lm_mix *m, const double *weight, size_t sets, uint64_t seed)
{
    double sum = 0, *rest = lm_zalloc(sets + 1, sizeof *rest);
    int err = 0;

    *m = (lm_mix){.sets = sets, .seed = seed, .stratum = UINT64_MAX};
    m->quota = lm_zalloc(sets + 1, sizeof *m->quota);
    m->base = lm_zalloc(sets + 1, sizeof *m->base);
    for (size_t i = 0; i < sets && !err; i++) {
        if (!isfinite(weight[i]) || weight[i] <= 0)
            err = lm_err(LM_EUSAGE, "a weight of a mixture must be above 0: %g", weight[i]);
        sum += weight[i];
    }
    for (size_t i = 0; i < sets && !err; i++) {
        double share = weight[i] / sum * LM_STRATUM;

        m->quota[i] = (uint32_t)share;
        rest[i] = share - m->quota[i];
    }
    if (!err)
        round_up(m, rest);
    for (size_t i = 0; i < sets && !err; i++) {
        m->base[i + 1] = m->base[i] + m->quota[i];
        if (!m->quota[i])
            err = too_small(weight[i] / sum);
    }
    free(rest);
    if (err)
        lm_mix_free(m);
    return err;
}

void lm_mix_free(lm_mix *m)
{
    free(m->quota);
    free(m->base);
    *m = (lm_mix){0};
}

size_t lm_mix_at(lm_mix *m, uint64_t c, uint64_t *index)
{
    uint64_t stratum = c / LM_STRATUM, slot;
    size_t lo = 0, hi = m->sets;

    if (stratum != m->stratum) {
        lm_perm_key(&m->perm, LM_STRATUM, lm_keyed_num(m->seed, "mix", stratum));
        m->stratum = stratum;
    }
    slot = lm_perm_at(&m->perm, c % LM_STRATUM);
    while (hi - lo > 1) {
        size_t mid = (lo + hi) / 2;

        if (m->base[mid] <= slot)
            lo = mid;
        else
            hi = mid;
    }
    *index = stratum * m->quota[lo] + (slot - m->base[lo]);
    return lo;
}
