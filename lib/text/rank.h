/* rank: which of several documents is the one to keep, as a key that bytes compare. */
#ifndef LM_RANK_H
#define LM_RANK_H
#include "stream/stream.h"

#define LM_RANK_DEFAULT "lic-type,-stars,-forks,date,size,id"

typedef struct lm_rank lm_rank;
/* keys: attributes joined by commas, '-' before one to prefer the greatest. Missing comes last, then numbers
   before other values; lic-type goes permissive, none, copyleft, commercial. NULL: LM_EUSAGE stored. */
lm_rank *lm_rank_new(lm_str keys);
void lm_rank_free(lm_rank *k);
/* Appends r's key: the least by lm_cmp is kept. Behind the keys asked for come id, src, repo, path, rev, the
   header as written and the hash of the body, so only equal records have equal keys. A record without id has
   the hash as its id, one without size the length of its body. */
void lm_rank_key(const lm_rank *k, lm_rec *r, lm_id hash, lm_buf *out);

#endif
