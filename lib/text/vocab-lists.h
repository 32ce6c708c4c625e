/* vocab-lists: what vocab-lists.c (the walk, the tokens) and vocab-mergelist.c share. */
#ifndef LM_VOCAB_LISTS_H
#define LM_VOCAB_LISTS_H
#include "base/jscan.h"
#include "base/json.h"
#include "text/vocab-priv.h"

enum { LM_LISTS_BLOCK = 64 };

struct lists {
    lm_vocab *v;
    lm_jscan c;
    lm_str cut[2]; /* what stands between the brackets of the two */
    size_t ncut;
    const char *merges; /* behind the bracket of the list */
    bool vocab, read;   /* the vocabulary has been read, the merges have */
    bool err;           /* an error is stored: the cursor's reason is not it */
    size_t capmerge, nfound; /* room of v->merge; entries of v->find */
    char *to;    /* where the bytes of the next token go */
    size_t room; /* and how many fit there */
    lm_buf both, slow;
    lm_dict odd;                   /* keys that are no byte-level text: those of added tokens */
    int16_t one[2][256], two[256]; /* one[1]: of text whose escapes are undone */
    struct {
        size_t at;
        uint32_t n[2];
        uint64_t hash[2];
    } block[LM_LISTS_BLOCK]; /* merges whose parts are not yet found; at: their bytes, in halves */
    size_t nblock;
    uint32_t made; /* by the last of them found */
    lm_buf halves;
};

bool lm_lists_refuse(struct lists *l, const char *fmt, ...) LM_PRINTF(2, 3);   /* stores an error; false */
/* The merges, into v->merge: the cursor stands behind the bracket, and vocab has been read. */
bool lm_lists_merges(struct lists *l);

/* The bytes behind byte-level text from p on, up to what is none or room is spent: where that is.
   The characters are below U+0144: one byte, or two of which the first is C2 to C5. plain: escapes
   are undone, a quote or a backslash is a character like any other. */
static inline const char *lm_lists_decode(const struct lists *l, bool plain, lm_str t, char *to,
                                          size_t room, size_t *n)
{
    const int16_t *one = l->one[plain];
    const char *p = t.p, *e = t.n ? t.p + t.n : t.p;
    size_t k = 0;

    while (p < e && k < room) {
        unsigned char a = (unsigned char)*p, b;

        if (one[a] >= 0) {
            to[k++] = (char)one[a];
            p++;
            continue;
        }
        b = a >= 0xc2 && a <= 0xc5 && e - p > 1 ? (unsigned char)p[1] : 0;
        if ((b & 0xc0) != 0x80 || l->two[(a - 0xc2) << 6 | (b & 0x3f)] < 0)
            break;
        to[k++] = (char)l->two[(a - 0xc2) << 6 | (b & 0x3f)];
        p += 2;
    }
    *n = k;
    return p;
}

static inline lm_str lm_lists_left(const lm_jscan *c)
{
    return (lm_str){c->p, (size_t)(c->e - c->p)};
}

#endif
