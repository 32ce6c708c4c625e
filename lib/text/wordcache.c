/* wordcache: two tables with one rule: what is old goes, nothing is ever wiped. The table of short
   words grows while it loses many; the ring overwrites its oldest records, and a slot that points
   at what was overwritten is simply no longer one. */
#include "text/wordcache.h"

enum { RING_IDS = 1024 }; /* more are not kept */

typedef struct {
    uint32_t n, ids; /* the text follows, then, aligned, the ids */
} record;

static size_t text_room(size_t n)
{
    return (n + 3) & ~(size_t)3;
}
static size_t record_size(size_t n, size_t ids)
{
    return (sizeof(record) + text_room(n) + 4 * ids + 7) & ~(size_t)7;
}

void lm_wordcache_new(lm_wordcache *c, size_t bytes, uint32_t size)
{
    enum { START = 12 };
    size_t ring = bytes / 4;

    *c = (lm_wordcache){.most = 1, .narrow = size <= 65536};
    for (c->nslot = 16; c->nslot * 2 * 64 <= ring && c->nslot < 1u << 20; c->nslot *= 2) {
    }
    c->slot = lm_alloc_huge(c->nslot * sizeof *c->slot);
    c->size = (ring > c->nslot * 8 ? ring - c->nslot * 8 : 0) / 8 * 8;
    c->ring = c->size ? lm_alloc_huge(c->size) : NULL;
    while ((2 * sizeof *c->tab << (c->most + 1)) <= bytes - ring && c->most < 28)
        c->most++;
    c->bits = c->most < START ? c->most : START;
    c->tab = lm_alloc_huge(2 * sizeof *c->tab << c->bits);
}

void lm_wordcache_free(lm_wordcache *c)
{
    if (c->tab)
        lm_free_huge(c->tab, 2 * sizeof *c->tab << c->bits);
    if (c->ring)
        lm_free_huge(c->ring, c->size);
    if (c->slot)
        lm_free_huge(c->slot, c->nslot * sizeof *c->slot);
    *c = (lm_wordcache){0};
}

/* Into its line, else the other of the pair, else over one of the four: in turn, for the oldest may
   be the next to come. */
static void put(lm_wordcache *c, const lm_wordentry *x)
{
    size_t at = (size_t)(lm_word_line(c, x->k) - c->tab), way = 0;

    while (way < 4 && c->tab[at ^ way].k[1])
        way++;
    if (way == 4)
        way = c->lost++ % 4;
    c->tab[at ^ way] = *x;
}

static void grow(lm_wordcache *c)
{
    lm_wordentry *old = c->tab;
    size_t n = (size_t)2 << c->bits;

    c->bits += c->bits < 16 && c->most - c->bits > 1 ? 2 : 1;
    c->tab = lm_alloc_huge(2 * sizeof *c->tab << c->bits);
    for (size_t i = 0; i < n; i++)
        if (old[i].k[1])
            put(c, &old[i]);
    lm_free_huge(old, n * sizeof *old);
    c->lost = 0;
}

void lm_word_put(lm_wordcache *c, const uint64_t k[2], const uint32_t *id, size_t n)
{
    lm_wordentry x = {{k[0], k[1] | (uint64_t)n << 60}, {{0}}};

    if (n > (c->narrow ? 8 : 4) || lm_word_find(c, k)) /* it may come twice in one batch */
        return;
    for (size_t i = 0; i < n; i++)
        if (c->narrow)
            x.id.narrow[i] = (uint16_t)id[i];
        else
            x.id.wide[i] = id[i];
    if (c->lost > ((size_t)1 << c->bits) / 8 && c->bits < c->most)
        grow(c);
    put(c, &x);
}

size_t lm_longword_find(const lm_wordcache *c, uint64_t hash, const char *p, size_t n,
                        const uint32_t **id)
{
    const char *r = lm_longword_record(c, hash);
    record head;

    if (!r)
        return 0;
    memcpy(&head, r, sizeof head);
    if (head.n != n || memcmp(r + sizeof head, p, n))
        return 0;
    *id = (const uint32_t *)(const void *)(r + sizeof head + text_room(n));
    return head.ids;
}

void lm_longword_put(lm_wordcache *c, uint64_t hash, const char *p, size_t n, const uint32_t *id,
                     size_t ids)
{
    record head = {(uint32_t)n, (uint32_t)ids};
    size_t size = record_size(n, ids), left;
    uint64_t *slot;
    char *r;

    if (n > LM_LONGWORD || ids > RING_IDS || size > c->size / 2)
        return;
    left = c->size - c->head % c->size;
    if (left < size) /* none runs over the end */
        c->head += left;
    r = c->ring + c->head % c->size;
    memcpy(r, &head, sizeof head);
    memcpy(r + sizeof head, p, n);
    memcpy(r + sizeof head + text_room(n), id, ids * sizeof *id);
    slot = lm_longword_slot(c, hash);
    if ((slot[0] ^ hash) >> 48) /* else its own; else the older, which a free one is */
        slot += !((slot[1] ^ hash) >> 48) || (slot[1] & LM_SLOT_AT) < (slot[0] & LM_SLOT_AT);
    *slot = hash >> 48 << 48 | (c->head + 1);
    c->head += size;
}
