/* borders: where no merge of a vocabulary can reach across, told by the characters on both sides: what stands left and
   right of such a place is merged alone, and has few forms. */
#ifndef LM_BORDERS_H
#define LM_BORDERS_H
#include "base/base.h"

/* A bit for each pair of characters, or of parts at the ends of a token, that stand side by side in a token; set by
   chance for a few others, which costs time alone. */
typedef struct { uint64_t *bit; unsigned shift; } lm_borders;

/* The character at p, n > 0, as its bytes, the first the highest; *len how many. 0: it is cut off by n (*len what there
   is of it) or not UTF-8 (*len 0). Only what makes a byte first or not is looked at. */
static inline uint32_t lm_char_at(const char *p, size_t n, size_t *len)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t want = u[0] < 0x80 ? 1 : u[0] < 0xc0 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    uint32_t c = u[0];

    *len = want;
    for (size_t i = 1; i < want; i++) {
        if (i == n || u[i] >> 6 != 2) {
            *len = i == n ? n : 0;
            return 0;
        }
        c = c << 8 | u[i];
    }
    return want ? c : 0;
}

/* Of n tokens, p NULL = none. lm_borders_free frees what *b holds. */
void lm_borders_make(lm_borders *b, const lm_str *token, size_t n);
void lm_borders_free(lm_borders *b);
/* Is there a token that reaches across from left to right (of lm_char_at, not 0) and holds no more than a part of one
   of them? */
bool lm_borders_split(const lm_borders *b, uint32_t left, uint32_t right);
/* Cuts p[*at, end) at borders between characters of which at least one is not ASCII: writes the ends of the parts,
   at most cap > 0, and moves *at to the last; returns how many. Bytes that are not UTF-8 are never cut from others. */
size_t lm_borders_cut(const lm_borders *b, const char *p, size_t *at, size_t end, uint32_t *ends, size_t cap);

#endif
