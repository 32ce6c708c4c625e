/* data: the kernels of the data filters, one prototype an operation. kernels/ref holds their
   meaning; kernels/x86/LEVEL overrides by the same stem; every level gives the same bytes. */
#ifndef LM_DATA_H
#define LM_DATA_H
#include <stddef.h>
#include <stdint.h>

/* A set of ASCII bytes: c (< 128) is in it if bit c / 16 of row[c % 16] is 1. */
typedef struct { uint8_t row[16]; } lm_byteset;

/* Words of 1 to 15 bytes and their ids, in lines of one cache line each. A key is the bytes of the word, little
   end first, and its length in the top byte: 8 bytes for words of up to 7, else 16; 0 = free. A word stands in line
   hash >> shift  of its table or nowhere. The last id of each line is LM_WORD_NONE. */
enum { LM_WORD_SHORT = 7, LM_WORD_LONG = 15, LM_SHORT_WAYS = 5, LM_LONG_WAYS = 3 };
#define LM_WORD_NONE 0xffffffffu
typedef struct { uint64_t key[LM_SHORT_WAYS]; uint32_t id[LM_SHORT_WAYS + 1]; } lm_shortline;
typedef struct { uint64_t key[LM_LONG_WAYS][2]; uint32_t id[LM_LONG_WAYS + 1]; } lm_longline;
typedef struct {
    const lm_shortline *few; const lm_longline *many;          /* aligned to 64 bytes */
    unsigned fewshift, manyshift;
} lm_wordtab;
#define LM_SHORT_MUL 0x9e3779b97f4a7c15ull
static inline uint64_t lm_short_hash(uint64_t key) { return key * LM_SHORT_MUL; }
/* The id of a word of up to 7 bytes by its key. */
static inline uint32_t lm_shortword(const lm_wordtab *t, uint64_t key)
{
    const lm_shortline *line = t->few + (lm_short_hash(key) >> t->fewshift);

    for (int i = 0; i < LM_SHORT_WAYS; i++)
        if (line->key[i] == key)
            return line->id[i];
    return LM_WORD_NONE;
}
static inline uint64_t lm_long_hash(uint64_t k0, uint64_t k1)
{
    return (k0 * 0x9e3779b97f4a7c15ull ^ k1) * 0xd6e8feb86659fd93ull;
}

/* What two neighbours merge to, all ids below LM_NARROW_NONE: lines of one cache line each. A pair, left << 16 | right,
   stands in line lm_merge_line() or, if that is full, in one of the next, the first being next to the last; `more`: one
   does. Free: all ones. The last id of each line is LM_NARROW_NONE. */
enum { LM_NARROW_NONE = 0xffff, LM_MERGE_WAYS = 10 };
typedef struct { uint32_t key[LM_MERGE_WAYS]; uint16_t id[LM_MERGE_WAYS + 1], more; } lm_mergeline;
typedef struct { const lm_mergeline *line; uint32_t lines; } lm_mergetab;  /* aligned to 64 bytes */
static inline uint32_t lm_merge_line(uint32_t pair, uint32_t lines)
{
    return (uint32_t)((uint64_t)(pair * 0x9e3779b1u) * lines >> 32);
}
/* The same for ids below 2^21 - 1: open table of lines of 8, left (21 bits), right (21), id (22); ~0 = free. A pair
   stands in line  lm_join_line(left << 21 | right)  or, if that is full, in the next. */
typedef struct { const uint64_t *slot; unsigned bits; } lm_jointab;        /* 8 << bits slots, aligned to 64 bytes */
static inline uint64_t lm_join_line(uint64_t pair, unsigned bits)
{
    return (pair * 0x9e3779b97f4a7c15ull ^ (pair >> 21) * 0xd6e8feb86659fd93ull) >> (64 - bits);
}

/* What left and right merge to; LM_MERGE_NONE: nothing. */
#define LM_MERGE_NONE 0xffffffffu
enum { LM_MERGE_MAX = 32 };
static inline uint32_t lm_merge_find(const lm_mergetab *t, uint32_t left, uint32_t right)
{
    uint32_t pair = left << 16 | right, i = lm_merge_line(pair, t->lines);

    for (;; i = i + 1 < t->lines ? i + 1 : 0) {
        const lm_mergeline *l = &t->line[i];

        for (int k = 0; k < LM_MERGE_WAYS; k++)
            if (l->key[k] == pair)
                return l->id[k];
        if (!l->more)
            return LM_MERGE_NONE;
    }
}
static inline uint32_t lm_join(const lm_jointab *t, uint32_t left, uint32_t right)
{
    uint64_t pair = (uint64_t)left << 21 | right, mask = (8ull << t->bits) - 1;
    uint64_t i = lm_join_line(pair, t->bits) * 8;

    for (;; i = (i + 1) & mask) {
        if (t->slot[i] >> 22 == pair)
            return (uint32_t)t->slot[i] & 0x3fffff;
        if (t->slot[i] == UINT64_MAX)
            return LM_MERGE_NONE;
    }
}

