/* vocab-merge: byte pair merging of one pretoken, exactly: at each step the pair of least rank, the
   leftmost of equals (what Hugging Face's word merging does). */
#include "text/vocab-priv.h"

enum { SHORT = 40 }; /* bytes up to which a scan for the least rank beats a heap (measured) */

static int no_byte(unsigned b)
{
    return lm_err(LM_EINVALID, "byte 0x%02X is not in the vocabulary", b);
}

static int merge_short(const lm_vocab *v, const uint8_t *p, size_t n, lm_ids *out)
{
    uint32_t id[SHORT], rank[SHORT], to[SHORT]; /* rank[i], to[i]: the merge of i and i + 1 */
    const struct lm_vocab_pair *m;

    for (size_t i = 0; i < n; i++)
        if ((id[i] = v->byte[p[i]]) == LM_NO_ID)
            return no_byte(p[i]);
    for (size_t i = 0; i + 1 < n; i++) {
        m = lm_pair_find(v, id[i], id[i + 1]);
        rank[i] = m ? m->rank : UINT32_MAX;
        to[i] = m ? m->id : 0;
    }
    while (n > 1) {
        size_t best = 0;

        for (size_t i = 1; i + 1 < n; i++)
            if (rank[i] < rank[best])
                best = i;
        if (rank[best] == UINT32_MAX)
            break;
        id[best] = to[best];
        n--;
        memmove(id + best + 1, id + best + 2, (n - best - 1) * sizeof *id);
        if (best + 2 < n) {
            memmove(rank + best + 1, rank + best + 2, (n - best - 2) * sizeof *rank);
            memmove(to + best + 1, to + best + 2, (n - best - 2) * sizeof *to);
        }
        if (best + 1 < n) {
            m = lm_pair_find(v, id[best], id[best + 1]);
            rank[best] = m ? m->rank : UINT32_MAX;
            to[best] = m ? m->id : 0;
        }
        if (best) {
            m = lm_pair_find(v, id[best - 1], id[best]);
            rank[best - 1] = m ? m->rank : UINT32_MAX;
            to[best - 1] = m ? m->id : 0;
        }
    }
    lm_ids_need(out, n);
    memcpy(out->v + out->n, id, n * sizeof *id);
    out->n += n;
    return 0;
}

/* The token that a character's own bytes become if nothing beside it can take a part of them. */
static uint32_t atom(const lm_vocab *v, uint32_t left, uint32_t c, size_t len, uint32_t right)
{
    uint64_t key = (uint64_t)__builtin_bswap32(c) >> (32 - 8 * len) | (uint64_t)len << 56;

    if (c < 0x80 || (left && lm_borders_split(&v->border, left, c)) ||
        (right && lm_borders_split(&v->border, c, right)))
        return LM_WORD_NONE;
    return lm_shortword(&v->word, key);
}

static size_t load_wide(const lm_vocab *v, const char *p, size_t n, uint32_t *id, uint32_t *to)
{
    size_t k = 0, len, nextlen = 0;
    uint32_t left = 0, c = lm_char_at(p, n, &len), right, whole;

    for (size_t i = 0; i < n; i += len, len = nextlen, left = c, c = right) {
        len += !len;
        right = i + len < n ? lm_char_at(p + i + len, n - i - len, &nextlen) : 0;
        /* a character beside what is none may be taken apart from there */
        whole =
            (i && !left) || (i + len < n && !right) ? LM_WORD_NONE : atom(v, left, c, len, right);
        if (k + len > LM_MERGE_MAX)
            return 0;
        if (whole != LM_WORD_NONE)
            id[k++] = whole;
        else
            for (size_t j = 0; j < len; j++)
                id[k++] = v->byte[(unsigned char)p[i + j]];
    }
    for (size_t i = 0; i + 1 < k; i++)
        to[i] = lm_join(&v->join, id[i], id[i + 1]);
    to[k - 1] = LM_MERGE_NONE;
    return k;
}

size_t lm_merge_load(const lm_vocab *v, const char *text, size_t n, uint32_t *id, uint32_t *to)
{
    const unsigned char *p = (const unsigned char *)text;

    if (lm_is_wide(text, n))
        return load_wide(v, text, n, id, to);
    if (n > LM_MERGE_MAX)
        return 0;
    for (size_t i = 0; i + 1 < n; i++) {
        id[i] = v->byte[p[i]];
        to[i] = v->pair2[p[i] << 8 | p[i + 1]];
    }
    id[n - 1] = v->byte[p[n - 1]];
    to[n - 1] = LM_MERGE_NONE;
    return n;
}

