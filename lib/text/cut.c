/* cut: the places are told by the two characters beside them, by the rules of all named patterns at
   once where they agree, else by the pattern's own. */
#include "text/cut.h"
#include "text/uclass.h"

enum { O, L, N, S, M }; /* punctuation is O */
static const uint8_t kind_of[16] = {O, L, L, L, L, L, N, S, M, O};

static unsigned class_at(lm_str t, size_t i, size_t *len)
{
    return lm_uclass(lm_utf8_get(t.p + i, t.n - i, len));
}

/* The class and length of the character before i > 0; false if i lies within one. */
static bool class_before(lm_str t, size_t i, unsigned *class, size_t *len)
{
    for (size_t k = 1; k <= 4 && k <= i; k++) {
        *len = lm_utf8_len(t.p + i - k, t.n - (i - k));
        if (*len > k)
            return false;
        if (*len == k) {
            *class = class_at(t, i - k, len);
            return true;
        }
    }
    *class = LM_U_OTHER;
    *len = 1;
    return true;
}

static bool one_digit(int kind)
{
    return kind == LM_PRE_QWEN2 || kind == LM_PRE_STARCODER || kind == LM_PRE_DEEPSEEK_CODER;
}

/* A letter run ends with its last letter, a number with its last digit, in every pattern; only an
   apostrophe or, in o200k, a mark may follow in the same pretoken. What stands before a number is
   never joined to it but a blank by gpt2, what stands before a blank never to the blank but by the
   leftover text of deepseek-coder. */
static bool is_cut(int kind, lm_str t, size_t i)
{
    unsigned ca, cb = LM_U_OTHER, a, b;
    size_t len = 1;

    if (!class_before(t, i, &ca, &len))
        return false;
    cb = class_at(t, i, &len);
    a = kind_of[ca];
    b = kind_of[cb];
    if (a == L && b == L)
        return kind == LM_PRE_O200K && ca == LM_U_LL && cb == LM_U_LU;
    if (a == N && b == N)
        return one_digit(kind);
    if ((a == L || a == N) && b != M && t.p[i] != '\'')
        return true;
    if (b == N)
        return a != S;
    if (t.p[i - 1] ==
        '\n') /* gpt2 leaves the last line break to stand alone only where more follows */
        return b == L && kind != LM_PRE_GPT2 && kind != LM_PRE_STARCODER;
    if (t.p[i] != ' ' || a == S)
        return false;
    return kind != LM_PRE_DEEPSEEK_CODER || kind_of[class_at(t, i + 1, &len)] == L;
}

/* The last place at which is_cut. */
static size_t last_cut(int kind, lm_str t, size_t i)
{
    const unsigned char *p = (const unsigned char *)t.p;
    uint8_t k[128]; /* two ASCII characters of one kind, not 255, are not cut: nearly all there are
                       to look at */

    for (unsigned c = 0; c < 128; c++) {
        k[c] = kind_of[lm_uclass(c)];
        if ((k[c] == L && kind == LM_PRE_O200K) || (k[c] == N && one_digit(kind)))
            k[c] = 255;
    }
    for (; i; i--)
        if (((p[i - 1] | p[i]) >= 128 || k[p[i - 1]] != k[p[i]] || k[p[i]] == 255) &&
            is_cut(kind, t, i))
            return i;
    return 0;
}

/* The last end of a pretoken that no more text can move, nor its end as the end of a text. But for
   white space, pretokens (not o200k's) are told from their own characters and one or two more, and
   white space from the next that is none. */
static size_t last_end(const lm_pre *pre, lm_str t)
{
    size_t m = t.n - 16, end[64], last = 0, n = 1, len;
    lm_scan_pos pos = {0};
    unsigned class;

    while (m && ((unsigned char)t.p[m] <= ' ' || (unsigned char)t.p[m] >= 0x7f))
        m--;
    while (pos.at <= m && (n = lm_scan(pre, t.p, t.n, &pos, end, LM_COUNT(end))))
        for (size_t i = 0; i < n && end[i] <= m; i++)
            if (class_before(t, end[i], &class, &len) && kind_of[class] != S)
                last = end[i];
    lm_scan_stop(&pos);
    return last;
}

size_t lm_cut_text(const lm_pre *pre, lm_str t)
{
    int kind = lm_pre_kind(pre);
    size_t cut, run = 0;

    if (kind == LM_PRE_REGEX || t.n < 32)
        return 0;
    if ((cut = last_cut(kind, t, t.n - 8))) /* what stands behind is seen whole */
        return cut;
    if (kind != LM_PRE_O200K)
        return last_end(pre, t);
    while (run < t.n && t.p[run] >= '0' && t.p[run] <= '9')
        run++;
    return run == t.n ? (t.n - 8) / 3 * 3 : 0; /* numbers of three digits */
}

/* White space: gpt2 leaves its last character to what follows, the others end it behind its last
   line break; deepseek-coder cuts it at line breaks and at what lies in its range of ideographs. */
static size_t space(int kind, lm_str t, size_t end, size_t last)
{
    size_t i = end;

    if (kind == LM_PRE_GPT2 || kind == LM_PRE_STARCODER)
        return last;
    if (kind == LM_PRE_DEEPSEEK_CODER)
        while (i && (t.p[i - 1] == ' ' || t.p[i - 1] == '\t'))
            i--;
    else
        while (i && t.p[i - 1] != '\n' && t.p[i - 1] != '\r')
            i--;
    if (!i)
        return last;
    return kind == LM_PRE_DEEPSEEK_CODER ? 0 : i;
}

size_t lm_cut_first(const lm_pre *pre, lm_str t)
{
    lm_scan_pos pos = {0};
    size_t end = 0, n = 0, last = 0, len;
    unsigned class;

    if (lm_pre_kind(pre) == LM_PRE_REGEX)
        return 0;
    t.n -= lm_utf8_partial(t.p, t.n);
    while (n < t.n && kind_of[class_at(t, n, &len)] == S) {
        last = n;
        n += len;
    }
    if (n == t.n)
        return space(lm_pre_kind(pre), t, n, last);
    while (t.n && class_before(t, t.n, &class, &len) && kind_of[class] == S)
        t.n -= len; /* it may be left to what follows */
    if (!t.n || !lm_scan(pre, t.p, t.n, &pos, &end, 1))
        return 0;
    lm_scan_stop(&pos);
    return end == t.n ? end : 0;
}

bool lm_cut_inside(const lm_pre *pre, lm_str t, size_t at)
{
    unsigned char a, b;
    unsigned class;
    size_t len;

    if (at + 8 > t.n || !class_before(t, at, &class, &len))
        return false;
    if (lm_pre_kind(pre) != LM_PRE_O200K)
        return true;
    a = (unsigned char)
            t.p[at]; /* its letters of no case may end up in another piece, its marks too */
    b = (unsigned char)t.p[at + 1];
    if (a >= 0x80 || b >= 0x80)
        return false;
    return kind_of[lm_uclass(a)] != L ? kind_of[lm_uclass(b)] == kind_of[lm_uclass(a)]
                                      : lm_uclass(a) == lm_uclass(b);
}
