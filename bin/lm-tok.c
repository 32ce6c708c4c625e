/* lm-tok: turn documents into token ids.
   Apart from lm-detok: the two ways have no code in common but the vocabulary. */
#include "lm.h"

static const char *vocab;
static int special, eos, bos = 1, dt, invalid;
static bool with_offsets, count_only;
static uint64_t check = 4096, cache = 32 << 20, window = 8 << 20;
static const lm_opt opts[] = {
    LM_FILE(0, "vocab", &vocab, "TOK", "the vocabulary: a directory or a tokenizer.json"),
    LM_ENUM(0, "special", &special, "text|parse|error|drop",
            "special tokens that stand in the text (text)"),
    LM_ENUM(0, "eos", &eos, "on|off", "end each document with the eos token (on)"),
    LM_ENUM(0, "bos", &bos, "on|off", "begin each document with the bos token (off)"),
    LM_ENUM(0, "dt", &dt, "auto|u16|u32", "type of the ids (auto: u16 up to 65,536 of them)"),
    LM_ENUM(0, "invalid", &invalid, "keep|error", "bytes that are not UTF-8 (keep)"),
    LM_FLAG(0, "offsets", &with_offsets, "add the byte where each token begins: with=off:u32"),
    LM_FLAG(0, "count", &count_only, "set tokens= and cpt= on the documents, write no ids"),
    LM_MUTE,
    LM_NUM(0, "check", &check, 0, UINT64_MAX, "N",
           "check one document in N against the slow encoder (4096; 0: none)"),
    LM_SIZE(0, "cache", &cache, 0, 1ull << 36, "SIZE",
            "memory of each thread for words seen (32M)"),
    LM_SIZE(0, "window", &window, 64, 1ull << 30, "SIZE",
            "take documents larger than this in pieces (8M)"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-tok",
                             .does = "turn documents into token ids",
                             .types = "doc,pair",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR};

struct mine {
    lm_enc *enc;
    lm_ids ids, off, slow;
    lm_buf text;
};

static void fini(void *local)
{
    struct mine *m = local;

    lm_enc_free(m->enc);
    free(m->ids.v);
    free(m->off.v);
    free(m->slow.v);
    lm_buf_free(&m->text);
}

/* Turns an error without a place into one at this record. */
static int at(lm_rec *r, int err)
{
    lm_error was = *lm_last_error();

    return *was.where ? err : lm_rec_fail(r, err, "%s", was.detail);
}

/* Re-encodes the body by the slow encoder and decodes it: a difference is a defect of this program.
 */
static int self_check(lm_rec *r, const lm_vocab *v, struct mine *m, size_t from, size_t to)
{
    int err;

    m->slow.n = m->text.n = 0;
    if ((err = lm_vocab_encode_slow(v, r->body, &m->slow)) < 0 ||
        (err = lm_vocab_decode(v, m->ids.v + from, to - from, false, &m->text)) < 0)
        return at(r, err);
    if (m->slow.n != to - from ||
        (m->slow.n && memcmp(m->slow.v, m->ids.v + from, m->slow.n * sizeof *m->slow.v)))
        return lm_rec_fail(
            r, LM_EFACILITY,
            "self-check: the slow encoder gives other ids; please report this document");
    if (!lm_eq(lm_buf_str(&m->text), r->body))
        return lm_rec_fail(
            r, LM_EFACILITY,
            "self-check: the ids decode to other bytes; please report this document");
    return 0;
}

static bool is_checked(lm_id whose)
{
    char hex[33];
    lm_str id;

    if (!check)
        return false;
    lm_id_hex(whose, hex);
    id = lm_cstr(hex);
    return lm_keyed(0, "check", &id, 1) % check == 0;
}

static bool is_wide(const lm_vocab *v)
{
    return dt == 2 || (dt == 0 && lm_vocab_size(v) > 65536);
}

/* The record becomes the n tokens of a text of `source` bytes. */
static void to_tok(lm_rec *r, const lm_vocab *v, uint64_t n, uint64_t source, bool weighted)
{
    const char *comma = with_offsets && weighted ? "," : "";

    lm_retype(r, "tok");
    lm_set(r, "dt", is_wide(v) ? LM_STR("u32") : LM_STR("u16"));
    lm_setf(r, "shape", "%llu", (unsigned long long)n);
    lm_set(r, "vocab", lm_cstr(lm_vocab_hash(v)));
    lm_setf(r, "bytes", "%llu", (unsigned long long)source); /* for losses in bits a byte */
    if (with_offsets || weighted) {
        lm_buf with = {0};

        if (with_offsets)
            lm_buf_addf(&with, "off:u32:%llu", (unsigned long long)n);
        if (weighted)
            lm_buf_addf(&with, "%sweight:u8:%llu", comma, (unsigned long long)n);
        lm_set(r, "with", lm_buf_str(&with));
        lm_buf_free(&with);
    }
}

/* The first `prompt` tokens are not to be learnt, and the rest stands for `source` bytes. */
static void put_ids(lm_rec *r, const lm_vocab *v, struct mine *m, size_t prompt, size_t source)
{
    bool wide = is_wide(v), weighted = prompt != SIZE_MAX;
    size_t n = m->ids.n;

    m->text.n = 0;
    lm_ids_pack(lm_buf_need(&m->text, n * (wide ? 4 : 2)), &m->ids, wide);
    m->text.n = n * (wide ? 4 : 2);
    if (with_offsets) {
        lm_buf_align8(&m->text);
        if (n)
            lm_buf_add(&m->text, m->off.v, 4 * n);
    }
    if (weighted) {
        lm_buf_align8(&m->text);
        for (size_t i = 0; i < n; i++)
            lm_buf_addc(&m->text, i >= prompt);
        lm_del(r, "cut");
    }
    to_tok(r, v, n, source, weighted);
    memcpy(lm_body_alloc(r, m->text.n), m->text.p ? m->text.p : "", m->text.n);
}

/* A prompt of cut= bytes and its answer, each encoded alone: what a model is asked with has no
   token that reaches into what it is to say. *prompt: tokens of the prompt. */
static int pair(lm_rec *r, struct mine *m, lm_ids *off, uint64_t *cut, size_t *prompt)
{
    lm_str text = r->body;
    int err = lm_get_u64(r, "cut", cut);

    if (err < 0)
        return err;
    if (!err)
        return lm_rec_fail(r, LM_EMISSING, "pair without cut=");
    if (*cut > text.n)
        return lm_rec_fail(r, LM_EINVALID, "cut=%llu of %zu bytes", (unsigned long long)*cut,
                           text.n);
    err = lm_enc_part(m->enc, (lm_str){text.p, *cut}, special, 0, &m->ids, off);
    *prompt = m->ids.n;
    if (err >= 0)
        err = lm_enc_part(m->enc, (lm_str){text.p + *cut, text.n - *cut}, special, *cut, &m->ids,
                          off);
    return err < 0 ? at(r, err) : 0;
}

static void set_count(lm_rec *r, uint64_t tokens, uint64_t chars)
{
    lm_setf(r, "tokens", "%llu", (unsigned long long)tokens);
    lm_set_f64(r, "cpt",
               tokens ? (double)(uint64_t)(1000.0 * (double)chars / (double)tokens + .5) / 1000
                      : 0);
}

static void set_id(lm_rec *r, lm_id id)
{
    char hex[33];

    lm_id_hex(id, hex);
    lm_set(r, "id", lm_cstr(hex));
}

static int one(lm_rec *r, void *ctx)
{
    const lm_vocab *v = ctx;
    struct mine *m = lm_local(sizeof *m, fini);
    lm_ids *off = with_offsets ? &m->off : NULL;
    lm_str fim = lm_get(r, "fim");
    bool paired = lm_is(r->type, "pair");
    size_t from, to, prompt = SIZE_MAX;
    uint64_t cut = 0;
    int err;

    if (!m->enc)
        m->enc = lm_enc_new(v, cache);
    if (r->body.n > UINT32_MAX && with_offsets)
        return lm_rec_fail(r, LM_ELIMIT, "a body of 4 GiB or more has no u32 offsets");
    if (invalid == 1 && !lm_utf8_valid(r->body.p, r->body.n))
        return lm_rec_fail(r, LM_EINVALID, "not UTF-8");
    m->ids.n = m->off.n = 0;
    if (bos == 0)
        lm_ids_put(&m->ids, off, lm_vocab_role(v, LM_ROLE_BOS), 0);
    from = m->ids.n;
    err = paired  ? pair(r, m, off, &cut, &prompt)
          : fim.p ? lm_enc_parts(m->enc, r->body, fim, special, &m->ids, off)
                  : lm_enc_part(m->enc, r->body, special, 0, &m->ids, off);
    if (err < 0)
        return at(r, err);
    to = m->ids.n;
    if (eos == 0)
        lm_ids_put(&m->ids, off, lm_vocab_role(v, LM_ROLE_EOS), (uint32_t)r->body.n);
    if (!paired && !fim.p && special == LM_SPECIAL_TEXT && check && is_checked(lm_rec_id(r)) &&
        (err = self_check(r, v, m, from, to)) < 0)
        return err;
    if (count_only) {
        set_count(r, m->ids.n, lm_utf8_count(r->body.p, r->body.n));
        return LM_KEEP;
    }
    if (!lm_get(r, "id").p) /* the body that told it goes */
        set_id(r, lm_rec_id(r));
    put_ids(r, v, m, prompt, r->body.n - cut);
    return LM_KEEP;
}

/* --- documents taken in pieces --- */

/* ids and off as the output has them; body only for --count, which gives it back. */
struct big {
    lm_encwin *win;
    lm_tape *ids, *off, *body;
    lm_hasher *hash;
    lm_out *out;
    uint64_t n, chars;
    bool check; /* decode the ids and compare */
};

static int put_piece(void *ctx, const void *p, size_t n)
{
    struct big *b = ctx;

    return lm_body_write(b->out, p, n);
}

/* What m->ids holds goes aside. */
static int aside(struct big *b, const lm_vocab *v, struct mine *m)
{
    bool wide = is_wide(v);
    size_t bytes = m->ids.n * (wide ? 4 : 2);
    int err = 0;

    m->text.n = 0;
    lm_ids_pack(lm_buf_need(&m->text, bytes), &m->ids, wide);
    b->n += m->ids.n;
    if (!count_only || b->check)
        err = lm_tape_add(b->ids, m->text.p, bytes);
    if (err >= 0 && with_offsets)
        err = lm_tape_add(b->off, m->off.v, 4 * m->off.n);
    m->ids.n = m->off.n = 0;
    return err;
}

/* Reads all of the body, which becomes ids aside. */
static int read_big(lm_in *in, lm_rec *r, struct big *b, const lm_vocab *v, struct mine *m)
{
    enum { PIECE = 256 << 10 };
    lm_ids *off = with_offsets ? &m->off : NULL;
    char *p = lm_alloc(PIECE);
    size_t had = 0, cut; /* of p: the beginning of a character */
    ssize_t n;
    int err = 0;

    while (err >= 0 && (n = lm_body_read(in, p + had, PIECE - had)) > 0) {
        lm_hasher_add(b->hash, p + had, (size_t)n);
        if (count_only)
            err = lm_tape_add(b->body, p + had, (size_t)n);
        if (err >= 0 && ((err = lm_encwin_add(b->win, p + had, (size_t)n, &m->ids, off)) < 0 ||
                         (m->ids.n && (err = aside(b, v, m)) < 0)))
            err = at(r, err);
        had += (size_t)n;
        cut = had - lm_utf8_partial(p, had);
        if (err >= 0 && invalid == 1 && !lm_utf8_valid(p, cut))
            err = lm_rec_fail(r, LM_EINVALID, "not UTF-8");
        b->chars += count_only ? lm_utf8_count(p, cut) : 0;
        memmove(p, p + cut, had -= cut);
    }
    if (err >= 0 && n < 0)
        err = (int)n;
    if (err >= 0 && invalid == 1 && had)
        err = lm_rec_fail(r, LM_EINVALID, "not UTF-8");
    b->chars += had;
    free(p);
    if (err >= 0 && (err = lm_encwin_end(b->win, &m->ids, off)) < 0)
        err = at(r, err);
    return err;
}

struct decoder {
    const lm_vocab *v;
    lm_hasher *hash;
    uint64_t skip, left; /* ids before and of the text */
    lm_ids ids;
    lm_buf text;
};

static int decode_piece(void *ctx, const void *p, size_t bytes)
{
    struct decoder *d = ctx;
    size_t from, n;
    int err;

    d->ids.n = d->text.n = 0;
    lm_ids_unpack(&d->ids, p, bytes / (is_wide(d->v) ? 4 : 2), is_wide(d->v));
    from = d->skip < d->ids.n ? d->skip : d->ids.n;
    n = d->left < d->ids.n - from ? d->left : d->ids.n - from;
    d->skip -= from;
    d->left -= n;
    if ((err = lm_vocab_decode(d->v, d->ids.v + from, n, false, &d->text)) >= 0)
        lm_hasher_add(d->hash, d->text.p, d->text.n);
    return err;
}

static int check_big(lm_rec *r, struct big *b, const lm_vocab *v, lm_id want)
{
    uint64_t around = (bos == 0) + (eos == 0);
    struct decoder d = {.v = v, .skip = bos == 0, .left = b->n - around, .hash = lm_hasher_new()};
    int err = lm_tape_each(b->ids, decode_piece, &d);
    lm_id have = lm_hasher_end(d.hash);

    free(d.ids.v);
    lm_buf_free(&d.text);
    if (err < 0)
        return at(r, err);
    return lm_id_cmp(want, have)
               ? lm_rec_fail(
                     r, LM_EFACILITY,
                     "self-check: the ids decode to other bytes; please report this document")
               : 0;
}

static int put_big(lm_rec *r, struct big *b, const lm_vocab *v, uint64_t source)
{
    uint64_t bytes = lm_tape_size(b->ids), room = (bytes + 7) & ~7ull;
    int err;

    if (count_only) {
        set_count(r, b->n, b->chars);
        err = lm_put_head(b->out, r, source, 0);
        return err < 0 ? err : lm_tape_each(b->body, put_piece, b);
    }
    to_tok(r, v, b->n, source, false);
    if ((err = lm_put_head(b->out, r, with_offsets ? room + 4 * b->n : bytes, 0)) < 0 ||
        (err = lm_tape_each(b->ids, put_piece, b)) < 0 || !with_offsets ||
        (err = lm_body_write(b->out, "\0\0\0\0\0\0\0", room - bytes)) < 0)
        return err;
    return lm_tape_each(b->off, put_piece, b);
}

static int big(lm_in *in, lm_rec *r, uint64_t len, lm_out *out, void *ctx)
{
    const lm_vocab *v = ctx;
    struct mine *m = lm_local(sizeof *m, fini);
    lm_ids *off = with_offsets ? &m->off : NULL;
    size_t room = 32 << 20; /* of memory for what is put aside */
    struct big b = {.out = out};
    lm_id id, hash;
    int err;

    if (lm_is(r->type, "pair") || lm_get(r, "fim").p ||
        !lm_encwin_can(v)) /* its parts, pattern or normalizer want it whole */
        return (err = lm_body_all(in, r, len)) < 0 || (err = one(r, ctx)) < 0 ? err
                                                                              : lm_put(out, r);
    if (len > UINT32_MAX && with_offsets)
        return lm_rec_fail(r, LM_ELIMIT, "a body of 4 GiB or more has no u32 offsets");
    if (!m->enc)
        m->enc = lm_enc_new(v, cache);
    b.win = lm_encwin_new(m->enc, special, window < 1 << 20 ? window : 1 << 20);
    b.ids = lm_tape_new(&room);
    b.off = lm_tape_new(&room);
    b.body = lm_tape_new(&room);
    b.hash = lm_hasher_new();
    b.check = check && special == LM_SPECIAL_TEXT &&
              (!lm_id_parse(lm_get(r, "id"), &id) || is_checked(id));
    m->ids.n = m->off.n = 0;
    if (bos == 0)
        lm_ids_put(&m->ids, off, lm_vocab_role(v, LM_ROLE_BOS), 0);
    err = read_big(in, r, &b, v, m);
    hash = lm_hasher_end(b.hash);
    if (err >= 0) {
        if (eos == 0)
            lm_ids_put(&m->ids, off, lm_vocab_role(v, LM_ROLE_EOS), (uint32_t)len);
        err = aside(&b, v, m);
    }
    if (err >= 0 && !lm_id_parse(lm_get(r, "id"), &id))
        b.check = b.check && is_checked(hash);
    if (err >= 0 && !count_only && !lm_get(r, "id").p)
        set_id(r, hash);
    if (err >= 0 && b.check)
        err = check_big(r, &b, v, hash);
    if (err >= 0)
        err = put_big(r, &b, v, len);
    lm_encwin_free(b.win);
    lm_tape_free(b.ids);
    lm_tape_free(b.off);
    lm_tape_free(b.body);
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    lm_vocab *v;
    int err;

    if (!vocab)
        return lm_err(LM_EUSAGE, "no --vocab TOK");
    if (count_only && (with_offsets || dt))
        return lm_err(LM_EUSAGE, "--count writes no ids: --offsets and --dt have no meaning");
    if ((err = lm_vocab_load(vocab, &v)) < 0)
        return err;
    if (eos == 0 && lm_vocab_role(v, LM_ROLE_EOS) == LM_NO_ID)
        err = lm_err_at(LM_EINVALID, vocab, "no eos token (--eos off goes without)");
    else if (bos == 0 && lm_vocab_role(v, LM_ROLE_BOS) == LM_NO_ID)
        err = lm_err_at(LM_EINVALID, vocab, "no bos token");
    else if (dt == 1 && lm_vocab_size(v) > 65536)
        err = lm_err(LM_EUSAGE, "--dt u16: the vocabulary has %u tokens", lm_vocab_size(v));
    else
        err = lm_map_big(in, out, LM_JOBS, one, v, window, big);
    lm_vocab_free(v);
    return err < 0 ? err : LM_DONE;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
