/* pii: gates, windows and the choice among overlapping spans. */
#include "text/pii-priv.h"

enum { AT, DOT, DIGIT, COLON, RUN, QUOTE, DASH, SECRET, NSET = PII_SETS, ROW = NSET + 1 };
enum {
    CHUNK = 256,
    WINDOW = 8 << 20
}; /* blocks of 64 bytes a call of the kernel; default window */

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
static const char *const members[NSET] = {"@",
                                          ".",
                                          "0123456789",
                                          ":",
                                          LETTERS "0123456789_-",
                                          "\"'`",
                                          "-",
                                          LETTERS "0123456789_+/=.~!@#$%^&*:?|-"};

static void set_up(lm_byteset *set)
{
    size_t i;
    const char *c;

    memset(set, 0, NSET * sizeof *set);
    for (i = 0; i < NSET; i++)
        for (c = members[i]; *c; c++)
            set[i].row[*c % 16] |= (uint8_t)(1 << *c / 16);
}

lm_pii *lm_pii_new(const lm_pii_cfg *cfg)
{
    lm_pii *p = lm_zalloc(1, sizeof *p);

    p->cfg = *cfg;
    if (!p->cfg.window)
        p->cfg.window = WINDOW;
    p->cfg.window = (p->cfg.window + 63) / 64 * 64;
    set_up(p->set);
    pii_programs(p);
    return p;
}

void lm_pii_free(lm_pii *p)
{
    if (p)
        free(p->prog);
    free(p);
}

void pii_found(pii_scan *s, int kind, const char *type, size_t off, size_t len)
{
    LM_GROW(s->out->v, s->out->n, s->out->cap);
    s->out->v[s->out->n++] = (lm_pii_span){off, len, kind, type};
}

bool pii_has_word(const char *p, size_t n, const char *word)
{
    size_t k = strlen(word), i, j;

    for (i = 0; i + k <= n; i++) {
        for (j = 0;
             j < k && (p[i + j] >= 'A' && p[i + j] <= 'Z' ? p[i + j] + 32 : p[i + j]) == word[j];
             j++)
            ;
        if (j == k)
            return true;
    }
    return false;
}

/* The bits of x and the next block, shifted down: bit i tells of byte i + k. */
static inline uint64_t ahead(uint64_t x, uint64_t next, unsigned k)
{
    return x >> k | next << (64 - k);
}

/* Bit i: bytes i .. i + 15 are all in the set. */
static inline uint64_t sixteen(uint64_t x, uint64_t next)
{
    unsigned k;

    for (k = 1; k < 16; k *= 2) {
        x &= ahead(x, next, k);
        next &= next >> k;
    }
    return x;
}

typedef struct {
    uint64_t digit, word;
} carry; /* of the byte before the block */

static void each(pii_scan *s, size_t at, uint64_t hits, void (*f)(pii_scan *, size_t))
{
    for (; hits; hits &= hits - 1)
        f(s, at + (size_t)__builtin_ctzll(hits));
}

static void block(pii_scan *s, size_t at, const uint64_t *m, const uint64_t *n, carry *c)
{
    unsigned kinds = s->pii->cfg.kinds;
    uint64_t x;

    if (kinds & (LM_PII_EMAIL | LM_PII_URL))
        each(s, at, m[AT], pii_at_sign);
    if (kinds & LM_PII_IPV4 && m[DOT]) {
        x = m[DOT] & (m[DIGIT] << 1 | c->digit) & ahead(m[DIGIT], n[DIGIT], 1);
        if (x)
            x &= (ahead(m[DOT], n[DOT], 2) | ahead(m[DOT], n[DOT], 3) | ahead(m[DOT], n[DOT], 4)) &
                 (ahead(m[DOT], n[DOT], 4) | ahead(m[DOT], n[DOT], 5) | ahead(m[DOT], n[DOT], 6) |
                  ahead(m[DOT], n[DOT], 7) | ahead(m[DOT], n[DOT], 8));
        each(s, at, x, pii_dots);
    }
    if (kinds & LM_PII_IPV6 && m[COLON]) {
        x = m[COLON] & (ahead(m[COLON], n[COLON], 1) | ahead(m[COLON], n[COLON], 2) |
                        ahead(m[COLON], n[COLON], 3) | ahead(m[COLON], n[COLON], 4) |
                        ahead(m[COLON], n[COLON], 5));
        each(s, at, x, pii_colons);
    }
    if (kinds & LM_PII_KEY) {
        uint64_t word = m[RUN] & ~m[DASH]; /* a key starts where no word goes on */

        x = word & ~(word << 1 | c->word) & ahead(m[RUN], n[RUN], 15);
        if (x)
            each(s, at, x & sixteen(m[RUN], n[RUN]), pii_run);
        if (m[QUOTE])
            each(s, at, m[QUOTE] & sixteen(ahead(m[SECRET], n[SECRET], 1), n[SECRET] >> 1),
                 pii_quote);
        x = m[DASH] & ahead(m[DASH], n[DASH], 4) & ~ahead(m[DASH], n[DASH], 5);
        if (x)
            each(s, at,
                 x & ahead(m[DASH], n[DASH], 1) & ahead(m[DASH], n[DASH], 2) &
                     ahead(m[DASH], n[DASH], 3),
                 pii_dashes);
    }
    c->digit = m[DIGIT] >> 63;
    c->word = (m[RUN] & ~m[DASH]) >> 63;
}

