/* bpe: pair counts in one open table, the words where a pair occurs in chunks of one pool, a 4-ary
   heap whose entries are corrected only when they reach the top. Words are symbols back to back in
   one flat array. */
#include "text/bpe.h"
#include "text/vocab.h"

#define NONE UINT32_MAX

/* A pair (key = left << 32 | right), its count, and its words: chunks of the pool, {next, room,
 * words..}. */
typedef struct {
    uint64_t key;
    int64_t count;
    uint32_t head, tail, used, stamp;
} pair;
typedef struct {
    int64_t count;
    uint64_t key;
    uint32_t pair;
} top;

typedef struct {
    uint32_t *sym;
    size_t nsym; /* all words' symbols */
    size_t *start;
    uint32_t *len;
    uint64_t *mult; /* of each word */
    size_t nword;
    pair *pair;
    size_t npair, cappair;
    uint32_t *slot;
    unsigned bits; /* open table of pair numbers */
    uint32_t *pool;
    size_t npool, cappool;
    top *heap;
    size_t nheap, capheap;
    uint32_t *grown;
    size_t ngrown, capgrown; /* pairs whose count rose in this merge */
    lm_bpe *out;
    size_t max_bytes;
    int64_t least;
} train;

static size_t slot_of(const train *t, uint64_t key)
{
    uint64_t h = (key ^ key >> 29) * 0x9e3779b97f4a7c15ull;

    return (h ^ h >> 32) & ((1ull << t->bits) - 1);
}

static uint32_t find(const train *t, uint64_t key)
{
    size_t mask = (1ull << t->bits) - 1;

    for (size_t i = slot_of(t, key);; i = (i + 1) & mask)
        if (t->slot[i] == NONE || t->pair[t->slot[i]].key == key)
            return t->slot[i];
}

static void place(train *t, uint32_t k)
{
    size_t mask = (1ull << t->bits) - 1, i = slot_of(t, t->pair[k].key);

    while (t->slot[i] != NONE)
        i = (i + 1) & mask;
    t->slot[i] = k;
}

static void table(train *t, unsigned bits)
{
    t->bits = bits;
    t->slot = lm_reallocn(t->slot, 1ull << bits, sizeof *t->slot);
    memset(t->slot, 0xff, (1ull << bits) * sizeof *t->slot);
    for (size_t k = 0; k < t->npair; k++)
        place(t, (uint32_t)k);
}

static uint32_t add_pair(train *t, uint64_t key)
{
    LM_GROW(t->pair, t->npair, t->cappair);
    t->pair[t->npair] = (pair){key, 0, NONE, NONE, 0, 0};
    if (t->npair * 2 >= 1ull << t->bits)
        table(t, t->bits + 1);
    place(t, (uint32_t)t->npair);
    return (uint32_t)t->npair++;
}

/* Notes that pair p occurs in word w; words come in order within one merge, so the last one tells a
 * repeat. */
static void occurs(train *t, pair *p, uint32_t w)
{
    uint32_t room = p->tail == NONE ? 0 : t->pool[p->tail + 1];

    if (p->used && t->pool[p->tail + 1 + p->used] == w)
        return;
    if (p->used == room) {
        uint32_t at = (uint32_t)t->npool, n = room ? (room < 4096 ? room * 2 : room) : 2;

        if (t->npool + n + 2 >= NONE) { /* 16 GiB of occurrences */
            lm_oom_hook((t->npool + n) * 4);
            abort();
        }
        while (t->npool + n + 2 > t->cappool) {
            t->cappool = t->cappool ? t->cappool * 2 : 1 << 16;
            t->pool = lm_reallocn(t->pool, t->cappool, sizeof *t->pool);
        }
        t->npool += n + 2;
        t->pool[at] = NONE;
        t->pool[at + 1] = n;
        if (p->tail == NONE)
            p->head = at;
        else
            t->pool[p->tail] = at;
        p->tail = at;
        p->used = 0;
    }
    t->pool[p->tail + 2 + p->used++] = w;
}

/* Is a above b in the heap? */
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
    top x = {t->pair[k].count, t->pair[k].key, k};
    size_t i;

    if (x.count < t->least)
        return;
    LM_GROW(t->heap, t->nheap, t->capheap);
    for (i = t->nheap++; i && above(&x, &t->heap[(i - 1) / 4]); i = (i - 1) / 4)
        t->heap[i] = t->heap[(i - 1) / 4];
    t->heap[i] = x;
}

