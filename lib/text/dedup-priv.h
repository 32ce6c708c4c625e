/* dedup-priv: what dedup.c (gathering) and dedup-solve.c (deciding) share. */
#ifndef LM_DEDUP_PRIV_H
#define LM_DEDUP_PRIV_H
#include "text/dedup.h"
#include "text/spool.h"

#define NO_SIG UINT64_MAX
#define PASS UINT32_MAX                            /* item.content of a record that is not judged */
#define NOTE (UINT32_MAX - 1)

typedef struct {                                   /* of each record and note, in the order they came */
    uint64_t at, n, seq, off;                      /* at: in the spool */
    const char *file;
    lm_id id;
    lm_str key;                                    /* rank */
    uint32_t content;
} item;

typedef struct {                                   /* of each different body */
    lm_id hash;
    uint64_t sig;
    uint32_t doc;                                  /* the item that is kept of its equals */
    uint32_t parent;                               /* union-find */
    uint32_t size, best, least;                    /* of a root: contents, the one kept, the one of least id */
} content;

typedef struct {                                   /* of a record of the batch */
    size_t at, n, key;
    uint32_t nkey, thread;
    lm_id hash, id;
    uint64_t seq, off;
    const char *file;
    bool judge, note, signed_;
} bitem;

typedef struct { lm_minhash_room room; lm_buf keys; lm_rec rec; } local;

struct lm_dedup {
    lm_dedup_cfg cfg;
    lm_minhash mh;
    size_t room, meta;                             /* bytes left for the spools; taken by the rest */
    lm_spool *bodies, *sigs;
    lm_pool *pool;
    lm_arena *keys;
    local *local;                                  /* one a thread */
    lm_buf batch;
    bitem *bitem;
    size_t nb, capb;
    uint32_t *fresh;                               /* records of the batch with a new content */
    size_t nfresh, capfresh;
    uint32_t *bsig;                                /* their signatures */
    item *item;
    size_t nitem, capitem;
    content *content;
    size_t ncontent, capcontent;
    uint32_t *table;                               /* content + 1 by hash, open addressing */
    size_t ntable;
};

void lm_dedup_view(lm_rec *r, const char *raw, size_t n);
int lm_dedup_finish_input(lm_dedup *d);

#endif
