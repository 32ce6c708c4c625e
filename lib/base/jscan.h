/* jscan: a strict walk over JSON text that builds nothing: for what is too large or too frequent for
   json.h. Strings stay as they stand in the text until lm_js_text undoes their escapes. */
#ifndef LM_JSCAN_H
#define LM_JSCAN_H
#include "base/base.h"

/* A cursor: p moves from s to e. After a false: why and at (a byte of the text). */
typedef struct {
    const char *s, *p, *e;
    const char *why;
    size_t at;
    unsigned max_depth; /* of arrays and objects inside each other */
} lm_jscan;

enum { LM_JS_STRING, LM_JS_NUMBER, LM_JS_TRUE, LM_JS_FALSE, LM_JS_NULL, LM_JS_NEST };

/* Keeps the first error and its place; false. */
bool lm_js_bad(lm_jscan *c, const char *why);
static inline void lm_js_blanks(lm_jscan *c)
{
    while (c->p < c->e && (*c->p == ' ' || *c->p == '\t' || *c->p == '\n' || *c->p == '\r'))
        c->p++;
}
/* Is x at p? */
static inline bool lm_js_at(const lm_jscan *c, char x)
{
    return c->p < c->e && *c->p == x;
}

/* Goes past white space and x, if x is next. */
static inline bool lm_js_next(lm_jscan *c, char x)
{
    lm_js_blanks(c);
    return lm_js_at(c, x) && c->p++;
}

/* A string whose opening quote is at p: escapes and control bytes are checked, UTF-8 is not. *raw = what is
   between the quotes, *esc = it holds escapes. */
bool lm_js_string(lm_jscan *c, lm_str *raw, bool *esc);
/* White space, a key, its colon. */
bool lm_js_key(lm_jscan *c, lm_str *raw, bool *esc);
/* White space and a value of any kind inside depth arrays and objects. Nested ones are checked, not built:
   *raw is their text. */
bool lm_js_value(lm_jscan *c, unsigned depth, unsigned *kind, lm_str *raw, bool *esc);
/* After a member, white space, then a comma (1) or the closing bracket (0), either gone past; -1. */
int lm_js_more(lm_jscan *c, char close);
/* Appends the text of a checked string. A lone surrogate becomes U+FFFD; returns how many did. */
size_t lm_js_text(lm_str raw, bool esc, lm_buf *out);
/* The first byte from p on that is a quote, a backslash or below 0x20; e if there is none. */
const char *lm_js_plain(const char *p, const char *e);

#endif
