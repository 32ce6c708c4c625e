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

size_t lm_scan_window(const struct lm_data_ops *op, int kind, const char *p, size_t n,
                      size_t window, uint32_t *end, bool *ascii)
{
    lm_win w;
    size_t limit, avail = n < window + 64 ? n : window + 64, got;

    w.p = p;
    w.n = n;
    w.nw = (avail + 63) / 64;
    w.sure = window;
    w.odd = false;
    op->bytesets(p, avail, sets, LM_WC, w.m[0]);
    memset(w.m[w.nw], 0, sizeof w.m[0]);
    memset(w.at, 0, (w.nw + 1) * sizeof *w.at);
    if (kind == LM_PRE_O200K || kind == LM_PRE_DEEPSEEK_CODER) {
        op->bytesets(p, avail, kind == LM_PRE_O200K ? cased : punct, LM_XSETS - 1, w.x[0]);
        memset(w.x[w.nw], 0, sizeof w.x[0]);
        for (size_t k = 0; k < w.nw; k++)
            w.x[k][LM_XSETS - 1] = 0;
    }
    *ascii = lm_win_classes(op, kind, &w);
    w.m[w.nw][LM_WS] = ~0ull; /* the text ends as if in white space */
    if (avail % 64)
        w.m[w.nw - 1][LM_WS] |= ~0ull << avail % 64;
    if (kind == LM_PRE_DEEPSEEK_CODER)
        lm_win_deepseek(&w);
    else if (kind == LM_PRE_GPT2 || kind == LM_PRE_STARCODER)
        lm_win_gpt2(&w, kind == LM_PRE_STARCODER);
    else if (!w.odd)
        lm_win_qwen2(&w, kind != LM_PRE_QWEN2, kind == LM_PRE_O200K);
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
