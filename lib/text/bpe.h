/* bpe: learns the merges of byte pairs from counted words; the merges are those of Hugging Face's trainer. */
#ifndef LM_BPE_H
#define LM_BPE_H
#include "par/par.h"

/* Words and their counts, packed: 12 B a word and 4 B a byte of it. {0} is empty. */
typedef struct {
    uint32_t *v; size_t n, cap, words;
    uint64_t bytes;                                /* of all words, each as often as it counts */
    bool seen[256];                                /* the bytes that occur */
} lm_bpe_words;
/* n > 0; a word may come once only. LM_ELIMIT: more than 16 GiB of them, or counts that reach 2^63. */
int lm_bpe_add(lm_bpe_words *w, lm_str word, uint64_t n);
void lm_bpe_words_free(lm_bpe_words *w);

typedef struct {
    size_t tokens;                                 /* stop at so many ordinary tokens, the alphabet among them */
    uint64_t min_count;                            /* pairs below it are not merged; 0 and 1 are the same */
    size_t max_bytes;                              /* no token is made longer; 0 = any */
    bool seen;                                     /* alphabet: the bytes that occur; else all 256 */
    /* Hugging Face's own oddities: a merge makes less than max_bytes bytes, but any two bytes may be one; a
       token equal to a special is that special, and of equal pairs comes before all that are not. */
    bool quirks; const lm_str *special; size_t nspecial;
    lm_pool *pool;                                 /* NULL = this thread alone */
    void (*progress)(uint64_t done, uint64_t total);       /* may be NULL */
} lm_bpe_opt;

/* token: ntoken strings by id, the alphabet first in the order of the byte-level characters; merge: 2 ids each,
   in the order learnt; an id from ntoken on is that of a special. Freed by lm_bpe_free. */
typedef struct {
    lm_str *token; size_t ntoken, captoken;
    uint32_t *merge; size_t nmerge, capmerge;
    bool spoken;                                   /* is a special made by a merge, or in the alphabet? */
    lm_arena *text;
} lm_bpe;

/* The rule: the pair of highest count, of equals the one with the lesser left id, then the lesser right id; within
   a word left to right. Fewer tokens than
   asked come out when no pair is left: the caller looks at ntoken. Neither the order of words nor the number of
   threads changes anything. Uses up w. Memory: w, some 40 B a pair, 4 B a word in which it occurs. LM_ELIMIT:
   2^32 pairs. */
int lm_bpe_train(lm_bpe_words *w, const lm_bpe_opt *o, lm_bpe *out);
void lm_bpe_free(lm_bpe *b);

#endif
