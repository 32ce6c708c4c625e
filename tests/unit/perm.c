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

/* Order block over n rows, `per` of them a block, `era` blocks an era: every row once in each of
   three epochs, and the rows of an era are whole blocks, at most `era` of them. */
static bool blocks(uint64_t n, uint64_t per, uint64_t era)
{
    lm_order o = {LM_ORDER_BLOCK, per * 10, era};
    uint8_t *seen = lm_zalloc(n, 1);
    bool good = true;
    lm_epochs e, back;

    lm_epochs_init(&e, &o, n, 10, 5);
    lm_epochs_init(&back, &o, n, 10, 5);
    for (uint64_t i = 0; good && i < 3 * n; i++) {
        uint64_t row = lm_epochs_at(&e, i);

        good = row < n && seen[row]++ == i / n;
        /* the last era ends with the epoch; a whole one ends after era * per rows */
        if (good && (i % n + 1) % (era * per) == 0 && i % n + 1 + per < n)
            for (uint64_t k = 0; k < n / per; k++) {
                uint64_t full = 0;

                for (uint64_t j = k * per; j < (k + 1) * per; j++)
                    full += seen[j] > i / n;
                good = good && (full == 0 || full == per);
            }
        if (i % 7 == 0) /* any place, from any other */
            good = good && lm_epochs_at(&back, 3 * n - 1 - i) == lm_epochs_at(&e, 3 * n - 1 - i) &&
                   lm_epochs_at(&e, i) == row;
    }
    free(seen);
    return good;
}

/* Within an era any of its rows comes at any place: chi-square over (tenth of the era, tenth of its
 * rows). */
static bool era_spread(void)
{
    lm_order o = {LM_ORDER_BLOCK, 100, 100};
    static uint32_t cell[10][10], rank[10000];
    lm_epochs e;
    double chi = 0;
    uint64_t at = 0;

    lm_epochs_init(&e, &o, 10000, 1, 11); /* one era of all rows: block is nothing but full */
    for (uint64_t i = 0; i < 10000; i++)
        rank[lm_epochs_at(&e, i)] = (uint32_t)i;
    for (uint64_t i = 0; i < 10000; i++, at++)
        cell[rank[i] / 1000][i / 1000]++;
    for (int i = 0; i < 10; i++)
        for (int j = 0; j < 10; j++)
            chi += (cell[i][j] - 100.0) * (cell[i][j] - 100.0) / 100.0;
    printf("# chi-square %.0f of 81 degrees of freedom\n", chi);
    return chi > 81 - 5 * 13 && chi < 81 + 5 * 13;
}

int main(void)
{
    lm_order o;
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
    good = true;
    for (n = 1; n <= 300 && good; n++)
        for (uint64_t per = 1; per <= 40 && good; per += 1 + per / 3)
            for (uint64_t era = 1; era <= 9 && good; era += 2)
                good = blocks(n, per, era);
    ok(good, "blocks of rows and eras of blocks: a bijection, era by era, from any place");
    ok(era_spread(), "within an era, even");
    ok(!lm_order_parse("block:64K,8", &o) && o.kind == LM_ORDER_BLOCK && o.block == 65536 &&
           o.era == 8 && !lm_order_parse("block", &o) && o.block == 2 << 20 &&
           !lm_order_parse("full", &o) && o.kind == LM_ORDER_FULL && !lm_order_parse("none", &o) &&
           o.kind == LM_ORDER_NONE,
       "orders by name");
    good = true;
    for (const char **s = (const char *[]){"", "fulls", "block:", "block:1", "block:0,1",
                                           "block:1,0", "block:1,x", NULL};
         *s; s++)
        good = good && lm_order_parse(*s, &o) < 0;
    ok(good, "and what is none");
    printf("1..%d\n", count);
    return failed != 0;
}
