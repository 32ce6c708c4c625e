/* pii: finds personal data and secrets in source text, and makes what stands in their place.
   Cheap gates over whole blocks (the bytesets kernel) decide where a hand-written recogniser runs; no
   recogniser looks further than 64 KiB from where its gate stood open, so windows change nothing. */
#ifndef LM_PII_H
#define LM_PII_H
#include "base/base.h"
#include "kernels/data.h"

enum { LM_PII_EMAIL = 1, LM_PII_IPV4 = 2, LM_PII_IPV6 = 4, LM_PII_KEY = 8, LM_PII_URL = 16, LM_PII_ALL = 31 };

typedef struct {
    size_t off, len;
    int kind;                                      /* one of the above */
    const char *type;                              /* email, ipv4, ipv6, url-cred, key-NAME; static */
} lm_pii_span;
typedef struct { lm_pii_span *v; size_t n, cap; } lm_pii_list;

typedef struct {
    const lm_data_ops *k;
    unsigned kinds;                                /* what to look for */
    bool all_ip;                                   /* also private, loopback, link-local, documentation, multicast */
    size_t window;                                 /* bytes looked at at once; 0 = 8 MiB */
} lm_pii_cfg;

typedef struct lm_pii lm_pii;                      /* read-only once made: any number of threads share it */
lm_pii *lm_pii_new(const lm_pii_cfg *cfg);
void lm_pii_free(lm_pii *p);
/* The spans of text in order, none overlapping: of overlapping ones the longest, then the leftmost. path
   (may be absent) tells lock files, whose quoted hashes are no secrets. */
void lm_pii_scan(const lm_pii *p, lm_str text, lm_str path, lm_pii_list *out);

/* Appends what replaces a value. A tag is <EMAIL>, <IP> or <KEY>. A fake depends on seed and value alone
   (HMAC-SHA256): five letters@example.com, an address in 10/8 or fd00::/8 (with all_ip in 0/8 and 100::/64,
   which are never found), XKEY and base32 cut to the value's length. Neither is found again. */
void lm_pii_tag(lm_buf *out, int kind);
void lm_pii_fake(lm_buf *out, int kind, lm_str value, uint64_t seed, bool all_ip);

/* Writes text with its spans replaced (by fakes, else by tags) to out, and looks again: what a replacement
   has laid bare is added to the spans and replaced, too, until nothing is found. So a second run finds nothing. */
void lm_pii_replace(const lm_pii *p, lm_str text, lm_str path, lm_pii_list *spans, bool fake, uint64_t seed, lm_buf *out);

/* The vendors' key formats. pattern: literal text and <CLASS N> or <CLASS N-M> with classes a [A-Za-z0-9],
   b [A-Z2-7], d [0-9], e [A-Za-z], h [0-9a-f], l [a-z0-9], n [A-Za-z0-9_], s [A-Za-z0-9+/=], u [A-Z0-9],
   w [A-Za-z0-9_-], x [0-9a-fA-F]. */
typedef struct {
    const char *name, *pattern;
    enum { LM_PII_PLAIN, LM_PII_CRC62 } check;     /* CRC62: the last six are the base62 CRC-32 of the 30 before */
    const char *wrong;                             /* its false sample: short = one too few at the end, class = a wrong
                                                      first character, crc = a wrong sum, glued = a letter before it */
} lm_pii_rule;
extern const lm_pii_rule lm_pii_rules[];
extern const size_t lm_pii_nrules;
/* Appends a sample that a rule must find (good) or must not, made from seed. */
void lm_pii_sample(const lm_pii_rule *r, bool good, uint64_t seed, lm_buf *out);

#endif
