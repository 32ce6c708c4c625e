/* dedup: exact and near duplicates of a whole stream, found in one process under a memory bound.
   Records and notes go in by lm_dedup_add and lm_dedup_note, lm_dedup_solve decides, lm_dedup_next gives
   them back in the order they came. The verdicts depend on the set of records, not on their order. */
#ifndef LM_DEDUP_H
#define LM_DEDUP_H
#include "par/par.h"
#include "text/minhash.h"
#include "text/rank.h"

typedef struct {
    const lm_data_ops *k;
    const lm_rank *rank;                           /* who is kept; must outlive the lm_dedup */
    unsigned bands, rows;                          /* bands 0: exact duplicates alone */
    double verify;                                 /* least estimated similarity of a candidate pair; 0: all */
    uint64_t seed;
    size_t mem;                                    /* bytes: half for records and signatures, which then go to
                                                      tmp, half for what is kept of each document */
    const char *tmp;                               /* NULL: $TMPDIR or /tmp */
    unsigned jobs;
} lm_dedup_cfg;

typedef struct lm_dedup lm_dedup;
lm_dedup *lm_dedup_new(const lm_dedup_cfg *cfg);
void lm_dedup_free(lm_dedup *d);
int lm_dedup_add(lm_dedup *d, lm_rec *r, bool judge);      /* judge: false = it passes whatever it holds */
int lm_dedup_note(lm_dedup *d, lm_str line);
int lm_dedup_solve(lm_dedup *d);

enum { LM_DUP_PASS, LM_DUP_NOTE, LM_DUP_ONLY, LM_DUP_KEPT, LM_DUP_EXACT, LM_DUP_NEAR };
typedef struct {
    int kind;                                      /* PASS: not judged; ONLY: no duplicate at all; KEPT: survivor of a cluster */
    lm_str note;                                   /* of a NOTE */
    size_t exact, near;                            /* documents that outlive this one: as its equal, as its like;
                                                      SIZE_MAX = none. An EXACT may have both. */
    size_t cluster;                                /* document whose id names the cluster; SIZE_MAX = no cluster */
    uint64_t size;                                 /* different contents in the cluster */
    double sim;                                    /* estimate, to near */
} lm_dup;
size_t lm_dedup_count(const lm_dedup *d);          /* records and notes */
/* Number i as it came: r is filled with views that live as long as d (not for a NOTE). */
void lm_dedup_get(const lm_dedup *d, size_t i, lm_rec *r, lm_dup *v);
/* Records from one number to another need not stay in memory: for a walk over all. */
void lm_dedup_passed(const lm_dedup *d, size_t from, size_t to);
/* The id of document i: its id=, else the hash of its body in hex. */
void lm_dedup_id(const lm_dedup *d, size_t i, lm_buf *out);
bool lm_dedup_spilled(const lm_dedup *d);

#endif
