/* lines: masks of 64 bytes from the bytesets kernel, then a few words of arithmetic a block. */
#include "text/lines.h"
#include "text/uclass.h"

enum { LF, ALPHA, DIGIT, SPACE, HEX, UNDER, BASE, BACK, EX, NSET, HIGH = NSET, ROW = NSET + 1 };
enum { CHUNK = 256 }; /* blocks a call: 16 KiB of text, 20 KiB of masks */

#define INLINE static inline __attribute__((always_inline))

/* In the order of the names above; see lm_byteset. */
static const lm_byteset sets[NSET] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0, 0, 0, 0, 0}}, /* LF */
    {{0xa0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0xf0, 0x50, 0x50, 0x50, 0x50,
      0x50}},                                                                         /* letters */
    {{0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0x08, 0, 0, 0, 0, 0, 0}}, /* digits */
    {{0x04, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x01, 0x01, 0x01, 0x01, 0, 0}}, /* white space */
    {{0x08, 0x58, 0x58, 0x58, 0x58, 0x58, 0x58, 0x08, 0x08, 0x08, 0, 0, 0, 0, 0,
      0}},                                                 /* hexadecimal */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20}}, /* _ */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x04, 0, 0x08, 0,
      0x04}}, /* +/= of base64, beside letters, digits and LF */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0}}, /* the backslash */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0}}, /* the x of 0x and \x */
};

/* The runs of one pattern whose parts join end to end. */
typedef struct {
    size_t start, end, count;
} chain;

typedef struct {
    lm_lines *o;
    const uint8_t *p;
    size_t n;
    size_t col;        /* characters of the open line so far */
    size_t b64;        /* open base64 run */
    uint64_t word, ex; /* the last byte before the block: a word byte, an x */
    uint64_t inside;   /* bytes of the block that continue a character begun before it */
    chain hex, uni;
} scan;

static void encoded(lm_lines *o, size_t n)
{
    o->enc_sum += n;
    if (n > o->enc_run)
        o->enc_run = n;
}

static void close_chain(scan *s, chain *c)
{
    if (c->count >= 8)
        encoded(s->o, c->end - c->start);
    c->count = 0;
}

static void link_chain(scan *s, chain *c, size_t start, size_t end)
{
    if (!c->count || c->end != start) {
        close_chain(s, c);
        c->start = start;
    }
    c->end = end;
    c->count++;
}

