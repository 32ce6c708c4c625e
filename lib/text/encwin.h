/* encwin: one text to ids where it comes in pieces and is too large to hold: the ids of lm_enc_part, in memory
   that does not grow with the text. */
#ifndef LM_ENCWIN_H
#define LM_ENCWIN_H
#include "text/vocab.h"

typedef struct lm_encwin lm_encwin;
/* Can text under this vocabulary be cut? Not where a pattern of one's own splits it, nor for the normalizer NFC. */
bool lm_encwin_can(const lm_vocab *v);
/* window: bytes to gather before ids are made. Where no cut can be told within it the window grows: text of one kind
   of character alone is cut inside its pretoken, but only under an ordered vocabulary (merges make tokens of rising
   ids, each once), and not white space behind a line break. e is used and outlives it. */
lm_encwin *lm_encwin_new(lm_enc *e, int special, size_t window);
/* More of the text. Appends the ids that are certain, and to off, if not NULL, where they begin. LM_EINVALID as
   lm_enc_part; LM_ELIMIT: over LM_MAX_BODY bytes that cannot be cut. */
int lm_encwin_add(lm_encwin *w, const void *p, size_t n, lm_ids *ids, lm_ids *off);
int lm_encwin_end(lm_encwin *w, lm_ids *ids, lm_ids *off);         /* the text has ended: all others */
void lm_encwin_free(lm_encwin *w);

#endif