/* Opens the gates of [from, to). */
static void window(pii_scan *s, size_t from, size_t to)
{
    static const uint64_t none[ROW];
    uint64_t mask[(CHUNK + 1) * ROW];
    carry c = {0, 0};
    size_t at, i;

    if (from) {
        c.digit = pii_digit(s->p[from - 1]);
        c.word = pii_word(s->p[from - 1]);
    }
    for (at = from; at < to; at += CHUNK * 64) {
        size_t left = s->n - at, see = left < (CHUNK + 1) * 64 ? left : (CHUNK + 1) * 64;
        size_t rows = (see + 63) / 64, use = (to - at + 63) / 64;

        use = use < CHUNK ? use : CHUNK;
        s->pii->cfg.k->bytesets(s->p + at, see, s->pii->set, NSET, mask);
        for (i = 0; i < use; i++)
            block(s, at + i * 64, mask + i * ROW, i + 1 < rows ? mask + (i + 1) * ROW : none, &c);
    }
}

static int by_off(const void *a, const void *b)
{
    const lm_pii_span *x = a, *y = b;

    return x->off != y->off     ? (x->off < y->off ? -1 : 1)
           : x->len != y->len   ? (x->len > y->len ? -1 : 1)
           : x->kind != y->kind ? x->kind - y->kind
                                : strcmp(x->type, y->type);
}

/* True if a goes before b where they overlap. A vendor's name goes before the generic one. */
static bool beats(const lm_pii_span *a, const lm_pii_span *b)
{
    if (a->len != b->len)
        return a->len > b->len;
    if (a->off != b->off)
        return a->off < b->off;
    return strcmp(b->type, "key-generic") == 0;
}

/* Of spans i to j, which hang together by overlaps: keeps the best, then the best of those that do
   not overlap it, and so on. A negative kind marks what is kept, 0 what is spent. */
static void choose_heap(lm_pii_list *l, size_t i, size_t j)
{
    for (;;) {
        lm_pii_span best;
        size_t k, which = SIZE_MAX;

        for (k = i; k < j; k++)
            if (l->v[k].kind > 0 && (which == SIZE_MAX || beats(&l->v[k], &l->v[which])))
                which = k;
        if (which == SIZE_MAX)
            return;
        best = l->v[which];
        for (k = i; k < j; k++)
            if (l->v[k].kind > 0 && l->v[k].off < best.off + best.len &&
                best.off < l->v[k].off + l->v[k].len)
                l->v[k].kind = 0;
        l->v[which].kind = -best.kind;
    }
}

static void choose(lm_pii_list *l)
{
    size_t i, j, k, end, kept = 0;

    if (l->n)
        qsort(l->v, l->n, sizeof *l->v, by_off);
    for (i = 0; i < l->n; i = j) {
        end = l->v[i].off + l->v[i].len;
        for (j = i + 1; j < l->n && l->v[j].off < end; j++)
            if (l->v[j].off + l->v[j].len > end)
                end = l->v[j].off + l->v[j].len;
        choose_heap(l, i, j);
        for (k = i; k < j; k++)
            if (l->v[k].kind < 0) {
                l->v[kept] = l->v[k];
                l->v[kept].kind = -l->v[kept].kind;
                kept++;
            }
    }
    l->n = kept;
}

static bool is_lockfile(lm_str path)
{
    static const char *const name[] = {"package-lock.json", "npm-shrinkwrap.json",
                                       "yarn.lock",         "pnpm-lock.yaml",
                                       "Cargo.lock",        "poetry.lock",
                                       "Pipfile.lock",      "composer.lock",
                                       "Gemfile.lock",      "go.sum",
                                       "flake.lock",        "mix.lock",
                                       "pubspec.lock",      "uv.lock"};
    const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
    lm_str base = slash ? (lm_str){slash + 1, path.n - (size_t)(slash + 1 - path.p)} : path;
    size_t i;

    for (i = 0; i < LM_COUNT(name); i++)
        if (lm_is(base, name[i]))
            return true;
    return false;
}

void lm_pii_scan(const lm_pii *p, lm_str text, lm_str path, lm_pii_list *out)
{
    pii_scan s = {.pii = p, .p = text.p, .n = text.n, .lockfile = is_lockfile(path), .out = out};
    size_t from, to;

    out->n = 0;
    for (from = 0; from < text.n; from = to) {
        to = text.n - from < p->cfg.window ? text.n : from + p->cfg.window;
        s.lo = from < LM_PII_REACH ? 0 : from - LM_PII_REACH;
        s.hi = text.n - to < LM_PII_REACH ? text.n : to + LM_PII_REACH;
        window(&s, from, to);
    }
    choose(out);
}
