/* minhash: signatures equal at every level and equal to their definition; estimates and band hits
   as the theory says. */
#include <math.h>
#include "kernels/cpu.h"
#include "text/minhash.h"

static int count, failed;

static void ok(bool good, const char *name)
{
    failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
}

static bool word_byte(unsigned char c)
{
    return c >= 128 || c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* The definition, word by word. */
static bool plain(const lm_minhash *m, lm_str text, uint32_t *sig)
{
    uint64_t *tok = lm_zalloc(text.n + 1, sizeof *tok);
    size_t n = 0, i, j, k;
    char *low = lm_memdup(text.p, text.n);

    for (i = 0; i < text.n; i++)
        if (low[i] >= 'A' && low[i] <= 'Z')
            low[i] = (char)(low[i] + 32);
    for (i = 0; i < text.n; i = j + 1) {
        for (j = i; j < text.n && word_byte((unsigned char)low[j]); j++)
            ;
        if (j > i)
            tok[n++] = lm_hash64(low + i, j - i, 0);
    }
    for (k = 0; k < LM_MH_PERMS; k++)
        sig[k] = UINT32_MAX;
    for (i = 0; i == 0 || i + 5 <= n; i++) {
        uint32_t x = (uint32_t)lm_hash64(tok + i, (n < 5 ? n : 5) * 8, 0);

        for (k = 0; n && k < LM_MH_PERMS; k++) {
            uint32_t v = (uint32_t)((m->a[k] * x + m->b[k]) >> 32);

            sig[k] = v < sig[k] ? v : sig[k];
        }
    }
    free(tok);
    free(low);
    return n > 0;
}

static bool same(lm_str text)
{
    lm_minhash m;
    lm_minhash_room room = {0};
    uint32_t want[LM_MH_PERMS], got[LM_MH_PERMS];
    bool good = true, has;
    int level;

    for (level = 0; level <= lm_cpu_best() && good; level++) {
        lm_minhash_init(&m, lm_data_at(level), 0);
        has = plain(&m, text, want);
        good = lm_minhash_sign(&m, &room, text, got) == has &&
               (!has || !memcmp(want, got, sizeof want));
    }
    lm_minhash_room_free(&room);
    return good;
}

static void words(lm_buf *b, uint64_t *rng, size_t n, const char *set)
{
    while (n--)
        lm_buf_addf(b, "%s%u ", set, (unsigned)(lm_splitmix(rng) % 1000000));
}

/* Two texts whose shingle sets share s: a common part of c words, and own parts. */
static double hit_rate(double s, unsigned bands, unsigned rows, double *mean)
{
    lm_minhash m;
    lm_minhash_room room = {0};
    uint32_t x[LM_MH_PERMS], y[LM_MH_PERMS];
    uint64_t rng = (uint64_t)(s * 1000);
    lm_buf a = {0}, b = {0};
    unsigned i, k, hits = 0, trials = 400;
    size_t common = 400, own = (size_t)(common * (1 - s) / s / 2 + .5);

    for (*mean = i = 0; i < trials; i++) {
        lm_minhash_init(&m, lm_data_at(lm_cpu_best()), i);
        a.n = b.n = 0;
        words(&a, &rng, common + 4, "c");
        lm_buf_add(&b, a.p, a.n);
        words(&a, &rng, own, "a");
        words(&b, &rng, own, "b");
        lm_minhash_sign(&m, &room, lm_buf_str(&a), x);
        lm_minhash_sign(&m, &room, lm_buf_str(&b), y);
        *mean += lm_minhash_sim(x, y) / trials;
        for (k = 0; k < bands; k++)
            if (lm_minhash_band(x, k, rows) == lm_minhash_band(y, k, rows))
                break;
        hits += k < bands;
    }
    lm_buf_free(&a);
    lm_buf_free(&b);
    lm_minhash_room_free(&room);
    return hits / (double)trials;
}

int main(void)
{
    static const double at[] = {.3, .5, .6, .65, .7, .75, .8, .85, .9};
    uint64_t rng = 5;
    lm_buf b = {0};
    unsigned i, bands = 0, rows = 0;
    bool good = true;
    char name[100];

    ok(same((lm_str){"", 0}) && same(LM_STR(" -- ;")), "a text without a word has no signature");
    ok(same(LM_STR("One")) && same(LM_STR("one two three four")) && same(LM_STR("a b c d e")),
       "short texts are one shingle");
    for (i = 0; i < 400; i++) {
        size_t n = lm_splitmix(&rng) % 300;

        for (b.n = 0; n--;)
            lm_buf_addc(&b, lm_splitmix(&rng) % 4 ? "aBc9_ .\xc3"[lm_splitmix(&rng) % 8] : ' ');
        good &= same(lm_buf_str(&b));
    }
    ok(good, "random texts: every level equals the definition");
    b.n = 0;
    words(&b, &rng, 20000, "w");
    ok(same(lm_buf_str(&b)), "a long text");
    for (b.n = 0, i = 0; i < 50000; i++)
        lm_buf_addc(&b, 'x');
    ok(same(lm_buf_str(&b)), "one long word");
    lm_minhash_split(.7, &bands, &rows);
    ok(bands == 25 && rows == 10, "0.7 is 25 x 10");
    lm_minhash_split(.5, &bands, &rows);
    ok(bands * rows <= 256 && fabs(pow(1.0 / bands, 1.0 / rows) - .5) < 1e-9,
       "0.5 has bands with that midpoint");
    for (i = 0; i < LM_COUNT(at); i++) {
        double mean, rate = hit_rate(at[i], 25, 10, &mean), p = 1 - pow(1 - pow(at[i], 10), 25);
        double sd = sqrt(p * (1 - p) / 400) + .002;

        snprintf(name, sizeof name, "s = %.2f: estimate %.3f, hit rate %.3f, theory %.3f", at[i],
                 mean, rate, p);
        ok(fabs(mean - at[i]) < .01 && fabs(rate - p) <= 3 * sd, name);
    }
    lm_buf_free(&b);
    printf("1..%d\n", count);
    return failed != 0;
}
