/* scanmask: pretokens by arithmetic on bit masks, one bit a byte, 64 bytes a word: whether a
   pretoken starts at a character is a formula over the classes of it and its neighbours
   (scanmask-rules.c). The rules are those of the plain scanners, which are the oracle. What came
   before a start never matters, so each window begins at one. */
#include "kernels/data.h"
#include "text/scanmask-priv.h"

/* As kernels/data.h lays them out; in the order of LM_WL .., LM_XUPPER ... */
static const lm_byteset sets[LM_WC] = {
    {{0xa0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0x50, 0x50, 0x50, 0x50,
      0x50}},
    {{8, 8, 8, 8, 8, 8, 8, 8, 8, 8}},
    {{4, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1}},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1}},
    {{4}},
    {{0, 0, 0, 0, 0, 0, 0, 4}},
};
static const lm_byteset cased[LM_XSETS - 1] = {
    {{0x20, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x10, 0x10, 0x10, 0x10,
      0x10}},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4}},
};
static const lm_byteset punct[LM_XSETS - 1] = {
    {{0x10, 4, 4, 4, 0, 4, 4, 4, 4, 4, 0x0c, 0xa8, 0x24, 0xa4, 4, 0x2c}},
    {{0}},
};

bool lm_scan_has_masks(int kind)
{
    return kind >= 0 && kind < LM_PRE_COUNT;
}

/* The same by the plain scanner. */
static size_t by_hand(int kind, const char *p, size_t n, size_t window, uint32_t *end)
{
    size_t far[64], at = 0, got = 0, k;

    while (at < window && (k = lm_scan_plain(kind, p, n, &at, far, LM_COUNT(far))))
        for (size_t i = 0; i < k; i++) {
            if (far[i] > UINT32_MAX)
                return got;
            end[got++] = (uint32_t)far[i];
            if (far[i] >= window)
                return got;
        }
    return got;
}

/* The masks of the first avail bytes of text p[0, n). */
static void classify(const struct lm_data_ops *op, int kind, lm_win *w, size_t avail, bool *ascii)
{
    w->nw = (avail + 63) / 64;
    w->odd = false;
    op->bytesets(w->p, avail, sets, LM_WC, w->m[0]);
    memset(w->m[w->nw], 0, sizeof w->m[0]);
    memset(w->at, 0, (w->nw + 1) * sizeof *w->at);
    if (kind == LM_PRE_O200K || kind == LM_PRE_DEEPSEEK_CODER) {
        op->bytesets(w->p, avail, kind == LM_PRE_O200K ? cased : punct, LM_XSETS - 1, w->x[0]);
        memset(w->x[w->nw], 0, sizeof w->x[0]);
        for (size_t k = 0; k < w->nw; k++)
            w->x[k][LM_XSETS - 1] = 0;
    }
    *ascii = lm_win_classes(op, kind, w);
}

/* Where its pretokens start; the text ends as if in white space. */
static void apply(int kind, lm_win *w, size_t avail)
{
    w->m[w->nw][LM_WS] = ~0ull;
    if (avail % 64)
        w->m[w->nw - 1][LM_WS] |= ~0ull << avail % 64;
    if (kind == LM_PRE_DEEPSEEK_CODER)
        lm_win_deepseek(w);
    else if (kind == LM_PRE_GPT2 || kind == LM_PRE_STARCODER)
        lm_win_gpt2(w, kind == LM_PRE_STARCODER);
    else if (!w->odd)
        lm_win_qwen2(w, kind != LM_PRE_QWEN2, kind == LM_PRE_O200K);
}

