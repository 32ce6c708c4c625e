/* Best-fit decreasing against a plain one. */
#include "lm.h"
#include "tap.h"

static uint64_t seed = 1;

/* The same, looking at every row for every piece. */
static size_t plain(const uint32_t *len, size_t n, uint32_t seq, uint32_t most, uint32_t *row)
{
    uint32_t *left = lm_zalloc(n + 1, sizeof *left), *pieces = lm_zalloc(n + 1, sizeof *pieces);
    uint32_t *name = lm_zalloc(n + 1, sizeof *name), named = 0;
    bool *done = lm_zalloc(n + 1, 1);
    size_t rows = 0;

    for (size_t k = 0; k < n; k++) {
        size_t p = n, best = SIZE_MAX;

        for (size_t i = 0; i < n; i++)
            if (!done[i] && (p == n || len[i] > len[p]))
                p = i;
        for (size_t r = 0; r < rows; r++)
            if (pieces[r] < most && left[r] >= len[p] && (best == SIZE_MAX || left[r] < left[best]))
                best = r;
        if (best == SIZE_MAX) {
            best = rows++;
            left[best] = seq;
        }
        left[best] -= len[p];
        pieces[best]++;
        row[p] = (uint32_t)best;
        done[p] = true;
    }
    for (size_t i = 0; i < n; i++) {
        if (!name[row[i]])
            name[row[i]] = ++named;
        row[i] = name[row[i]] - 1;
    }
    free(left);
    free(pieces);
    free(name);
    free(done);
    return rows;
}

/* Which of equal rows is taken does not matter: how many there are must agree, and none may
 * overflow. */
static bool agree(size_t n, uint32_t seq, uint32_t most, uint32_t longest)
{
    uint32_t *len = lm_zalloc(n + 1, sizeof *len), *a = lm_zalloc(n + 1, sizeof *a),
             *b = lm_zalloc(n + 1, sizeof *b), *sum = lm_zalloc(n + 1, sizeof *sum),
             *count = lm_zalloc(n + 1, sizeof *count);
    size_t rows, next = 0;
    bool good;

    for (size_t i = 0; i < n; i++)
        len[i] = 1 + (uint32_t)lm_below(&seed, longest);
    rows = lm_bestfit(len, n, seq, most, a);
    good = rows == plain(len, n, seq, most, b) || !n;
    for (size_t i = 0; i < n; i++) {
        good &= a[i] < rows && a[i] <= next;
        next += a[i] == next;
        sum[a[i]] += len[i];
        count[a[i]]++;
        good &= sum[a[i]] <= seq && count[a[i]] <= most;
    }
    if (!good)
        printf("# %zu pieces, rows of %u, %u pieces a row\n", n, seq, most);
    free(len);
    free(a);
    free(b);
    free(sum);
    free(count);
    return good && next == rows;
}

int main(void)
{
    static const uint32_t seq[] = {1, 2, 63, 64, 65, 127, 128, 4095, 4096, 4097, 9000};
    bool good = true, few = true;

    for (size_t s = 0; s < LM_COUNT(seq); s++)
        for (size_t n = 0; n < 300; n = n * 2 + 1)
            for (uint32_t part = 1; part <= 16; part *= 4) {
                uint32_t longest = seq[s] / part ? seq[s] / part : 1;

                good &= agree(n, seq[s], UINT32_MAX, longest);
                few &= agree(n, seq[s], 3, longest);
            }
    ok(good, "as many rows as a plain search makes, none too full, numbered by their first piece");
    ok(few, "the same with three pieces a row at most");
    return done();
}
