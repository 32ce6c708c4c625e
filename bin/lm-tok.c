/* lm-tok: turn documents into token ids.
   Apart from lm-detok: the two ways have no code in common but the vocabulary. */
#include "lm.h"

static const char *vocab;
static int special, eos, bos = 1, dt, invalid;
static bool with_offsets, count_only;
static uint64_t check = 4096, cache = 32 << 20;
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
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-tok",
                             .does = "turn documents into token ids",
                             .types = "doc",
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

static bool is_checked(lm_rec *r)
{
    char hex[33];
    lm_str id;

    if (!check)
        return false;
    lm_id_hex(lm_rec_id(r), hex);
    id = lm_cstr(hex);
    return lm_keyed(0, "check", &id, 1) % check == 0;
}

static void put_ids(lm_rec *r, const lm_vocab *v, const struct mine *m)
{
    bool wide = dt == 2 || (dt == 0 && lm_vocab_size(v) > 65536);
    size_t n = m->ids.n, bytes = n * (wide ? 4 : 2), room = (bytes + 7) & ~(size_t)7,
           source = r->body.n;
    char *p = lm_body_alloc(r, with_offsets ? room + 4 * n : bytes);

    if (wide) {
        if (n)
            memcpy(p, m->ids.v, bytes);
    } else {
        for (size_t i = 0; i < n; i++) {
            uint16_t id = (uint16_t)m->ids.v[i];

            memcpy(p + 2 * i, &id, 2);
        }
    }
    if (with_offsets) {
        memset(p + bytes, 0, room - bytes);
        if (n)
            memcpy(p + room, m->off.v, 4 * n);
    }
    lm_retype(r, "tok");
    lm_set(r, "dt", wide ? LM_STR("u32") : LM_STR("u16"));
    lm_setf(r, "shape", "%zu", n);
    lm_set(r, "vocab", lm_cstr(lm_vocab_hash(v)));
    lm_setf(r, "bytes", "%zu", source); /* of text, for losses in bits a byte */
    if (with_offsets)
        lm_setf(r, "with", "off:u32:%zu", n);
}

static int one(lm_rec *r, void *ctx)
{
    const lm_vocab *v = ctx;
    struct mine *m = lm_local(sizeof *m, fini);
    lm_ids *off = with_offsets ? &m->off : NULL;
    lm_str fim = lm_get(r, "fim");
    size_t from, to;
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
    err = fim.p ? lm_enc_parts(m->enc, r->body, fim, special, &m->ids, off)
                : lm_enc_part(m->enc, r->body, special, 0, &m->ids, off);
    if (err < 0)
        return at(r, err);
    to = m->ids.n;
    if (eos == 0)
        lm_ids_put(&m->ids, off, lm_vocab_role(v, LM_ROLE_EOS), (uint32_t)r->body.n);
    if (!fim.p && special == LM_SPECIAL_TEXT && is_checked(r) &&
        (err = self_check(r, v, m, from, to)) < 0)
        return err;
    if (count_only) {
        size_t chars = lm_utf8_count(r->body.p, r->body.n);

        lm_setf(r, "tokens", "%zu", m->ids.n);
        lm_set_f64(r, "cpt",
                   m->ids.n
                       ? (double)(uint64_t)(1000.0 * (double)chars / (double)m->ids.n + .5) / 1000
                       : 0);
        return LM_KEEP;
    }
    if (!lm_get(r, "id").p) { /* the body that told it goes */
        char hex[33];

        lm_id_hex(lm_rec_id(r), hex);
        lm_set(r, "id", lm_cstr(hex));
    }
    put_ids(r, v, m);
    return LM_KEEP;
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
        err = lm_map(in, out, LM_JOBS, one, v);
    lm_vocab_free(v);
    return err < 0 ? err : LM_DONE;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
