/* scanmask: pretokens by arithmetic on bit masks, one bit a byte, 64 bytes a word: whether a
   pretoken starts at a character is a formula over the classes of it and its neighbours. The rules
   are those of scanplain.c, whose scanners are the oracle. What came before a start never matters,
   so each window begins at one. */
#include "kernels/data.h"
#include "text/scan-priv.h"
#include "text/scanmask.h"

/* Letters, numbers, white space, line breaks (CR, LF), blanks (U+0020), apostrophes; bytes that
   continue a character. All bytes of a character have its class; Other is what is in none of L, N
   and S. */
enum { L, N, S, NL, B, Q, C, SETS };
enum { ROOM = LM_SCAN_WINDOW / 64 + 1 };
typedef struct {
    const char *p;
    size_t n, nw;               /* of the text; words */
    uint64_t m[ROOM + 1][SETS]; /* a word of white space stands behind the last */
    uint64_t at[ROOM + 2];      /* the starts */
} win;

static const lm_byteset sets[C] = {
    /* as kernels/data.h lays them out */
    {{0xa0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0x50, 0x50, 0x50, 0x50,
      0x50}},
    {{8, 8, 8, 8, 8, 8, 8, 8, 8, 8}},
    {{4, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1}},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1}},
    {{4}},
    {{0, 0, 0, 0, 0, 0, 0, 4}},
};

static inline bool has(const win *w, size_t i, int set)
{
    return w->m[i / 64][set] >> i % 64 & 1;
}

/* Gives the bytes of each character from U+0080 on its class. C comes as the bytes >= 128. */
static void by_code_point(win *w)
{
    static const int8_t set[16] = {-1, L, L, L, L, L, N, S, -1, -1, -1, -1, -1, -1, -1, -1};
    uint64_t next = 0; /* continuing bytes in the word to come */
    size_t len;

    for (size_t k = 0; k < w->nw; k++) {
        uint64_t high = w->m[k][C] & ~next;

        w->m[k][C] = next;
        for (next = 0; high;) {
            unsigned b = (unsigned)__builtin_ctzll(high);
            size_t i = 64 * k + b;
            int c = set[lm_uclass(lm_utf8_get(w->p + i, w->n - i, &len))];
            uint64_t all = ((1ull << len) - 1) << b,
                     over = b + len > 64 ? (1ull << (b + len - 64)) - 1 : 0;

            w->m[k][C] |= all & (all - 1) & ~(1ull << b);
            next |= over;
            if (c >= 0) {
                w->m[k][c] |= all;
                w->m[k + 1][c] |= over;
            }
            high &= ~all;
        }
    }
}

/* The bit of the last byte of a character moved to its first, for the few that are longer. */
static uint64_t to_first(win *w, size_t k, uint64_t last)
{
    for (uint64_t c = last & w->m[k][C]; c; c &= c - 1) {
        size_t i = 64 * k + (size_t)__builtin_ctzll(c);

        for (; has(w, i, C); i--) {
        }
        w->at[i / 64] |= 1ull << i % 64;
    }
    return last & ~w->m[k][C];
}

/* White space between two line breaks belongs to the run of both: no start behind the first. brk:
   the line breaks that are not part of what stands before them. */
static void join_lines(win *w, size_t k, uint64_t last, const uint64_t *brk)
{
    for (; last; last &= last - 1) {
        size_t i = 64 * k + (size_t)__builtin_ctzll(last);

        while (i && has(w, i - 1, S) && !has(w, i - 1, NL))
            i--;
        if (i && brk[(i - 1) / 64] >> (i - 1) % 64 & 1)
            w->at[i / 64] &= ~(1ull << i % 64);
    }
}

/* Apostrophes that begin a pretoken: of letters behind one that are a contraction the pretoken ends
   there. */
