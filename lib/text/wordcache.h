/* wordcache: words and their ids, for one thread: words of up to 15 bytes in a table if they have few ids, others
   in a ring. */
#ifndef LM_WORDCACHE_H
#define LM_WORDCACHE_H
#include "base/base.h"
#include "kernels/data.h"

enum { LM_WORD_IDS = 8 };                           /* at most; 4 where ids do not fit 16 bits */
/* A word: the bytes, zero filled, in bits 120-123 their number (0 = no word) and in 124-127 that of the ids. */
typedef struct { uint64_t k[2]; union { uint16_t narrow[8]; uint32_t wide[4]; } id; } lm_wordentry;
typedef struct lm_wordcache lm_wordcache;
struct lm_wordcache {
    bool narrow;                                   /* ids fit 16 bits */
    lm_wordentry *tab;                             /* lines of two entries, two lines a pair */
    unsigned bits, most;                           /* of the number of lines, and what they may grow to */
    size_t lost;                                   /* entries pushed out since the table last grew */
    char *ring; size_t size;                       /* records one behind the other */
    uint64_t head;                                 /* bytes ever written */
    uint64_t *slot; size_t nslot;                  /* pairs by hash: 16 bits of it, where a record begins, + 1 */
};

/* In at most `bytes`, for ids below `size`. lm_wordcache_free frees what *c holds. */
void lm_wordcache_new(lm_wordcache *c, size_t bytes, uint32_t size);
void lm_wordcache_free(lm_wordcache *c);

static inline const lm_wordentry *lm_word_line(const lm_wordcache *c, const uint64_t k[2])
{
    return c->tab + (lm_long_hash(k[0], k[1] << 4 >> 4) >> (64 - c->bits)) * 2;
}
/* The other line of the pair. */
static inline const lm_wordentry *lm_word_other(const lm_wordcache *c, const uint64_t k[2])
{
    return c->tab + ((size_t)(lm_word_line(c, k) - c->tab) ^ 2);
}
static inline bool lm_word_is(const lm_wordentry *x, const uint64_t k[2])
{
    return x->k[0] == k[0] && x->k[1] << 4 == k[1] << 4;
}
static inline unsigned lm_word_count(const lm_wordentry *x) { return (unsigned)(x->k[1] >> 60); }
/* The entry of a key (the number of ids in it does not count), NULL if there is none; valid until the next put. */
static inline const lm_wordentry *lm_word_find(const lm_wordcache *c, const uint64_t k[2])
{
    const lm_wordentry *x = lm_word_line(c, k);

    x += !lm_word_is(x, k);
    if (lm_word_is(x, k))
        return x;
    x = c->tab + ((size_t)(x - c->tab) ^ 2);       /* the other line of the pair, its second entry or first */
    if (lm_word_is(x, k))
        return x;
    x = c->tab + ((size_t)(x - c->tab) ^ 1);
    return lm_word_is(x, k) ? x : NULL;
}
/* The key of n <= LM_WORD_LONG bytes; left >= n: bytes that may be read. */
static inline void lm_word_key(uint64_t k[2], const char *p, size_t n, size_t left)
{
    if (left >= 16) {
        unsigned drop = (unsigned)(8 * (16 - n));  /* bits at the top */

        memcpy(k, p, 16);
        k[1] = drop >= 64 ? 0 : k[1] << drop >> drop;
        k[0] = drop > 64 ? k[0] << (drop - 64) >> (drop - 64) : k[0];
    } else {
        k[0] = k[1] = 0;
        memcpy(k, p, n);
    }
    k[1] |= (uint64_t)n << 56;
}
/* Its ids; writes LM_WORD_IDS of them, whatever their number. */
static inline void lm_word_entry_ids(const lm_wordcache *c, const lm_wordentry *x, uint32_t *to)
{
    if (c->narrow)
        for (size_t i = 0; i < 8; i++)
            to[i] = x->id.narrow[i];
    else
        memcpy(to, x->id.wide, sizeof x->id.wide);
}
/* Remembers a word, if its n ids fit an entry. */
void lm_word_put(lm_wordcache *c, const uint64_t k[2], const uint32_t *id, size_t n);

/* The same for words of up to LM_LONGWORD bytes, by their hash (lm_hash64, seed 0). The ids are valid until the next
   put; their number, 0 if unknown. lm_longword_slot and then lm_longword_record are what find will read. */
enum { LM_LONGWORD = 4096 };
#define LM_SLOT_AT ((1ull << 48) - 1)
static inline uint64_t *lm_longword_slot(const lm_wordcache *c, uint64_t hash)
{
    return c->slot + (hash & (c->nslot - 1) & ~(uint64_t)1);
}
/* The record that one of the two slots points at, if it is still in the ring. */
static inline const char *lm_longword_at(const lm_wordcache *c, uint64_t slot)
{
    uint64_t at = (slot & LM_SLOT_AT) - 1;

    return slot && c->head - at <= c->size ? c->ring + at % c->size : NULL;
}
static inline const char *lm_longword_record(const lm_wordcache *c, uint64_t hash)
{
    const uint64_t *slot = lm_longword_slot(c, hash);

    for (int i = 0; i < 2; i++)
        if ((slot[i] ^ hash) >> 48 == 0)
            return lm_longword_at(c, slot[i]);
    return NULL;
}
size_t lm_longword_find(const lm_wordcache *c, uint64_t hash, const char *p, size_t n, const uint32_t **id);
void lm_longword_put(lm_wordcache *c, uint64_t hash, const char *p, size_t n, const uint32_t *id, size_t ids);

#endif
