/* enc: text to ids through a cache of words. 99 % of the pretokens of code have at most 15 bytes
   and nearly all of those come again, so a hit is a 16-byte key, one cache line and one 16-byte
   store. Words are taken in batches: keys and prefetches first, look-ups after. What a cache holds
   never changes an id. */
#include "text/uclass.h"
#include "text/vocab-priv.h"

enum { BATCH = 256, KEYLEN = 15, WAYS = 2, COUNT_SHIFT = 24, LONG = 62, LONG_IDS = 16 };

/* key: the bytes, zero filled, and the length in the last byte (0 = free). id[0] has the count
 * (1-4) on top. */
typedef struct {
    uint64_t k[2];
    uint32_t id[4];
} entry;

/* What does not fit there, up to 62 bytes and 16 ids; n 0 = free. One place for each hash. */
typedef struct {
    uint8_t n, count;
    char text[LONG];
    uint32_t id[LONG_IDS];
} big;

struct lm_enc {
    const lm_vocab *v;
    entry *tab;        /* lines of WAYS entries, the younger first */
    size_t mask, most; /* lines - 1; lines the cache may have */
    size_t lost;       /* entries pushed out since the table last grew */
    big *big;
    size_t bigmask;
    uint64_t key[BATCH][2];
    size_t line[BATCH];
    size_t end[BATCH];
};

static size_t hash(const lm_enc *e, const uint64_t k[2])
{
    uint64_t h = (k[0] ^ k[1] * 0x9e3779b97f4a7c15ull) * 0xd6e8feb86659fd93ull;

    return (h ^ h >> 32) & e->mask;
}

lm_enc *lm_enc_new(const lm_vocab *v, size_t cache)
{
    lm_enc *e = lm_zalloc(1, sizeof *e);
    size_t lines = 1024, nbig = 1;

    for (; nbig * 2 * sizeof(big) <= cache / 4 && nbig < 1u << 14; nbig *= 2) {
    }
    e->big = lm_zalloc(nbig, sizeof *e->big);
    e->bigmask = nbig - 1;
    cache -= cache / 4;
    for (e->most = 1; e->most * 2 * WAYS * sizeof(entry) <= cache && e->most < 1u << 30;
         e->most *= 2) {
    }
    if (lines > e->most)
        lines = e->most;
    e->v = v;
    e->mask = lines - 1;
    e->tab = lm_alloc_huge(lines * WAYS * sizeof(entry));
    return e;
}

void lm_enc_free(lm_enc *e)
{
    if (!e)
        return;
    lm_free_huge(e->tab, (e->mask + 1) * WAYS * sizeof(entry));
    free(e->big);
    free(e);
}

const lm_vocab *lm_enc_vocab(const lm_enc *e)
{
    return e->v;
}

static void grow(lm_enc *e)
{
    entry *old = e->tab;
    size_t n = (e->mask + 1) * WAYS, times = e->most / (e->mask + 1) >= 4 ? 4 : 2;

    e->mask = (e->mask + 1) * times - 1;
    e->tab = lm_alloc_huge((e->mask + 1) * WAYS * sizeof(entry));
    for (size_t i = n; i-- > 0;) /* the younger of a line last, so that it stays the younger */
        if (old[i].k[1]) {
            entry *to = e->tab + hash(e, old[i].k) * WAYS;

            to[1] = to[0];
            to[0] = old[i];
        }
    lm_free_huge(old, n * sizeof(entry));
    e->lost = 0;
}

static void insert(lm_enc *e, const uint64_t k[2], const uint32_t *id, size_t n)
{
    entry *to;

    if (e->lost > (e->mask + 1) / 4 && e->mask + 1 < e->most)
        grow(e);
    to = e->tab + hash(e, k) * WAYS;
    e->lost += to[1].k[1] != 0;
    to[1] = to[0];
    to[0].k[0] = k[0];
    to[0].k[1] = k[1];
    for (size_t i = 0; i < 4; i++)
        to[0].id[i] = i < n ? id[i] : 0;
    to[0].id[0] |= (uint32_t)n << COUNT_SHIFT;
}

