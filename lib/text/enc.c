/* enc: text to ids. Most pretokens of code are tokens of up to 7 bytes, and nearly all of the rest
   were seen before. So a piece of some hundred pretokens is looked up in the vocabulary's own table
   of short words; what that lacks, in a cache of words; what that lacks, is merged, several words
   at a time. Each stage asks for its memory before it reads it. What a cache holds never changes an
   id. */
#include "text/uclass.h"
#include "text/vocab-priv.h"
#include "text/wordcache.h"

enum { PIECE = 256, COPY = 8, CUT = 9 };

/* A pretoken that the vocabulary's tables lack. */
typedef struct {
    uint64_t k[2];       /* its key; of more than 15 bytes the hash alone */
    uint32_t at, n;      /* where, and how long */
    uint32_t ids;        /* how many; 0: not known yet */
    uint32_t merge;      /* which of the merged it is, or NONE */
    const uint32_t *far; /* the ids, if the ring has them, else .. */
    uint32_t id[LM_WORD_IDS];
} rest;
#define NONE UINT32_MAX

struct lm_enc {
    const lm_vocab *v;
    lm_wordcache cache;
    lm_memo *memo;
    uint32_t end[LM_SCAN_BATCH], part_end[PIECE];
    uint32_t id[PIECE + COPY];
    uint16_t missed[PIECE + 1];
    rest rest[PIECE];
    uint16_t longer[PIECE]; /* which of rest are longer than 15 bytes */
    uint32_t part[PIECE][LM_MERGE_MAX], to[PIECE][LM_MERGE_MAX];
    uint8_t left[PIECE];
};

lm_enc *lm_enc_new(const lm_vocab *v, size_t cache)
{
    lm_enc *e = lm_zalloc(1, sizeof *e);

    e->v = v;
    lm_wordcache_new(&e->cache, cache, v->size);
    if (v->ordered)
        e->memo = lm_zalloc(1, sizeof *e->memo);
    return e;
}

void lm_enc_free(lm_enc *e)
{
    if (!e)
        return;
    lm_wordcache_free(&e->cache);
    free(e->memo);
    free(e);
}

const lm_vocab *lm_enc_vocab(const lm_enc *e)
{
    return e->v;
}

/* May NFC change the text? Cheap and cautious: any character that can join or be reordered counts.
 */
static bool may_change(lm_str t)
{
    size_t len;

    for (size_t i = 0; i < t.n; i += len) {
        len = 1;
        if ((unsigned char)t.p[i] >= 0x80 && lm_unfc(lm_utf8_get(t.p + i, t.n - i, &len)))
            return true;
    }
    return false;
}

/* Names the k words that the tables lack, and asks for the memory where the cache would have them.
 */
static void ask(lm_enc *e, const char *p, size_t left, size_t at, const uint32_t *end, size_t k)
{
    size_t n = 0;

    for (size_t m = 0; m < k; m++) {
        rest *r = &e->rest[m];
        size_t j = e->missed[m];

        r->at = j ? end[j - 1] : (uint32_t)at;
        r->n = end[j] - r->at;
        if (r->n <= LM_WORD_LONG) {
            lm_word_key(r->k, p + r->at, r->n, left - r->at);
            __builtin_prefetch(lm_word_line(&e->cache, r->k));
            __builtin_prefetch(lm_word_other(&e->cache, r->k));
        } else {
            r->k[0] = lm_hash64(p + r->at, r->n < LM_LONGWORD ? r->n : LM_LONGWORD, 0);
            __builtin_prefetch(lm_longword_slot(&e->cache, r->k[0]));
            e->longer[n++] = (uint16_t)m;
        }
    }
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(lm_longword_record(&e->cache, e->rest[e->longer[i]].k[0]));
}

/* Looks them up; returns how many are to be merged. */
static size_t look_up(lm_enc *e, const char *p, size_t k)
{
    size_t n = 0;

    for (size_t m = 0; m < k; m++) {
        rest *r = &e->rest[m];

        r->merge = NONE;
        r->far = NULL;
        if (r->n <= LM_WORD_LONG) {
            const lm_wordentry *x = lm_word_find(&e->cache, r->k);

            r->ids = x ? lm_word_count(x) : 0;
            if (x)
                lm_word_entry_ids(&e->cache, x, r->id);
        } else {
            r->ids = (uint32_t)lm_longword_find(&e->cache, r->k[0], p + r->at, r->n, &r->far);
        }
        if (!r->ids && e->v->ordered &&
            (e->left[n] = (uint8_t)lm_merge_load(e->v, p + r->at, r->n, e->part[n], e->to[n])))
            r->merge = (uint32_t)n++;
    }
    return n;
}

