/* words: the table of one thread. Nearly all pretokens have at most 15 bytes: those are 16-byte
   keys in the table itself, found in batches: keys, hashes and prefetches first, counts after.
   Longer ones stand in an arena, in a second table. */
#include "text/words-priv.h"

enum { BATCH = 256, HUGE_FROM = 2 << 20 };

/* Large tables get huge pages: half of a look-up beyond the caches is finding the page. */
static void *table_new(size_t n, size_t each)
{
    return n * each < HUGE_FROM ? lm_zalloc(n, each) : lm_alloc_huge(n * each);
}

static void table_free(void *p, size_t n, size_t each)
{
    if (n * each < HUGE_FROM)
        free(p);
    else
        lm_free_huge(p, n * each);
}

lm_words *lm_words_new(lm_tally *t, size_t budget)
{
    lm_words *w = lm_zalloc(1, sizeof *w);

    w->tally = t;
    w->budget = budget;
    w->shorts.bits = w->longs.bits = 10;
    w->shorts.tab = lm_zalloc(1u << 10, sizeof *w->shorts.tab);
    w->longs.tab = lm_zalloc(1u << 10, sizeof *w->longs.tab);
    w->text = lm_arena_new();
    w->end = lm_reallocn(NULL, LM_SCAN_BATCH, sizeof *w->end);
    return w;
}

void lm_words_free(lm_words *w)
{
    if (!w)
        return;
    table_free(w->shorts.tab, (size_t)1 << w->shorts.bits, sizeof *w->shorts.tab);
    table_free(w->longs.tab, (size_t)1 << w->longs.bits, sizeof *w->longs.tab);
    lm_arena_free(w->text);
    free(w->end);
    free(w);
}

void lm_words_clear(lm_words *w)
{
    memset(w->shorts.tab, 0, sizeof *w->shorts.tab << w->shorts.bits);
    memset(w->longs.tab, 0, sizeof *w->longs.tab << w->longs.bits);
    lm_arena_reset(w->text);
    w->shorts.n = w->longs.n = w->bytes = 0;
}

/* Whether a table of n entries of `each` bytes may be made beside those there are. */
static bool may_grow(const lm_words *w, size_t n, size_t each)
{
    size_t have = (sizeof *w->shorts.tab << w->shorts.bits) +
                  (sizeof *w->longs.tab << w->longs.bits) + w->bytes;

    return have + n * each <= w->budget;
}

static int grow_short(lm_words *w)
{
    lm_word_short *old = w->shorts.tab;
    size_t n = (size_t)1 << w->shorts.bits;

    if (!may_grow(w, 2 * n, sizeof *old))
        return lm_words_spill(w);
    w->shorts.tab = table_new(2 * n, sizeof *old);
    w->shorts.bits++;
    for (size_t i = 0; i < n; i++)
        if (old[i].k[1]) {
            size_t k = lm_long_hash(old[i].k[0], old[i].k[1]) >> (64 - w->shorts.bits);

            while (w->shorts.tab[k].k[1])
                k = (k + 1) & (2 * n - 1);
            w->shorts.tab[k] = old[i];
        }
    table_free(old, n, sizeof *old);
    return 0;
}

static int grow_long(lm_words *w)
{
    lm_word_long *old = w->longs.tab;
    size_t n = (size_t)1 << w->longs.bits;

    if (!may_grow(w, 2 * n, sizeof *old))
        return lm_words_spill(w);
    w->longs.tab = table_new(2 * n, sizeof *old);
    w->longs.bits++;
    for (size_t i = 0; i < n; i++)
        if (old[i].p) {
            size_t k = (size_t)old[i].hash << 32 >> (64 - w->longs.bits);

            while (w->longs.tab[k].p)
                k = (k + 1) & (2 * n - 1);
            w->longs.tab[k] = old[i];
        }
    table_free(old, n, sizeof *old);
    return 0;
}

static int add_short(lm_words *w, const uint64_t k[2], uint64_t hash, uint64_t times)
{
    size_t i = hash >> (64 - w->shorts.bits), mask = ((size_t)1 << w->shorts.bits) - 1;

    for (; w->shorts.tab[i].k[1]; i = (i + 1) & mask)
        if (w->shorts.tab[i].k[0] == k[0] && w->shorts.tab[i].k[1] == k[1]) {
            w->shorts.tab[i].times += times;
            return 0;
        }
    w->shorts.tab[i] = (lm_word_short){{k[0], k[1]}, times};
    return ++w->shorts.n * 2 > mask ? grow_short(w) : 0;
}

