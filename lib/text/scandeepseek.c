/* scandeepseek: the deepseek-coder pattern. Its five splits come down to a rule about neighbours: a
   line break, a number stand alone; runs of letters, of punctuation end where they end, and take
   one space in front; the range of East Asian scripts is cut off from what is not in it. */
#include "text/scan-priv.h"

enum { BREAK, NUMBER, LETTER, PUNCT, SPACE, OTHER, EAST = 8 };

static const uint8_t kind_of_class[16] = {OTHER,  LETTER, LETTER, LETTER, LETTER,
                                          LETTER, NUMBER, SPACE,  OTHER,  PUNCT};

static inline unsigned kind(lm_scan_text t, size_t i, size_t *len)
{
    uint32_t c = lm_utf8_get((const char *)t.p + i, t.n - i, len);

    if (c == '\n' || c == '\r')
        return BREAK;
    return kind_of_class[lm_uclass(c)] |
           (c - 0x800 <= 0x9fa5 - 0x800 || c - 0xac00 <= 0xd7ff - 0xac00 ? EAST : 0);
}

size_t lm_scan_deepseek(lm_scan_text t, size_t *from, size_t *ends, size_t cap)
{
    size_t i = *from, n = 0, len, len2;
    unsigned a, b, c;

    while (n < cap && i < t.n) {
        /* a and b are neighbours, c follows */
        a = kind(t, i, &len);
        b = i + len < t.n ? kind(t, i + len, &len2) : (unsigned)BREAK;
        for (i += len; i < t.n; i += len, a = b, b = c) {
            unsigned x = a & 7, y = b & 7;

            len = len2;
            c = i + len < t.n ? kind(t, i + len, &len2) : (unsigned)BREAK;
            if (x <= NUMBER || y <= NUMBER || (a ^ b) & EAST)
                break;
            if (x == SPACE && (y == LETTER || y == PUNCT))
                continue;
            if ((x != y && (x == LETTER || x == PUNCT || y == LETTER || y == PUNCT)) ||
                (y == SPACE && ((c & 7) == LETTER || (c & 7) == PUNCT)))
                break;
        }
        ends[n++] = i;
    }
    *from = i;
    return n;
}
