/* cut: where a text that goes on may be cut so that the pretokens of the two pieces, one behind the other, are
   those of the whole, whatever follows. For the patterns known by name. */
#ifndef LM_CUT_H
#define LM_CUT_H
#include "text/scan.h"

/* The last such place found in t, a text from its start or from an earlier cut, of which more follows. 0: none. */
size_t lm_cut_text(const lm_pre *pre, lm_str t);
/* How many bytes at the front of t are in the first pretoken for certain, whole characters. */
size_t lm_cut_first(const lm_pre *pre, lm_str t);
/* t[0, at] lies within one pretoken that began at 0 or before, and goes on for long: is a scan from at the scan of
   the rest of that pretoken and of what follows? */
bool lm_cut_inside(const lm_pre *pre, lm_str t, size_t at);

#endif
