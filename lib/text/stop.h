/* stop: where a generated text ends: stop strings, the end of the line, the end of the block. */
#ifndef LM_STOP_H
#define LM_STOP_H
#include "base/base.h"

enum { LM_STOP_EOS, LM_STOP_LINE, LM_STOP_BLOCK, LM_STOP_STRING };
typedef struct {
    const lm_str *str;
    size_t nstr; /* stop strings; the text is cut before the first that is met */
    int at;      /* LM_STOP_EOS: no rule, LINE: through the first LF after a non-blank,
                    BLOCK: before the first non-blank line indented less than the cursor's
                    line, or at a bracket that closes one opened before the text */
} lm_stop;

/* Does text end? prompt is what stands before it. Only what appeared from byte `seen` on is news.
   -1 = goes on; else the rule that ended it, and *cut = the length to keep. */
int lm_stop_find(const lm_stop *s, lm_str prompt, lm_str text, size_t seen, size_t *cut);

#endif
