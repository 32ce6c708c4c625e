/* kv: forward with a key-value cache: prefill of chunks and decoding, ragged over sequences. What a
   token's logits are depends on its own sequence alone: not on the batch, the chunks or the
   threads. */
#ifndef LM_NN_KV_H
#define LM_NN_KV_H
#include "nn/model.h"
#include "par/par.h"

typedef struct lm_kv lm_kv;
/* Room for `seqs` sequences of `ctx` tokens each, and `batch` tokens a call. m stays the caller's.
   LM_EUSAGE, LM_EDEVICE, LM_EFACILITY (LM_DEVICE), LM_EINVALID. */
int lm_kv_new(lm_kv **kv, const lm_model *m, uint32_t seqs, uint32_t ctx, uint32_t batch,
              lm_pool *pool);
void lm_kv_free(lm_kv *kv);
uint64_t lm_kv_bytes(const lm_model *m, uint32_t seqs, uint32_t ctx,
                     uint32_t batch); /* memory it would take */

uint32_t lm_kv_len(const lm_kv *kv, uint32_t seq); /* tokens in the cache of a sequence */
void lm_kv_trim(
    lm_kv *kv, uint32_t seq,
    uint32_t len); /* forgets all tokens from len on; 0 frees the slot for another text */
void lm_kv_copy(lm_kv *kv, uint32_t to,
                uint32_t from); /* to becomes a copy: samples of one prompt share its prefill */

/* One call: for each item the n ids follow what is in the cache of its sequence. Items are of
   different sequences and sum(n) <= batch. want: 0 no logits, 1 those after the last id, 2 those
   after every id; they go to logits [rows wanted, vocab] in order. LM_EINVALID: id >= vocab, cache
   full, too many tokens. */
typedef struct {
    uint32_t seq, n;
    const uint32_t *ids;
    int want;
} lm_kv_item;
int lm_kv_step(lm_kv *kv, const lm_kv_item *it, size_t n, float *logits);

#endif
