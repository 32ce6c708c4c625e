/* words: pretokens and how often each occurs: what a vocabulary is trained on. */
#ifndef LM_WORDS_H
#define LM_WORDS_H
#include "stream/stream.h"
#include "text/scan.h"

typedef struct { lm_str s; uint64_t n; } lm_word;
typedef struct lm_words lm_words;

lm_words *lm_words_new(void);
void lm_words_free(lm_words *w);
void lm_words_add(lm_words *w, lm_str word, uint64_t n);
/* Counts the pretokens of text under pattern pre, each weight times. lines: each line, with its LF, is a text
   of its own (as Hugging Face's train(files) reads). LM_ELIMIT: a regular expression gave up. */
int lm_words_text(lm_words *w, const lm_pre *pre, lm_str text, bool lines, uint64_t weight);
void lm_words_join(lm_words *into, const lm_words *from);
size_t lm_words_count(const lm_words *w);
/* All words, sorted by bytes; *out is freed by the caller, the words live as long as w. */
size_t lm_words_sorted(const lm_words *w, lm_word **out);

/* On the stream: @words records of at most 2^20 words (stream.md 4). pretok= and lines= tell how the text was cut;
   unit= (1 if absent) what one count stands for: 256 where counts are in 1/256, for weights. */
typedef struct { const lm_pre *pre; bool lines; uint64_t unit; } lm_words_how;
int lm_words_put(lm_out *out, const lm_word *w, size_t n, const lm_words_how *how);
/* Adds a record's words. Its pretok= and lines=, if it has them, must be those of how (LM_EMISMATCH); counts are
   brought to how->unit. */
int lm_words_take(lm_words *w, lm_rec *r, const lm_words_how *how);

#endif
