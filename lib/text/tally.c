/* tally: the tables of all threads as one. While everything fits they are joined part by part, each
   part by one thread; once a table had to spill, all goes through the external sort. */
#include "base/xsort.h"
#include "text/words-priv.h"
#include <pthread.h>

struct lm_tally {
    size_t mem;
    unsigned threads;
    char *tmp;
    pthread_mutex_t lock; /* of all below while threads count */
    lm_words **w;
    size_t nw, capw;
    lm_xsort *sort; /* items: count, word; key: the word's first bytes */
    lm_dict giant;  /* words too long for it */
};

lm_tally *lm_tally_new(size_t mem, unsigned threads, const char *tmp)
{
    lm_tally *t = lm_zalloc(1, sizeof *t);

    t->mem = mem < 16 << 20 ? 16 << 20 : mem;
    t->threads = threads ? threads : 1;
    t->tmp = tmp ? lm_strdup(tmp) : NULL;
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

static void drop_tables(lm_tally *t)
{
    while (t->nw)
        lm_words_free(t->w[--t->nw]);
}

void lm_tally_free(lm_tally *t)
{
    if (!t)
        return;
    drop_tables(t);
    free(t->w);
    if (t->sort)
        lm_xsort_free(t->sort);
    lm_dict_free(&t->giant);
    pthread_mutex_destroy(&t->lock);
    free(t->tmp);
    free(t);
}

/* Half for the tables, a quarter each for the sort and for joining. */
lm_words *lm_tally_words(lm_tally *t)
{
    lm_words *w = lm_words_new(t, t->mem / 2 / t->threads);

    pthread_mutex_lock(&t->lock);
    LM_GROW(t->w, t->nw, t->capw);
    t->w[t->nw++] = w;
    pthread_mutex_unlock(&t->lock);
    return w;
}

bool lm_tally_spilled(const lm_tally *t)
{
    return t->sort;
}

size_t lm_tally_giant(const lm_tally *t)
{
    return t->mem / 16 < UINT32_MAX ? t->mem / 16 : UINT32_MAX;
}

int lm_tally_add_giant(lm_tally *t, lm_str s, uint64_t times)
{
    pthread_mutex_lock(&t->lock);
    *lm_dict_put(&t->giant, s, 0) += times;
    pthread_mutex_unlock(&t->lock);
    return 0;
}

/* --- spilling --- */

static int by_word(void *ctx, lm_str a, lm_str b)
{
    (void)ctx;
    return lm_cmp((lm_str){a.p + 8, a.n - 8}, (lm_str){b.p + 8, b.n - 8});
}

static uint64_t first_bytes(lm_str s)
{
    uint64_t x = 0;

    memcpy(&x, s.p, s.n < 8 ? s.n : 8);
    return __builtin_bswap64(x);
}

static int spill_word(lm_tally *t, lm_str s, uint64_t times)
{
    return lm_xsort_add(t->sort, first_bytes(s), (lm_str){(const char *)&times, 8}, s);
}

static lm_str short_str(const lm_word_short *e)
{
    return (lm_str){(const char *)e->k, e->k[1] >> 56};
}

int lm_words_spill(lm_words *w)
{
    lm_tally *t = w->tally;
    int err = 0;

    pthread_mutex_lock(&t->lock);
    if (!t->sort)
        t->sort = lm_xsort_new(t->mem / 4, t->tmp, by_word, NULL);
    for (size_t i = 0; i < (size_t)1 << w->shorts.bits && !err; i++)
        if (w->shorts.tab[i].k[1])
            err = spill_word(t, short_str(&w->shorts.tab[i]), w->shorts.tab[i].times);
    for (size_t i = 0; i < (size_t)1 << w->longs.bits && !err; i++)
        if (w->longs.tab[i].p)
            err = spill_word(t, (lm_str){w->longs.tab[i].p, w->longs.tab[i].n},
                             w->longs.tab[i].times);
    pthread_mutex_unlock(&t->lock);
    lm_words_clear(w);
    return err;
}

static int by_bytes(const void *a, const void *b)
{
    return lm_cmp(((const lm_word *)a)->s, ((const lm_word *)b)->s);
}

static lm_word *giants(const lm_tally *t, size_t *n)
{
    lm_word *v = lm_reallocn(NULL, t->giant.n + 1, sizeof *v);
    lm_str key;
    uint64_t *val;

    *n = 0;
    for (size_t i = 0; lm_dict_each(&t->giant, &i, &key, &val);)
        v[(*n)++] = (lm_word){key, *val};
    qsort(v, *n, sizeof *v, by_bytes);
    return v;
}

/* The sorted words, equal ones added up, with the giants in their places. */
static int each_spilled(lm_tally *t, int (*f)(void *, const lm_word *), void *ctx)
{
    lm_buf cur = {0};
    lm_word *big, w = {.n = 0};
    size_t nbig, at = 0;
    lm_str item;
    int got = 0, err = 0;

    for (size_t i = 0; i < t->nw && !err; i++)
        err = lm_words_spill(t->w[i]);
    drop_tables(t);
    big = giants(t, &nbig);
    while (!err) {
        uint64_t times;

        got = lm_xsort_next(t->sort, &item);
        if (got == 1) {
            memcpy(&times, item.p, 8);
            item = (lm_str){item.p + 8, item.n - 8};
            if (w.n && lm_eq(lm_buf_str(&cur), item)) {
                w.n += times;
                continue;
            }
        }
        for (w.s = lm_buf_str(&cur); at < nbig && !err && w.n && by_bytes(&big[at], &w) < 0; at++)
            err = f(ctx, &big[at]);
        if (w.n && !err)
            err = f(ctx, &w);
        if (got != 1)
            break;
        cur.n = 0;
        lm_buf_add(&cur, item.p, item.n);
        w.n = times;
    }
    for (; at < nbig && !err && !got; at++)
        err = f(ctx, &big[at]);
    free(big);
    lm_buf_free(&cur);
    return err ? err : got;
}

/* --- joining in memory --- */

typedef struct {
    lm_word w;
    uint64_t hash;
} found;
struct part {
    lm_word *v;
    size_t n;
};
struct join {
    lm_tally *t;
    struct part part[LM_WORD_PARTS];
};

static void gather(const lm_words *w, uint64_t part, found **v, size_t *n, size_t *cap)
{
    size_t mask = ((size_t)1 << w->shorts.bits) - 1, end;

    end = (part + 1) << (w->shorts.bits - 8);
    for (size_t i = part << (w->shorts.bits - 8); i < end || w->shorts.tab[i & mask].k[1]; i++) {
        const lm_word_short *e = &w->shorts.tab[i & mask];
        uint64_t h = lm_long_hash(e->k[0], e->k[1]);

        if (!e->k[1] || h >> 56 != part)
            continue;
        LM_GROW(*v, *n, *cap);
        (*v)[(*n)++] = (found){{short_str(e), e->times}, h};
    }
    mask = ((size_t)1 << w->longs.bits) - 1;
    end = (part + 1) << (w->longs.bits - 8);
    for (size_t i = part << (w->longs.bits - 8); i < end || w->longs.tab[i & mask].p; i++) {
        const lm_word_long *e = &w->longs.tab[i & mask];

        if (!e->p || e->hash >> 24 != part)
            continue;
        LM_GROW(*v, *n, *cap);
        (*v)[(*n)++] = (found){{{e->p, e->n}, e->times}, (uint64_t)e->hash << 32};
    }
}

static void join_part(void *ctx, size_t part, unsigned thread)
{
    struct join *j = ctx;
    struct part *to = &j->part[part];
    found *v = NULL;
    size_t n = 0, cap = 0, size = 16;
    uint32_t *slot;

    (void)thread;
    for (size_t i = 0; i < j->t->nw; i++)
        gather(j->t->w[i], part, &v, &n, &cap);
    while (size < 2 * n)
        size *= 2;
    slot = lm_zalloc(size, sizeof *slot);
    to->v = lm_reallocn(NULL, n + 1, sizeof *to->v);
    for (size_t i = 0; i < n; i++) {
        size_t k = (v[i].hash << 8 >> 32) & (size - 1);

        while (slot[k] && !lm_eq(to->v[slot[k] - 1].s, v[i].w.s))
            k = (k + 1) & (size - 1);
        if (slot[k]) {
            to->v[slot[k] - 1].n += v[i].w.n;
            continue;
        }
        to->v[to->n++] = v[i].w;
        slot[k] = (uint32_t)to->n;
    }
    free(slot);
    free(v);
}

/* --- sorting in memory: by the first two bytes, then each of those buckets --- */

enum { BUCKETS = 1 << 16 };
typedef struct {
    uint64_t key; /* the first bytes: few comparisons look at the word itself */
    lm_word w;
} keyed;
struct sorting {
    keyed *v;
    size_t end[BUCKETS];
};

static int by_key(const void *a, const void *b)
{
    const keyed *x = a, *y = b;

    return x->key != y->key ? (x->key < y->key ? -1 : 1) : lm_cmp(x->w.s, y->w.s);
}

static void sort_bucket(void *ctx, size_t i, unsigned thread)
{
    struct sorting *s = ctx;
    size_t from = i ? s->end[i - 1] : 0;

    (void)thread;
    if (s->end[i] - from > 1)
        qsort(s->v + from, s->end[i] - from, sizeof *s->v, by_key);
}

/* All parts and the giants in order; the parts are freed. */
static int each_sorted(struct join *j, lm_pool *pool, int (*f)(void *, const lm_word *), void *ctx)
{
    struct sorting *s = lm_zalloc(1, sizeof *s);
    size_t n = 0;
    struct part all[LM_WORD_PARTS + 1];
    int err = 0;

    memcpy(all, j->part, sizeof j->part);
    all[LM_WORD_PARTS].v = giants(j->t, &all[LM_WORD_PARTS].n);
    for (size_t p = 0; p < LM_COUNT(all); p++)
        for (size_t i = 0; i < all[p].n; i++, n++)
            s->end[first_bytes(all[p].v[i].s) >> 48]++;
    for (size_t b = 0, at = 0; b < BUCKETS; b++) { /* for now: where it begins */
        size_t k = s->end[b];

        s->end[b] = at;
        at += k;
    }
    s->v = lm_reallocn(NULL, n + 1, sizeof *s->v);
    for (size_t p = 0; p < LM_COUNT(all); p++) {
        for (size_t i = 0; i < all[p].n; i++) {
            uint64_t key = first_bytes(all[p].v[i].s);

            s->v[s->end[key >> 48]++] = (keyed){key, all[p].v[i]};
        }
        free(all[p].v);
    }
    lm_pool_run(pool, BUCKETS, sort_bucket, s);
    for (size_t i = 0; i < n && !err; i++)
        err = f(ctx, &s->v[i].w);
    free(s->v);
    free(s);
    return err;
}

int lm_tally_each(lm_tally *t, bool sort, lm_pool *pool, int (*f)(void *ctx, const lm_word *w),
                  void *ctx)
{
    struct join j = {.t = t};
    lm_word *v;
    size_t n;
    int err = 0;

    if (t->sort)
        return each_spilled(t, f, ctx);
    lm_pool_run(pool, LM_WORD_PARTS, join_part, &j);
    if (sort)
        return each_sorted(&j, pool, f, ctx);
    for (size_t p = 0; p < LM_WORD_PARTS; p++) {
        for (size_t i = 0; i < j.part[p].n && !err; i++)
            err = f(ctx, &j.part[p].v[i]);
        free(j.part[p].v);
    }
    v = giants(t, &n);
    for (size_t i = 0; i < n && !err; i++)
        err = f(ctx, &v[i]);
    free(v);
    return err;
}
