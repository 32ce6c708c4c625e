/* enc: text to ids. Most pretokens of code are tokens of up to 7 bytes, and nearly all of the rest
   were seen before. So a piece of some hundred pretokens is looked up in the vocabulary's own table
   of short words; what that lacks, in a cache of words; what that lacks, is merged, several words
   at a time. Each stage asks for its memory before it reads it. What a cache holds never changes an
   id. */
#include "text/uclass.h"
#include "text/vocab-priv.h"
#include "text/wordcache.h"

enum { PIECE = 256, COPY = 8 };

/* A pretoken that the table of short words lacks. */
typedef struct {
    uint64_t k[2];
    uint32_t at, n;
    uint32_t ids;   /* how many; 0: not known yet */
    uint32_t merge; /* which of the merged it is; NONE */
    uint32_t id[LM_WORD_IDS];
} rest;
#define NONE UINT32_MAX

struct lm_enc {
    const lm_vocab *v;
    lm_wordcache cache;
    lm_memo *memo;
    uint32_t end[LM_SCAN_BATCH];
    uint32_t id[PIECE + COPY];
    uint16_t missed[PIECE + 1];
    rest rest[PIECE];
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

/* Looks the rest of a piece up in the cache; returns how many are to be merged. */
static size_t look_up(lm_enc *e, const char *p, size_t left, size_t at, const uint32_t *end,
                      size_t k)
{
    const lm_vocab *v = e->v;
    size_t n = 0;

    for (size_t m = 0; m < k; m++) {
        rest *r = &e->rest[m];
        size_t j = e->missed[m];

        r->at = j ? end[j - 1] : (uint32_t)at;
        r->n = end[j] - r->at;
        if (r->n <= LM_WORD_LONG) {
            lm_word_key(r->k, p + r->at, r->n, left - r->at);
            __builtin_prefetch(lm_word_line(&e->cache, r->k));
        }
    }
    for (size_t m = 0; m < k; m++) {
        rest *r = &e->rest[m];
        const lm_wordentry *x = r->n <= LM_WORD_LONG ? lm_word_find(&e->cache, r->k) : NULL;

        r->merge = NONE;
        r->ids = x ? lm_word_count(x) : 0;
        if (x) {
            lm_word_entry_ids(&e->cache, x, r->id);
        } else if (r->n <= LM_WORD_LONG && v->ordered) {
            lm_merge_load(v, p + r->at, r->n, e->part[n], e->to[n]);
            e->left[n] = (uint8_t)r->n;
            r->merge = (uint32_t)n++;
        }
    }
    return n;
}

/* A word that the stages before have left over. */
static int word(lm_enc *e, const char *p, size_t n, lm_ids *out)
{
    const uint32_t *id;
    size_t had = out->n, ids = lm_longword_find(&e->cache, p, n, &id);
    int err;

    if (ids) {
        lm_ids_need(out, ids);
        memcpy(out->v + out->n, id, ids * sizeof *id);
        out->n += ids;
        return 0;
    }
    if ((err = lm_word_ids(e->v, e->memo, p, n, out)) < 0)
        return err;
    lm_longword_put(&e->cache, p, n, out->v + had, out->n - had);
    return 0;
}

/* k <= PIECE pretokens of p: the first begins at `at`. left: bytes of text. */
static int piece(lm_enc *e, const char *p, size_t left, size_t at, const uint32_t *end, size_t k,
                 lm_ids *out)
{
    const lm_data_ops *op = e->v->op;
    size_t n = op->wordids(&e->v->word, p, left, at, end, k, e->id, e->missed), from = 0, merges;

    merges = look_up(e, p, left, at, end, n);
    if (merges)
        op->merge(&e->v->join, merges, e->part, e->to, e->left);
    e->missed[n] = (uint16_t)k;
    lm_ids_need(out, k + LM_MERGE_MAX * n + COPY);
    for (size_t m = 0;; m++) {
        size_t j = e->missed[m];
        const rest *r = &e->rest[m];
        int err;

        for (size_t i = 0; i < j - from; i += COPY)
            memcpy(out->v + out->n + i, e->id + from + i, COPY * sizeof *e->id);
        out->n += j - from;
        from = j + 1;
        if (m == n)
            break;
        if (r->ids) {
            memcpy(out->v + out->n, r->id, sizeof r->id);
            out->n += r->ids;
        } else if (r->merge != NONE) {
            memcpy(out->v + out->n, e->part[r->merge], sizeof e->part[0]);
            out->n += e->left[r->merge];
        } else {
            if ((err = word(e, p + r->at, r->n, out)) < 0)
                return err;
            lm_ids_need(out, k - j + LM_MERGE_MAX * (n - m) + COPY);
        }
    }
    for (size_t m = 0; merges && m < n; m++) {
        const rest *r = &e->rest[m];

        if (r->merge == NONE)
            continue;
        lm_word_put(&e->cache, r->k, e->part[r->merge], e->left[r->merge]);
    }
    return 0;
}

int lm_enc_text(lm_enc *e, lm_str t, lm_ids *out)
{
    lm_scan_pos pos = {0};
    size_t base = 0, k;

    if (e->v->nfc && may_change(t))
        return lm_err(LM_EINVALID,
                      "the vocabulary wants Unicode form C, and this text may not be in it");
    for (; (k = lm_scan_batch(e->v->pre, t.p, t.n, &pos, e->end)); base = pos.at) {
        size_t at = 0;

        for (size_t from = 0, some; from < k; from += some, at = e->end[from - 1]) {
            int err;

            some = k - from < PIECE ? k - from : PIECE;
            err = piece(e, t.p + base, t.n - base, at, e->end + from, some, out);
            if (err < 0) {
                lm_scan_stop(&pos);
                return err;
            }
        }
    }
    return pos.err;
}
