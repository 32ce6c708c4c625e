/* lm-fim: cut documents in three and put the middle last, for models that fill in.
   Apart from lm-tok: what is drawn can be read, and stays when the vocabulary changes. */
#include "lm.h"

enum {
    MARKS = 8
}; /* tokens a piece leaves to its marks, the end of text, and cuts inside a token */
enum { DOCUMENT, CONTEXT };
static lm_fim_opt opt = {.rate = .5, .spm = .5, .min_bytes = 32};
static int level;
static uint64_t ctx_tokens = 4096;
static const char *vocab;
static const lm_opt opts[] = {
    LM_REAL(0, "rate", &opt.rate, 0, 1, "RATE", "share of the texts to cut (.5)"),
    LM_REAL(0, "spm", &opt.spm, 0, 1, "SHARE", "of those, share with the suffix first (.5)"),
    LM_ENUM(0, "level", &level, "document|context", "cut documents, or pieces of --ctx tokens"),
    LM_NUM(0, "ctx", &ctx_tokens, 2 * MARKS, 1 << 30, "N", "tokens of a context (4096)"),
    LM_ENUM(0, "cut", &opt.cut, "char|line|token", "between characters, lines or tokens"),
    LM_SIZE(0, "min-bytes", &opt.min_bytes, 0, UINT64_MAX - 1, "SIZE",
            "leave shorter texts whole (32)"),
    LM_FILE(0, "vocab", &vocab, "TOK", "the vocabulary, for --level context and --cut token"),
    LM_NUM('s', "seed", &opt.seed, 0, UINT64_MAX, "SEED", "seed (0)"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-fim",
                             .does = "cut documents for filling in the middle",
                             .types = "doc",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR};

struct mine {
    lm_enc *enc;
    lm_ids ids, off;
    lm_buf body, fim;
};

static void fini(void *p)
{
    struct mine *m = p;

    lm_enc_free(m->enc);
    free(m->ids.v);
    free(m->off.v);
    lm_buf_free(&m->body);
    lm_buf_free(&m->fim);
}

/* What chance depends on: the document, its piece, its file. */
typedef struct {
    lm_str v[3];
    char id[33], num[2][24];
} key;

static void number(key *k, int i, uint64_t n)
{
    k->v[1 + i] = (lm_str){k->num[i], (size_t)snprintf(k->num[i], sizeof k->num[i], "%llu",
                                                       (unsigned long long)n)};
}

static void key_of(key *k, lm_rec *r)
{
    k->v[0] = lm_get(r, "id");
    if (!k->v[0].p) {
        lm_id_hex(lm_hash128(r->body.p, r->body.n), k->id);
        k->v[0] = lm_cstr(k->id);
    }
    k->v[1] = lm_get(r, "sub");
    k->v[2] = LM_STR("");
}

/* Where the tokens of t, in r, begin. */
static int borders(const lm_rec *r, struct mine *m, const lm_vocab *v, lm_str t)
{
    lm_error was;
    int err;

    if (t.n > UINT32_MAX)
        return lm_rec_fail(r, LM_ELIMIT, "a text of 4 GiB or more");
    if (!m->enc)
        m->enc = lm_enc_new(v, 32 << 20);
    m->ids.n = m->off.n = 0;
    if ((err = lm_enc_part(m->enc, t, LM_SPECIAL_TEXT, 0, &m->ids, &m->off)) >= 0)
        return 0;
    was = *lm_last_error();
    return lm_rec_fail(r, err, "%s", was.detail);
}

static int cut(const lm_rec *r, struct mine *m, const lm_vocab *v, const key *k, lm_str t,
               bool *done)
{
    int err = opt.cut == LM_FIM_TOKEN ? borders(r, m, v, t) : 0;

    if (err >= 0)
        *done = lm_fim_cut(&opt, k->v, LM_COUNT(k->v), t, &m->off, &m->body, &m->fim);
    return err;
}

static void give(lm_rec *r, struct mine *m)
{
    if (m->fim.n)
        lm_set(r, "fim", lm_buf_str(&m->fim));
    memcpy(lm_body_alloc(r, m->body.n), m->body.p ? m->body.p : "", m->body.n);
}

/* Each file of a document of several parts is cut alone. */
static int files(lm_rec *r, struct mine *m, const lm_vocab *v, key *k, lm_str list)
{
    uint64_t len, file = 0;
    size_t at = 0;
    bool any = false;
    lm_str role;

    while (list.n) {
        lm_str t;
        bool done = false;
        int err;

        if (!lm_fim_next(&list, &role, &len) || len > r->body.n - at)
            return lm_rec_fail(r, LM_EINVALID, "fim= does not fit the body");
        if (lm_is(role, "pre") || lm_is(role, "suf") || lm_is(role, "mid"))
            return lm_rec_fail(r, LM_EINVALID, "cut for filling in already: fim= has a part %.3s",
                               role.p);
        t = (lm_str){r->body.p + at, len};
        at += len;
        if (lm_is(role, "text")) {
            number(k, 1, file++);
            if ((err = cut(r, m, v, k, t, &done)) < 0)
                return err;
        }
        if (!done) {
            char name[17];

            if (role.n >= sizeof name)
                return lm_rec_fail(r, LM_EINVALID, "fim=: a part of an unknown name");
            memcpy(name, role.p, role.n);
            name[role.n] = 0;
            lm_fim_add(&m->fim, name, len);
            lm_buf_add(&m->body, t.p, t.n);
        }
        any |= done;
    }
    if (at != r->body.n)
        return lm_rec_fail(r, LM_EINVALID, "fim= does not cover the body");
    if (any)
        give(r, m);
    return LM_KEEP;
}

/* Where the piece that begins at token `from` ends: at most `most` tokens on, and where a character
   begins if there is such a place. */
static size_t piece_end(lm_str t, const lm_ids *off, size_t from, size_t most)
{
    size_t to = from + most;

    if (to >= off->n)
        return off->n;
    while (to > from + 1 && (unsigned char)t.p[off->v[to]] >> 6 == 2)
        to--;
    return to > from + 1 ? to : from + most;
}

/* A piece, cut or whole, as the body of r. */
static int piece(lm_rec *r, struct mine *m, const lm_vocab *v, key *k, size_t sub, lm_str t)
{
    bool done = false;
    int err;

    m->body.n = m->fim.n = 0;
    number(k, 0, sub);
    if ((err = cut(r, m, v, k, t, &done)) < 0)
        return err;
    if (!done)
        lm_buf_add(&m->body, t.p, t.n);
    lm_set(r, "sub", k->v[1]);
    give(r, m);
    return 0;
}

/* Pieces of a context each: r becomes the first, the others are written behind it. */
static int pieces(lm_rec *r, struct mine *m, const lm_vocab *v, key *k)
{
    size_t n = 0, cap = 0, *end = NULL;
    lm_str t = r->body;
    lm_rec more = {0};
    int err = borders(r, m, v, t);

    for (size_t from = 0; err >= 0 && from < m->off.n; n++) {
        LM_GROW(end, n, cap);
        from = piece_end(t, &m->off, from, ctx_tokens - MARKS);
        end[n] = from < m->off.n ? m->off.v[from] : t.n;
    }
    if (err >= 0 && n < 2) {
        bool done = false;

        if ((err = cut(r, m, v, k, t, &done)) >= 0 && done)
            give(r, m);
    } else if (err >= 0 && k->v[1].p) {
        err = lm_rec_fail(r, LM_EINVALID, "longer than a context, but a piece (sub=) already");
    }
    for (size_t i = 1; err >= 0 && n > 1 && i <= n; i++) {
        size_t at = i % n; /* the first last, in the place of the whole */
        lm_rec *to = at ? &more : r;

        if (at) {
            lm_rec_new(&more, "doc");
            lm_rec_attrs(&more, r);
        }
        err = piece(to, m, v, k, at,
                    (lm_str){t.p + (at ? end[at - 1] : 0), end[at] - (at ? end[at - 1] : 0)});
        if (err >= 0 && at)
            lm_add(r, &more);
    }
    lm_rec_free(&more);
    free(end);
    return err;
}

static int one(lm_rec *r, void *ctx)
{
    const lm_vocab *v = ctx;
    struct mine *m = lm_local(sizeof *m, fini);
    lm_str fim = lm_get(r, "fim");
    bool done = false;
    int err;
    key k;

    m->body.n = m->fim.n = 0;
    key_of(&k, r);
    if (fim.p) {
        err = files(r, m, v, &k, fim);
    } else if (level == CONTEXT) {
        err = pieces(r, m, v, &k);
    } else if ((err = cut(r, m, v, &k, r->body, &done)) >= 0 && done) {
        give(r, m);
    }
    return err < 0 ? err : LM_KEEP;
}

static int run(lm_in *in, lm_out *out)
{
    lm_vocab *v = NULL;
    int err = 0;

    if ((level == CONTEXT || opt.cut == LM_FIM_TOKEN) && !vocab)
        return lm_err(LM_EUSAGE, "--level context and --cut token need --vocab TOK");
    if (vocab)
        err = lm_vocab_load(vocab, &v);
    if (err >= 0)
        err = lm_map(in, out, LM_JOBS, one, v);
    lm_vocab_free(v);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
