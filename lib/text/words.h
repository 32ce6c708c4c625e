/* words: pretokens and how often each occurs: what a vocabulary is trained on. Counted by many threads within a
   memory bound; what does not fit is sorted and kept in an unlinked temporary file. */
#ifndef LM_WORDS_H
#define LM_WORDS_H
#include "par/par.h"
#include "text/scan.h"

typedef struct { lm_str s; uint64_t n; } lm_word;
typedef struct lm_tally lm_tally;
typedef struct lm_words lm_words;

/* mem: bytes for all tables and the sort behind them, at least 16 MiB; threads: that will count. tmp: where the
   temporary file goes (NULL = $TMPDIR or /tmp). */
lm_tally *lm_tally_new(size_t mem, unsigned threads, const char *tmp);
void lm_tally_free(lm_tally *t);
/* A table for one thread alone, freed with t. Any number may be made; more than `threads` of them exceed mem. */
lm_words *lm_tally_words(lm_tally *t);
/* Counts a word n > 0 times. 0; LM_EIO: the temporary file; LM_ELIMIT: more than 2^63 - 1 in all. */
int lm_words_add(lm_words *w, lm_str word, uint64_t n);
/* Counts the pretokens of text under pattern pre, each weight times. lines: each line, with its LF, is a text
   of its own (as Hugging Face's train(files) reads). LM_EIO; LM_ELIMIT: a regular expression gave up. */
int lm_words_text(lm_words *w, const lm_pre *pre, lm_str text, bool lines, uint64_t weight);
/* Calls f for each word once, with the sum of its counts, when all threads are done; no more may be counted then.
   sorted: by bytes; else in any order. Returns 0, the first error of f, LM_EIO. */
int lm_tally_each(lm_tally *t, bool sorted, lm_pool *pool, int (*f)(void *ctx, const lm_word *w), void *ctx);
bool lm_tally_spilled(const lm_tally *t);          /* was there more than fits? */

/* On the stream: @words records of at most 2^20 words (stream.md 4). pretok= and lines= tell how the text was cut;
   unit= (1 if absent) what one count stands for: 256 where counts are in 1/256, for weights. */
typedef struct { const lm_pre *pre; bool lines; uint64_t unit; } lm_words_how;
typedef struct lm_words_out lm_words_out;
lm_words_out *lm_words_out_new(lm_out *out, const lm_words_how *how);
int lm_words_out_put(lm_words_out *o, const lm_word *w);   /* in the order of bytes */
int lm_words_out_end(lm_words_out *o);             /* writes what is left, an empty record if there was no word; frees */
void lm_words_out_drop(lm_words_out *o);           /* frees alone */
/* Adds a record's words. Its pretok= and lines=, if it has them, must be those of how (LM_EMISMATCH); counts are
   brought to how->unit. *parts is set if the record's own unit is not 1. */
int lm_words_take(lm_words *w, lm_rec *r, const lm_words_how *how, bool *parts);

#endif
