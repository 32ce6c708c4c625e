/* shard: one token shard, mapped and checked (lm_shard_*), and the writer of a folder of shards (lm_shards_*). */
#ifndef LM_SHARD_H
#define LM_SHARD_H
#include "nn/tokrec.h"
#include <stdatomic.h>

#define LM_SHARD_BLOCK 1048576                     /* bytes of tokens a CRC covers */
#define LM_SHARD_SUM 65536                         /* bytes of the body of another record; a search meets several */

/* The sums of the body of a record behind the tokens: of the len bytes that stand before them there. sum NULL: none. */
typedef struct {
    const char *name;
    const uint8_t *body, *sum;
    uint64_t len;
    _Atomic uint8_t *met;                          /* a byte a block: 1 once it was found right */
} lm_shard_sums;

static inline uint64_t lm_shard_sums_of(uint64_t len) { return len / LM_SHARD_SUM + (len % LM_SHARD_SUM > 0); }

/* A mapped shard. The views lie in map, which lives until lm_shard_close. */
typedef struct {
    char *path;
    lm_str map;
    const uint8_t *tok, *ends, *crc, *ids, *from, *weight, *prefix;   /* ids, from, weight, prefix may be NULL */
    uint64_t tokens, docs, seq, bytes, len;        /* seq 0: not packed; len: bytes of tokens */
    uint64_t piece, pieces;                        /* pieces 0: of no piece */
    unsigned width;                                /* 2 or 4 */
    char vocab[33], mode[16];
    lm_id hash;
    _Atomic uint8_t *met;                          /* of the tokens, as of a record's sums */
    lm_shard_sums of_ends, of_ids, of_weight, of_prefix;
} lm_shard;

/* 0; LM_EIO; LM_ETRUNC (no %end: cut), LM_ECORRUPT, LM_EVERSION, LM_EMISSING, LM_EINVALID. s is filled or empty. */
int lm_shard_open(lm_shard *s, const char *path);
void lm_shard_close(lm_shard *s);
/* Calls f with the path of each shard that DIR/index.lm lists, and its record there, up to one that f does not give 0
   for. 0, what f gave, or as lm_next; LM_EINVALID where a record names no file of the folder. */
int lm_shard_index(const char *dir, int (*f)(void *ctx, const char *path, lm_rec *r), void *ctx);
/* The path of the shard that r, a @shard record of DIR/index.lm, tells of: 1; 0: none, a piece without tokens. */
int lm_shard_path(const char *dir, lm_rec *r, lm_buf *path);
int lm_shard_listed(const lm_shard *s, lm_rec *r);  /* is it the one r tells of? 0 or LM_EMISMATCH */
/* Checks, once each, the blocks that hold tokens [lo, hi) and their weights: the CRC, and that ids are below `ids` (0:
   any; always the same). 0, LM_ECORRUPT or LM_EINVALID naming shard and block. Threads may call it side by side. */
int lm_shard_met(const lm_shard *s, uint64_t lo, uint64_t hi, uint32_t ids);
/* The same of what is known of document (or piece) doc, where it begins and the one behind it: ends, ids, from, prefix.
   *sure, beyond doc: documents below it need no call any more. A shard without sums is taken as it is. */
int lm_shard_doc_met(const lm_shard *s, uint64_t doc, uint64_t *sure);

static inline uint32_t lm_shard_at(const lm_shard *s, uint64_t i) { return lm_load_id(s->tok + i * s->width, s->width); }

static inline uint64_t lm_shard_end(const lm_shard *s, uint64_t doc) { return lm_load64(s->ends + 8 * doc); }

/* Writes DIR/00000.lm, 00001.lm, .. (of a piece P-00000.lm, ..) and index.lm: the folder is written aside and appears
   whole. It replaces a folder of the same piece only. */
typedef struct lm_shards lm_shards;
typedef struct {
    uint64_t size, align, seed;                    /* bytes of tokens a shard; body offset; recorded by --by-hash */
    bool seeded;
    uint64_t piece, pieces;                        /* of a corpus that pieces writers share; pieces 0: the only one */
    const char *vocab;                             /* 32 hex digits the records must have; NULL: any, but one */
    uint32_t vocab_size;                           /* ids must be below; 0: not checked */
    lm_str by;                                     /* this tool's %by line, n 0 = none */
} lm_shards_opt;
lm_shards *lm_shards_new(const char *dir, const lm_shards_opt *o);  /* NULL: LM_EIO stored */
void lm_shards_note(lm_shards *w, lm_str line);    /* a %by line of the input */
int lm_shards_add(lm_shards *w, lm_rec *r);        /* a @tok record; 0, LM_EMISMATCH, LM_EINVALID, LM_EIO */
int lm_shards_end(lm_shards *w);                   /* the index, the rename; 0 or LM_EIO */
void lm_shards_free(lm_shards *w);                 /* without lm_shards_end nothing is left behind */

/* Puts the folders of all pieces of a corpus together as folder dir, whole or not at all: each shard by a link, or a
   copy where that cannot be, and the index, in the order of the pieces. by: this tool's %by line. 0; LM_EMISSING (a
   piece), LM_EMISMATCH (one twice, or of another kind), LM_EIO, or as lm_shard_open. */
int lm_shards_join(const char *dir, const char *const *paths, size_t n, lm_str by);

/* What a writer of shards shares with the join. */
#define LM_SHARD_NAME 48
void lm_shard_name(char out[LM_SHARD_NAME], uint64_t piece, uint64_t pieces, uint64_t i);  /* of shard i of a piece */
/* Is this the name of a shard of that piece; of any, with piece UINT64_MAX? */
bool lm_shard_named(const char *name, uint64_t piece, uint64_t pieces);
void lm_shard_note(lm_buf *notes, lm_str line);    /* adds it and its LF, once */
/* DIR/index.lm: n @shard records behind notes and by. */
int lm_shard_index_write(const char *dir, const lm_buf *notes, lm_str by, const lm_buf *recs, uint64_t n);

#endif
