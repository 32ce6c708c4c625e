/* bpe: learns merges. The heap holds only pairs that count at least t->floor; when it is empty, the
   floor is lowered and the heap filled anew, so the many rare pairs never pass through it. Its
   entries are corrected when they reach the top. */
#include "text/bpe-priv.h"
#include "text/vocab.h"

enum {
    FILL = 8192,
    SHARE = 16
}; /* pairs a new floor should let in, but one in 16 of all at most */

typedef struct {
    int64_t count;
    uint64_t key;
    uint32_t pair;
} top;
typedef struct {
    lm_bpe_words *w;
    const lm_bpe_opt *o;
    lm_bpe *out;
    lm_bpe_pairs p;
    lm_bpe_walk *walk;
    lm_dict special; /* bytes -> id */
    top *heap;
    size_t nheap, capheap;
    int64_t least, floor;
} train;

int lm_bpe_add(lm_bpe_words *w, lm_str word, uint64_t n)
{
    size_t need = LM_BPE_HEAD + word.n;
    uint64_t bytes;

    if (__builtin_mul_overflow(n, word.n, &bytes) ||
        __builtin_add_overflow(w->bytes, bytes, &w->bytes) || w->bytes > INT64_MAX)
        return lm_err(LM_ELIMIT, "the words count 2^63 bytes or more");
    for (size_t i = 0; i < word.n; i++)
        w->seen[(unsigned char)word.p[i]] = true;
    if (word.n < 2)
        return 0;
    if (need > UINT32_MAX - w->n)
        return lm_err(LM_ELIMIT, "the words have more than 16 GiB of symbols");
    if (w->n + need > w->cap) {
        w->cap = w->cap * 2 > w->n + need ? w->cap * 2 : w->n + need + 4096;
        w->v = lm_reallocn(w->v, w->cap, sizeof *w->v);
    }
    w->v[w->n] = (uint32_t)word.n;
    w->v[w->n + 1] = (uint32_t)n;
    w->v[w->n + 2] = (uint32_t)(n >> 32);
    for (size_t i = 0; i < word.n; i++)
        w->v[w->n + LM_BPE_HEAD + i] = (unsigned char)word.p[i];
    w->n += need;
    w->words++;
    return 0;
}

void lm_bpe_words_free(lm_bpe_words *w)
{
    free(w->v);
    *w = (lm_bpe_words){0};
}

/* --- the heap --- */

static bool above(const top *a, const top *b)
{
    return a->count != b->count ? a->count > b->count : a->key < b->key;
}

static void sift_down(train *t, size_t i)
{
    top x = t->heap[i];

    for (size_t c; (c = 4 * i + 1) < t->nheap; i = c) {
        size_t end = c + 4 < t->nheap ? c + 4 : t->nheap;

        for (size_t k = c + 1; k < end; k++)
            if (above(&t->heap[k], &t->heap[c]))
                c = k;
        if (!above(&t->heap[c], &x))
            break;
        t->heap[i] = t->heap[c];
    }
    t->heap[i] = x;
}

static void push(train *t, uint32_t k)
{
    top x = {t->p.pair[k].count, t->p.pair[k].key, k};
    size_t i;

    if (x.count < t->floor)
        return;
    LM_GROW(t->heap, t->nheap, t->capheap);
    for (i = t->nheap++; i && above(&x, &t->heap[(i - 1) / 4]); i = (i - 1) / 4)
        t->heap[i] = t->heap[(i - 1) / 4];
    t->heap[i] = x;
}

