/* expr: the language of -e, and the order of attribute values that it shares with sorting.
     expr  = and *("|" and)        and = not *("&" not)
     not   = "!" not / "(" expr ")" / key "?" / key op value
     op    = == != < <= > >= ~ !~              ; ~ is a PCRE2 search, anywhere in the value
     value = bytes without blanks & | ( ) " '  /  a text in '..' or "..", where the quote is doubled
   Two decimal numbers compare by value, else bytes decide; a missing key makes a comparison false,
   != and !~ too. */
#ifndef LM_EXPR_H
#define LM_EXPR_H
#include "stream/stream.h"

typedef struct lm_expr lm_expr;
lm_expr *lm_expr_new(lm_str text);                 /* NULL: LM_EUSAGE stored, with the byte of the text */
int lm_expr_eval(const lm_expr *e, lm_rec *r);     /* 1, 0, or LM_ELIMIT if a pattern gave up; any thread */
void lm_expr_free(lm_expr *e);

/* The order of values: missing < numbers (by value, exactly; inf and -inf are numbers, nan is not)
   < other (by bytes). 1 and 1.0 are equal. A number is written as in JSON: no leading zeros, so an
   id of digits is text; exponents have at most four digits. <0, 0, >0. */
int lm_value_cmp(lm_str a, lm_str b);
bool lm_value_is_num(lm_str s);

#endif