static bool word_byte(uint8_t c)
{
    return c >= 128 || c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static bool space_byte(uint8_t c)
{
    return c == ' ' || (c >= 9 && c <= 13);
}

/* Two hex digits at i end a word; they start one, or follow an x. */
static void hex_pair(scan *s, size_t i)
{
    size_t start = i, end = i + 2;

    if (i && word_byte(s->p[i - 1])) { /* the x of 0x or \x, with a word border before it */
        if (i < 2)
            return;
        start = i - 2;
        if (s->p[start] == '0') {
            if (start && word_byte(s->p[start - 1]))
                return;
        } else if (s->p[start] != '\\' || !start || !word_byte(s->p[start - 1])) {
            return;
        }
    }
    if (end < s->n && s->p[end] == ',')
        end++;
    else
        while (end < s->n && space_byte(s->p[end]))
            end++;
    link_chain(s, &s->hex, start, end);
}

INLINE void base64(scan *s, uint64_t in)
{
    unsigned head;

    if (in == UINT64_MAX) {
        s->b64 += 64;
        return;
    }
    head = (unsigned)__builtin_ctzll(~in);
    if (s->b64 + head >= 64)
        encoded(s->o, s->b64 + head);
    s->b64 = (size_t)__builtin_clzll(~in); /* a run of 64 always meets a border of blocks */
}

INLINE uint64_t bits(uint64_t x)
{
    return (uint64_t)__builtin_popcountll(x);
}

/* Decodes the characters that start at the high bytes of a block; returns the bytes of the block
   that continue a character. */
static uint64_t decode(scan *s, size_t at, uint64_t high)
{
    uint64_t inside = s->inside;

    s->inside = 0;
    high &= ~inside;
    while (high) {
        size_t i = at + (size_t)__builtin_ctzll(high), len, k;
        uint32_t cp = lm_utf8_get((const char *)s->p + i, s->n - i, &len);
        unsigned u = lm_uclass(cp);

        s->o->nonascii++;
        s->o->alpha += u >= LM_U_LU && u <= LM_U_LL;
        s->o->alnum += (u >= LM_U_LU && u <= LM_U_LL) || u == LM_U_NUM;
        s->o->space += u == LM_U_SPACE;
        s->o->chars -= len - 1;
        for (k = i + 1; k < i + len; k++)
            if (k - at < 64)
                inside |= 1ull << (k - at);
            else
                s->inside |= 1ull << (k - at - 64);
        high &= ~inside & (high - 1);
    }
    return inside;
}

/* The lines that end in a block; first = its bytes that start a character. */
INLINE void line_ends(scan *s, size_t at, unsigned n, uint64_t lf, uint64_t first)
{
    unsigned from = 0;

    for (; lf; lf &= lf - 1) {
        unsigned i = (unsigned)__builtin_ctzll(lf);
        uint64_t before = i ? UINT64_MAX >> (64 - i) : 0;
        size_t len = s->col + bits(first & before & (UINT64_MAX << from));

        if (len && at + i && s->p[at + i - 1] == '\r')
            len--;
        s->o->lines++;
        s->o->line_sum += len;
        if (len > s->o->line_max)
            s->o->line_max = len;
        s->col = 0;
        from = i + 1;
    }
    if (from < n)
        s->col += bits(first & (UINT64_MAX << from) & (UINT64_MAX >> (64 - n)));
}

/* One block of n bytes at p + at. next: the masks of the block behind it, or zeros. */
INLINE void block(scan *s, size_t at, unsigned n, const uint64_t *m, const uint64_t *next)
{
    lm_lines *o = s->o;
    uint64_t word = m[ALPHA] | m[DIGIT] | m[UNDER] | m[HIGH],
             word_next = next[ALPHA] | next[DIGIT] | next[UNDER] | next[HIGH];
    uint64_t h = m[HEX], hn = next[HEX], h1 = h >> 1 | hn << 63, inside = 0, hits;

    o->chars += n;
    o->alpha += bits(m[ALPHA]);
    o->alnum += bits(m[ALPHA] | m[DIGIT]);
    o->digit += bits(m[DIGIT]);
    o->space += bits(m[SPACE]);
    if (m[HIGH])
        inside = decode(s, at, m[HIGH]);
    line_ends(s, at, n, m[LF], ~inside);
    base64(s, m[ALPHA] | m[DIGIT] | m[LF] | m[BASE]);

    hits = h & h1 & ~(word >> 2 | word_next << 62) & (~(word << 1 | s->word) | m[EX] << 1 | s->ex);
    for (; hits; hits &= hits - 1)
        hex_pair(s, at + (size_t)__builtin_ctzll(hits));
    s->word = word >> 63;
    s->ex = m[EX] >> 63;

    hits = m[BACK];
    if (hits)
        hits &=
            (h >> 2 | hn << 62) & (h >> 3 | hn << 61) & (h >> 4 | hn << 60) & (h >> 5 | hn << 59);
    for (; hits; hits &= hits - 1) {
        size_t i = at + (size_t)__builtin_ctzll(hits);

        if (s->p[i + 1] == 'u')
            link_chain(s, &s->uni, i, i + 6);
    }
}

/* The rows of one call of the kernel, left = bytes of text from the first row on. */
INLINE void rows_of(scan *s, size_t at, size_t left, const uint64_t *mask, size_t rows)
{
    static const uint64_t none[ROW];
    size_t i, use = rows < CHUNK ? rows : CHUNK;

    for (i = 0; i < use; i++) {
        size_t n = left - i * 64;

        block(s, at + i * 64, n < 64 ? (unsigned)n : 64, mask + i * ROW,
              i + 1 < rows ? mask + (i + 1) * ROW : none);
    }
}

static void rows_plain(scan *s, size_t at, size_t left, const uint64_t *mask, size_t rows)
{
    rows_of(s, at, left, mask, rows);
}

#ifdef __x86_64__
/* The same with bit counts in one instruction, which every processor with AVX2 has. */
__attribute__((target("popcnt,bmi"))) static void rows_fast(scan *s, size_t at, size_t left,
                                                            const uint64_t *mask, size_t rows)
{
    rows_of(s, at, left, mask, rows);
}
#else
#define rows_fast rows_plain
#endif

void lm_lines_scan(const lm_data_ops *k, lm_str text, lm_lines *out)
{
    uint64_t mask[(CHUNK + 1) * ROW];
    scan s = {.o = out, .p = (const uint8_t *)text.p, .n = text.n};
    size_t at;

    memset(out, 0, sizeof *out);
    out->bytes = text.n;
    for (at = 0; at < text.n; at += CHUNK * 64) {
        size_t left = text.n - at, see = left < (CHUNK + 1) * 64 ? left : (CHUNK + 1) * 64;
        k->bytesets(text.p + at, see, sets, NSET, mask);
        (k->level ? rows_fast : rows_plain)(&s, at, left, mask, (see + 63) / 64);
    }
    if (text.n % 64 == 0) /* else the last block has closed it */
        base64(&s, 0);
    close_chain(&s, &s.hex);
    close_chain(&s, &s.uni);
    if (text.n && text.p[text.n - 1] != '\n') {
        out->lines++;
        out->line_sum += s.col;
        if (s.col > out->line_max)
            out->line_max = s.col;
    }
}

bool lm_text_binary(const lm_data_ops *k, lm_str text)
{
    uint64_t mask[CHUNK * 3], control = 0;
    lm_byteset set[2];
    size_t at, i, n;
    int c;

    memset(set, 0, sizeof set);
    for (c = 0; c < 128; c++)
        if (c < 9 || (c > 13 && c < 32) || c == 127)
            set[c != 0].row[c % 16] |= (uint8_t)(1 << c / 16);
    for (at = 0; at < text.n; at += n) {
        n = text.n - at < CHUNK * 64 ? text.n - at : CHUNK * 64;
        k->bytesets(text.p + at, n, set, 2, mask);
        for (i = 0; i < n; i += 64) {
            if (mask[i / 64 * 3])
                return true;
            if (mask[i / 64 * 3 + 1])
                control += (uint64_t)__builtin_popcountll(mask[i / 64 * 3 + 1]);
        }
    }
    return control * 10 > text.n * 3;
}
