/* scano200k: the o200k pattern. A word is upper-case letters, then lower-case ones; letters without
   case and marks count as both. One character that is no letter, number or line break may stand in
   front, a contraction behind. */
#include "text/scan-priv.h"

enum {
    UPPER = 1,
    LOWER = 2,
    NUMBER = 4,
    SPACE = 8,
    BEFORE = 16
}; /* BEFORE: no letter, no number */

static const uint8_t kind_of_class[16] = {[LM_U_OTHER] = BEFORE,
                                          [LM_U_LU] = UPPER,
                                          [LM_U_LT] = UPPER,
                                          [LM_U_LM] = UPPER | LOWER,
                                          [LM_U_LO] = UPPER | LOWER,
                                          [LM_U_LL] = LOWER,
                                          [LM_U_NUM] = NUMBER,
                                          [LM_U_SPACE] = SPACE | BEFORE,
                                          [LM_U_MARK] = UPPER | LOWER | BEFORE,
                                          [LM_U_PUNCT] = BEFORE};

/* 0 at the end of the text, where *len is 0. */
static inline unsigned kind(lm_scan_text t, size_t i, size_t *len)
{
    *len = 0;
    return i < t.n ? kind_of_class[lm_scan_class(t, i, len)] : 0;
}

static inline bool breaks(lm_scan_text t, size_t i)
{
    return t.p[i] == '\n' || t.p[i] == '\r';
}

/* The word that begins at i, no character in front; 0 if there is none. Upper case runs as far as
   it can; it gives back until a lower-case letter follows, which may be the last caseless one it
   took. If there is none of these, it is all upper case. */
static size_t word(lm_scan_text t, size_t i)
{
    size_t len, e = i, caseless = 0;
    unsigned k;

    for (; (k = kind(t, e, &len)) & UPPER; e += len)
        if (k & LOWER)
            caseless = e + len;
    if (k & LOWER)
        for (; kind(t, e, &len) & LOWER; e += len) {
        }
    else if (caseless)
        e = caseless;
    if (e == i)
        return 0;
    return e < t.n && t.p[e] == '\'' ? e + lm_scan_contraction(t, e, true) : e;
}

static size_t piece(lm_scan_text t, size_t i)
{
    size_t len, next, e;
    unsigned k = kind(t, i, &len);

    if (!(k & (BEFORE | NUMBER)))
        return word(t, i);
    if (k & NUMBER) {
        for (unsigned digits = 3; digits && kind(t, i, &len) & NUMBER; digits--)
            i += len;
        return i;
    }
    if (!breaks(t, i)) {
        /* A mark in front of upper case alone is a word itself: the first alternative wants an end
           that may be lower case, and finds it without a character in front. */
        if (k & UPPER)
            return word(t, i);
        if ((e = word(t, i + len)))
            return e;
    }
    if (k & SPACE &&
        (t.p[i] != ' ' || !(kind(t, i + 1, &next) & BEFORE) || kind(t, i + 1, &next) & SPACE))
        return lm_scan_space(t, i);
    for (e = i + len; (k = kind(t, e, &len)) & BEFORE && !(k & SPACE); e += len) {
    }
    while (e < t.n && (breaks(t, e) || t.p[e] == '/'))
        e++;
    return e;
}

size_t lm_scan_o200k(lm_scan_text t, size_t *from, size_t *ends, size_t cap)
{
    size_t i = *from, k = 0;

    while (k < cap && i < t.n)
        ends[k++] = i = piece(t, i);
    *from = i;
    return k;
}
