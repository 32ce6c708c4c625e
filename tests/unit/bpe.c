/* The trainer against a plain one; words counted by many tables, within little memory, in any
 * order. */
#include "babble.h"
#include "tap.h"

/* A list of words; the bytes are kept. */
typedef struct {
    lm_word *v;
    size_t n, cap;
    lm_arena *text;
} list;

static int keep(void *ctx, const lm_word *w)
{
    list *l = ctx;

    LM_GROW(l->v, l->n, l->cap);
    l->v[l->n++] = (lm_word){lm_arena_str(l->text, w->s), w->n};
    return 0;
}

static int by_bytes(const void *a, const void *b)
{
    return lm_cmp(((const lm_word *)a)->s, ((const lm_word *)b)->s);
}

static list new_list(void)
{
    return (list){.text = lm_arena_new()};
}

static void list_free(list *l)
{
    free(l->v);
    lm_arena_free(l->text);
}

/* --- the trainer by its rules, counting everything anew at each step --- */

typedef struct {
    uint32_t *s;
    size_t n;
    uint64_t mult;
} word;

static void plain_train(const lm_word *w, size_t n, const lm_bpe_opt *o, lm_buf *log)
{
    word *v = lm_zalloc(n, sizeof *v);
    lm_buf tok[600] = {{0}};
    size_t ntok = 0;
    static int64_t pairs[600][600];

    for (uint32_t cp = 0; cp < 512; cp++)
        if (lm_bytechar_back(cp) >= 0)
            lm_buf_addc(&tok[ntok++], (char)lm_bytechar_back(cp));
    for (size_t i = 0; i < n; i++) {
        v[i] = (word){lm_reallocn(NULL, w[i].s.n, 4), w[i].s.n, w[i].n};
        for (size_t k = 0; k < v[i].n; k++)
            for (uint32_t t = 0; t < 256; t++)
                if (tok[t].p[0] == w[i].s.p[k])
                    v[i].s[k] = t;
    }
    while (ntok < o->tokens) {
        int64_t best = 0;
        uint32_t a = 0, b = 0, c = 0;
        lm_buf both = {0};

        memset(pairs, 0, sizeof pairs);
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k + 1 < v[i].n; k++)
                pairs[v[i].s[k]][v[i].s[k + 1]] += (int64_t)v[i].mult;
        for (uint32_t x = 0; x < ntok; x++)
            for (uint32_t y = 0; y < ntok; y++)
                if (pairs[x][y] > best && (!o->max_bytes || tok[x].n + tok[y].n <= o->max_bytes)) {
                    best = pairs[x][y];
                    a = x;
                    b = y;
                }
        if (best < 1 || best < (int64_t)o->min_count)
            break;
        lm_buf_add(&both, tok[a].p, tok[a].n);
        lm_buf_add(&both, tok[b].p, tok[b].n);
        while (c < ntok && !lm_eq(lm_buf_str(&tok[c]), lm_buf_str(&both)))
            c++;
        if (c == ntok)
            tok[ntok++] = both;
        else
            lm_buf_free(&both);
        lm_buf_addf(log, "%u %u\n", a, b);
        for (size_t i = 0; i < n; i++) {
            size_t to = 0;

            for (size_t k = 0; k < v[i].n; k++) {
                bool hit = k + 1 < v[i].n && v[i].s[k] == a && v[i].s[k + 1] == b;

                v[i].s[to++] = hit ? c : v[i].s[k];
                k += hit;
            }
            v[i].n = to;
        }
    }
    for (size_t i = 0; i < n; i++)
        free(v[i].s);
    for (size_t i = 0; i < ntok; i++)
        lm_buf_free(&tok[i]);
    free(v);
}

/* Trains on words by o and writes the merges to log, one a line. */
static void train(const list *l, const lm_bpe_opt *o, lm_buf *log)
{
    lm_bpe_words words = {0};
    lm_bpe b;

    for (size_t i = l->n; i-- > 0;)
        lm_bpe_add(&words, l->v[i].s, l->v[i].n);
    lm_bpe_train(&words, o, &b);
    for (size_t i = 0; i < b.nmerge; i++)
        lm_buf_addf(log, "%u %u\n", b.merge[2 * i], b.merge[2 * i + 1]);
    lm_bpe_free(&b);
}

static bool train_once(size_t letters, const lm_bpe_opt *o, uint64_t times)
{
    lm_tally *t = lm_tally_new(1 << 24, 1, NULL);
    lm_buf text = {0}, want = {0}, have = {0};
    list l = new_list();
    bool good;

    babble(&text, letters, 12);
    lm_words_text(lm_tally_words(t), lm_pre_named(LM_PRE_QWEN2), lm_buf_str(&text), false, times);
    lm_tally_each(t, false, NULL, keep, &l);
    train(&l, o, &have);
    plain_train(l.v, l.n, o, &want);
    good = lm_eq(lm_buf_str(&have), lm_buf_str(&want)) && have.n;
    lm_tally_free(t);
    list_free(&l);
    lm_buf_free(&text);
    lm_buf_free(&want);
    lm_buf_free(&have);
    return good;
}

