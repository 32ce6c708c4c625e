/* scanmask-rules: the starts of pretokens of each pattern, by arithmetic on the masks of a window.
 */
#include "text/scanmask-priv.h"

/* The bit of the last byte of a character moved to its first, for the few that are longer. */
static uint64_t to_first(lm_win *w, size_t k, uint64_t last)
{
    for (uint64_t c = last & w->m[k][LM_WC]; c; c &= c - 1) {
        size_t i = 64 * k + (size_t)__builtin_ctzll(c);

        for (; lm_win_has(w, i, LM_WC); i--) {
        }
        w->at[i / 64] |= 1ull << i % 64;
    }
    return last & ~w->m[k][LM_WC];
}

/* White space between two line breaks belongs to the run of both: no start behind the first. brk:
   the line breaks that are not part of what stands before them. */
static void join_lines(lm_win *w, size_t k, uint64_t last, const uint64_t *brk)
{
    for (; last; last &= last - 1) {
        size_t i = 64 * k + (size_t)__builtin_ctzll(last);

        while (i && lm_win_has(w, i - 1, LM_WS) && !lm_win_has(w, i - 1, LM_WNL))
            i--;
        if (i && brk[(i - 1) / 64] >> (i - 1) % 64 & 1)
            w->at[i / 64] &= ~(1ull << i % 64);
    }
}

/* Apostrophes that begin a pretoken: of letters behind one that are a contraction the pretoken ends
   there. */
static void contractions(lm_win *w, size_t k, uint64_t q, bool fold)
{
    for (; q; q &= q - 1) {
        size_t i = 64 * k + (size_t)__builtin_ctzll(q),
               len = lm_scan_contraction((lm_scan_text){(const uint8_t *)w->p, w->n}, i, fold);

        if (!len)
            continue;
        w->at[(i + 1) / 64] &= ~(1ull << (i + 1) % 64);
        i += len;
        if (i < 64 * w->nw && lm_win_has(w, i, LM_WL))
            w->at[i / 64] |= 1ull << i % 64;
    }
}

/* Apostrophes behind words of o200k: letters behind one that are a contraction belong to the word.
 *done: where the last one ended, which is no word. */
static void suffixes(lm_win *w, size_t k, uint64_t q, size_t *done)
{
    for (; q; q &= q - 1) {
        size_t i = 64 * k + (size_t)__builtin_ctzll(q), len = 0;

        if (i != *done)
            len = lm_scan_contraction((lm_scan_text){(const uint8_t *)w->p, w->n}, i, true);
        if (!len)
            continue;
        *done = i + len;
        for (; i < *done; i++)
            w->at[i / 64] &= ~(1ull << i % 64);
        if (i < 64 * w->nw && lm_win_has(w, i, LM_WL)) {
            w->at[i / 64] |= 1ull << i % 64;
            /* letters without case took it for one word with the contraction */
            w->odd |= w->x[i / 64][LM_XCASELESS] >> i % 64 & 1;
        }
    }
}

/* a + b + *carry, *carry of the word above. */
static inline uint64_t add(uint64_t a, uint64_t b, unsigned *carry)
{
    unsigned long long s, t;
    unsigned c = __builtin_add_overflow(a, b, &s);

    c |= __builtin_add_overflow(s, *carry, &t);
    *carry = c;
    return t;
}

/* The bits of each run of 1 bits in `runs` from its first bit in `from` on. */
static inline uint64_t flood(uint64_t runs, uint64_t from, unsigned *carry)
{
    return ((add(runs, from, carry) ^ runs) | from) & runs;
}

