/* words-priv: what counting words is made of; for words.c and tally.c alone. */
#ifndef LM_WORDS_PRIV_H
#define LM_WORDS_PRIV_H
#include "text/wordcache.h"
#include "text/words.h"

enum { LM_WORD_PARTS = 256 };
/* k: lm_word_key's: the bytes, zero filled, the length in the last (0 = free). */
typedef struct { uint64_t k[2], times; } lm_word_short;
typedef struct { const char *p; uint32_t n, hash; uint64_t times; } lm_word_long;  /* p NULL = free */

/* Both tables are open, at most half full, and in order of the hash's upper bits but where entries moved on: so
   the words of one part (upper 8 bits) stand together. */
struct lm_words {
    lm_tally *tally;
    size_t budget, bytes;                          /* bytes: in the arena */
    struct { lm_word_short *tab; size_t n; unsigned bits; } shorts;
    struct { lm_word_long *tab; size_t n; unsigned bits; } longs;
    lm_arena *text;
    uint64_t sum;                                  /* of all counts ever added */
    uint32_t *end;
};

lm_words *lm_words_new(lm_tally *t, size_t budget);
void lm_words_free(lm_words *w);
void lm_words_clear(lm_words *w);
int lm_words_spill(lm_words *w);                   /* hands all words to the tally's sort; w is empty then */
size_t lm_tally_giant(const lm_tally *t);          /* words longer than this are kept apart */
int lm_tally_add_giant(lm_tally *t, lm_str s, uint64_t times);

#endif