static void merges(void)
{
    bool good = true;

    for (int i = 0; i < 20; i++)
        good &=
            train_once(200 + 40 * (size_t)i, &(lm_bpe_opt){.tokens = 256 + 30 + 5 * (size_t)i}, 1);
    ok(good, "merges: those of the plain trainer");
    ok(train_once(800, &(lm_bpe_opt){.tokens = 400, .max_bytes = 5}, 1),
       "also with a greatest length");
    ok(train_once(800, &(lm_bpe_opt){.tokens = 400, .min_count = 9}, 1), "also with a least count");
    ok(train_once(800, &(lm_bpe_opt){.tokens = 330}, 1ull << 40),
       "also with counts beyond 32 bits");
}

/* n words of two letters, up to 16 long, counted by `tables` of a tally in turn. */
static lm_tally *count_words(size_t n, size_t mem, unsigned tables, list *l)
{
    lm_tally *t = lm_tally_new(mem, tables, NULL);
    lm_words *w[8];

    seed = 7;
    for (unsigned i = 0; i < tables; i++)
        w[i] = lm_tally_words(t);
    for (size_t i = 0; i < n; i++) {
        char s[24];
        size_t len = 1 + rnd(18);

        for (size_t k = 0; k < len; k++)
            s[k] = "ab\xf0"[rnd(2 + (k == 3))];
        lm_words_add(w[rnd(n) % tables], (lm_str){s, len}, 1 + rnd(5));
    }
    ok(!lm_tally_each(t, true, NULL, keep, l), "words are counted");
    return t;
}

static bool same(const list *a, const list *b)
{
    bool good = a->n == b->n;

    for (size_t i = 0; i < a->n && good; i++)
        good = lm_eq(a->v[i].s, b->v[i].s) && a->v[i].n == b->v[i].n;
    return good;
}

static void tables(void)
{
    enum { N = 300000 };
    list one = new_list(), many = new_list(), small = new_list(), any = new_list();
    lm_tally *t = count_words(N, 1 << 30, 1, &one), *u;
    lm_pool *pool = lm_pool_new(3);
    lm_buf alone = {0}, three = {0};
    bool sorted = true;

    for (size_t i = 1; i < one.n; i++)
        sorted &= lm_cmp(one.v[i - 1].s, one.v[i].s) < 0;
    ok(sorted && !lm_tally_spilled(t), "they come in order");
    u = count_words(N, 1 << 30, 7, &many);
    ok(same(&one, &many), "seven tables: the same words");
    ok(!lm_tally_each(u, false, pool, keep, &any), "in any order too");
    qsort(any.v, any.n, sizeof *any.v, by_bytes);
    ok(same(&one, &any), "no word is lost then");
    lm_tally_free(u);
    u = count_words(N, 1 << 24, 8, &small);
    ok(lm_tally_spilled(u) && same(&one, &small), "so little memory that tables spill: the same");
    train(&one, &(lm_bpe_opt){.tokens = 5000}, &alone);
    train(&one, &(lm_bpe_opt){.tokens = 5000, .pool = pool}, &three);
    ok(alone.n && lm_eq(lm_buf_str(&alone), lm_buf_str(&three)), "three threads learn the same");
    lm_buf_free(&alone);
    lm_buf_free(&three);
    lm_pool_free(pool);
    lm_tally_free(t);
    lm_tally_free(u);
    list_free(&one);
    list_free(&many);
    list_free(&small);
    list_free(&any);
}

/* Words of every length about the limits of the tables, each next to the end of its text. */
static void lengths(size_t mem)
{
    static const size_t len[] = {1,  2,  7,  8,    9,     14,      15,      16,     17,
                                 31, 64, 65, 4096, 65536, 1 << 20, 1 << 20, 3 << 20};
    lm_tally *t = lm_tally_new(mem, 1, NULL);
    lm_words *w = lm_tally_words(t);
    list l = new_list();
    bool good = true;

    for (size_t i = 0; i < LM_COUNT(len); i++)
        for (int twice = 0; twice < 2; twice++) {
            char *p = lm_alloc(len[i]);

            memset(p, 'a', len[i]);
            good &= !lm_words_add(w, (lm_str){p, len[i]}, 1 + i);
            p[len[i] - 1] = 'b';
            good &= !lm_words_text(w, lm_pre_named(LM_PRE_GPT2), (lm_str){p, len[i]}, false, 1);
            free(p);
        }
    good &= !lm_tally_each(t, true, NULL, keep, &l);
    good &= l.n == 2 * LM_COUNT(len) - 2;
    for (size_t i = 0; i < l.n; i++)
        for (size_t k = 0; k < LM_COUNT(len); k++)
            if (l.v[i].s.n == len[k] && len[k] != 1 << 20)
                good &= l.v[i].n == (l.v[i].s.p[len[k] - 1] == 'b' ? 2 : 2 + 2 * k);
    ok(good, "words of all lengths");
    list_free(&l);
    lm_tally_free(t);
}

static void limits(void)
{
    lm_tally *t = lm_tally_new(1 << 24, 1, NULL);
    lm_words *w = lm_tally_words(t);
    lm_bpe_words b = {0};

    ok(!lm_words_add(w, LM_STR("a"), INT64_MAX) && lm_words_add(w, LM_STR("b"), 1) == LM_ELIMIT,
       "counts that reach 2^63 are refused");
    ok(!lm_bpe_add(&b, LM_STR("ab"), INT64_MAX / 4) &&
           lm_bpe_add(&b, LM_STR("abc"), INT64_MAX / 4) == LM_ELIMIT,
       "and so are pairs that would");
    lm_bpe_words_free(&b);
    lm_tally_free(t);
}

int main(void)
{
    merges();
    tables();
    lengths(1 << 30);
    lengths(1 << 24);
    limits();
    return done();
}
