/* scan: cuts text into pretokens, the pieces inside which byte pairs are merged, as a pattern says.
   A pattern is one of those known by name, cut by hand-written scanners, or any sequence of splits, run by PCRE2.
   A byte that is not UTF-8 counts as one character of class Other (neither letter, mark, number, punctuation nor
   space); a regular expression sees U+001A, SUBSTITUTE, in its place. */
#ifndef LM_SCAN_H
#define LM_SCAN_H
#include "base/base.h"

enum { LM_PRE_QWEN2, LM_PRE_GPT2, LM_PRE_STARCODER, LM_PRE_CL100K, LM_PRE_O200K, LM_PRE_DEEPSEEK_CODER,
       LM_PRE_COUNT, LM_PRE_REGEX = LM_PRE_COUNT };

/* A pattern as its steps: each cuts every piece that the step before made, which is then the whole text to it:
   nothing looks ahead or behind out of a piece. */
enum { LM_STEP_REGEX, LM_STEP_TEXT, LM_STEP_DIGITS, LM_STEP_GPT2 };        /* matches of pattern; of pattern as plain text;
                                                      each \p{N}; of GPT-2's pattern (ByteLevel with use_regex) */
enum { LM_CUT_ISOLATED, LM_CUT_PREVIOUS, LM_CUT_NEXT, LM_CUT_RUN };        /* a match is a piece, joins what stands before it,
                                                      what follows, or the matches next to it (Contiguous) */
typedef struct { int what, how; lm_str pattern; } lm_pre_step;
#define LM_PRE_STEPS 16

typedef struct lm_pre lm_pre;                      /* read-only: threads share it */
const lm_pre *lm_pre_named(int kind);              /* LM_PRE_QWEN2 .. */
/* "qwen2" or another name, or regex:PAT (one Isolated split). LM_EUSAGE. *out is given back to lm_pre_free. */
int lm_pre_parse(lm_str spec, const lm_pre **out);
/* Any steps, n <= LM_PRE_STEPS (0: the whole text is one pretoken). Patterns are in the dialect of Hugging Face's
   library (Oniguruma's Ruby syntax); LM_EINVALID, by name: what PCRE2 lacks or would take in another sense.
   The kind is LM_PRE_REGEX, even if the steps are those of a named pattern. */
int lm_pre_compile(const lm_pre_step *step, size_t n, const lm_pre **out);
void lm_pre_free(const lm_pre *pre);               /* a named one, NULL: nothing happens */
int lm_pre_kind(const lm_pre *pre);
const char *lm_pre_name(const lm_pre *pre);        /* "qwen2", "regex:PAT"; more than one step: "steps:.., .." */
const lm_pre_step *lm_pre_steps(const lm_pre *pre, size_t *n);     /* of a named one too */

/* Where a scan of one text stands; {0} at its start. at: the end of the last pretoken. */
typedef struct {
    size_t at;
    bool ascii;                                    /* lm_scan_batch: what it cut last is known to be ASCII */
    int err;
    struct lm_scan_run *run;
    const struct lm_data_ops *op;
} lm_scan_pos;
/* Writes the ends (offsets in p) of the pretokens that follow pos->at, at most cap; moves pos->at to the last.
   Returns how many. 0: the end of the text, or pos->err < 0: a regular expression gave up (LM_ELIMIT). Together the
   pretokens cover p[0, n), whatever the bytes. p and n are the same from call to call. Time is linear in n over a
   whole text for named patterns. A scan left before its end is given up by lm_scan_stop. */
size_t lm_scan(const lm_pre *pre, const char *p, size_t n, lm_scan_pos *pos, size_t *ends, size_t cap);
void lm_scan_stop(lm_scan_pos *pos);
/* The same for hot loops: as many as suit, up to LM_SCAN_BATCH, each counted from pos->at as it was before. */
enum { LM_SCAN_BATCH = 4096 + 64 };
size_t lm_scan_batch(const lm_pre *pre, const char *p, size_t n, lm_scan_pos *pos, uint32_t *ends);
/* The same where each line, with its LF, is a text of its own: p[0] begins one, pos tells nothing; as many whole lines as
   suit. 0: this cannot be done at once, the next line is to be scanned alone. */
size_t lm_scan_lines(const lm_pre *pre, const char *p, size_t n, lm_scan_pos *pos, uint32_t *ends);
/* The same by plain code: the meaning, which the faster must equal; and that of a named pattern alone. */
size_t lm_scan_slow(const lm_pre *pre, const char *p, size_t n, lm_scan_pos *pos, size_t *ends, size_t cap);
size_t lm_scan_plain(int kind, const char *p, size_t n, size_t *from, size_t *ends, size_t cap);

#endif