typedef struct lm_data_ops {
    int level;                                     /* of kernels/cpu.h */
    /* Where in p[0..n) are the bytes of some sets? mask has (n + 63) / 64 rows of nset + 1 words;
       bit i % 64 of word s of row i / 64 says that byte i is in set s, of word nset that it is >= 128.
       Bits past n are 0. nset <= 15. */
    void (*bytesets)(const void *p, size_t n, const lm_byteset *set, size_t nset, uint64_t *mask);
    /* dst[i] = src[i] with A-Z made a-z, i < n. dst may be src. */
    void (*fold)(char *dst, const char *src, size_t n);
    /* min[i] = min(min[i], high 32 bits of (a[i] x[j] + b[i] mod 2^64)) over all j < n, for i < perms;
       perms is a multiple of 64, a[i] is odd. */
    void (*minhash)(const uint32_t *x, size_t n, const uint64_t *a, const uint64_t *b, size_t perms,
                    uint32_t *min);
    /* Writes the positions of the 1 bits of mask[0..n), n < 2^26, in rising order; returns how many. pos has
       room for 63 more. */
    size_t (*positions)(const uint64_t *mask, size_t n, uint32_t *pos);
    /* Word j is p[end[j - 1] .. end[j]), the first begins at `at`, j < k <= 65535; p has `left` >= end[k - 1] bytes.
       id[j] = its id, or LM_WORD_NONE if t lacks it; missed: these j, rising, room for k + 1. Returns their number. */
    size_t (*wordids)(const lm_wordtab *t, const char *p, size_t left, size_t at,
                    const uint32_t *end, size_t k,
                      uint32_t *id, uint16_t *missed);
    /* Merges the ids of each of `words` words: the least id first, of equals the leftmost. id[w][0..n[w]) and
       to[w][i]: what id[w][i] and id[w][i + 1] make, or LM_MERGE_NONE; the last is that; 1 <= n[w] <= LM_MERGE_MAX.
       n[w] becomes the number of ids left; what stands behind them, and in to, is undefined. narrow: t holds all. */
    void (*narrow)(const lm_mergetab *t, size_t words, uint32_t (*id)[LM_MERGE_MAX],
                   uint32_t (*to)[LM_MERGE_MAX], uint8_t *n);
    void (*wide)(const lm_jointab *t, size_t words, uint32_t (*id)[LM_MERGE_MAX],
                 uint32_t (*to)[LM_MERGE_MAX], uint8_t *n);
} lm_data_ops;

const lm_data_ops *lm_data_kernels(void);                  /* for lm_cpu_level(); NULL: its error is stored */
const lm_data_ops *lm_data_at(int level);          /* for tests; level <= lm_cpu_best() */

void lm_bytesets_ref(const void *p, size_t n, const lm_byteset *set, size_t nset, uint64_t *mask);
void lm_bytesets_avx2(const void *p, size_t n, const lm_byteset *set, size_t nset, uint64_t *mask);
void lm_bytesets_avx512(const void *p, size_t n, const lm_byteset *set, size_t nset, uint64_t *mask);
void lm_fold_ref(char *dst, const char *src, size_t n);
void lm_fold_avx2(char *dst, const char *src, size_t n);
void lm_minhash_ref(const uint32_t *x, size_t n, const uint64_t *a, const uint64_t *b, size_t perms,
                    uint32_t *min);
void lm_minhash_avx2(const uint32_t *x, size_t n, const uint64_t *a, const uint64_t *b, size_t perms,
                     uint32_t *min);
void lm_minhash_avx512(const uint32_t *x, size_t n, const uint64_t *a, const uint64_t *b, size_t perms,
                       uint32_t *min);
size_t lm_positions_ref(const uint64_t *mask, size_t n, uint32_t *pos);
size_t lm_positions_avx2(const uint64_t *mask, size_t n, uint32_t *pos);
size_t lm_positions_avx512(const uint64_t *mask, size_t n, uint32_t *pos);
size_t lm_wordids_ref(const lm_wordtab *t, const char *p, size_t left, size_t at,
                    const uint32_t *end, size_t k,
                    uint32_t *id, uint16_t *missed);
size_t lm_wordids_avx2(const lm_wordtab *t, const char *p, size_t left, size_t at,
                    const uint32_t *end, size_t k,
                     uint32_t *id, uint16_t *missed);
size_t lm_wordids_avx512(const lm_wordtab *t, const char *p, size_t left, size_t at,
                    const uint32_t *end, size_t k,
                       uint32_t *id, uint16_t *missed);
void lm_narrow_ref(const lm_mergetab *t, size_t words, uint32_t (*id)[LM_MERGE_MAX],
                   uint32_t (*to)[LM_MERGE_MAX], uint8_t *n);
void lm_wide_ref(const lm_jointab *t, size_t words, uint32_t (*id)[LM_MERGE_MAX],
                 uint32_t (*to)[LM_MERGE_MAX], uint8_t *n);
void lm_narrow_avx512(const lm_mergetab *t, size_t words, uint32_t (*id)[LM_MERGE_MAX],
                   uint32_t (*to)[LM_MERGE_MAX], uint8_t *n);
void lm_wide_avx512(const lm_jointab *t, size_t words, uint32_t (*id)[LM_MERGE_MAX],
                 uint32_t (*to)[LM_MERGE_MAX], uint8_t *n);

#endif
