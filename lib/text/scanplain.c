/* scanplain: one hand-written scanner a pattern, equal to the regular expressions of scanpre.c: the
   meaning of each, and the oracle of faster ones. What they share: runs of one kind (letter,
   number, space, other), and white space, which leaves its last character to what follows. */
#include "text/scan-priv.h"

/* Kinds of characters; X is a byte that needs a look at the whole character. */
enum { O, L, N, S, X }; /* other, letter, number, space */
typedef lm_scan_text text;

static const uint8_t kind_of_class[16] = {O, L, L, L, L, L, N, S, O, O};
/* clang-format off */
static const uint8_t kind_of_byte[256] = {
    O, O, O, O, O, O, O, O, O, S, S, S, S, S, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    S, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, N, N, N, N, N, N, N, N, N, N, O, O, O, O, O, O,
    O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O,
    O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
    X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X,
};
/* clang-format on */

/* The kind and length of the character at i < n. */
static inline unsigned kind(text t, size_t i, size_t *len)
{
    unsigned k = kind_of_byte[t.p[i]];

    *len = 1;
    return k != X ? k : kind_of_class[lm_uclass(lm_utf8_get((const char *)t.p + i, t.n - i, len))];
}

/* The end of the run of kind k that begins at i. */
static inline size_t run(text t, size_t i, unsigned k)
{
    size_t len;

    while (i < t.n && kind(t, i, &len) == k)
        i += len;
    return i;
}

#define EACH(b) ((b)*0x0101010101010101ull)

/* The same for letters, eight bytes at a time: a byte's top bit is set in m if it is an ASCII
 * letter. */
static inline size_t letters(text t, size_t i)
{
    size_t len;

    while (i < t.n) {
        if (t.n - i >= 8) {
            uint64_t x, low, m;

            memcpy(&x, t.p + i, 8);
            low = (x | EACH(0x20)) & EACH(0x7f);
            m = (low + EACH(0x80 - 'a')) & ~(low + EACH(0x7f - 'z')) & ~x & EACH(0x80);
            if (m == EACH(0x80)) {
                i += 8;
                continue;
            }
            i += (size_t)__builtin_ctzll(~m & EACH(0x80)) >> 3;
            if (t.p[i] < 0x80)
                return i;
        }
        if (kind(t, i, &len) != L)
            return i;
        i += len;
    }
    return i;
}

size_t lm_scan_contraction(text t, size_t i, bool fold)
{
    size_t left = t.n - i;
    unsigned a, b;

    if (left < 2)
        return 0;
    a = t.p[i + 1];
    b = left > 2 ? t.p[i + 2] : 0;
    if (fold) {
        if (a == 0xc5 && b == 0xbf)
            return 3;
        a |= a < 0x80 ? 0x20 : 0;
        b |= b < 0x80 ? 0x20 : 0;
    }
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return 2;
    return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

/* The run of spaces from i: *last = where its last character begins, *cut = behind its last line
   break (0 = none). */
static size_t spaces(text t, size_t i, size_t *last, size_t *cut)
{
    size_t e = i, len;

    *last = i;
    *cut = 0;
    for (uint64_t x; t.n - e >= 8 && (memcpy(&x, t.p + e, 8), x == EACH(0x20)); e += 8)
        *last = e + 7; /* indentation */
    while (e < t.n && kind(t, e, &len) == S) {
        *last = e;
        if (t.p[e] == '\n' || t.p[e] == '\r')
            *cut = e + 1;
        e += len;
    }
    return e;
}

size_t lm_scan_space(text t, size_t i)
{
    size_t last, cut, e = spaces(t, i, &last, &cut);

    return cut ? cut : e == t.n || last == i ? e : last;
}

/* digits: each number is cut out first and ends the text before it. */
static inline size_t gpt2(text t, size_t i, bool digits)
{
    size_t len, cut, c, last, e;
    unsigned k = kind(t, i, &len), next;

    if (t.p[i] == '\'' && (c = lm_scan_contraction(t, i, false)))
        return i + c;
    if (digits && k == N)
        return i + len;
    if (k != S)
        return k == L ? letters(t, i + len) : run(t, i + len, k);
    if (t.p[i] == ' ' && i + 1 < t.n && (next = kind(t, i + 1, &len)) != S &&
        !(digits && next == N))
        return next == L ? letters(t, i + 1 + len) : run(t, i + 1 + len, next);
    e = spaces(t, i, &last, &cut);
    return e == t.n || last == i || (digits && kind(t, e, &len) == N) ? e : last;
}

static inline size_t qwen2(text t, size_t i, unsigned digits)
{
    size_t len, len2, c, e;
    unsigned k = kind(t, i, &len), next;

    if (k == L)
        return letters(t, i + len);
    if (k == N) {
        for (e = i + len; --digits && e < t.n && kind(t, e, &len) == N; e += len) {
        }
        return e;
    }
    if (t.p[i] == '\'' && (c = lm_scan_contraction(t, i, true)))
        return i + c;
    next = i + len < t.n ? kind(t, i + len, &len2) : S;
    if (next == L && t.p[i] != '\n' && t.p[i] != '\r')
        return letters(t, i + len + len2);
    if (k == O || (t.p[i] == ' ' && next == O)) {
        for (e = run(t, i + len, O); e < t.n && (t.p[e] == '\n' || t.p[e] == '\r'); e++) {
        }
        return e;
    }
    return lm_scan_space(t, i);
}

#define SCAN(call) \
    while (k < cap && i < n) \
    ends[k++] = i = (call)

size_t lm_scan_plain(int pre, const char *p, size_t n, size_t *from, size_t *ends, size_t cap)
{
    text t = {(const uint8_t *)p, n};
    size_t i = *from, k = 0;

    switch (pre) {
    case LM_PRE_QWEN2:
        SCAN(qwen2(t, i, 1));
        break;
    case LM_PRE_GPT2:
        SCAN(gpt2(t, i, false));
        break;
    case LM_PRE_STARCODER:
        SCAN(gpt2(t, i, true));
        break;
    case LM_PRE_CL100K:
        SCAN(qwen2(t, i, 3));
        break;
    case LM_PRE_O200K:
        return lm_scan_o200k(t, from, ends, cap);
    case LM_PRE_DEEPSEEK_CODER:
        return lm_scan_deepseek(t, from, ends, cap);
    }
    *from = i;
    return k;
}
