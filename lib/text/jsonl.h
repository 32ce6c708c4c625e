/* jsonl: one JSON object a line, read by a scanner of its own because the import of a corpus spends
   its time here. Strict (RFC 8259), with two liberties: a lone surrogate becomes U+FFFD and is
   counted, and a nested value is not built but kept as its text. */
#ifndef LM_TEXT_JSONL_H
#define LM_TEXT_JSONL_H
#include "base/jscan.h"

/* A field of the object. raw: between the quotes, escapes as they stand, of a string; the text of
   any other value. Views into the line; key may lie in the scanner's arena. */
typedef struct {
    lm_str key, raw;
    unsigned kind; /* LM_JS_STRING, .. */
    bool esc;
} lm_jsonl_field;

/* The scanner; zero it, set max_depth (levels of nested values, 1 = the object alone). */
typedef struct {
    lm_jsonl_field *f; /* fields of the last line, in order */
    size_t n, cap;
    unsigned max_depth;
    uint64_t surrogates; /* lone ones replaced, in all lines */
    const char *why;     /* the last error, and its byte in the line */
    size_t at;
    lm_arena *ar;
} lm_jsonl;

/* Scans one line (with or without its LF). 1 = an object, its fields in j->f until the next call;
   0 = only white space; LM_EINVALID with why and at set. */
int lm_jsonl_scan(lm_jsonl *j, const char *p, size_t n);
/* Appends the text of a string field, escapes undone. */
void lm_jsonl_text(lm_jsonl *j, const lm_jsonl_field *f, lm_buf *out);
lm_jsonl_field *lm_jsonl_find(lm_jsonl *j, lm_str key); /* the first of that name, or NULL */
void lm_jsonl_free(lm_jsonl *j);

/* Appends s, which must be valid UTF-8, as a JSON string with its quotes. */
void lm_jsonl_quote(lm_buf *out, lm_str s);

#endif
