/* bpe: learns the merges of byte pairs from counted words; the merges are those of Hugging Face's trainer. */
#ifndef LM_BPE_H
#define LM_BPE_H
#include "text/words.h"

typedef struct {
    size_t tokens;                                 /* stop at so many ordinary tokens, the alphabet among them */
    uint64_t min_count;                            /* pairs below it are not merged; 0 and 1 are the same */
    size_t max_bytes;                              /* no token is made longer; 0 = any */
    bool seen;                                     /* alphabet: the bytes that occur; else all 256 */
    void (*progress)(uint64_t done, uint64_t total);       /* may be NULL */
} lm_bpe_opt;

/* token: ntoken strings by id, the alphabet first in the order of the byte-level characters; merge: 2 ids each,
   in the order learnt. Freed by lm_bpe_free. */
typedef struct {
    lm_str *token; size_t ntoken, captoken;
    uint32_t *merge; size_t nmerge, capmerge;
    lm_arena *text;
} lm_bpe;

/* The rule: the pair of highest count, of equals the one with the lesser left id, then the lesser right id; its
   merge is a new token, or the token that has that string already; within a word left to right. Fewer tokens than
   asked come out when no pair is left: the caller looks at ntoken. The order of words changes nothing.
   Memory: 4 B a symbol of the words, about 28 B a pair and 4-8 B an occurrence of a pair. */
void lm_bpe_train(const lm_word *w, size_t n, const lm_bpe_opt *o, lm_bpe *out);
void lm_bpe_free(lm_bpe *b);

#endif