/* The same in an ordered vocabulary, where a lower id is an earlier merge; false: too long. */
static bool merge_ordered(const lm_vocab *v, const char *p, size_t n, lm_ids *out)
{
    uint32_t to[1][LM_MERGE_MAX], id[1][LM_MERGE_MAX];
    uint8_t k = (uint8_t)lm_merge_load(v, p, n, id[0], to[0]);

    if (!k)
        return false;
    lm_vocab_merge_words(v, 1, id, to, &k);
    lm_ids_need(out, k);
    memcpy(out->v + out->n, id[0], k * sizeof *out->v);
    out->n += k;
    return true;
}

/* A heap of rank << 32 | position. An entry is stale once the pair at its position has another
 * rank. */
typedef struct {
    uint32_t id, prev, next, rank, to;
} node;

static void sift_down(uint64_t *h, size_t n, size_t i)
{
    uint64_t x = h[i];

    for (size_t c; (c = 2 * i + 1) < n; i = c) {
        c += c + 1 < n && h[c + 1] < h[c];
        if (h[c] >= x)
            break;
        h[i] = h[c];
    }
    h[i] = x;
}

static void push(uint64_t *h, size_t *n, uint64_t x)
{
    size_t i = (*n)++;

    for (; i && h[(i - 1) / 2] > x; i = (i - 1) / 2)
        h[i] = h[(i - 1) / 2];
    h[i] = x;
}

static int merge_long(const lm_vocab *v, const uint8_t *p, size_t n, lm_ids *out)
{
    node *s = lm_reallocn(NULL, n, sizeof *s);
    uint64_t *heap =
        lm_reallocn(NULL, 2 * n,
                    sizeof *heap); /* n at first, each merge takes 1 and adds at most 2 */
    size_t nh = 0;
    const struct lm_vocab_pair *m;

    for (size_t i = 0; i < n; i++) {
        s[i] = (node){v->byte[p[i]], (uint32_t)i - 1, (uint32_t)i + 1, UINT32_MAX, 0};
        if (s[i].id == LM_NO_ID) {
            free(s);
            free(heap);
            return no_byte(p[i]);
        }
    }
    for (size_t i = 0; i + 1 < n; i++)
        if ((m = lm_pair_find(v, s[i].id, s[i + 1].id))) {
            s[i].rank = m->rank;
            s[i].to = m->id;
            heap[nh++] = (uint64_t)m->rank << 32 | i;
        }
    for (size_t i = nh / 2; i-- > 0;)
        sift_down(heap, nh, i);
    while (nh) {
        uint32_t i = (uint32_t)heap[0], gone;
        bool live = s[i].rank == heap[0] >> 32;

        heap[0] = heap[--nh];
        if (nh)
            sift_down(heap, nh, 0);
        if (!live)
            continue;
        gone = s[i].next;
        s[i].id = s[i].to;
        s[i].next = s[gone].next;
        s[gone].rank = s[i].rank = UINT32_MAX;
        if (s[i].next < n) {
            s[s[i].next].prev = i;
            if ((m = lm_pair_find(v, s[i].id, s[s[i].next].id))) {
                s[i].rank = m->rank;
                s[i].to = m->id;
                push(heap, &nh, (uint64_t)m->rank << 32 | i);
            }
        }
        if (i) {
            uint32_t b = s[i].prev;

            s[b].rank = UINT32_MAX;
            if ((m = lm_pair_find(v, s[b].id, s[i].id))) {
                s[b].rank = m->rank;
                s[b].to = m->id;
                push(heap, &nh, (uint64_t)m->rank << 32 | b);
            }
        }
    }
    for (size_t i = 0; i < n; i = s[i].next) {
        lm_ids_need(out, 1);
        out->v[out->n++] = s[i].id;
    }
    free(s);
    free(heap);
    return 0;
}

int lm_word_ids(const lm_vocab *v, lm_memo *memo, const char *p, size_t n, lm_ids *out)
{
    uint32_t whole = lm_vocab_whole(v, (lm_str){p, n});

    if (whole != LM_NO_ID) {
        lm_ids_put(out, NULL, whole, 0);
        return 0;
    }
    if (v->ordered) {
        if (!merge_ordered(v, p, n, out))
            lm_word_greedy(v, memo, p, n, out);
        return 0;
    }
    if (n >= 1u << 31)
        return lm_err(LM_ELIMIT, "a pretoken of %zu bytes; at most 2147483647", n);
    return n <= SHORT ? merge_short(v, (const uint8_t *)p, n, out)
                      : merge_long(v, (const uint8_t *)p, n, out);
}

int lm_vocab_word(const lm_vocab *v, const char *p, size_t n, lm_ids *out)
{
    return lm_word_ids(v, NULL, p, n, out);
}
