/* bpe-pairs: the pairs of neighbouring symbols, their counts and words. A pair's words are all
   known when it is made, since the newer of its two symbols was made then too; so a list never
   grows, and lists stand one behind the other in one pool. */
#include "text/bpe-priv.h"

static uint64_t hash(uint64_t key)
{
    uint64_t h = (key ^ key >> 29) * 0x9e3779b97f4a7c15ull;

    return h ^ h >> 32;
}

void lm_bpe_pairs_new(lm_bpe_pairs *p, size_t expect)
{
    *p = (lm_bpe_pairs){.bits = 12};
    while (p->bits < 40 && 1ull << p->bits < 2 * expect)
        p->bits++;
    p->slot = lm_zalloc(1ull << p->bits, sizeof *p->slot);
}

void lm_bpe_pairs_free(lm_bpe_pairs *p)
{
    free(p->pair);
    free(p->slot);
    free(p->pool);
    *p = (lm_bpe_pairs){0};
}

void lm_bpe_prefetch(const lm_bpe_pairs *p, uint64_t key)
{
    __builtin_prefetch(p->slot + (hash(key) & ((1ull << p->bits) - 1)));
}

uint32_t lm_bpe_find(const lm_bpe_pairs *p, uint64_t key)
{
    uint64_t h = hash(key), mask = (1ull << p->bits) - 1, s;

    for (uint64_t i = h & mask; (s = p->slot[i]); i = (i + 1) & mask)
        if (!((s ^ h) >> 32) && p->pair[(uint32_t)s - 1].key == key)
            return (uint32_t)s - 1;
    return LM_BPE_NONE;
}

static void place(lm_bpe_pairs *p, uint64_t h, uint32_t k)
{
    uint64_t mask = (1ull << p->bits) - 1, i = h & mask;

    while (p->slot[i])
        i = (i + 1) & mask;
    p->slot[i] = (h >> 32 << 32) | (k + 1);
}

/* Makes the table anew, larger if need be. Pairs that occur no more are left out: none comes back.
 */
static void grow(lm_bpe_pairs *p)
{
    size_t live = 0;

    for (size_t k = 0; k < p->n; k++)
        live += p->pair[k].count != 0;
    p->bits += live * 3 >= 1ull << p->bits;
    free(p->slot);
    p->slot = lm_zalloc(1ull << p->bits, sizeof *p->slot);
    p->used = live;
    for (size_t k = 0; k < p->n; k++)
        if (p->pair[k].count)
            place(p, hash(p->pair[k].key), (uint32_t)k);
}

void lm_bpe_pair_add(lm_bpe_pairs *p, lm_bpe_pair pair)
{
    LM_GROW(p->pair, p->n, p->cap);
    if (p->used * 2 >= 1ull << p->bits)
        grow(p);
    p->pair[p->n] = pair;
    place(p, hash(pair.key), (uint32_t)p->n++);
    p->used++;
}

const uint32_t *lm_bpe_list(const lm_bpe_pairs *p, uint64_t words, uint32_t *one, size_t *n)
{
    uint64_t got;

    if (words & LM_BPE_ONE || !words) {
        *one = (uint32_t)words;
        *n = words != 0;
        return one;
    }
    memcpy(&got, p->pool + words - 1, 8);
    *n = (size_t)got;
    return p->pool + words + 1;
}

uint32_t *lm_bpe_list_new(lm_bpe_pairs *p, size_t n, uint64_t *words)
{
    uint64_t put = n;
    uint32_t *to;

    if (p->npool + n + 2 > p->cappool) {
        p->cappool = p->cappool + p->cappool / 2 + n + 65536;
        p->pool = lm_reallocn(p->pool, p->cappool, sizeof *p->pool);
    }
    to = p->pool + p->npool;
    memcpy(to, &put, 8);
    *words = p->npool + 1;
    p->npool += n + 2;
    return to + 2;
}

