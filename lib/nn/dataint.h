/* dataint: what data.c and datastream.c share. */
#ifndef LM_DATAINT_H
#define LM_DATAINT_H
#include "nn/data.h"
#include "nn/mix.h"

struct lm_feed;
struct lm_rowset {
    size_t shard;                                  /* its first */
    uint64_t first, rows;                          /* its rows */
    lm_perm perm; uint64_t epoch;                  /* the order last used */
};
struct lm_data {
    lm_data_opt o;
    lm_data_facts about;
    lm_shard *shard;
    size_t nshard, cap;
    uint64_t *first;                               /* nshard + 1: the first row of each shard */
    uint64_t packed;                               /* seq= of the shards, 0: not packed */
    struct lm_rowset *set; size_t nset;            /* one, but of a mixture */
    lm_mix mix;
    struct lm_feed *stream;                        /* NULL: shards */
};

void lm_row_piece(lm_row *out, uint64_t begin, uint64_t end, bool last, bool skip);
int lm_data_stream_next(lm_data *d, uint64_t sample, lm_row *out);
void lm_data_stream_free(lm_data *d);

#endif