/* The pair to merge next, NONE at the end. */
static uint32_t pop(train *t)
{
    while (t->nheap) {
        top x = t->heap[0];
        int64_t now = t->pair[x.pair].count;

        if (now < x.count && now >= t->least) { /* fell since: back to where it belongs */
            t->heap[0].count = now;
            sift_down(t, 0);
            continue;
        }
        t->heap[0] = t->heap[--t->nheap];
        if (t->nheap)
            sift_down(t, 0);
        if (now == x.count)
            return x.pair; /* else it is gone, or rose and has a better entry */
    }
    return NONE;
}

static void load_words(train *t, const lm_word *w, size_t n, const uint32_t id[256])
{
    for (size_t i = 0; i < n; i++)
        if (w[i].s.n > 1 && w[i].s.n < NONE) {
            t->nsym += w[i].s.n;
            t->nword++;
        }
    t->sym = lm_reallocn(NULL, t->nsym + 1, sizeof *t->sym);
    t->start = lm_reallocn(NULL, t->nword + 1, sizeof *t->start);
    t->len = lm_reallocn(NULL, t->nword + 1, sizeof *t->len);
    t->mult = lm_reallocn(NULL, t->nword + 1, sizeof *t->mult);
    t->nsym = t->nword = 0;
    for (size_t i = 0; i < n; i++) {
        lm_str s = w[i].s;

        if (s.n < 2 || s.n >= NONE)
            continue;
        t->start[t->nword] = t->nsym;
        t->len[t->nword] = (uint32_t)s.n;
        t->mult[t->nword++] = w[i].n;
        for (size_t k = 0; k < s.n; k++)
            t->sym[t->nsym++] = id[(unsigned char)s.p[k]];
    }
}

static bool fits(const train *t, uint32_t a, uint32_t b)
{
    return !t->max_bytes || t->out->token[a].n + t->out->token[b].n <= t->max_bytes;
}

static void count_pairs(train *t)
{
    for (size_t w = 0; w < t->nword; w++) {
        const uint32_t *s = t->sym + t->start[w];

        for (uint32_t i = 0; i + 1 < t->len[w]; i++) {
            uint64_t key = (uint64_t)s[i] << 32 | s[i + 1];
            uint32_t k = find(t, key);

            if (!fits(t, s[i], s[i + 1]))
                continue;
            if (k == NONE)
                k = add_pair(t, key);
            t->pair[k].count += (int64_t)t->mult[w];
            occurs(t, &t->pair[k], (uint32_t)w);
        }
    }
    for (size_t k = 0; k < t->npair; k++)
        push(t, (uint32_t)k);
}

static void lose(train *t, uint32_t a, uint32_t b, int64_t n)
{
    uint32_t k = find(t, (uint64_t)a << 32 | b);

    if (k != NONE)
        t->pair[k].count -= n;
}

static void gain(train *t, uint32_t a, uint32_t b, int64_t n, uint32_t w, uint32_t stamp)
{
    uint64_t key = (uint64_t)a << 32 | b;
    uint32_t k = find(t, key);

    if (!fits(t, a, b))
        return;
    if (k == NONE)
        k = add_pair(t, key);
    t->pair[k].count += n;
    occurs(t, &t->pair[k], w);
    if (t->pair[k].stamp != stamp) {
        t->pair[k].stamp = stamp;
        LM_GROW(t->grown, t->ngrown, t->capgrown);
        t->grown[t->ngrown++] = k;
    }
}

/* Merges a b to c in word w and corrects the counts of the pairs around it. */
static void merge_word(train *t, uint32_t w, uint32_t a, uint32_t b, uint32_t c, uint32_t stamp)
{
    uint32_t *s = t->sym + t->start[w], n = t->len[w], to = 0;
    int64_t mult = (int64_t)t->mult[w];

    for (uint32_t i = 0; i < n; i++) {
        if (s[i] != a || i + 1 >= n || s[i + 1] != b) {
            s[to++] = s[i];
            continue;
        }
        if (to) {
            lose(t, s[to - 1], a, mult);
            gain(t, s[to - 1], c, mult, w, stamp);
        }
        if (i + 2 < n) {
            lose(t, b, s[i + 2], mult);
            gain(t, c, s[i + 2], mult, w, stamp);
        }
        s[to++] = c;
        i++;
    }
    t->len[w] = to;
}

