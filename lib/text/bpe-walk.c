/* bpe-walk: one merge in all words of its pair. What changes is the same few pairs again and again,
   so changes are added up by neighbour first: the table of pairs is asked once for each, not once
   for each word. A long list is cut among threads; each stretch keeps its place, so the result is
   that of one thread. */
#include "text/bpe-priv.h"

enum { SHARED = 8192, AHEAD = 8 }; /* words from which on threads help; words to fetch ahead */

/* A neighbour: in how many words, the last of them (1 + place), and where its next word goes. */
typedef struct {
    uint32_t n, last, all; /* all: its number among the sides of all threads */
    int64_t times;
    size_t at;
} group;
typedef struct {
    uint32_t *of; /* the group of neighbour 2 * id + side; NONE */
    size_t capof;
    uint32_t *key; /* 2 * id + side of each group */
    group *g;
    size_t ng, capg, capkey;
    uint64_t *ev; /* group << 32 | word */
    size_t nev, capev;
} hand;

struct lm_bpe_walk {
    lm_pool *pool;
    hand *hand;
    size_t hands; /* in use for this merge */
    hand sum;
    lm_bpe_side *side;
    uint32_t **to; /* of each side: where its words go, NULL: into the side itself */
    size_t capside, capto;
    lm_bpe_words *w;
    const uint32_t *list, *merge;
    size_t n;
};

lm_bpe_walk *lm_bpe_walk_new(lm_pool *pool)
{
    lm_bpe_walk *k = lm_zalloc(1, sizeof *k);

    k->pool = pool;
    k->hand = lm_zalloc(lm_pool_size(pool), sizeof *k->hand);
    return k;
}

static void hand_free(hand *h)
{
    free(h->of);
    free(h->key);
    free(h->g);
    free(h->ev);
}

void lm_bpe_walk_free(lm_bpe_walk *k)
{
    for (size_t i = 0; i < lm_pool_size(k->pool); i++)
        hand_free(&k->hand[i]);
    hand_free(&k->sum);
    free(k->hand);
    free(k->side);
    free(k->to);
    free(k);
}

static void ready(hand *h, size_t ids)
{
    for (size_t i = 0; i < h->ng; i++)
        h->of[h->key[i]] = LM_BPE_NONE;
    h->ng = h->nev = 0;
    if (2 * ids > h->capof) {
        size_t cap = 4 * ids;

        h->of = lm_reallocn(h->of, cap, sizeof *h->of);
        memset(h->of + h->capof, 0xff, (cap - h->capof) * sizeof *h->of);
        h->capof = cap;
    }
}

static uint32_t group_of(hand *h, uint32_t key)
{
    uint32_t i = h->of[key];

    if (i != LM_BPE_NONE)
        return i;
    LM_GROW(h->g, h->ng, h->capg);
    LM_GROW(h->key, h->ng, h->capkey);
    h->g[h->ng] = (group){0};
    h->key[h->ng] = key;
    h->of[key] = (uint32_t)h->ng;
    return (uint32_t)h->ng++;
}

static void note(hand *h, uint32_t key, int64_t times, uint32_t word)
{
    uint32_t i = group_of(h, key);
    group *g = &h->g[i];

    g->times += times;
    if (g->last == word + 1)
        return;
    g->last = word + 1;
    g->n++;
    LM_GROW(h->ev, h->nev, h->capev);
    h->ev[h->nev++] = (uint64_t)i << 32 | word;
}

static void one_word(hand *h, uint32_t *x, uint32_t word, const uint32_t merge[3])
{
    uint32_t n = x[0], i = 0, to, a = merge[0], b = merge[1], *s = x + LM_BPE_HEAD;
    int64_t times = (int64_t)(x[1] | (uint64_t)x[2] << 32);

    while (i + 1 < n && !(s[i] == a && s[i + 1] == b))
        i++;
    if (i + 1 >= n)
        return;
    for (to = i; i < n;) {
        if (s[i] != a || i + 1 == n || s[i + 1] != b) {
            s[to++] = s[i++];
            continue;
        }
        if (to)
            note(h, 2 * s[to - 1], times, word);
        if (i + 2 < n)
            note(h, 2 * s[i + 2] + 1, times, word);
        s[to++] = merge[2];
        i += 2;
    }
    x[0] = to;
}

static void stretch(void *ctx, size_t i, unsigned thread)
{
    lm_bpe_walk *k = ctx;
    size_t from = k->n / k->hands * i, end = i + 1 == k->hands ? k->n : k->n / k->hands * (i + 1);

    (void)thread;
    for (size_t j = from; j < end; j++) {
        if (j + AHEAD < end)
            __builtin_prefetch(k->w->v + k->list[j + AHEAD]);
        one_word(&k->hand[i], k->w->v + k->list[j], k->list[j], k->merge);
    }
}

static void hand_in(void *ctx, size_t i, unsigned thread)
{
    lm_bpe_walk *k = ctx;
    hand *h = &k->hand[i];

    (void)thread;
    for (size_t j = 0; j < h->nev; j++) {
        group *g = &h->g[h->ev[j] >> 32];

        k->to[g->all][g->at++] = (uint32_t)h->ev[j];
    }
}

/* The groups of all hands, in the order in which one hand would have met them. */
static void sum_up(lm_bpe_walk *k)
{
    for (size_t i = 0; i < k->hands; i++) {
        hand *h = &k->hand[i];

        for (size_t j = 0; j < h->ng; j++) {
            uint32_t all = group_of(&k->sum, h->key[j]);

            h->g[j].all = all;
            h->g[j].at = k->sum.g[all].n;
            k->sum.g[all].n += h->g[j].n;
            k->sum.g[all].times += h->g[j].times;
        }
    }
}

size_t lm_bpe_walk_words(lm_bpe_walk *k, lm_bpe_words *w, lm_bpe_pairs *p, uint64_t list,
                         const uint32_t merge[3], size_t ids, const lm_bpe_side **sides)
{
    uint32_t one;

    k->list = lm_bpe_list(p, list, &one, &k->n);
    k->w = w;
    k->merge = merge;
    k->hands = k->n < SHARED ? 1 : lm_pool_size(k->pool);
    for (size_t i = 0; i < k->hands; i++)
        ready(&k->hand[i], ids);
    ready(&k->sum, ids);
    lm_pool_run(k->pool, k->hands, stretch, k);
    sum_up(k);
    if (k->sum.ng > k->capside) {
        k->capside = k->sum.capg;
        k->side = lm_reallocn(k->side, k->capside, sizeof *k->side);
        k->to = lm_reallocn(k->to, k->capside, sizeof *k->to);
    }
    /* Room first, all of it: the pool may move. */
    for (size_t i = 0; i < k->sum.ng; i++) {
        const group *g = &k->sum.g[i];
        lm_bpe_side *s = &k->side[i];

        *s = (lm_bpe_side){k->sum.key[i] & 1, k->sum.key[i] >> 1, g->times, 0};
        if (g->n > 1)
            lm_bpe_list_new(p, g->n, &s->words);
    }
    for (size_t i = 0; i < k->sum.ng; i++) {
        lm_bpe_side *s = &k->side[i];

        k->to[i] = s->words ? p->pool + s->words + 1 : &k->sum.g[i].last;
    }
    lm_pool_run(k->pool, k->hands, hand_in, k);
    for (size_t i = 0; i < k->sum.ng; i++)
        if (!k->side[i].words)
            k->side[i].words = LM_BPE_ONE | k->sum.g[i].last;
    *sides = k->side;
    return k->sum.ng;
}