/* s?\p{L}+ and so on with a leading blank. lone: each number alone, the text cut there. */
void lm_win_gpt2(lm_win *w, bool lone)
{
    static const uint64_t none[LM_WSETS];
    const uint64_t *was = none;
    uint64_t q[LM_WROOM], pO = 0;

    for (size_t k = 0; k < w->nw; was = w->m[k++]) {
        const uint64_t *m = w->m[k], *next = w->m[k + 1];
        uint64_t O = ~(m[LM_WL] | m[LM_WN] | m[LM_WS]), pB = LM_PREV(m[LM_WB], was[LM_WB]);
        uint64_t ends = m[LM_WS] >> 1 | next[LM_WS] << 63;
        uint64_t first = (m[LM_WL] & ~LM_PREV(m[LM_WL], was[LM_WL])) | (O & ~LM_PREV(O, pO));

        if (lone) {
            ends |= m[LM_WN] >> 1 | next[LM_WN] << 63;
            w->at[k] |= (first & ~pB) | ((m[LM_WN] | LM_PREV(m[LM_WN], was[LM_WN])) & ~m[LM_WC]);
        } else {
            w->at[k] |= (first | (m[LM_WN] & ~LM_PREV(m[LM_WN], was[LM_WN]))) & ~pB;
        }
        w->at[k] |= m[LM_WS] & ~LM_PREV(m[LM_WS], was[LM_WS]);
        ends = m[LM_WS] & ~ends;
        w->at[k] |= ends & m[LM_WC] ? to_first(w, k, ends) : ends;
        q[k] = m[LM_WQ] & O & ~LM_PREV(O, pO) & ~pB;
        pO = O;
    }
    for (size_t k = 0; k < w->nw; k++)
        if (q[k])
            contractions(w, k, q[k], false);
}

/* Numbers by up to three: a start at every third character of a run. */
static void by_three(lm_win *w, uint64_t run_start, size_t k, unsigned *count)
{
    uint64_t n = w->m[k][LM_WN] & ~w->m[k][LM_WC];

    for (; n; n &= n - 1) {
        uint64_t b = n & -n;

        if (b & run_start)
            *count = 0;
        if (*count % 3 == 0)
            w->at[k] |= b;
        *count += 1;
    }
}

/* Upper case at i behind letters without case: if no other letter follows it, the word before ends
   with those, for it must end with what may be lower case. */
static void upper_tail(lm_win *w, size_t i)
{
    size_t k = i / 64, e;
    uint64_t x = ~w->x[k][LM_XUPPER] >> i % 64 << i % 64;

    while (!x && ++k < w->nw)
        x = ~w->x[k][LM_XUPPER];
    e = x ? 64 * k + (size_t)__builtin_ctzll(x) : 64 * w->nw;
    if (e >= 64 * w->nw && 64 * w->nw < w->n)
        w->sure = i < w->sure ? i : w->sure;
    else if (e >= 64 * w->nw || !lm_win_has(w, e, LM_WL))
        w->at[i / 64] |= 1ull << i % 64;
}

/* Words of o200k are upper case, then lower case; letters without case are both. */
static void case_borders(lm_win *w)
{
    uint64_t plow = 0, pfree = 0, pmore = 0;
    unsigned in_free = 0;

    for (size_t k = 0; k < w->nw; k++) {
        uint64_t up = w->x[k][LM_XUPPER], free = w->x[k][LM_XCASELESS];
        uint64_t low = w->m[k][LM_WL] & ~up & ~free;
        uint64_t more = flood(free, free & LM_PREV(low, plow), &in_free); /* behind lower case */
        uint64_t behind = LM_PREV(low | more, plow | pmore);

        w->at[k] |= up & behind;
        for (uint64_t u = up & LM_PREV(free, pfree) & ~behind; u; u &= u - 1)
            upper_tail(w, 64 * k + (size_t)__builtin_ctzll(u));
        plow = low;
        pfree = free;
        pmore = more;
    }
}

