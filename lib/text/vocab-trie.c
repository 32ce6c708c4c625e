/* vocab-trie: the longest token that begins some bytes, and the encoding of a word by it: greedy,
   with a step back where two tokens would not stay side by side. Linear, for ordered vocabularies.
   (H. van Antwerpen and A. Neubeck, "So many tokens, so little time", 2024: backtracking encoder.)
 */
#include "text/vocab-priv.h"

enum { VAL = 22 };
#define NOTHING ((1u << VAL) - 1)

static uint64_t key_of(uint32_t node, bool odd, unsigned bytes)
{
    return (uint64_t)node << 17 | (uint64_t)odd << 16 | bytes;
}

static inline uint32_t get(const struct lm_trie *t, uint64_t key)
{
    uint64_t mask = (1ull << t->bits) - 1;

    for (uint64_t i = lm_pair_hash(key, t->bits);; i = (i + 1) & mask) {
        if (t->step[i] >> VAL == key)
            return (uint32_t)t->step[i] & NOTHING;
        if (t->step[i] == UINT64_MAX)
            return NOTHING;
    }
}

static void put(struct lm_trie *t, uint64_t key, uint32_t val)
{
    uint64_t mask = (1ull << t->bits) - 1, i = lm_pair_hash(key, t->bits);

    while (t->step[i] != UINT64_MAX)
        i = (i + 1) & mask;
    t->step[i] = key << VAL | val;
}