static void contractions(win *w, size_t k, uint64_t q, bool fold)
{
    for (; q; q &= q - 1) {
        size_t i = 64 * k + (size_t)__builtin_ctzll(q),
               len = lm_scan_contraction((lm_scan_text){(const uint8_t *)w->p, w->n}, i, fold);

        if (!len)
            continue;
        w->at[(i + 1) / 64] &= ~(1ull << (i + 1) % 64);
        i += len;
        if (i < 64 * w->nw && has(w, i, L))
            w->at[i / 64] |= 1ull << i % 64;
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

#define PREV(now, before) ((now) << 1 | (before) >> 63)

/* s?\p{L}+ and so on with a leading blank. lone: each number alone, the text cut there. */
static void gpt2(win *w, bool lone)
{
    static const uint64_t none[SETS];
    const uint64_t *was = none;
    uint64_t q[ROOM], pO = 0;

    for (size_t k = 0; k < w->nw; was = w->m[k++]) {
        const uint64_t *m = w->m[k], *next = w->m[k + 1];
        uint64_t O = ~(m[L] | m[N] | m[S]), pB = PREV(m[B], was[B]);
        uint64_t ends = m[S] >> 1 | next[S] << 63;
        uint64_t first = (m[L] & ~PREV(m[L], was[L])) | (O & ~PREV(O, pO));

        if (lone) {
            ends |= m[N] >> 1 | next[N] << 63;
            w->at[k] |= (first & ~pB) | ((m[N] | PREV(m[N], was[N])) & ~m[C]);
        } else {
            w->at[k] |= (first | (m[N] & ~PREV(m[N], was[N]))) & ~pB;
        }
        w->at[k] |= m[S] & ~PREV(m[S], was[S]);
        ends = m[S] & ~ends;
        w->at[k] |= ends & m[C] ? to_first(w, k, ends) : ends;
        q[k] = m[Q] & O & ~PREV(O, pO) & ~pB;
        pO = O;
    }
    for (size_t k = 0; k < w->nw; k++)
        if (q[k])
            contractions(w, k, q[k], false);
}

/* Numbers by up to three: a start at every third character of a run. */
static void by_three(win *w, uint64_t run_start, size_t k, unsigned *count)
{
    uint64_t n = w->m[k][N] & ~w->m[k][C];

    for (; n; n &= n - 1) {
        uint64_t b = n & -n;

        if (b & run_start)
            *count = 0;
        if (*count % 3 == 0)
            w->at[k] |= b;
        *count += 1;
    }
}

static void qwen2(win *w, bool three)
{
    static const uint64_t none[SETS];
    const uint64_t *was = none;
    uint64_t q[ROOM], brk[ROOM], pO = 0, pbrk = 0, pglued = 0, psolo = 0;
    unsigned in_breaks = 0, in_char = 0, digits = 0;

    for (size_t k = 0; k < w->nw; was = w->m[k++]) {
        const uint64_t *m = w->m[k], *next = w->m[k + 1];
        uint64_t O = ~(m[L] | m[N] | m[S]), prevO = PREV(O, pO), pN = PREV(m[N], was[N]);
        uint64_t prevB = PREV(m[B], was[B]), nextS = m[S] >> 1 | next[S] << 63;
        /* line breaks right behind Other belong to it */
        uint64_t glued = m[NL] & ~add(m[NL], m[NL] & prevO, &in_breaks);
        uint64_t at, T, solo, after, last;

        brk[k] = m[NL] & ~glued;
        T = m[S] & ~m[NL];
        /* one character of Other, no blank before it, takes the letters behind it */
        solo = O & ~prevO & ~prevB;
        after = add(m[C], PREV(solo, psolo), &in_char) & ~m[C] & m[L];
        at = (m[L] & ~PREV(m[L], was[L]) & (PREV(brk[k], pbrk) | (prevO & ~after))) | solo |
             (m[S] & ~glued & ~PREV(m[S] & ~glued, was[S] & ~pglued)) |
             (PREV(glued, pglued) & ~glued) | (T & PREV(brk[k], pbrk)) | (pN & ~m[N]);
        if (three && (m[N] & pN)) {
            by_three(w, m[N] & ~pN, k, &digits);
        } else {
            at |= m[N] & ~m[C];
            digits = 1; /* a run that reaches the end of this word has this one character */
        }
        last = T & ~nextS;
        w->at[k] |= at | (last & m[C] ? to_first(w, k, last) : last);
        last = T & (m[NL] >> 1 | next[NL] << 63);
        if (last)
            join_lines(w, k, last, brk);
        q[k] = m[Q] & solo;
        pO = O;
        pbrk = brk[k];
        pglued = glued;
        psolo = solo;
    }
    for (size_t k = 0; k < w->nw; k++)
        if (q[k])
            contractions(w, k, q[k], true);
}

bool lm_scan_has_masks(int kind)
{
    return kind == LM_PRE_QWEN2 || kind == LM_PRE_CL100K || kind == LM_PRE_GPT2 ||
           kind == LM_PRE_STARCODER;
}

size_t lm_scan_window(const struct lm_data_ops *op, int kind, const char *p, size_t n,
                      size_t window, uint32_t *end)
{
    win w;
    size_t limit = window, avail = n < window + 64 ? n : window + 64, got;
    uint64_t high = 0;

    w.p = p;
    w.n = n;
    w.nw = (avail + 63) / 64;
    op->bytesets(p, avail, sets, C, w.m[0]);
    memset(w.m[w.nw], 0, sizeof w.m[0]);
    memset(w.at, 0, (w.nw + 1) * sizeof *w.at);
    for (size_t k = 0; k < w.nw; k++)
        high |= w.m[k][C];
    if (high)
        by_code_point(&w);
    w.m[w.nw][S] = ~0ull; /* the text ends as if in white space */
    if (avail % 64)
        w.m[w.nw - 1][S] |= ~0ull << avail % 64;
    if (kind == LM_PRE_GPT2 || kind == LM_PRE_STARCODER)
        gpt2(&w, kind == LM_PRE_STARCODER);
    else
        qwen2(&w, kind == LM_PRE_CL100K);
    w.at[0] &= ~1ull;
    if (avail == n) {
        if (avail % 64)
            w.at[w.nw - 1] &= (1ull << avail % 64) - 1;
        got = op->positions(w.at, w.nw, end);
        end[got] = (uint32_t)n;
        return got + 1;
    }
    /* white space through all of the last word: nobody knows yet where it is cut */
    if ((w.m[limit / 64][S] & ~w.m[limit / 64][NL]) == ~0ull)
        while (limit && has(&w, limit - 1, S))
            limit--;
    w.at[limit / 64] &= (1ull << limit % 64) - 1;
    return op->positions(w.at, limit / 64 + (limit % 64 > 0), end);
}