void lm_win_qwen2(lm_win *w, bool three, bool cased)
{
    static const uint64_t none[LM_WSETS];
    const uint64_t *was = none;
    uint64_t q[LM_WROOM], brk[LM_WROOM], pO = 0, pall = 0, pbrk = 0, pglued = 0, psolo = 0;
    unsigned in_breaks = 0, in_char = 0, digits = 0;
    size_t done = SIZE_MAX;

    for (size_t k = 0; k < w->nw; was = w->m[k++]) {
        const uint64_t *m = w->m[k], *next = w->m[k + 1];
        uint64_t all = ~(m[LM_WL] | m[LM_WN] | m[LM_WS]), O = all, prevO = LM_PREV(all, pall);
        uint64_t pN = LM_PREV(m[LM_WN], was[LM_WN]);
        uint64_t prevB = LM_PREV(m[LM_WB], was[LM_WB]), nextS = LM_NEXT(m[LM_WS], next[LM_WS]);
        uint64_t at, T, solo, after, last, glued;

        /* line breaks right behind Other belong to it; in o200k the slashes among and behind them
           too */
        if (cased) {
            glued = flood(m[LM_WNL] | w->x[k][LM_XSLASH], m[LM_WNL] & prevO, &in_breaks);
            O &= ~glued;
            prevO = LM_PREV(O, pO);
        } else {
            glued = m[LM_WNL] & ~add(m[LM_WNL], m[LM_WNL] & prevO, &in_breaks);
        }
        brk[k] = m[LM_WNL] & ~glued;
        T = m[LM_WS] & ~m[LM_WNL];
        /* one character of Other, no blank before it, takes the letters behind it */
        solo = O & ~prevO & ~prevB;
        after = add(m[LM_WC], LM_PREV(solo, psolo), &in_char) & ~m[LM_WC] & m[LM_WL];
        at = (m[LM_WL] & ~LM_PREV(m[LM_WL], was[LM_WL]) &
              (LM_PREV(brk[k], pbrk) | (prevO & ~after))) |
             solo | (m[LM_WS] & ~glued & ~LM_PREV(m[LM_WS] & ~glued, was[LM_WS] & ~pglued)) |
             (LM_PREV(glued, pglued) & ~glued) | (T & LM_PREV(brk[k], pbrk)) | (pN & ~m[LM_WN]);
        if (three && (m[LM_WN] & pN)) {
            by_three(w, m[LM_WN] & ~pN, k, &digits);
        } else {
            at |= m[LM_WN] & ~m[LM_WC];
            digits = 1; /* a run that reaches the end of this word has this one character */
        }
        last = T & ~nextS;
        w->at[k] |= at | (last & m[LM_WC] ? to_first(w, k, last) : last);
        last = T & LM_NEXT(m[LM_WNL], next[LM_WNL]);
        if (last)
            join_lines(w, k, last, brk);
        q[k] = m[LM_WQ] & solo;
        if (cased)
            q[k] = m[LM_WQ] & LM_PREV(m[LM_WL], was[LM_WL]);
        pO = O;
        pall = all;
        pbrk = brk[k];
        pglued = glued;
        psolo = solo;
    }
    if (cased)
        case_borders(w);
    for (size_t k = 0; k < w->nw; k++) {
        if (q[k] && cased)
            suffixes(w, k, q[k], &done);
        else if (q[k])
            contractions(w, k, q[k], true);
    }
}

/* Rules about neighbours: scandeepseek.c. */
void lm_win_deepseek(lm_win *w)
{
    static const uint64_t none[LM_WSETS];
    const uint64_t *was = none;
    uint64_t pT = 0, pP = 0, pE = 0;

    for (size_t k = 0; k < w->nw; was = w->m[k++]) {
        const uint64_t *m = w->m[k], *next = w->m[k + 1];
        uint64_t L = m[LM_WL], P = w->x[k][LM_XPUNCT], E = w->x[k][LM_XEAST];
        uint64_t T = m[LM_WS] & ~m[LM_WNL], alone = m[LM_WN] | m[LM_WNL];
        uint64_t pL = LM_PREV(L, was[LM_WL]), prevP = LM_PREV(P, pP);
        uint64_t palone = LM_PREV(alone, was[LM_WN] | was[LM_WNL]);
        uint64_t last = T & LM_NEXT(L | P, next[LM_WL] | w->x[k + 1][LM_XPUNCT]);

        w->at[k] |= ((alone | palone | (E ^ LM_PREV(E, pE))) & ~m[LM_WC]) |
                    (((L & ~pL) | (P & ~prevP)) & ~LM_PREV(T, pT)) | (pL & ~L) | (prevP & ~P) |
                    (last & m[LM_WC] ? to_first(w, k, last) : last);
        pT = T;
        pP = P;
        pE = E;
    }
}
