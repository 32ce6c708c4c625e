/* lm-objective: make texts to learn from by denoising: spans left out and asked for, or the rest
   asked for behind a prefix. Apart from lm-fim: it works on tokens, and weights them. */
#include "lm.h"
#include <inttypes.h>

enum { UL2, UL2R, SPAN, PREFIX };
static int mix, modes;
static double span = 3, rate = .15;
static uint64_t seed;
static const char *vocab;
static const lm_opt opts[] = {
    LM_FILE(0, "vocab", &vocab, "TOK", "the vocabulary: a directory or a tokenizer.json"),
    LM_ENUM(0, "mix", &mix, "ul2|ul2r|span|prefix", "the denoisers, and their shares (ul2)"),
    LM_REAL(0, "span", &span, 1, 1e6, "N", "mean length of --mix span's spans (3)"),
    LM_REAL(0, "rate", &rate, 1e-6, .999999, "RATE", "share they cover (.15)"),
    LM_ENUM(0, "mode-tokens", &modes, "on|off", "a token first that tells the denoiser (on)"),
    LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "SEED", "seed (0)"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-objective",
                             .does = "leave out spans of tokens to learn from",
                             .types = "tok",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR};

static struct {
    lm_vocab *v;
    lm_denoiser one;
    const lm_denoiser *row;
    size_t rows;
    uint32_t mask[256], nmask, mode[256], eos;
} G;

/* What is made of one piece. */
struct mine {
    lm_buf body;
    uint8_t *weight;
    uint32_t *len;
    size_t cap, caplen;
};

static void fini(void *p)
{
    struct mine *m = p;

    lm_buf_free(&m->body);
    free(m->weight);
    free(m->len);
}

/* Tokens being written: ids as they are read, a weight each. */
typedef struct {
    struct mine *m;
    const lm_tokrec *t;
    uint64_t n;
} writer;

static void put(writer *w, uint32_t id, uint8_t weight)
{
    uint8_t le[4] = {(uint8_t)id, (uint8_t)(id >> 8), (uint8_t)(id >> 16), (uint8_t)(id >> 24)};

    LM_GROW(w->m->weight, w->n, w->m->cap);
    w->m->weight[w->n++] = weight;
    lm_buf_add(&w->m->body, le, w->t->width);
}

/* Tokens [at, at + n) of the record; asked: to be predicted. */
static void copy(writer *w, uint64_t at, uint64_t n, bool asked)
{
    for (uint64_t i = at; i < at + n; i++)
        put(w, lm_tokrec_at(w->t, i), !asked ? 0 : w->t->weight ? w->t->weight[i] : 1);
}

/* Denoises tokens [at, at + n), the text's end behind them if it is theirs; returns the prefix. */
static uint64_t make(writer *w, const lm_denoiser *d, uint64_t *s, uint64_t at, uint64_t n,
                     bool end)
{
    uint64_t spans, noise, from = at, prefix;

    if (modes == 0)
        put(w, G.mode[(unsigned char)d->mode], 0);
    if (!(d->span > 0)) {
        prefix = 1 + lm_below(s, n - 1);
        copy(w, at, prefix, false);
        copy(w, at + prefix, n - prefix + end, true);
        return prefix + (modes == 0);
    }
    lm_noise(d, n, G.nmask, &spans, &noise);
    while (w->m->caplen < 2 * spans)
        LM_GROW(w->m->len, w->m->caplen, w->m->caplen);
    lm_noise_lengths(s, n, spans, noise, w->m->len);
    for (uint64_t i = 0; i < spans; i++) {
        copy(w, from, w->m->len[2 * i], false);
        put(w, G.mask[i], 0);
        from += w->m->len[2 * i] + w->m->len[2 * i + 1];
    }
    prefix = w->n;
    from = at;
    for (uint64_t i = 0; i < spans; i++) {
        from += w->m->len[2 * i];
        put(w, G.mask[i], 1);
        copy(w, from, w->m->len[2 * i + 1], true);
        from += w->m->len[2 * i + 1];
    }
    copy(w, from, end, true);
    return prefix;
}

static void give(lm_rec *r, writer *w, uint64_t prefix)
{
    size_t bytes = w->m->body.n, room = (bytes + 7) & ~(size_t)7;
    char *p = lm_body_alloc(r, room + w->n);

    memcpy(p, w->m->body.p, bytes);
    memset(p + bytes, 0, room - bytes);
    memcpy(p + room, w->m->weight, w->n);
    lm_setf(r, "shape", "%" PRIu64, w->n);
    lm_setf(r, "with", "weight:u8:%" PRIu64, w->n);
    lm_setf(r, "prefix", "%" PRIu64, prefix);
}

