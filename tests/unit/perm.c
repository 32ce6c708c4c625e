/* The order of an epoch: a bijection for every size, another for every epoch, the same for ever. */
#include "nn/data.h"

static int count, failed;

static void ok(bool good, const char *name)
{
    failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
}

static bool bijection(uint64_t n, uint64_t seed, uint64_t epoch)
{
    uint8_t *seen = lm_zalloc(n, 1);
    lm_perm p;
    bool good = true;

    lm_perm_init(&p, n, seed, epoch);
    for (uint64_t i = 0; i < n && good; i++) {
        uint64_t at = lm_perm_at(&p, i);

        good = at < n && !seen[at];
        if (good)
            seen[at] = 1;
    }
    free(seen);
    return good;
}

/* Of 100,000 rows in 100 blocks, how far is the commonest pair (block of i, block of P(i)) from
 * even? */
static bool spread(void)
{
    static uint32_t cell[100][100];
    lm_perm p;
    double chi = 0;

    lm_perm_init(&p, 100000, 1, 0);
    for (uint64_t i = 0; i < 100000; i++)
        cell[i / 1000][lm_perm_at(&p, i) / 1000]++;
    for (int i = 0; i < 100; i++)
        for (int j = 0; j < 100; j++)
            chi += (cell[i][j] - 10.0) * (cell[i][j] - 10.0) / 10.0;
    printf("# chi-square %.0f of 9801 degrees of freedom\n", chi);
    return chi > 9801 - 6 * 140 && chi < 9801 + 6 * 140;
}

int main(void)
{
    lm_perm a, b;
    uint64_t n = 1, same = 0;
    bool good = true;

    for (; n <= 4096 && good; n++)
        good = bijection(n, 0, 0) && bijection(n, 7, n);
    ok(good && n == 4097, "every size from 1 to 4096 is permuted");
    ok(bijection((1 << 20) + 1, 3, 2), "a size just over a power of two");
    lm_perm_init(&a, 1ull << 40, 5, 9);
    good = true;
    for (uint64_t i = 0; i < 1000; i++)
        good = good && lm_perm_at(&a, (1ull << 40) - 1 - i) < 1ull << 40;
    ok(good, "indices beyond 32 bits stay in range");
    lm_perm_init(&a, 4096, 0, 0);
    lm_perm_init(&b, 4096, 0, 1);
    for (uint64_t i = 0; i < 4096; i++)
        same += lm_perm_at(&a, i) == lm_perm_at(&b, i);
    ok(same < 12, "the next epoch has another order");
    ok(spread(), "rows go everywhere alike");
    lm_perm_init(&a, 1000, 42, 3);
    good = true;
    static const uint64_t want[8] = {834, 540, 890, 538, 141, 757, 659, 924};
    for (uint64_t i = 0; i < 8; i++)
        good = good && lm_perm_at(&a, i) == want[i];
    ok(good, "the order never changes between versions");
    printf("1..%d\n", count);
    return failed != 0;
}
