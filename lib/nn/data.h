/* data: rows of tokens for training, from mapped shards in a keyed random order or from a stream. */
#ifndef LM_NN_DATA_H
#define LM_NN_DATA_H
#include "nn/epoch.h"
#include "nn/shard.h"

typedef struct {
    uint64_t seq;                                  /* tokens a row; 0: the shards' seq=, else 2048 */
    uint64_t seed;
    const char *shuffle;                           /* the order of the rows, as lm_order_parse takes it; NULL: full */
    const char *mix;                               /* weights of the paths, each a set of its own, as lm_mix_parse takes them; NULL: one set */
    bool docmask;                                  /* documents in a row do not see each other */
    const char *vocab;                             /* 32 hex digits the data must have; NULL: any */
    uint32_t ids;                                  /* ids must be below; 0: not checked */
    const lm_dict *skip;                           /* documents (16 bytes, lm_id_put) of weight 0; may be NULL */
} lm_data_opt;

/* One row: arrays of seq elements, of the caller. ids are the inputs; tgt[i] is the id that follows
   ids[i] and w[i] its loss weight (0: nothing to predict: a document's end under docmask, padding,
   the end of the data); start[i] the place in the row where the document of ids[i] begins; end[i]
   that of the last token it sees: i or, where it leads a document whose first tokens see each other,
   the last of these. end may be NULL, and is written only where prefixed is set: some end[i] > i.
   What is seen is not asked for: w[i] is 0 where tgt[i] is. */
typedef struct { uint32_t *ids, *tgt, *start, *end; uint8_t *w; bool prefixed; } lm_row;

/* A piece of a document within a row: its n tokens from place `begin` of the row on are those from
   token `from` of the document on, and the first `prefix` of them see each other. goes_on: the document does, behind the piece. */
typedef struct { lm_id id; uint64_t from, begin, n, prefix; bool goes_on; } lm_piece;

/* A row where it lies: seq tokens of width bytes and, where one follows in the shard, that too (n is
   seq or seq + 1), with as many weights (NULL: all 1). Valid until lm_data_close. */
typedef struct { const uint8_t *tok, *weight; uint64_t n; unsigned width; } lm_view;

typedef struct {
    uint64_t rows, seq, tokens, docs, bytes;       /* bytes: of source text; 0: not all shards say */
    bool weighted;                                 /* some of the data say weights; of a stream: of what was read */
    uint64_t packed;                               /* the shards' seq=; 0: not packed */
    char vocab[33], mode[16];
    lm_id hash;                                    /* of the list of shards with their hashes */
} lm_data_facts;

typedef struct lm_data lm_data;
/* Each path is a folder with index.lm or a shard. NULL: error stored (LM_EIO, LM_EMISMATCH with
   another vocab=, LM_ETRUNC, LM_ECORRUPT, LM_EINVALID without a row, LM_EUSAGE as lm_order_parse, lm_mix_parse and
   lm_mix_init). */
lm_data *lm_data_open(const char *const *paths, size_t n, const lm_data_opt *o);
/* Rows of the @tok records of in, in their order; seq 0 = their seq=. in stays the caller's. */
lm_data *lm_data_stream(lm_in *in, const lm_data_opt *o);
int lm_data_peek(lm_data *d);                      /* of a stream: reads until its shape is known; 0 or < 0 */
void lm_data_close(lm_data *d);
const lm_data_facts *lm_data_about(const lm_data *d);  /* of a stream: known after lm_data_peek or the first row */
/* Row of sample number `sample` (epoch by epoch, each a permutation of all rows; of a mixture, of the rows of each
   set; a stream: the next one, in order from 0). 1; 0 at a stream's end; LM_ECORRUPT (a block's CRC), LM_EINVALID (id >= ids). */
int lm_data_sample(lm_data *d, uint64_t sample, lm_row *out);
/* These of shards only. */
uint64_t lm_data_row_of(lm_data *d, uint64_t sample);
int lm_data_row(lm_data *d, uint64_t row, lm_row *out);            /* 1 or < 0, as lm_data_sample */
int lm_data_view(lm_data *d, uint64_t row, lm_view *out);          /* 0 or < 0: the same row, nothing copied */
/* Up to max of its pieces; *n: how many there are. 0, or LM_ECORRUPT: they do not make up the row. */
int lm_data_pieces(lm_data *d, uint64_t row, lm_piece *out, size_t max, size_t *n);
/* Has a thread of its own read and check the rows of n samples; returns at once. Of two calls the later counts. */
void lm_data_ahead(lm_data *d, uint64_t sample, uint64_t n);

#endif