/* Lowers the floor until enough pairs stand above it; false when there are none left. */
static bool refill(train *t)
{
    size_t have[64] = {0}, n = 0, fill = t->p.n / SHARE < FILL ? t->p.n / SHARE : FILL;
    int bit = 62;

    if (t->floor <= t->least)
        return false;
    for (size_t k = 0; k < t->p.n; k++)
        if (t->p.pair[k].count > 0)
            have[63 - __builtin_clzll((uint64_t)t->p.pair[k].count)]++;
    while (bit > 0 && (n += have[bit]) <= fill)
        bit--;
    t->floor = 1ll << bit > t->least ? 1ll << bit : t->least;
    for (size_t k = 0; k < t->p.n; k++)
        if (t->p.pair[k].count >= t->floor) {
            LM_GROW(t->heap, t->nheap, t->capheap);
            t->heap[t->nheap++] = (top){t->p.pair[k].count, t->p.pair[k].key, (uint32_t)k};
        }
    for (size_t i = t->nheap / 4 + 1; i-- > 0;)
        if (i < t->nheap)
            sift_down(t, i);
    return t->nheap;
}

/* The pair to merge next, NONE at the end. */
static uint32_t pop(train *t)
{
    while (t->nheap || refill(t)) {
        top x = t->heap[0];
        int64_t now = t->p.pair[x.pair].count;

        if (now < x.count && now >= t->floor) { /* fell since: back to where it belongs */
            t->heap[0].count = now;
            sift_down(t, 0);
            continue;
        }
        t->heap[0] = t->heap[--t->nheap];
        if (t->nheap)
            sift_down(t, 0);
        if (now == x.count)
            return x.pair;
    }
    return LM_BPE_NONE;
}

/* --- tokens --- */

/* The id of a token: a new one, or that of the special it equals. No string is made by two merges:
   what stands in two places of it would have gone through the same merges in both, as none crosses
   its ends. */
static uint32_t add_token(train *t, lm_str s)
{
    lm_bpe *b = t->out;
    const uint64_t *special = t->special.n ? lm_dict_get(&t->special, s) : NULL;

    if (special) {
        b->spoken = true;
        return (uint32_t)*special;
    }
    LM_GROW(b->token, b->ntoken, b->captoken);
    b->token[b->ntoken] = lm_arena_str(b->text, s);
    return (uint32_t)b->ntoken++;
}

/* Specials have the first ids while we learn (they decide ties so), as bytes if they can be such.
 */
static void add_specials(train *t)
{
    lm_bpe *b = t->out;
    lm_buf s = {0};

    for (size_t i = 0; i < t->o->nspecial; i++) {
        lm_str name = t->o->special[i];
        bool fits = true;

        s.n = 0;
        for (size_t k = 0, len; k < name.n; k += len) {
            int byte = lm_bytechar_back(lm_utf8_get(name.p + k, name.n - k, &len));

            lm_buf_addc(&s, (char)byte);
            fits &= byte >= 0;
        }
        LM_GROW(b->token, b->ntoken, b->captoken);
        b->token[b->ntoken++] = lm_arena_str(b->text, lm_buf_str(&s));
        if (fits)
            lm_dict_put(&t->special, lm_buf_str(&s), i);
    }
    lm_buf_free(&s);
}

/* The alphabet in the order of the byte-level characters: printable bytes first. */
static void alphabet(train *t, uint32_t id[256])
{
    for (uint32_t cp = 0; cp < 512; cp++) {
        int byte = lm_bytechar_back(cp);
        char c = (char)byte;

        if (byte >= 0 && (t->w->seen[byte] || !t->o->seen))
            id[byte] = add_token(t, (lm_str){&c, 1});
    }
}

static void add_merge(lm_bpe *b, const uint32_t merge[3])
{
    if (b->nmerge * 2 + 2 > b->capmerge) {
        b->capmerge = b->capmerge ? b->capmerge * 2 : 1024;
        b->merge = lm_reallocn(b->merge, b->capmerge, sizeof *b->merge);
    }
    b->merge[2 * b->nmerge] = merge[0];
    b->merge[2 * b->nmerge++ + 1] = merge[1];
}

static bool fits(const train *t, uint32_t a, uint32_t b)
{
    size_t n = t->out->token[a].n + t->out->token[b].n, most = t->o->max_bytes;

    return !most || (t->o->quirks ? n < most : n <= most);
}

/* --- learning --- */

static uint64_t key_of(const lm_bpe_side *s, uint32_t left, uint32_t right)
{
    return s->side ? (uint64_t)right << 32 | s->id : (uint64_t)s->id << 32 | left;
}