static inline unsigned two(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static inline uint32_t longest(const lm_vocab *v, const uint8_t *p, size_t n)
{
    const struct lm_trie *t = v->trie;
    uint32_t node, next, odd;
    size_t i = 2;

    if (n < 2 || !(node = t->first[two(p)]))
        return v->byte[p[0]];
    for (; n - i >= 2 && (next = get(t, key_of(node, false, two(p + i)))) != NOTHING; i += 2)
        node = next;
    if (i < n && (odd = get(t, key_of(node, true, p[i]))) != NOTHING)
        return odd;
    return t->best[node];
}

static uint32_t new_node(struct lm_trie *t, uint32_t best)
{
    t->best[t->nnode] = best;
    return (uint32_t)t->nnode++;
}

/* The node of the first n bytes, n even and > 0, made if need be. */
static uint32_t add_node(struct lm_trie *t, const uint8_t *p, size_t n, uint32_t byte)
{
    uint32_t node = t->first[two(p)], next;

    if (!node)
        node = t->first[two(p)] = new_node(t, byte);
    for (size_t i = 2; i < n; i += 2, node = next) {
        uint64_t key = key_of(node, false, two(p + i));

        if ((next = get(t, key)) == NOTHING)
            put(t, key, next = new_node(t, LM_NO_ID));
    }
    return node;
}

/* A node at which no token ends takes the best of what leads there. */
static void fill(struct lm_trie *t, const uint8_t *p, size_t n)
{
    uint32_t node = t->first[two(p)], best = t->best[node], odd;

    for (size_t i = 2; i + 2 <= n; i += 2) {
        if ((odd = get(t, key_of(node, true, p[i]))) != NOTHING)
            best = odd;
        node = get(t, key_of(node, false, two(p + i)));
        if (t->best[node] == LM_NO_ID)
            t->best[node] = best;
        best = t->best[node];
    }
}

void lm_trie_make(lm_vocab *v, const uint8_t *in)
{
    struct lm_trie *t = v->trie = lm_zalloc(1, sizeof *t);
    size_t steps = 16;

    for (uint32_t id = 0; id < v->size; id++)
        steps += in[id] ? v->token[id].n / 2 + 1 : 0;
    for (t->bits = 10; 1ull << t->bits < steps + steps / 2; t->bits++) {
    }
    t->step = lm_reallocn(NULL, 1ull << t->bits, sizeof *t->step);
    lm_hint_huge(t->step, sizeof *t->step << t->bits);
    memset(t->step, 0xff, sizeof *t->step << t->bits);
    t->best = lm_reallocn(NULL, steps, sizeof *t->best);
    t->shorter = lm_reallocn(NULL, (size_t)v->size + 1, sizeof *t->shorter);
    t->nnode = 1;
    for (uint32_t id = 0; id < v->size; id++) {
        const uint8_t *p = (const uint8_t *)v->token[id].p;
        size_t n = in[id] ? v->token[id].n : 0;

        if (n >= 2 && n % 2)
            put(t, key_of(add_node(t, p, n - 1, v->byte[p[0]]), true, p[n - 1]), id);
        else if (n >= 2)
            t->best[add_node(t, p, n, v->byte[p[0]])] = id;
    }
    for (uint32_t id = 0; id < v->size; id++)
        if (in[id] && v->token[id].n >= 4)
            fill(t, (const uint8_t *)v->token[id].p, v->token[id].n);
    for (uint32_t id = 0; id < v->size; id++)
        t->shorter[id] = in[id] && v->token[id].n > 1
                             ? longest(v, (const uint8_t *)v->token[id].p, v->token[id].n - 1)
                             : LM_NO_ID;
}

void lm_trie_free(struct lm_trie *t)
{
    if (!t)
        return;
    free(t->step);
    free(t->best);
    free(t->shorter);
    free(t);
}

/* The two are taken apart along the border, the later merge first: a pair across the border that
   would have merged before its parts did comes to light. */
bool lm_pair_lasts(const lm_vocab *v, uint32_t left, uint32_t right, uint32_t limit)
{
    for (;;) {
        uint32_t both = lm_join(&v->join, left, right), l = v->split[left][1],
                 r = v->split[right][0];

        if (both < limit) /* LM_NO_ID is none */
            return false;
        if (l == left && r == right)
            return true;
        if (r == right || (l != left && left > right)) {
            limit = left;
            left = l;
        } else {
            limit = right + 1; /* of equals the one further left goes first */
            right = r;
        }
    }
}

/* The longest of id and the tokens that begin it that lasts behind left; LM_NO_ID: none does. */
static inline uint32_t fitting(const lm_vocab *v, lm_memo *memo, uint32_t left, uint32_t id)
{
    uint64_t key = ((uint64_t)left << 21 | id) + 1, *at = NULL; /* 0: never used */

    if (memo) {
        at = &memo->pair[lm_pair_hash(key, 15)];
        if (*at >> VAL == key)
            return *at & NOTHING ? (uint32_t)(*at & NOTHING) - 1 : LM_NO_ID;
    }
    while (id != LM_NO_ID && !lm_pair_lasts(v, left, id, LM_NO_ID))
        id = v->trie->shorter[id];
    if (memo)
        *at = key << VAL | (id == LM_NO_ID ? 0 : id + 1);
    return id;
}

/* dead[i]: no encoding of the rest is right from byte i on after what was tried. */
void lm_word_greedy(const lm_vocab *v, lm_memo *memo, const char *text, size_t n, lm_ids *out)
{
    const uint8_t *p = (const uint8_t *)text;
    uint64_t few[4] = {0}, *dead = n < 256 ? few : lm_zalloc(n / 64 + 1, sizeof *dead);
    size_t at = 0, had = out->n;
    uint32_t id = longest(v, p, n);

    while (at < n) {
        size_t end;

        if (out->n > had && id != LM_NO_ID)
            id = fitting(v, memo, out->v[out->n - 1], id);
        if (id == LM_NO_ID) {
            dead[at / 64] |= 1ull << at % 64;
            id = out->v[--out->n];
            at -= v->token[id].n;
            id = v->trie->shorter[id];
            continue;
        }
        end = at + (v->len[id] == 255 ? v->token[id].n : v->len[id]);
        if (dead[end / 64] >> end % 64 & 1) {
            id = v->trie->shorter[id];
            continue;
        }
        lm_ids_put(out, NULL, id, 0);
        at = end;
        if (at < n)
            id = longest(v, p + at, n - at);
    }
    if (dead != few)
        free(dead);
}
