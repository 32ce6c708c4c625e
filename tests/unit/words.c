/* The kernels that encoding stands on, wordids, merge, positions, bytesets: every level of this
   machine equals ref on random tables and texts, the last byte just before a page that may not be
   touched or the first one just behind one. */
#include "babble.h"
#include "tap.h"
#include "kernels/cpu.h"
#include "kernels/data.h"
#include <sys/mman.h>
#include <unistd.h>

enum { MAPPED = 32 }; /* pages */
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

/* --- narrow, wide --- */

typedef struct {
    lm_mergetab narrow; /* no lines: wide is meant */
    lm_jointab wide;
    uint32_t id[64]; /* of which pairs are made */
    size_t n;
} joins;

static uint32_t find(const joins *t, uint32_t left, uint32_t right)
{
    return t->narrow.lines ? lm_merge_find(&t->narrow, left, right)
                           : lm_join(&t->wide, left, right);
}

static void put_narrow(const lm_mergetab *t, uint32_t left, uint32_t right, uint32_t id)
{
    lm_mergeline *line = (lm_mergeline *)t->line;
    uint32_t pair = left << 16 | right, at = lm_merge_line(pair, t->lines), k = 0;

    for (; line[at].id[LM_MERGE_WAYS - 1] != LM_NARROW_NONE; at = (at + 1) % t->lines)
        line[at].more = 1;
    while (line[at].id[k] != LM_NARROW_NONE)
        k++;
    line[at].key[k] = pair;
    line[at].id[k] = (uint16_t)id;
}

static void put_wide(const lm_jointab *t, uint32_t left, uint32_t right, uint32_t id)
{
    uint64_t *slot = (uint64_t *)t->slot, pair = (uint64_t)left << 21 | right,
             h = lm_join_line(pair, t->bits) * 8;

    while (slot[h] != UINT64_MAX)
        h = (h + 1) % (8ull << t->bits);
    slot[h] = pair << 22 | id;
}

/* 1 << bits lines, `pairs` of them, of n ids. */
static void make_joins(joins *t, bool narrow, unsigned bits, size_t n, size_t pairs)
{
    size_t size = (size_t)64 << bits, tries = 0;
    void *mem = lm_alloc_huge(size);
    uint32_t top = narrow ? LM_NARROW_NONE : (1u << 21) - 1;

    memset(mem, 0xff, size);
    *t = (joins){.n = n};
    if (narrow) {
        t->narrow = (lm_mergetab){mem, 1u << bits};
        for (size_t i = 0; i < (size_t)1 << bits; i++)
            ((lm_mergeline *)mem)[i].more = 0;
        pairs += pairs / 4; /* of ten a line, not eight */
    } else {
        t->wide = (lm_jointab){mem, bits};
    }
    for (size_t i = 0; i < n; i++)
        t->id[i] = i == 0 ? 0 : i == 1 ? top - 1 : (uint32_t)rnd(top);
    while (pairs && tries++ < 100000) {
        uint32_t left = t->id[rnd(n)], right = t->id[rnd(n)];

        if (find(t, left, right) != LM_MERGE_NONE)
            continue;
        if (narrow)
            put_narrow(&t->narrow, left, right, t->id[rnd(n)]);
        else
            put_wide(&t->wide, left, right, t->id[rnd(n)]);
        pairs--;
    }
}

static void free_joins(joins *t, unsigned bits)
{
    lm_free_huge(t->narrow.lines ? (void *)t->narrow.line : (void *)t->wide.slot,
                 (size_t)64 << bits);
}

static bool same_merges(const lm_data_ops *op, const joins *t, size_t count, size_t length)
{
    uint32_t(*id)[LM_MERGE_MAX] = (void *)(hi - count * sizeof *id);
    uint32_t(*to)[LM_MERGE_MAX] = (void *)((char *)id - count * sizeof *to);
    uint8_t *n = (uint8_t *)to - count;
    uint32_t(*want)[LM_MERGE_MAX], (*into)[LM_MERGE_MAX];
    uint8_t *left;
    bool good = true;

    noise(n, (size_t)(hi - (char *)n));
    for (size_t w = 0; w < count; w++) {
        n[w] = (uint8_t)(length ? length : 1 + rnd(LM_MERGE_MAX));
        for (size_t i = 0; i < n[w]; i++)
            id[w][i] = t->id[rnd(t->n)];
        for (size_t i = 0; i + 1 < n[w]; i++)
            to[w][i] = find(t, id[w][i], id[w][i + 1]);
        to[w][n[w] - 1] = LM_MERGE_NONE;
    }
    want = lm_memdup(id, count * sizeof *id);
    into = lm_memdup(to, count * sizeof *to);
    left = lm_memdup(n, count);
    if (t->narrow.lines) {
        lm_narrow_ref(&t->narrow, count, want, into, left);
        op->narrow(&t->narrow, count, id, to, n);
    } else {
        lm_wide_ref(&t->wide, count, want, into, left);
        op->wide(&t->wide, count, id, to, n);
    }
    for (size_t w = 0; w < count; w++)
        good &= n[w] == left[w] && !memcmp(id[w], want[w], n[w] * sizeof **id);
    free(want);
    free(into);
    free(left);
    return good;
}

static bool merges(const lm_data_ops *op, bool narrow)
{
    static const size_t count[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 33, 100, 300};
    /* lines as a power of 2, ids, pairs: few, as many as an index has, nearly every slot taken */
    static const size_t table[][3] = {{1, 3, 0},     {1, 3, 5},     {1, 5, 15},      {2, 6, 30},
                                      {4, 16, 60},   {4, 20, 127},  {6, 30, 250},    {6, 40, 511},
                                      {9, 64, 2000}, {9, 64, 4000}, {12, 64, 10000}, {3, 8, 63}};
    bool good = true;

    for (size_t i = 0; i < LM_COUNT(table); i++) {
        joins t;

        make_joins(&t, narrow, (unsigned)table[i][0], table[i][1], table[i][2]);
        for (size_t c = 0; c < LM_COUNT(count); c++)
            for (size_t length = 0; good && length <= LM_MERGE_MAX; length++)
                good = same_merges(op, &t, count[c], length);
        free_joins(&t, (unsigned)table[i][0]);
    }
    return good;
}

static bool merges_narrow(const lm_data_ops *op)
{
    return merges(op, true);
}

static bool merges_wide(const lm_data_ops *op)
{
    return merges(op, false);
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
                  {"narrow", merges_narrow},
                  {"wide", merges_wide},
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