/* --- the pairs of bytes, before the first merge --- */

enum { PAIRS = 1 << 16 };
struct part {
    size_t from, to; /* words of this part: places in v */
    uint64_t count[PAIRS], at[PAIRS];
    uint32_t n[PAIRS], last[PAIRS]; /* last: 1 + the place of the last word noted */
};
struct counting {
    lm_bpe_words *w;
    const uint32_t *id;
    struct part **part;
    uint32_t *pool;
};

static void tally(void *ctx, size_t k, unsigned thread)
{
    struct counting *c = ctx;
    struct part *p = c->part[k];

    (void)thread;
    for (size_t i = p->from; i < p->to; i += LM_BPE_HEAD + c->w->v[i]) {
        const uint32_t *x = c->w->v + i, *s = x + LM_BPE_HEAD;
        uint64_t times = x[1] | (uint64_t)x[2] << 32;

        for (uint32_t j = 0; j + 1 < x[0]; j++) {
            uint32_t both = s[j] << 8 | s[j + 1];

            p->count[both] += times;
            p->n[both] += p->last[both] != i + 1;
            p->last[both] = (uint32_t)i + 1;
        }
    }
}

static void fill(void *ctx, size_t k, unsigned thread)
{
    struct counting *c = ctx;
    struct part *p = c->part[k];

    (void)thread;
    memset(p->last, 0, sizeof p->last);
    for (size_t i = p->from; i < p->to; i += LM_BPE_HEAD + c->w->v[i]) {
        uint32_t *x = c->w->v + i, *s = x + LM_BPE_HEAD;

        for (uint32_t j = 0; j + 1 < x[0]; j++) {
            uint32_t both = s[j] << 8 | s[j + 1];

            if (p->last[both] != i + 1)
                c->pool[p->at[both]++] = (uint32_t)i;
            p->last[both] = (uint32_t)i + 1;
            s[j] = c->id[s[j]];
        }
        s[x[0] - 1] = c->id[s[x[0] - 1]];
    }
}

/* The pairs' lists, one behind the other; each part gets its stretch of each list. */
static void lay_out(struct counting *c, size_t parts, lm_bpe_pairs *p)
{
    for (uint32_t both = 0; both < PAIRS; both++) {
        uint64_t n = 0, count = 0, words;

        for (size_t i = 0; i < parts; i++) {
            n += c->part[i]->n[both];
            count += c->part[i]->count[both];
        }
        if (!n)
            continue;
        lm_bpe_list_new(p, n, &words);
        for (size_t i = 0; i < parts; i++) {
            c->part[i]->at[both] =
                i ? c->part[i - 1]->at[both] + c->part[i - 1]->n[both] : words + 1;
        }
        lm_bpe_pair_add(p, (lm_bpe_pair){(uint64_t)c->id[both >> 8] << 32 | c->id[both & 255],
                                         (int64_t)count, words});
    }
}

void lm_bpe_count(lm_bpe_words *w, const uint32_t id[256], lm_pool *pool, lm_bpe_pairs *p)
{
    size_t parts = w->n < 1 << 18 ? 1 : lm_pool_size(pool), at = 0;
    struct counting c = {.w = w, .id = id, .part = lm_zalloc(parts, sizeof *c.part)};

    for (size_t k = 0; k < parts; k++) {
        c.part[k] = lm_zalloc(1, sizeof *c.part[k]);
        c.part[k]->from = at;
        while (at < w->n / parts * (k + 1) || (k + 1 == parts && at < w->n))
            at += LM_BPE_HEAD + w->v[at];
        c.part[k]->to = at;
    }
    lm_pool_run(pool, parts, tally, &c);
    lay_out(&c, parts, p);
    c.pool = p->pool;
    lm_pool_run(pool, parts, fill, &c);
    for (size_t k = 0; k < parts; k++)
        free(c.part[k]);
    free(c.part);
}
