/* re: regular expressions, PCRE2 with its just-in-time compiler. A compiled pattern is read-only and
   serves any number of threads; what a match needs besides is kept once a thread. */
#ifndef LM_RE_H
#define LM_RE_H
#include "base/base.h"

/* UTF: characters are Unicode scalars, invalid bytes match nothing; without it a character is a byte.
   LINES: ^ and $ match at each LF. LITERAL: the pattern is plain text. UCP: \w \d \s and classes
   know Unicode (needs UTF). VALID: the caller vouches that every text is UTF-8 (needs UTF). */
enum { LM_RE_ICASE = 1, LM_RE_UTF = 2, LM_RE_LINES = 4, LM_RE_LITERAL = 8, LM_RE_UCP = 16, LM_RE_DOTALL = 32, LM_RE_VALID = 64 };
#define LM_RE_GROUPS 32                            /* groups lm_re_match can report, the whole match among them */

typedef struct lm_re lm_re;
/* NULL: LM_EUSAGE stored, with PCRE2's text and the byte of the pattern. */
lm_re *lm_re_new(lm_str pattern, int flags);
void lm_re_free(lm_re *re);
/* Searches s from byte `from`. 1 match, 0 none, LM_ELIMIT (error stored) when the pattern gave up:
   too much backtracking or stack. span (may be NULL) gets n pairs of start and end, the whole match
   first; a group that took no part has SIZE_MAX twice. n <= LM_RE_GROUPS. */
int lm_re_match(const lm_re *re, lm_str s, size_t from, size_t (*span)[2], size_t n);
size_t lm_re_groups(const lm_re *re);              /* capturing groups, without the whole match */
int lm_re_group(const lm_re *re, const char *name);/* number of a named group, -1 = none */

#endif
