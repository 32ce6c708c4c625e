/* tokrec: what a @tok record holds, checked: ids, weights, segments, documents (tokens(5) part of lm-types(5)). */
#ifndef LM_TOKREC_H
#define LM_TOKREC_H
#include "stream/stream.h"

/* Views into the record: valid as long as its body and attributes are. n tokens of `width` bytes,
   little-endian, maybe unaligned. weight NULL: all 1. seg, ids, from, lens: of packed rows, k
   segments; seg holds their ends (u32), ids their documents (16 bytes each), from (u64) the first
   token of the piece in its document, lens (u32) its prefix; seg.p NULL: one segment, the whole
   record. lm_tokrec_seg reads them. */
typedef struct {
    const uint8_t *tok, *weight;
    uint64_t n, k, seq, bytes;                     /* seq 0: not packed; bytes: of source text, 0 unknown */
    uint64_t prefix;                               /* of an unpacked record: tokens at its front that see each other */
    unsigned width;                                /* 2 or 4 */
    lm_str dt, vocab, mode, seg, ids, from, lens;
    lm_id id;                                      /* of an unpacked record */
    struct {
        bool said, same;                           /* what follows is told; and is of the same document */
        uint32_t id; uint8_t weight;               /* 0, 0: nothing does */
    } next;                                        /* behind a row; where not said, it is the record behind */
} lm_tokrec;

/* Tokens [begin, end) of a record: a document, or its piece that starts at its token `from`. The
   first `prefix` of them see each other, later ones see back alone; 0: none. */
typedef struct { uint64_t begin, end, from, prefix; lm_id id; } lm_tokseg;

/* Reads r, a @tok record. 0, or LM_EMISSING (no vocab=), LM_EINVALID (a bad array or number). */
int lm_tokrec_get(lm_rec *r, lm_tokrec *t);
lm_tokseg lm_tokrec_seg(const lm_tokrec *t, uint64_t i);  /* segment i < k */

/* Little-endian loads from any address. */
static inline uint32_t lm_load32(const void *p)
{
    const uint8_t *b = p;

    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t lm_load64(const void *p)
{
    return lm_load32(p) | (uint64_t)lm_load32((const uint8_t *)p + 4) << 32;
}

/* The id at p, of 2 or 4 bytes. */
static inline uint32_t lm_load_id(const uint8_t *p, unsigned width)
{
    return width == 2 ? (uint32_t)p[0] | (uint32_t)p[1] << 8 : lm_load32(p);
}

static inline uint32_t lm_tokrec_at(const lm_tokrec *t, uint64_t i) { return lm_load_id(t->tok + i * t->width, t->width); }

/* What a packed row is made of, in the order it lies in the body: seq tokens of `width` bytes, weights (none: all 1),
   and of each segment its end (u32), document (16 bytes), place in it (u64) and prefix (u32). */
typedef struct {
    lm_buf tok, weight, seg, ids, from, prefix;
    lm_buf body;                                   /* lm_tokrow_rec's own */
    uint64_t k;
    unsigned width;
} lm_tokrow;
void lm_tokrow_segment(lm_tokrow *w, uint64_t end, lm_id id, uint64_t from, uint64_t prefix);
/* Makes the row the @tok record r, without weights that are all 1 and prefixes that are all 0; r points into w. */
void lm_tokrow_rec(lm_tokrow *w, lm_rec *r, lm_str vocab, lm_str mode);
void lm_tokrow_clear(lm_tokrow *w);
void lm_tokrow_free(lm_tokrow *w);

/* The prefix of tokens [from, from + n) of a text whose prefix is given. */
static inline uint64_t lm_prefix_cut(uint64_t prefix, uint64_t from, uint64_t n)
{
    return prefix <= from ? 0 : prefix - from < n ? prefix - from : n;
}

/* An id as its 16 bytes, high half first, most significant byte first: the order of its hex. */
void lm_id_put(uint8_t out[16], lm_id id);
lm_id lm_id_load(const uint8_t p[16]);

#endif
