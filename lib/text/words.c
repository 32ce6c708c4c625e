/* words: an open table of words over an arena; linear probing, load <= 1/2, 24 bytes an entry. */
#include "text/words.h"

typedef struct {
    const char *p;
    uint32_t n, hash;
    uint64_t count;
} slot; /* p NULL = free */

struct lm_words {
    slot *tab;
    size_t n, cap;
    lm_arena *text;
    lm_dict longer; /* words of 4 GiB and more have no place in a slot */
};

lm_words *lm_words_new(void)
{
    lm_words *w = lm_zalloc(1, sizeof *w);

    w->cap = 1 << 12;
    w->tab = lm_zalloc(w->cap, sizeof *w->tab);
    w->text = lm_arena_new();
    return w;
}

void lm_words_free(lm_words *w)
{
    if (!w)
        return;
    free(w->tab);
    lm_arena_free(w->text);
    lm_dict_free(&w->longer);
    free(w);
}

static void grow(lm_words *w)
{
    slot *old = w->tab;
    size_t n = w->cap;

    w->cap *= 2;
    w->tab = lm_zalloc(w->cap, sizeof *w->tab);
    for (size_t i = 0; i < n; i++)
        if (old[i].p) {
            size_t k = old[i].hash & (w->cap - 1);

            while (w->tab[k].p)
                k = (k + 1) & (w->cap - 1);
            w->tab[k] = old[i];
        }
    free(old);
}

void lm_words_add(lm_words *w, lm_str s, uint64_t n)
{
    uint32_t h;
    size_t i;

    if (s.n > UINT32_MAX) {
        *lm_dict_put(&w->longer, s, 0) += n;
        return;
    }
    h = (uint32_t)lm_hash64(s.p, s.n, 0);
    for (i = h & (w->cap - 1); w->tab[i].p; i = (i + 1) & (w->cap - 1))
        if (w->tab[i].hash == h && w->tab[i].n == s.n && !memcmp(w->tab[i].p, s.p, s.n)) {
            w->tab[i].count += n;
            return;
        }
    w->tab[i] = (slot){lm_arena_str(w->text, s).p, (uint32_t)s.n, h, n};
    if (++w->n * 2 >= w->cap)
        grow(w);
}

static int one_text(lm_words *w, const lm_pre *pre, lm_str t, uint64_t weight)
{
    size_t end[256], from = 0, k;
    lm_scan_pos at = {0};

    while ((k = lm_scan(pre, t.p, t.n, &at, end, LM_COUNT(end))))
        for (size_t i = 0; i < k; from = end[i++])
            lm_words_add(w, (lm_str){t.p + from, end[i] - from}, weight);
    return at.err;
}

int lm_words_text(lm_words *w, const lm_pre *pre, lm_str t, bool lines, uint64_t weight)
{
    int err = 0;

    if (!lines)
        return one_text(w, pre, t, weight);
    for (size_t i = 0, n; i < t.n && err >= 0; i += n) {
        const char *lf = memchr(t.p + i, '\n', t.n - i);

        n = lf ? (size_t)(lf - t.p) + 1 - i : t.n - i;
        err = one_text(w, pre, (lm_str){t.p + i, n}, weight);
    }
    return err;
}

void lm_words_join(lm_words *into, const lm_words *from)
{
    lm_str key;
    uint64_t *val;

    for (size_t i = 0; i < from->cap; i++)
        if (from->tab[i].p)
            lm_words_add(into, (lm_str){from->tab[i].p, from->tab[i].n}, from->tab[i].count);
    for (size_t i = 0; lm_dict_each(&from->longer, &i, &key, &val);)
        lm_words_add(into, key, *val);
}

size_t lm_words_count(const lm_words *w)
{
    return w->n + w->longer.n;
}

static int by_bytes(const void *a, const void *b)
{
    return lm_cmp(((const lm_word *)a)->s, ((const lm_word *)b)->s);
}

size_t lm_words_sorted(const lm_words *w, lm_word **out)
{
    lm_word *v = lm_reallocn(NULL, lm_words_count(w) + 1, sizeof *v);
    size_t n = 0;
    lm_str key;
    uint64_t *val;

    for (size_t i = 0; i < w->cap; i++)
        if (w->tab[i].p)
            v[n++] = (lm_word){{w->tab[i].p, w->tab[i].n}, w->tab[i].count};
    for (size_t i = 0; lm_dict_each(&w->longer, &i, &key, &val);)
        v[n++] = (lm_word){key, *val};
    qsort(v, n, sizeof *v, by_bytes);
    *out = v;
    return n;
}
