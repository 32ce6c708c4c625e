/* scan-priv: what the scanners share; for the scan*.c files alone. */
#ifndef LM_SCAN_PRIV_H
#define LM_SCAN_PRIV_H
#include "text/scan.h"
#include "text/uclass.h"

struct lm_pre {
    int kind;
    const char *name;
    const lm_pre_step *step; size_t nstep;
    struct lm_re **re;                             /* LM_PRE_REGEX: nstep of them; NULL = a step that never matches */
    size_t (*scan)(const lm_pre *pre, const char *p, size_t n, lm_scan_pos *pos, size_t *ends, size_t cap);
};

typedef struct { const uint8_t *p; size_t n; } lm_scan_text;

/* The class (LM_U_..) and length of the character at i < n. */
static inline unsigned lm_scan_class(lm_scan_text t, size_t i, size_t *len)
{
    return lm_uclass(lm_utf8_get((const char *)t.p + i, t.n - i, len));
}

/* Each writes ends from *from on, as lm_scan_plain. */
size_t lm_scan_o200k(lm_scan_text t, size_t *from, size_t *ends, size_t cap);
size_t lm_scan_deepseek(lm_scan_text t, size_t *from, size_t *ends, size_t cap);
/* The length of 's 't 're 've 'm 'll 'd at i, where an apostrophe stands; 0 if none. fold: in either case, where the
   long s (U+017F) is an s too. */
size_t lm_scan_contraction(lm_scan_text t, size_t i, bool fold);
/* \s*[\r\n]+|\s+(?!\S)|\s+ at i, where a space stands: its end. */
size_t lm_scan_space(lm_scan_text t, size_t i);
/* Appends to out what a pattern of Hugging Face's library is to PCRE2. LM_EINVALID: it cannot be said, by name. */
int lm_scan_dialect(lm_str re, lm_buf *out);

#endif