/* Corrects the counts of the pairs around a merge a b = c: each neighbour x on the left had x a and
   has x c, which is new. */
static void settle(train *t, const lm_bpe_side *s, size_t n, const uint32_t merge[3])
{
    size_t from = t->p.n;

    for (size_t i = 0; i < n; i++) {
        lm_bpe_prefetch(&t->p, key_of(&s[i], merge[2], merge[2]));
        lm_bpe_prefetch(&t->p, key_of(&s[i], merge[0], merge[1]));
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t key = key_of(&s[i], merge[2], merge[2]);

        if (fits(t, (uint32_t)(key >> 32), (uint32_t)key))
            lm_bpe_pair_add(&t->p, (lm_bpe_pair){key, s[i].times, s[i].words});
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t k = lm_bpe_find(&t->p, key_of(&s[i], merge[0], merge[1]));

        if (k != LM_BPE_NONE)
            t->p.pair[k].count -= s[i].times;
    }
    for (size_t k = from; k < t->p.n; k++)
        push(t, (uint32_t)k);
}

static int learn(train *t)
{
    lm_bpe *b = t->out;
    size_t tokens = t->o->tokens + t->o->nspecial;
    lm_buf both = {0};
    uint32_t k;

    while (b->ntoken < tokens && (k = pop(t)) != LM_BPE_NONE) {
        uint64_t key = t->p.pair[k].key, words = t->p.pair[k].words;
        uint32_t merge[3] = {(uint32_t)(key >> 32), (uint32_t)key, 0};
        size_t n;
        const lm_bpe_side *s;

        if (t->p.n + 4 * b->ntoken > UINT32_MAX - 1) {
            lm_buf_free(&both);
            return lm_err(LM_ELIMIT, "the words have 2^32 different pairs");
        }
        both.n = 0;
        lm_buf_add(&both, b->token[merge[0]].p, b->token[merge[0]].n);
        lm_buf_add(&both, b->token[merge[1]].p, b->token[merge[1]].n);
        merge[2] = add_token(t, lm_buf_str(&both));
        add_merge(b, merge);
        n = lm_bpe_walk_words(t->walk, t->w, &t->p, words, merge, b->ntoken, &s);
        settle(t, s, n, merge);
        t->p.pair[k].count = 0;
        if (t->o->progress && b->ntoken % 256 == 0)
            t->o->progress(b->ntoken, tokens);
    }
    lm_buf_free(&both);
    return 0;
}

/* From ids that begin with the specials to ids that end with them. */
static void specials_last(lm_bpe *b, uint32_t n)
{
    b->ntoken -= n;
    memmove(b->token, b->token + n, b->ntoken * sizeof *b->token);
    for (size_t i = 0; i < 2 * b->nmerge; i++)
        b->merge[i] = b->merge[i] < n ? b->merge[i] + (uint32_t)b->ntoken : b->merge[i] - n;
}

int lm_bpe_train(lm_bpe_words *w, const lm_bpe_opt *o, lm_bpe *out)
{
    train t = {.w = w,
               .o = o,
               .out = out,
               .least = o->min_count > 1 ? (int64_t)o->min_count : 1,
               .floor = INT64_MAX};
    uint32_t id[256] = {0};
    int err;

    *out = (lm_bpe){.text = lm_arena_new()};
    add_specials(&t);
    alphabet(&t, id);
    lm_bpe_pairs_new(&t.p, 1 << 16);
    lm_bpe_count(w, id, o->pool, &t.p);
    t.walk = lm_bpe_walk_new(o->pool);
    err = learn(&t);
    specials_last(out, (uint32_t)o->nspecial);
    lm_bpe_walk_free(t.walk);
    lm_bpe_pairs_free(&t.p);
    lm_bpe_words_free(w);
    lm_dict_free(&t.special);
    free(t.heap);
    return err;
}

void lm_bpe_free(lm_bpe *b)
{
    free(b->token);
    free(b->merge);
    lm_arena_free(b->text);
    *b = (lm_bpe){0};
}
