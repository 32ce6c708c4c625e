/* scanmask-class: the classes of characters beyond ASCII in a window of bit masks. Most of what is
   not ASCII and long is Chinese or Korean, where the first of three bytes nearly always tells that
   it is a letter: those 64 bytes at a time, others one after the other. */
#include "kernels/data.h"
#include "text/scanmask-priv.h"

enum { MANY = 512 }; /* bytes >= 128 in a window from which on it pays to look 64 at a time */

/* Sets of a class, one bit each: those of m, then those of x; ODD: w->odd. */
#define M(set) (1u << (set))
#define X(set) (1u << (LM_WSETS + (set)))
#define ODD (1u << 15)
static const uint16_t usual[16] = {
    [LM_U_LU] = M(LM_WL), [LM_U_LT] = M(LM_WL),  [LM_U_LM] = M(LM_WL),   [LM_U_LO] = M(LM_WL),
    [LM_U_LL] = M(LM_WL), [LM_U_NUM] = M(LM_WN), [LM_U_SPACE] = M(LM_WS)};
static const uint16_t o200k[16] = {[LM_U_LU] = M(LM_WL) | X(LM_XUPPER),
                                   [LM_U_LT] = M(LM_WL) | X(LM_XUPPER),
                                   [LM_U_LM] = M(LM_WL) | X(LM_XCASELESS),
                                   [LM_U_LO] = M(LM_WL) | X(LM_XCASELESS),
                                   [LM_U_LL] = M(LM_WL),
                                   [LM_U_NUM] = M(LM_WN),
                                   [LM_U_SPACE] = M(LM_WS),
                                   [LM_U_MARK] = ODD};
static const uint16_t deepseek[16] = {
    [LM_U_LU] = M(LM_WL),    [LM_U_LT] = M(LM_WL),       [LM_U_LM] = M(LM_WL),
    [LM_U_LO] = M(LM_WL),    [LM_U_LL] = M(LM_WL),       [LM_U_NUM] = M(LM_WN),
    [LM_U_SPACE] = M(LM_WS), [LM_U_PUNCT] = X(LM_XPUNCT)};

/* Bytes less 0x80: those that continue a character, E5-E8 EB EC, E9, E4, B7. */
enum { CONT, LO3, E9, E4, B7, NHIGH };
static const lm_byteset high_sets[NHIGH] = {
    {{15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15}},
    {{0, 0, 0, 0, 0, 64, 64, 64, 64, 0, 0, 64, 64}},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 64}},
    {{0, 0, 0, 0, 64}},
    {{0, 0, 0, 0, 0, 0, 0, 8}},
};

/* U+4000-9FFF but for the block U+4DC0-4DFF, and U+B000-CFFF: all are assigned, class Lo. done: the
   bytes of these characters. East Asian to deepseek are not all that E9 leads: left to the slow
   way. */
static void three_bytes(const struct lm_data_ops *op, int kind, lm_win *w, uint64_t *done)
{
    uint8_t low[64 * LM_WROOM];
    uint64_t h[LM_WROOM + 1][NHIGH + 1], was = 0;
    size_t n = w->n < 64 * w->nw ? w->n : 64 * w->nw;

    for (size_t i = 0; i < n; i++)
        low[i] = (uint8_t)w->p[i] ^ 0x80;
    op->bytesets(low, n, high_sets, NHIGH, h[0]);
    memset(h[w->nw], 0, sizeof h[0]);
    for (size_t k = 0; k < w->nw; k++) {
        const uint64_t *a = h[k], *b = h[k + 1];
        uint64_t lead = a[LO3] | (a[E4] & ~LM_NEXT(a[B7], b[B7])), rest;

        if (kind != LM_PRE_DEEPSEEK_CODER)
            lead |= a[E9];
        lead &= LM_NEXT(a[CONT], b[CONT]) & (a[CONT] >> 2 | b[CONT] << 62);
        rest = LM_PREV(lead, was) | lead << 2 | was >> 62;
        was = lead;
        done[k] = lead | rest;
        w->m[k][LM_WL] |= lead | rest;
        if (kind == LM_PRE_O200K || kind == LM_PRE_DEEPSEEK_CODER)
            w->x[k][LM_XCASELESS] |= lead | rest; /* LM_XEAST is the same row */
        w->m[k][LM_WC] &= ~lead;
    }
}

/* The character at p, of `left` bytes: the usual ones without a call. */
static inline uint32_t get(const char *p, size_t left, size_t *len)
{
    const uint8_t *u = (const uint8_t *)p;

    if (left >= 3) {
        if (u[0] - 0xe1u < 12 && (u[1] & 0xc0) == 0x80 && (u[2] & 0xc0) == 0x80) {
            *len = 3;
            return (u[0] & 15u) << 12 | (u[1] & 63u) << 6 | (u[2] & 63u);
        }
        if (u[0] - 0xc2u < 30 && (u[1] & 0xc0) == 0x80) {
            *len = 2;
            return (u[0] & 31u) << 6 | (u[1] & 63u);
        }
    }
    return lm_utf8_get(p, left, len);
}

/* done[k]: bytes that have their classes already. */
static inline void each(lm_win *w, const uint16_t *sets, bool extra, bool east,
                        const uint64_t *done)
{
    uint64_t next = 0; /* continuing bytes in the word to come */
    size_t len;

    for (size_t k = 0; k < w->nw; k++) {
        uint64_t had = w->m[k][LM_WC] & done[k], high = w->m[k][LM_WC] & ~next & ~done[k];

        w->m[k][LM_WC] = next | had;
        for (next = 0; high;) {
            unsigned b = (unsigned)__builtin_ctzll(high), set;
            size_t i = 64 * k + b;
            uint32_t c = get(w->p + i, w->n - i, &len);
            uint64_t all = ((1ull << len) - 1) << b,
                     over = b + len > 64 ? (1ull << (b + len - 64)) - 1 : 0;

            set = sets[lm_uclass(c)];
            w->m[k][LM_WC] |= all & (all - 1) & ~(1ull << b);
            next |= over;
            if (set & (M(LM_WSETS) - 1)) { /* of these there is one at most, and it is the lowest */
                w->m[k][__builtin_ctz(set)] |= all;
                w->m[k + 1][__builtin_ctz(set)] |= over;
            }
            if (extra) {
                if (set >> LM_WSETS & 7) {
                    w->x[k][__builtin_ctz(set >> LM_WSETS)] |= all;
                    w->x[k + 1][__builtin_ctz(set >> LM_WSETS)] |= over;
                }
                w->odd |= set & ODD;
            }
            if (east && (c - 0x800 <= 0x9fa5 - 0x800 || c - 0xac00 <= 0xd7ff - 0xac00)) {
                w->x[k][LM_XEAST] |= all;
                w->x[k + 1][LM_XEAST] |= over;
            }
            high &= ~all;
        }
    }
}

bool lm_win_classes(const struct lm_data_ops *op, int kind, lm_win *w)
{
    uint64_t done[LM_WROOM] = {0};
    size_t high = 0;

    for (size_t k = 0; k < w->nw; k++)
        high += (size_t)__builtin_popcountll(w->m[k][LM_WC]);
    if (high >= MANY)
        three_bytes(op, kind, w, done);
    if (!high)
        return true;
    if (kind == LM_PRE_O200K)
        each(w, o200k, true, false, done);
    else if (kind == LM_PRE_DEEPSEEK_CODER)
        each(w, deepseek, true, true, done);
    else
        each(w, usual, false, false, done);
    return false;
}
