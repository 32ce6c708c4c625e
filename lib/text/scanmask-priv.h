/* scanmask-priv: a window of text as bit masks; for the scanmask*.c files alone. */
#ifndef LM_SCANMASK_PRIV_H
#define LM_SCANMASK_PRIV_H
#include "text/scan-priv.h"
#include "text/scanmask.h"

/* Letters, numbers, white space, line breaks (CR, LF), blanks (U+0020), apostrophes; bytes that continue a character.
   All bytes of a character have its class; Other is what is in none of L, N and S. */
enum { LM_WL, LM_WN, LM_WS, LM_WNL, LM_WB, LM_WQ, LM_WC, LM_WSETS };
/* What only one pattern asks for. o200k: upper and title case; the slash; letters without case. deepseek-coder:
   punctuation; the East Asian range (the slash is not used). */
enum { LM_XUPPER, LM_XSLASH, LM_XCASELESS, LM_XSETS, LM_XPUNCT = LM_XUPPER, LM_XEAST = LM_XCASELESS };
enum { LM_WROOM = LM_SCAN_WINDOW / 64 + 1 };

typedef struct {
    const char *p;
    size_t n, nw;                                  /* of the text; words */
    size_t sure;                                   /* starts from here on are not certain */
    bool odd;                                      /* the rules do not hold: the plain scanner must cut this window */
    uint64_t m[LM_WROOM + 1][LM_WSETS];            /* a word of white space stands behind the last */
    uint64_t x[LM_WROOM + 1][LM_XSETS];            /* of o200k and deepseek-coder alone */
    uint64_t at[LM_WROOM + 2];                     /* the starts */
} lm_win;

/* The bytes of each character from U+0080 on get its classes. LM_WC comes as the bytes >= 128. False: there is one. */
bool lm_win_classes(const struct lm_data_ops *op, int kind, lm_win *w);
/* Sets the bits of w->at, all 0 before; that of byte 0 and those past the text do not matter. */
void lm_win_gpt2(lm_win *w, bool lone);            /* lone: starcoder */
void lm_win_qwen2(lm_win *w, bool three, bool cased);              /* three: cl100k; and cased: o200k */
void lm_win_deepseek(lm_win *w);

static inline bool lm_win_has(const lm_win *w, size_t i, int set)
{
    return w->m[i / 64][set] >> i % 64 & 1;
}

/* A mask moved up by one byte, down by one. */
#define LM_PREV(now, before) ((now) << 1 | (before) >> 63)
#define LM_NEXT(now, after) ((now) >> 1 | (after) << 63)

#endif