static int fits(lm_rec *r, const lm_tokrec *t)
{
    if (!lm_is(t->vocab, lm_vocab_hash(G.v)))
        return lm_rec_fail(r, LM_EMISMATCH, "vocab=%.32s, but --vocab is %s", t->vocab.p,
                           lm_vocab_hash(G.v));
    if (t->seg.p || t->seq)
        return lm_rec_fail(r, LM_EINVALID, "a row of several documents: lm-pack comes after");
    if (t->prefix)
        return lm_rec_fail(r, LM_EINVALID, "denoised already: prefix=%" PRIu64, t->prefix);
    if (t->width == 2 && lm_vocab_size(G.v) > 65536)
        return lm_rec_fail(r, LM_EINVALID, "dt=u16, but the vocabulary has ids beyond it");
    return 0;
}

static int one(lm_rec *r, void *ctx)
{
    struct mine *m = lm_local(sizeof *m, fini);
    lm_str key[3] = {lm_get(r, "id"), lm_get(r, "sub"), LM_STR("")};
    const lm_denoiser *d;
    lm_tokrec t;
    lm_rec more = {0};
    uint64_t n, pieces, size, s;
    char num[24] = "", hex[33];
    bool end;
    int err = lm_tokrec_get(r, &t);

    (void)ctx;
    if (err < 0 || (err = fits(r, &t)) < 0)
        return err;
    end = t.n && lm_tokrec_at(&t, t.n - 1) == G.eos;
    n = t.n - end;
    if (n < 2) /* nothing to leave out */
        return LM_KEEP;
    if (!key[0].p) {
        lm_id_hex(t.id, hex);
        key[0] = lm_cstr(hex);
    }
    d = lm_mixture_at(G.row, G.rows, lm_unit(lm_keyed(seed, "mix", key, 2)));
    size = lm_noise_room(d, G.nmask);
    pieces = (n - 1) / size + 1;
    if (pieces > 1 && key[1].p)
        return lm_rec_fail(r, LM_EINVALID, "more spans than masks, but a piece (sub=) already");
    for (uint64_t k = 1; k <= pieces; k++) {
        uint64_t i = k % pieces, at = n * i / pieces, to = n * (i + 1) / pieces, prefix;
        writer w = {m, &t, 0};

        if (pieces > 1)
            key[1] = (lm_str){num, (size_t)snprintf(num, sizeof num, "%" PRIu64, i)};
        s = lm_keyed(seed, "obj", key, 2);
        m->body.n = 0;
        prefix = make(&w, d, &s, at, to - at, end && to == n);
        if (i) {
            lm_rec_new(&more, "tok");
            lm_rec_attrs(&more, r);
            lm_set(&more, "sub", key[1]);
            give(&more, &w, prefix);
            lm_add(r, &more);
        } else {
            if (pieces > 1)
                lm_set(r, "sub", key[1]);
            give(r, &w, prefix);
        }
    }
    lm_rec_free(&more);
    return LM_KEEP;
}

/* The tokens of the vocabulary that are needed. */
static int look_up(void)
{
    static const char mode[] = "rxs";

    G.eos = lm_vocab_role(G.v, LM_ROLE_EOS);
    for (size_t i = 0; i < 3; i++) {
        char name[16];

        snprintf(name, sizeof name, "<|mode_%c|>", mode[i]);
        G.mode[(unsigned char)mode[i]] = lm_vocab_added(G.v, lm_cstr(name));
        if (modes == 0 && G.mode[(unsigned char)mode[i]] == LM_NO_ID)
            return lm_err_at(LM_EINVALID, vocab, "no token %s (--mode-tokens off goes without)",
                             name);
    }
    for (G.nmask = 0; G.nmask < LM_COUNT(G.mask); G.nmask++) {
        char name[24];

        snprintf(name, sizeof name, "<|mask_%u|>", G.nmask);
        G.mask[G.nmask] = lm_vocab_added(G.v, lm_cstr(name));
        if (G.mask[G.nmask] == LM_NO_ID)
            break;
    }
    return G.nmask || mix == PREFIX ? 0 : lm_err_at(LM_EINVALID, vocab, "no token <|mask_0|>");
}

static int run(lm_in *in, lm_out *out)
{
    int err;

    if (!vocab)
        return lm_err(LM_EUSAGE, "no --vocab TOK");
    G.one = (lm_denoiser){mix == SPAN ? span : 0, mix == SPAN ? rate : 0, 1,
                          mix == PREFIX             ? 's'
                          : rate >= .5 || span > 12 ? 'x'
                                                    : 'r'};
    G.row = lm_mixture(mix == UL2 ? "ul2" : "ul2r", &G.rows);
    if (mix == SPAN || mix == PREFIX) {
        G.row = &G.one;
        G.rows = 1;
    }
    if ((err = lm_vocab_load(vocab, &G.v)) < 0 || (err = look_up()) < 0) {
        lm_vocab_free(G.v);
        return err;
    }
    err = lm_map(in, out, LM_JOBS, one, NULL);
    lm_vocab_free(G.v);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