static uint32_t add_token(lm_bpe *b, lm_dict *known, lm_str s)
{
    uint64_t *id = lm_dict_put(known, s, b->ntoken);

    if (*id == b->ntoken) {
        LM_GROW(b->token, b->ntoken, b->captoken);
        b->token[b->ntoken++] = lm_arena_str(b->text, s);
    }
    return (uint32_t)*id;
}

static void add_merge(lm_bpe *b, uint32_t left, uint32_t right)
{
    if (b->nmerge * 2 + 2 > b->capmerge) {
        b->capmerge = b->capmerge ? b->capmerge * 2 : 1024;
        b->merge = lm_reallocn(b->merge, b->capmerge, sizeof *b->merge);
    }
    b->merge[2 * b->nmerge] = left;
    b->merge[2 * b->nmerge++ + 1] = right;
}

static void learn(train *t, lm_dict *known, const lm_bpe_opt *o)
{
    lm_bpe *b = t->out;
    lm_buf both = {0};
    uint32_t k;

    while (b->ntoken < o->tokens && (k = pop(t)) != NONE) {
        uint32_t left = (uint32_t)(t->pair[k].key >> 32), right = (uint32_t)t->pair[k].key, id;

        both.n = 0;
        lm_buf_add(&both, b->token[left].p, b->token[left].n);
        lm_buf_add(&both, b->token[right].p, b->token[right].n);
        id = add_token(b, known, lm_buf_str(&both));
        add_merge(b, left, right);
        t->ngrown = 0;
        for (uint32_t at = t->pair[k].head; at != NONE; at = t->pool[at]) {
            uint32_t n = at == t->pair[k].tail ? t->pair[k].used : t->pool[at + 1];

            for (uint32_t i = 0; i < n; i++)
                merge_word(t, t->pool[at + 2 + i], left, right, id, (uint32_t)b->nmerge);
        }
        t->pair[k].count = 0;
        t->pair[k].head = t->pair[k].tail = NONE;
        t->pair[k].used = 0;
        for (size_t i = 0; i < t->ngrown; i++)
            push(t, t->grown[i]);
        if (o->progress && b->ntoken % 256 == 0)
            o->progress(b->ntoken, o->tokens);
    }
    lm_buf_free(&both);
}

/* The alphabet in the order of the byte-level characters: printable bytes first. */
static void alphabet(lm_bpe *b, lm_dict *known, const lm_word *w, size_t n, bool only_seen,
                     uint32_t id[256])
{
    bool seen[256] = {false};

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < w[i].s.n; k++)
            seen[(unsigned char)w[i].s.p[k]] = true;
    for (uint32_t cp = 0; cp < 512; cp++) {
        int byte = lm_bytechar_back(cp);
        char c = (char)byte;

        if (byte >= 0 && (seen[byte] || !only_seen))
            id[byte] = add_token(b, known, (lm_str){&c, 1});
    }
}

void lm_bpe_train(const lm_word *w, size_t n, const lm_bpe_opt *o, lm_bpe *out)
{
    train t = {.out = out,
               .max_bytes = o->max_bytes,
               .least = o->min_count > 1 ? (int64_t)o->min_count : 1};
    lm_dict known = {0};
    uint32_t id[256] = {0};

    *out = (lm_bpe){.text = lm_arena_new()};
    alphabet(out, &known, w, n, o->seen, id);
    load_words(&t, w, n, id);
    table(&t, 16);
    count_pairs(&t);
    learn(&t, &known, o);
    lm_dict_free(&known);
    free(t.sym);
    free(t.start);
    free(t.len);
    free(t.mult);
    free(t.pair);
    free(t.slot);
    free(t.pool);
    free(t.heap);
    free(t.grown);
}

void lm_bpe_free(lm_bpe *b)
{
    free(b->token);
    free(b->merge);
    lm_arena_free(b->text);
    *b = (lm_bpe){0};
}
