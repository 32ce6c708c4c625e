/* lines: the statistics of a text that line filters judge by, from one pass over its bytes. */
#ifndef LM_LINES_H
#define LM_LINES_H
#include "base/base.h"
#include "kernels/data.h"

/* A character is a Unicode scalar; each byte that is not valid UTF-8 counts as one. A line is what
   stands before an LF, a CR just before the LF not counted; a last line without LF counts if it is not
   empty. alpha = general category L, alnum = L or N, space = White_Space, digit = 0-9. */
typedef struct {
    uint64_t bytes, chars, lines;
    uint64_t line_max, line_sum;                   /* characters, line ends not counted */
    uint64_t alpha, alnum, digit, space, nonascii; /* characters */
    uint64_t enc_run, enc_sum;                     /* characters of the longest encoded run, of all */
} lm_lines;

/* Encoded runs are the matches of the three patterns of the StarCoder2 paper (arXiv 2402.19173, 2.1),
   each searched on its own from left to right, \b and \s by ASCII with bytes over 127 as word bytes:
     [a-zA-Z0-9+/\n=]{64,}
     (?:\b(?:0x|\\x)?[0-9a-fA-F]{2}(?:,|\b\s*)){8,}
     (?:\\u[0-9a-fA-F]{4}){8,}
   Cost: one table-driven pass, and work a line, a two-digit hex word and a non-ASCII character. */
void lm_lines_scan(const lm_data_ops *k, lm_str text, lm_lines *out);

/* What lm_doc_enc calls binary (a NUL, or over 30 % control bytes), at the speed of the kernel. */
bool lm_text_binary(const lm_data_ops *k, lm_str text);

#endif
