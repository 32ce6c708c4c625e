/* Lengths of spans: whole, never empty, every division equally likely; mixtures as published. */
#include "lm.h"
#include "tap.h"
#include <math.h>

/* n tokens of which `noise` in `spans`: how often does each division come? */
static bool uniform(uint32_t n, uint32_t spans, uint32_t noise, size_t ways)
{
    enum { RUNS = 60000, MOST = 1 << 16 };
    uint64_t s = 5;
    static uint32_t count[MOST];
    size_t seen = 0;
    double chi = 0, want = (double)RUNS / (double)ways;

    memset(count, 0, sizeof count);
    for (int k = 0; k < RUNS; k++) {
        uint32_t len[16], sum[2] = {0, 0}, mark = 0, at = 0;

        lm_noise_lengths(&s, n, spans, noise, len);
        for (uint32_t i = 0; i < 2 * spans; i++) {
            if (!len[i])
                return false;
            sum[i % 2] += len[i];
            at += len[i];
            mark |= i % 2 ? ((1u << len[i]) - 1) << (at - len[i]) : 0;
        }
        if (sum[0] != n - noise || sum[1] != noise)
            return false;
        seen += !count[mark]++;
    }
    for (size_t i = 0; i < MOST; i++)
        if (count[i])
            chi += ((double)count[i] - want) * ((double)count[i] - want) / want;
    /* the mean of chi is ways - 1, its deviation sqrt(2 (ways - 1)) */
    return seen == ways && fabs(chi - (double)(ways - 1)) < 4 * sqrt(2.0 * (double)ways);
}

static bool rounded(void)
{
    static const struct {
        lm_denoiser d;
        uint64_t n, most, spans, noise;
    } want[] = {{{3, .15, 1, 'r'}, 512, 256, 26, 77},   {{3, .15, 1, 'r'}, 2, 256, 1, 1},
                {{3, .5, 1, 'x'}, 1536, 256, 256, 768}, {{64, .15, 1, 'x'}, 100, 256, 1, 15},
                {{1, .9, 1, 'x'}, 10, 256, 1, 9},       {{3, .5, 1, 'x'}, 100, 4, 4, 50},
                {{1, .5, 1, 'x'}, 7, 256, 3, 4}};

    for (size_t i = 0; i < LM_COUNT(want); i++) {
        uint64_t spans, noise;

        lm_noise(&want[i].d, want[i].n, want[i].most, &spans, &noise);
        if (spans != want[i].spans || noise != want[i].noise) {
            printf("# %zu: %u spans, %u tokens\n", i, (unsigned)spans, (unsigned)noise);
            return false;
        }
    }
    return true;
}

static bool mixture(const char *name, size_t rows)
{
    size_t n, hit[8] = {0};
    const lm_denoiser *d = lm_mixture(name, &n);
    double sum = 0;

    if (!d || n != rows)
        return false;
    for (int k = 0; k < 100000; k++)
        hit[lm_mixture_at(d, n, k / 100000.0) - d]++;
    for (size_t i = 0; i < n; i++) {
        sum += d[i].share;
        if (fabs((double)hit[i] - 100000 * d[i].share) > 1.5)
            return false;
    }
    return fabs(sum - 1) < 1e-12;
}

static bool room(void)
{
    size_t n;
    const lm_denoiser *d = lm_mixture("ul2", &n);

    for (size_t i = 0; i < n; i++)
        for (uint64_t most = 1; d[i].span > 0 && most <= 256; most++) {
            uint64_t spans, noise, m = lm_noise_room(&d[i], most);

            if (m < 2)
                return false;
            lm_noise(&d[i], m, 1 << 20, &spans, &noise);
            if (spans > most)
                return false;
        }
    return true;
}

int main(void)
{
    size_t n;

    ok(uniform(8, 1, 3, 1), "one span stands at the end");
    ok(uniform(8, 2, 4, 9), "two spans: each way equally often");
    ok(uniform(12, 3, 6, 100), "three spans");
    ok(uniform(10, 5, 5, 1), "no choice");
    ok(rounded(), "spans and tokens, rounded");
    ok(mixture("ul2", 7) && mixture("ul2r", 4) && !lm_mixture("t5", &n), "mixtures");
    ok(room(), "a piece of the room has no more spans than masks");
    return done();
}