static const uint64_t keep[16][2] = {
    {0, 0},
    {0xff, 0},
    {0xffff, 0},
    {0xffffff, 0},
    {0xffffffff, 0},
    {0xffffffffff, 0},
    {0xffffffffffff, 0},
    {0xffffffffffffff, 0},
    {~0ull, 0},
    {~0ull, 0xff},
    {~0ull, 0xffff},
    {~0ull, 0xffffff},
    {~0ull, 0xffffffff},
    {~0ull, 0xffffffffff},
    {~0ull, 0xffffffffffff},
    {~0ull, 0xffffffffffffff},
};

static inline void load_key(uint64_t k[2], const char *p, size_t n, size_t left)
{
    if (left >= 16) {
        memcpy(k, p, 16);
        k[0] &= keep[n][0];
        k[1] &= keep[n][1];
    } else {
        k[0] = k[1] = 0;
        memcpy(k, p, n);
    }
    k[1] |= (uint64_t)n << 56;
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

/* A word the table of short words does not have. */
static int miss(lm_enc *e, const char *p, size_t n, const uint64_t *key, lm_ids *out)
{
    size_t had = out->n, got;
    big *b = NULL;
    int err;

    if (n <= LONG && n > KEYLEN / 2) {
        b = &e->big[lm_hash64(p, n, 0) & e->bigmask];
        if (b->n == n && !memcmp(b->text, p, n)) {
            lm_ids_need(out, b->count);
            memcpy(out->v + out->n, b->id, b->count * sizeof *b->id);
            out->n += b->count;
            return 0;
        }
    }
    if ((err = lm_vocab_word(e->v, p, n, out)) < 0)
        return err;
    got = out->n - had;
    if (n <= KEYLEN && got <= 4) {
        insert(e, key, out->v + had, got);
    } else if (b && got <= LONG_IDS) {
        b->n = (uint8_t)n;
        b->count = (uint8_t)got;
        memcpy(b->text, p, n);
        memcpy(b->id, out->v + had, got * sizeof *b->id);
    }
    return 0;
}

static int batch(lm_enc *e, lm_str t, size_t from, size_t k, lm_ids *out)
{
    size_t at = from, mask = e->mask;

    for (size_t j = 0; j < k; at = e->end[j++]) {
        size_t n = e->end[j] - at;

        if (n > KEYLEN)
            continue;
        load_key(e->key[j], t.p + at, n, t.n - at);
        e->line[j] = hash(e, e->key[j]);
        __builtin_prefetch(e->tab + e->line[j] * WAYS);
    }
    at = from;
    lm_ids_need(out, 4 * k + 4);
    for (size_t j = 0; j < k; at = e->end[j++]) {
        size_t n = e->end[j] - at;
        const uint64_t *key = e->key[j];
        int err;

        if (n <= KEYLEN) {
            size_t line = e->mask == mask ? e->line[j] : hash(e, key); /* it may have grown */
            const entry *x = e->tab + line * WAYS;

            x += x->k[0] != key[0] || x->k[1] != key[1];
            if (x->k[0] == key[0] && x->k[1] == key[1]) {
                memcpy(out->v + out->n, x->id, 16);
                out->v[out->n] &= (1u << COUNT_SHIFT) - 1;
                out->n += x->id[0] >> COUNT_SHIFT;
                continue;
            }
        }
        if ((err = miss(e, t.p + at, n, key, out)) < 0)
            return err;
        lm_ids_need(out, 4 * (k - j) + 4);
    }
    return 0;
}

int lm_enc_text(lm_enc *e, lm_str t, lm_ids *out)
{
    size_t from = 0, k;
    lm_scan_pos at = {0};
    int err;

    if (e->v->nfc && may_change(t))
        return lm_err(LM_EINVALID,
                      "the vocabulary wants Unicode form C, and this text may not be in it");
    while ((k = lm_scan(e->v->pre, t.p, t.n, &at, e->end, BATCH))) {
        if ((err = batch(e, t, from, k, out)) < 0) {
            lm_scan_stop(&at);
            return err;
        }
        from = at.at;
    }
    return at.err;
}
