/* scanmask: the fast scanner of named patterns, by windows. */
#ifndef LM_SCANMASK_H
#define LM_SCANMASK_H
#include "kernels/data.h"
#include "text/scan.h"

enum { LM_SCAN_WINDOW = 4096 };                    /* bytes, at most */

bool lm_scan_has_masks(int kind);                  /* LM_PRE_..: can lm_scan_window do it? */
/* p[0] begins a pretoken of text p[0, n), n > 0. Writes the ends of the pretokens that begin in the first `window`
   bytes (a multiple of 64), as far as they are certain, in rising order; returns how many, at most window + 1.
   0: the first pretoken is longer than can be told here, the plain scanner must find its end. end[] has room for
   window + 64. *ascii: there is no byte >= 128 in the window. */
size_t lm_scan_window(const struct lm_data_ops *op, int kind, const char *p, size_t n, size_t window, uint32_t *end,
                      bool *ascii);
/* The same of lines, each of which, with its LF, is a text of its own: p[0] begins one, and as many are done as end in the
   first `window` bytes. 0: none does. end[] has room for window + 64. */
size_t lm_scan_lines_window(const struct lm_data_ops *op, int kind, const char *p, size_t n, size_t window,
                            uint32_t *end);

#endif
