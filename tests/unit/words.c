/* The kernels that encoding stands on, wordids, merge, positions, bytesets: every level of this
   machine equals ref on random tables and texts, the last byte just before a page that may not be
   touched or the first one just behind one. */
#include "babble.h"
#include "tap.h"
#include "kernels/cpu.h"
#include "kernels/data.h"
#include <sys/mman.h>
#include <unistd.h>

enum { MAPPED = 16 }; /* pages */
static char *lo, *hi; /* what may be touched: from the end of a page to the beginning of another */

static bool map_pages(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *p =
        mmap(NULL, (MAPPED + 2) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    lo = p + page;
    hi = lo + MAPPED * page;
    return p != MAP_FAILED && !mprotect(p, page, PROT_NONE) && !mprotect(hi, page, PROT_NONE);
}

static void noise(void *p, size_t n)
{
    unsigned char *c = p;

    for (size_t i = 0; i < n; i++)
        c[i] = (unsigned char)rnd(256);
}

/* --- wordids --- */

typedef struct {
    lm_wordtab tab;
    lm_shortline *few;
    lm_longline *many;
    char word[4000][16]; /* some of those in it; the last byte is the length */
    size_t n;
} words;

/* A word of n bytes, of few letters or of any, zeros too. */
static void make_word(char *w, size_t n)
{
    uint64_t kind = rnd(3);

    for (size_t i = 0; i < n; i++)
        w[i] = kind == 2 ? (char)rnd(256) : "ab\0\xff"[rnd(kind ? 4 : 2)];
}

static void put_word(words *t, const char *w, size_t n)
{
    uint64_t k[2] = {0, 0};
    uint32_t id = rnd(9) ? (uint32_t)rnd(1 << 24) : 0;
    size_t i = 0;
    bool put;

    memcpy(k, w, n);
    if (n <= LM_WORD_SHORT) {
        uint64_t key = k[0] | (uint64_t)n << 56;
        lm_shortline *line = t->few + (lm_short_hash(key) >> t->tab.fewshift);

        while (i < LM_SHORT_WAYS && line->key[i] && line->key[i] != key)
            i++;
        if ((put = i < LM_SHORT_WAYS && !line->key[i])) {
            line->key[i] = key;
            line->id[i] = id;
        }
    } else {
        lm_longline *line;

        k[1] |= (uint64_t)n << 56;
        line = t->many + (lm_long_hash(k[0], k[1]) >> t->tab.manyshift);
        while (i < LM_LONG_WAYS && line->key[i][1] && memcmp(line->key[i], k, sizeof k))
            i++;
        if ((put = i < LM_LONG_WAYS && !line->key[i][1])) {
            memcpy(line->key[i], k, sizeof k);
            line->id[i] = id;
        }
    }
    if (put && t->n < LM_COUNT(t->word)) {
        memcpy(t->word[t->n], w, n);
        t->word[t->n++][15] = (char)n;
    }
}

/* 1 << bits lines; tries: words to put, so that all lines, some or none are full. */
static void make_words(words *t, unsigned bits, size_t tries)
{
    size_t lines = (size_t)1 << bits;

    t->n = 0;
    t->few = lm_alloc_huge(lines * sizeof *t->few);
    t->many = lm_alloc_huge(lines * sizeof *t->many);
    t->tab = (lm_wordtab){t->few, t->many, 64 - bits, 64 - bits};
    for (size_t i = 0; i < lines; i++) {
        t->few[i].id[LM_SHORT_WAYS] = LM_WORD_NONE;
        t->many[i].id[LM_LONG_WAYS] = LM_WORD_NONE;
    }
    for (size_t i = 0; i < tries; i++) {
        char w[LM_WORD_LONG];
        size_t n = 1 + rnd(LM_WORD_LONG);

        make_word(w, n);
        put_word(t, w, n);
    }
}

static void free_words(words *t, unsigned bits)
{
    lm_free_huge(t->few, sizeof *t->few << bits);
    lm_free_huge(t->many, sizeof *t->many << bits);
}

/* A word for a text: one of the table, one of those with another byte or length, or any. */
static size_t some_word(const words *t, char *to)
{
    size_t n = 1 + rnd(20);

    make_word(to, n);
    if (t->n && rnd(4)) {
        const char *w = t->word[rnd(t->n)];

        n = (size_t)w[15];
        memcpy(to, w, n);
        if (!rnd(4))
            to[rnd(n)] ^= (char)(1 << rnd(8));
        if (!rnd(8))
            n = n > 1 && rnd(2) ? n - 1 : n + 1;
    }
    return n;
}

/* k words, the first at `at` of a text of `left` bytes, in both ways; what lies behind the answers
   stays as it is. */
static bool same_words(const lm_data_ops *op, const words *t, const char *p, size_t left, size_t at,
                       const uint32_t *end, size_t k)
{
    static uint32_t want[400], have[400];
    static uint16_t missed[400], absent[400];
    size_t n, m;

    memset(have, 0xa5, sizeof have);
    memset(want, 0xa5, sizeof want);
    n = lm_wordids_ref(&t->tab, p, left, at, end, k, want, missed);
    m = op->wordids(&t->tab, p, left, at, end, k, have, absent);
    return m == n && !memcmp(have, want, sizeof want) &&
           (!n || !memcmp(missed, absent, n * sizeof *missed));
}

/* Texts of k words at either end of what may be read, and with more behind them. */
static bool same_texts(const lm_data_ops *op, const words *t, size_t k)
{
    char text[300 * 20 + 64];
    uint32_t end[300];
    size_t at = rnd(3) ? 0 : rnd(20), n = at, more = rnd(2) ? 0 : rnd(40);
    char *p;

    noise(text, at);
    for (size_t j = 0; j < k; j++)
        end[j] = (uint32_t)(n += some_word(t, text + n));
    noise(text + n, more);
    p = hi - n - more;
    memcpy(p, text, n + more);
    if (!same_words(op, t, p, n + more, at, end, k))
        return false;
    memcpy(lo, text, n + more);
    return same_words(op, t, lo, n + more, at, end, k);
}

static bool wordids(const lm_data_ops *op)
{
    static words t;
    bool good = true;

    for (unsigned bits = 1; bits <= 9; bits++)
        for (size_t fill = 0; fill < 4; fill++) {
            make_words(&t, bits, ((size_t)20 << bits) * fill * fill);
            for (size_t k = 0; good && k < 300; k += k < 40 ? 1 : 37)
                for (int turn = 0; good && turn < 8; turn++)
                    good = same_texts(op, &t, k);
            for (size_t n = 1; good && n <= 20; n++) /* one word, at the very end */
                for (int turn = 0; good && turn < 20; turn++) {
                    uint32_t end = (uint32_t)n;

                    make_word(hi - n, n);
                    if (n <= LM_WORD_LONG && turn % 2)
                        put_word(&t, hi - n, n);
                    good = same_words(op, &t, hi - n, n, 0, &end, 1);
                }
            free_words(&t, bits);
        }
    return good;
}

/* --- merge --- */

typedef struct {
    lm_jointab tab;
    uint64_t *slot;
    uint32_t id[64]; /* of which pairs are made */
    size_t n;
} joins;

/* 8 << bits slots, `pairs` of them taken, by pairs of n ids. */
static void make_joins(joins *t, unsigned bits, size_t n, size_t pairs)
{
    size_t slots = (size_t)8 << bits, tries = 0;

    t->slot = lm_alloc_huge(slots * sizeof *t->slot);
    memset(t->slot, 0xff, slots * sizeof *t->slot);
    t->tab = (lm_jointab){t->slot, bits};
    t->n = n;
    for (size_t i = 0; i < n; i++)
        t->id[i] = i == 0 ? 0 : i == 1 ? LM_MERGE_NONE - 1 : (uint32_t)rnd(LM_MERGE_NONE);
    while (pairs && tries++ < 100000) {
        uint32_t left = t->id[rnd(n)], right = t->id[rnd(n)];
        uint64_t pair = (uint64_t)left << 21 | right, h = lm_pair_line(pair, bits) * 8;

        if (lm_join(&t->tab, left, right) != LM_JOIN_NONE)
            continue;
        while (t->slot[h] != UINT64_MAX)
            h = (h + 1) % slots;
        t->slot[h] = pair << 22 | t->id[rnd(n)];
        pairs--;
    }
}

static bool same_merges(const lm_data_ops *op, const joins *t, size_t count, size_t length)
{
    uint16_t(*id)[LM_MERGE_MAX] = (void *)(hi - count * sizeof *id);
    uint16_t(*to)[LM_MERGE_MAX] = (void *)((char *)id - count * sizeof *to);
    uint8_t *n = (uint8_t *)to - count;
    uint16_t(*want)[LM_MERGE_MAX], (*into)[LM_MERGE_MAX];
    uint8_t *left;
    bool good = true;

    noise(n, (size_t)(hi - (char *)n));
    for (size_t w = 0; w < count; w++) {
        n[w] = (uint8_t)(length ? length : 1 + rnd(LM_MERGE_MAX));
        for (size_t i = 0; i < n[w]; i++)
            id[w][i] = (uint16_t)t->id[rnd(t->n)];
        for (size_t i = 0; i + 1 < n[w]; i++) {
            uint32_t made = lm_join(&t->tab, id[w][i], id[w][i + 1]);

            to[w][i] = made == LM_JOIN_NONE ? LM_MERGE_NONE : (uint16_t)made;
        }
        to[w][n[w] - 1] = LM_MERGE_NONE;
    }
    want = lm_memdup(id, count * sizeof *id);
    into = lm_memdup(to, count * sizeof *to);
    left = lm_memdup(n, count);
    lm_merge_ref(&t->tab, count, want, into, left);
    op->merge(&t->tab, count, id, to, n);
    for (size_t w = 0; w < count; w++)
        good &= n[w] == left[w] && !memcmp(id[w], want[w], n[w] * sizeof **id);
    free(want);
    free(into);
    free(left);
    return good;
}

static bool merges(const lm_data_ops *op)
{
    static const size_t count[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 33, 100};
    /* lines as a power of 2, ids, pairs: few, as many as an index has, nearly every slot taken */
    static const size_t table[][3] = {{1, 3, 0},     {1, 3, 5},     {1, 5, 15},      {2, 6, 30},
                                      {4, 16, 60},   {4, 20, 127},  {6, 30, 250},    {6, 40, 511},
                                      {9, 64, 2000}, {9, 64, 4000}, {12, 64, 10000}, {3, 8, 63}};
    bool good = true;

    for (size_t i = 0; i < LM_COUNT(table); i++) {
        joins t;

        make_joins(&t, (unsigned)table[i][0], table[i][1], table[i][2]);
        for (size_t c = 0; c < LM_COUNT(count); c++)
            for (size_t length = 0; good && length <= LM_MERGE_MAX; length++)
                good = same_merges(op, &t, count[c], length);
        lm_free_huge(t.slot, sizeof *t.slot * 8 << table[i][0]);
    }
    return good;
}

/* --- positions --- */

static bool positions(const lm_data_ops *op)
{
    static uint32_t want[64 * 64 + 64], have[64 * 64 + 64];
    bool good = true;

    for (size_t n = 0; n <= 64; n++)
        for (unsigned density = 0; good && density <= 64; density++) {
            uint64_t *mask = (uint64_t *)(void *)(n % 2 ? lo : hi - 8 * n);
            size_t k;

            for (size_t i = 0; i < n; i++) {
                mask[i] = 0;
                for (unsigned bit = 0; bit < 64; bit++)
                    mask[i] |= (uint64_t)(rnd(64) < density) << bit;
            }
            memset(have, 0xa5, sizeof have);
            k = lm_positions_ref(mask, n, want);
            good = op->positions(mask, n, have) == k && !memcmp(have, want, k * sizeof *want);
            for (size_t i = k + 63; i < LM_COUNT(have); i++)
                good &= have[i] == 0xa5a5a5a5;
        }
    return good;
}

/* --- bytesets --- */

static bool bytesets(const lm_data_ops *op)
{
    bool good = true;

    for (size_t nset = 0; nset <= 15; nset++)
        for (size_t n = 0; n <= 330; n++)
            for (size_t gap = 0; good && gap < 3; gap++) {
                uint64_t want[7 * 16], have[7 * 16];
                lm_byteset set[15];
                char *p = gap == 2 ? lo : hi - n - gap;

                noise(set, sizeof set);
                noise(p, n + (gap == 1));
                for (size_t i = 0; gap && i < n; i++)
                    p[i] &= 127;
                memset(want, 0xa5, sizeof want);
                memset(have, 0xa5, sizeof have);
                lm_bytesets_ref(p, n, set, nset, want);
                op->bytesets(p, n, set, nset, have);
                good = !memcmp(have, want, sizeof want);
            }
    return good;
}

int main(void)
{
    static const struct {
        const char *name;
        bool (*same)(const lm_data_ops *op);
    } kernel[] = {{"wordids", wordids},
                  {"merge", merges},
                  {"positions", positions},
                  {"bytesets", bytesets}};

    ok(map_pages(), "pages that may not be touched");
    for (int level = LM_CPU_REF + 1; level <= lm_cpu_best(); level++)
        for (size_t i = 0; i < LM_COUNT(kernel); i++) {
            char name[64];

            snprintf(name, sizeof name, "%s: %s = ref", kernel[i].name, lm_cpu_name(level));
            ok(kernel[i].same(lm_data_at(level)), name);
        }
    return done();
}