size_t lm_scan_window(const struct lm_data_ops *op, int kind, const char *p, size_t n,
                      size_t window, uint32_t *end, bool *ascii)
{
    lm_win w;
    size_t limit, avail = n < window + 64 ? n : window + 64, got;

    w.p = p;
    w.n = n;
    w.sure = window;
    classify(op, kind, &w, avail, ascii);
    apply(kind, &w, avail);
    if (w.odd)
        return by_hand(kind, p, n, window, end);
    w.at[0] &= ~1ull;
    if (avail == n) {
        if (avail % 64)
            w.at[w.nw - 1] &= (1ull << avail % 64) - 1;
        got = op->positions(w.at, w.nw, end);
        end[got] = (uint32_t)n;
        return got + 1;
    }
    limit = w.sure;
    /* white space through all of the last word: nobody knows yet where it is cut */
    if (kind != LM_PRE_DEEPSEEK_CODER &&
        (w.m[window / 64][LM_WS] & ~w.m[window / 64][LM_WNL]) == ~0ull)
        while (limit && lm_win_has(&w, limit - 1, LM_WS))
            limit--;
    w.at[limit / 64] &= (1ull << limit % 64) - 1;
    return op->positions(w.at, limit / 64 + (limit % 64 > 0), end);
}

/* The bits of a row of masks from byte `from` on. */
static inline void shift_row(uint64_t *to, const uint64_t *row, const uint64_t *next, size_t n,
                             unsigned by)
{
    for (size_t i = 0; i < n; i++)
        to[i] = by ? row[i] >> by | next[i] << (64 - by) : row[i];
}

/* Of the bytes [from, from + n) of w as a text of their own the starts are added to w->at. */
static void one_line(int kind, lm_win *w, lm_win *line, size_t from, size_t n)
{
    unsigned by = from % 64;
    bool extra = kind == LM_PRE_O200K || kind == LM_PRE_DEEPSEEK_CODER;
    uint64_t inside = n % 64 ? (1ull << n % 64) - 1 : ~0ull;

    line->p = w->p + from;
    line->n = n;
    line->nw = (n + 63) / 64;
    line->odd = false;
    for (size_t k = 0, j = from / 64; k < line->nw; k++, j++) {
        shift_row(line->m[k], w->m[j], w->m[j + 1], LM_WSETS, by);
        if (extra)
            shift_row(line->x[k], w->x[j], w->x[j + 1], LM_XSETS, by);
    }
    for (size_t i = 0; i < LM_WSETS; i++)
        line->m[line->nw - 1][i] &= inside;
    for (size_t i = 0; i < LM_XSETS && extra; i++)
        line->x[line->nw - 1][i] &= inside;
    memset(line->m[line->nw], 0, sizeof line->m[0]);
    memset(line->x[line->nw], 0, sizeof line->x[0]);
    memset(line->at, 0, (line->nw + 1) * sizeof *line->at);
    apply(kind, line, n);
    line->at[0] |= 1;
    line->at[line->nw - 1] &= inside;
    for (size_t k = 0, j = from / 64; k < line->nw; k++, j++) {
        w->at[j] |= line->at[k] << by;
        w->at[j + 1] |= by ? line->at[k] >> (64 - by) : 0;
    }
}

static size_t lines_by_hand(int kind, const char *p, size_t n, uint32_t *end)
{
    size_t got = 0, k;

    for (size_t at = 0, len; at < n; at += len, got += k) {
        const char *lf = memchr(p + at, '\n', n - at);

        len = lf ? (size_t)(lf - p) + 1 - at : n - at;
        k = by_hand(kind, p + at, len, len, end + got);
        for (size_t i = 0; i < k; i++)
            end[got + i] += (uint32_t)at;
    }
    return got;
}

size_t lm_scan_lines_window(const struct lm_data_ops *op, int kind, const char *p, size_t n,
                            size_t window, uint32_t *end)
{
    lm_win w, line;
    const char *lf;
    size_t all = n < window ? n : window, got;
    bool ascii;

    if (all < n) { /* whole lines */
        lf = memrchr(p, '\n', all);
        all = lf ? (size_t)(lf - p) + 1 : 0;
    }
    if (!all)
        return 0;
    w.p = p;
    w.n = all;
    classify(op, kind, &w, all, &ascii);
    line.sure = window;
    for (size_t at = 0, len; at < all; at += len) {
        lf = memchr(p + at, '\n', all - at);
        len = lf ? (size_t)(lf - p) + 1 - at : all - at;
        one_line(kind, &w, &line, at, len);
        if (w.odd || line.odd)
            return lines_by_hand(kind, p, all, end);
    }
    w.at[0] &= ~1ull;
    got = op->positions(w.at, w.nw, end);
    end[got] = (uint32_t)all;
    return got + 1;
}
