/* vocab-check: proofs about a vocabulary: what tiktoken, llama.cpp and our own linear encoder rely on. */
#ifndef LM_VOCAB_CHECK_H
#define LM_VOCAB_CHECK_H
#include "text/refmerge.h"
#include "text/vocab.h"

/* BYTES: each of the 256 bytes is a token. UNIQUE: no merge is listed twice, no token has two. REACH: the merges make
   each token from its bytes alone. ORDER: each merge joins what bytes or earlier merges make. IDS: ids rise with the
   rank of the merge that makes them, bytes and all. SPECIAL: no text gives an added token, none is spelt as an
   ordinary one. TRIP: each token's bytes, encoded and decoded, come back; so does its id, decoded. */
enum { LM_VC_BYTES, LM_VC_UNIQUE, LM_VC_REACH, LM_VC_ORDER, LM_VC_IDS, LM_VC_SPECIAL, LM_VC_TRIP, LM_VC_COUNT };
extern const char *const lm_vc_name[LM_VC_COUNT];          /* "bytes" "unique" "reach" .. */

/* A finding: id is a token (BYTES: the byte), rank a merge or SIZE_MAX, other a second token, merge or LM_NO_ID. */
typedef struct { int check; uint32_t id; size_t rank, other; } lm_vc_find;
typedef struct {
    size_t tried[LM_VC_COUNT], failed[LM_VC_COUNT];
    lm_vc_find *find; size_t n, cap;               /* by check, then by id */
} lm_vc_report;
/* LM_DONE: all hold; LM_NO: *r says what does not; LM_ELIMIT: a token too long to prove. */
int lm_vocab_check(const lm_vocab *v, lm_vc_report *r);
void lm_vc_free(lm_vc_report *r);

/* The rank of the merge by which an ordinary token comes about from its bytes, SIZE_MAX: by none (single bytes too).
   By the reference, quadratic in the token; m is scratch, {0} at first. The last step of its bytes merged alone is
   the last step in every text, as no merge crosses the ends of what becomes one token. */
size_t lm_vocab_comes_by(const lm_vocab *v, uint32_t id, lm_ref *m);
/* The ids that bytes are merged to, by the reference: no pattern, no whole pretoken. LM_EINVALID: a byte is missing. */
int lm_vocab_merge_ref(const lm_vocab *v, lm_str bytes, lm_ids *out);
size_t lm_vocab_missed(const lm_vocab *v);         /* ordinary tokens of two bytes and more that come about by no merge */

#endif
