/* enc: text to ids through a cache of words. 99 % of the pretokens of code have at most 15 bytes
   and nearly all of those come again, so a hit is a 16-byte key, one cache line and one 16-byte
   store. Words are taken in batches: keys and prefetches first, look-ups after. What a cache holds
   never changes an id. */
#include "text/uclass.h"
#include "text/vocab-priv.h"

enum { BATCH = 256, KEYLEN = 15, WAYS = 2, COUNT_SHIFT = 24 };

/* key: the bytes, zero filled, and the length in the last byte (0 = free). id[0] has the count
 * (1-4) on top. */
typedef struct {
    uint64_t k[2];
    uint32_t id[4];
} entry;

struct lm_enc {
    const lm_vocab *v;
    entry *tab;        /* lines of WAYS entries, the younger first */
    size_t mask, most; /* lines - 1; lines the cache may have */
    size_t lost;       /* entries pushed out since the table last grew */
    uint64_t key[BATCH][2];
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
    size_t lines = 1024;

    for (e->most = 1; e->most * 2 * WAYS * sizeof(entry) <= cache && e->most < 1u << 30;
         e->most *= 2) {
    }
    if (lines > e->most)
        lines = e->most;
    e->v = v;
    e->mask = lines - 1;
    e->tab = lm_zalloc(lines * WAYS, sizeof(entry));
    return e;
}

void lm_enc_free(lm_enc *e)
{
    if (!e)
        return;
    free(e->tab);
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
    e->tab = lm_zalloc((e->mask + 1) * WAYS, sizeof(entry));
    for (size_t i = n; i-- > 0;) /* the younger of a line last, so that it stays the younger */
        if (old[i].k[1]) {
            entry *to = e->tab + hash(e, old[i].k) * WAYS;

            to[1] = to[0];
            to[0] = old[i];
        }
    free(old);
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

static void load_key(uint64_t k[2], const char *p, size_t n, size_t left)
{
    k[0] = k[1] = 0;
    if (left >= 16) {
        memcpy(k, p, 16);
        if (n < 8) {
            k[0] &= (1ull << 8 * n) - 1;
            k[1] = 0;
        } else {
            k[1] &= (1ull << 8 * (n - 8)) - 1;
        }
    } else {
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

static int batch(lm_enc *e, lm_str t, size_t from, size_t k, lm_ids *out)
{
    size_t at = from;

    for (size_t j = 0; j < k; j++) {
        size_t n = e->end[j] - at;

        if (n <= KEYLEN) {
            size_t line;

            load_key(e->key[j], t.p + at, n, t.n - at);
            line = hash(e, e->key[j]);
            __builtin_prefetch(e->tab + line * WAYS);
        }
        at = e->end[j];
    }
    at = from;
    for (size_t j = 0; j < k; j++) {
        size_t n = e->end[j] - at, had = out->n;
        int err;

        if (n <= KEYLEN) {
            const uint64_t *key = e->key[j];
            entry *x = e->tab + hash(e, key) * WAYS;

            x += !(x->k[0] == key[0] && x->k[1] == key[1]);
            if (x->k[0] == key[0] && x->k[1] == key[1]) {
                lm_ids_need(out, 4);
                memcpy(out->v + out->n, x->id, 16);
                out->v[out->n] &= (1u << COUNT_SHIFT) - 1;
                out->n += x->id[0] >> COUNT_SHIFT;
                at = e->end[j];
                continue;
            }
        }
        if ((err = lm_vocab_word(e->v, t.p + at, n, out)) < 0)
            return err;
        if (n <= KEYLEN && out->n - had <= 4)
            insert(e, e->key[j], out->v + had, out->n - had);
        at = e->end[j];
    }
    return 0;
}

int lm_enc_text(lm_enc *e, lm_str t, lm_ids *out)
{
    size_t at = 0, from = 0, k;
    int err;

    if (e->v->nfc && may_change(t))
        return lm_err(LM_EINVALID,
                      "the vocabulary wants Unicode form C, and this text may not be in it");
    while ((k = lm_scan(e->v->pre, t.p, t.n, &at, e->end, BATCH))) {
        if ((err = batch(e, t, from, k, out)) < 0)
            return err;
        from = at;
    }
    return 0;
}