static int add_long(lm_words *w, lm_str s, uint64_t times)
{
    uint32_t h = (uint32_t)(lm_hash64(s.p, s.n, 0) >> 32);
    size_t i = (size_t)h << 32 >> (64 - w->longs.bits), mask = ((size_t)1 << w->longs.bits) - 1;
    int err;

    if (s.n > lm_tally_giant(w->tally))
        return lm_tally_add_giant(w->tally, s, times);
    for (; w->longs.tab[i].p; i = (i + 1) & mask)
        if (w->longs.tab[i].hash == h && w->longs.tab[i].n == s.n &&
            !memcmp(w->longs.tab[i].p, s.p, s.n)) {
            w->longs.tab[i].times += times;
            return 0;
        }
    if (!may_grow(w, 1, s.n + 32) && (w->longs.n || w->shorts.n)) {
        if ((err = lm_words_spill(w)) < 0)
            return err;
        return add_long(w, s, times);
    }
    w->longs.tab[i] = (lm_word_long){lm_arena_str(w->text, s).p, (uint32_t)s.n, h, times};
    w->bytes += s.n + 32;
    return ++w->longs.n * 2 > mask ? grow_long(w) : 0;
}

/* The sum of all counts stays below 2^63 - 1, and so does every count. */
static int sum(lm_words *w, uint64_t n, uint64_t times)
{
    if (__builtin_mul_overflow(n, times, &n) || __builtin_add_overflow(w->sum, n, &w->sum) ||
        w->sum > INT64_MAX)
        return lm_err(LM_ELIMIT, "the words count 2^63 or more");
    return 0;
}

int lm_words_add(lm_words *w, lm_str s, uint64_t times)
{
    uint64_t k[2];
    int err = sum(w, 1, times);

    if (err < 0)
        return err;
    if (s.n > LM_WORD_LONG)
        return add_long(w, s, times);
    lm_word_key(k, s.p, s.n, s.n);
    return add_short(w, k, lm_long_hash(k[0], k[1]), times);
}

/* n words of t, the first from at on, by their ends. */
static int batch(lm_words *w, lm_str t, size_t at, const uint32_t *end, size_t n, uint64_t times)
{
    const lm_word_short *tab = w->shorts.tab;
    unsigned shift = 64 - w->shorts.bits;
    uint64_t key[BATCH][2], hash[BATCH];
    size_t from = at;
    int err;

    for (size_t j = 0; j < n; at = end[j++]) {
        size_t len = end[j] - at;

        if (len > LM_WORD_LONG)
            continue;
        lm_word_key(key[j], t.p + at, len, t.n - at);
        hash[j] = lm_long_hash(key[j][0], key[j][1]);
        __builtin_prefetch(tab + (hash[j] >> shift), 1);
    }
    at = from;
    for (size_t j = 0; j < n; at = end[j++]) {
        size_t len = end[j] - at;

        err = len <= LM_WORD_LONG ? add_short(w, key[j], hash[j], times)
                                  : add_long(w, (lm_str){t.p + at, len}, times);
        if (err < 0)
            return err;
    }
    return sum(w, n, times);
}

/* Counts k words of t, the first from 0 on. */
static int batches(lm_words *w, lm_str t, const uint32_t *end, size_t k, uint64_t times)
{
    size_t at = 0;

    for (size_t i = 0, n; i < k; i += n, at = end[i - 1]) {
        int err;

        n = k - i < BATCH ? k - i : BATCH;
        if ((err = batch(w, t, at, end + i, n, times)) < 0)
            return err;
    }
    return 0;
}

static int one_text(lm_words *w, const lm_pre *pre, lm_str t, uint64_t times)
{
    lm_scan_pos pos = {0};
    size_t base = 0, k;
    int err = 0;

    for (; (k = lm_scan_batch(pre, t.p, t.n, &pos, w->end)); base = pos.at)
        if ((err = batches(w, (lm_str){t.p + base, t.n - base}, w->end, k, times)) < 0) {
            lm_scan_stop(&pos);
            return err;
        }
    return pos.err;
}

/* Most lines are short: many are scanned at once. */
static int each_line(lm_words *w, const lm_pre *pre, lm_str t, uint64_t times)
{
    lm_scan_pos pos = {0};
    int err = 0;

    for (size_t i = 0, n; i < t.n && err >= 0; i += n) {
        size_t k = lm_scan_lines(pre, t.p + i, t.n - i, &pos, w->end);
        const char *lf;

        if (k) {
            n = w->end[k - 1];
            err = batches(w, (lm_str){t.p + i, t.n - i}, w->end, k, times);
        } else {
            lf = memchr(t.p + i, '\n', t.n - i);
            n = lf ? (size_t)(lf - t.p) + 1 - i : t.n - i;
            err = one_text(w, pre, (lm_str){t.p + i, n}, times);
        }
    }
    return err;
}

int lm_words_text(lm_words *w, const lm_pre *pre, lm_str t, bool lines, uint64_t times)
{
    return lines ? each_line(w, pre, t, times) : one_text(w, pre, t, times);
}
