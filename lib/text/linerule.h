/* linerule: the published profiles that drop texts by their line statistics. */
#ifndef LM_LINERULE_H
#define LM_LINERULE_H
#include "text/lines.h"

enum { LM_LINE_NONE, LM_LINE_STACK1, LM_LINE_STARCODER2 };

typedef struct {
    lm_lines st;
    lm_str lang;                                   /* linguist's name, or what the extension says, or n 0 */
    lm_str path;
    uint64_t html_vis;                             /* visible characters, for HTML */
} lm_linedoc;

/* linguist's name of the languages that a profile treats apart, by a lower-case extension; n 0: another. */
lm_str lm_line_lang(lm_str ext);
/* The first rule of the profile that the text breaks, and the value that breaks it; NULL: it stays.
   An empty text stays. */
const char *lm_line_judge(int profile, const lm_linedoc *d, double *value);
/* Characters of an HTML text that a reader sees: outside tags, comments, script, style and head, runs of
   white space as one. */
uint64_t lm_html_visible(lm_str text);

#endif