/* Appends the ids of a word. */
static int word(lm_enc *e, const rest *r, const char *p, lm_ids *out)
{
    if (r->ids && !r->far) {
        memcpy(out->v + out->n, r->id, sizeof r->id);
        out->n += r->ids;
    } else if (r->merge != NONE) {
        memcpy(out->v + out->n, e->part[r->merge], e->left[r->merge] * sizeof *out->v);
        out->n += e->left[r->merge];
    } else if (r->far) {
        lm_ids_need(out, r->ids);
        memcpy(out->v + out->n, r->far, r->ids * sizeof *r->far);
        out->n += r->ids;
    } else {
        return lm_word_ids(e->v, e->memo, p + r->at, r->n, out);
    }
    return 0;
}

/* Remembers what was not known: word r, whose ids out has from `from` to `to`. */
static void keep(lm_enc *e, const rest *r, const char *p, const lm_ids *out, size_t from, size_t to)
{
    if (r->n <= LM_WORD_LONG)
        lm_word_put(&e->cache, r->k, out->v + from, to - from);
    else
        lm_longword_put(&e->cache, r->k[0], p + r->at, r->n, out->v + from, to - from);
}

/* k <= PIECE pretokens of p: the first begins at `at`. left: bytes of text. */
static int piece(lm_enc *e, const char *p, size_t left, size_t at, const uint32_t *end, size_t k,
                 lm_ids *out)
{
    const lm_data_ops *op = e->v->op;
    size_t n = op->wordids(&e->v->word, p, left, at, end, k, e->id, e->missed), from = 0, merges;
    size_t place[PIECE + 1], fresh = 0;

    ask(e, p, left, at, end, n);
    merges = look_up(e, p, n);
    if (merges)
        lm_vocab_merge_words(e->v, merges, e->part, e->to, e->left);
    e->missed[n] = (uint16_t)k;
    for (size_t m = 0;; m++) {
        size_t j = e->missed[m];
        int err;

        lm_ids_need(out, k - from + LM_MERGE_MAX + COPY);
        for (size_t i = 0; i < j - from; i += COPY)
            memcpy(out->v + out->n + i, e->id + from + i, COPY * sizeof *e->id);
        out->n += j - from;
        from = j + 1;
        place[m] = out->n;
        if (m == n)
            break;
        if ((err = word(e, &e->rest[m], p, out)) < 0)
            return err;
        fresh += !e->rest[m].ids;
    }
    for (size_t m = 0; fresh && m < n; m++)
        if (!e->rest[m].ids)
            keep(e, &e->rest[m], p, out, place[m],
                 place[m + 1] - (e->missed[m + 1] - e->missed[m] - 1u));
    return 0;
}

/* The k pretokens of a batch. */
static int pieces(lm_enc *e, const char *p, size_t left, const uint32_t *end, size_t k, lm_ids *out)
{
    size_t at = 0;
    int err = 0;

    for (size_t some; k && err >= 0; at = end[some - 1], end += some, k -= some) {
        some = k < PIECE ? k : PIECE;
        err = piece(e, p, left, at, end, some, out);
    }
    return err;
}

/* The same where there are characters beyond ASCII: long words of them seldom come again, their
   parts do. */
static int parts(lm_enc *e, const char *p, size_t left, const uint32_t *end, size_t k, lm_ids *out)
{
    size_t at = 0, from = 0, n = 0;
    int err = 0;

    for (size_t j = 0; j < k && err >= 0; j++) {
        bool cut = end[j] - at >= CUT && lm_is_wide(p + at, end[j] - at);

        do {
            if (cut) {
                n += lm_borders_cut(&e->v->border, p, &at, end[j], e->part_end + n, PIECE - n);
            } else {
                e->part_end[n++] = end[j];
                at = end[j];
            }
            if (n == PIECE || (j + 1 == k && at == end[j])) {
                err = piece(e, p, left, from, e->part_end, n, out);
                from = e->part_end[n - 1];
                n = 0;
            }
        } while (at < end[j] && err >= 0);
    }
    return err;
}

int lm_enc_text(lm_enc *e, lm_str t, lm_ids *out)
{
    lm_scan_pos pos = {0};
    size_t base = 0, k;

    if (e->v->nfc && may_change(t))
        return lm_err(LM_EINVALID,
                      "the vocabulary wants Unicode form C, and this text may not be in it");
    for (; (k = lm_scan_batch(e->v->pre, t.p, t.n, &pos, e->end)); base = pos.at) {
        int err = (pos.ascii ? pieces : parts)(e, t.p + base, t.n - base, e->end, k, out);

        if (err < 0) {
            lm_scan_stop(&pos);
            return err;
        }
    }
    return pos.err;
}
