/* pii-priv: what the recognisers share. */
#ifndef LM_PII_PRIV_H
#define LM_PII_PRIV_H
#include "text/pii.h"

enum { LM_PII_REACH = 64 << 10, PII_SETS = 8 };    /* no recogniser looks further, either way; byte sets of the gates */

typedef struct { char cls; uint16_t min, max; lm_str lit; } pii_part;    /* cls 0: a literal */
typedef struct {
    const lm_pii_rule *rule;
    pii_part part[9];
    size_t nparts;
    size_t back;                                   /* its first long run starts so many bytes behind its start */
} pii_prog;

struct lm_pii {
    lm_pii_cfg cfg;
    lm_byteset set[PII_SETS];
    pii_prog *prog;
    uint16_t by_first[256][16];                    /* programs + 1 by their first byte, those with back = 0 */
    uint16_t dotted[16];                           /* those with back > 0 */
    uint16_t hexed[4];                             /* those that start with a class */
};

typedef struct {
    const lm_pii *pii;
    const char *p;                                 /* the whole text */
    size_t n, lo, hi;                              /* its length; what a recogniser may look at */
    bool lockfile;
    lm_pii_list *out;
} pii_scan;

static inline bool pii_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool pii_alpha(char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
static inline bool pii_alnum(char c) { return pii_digit(c) || pii_alpha(c); }
static inline bool pii_word(char c) { return pii_alnum(c) || c == '_'; }
static inline bool pii_hex(char c) { return pii_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'f'); }
/* The bytes before and after a place; 0 beyond what may be seen. */
static inline char pii_before(const pii_scan *s, size_t i) { return i > s->lo ? s->p[i - 1] : 0; }
static inline char pii_at(const pii_scan *s, size_t i) { return i < s->hi ? s->p[i] : 0; }

void pii_found(pii_scan *s, int kind, const char *type, size_t off, size_t len);
bool pii_has_word(const char *p, size_t n, const char *word);      /* word (lower case) anywhere, any case */
bool pii_class(char cls, char c);
void pii_programs(lm_pii *p);                      /* compiles the rules */

/* Gates: i is where one stood open. */
void pii_at_sign(pii_scan *s, size_t i);           /* an @ */
void pii_dots(pii_scan *s, size_t i);              /* the first dot of d.d.d.d, perhaps */
void pii_colons(pii_scan *s, size_t i);            /* a colon with another near */
void pii_run(pii_scan *s, size_t i);               /* starts a word, and a run of 16 or more [A-Za-z0-9_-] */
void pii_quote(pii_scan *s, size_t i);             /* a quote before 16 or more bytes of secrets */
void pii_dashes(pii_scan *s, size_t i);            /* exactly or at last five dashes */

#endif
