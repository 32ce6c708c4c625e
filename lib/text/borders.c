/* borders: a token that reaches across a place holds the character on its left or the last bytes of
   it, and the one on its right or the first bytes of it. So four questions to a set of such pairs
   tell that none does. Of what is cut off a character one byte is kept: its last on the left, its
   first on the right. */
#include "text/borders.h"

static inline uint64_t slot(const lm_borders *b, uint32_t left, uint32_t right)
{
    return (left * 0x9e3779b97f4a7c15ull ^ right * 0xd6e8feb86659fd93ull) >> b->shift;
}

static inline bool has(const lm_borders *b, uint32_t left, uint32_t right)
{
    uint64_t i = slot(b, left, right);

    return b->bit[i / 64] >> i % 64 & 1;
}

/* Notes the neighbours in a token of which one is not ASCII, once there is a set; how many. */
static size_t walk(lm_borders *b, lm_str t)
{
    const uint8_t *p = (const uint8_t *)t.p;
    size_t i = 0, len, n = 0;
    uint32_t left = 0, right;

    for (; i < t.n && p[i] >> 6 == 2; i++)
        left = p[i];
    for (; i < t.n; i += len + !len, left = right) {
        right = lm_char_at(t.p + i, t.n - i, &len);
        if (!right && len)
            right = p[i];
        if (!left || !right || (left | right) < 0x80)
            continue;
        n++;
        if (b->bit) {
            uint64_t at = slot(b, left, right);

            b->bit[at / 64] |= 1ull << at % 64;
        }
    }
    return n;
}

void lm_borders_make(lm_borders *b, const lm_str *token, size_t n)
{
    size_t pairs = 64;
    unsigned bits = 10;

    *b = (lm_borders){0};
    for (size_t i = 0; i < n; i++)
        pairs += token[i].p ? walk(b, token[i]) : 0;
    for (; (size_t)1 << bits < 16 * pairs; bits++) {
    }
    b->shift = 64 - bits;
    b->bit = lm_zalloc((size_t)1 << (bits - 6), sizeof *b->bit);
    for (size_t i = 0; i < n; i++)
        if (token[i].p)
            walk(b, token[i]);
}

void lm_borders_free(lm_borders *b)
{
    free(b->bit);
    *b = (lm_borders){0};
}

/* first: the first byte of right. An ASCII character has no parts. */
static inline bool split(const lm_borders *b, uint32_t left, uint32_t right, uint32_t first)
{
    uint32_t last = left & 0xff;

    return (right >= 0x80 && has(b, left, first)) || (left >= 0x80 && has(b, last, right)) ||
           (left >= 0x80 && right >= 0x80 && has(b, last, first));
}

bool lm_borders_split(const lm_borders *b, uint32_t left, uint32_t right)
{
    uint32_t first = right;

    while (first > 0xff)
        first >>= 8;
    return split(b, left, right, first);
}

size_t lm_borders_cut(const lm_borders *b, const char *p, size_t *at, size_t end, uint32_t *ends,
                      size_t cap)
{
    uint32_t left = 0, right;
    size_t n = 0, len;

    for (size_t i = *at; i < end; i += len + !len, left = right) {
        right = lm_char_at(p + i, end - i, &len);
        if (!left || !right || (left | right) < 0x80)
            continue;
        if (has(b, left, right) || split(b, left, right, (unsigned char)p[i]))
            continue;
        ends[n++] = (uint32_t)i;
        if (n == cap) {
            *at = i;
            return n;
        }
    }
    ends[n++] = (uint32_t)end;
    *at = end;
    return n;
}
