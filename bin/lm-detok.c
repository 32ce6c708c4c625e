/* lm-detok: turn token ids back into documents.
   Apart from lm-tok: it needs no encoder, and serves as its check. */
#include "lm.h"

static const char *vocab;
static int special;
static bool whole_chars, bare;
static const lm_opt opts[] = {LM_FILE(0, "vocab", &vocab, "TOK",
                                      "the vocabulary: a directory or a tokenizer.json"),
                              LM_ENUM(0, "special", &special, "drop|text",
                                      "special tokens: left out, or as their text (drop)"),
                              LM_FLAG(0, "utf8-stream", &whole_chars,
                                      "hold a character back until the next part completes it"),
                              LM_FLAG(0, "text", &bare, "write the bare bytes, not a stream"),
                              LM_COMMON,
                              LM_END};
static lm_tool tool = {.name = "lm-detok",
                       .does = "turn token ids back into documents",
                       .types = "tok",
                       .opts = opts,
                       .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR};

/* The ids of a record, checked against the vocabulary, as u32. */
static int get_ids(lm_rec *r, const lm_vocab *v, lm_ids *ids)
{
    lm_str dt = lm_get(r, "dt"), of = lm_get(r, "vocab"), a;
    uint64_t n, d0;
    int got;

    if (of.p && !lm_is(of, lm_vocab_hash(v)))
        return lm_rec_fail(r, LM_EMISMATCH, "vocab=%.*s, not %s", (int)(of.n < 40 ? of.n : 40),
                           of.p, lm_vocab_hash(v));
    if (!lm_is(dt, "u16") && !lm_is(dt, "u32"))
        return lm_rec_fail(r, dt.p ? LM_EINVALID : LM_EMISSING, "dt= is not u16 or u32");
    if ((got = lm_array(r, "", NULL, &a, &d0, &n)) < 0)
        return got;
    ids->n = 0;
    lm_ids_need(ids, n);
    for (uint64_t i = 0; i < n; i++) {
        uint16_t w;

        if (lm_is(dt, "u32")) {
            memcpy(ids->v + i, a.p + 4 * i, 4);
        } else {
            memcpy(&w, a.p + 2 * i, 2);
            ids->v[i] = w;
        }
    }
    ids->n = n;
    return 0;
}

static int decode(lm_rec *r, const lm_vocab *v, lm_ids *ids, lm_buf *text)
{
    int err = get_ids(r, v, ids);

    if (err < 0)
        return err;
    if ((err = lm_vocab_decode(v, ids->v, ids->n, special == 0, text)) < 0) {
        lm_error was = *lm_last_error();

        return lm_rec_fail(r, err, "%s", was.detail);
    }
    return 0;
}

/* The record becomes a document that lacks what told of its ids. */
static void to_doc(lm_rec *r, const lm_buf *text, size_t n)
{
    static const char *const of_ids[] = {"dt", "shape", "vocab", "with", "bytes", "prefix", "fim"};

    lm_retype(r, "doc");
    for (size_t i = 0; i < LM_COUNT(of_ids); i++)
        lm_del(r, of_ids[i]);
    if (n)
        memcpy(lm_body_alloc(r, n), text->p, n);
    else
        lm_body(r, "", 0);
}

struct mine {
    lm_ids ids;
    lm_buf text;
};

static void fini(void *local)
{
    struct mine *m = local;

    free(m->ids.v);
    lm_buf_free(&m->text);
}

static int one(lm_rec *r, void *ctx)
{
    struct mine *m = lm_local(sizeof *m, fini);
    int err;

    m->text.n = 0;
    if ((err = decode(r, ctx, &m->ids, &m->text)) < 0)
        return err;
    to_doc(r, &m->text, m->text.n);
    return LM_KEEP;
}

/* How many of the last bytes begin a character that is not whole yet. */
static size_t unfinished(const lm_buf *b)
{
    for (size_t k = 1; k <= 3 && k <= b->n; k++) {
        unsigned char c = (unsigned char)b->p[b->n - k];

        if (c >= 0xc0)
            return (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u) > k && c < 0xf8 ? k : 0;
        if (c < 0x80)
            return 0;
    }
    return 0;
}

static int show(const char *p, size_t n)
{
    return n && fwrite(p, 1, n, stdout) != n ? lm_err_sys("stdout", "cannot write") : 0;
}

static void flush_text(void *unused)
{
    (void)unused;
    (void)fflush(stdout); /* a failure is met again at the next write and at the end */
}

/* What a document that ended without last=1 has left: a part of its own. */
static int spill(lm_out *out, lm_str id, lm_buf *text)
{
    lm_rec r = {0};
    int err = 0;

    if (!text->n)
        return 0;
    if (bare) {
        err = show(text->p, text->n);
        text->n = 0;
        return err;
    }
    lm_rec_new(&r, "doc");
    if (id.n)
        lm_set(&r, "id", id);
    lm_body(&r, text->p, text->n);
    err = lm_put(out, &r);
    lm_rec_free(&r);
    text->n = 0;
    return err;
}

/* One record. text keeps what the part before it, of the same id, left unfinished. */
static int next_part(lm_rec *r, lm_out *out, const lm_vocab *v, struct mine *m)
{
    size_t keep = 0;
    int err = decode(r, v, &m->ids, &m->text);

    if (err < 0)
        return err;
    if (whole_chars && lm_get(r, "part").p && !lm_get(r, "last").p)
        keep = unfinished(&m->text);
    if (bare) {
        err = show(m->text.p, m->text.n - keep);
    } else {
        to_doc(r, &m->text, m->text.n - keep);
        err = lm_put(out, r);
    }
    if (keep)
        memmove(m->text.p, m->text.p + m->text.n - keep, keep);
    m->text.n = keep;
    return err;
}

static int in_turn(lm_in *in, lm_out *out, const lm_vocab *v, struct mine *m)
{
    lm_buf of = {0}; /* the id whose parts we are in */
    lm_rec r = {0};
    int rc;

    if (bare)
        lm_in_on_block(in, flush_text, NULL);
    while ((rc = lm_next(in, &r)) > 0) {
        lm_str id = lm_get(&r, "id");

        if (!lm_acts_on(r.type)) {
            rc = out ? lm_put(out, &r) : 0;
        } else {
            if (!lm_eq(lm_buf_str(&of), id)) {
                if ((rc = spill(out, lm_buf_str(&of), &m->text)) < 0)
                    break;
                of.n = 0;
                lm_buf_add(&of, id.p, id.n);
            }
            rc = next_part(&r, out, v, m);
        }
        if (rc < 0)
            break;
    }
    if (rc >= 0)
        rc = spill(out, lm_buf_str(&of), &m->text);
    lm_rec_free(&r);
    lm_buf_free(&of);
    return rc;
}

static int run(lm_in *in, lm_out *out)
{
    struct mine m = {0};
    lm_vocab *v;
    int err;

    if (!vocab)
        return lm_err(LM_EUSAGE, "no --vocab TOK");
    if ((err = lm_vocab_load(vocab, &v)) < 0)
        return err;
    err = bare || whole_chars ? in_turn(in, out, v, &m) : lm_map(in, out, LM_JOBS, one, v);
    fini(&m);
    lm_vocab_free(v);
    return err < 0 ? err : LM_DONE;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
        if (!strcmp(argv[i], "--text")) /* then no stream comes out */
            tool.flags = LM_IN | LM_TEXT | LM_PAR;
    return lm_main(argc, argv, &tool, run);
}
