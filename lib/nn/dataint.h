/* dataint: what the files of the reader share. */
#ifndef LM_DATAINT_H
#define LM_DATAINT_H
#include "nn/data.h"
#include "nn/mix.h"

struct lm_feed;
struct lm_ahead;
struct lm_rowset {
    size_t shard;                                  /* its first */
    uint64_t first, rows;                          /* its rows */
    lm_epochs order;
};
/* Which row a sample is: what changes as one looks, so each thread has its own. */
struct lm_rowmap { struct lm_rowset *set; size_t nset; lm_mix mix; };  /* one set, but of a mixture */
struct lm_data {
    lm_data_opt o;
    lm_data_facts about;
    lm_shard *shard;
    size_t nshard, cap;
    uint64_t *first;                               /* nshard + 1: the first row of each shard */
    struct lm_rowmap map;
    struct lm_feed *stream;                        /* NULL: shards */
    struct lm_ahead *ahead;                        /* NULL: not asked for yet */
};

uint64_t lm_rowmap_at(struct lm_rowmap *m, uint64_t sample);
lm_shard *lm_data_shard(const lm_data *d, uint64_t row, uint64_t *base);   /* the shard of a row, and its first token there */
/* The n tokens from place `begin` of the row on see each other; n 1: nothing changes. */
void lm_row_prefix(lm_row *out, uint64_t seq, uint64_t begin, uint64_t n);
int lm_data_stream_next(lm_data *d, uint64_t sample, lm_row *out);
void lm_data_stream_free(lm_data *d);
void lm_data_ahead_free(lm_data *d);

#endif
