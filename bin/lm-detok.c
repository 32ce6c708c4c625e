/* lm-detok: turn token ids back into documents.
   Apart from lm-tok: it needs no encoder, and serves as its check. */
#include "lm.h"

static const char *vocab;
static int special;
static bool whole_chars, bare;
static uint64_t window = 8 << 20;
static const lm_opt opts[] = {LM_FILE(0, "vocab", &vocab, "TOK",
                                      "the vocabulary: a directory or a tokenizer.json"),
                              LM_ENUM(0, "special", &special, "drop|text",
                                      "special tokens: left out, or as their text (drop)"),
                              LM_FLAG(0, "utf8-stream", &whole_chars,
                                      "hold a character back until the next part completes it"),
                              LM_FLAG(0, "text", &bare, "write the bare bytes, not a stream"),
                              LM_MUTE,
                              LM_SIZE(0, "window", &window, 64, 1ull << 30, "SIZE",
                                      "take records larger than this in pieces (8M)"),
                              LM_COMMON,
                              LM_END};
static lm_tool tool = {.name = "lm-detok",
                       .does = "turn token ids back into documents",
                       .types = "tok",
                       .opts = opts,
                       .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR};

/* The array of ids of a record, whose vocabulary must be v. */
static int find_ids(lm_rec *r, const lm_vocab *v, lm_str *a, uint64_t *n, bool *wide)
{
    lm_str dt = lm_get(r, "dt"), of = lm_get(r, "vocab");
    uint64_t d0;

    if (of.p && !lm_is(of, lm_vocab_hash(v)))
        return lm_rec_fail(r, LM_EMISMATCH, "vocab=%.*s, not %s", (int)(of.n < 40 ? of.n : 40),
                           of.p, lm_vocab_hash(v));
    if (!lm_is(dt, "u16") && !lm_is(dt, "u32"))
        return lm_rec_fail(r, dt.p ? LM_EINVALID : LM_EMISSING, "dt= is not u16 or u32");
    *wide = lm_is(dt, "u32");
    return lm_array(r, "", NULL, a, &d0, n);
}

/* Appends the bytes of ids, the first of which is the at-th of the record. */
static int to_text(lm_rec *r, const lm_vocab *v, const lm_ids *ids, uint64_t at, lm_buf *text)
{
    int err = lm_vocab_decode(v, ids->v, ids->n, special == 0, text);

    for (size_t i = 0; err < 0 && i < ids->n; i++)
        if (!lm_vocab_token(v, ids->v[i]).p)
            return lm_rec_fail(r, err, "id %u at %llu is not in the vocabulary", ids->v[i],
                               (unsigned long long)(at + i));
    return err;
}

static int decode(lm_rec *r, const lm_vocab *v, lm_ids *ids, lm_buf *text)
{
    uint64_t n;
    bool wide;
    lm_str a;
    int err = find_ids(r, v, &a, &n, &wide);

    if (err < 0)
        return err;
    ids->n = 0;
    lm_ids_unpack(ids, a.p, n, wide);
    return to_text(r, v, ids, 0, text);
}

/* The record becomes a document that lacks what told of its ids. */
static void to_doc(lm_rec *r)
{
    static const char *const of_ids[] = {"dt", "shape", "vocab", "with", "bytes", "prefix", "fim"};

    lm_retype(r, "doc");
    for (size_t i = 0; i < LM_COUNT(of_ids); i++)
        lm_del(r, of_ids[i]);
}

static int take_body(void *r, const void *p, size_t n)
{
    if (n)
        memcpy(lm_body_alloc(r, n), p, n);
    else
        lm_body(r, "", 0);
    return 0;
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
    to_doc(r);
    take_body(r, m->text.p, m->text.n);
    return LM_KEEP;
}

static int show(void *unused, const void *p, size_t n)
{
    (void)unused;
    return n && fwrite(p, 1, n, stdout) != n ? lm_err_sys("stdout", "cannot write") : 0;
}

static void flush_text(void *unused)
{
    (void)unused;
    (void)fflush(stdout); /* a failure is met again at the next write and at the end */
}

/* --- records taken in pieces --- */

static int to_tape(void *tape, const void *p, size_t n)
{
    return lm_tape_add(tape, p, n);
}

static int to_out(void *out, const void *p, size_t n)
{
    return lm_body_write(out, p, n);
}

/* Is a character cut at the end of the record whole in the next? */
static bool goes_on(lm_rec *r)
{
    return whole_chars && lm_get(r, "part").p && !lm_get(r, "last").p;
}

/* Hands on what is decoded, but not the beginning of a character if such are to wait. */
static int hand_on(lm_buf *text, bool wait, int (*sink)(void *, const void *, size_t), void *to)
{
    size_t keep = wait ? lm_utf8_partial(text->p, text->n) : 0;
    int err = sink(to, text->p, text->n - keep);

    if (keep)
        memmove(text->p, text->p + text->n - keep, keep);
    text->n = keep;
    return err;
}

static int read_big(lm_in *in, lm_rec *r, uint64_t len, const lm_vocab *v, struct mine *m,
                    int (*sink)(void *, const void *, size_t), void *to)
{
    enum { PIECE = 256 << 10 };
    uint64_t n = 0, done = 0;
    size_t had = 0, width;
    bool wide;
    char *p;
    lm_str a;
    int err;

    r->body.n = len; /* that the array fits; no byte of it is here */
    err = find_ids(r, v, &a, &n, &wide);
    r->body.n = 0;
    width = err >= 0 && wide ? 4 : 2;
    p = lm_alloc(PIECE);
    while (err >= 0 && done < n) {
        uint64_t most = (n - done) * width;
        ssize_t k = lm_body_read(in, p + had, (most < PIECE ? most : PIECE) - had);

        if (k <= 0) {
            err = k < 0 ? (int)k : lm_rec_fail(r, LM_ETRUNC, "fewer ids than shape= says");
            break;
        }
        had += (size_t)k;
        m->ids.n = 0;
        lm_ids_unpack(&m->ids, p, had / width, wide);
        if ((err = to_text(r, v, &m->ids, done, &m->text)) >= 0)
            err = hand_on(&m->text, whole_chars, sink, to);
        done += had / width;
        memmove(p, p + had / width * width, had % width);
        had %= width;
    }
    free(p);
    return err < 0 ? err : hand_on(&m->text, goes_on(r), sink, to);
}

static int put_big(lm_in *in, lm_rec *r, uint64_t len, lm_out *out, const lm_vocab *v,
                   struct mine *m)
{
    size_t room = 32 << 20; /* of memory for what is put aside */
    lm_tape *t = lm_tape_new(&room);
    int err = read_big(in, r, len, v, m, to_tape, t);

    if (err >= 0) {
        to_doc(r);
        if ((err = lm_put_head(out, r, lm_tape_size(t), 0)) >= 0)
            err = lm_tape_each(t, to_out, out);
    }
    lm_tape_free(t);
    return err;
}

static int big(lm_in *in, lm_rec *r, uint64_t len, lm_out *out, void *ctx)
{
    struct mine *m = lm_local(sizeof *m, fini);

    m->text.n = 0;
    return put_big(in, r, len, out, ctx, m);
}

/* --- in turn: where a record may have to do with the one before --- */

/* What a document that ended without last=1 has left: a part of its own. */
static int spill(lm_out *out, lm_str id, lm_buf *text)
{
    lm_rec r = {0};
    int err = 0;

    if (!text->n)
        return 0;
    if (bare) {
        err = show(NULL, text->p, text->n);
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

struct turn {
    const lm_vocab *v;
    lm_out *out;   /* NULL: bare text */
    lm_buf of;     /* the id whose parts we are in */
    struct mine m; /* text: what the part before, of the same id, left unfinished */
};

static int begin_part(struct turn *t, lm_rec *r)
{
    lm_str id = lm_get(r, "id");
    int err;

    if (lm_eq(lm_buf_str(&t->of), id))
        return 0;
    err = spill(t->out, lm_buf_str(&t->of), &t->m.text);
    t->of.n = 0;
    lm_buf_add(&t->of, id.p, id.n);
    return err;
}

static int turn_one(lm_rec *r, void *ctx)
{
    struct turn *t = ctx;
    int err;

    if ((err = begin_part(t, r)) < 0 || (err = decode(r, t->v, &t->m.ids, &t->m.text)) < 0)
        return err;
    if (bare)
        return hand_on(&t->m.text, goes_on(r), show, NULL) < 0 ? LM_EIO : LM_KEEP;
    to_doc(r);
    (void)hand_on(&t->m.text, goes_on(r), take_body, r);
    return LM_KEEP;
}

static int turn_big(lm_in *in, lm_rec *r, uint64_t len, lm_out *out, void *ctx)
{
    struct turn *t = ctx;
    int err = begin_part(t, r);

    if (err < 0)
        return err;
    return bare ? read_big(in, r, len, t->v, &t->m, show, NULL)
                : put_big(in, r, len, out, t->v, &t->m);
}

static int in_turn(lm_in *in, lm_out *out, const lm_vocab *v)
{
    struct turn t = {.v = v, .out = bare ? NULL : out};
    int err;

    if (bare)
        lm_in_on_block(in, flush_text, NULL);
    err = lm_map_big(in, t.out, 1, turn_one, &t, window, turn_big);
    if (err >= 0)
        err = spill(out, lm_buf_str(&t.of), &t.m.text);
    fini(&t.m);
    lm_buf_free(&t.of);
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    lm_vocab *v;
    int err;

    if (!vocab)
        return lm_err(LM_EUSAGE, "no --vocab TOK");
    if ((err = lm_vocab_load(vocab, &v)) < 0)
        return err;
    err = bare || whole_chars ? in_turn(in, out, v)
                              : lm_map_big(in, out, LM_JOBS, one, v, window, big);
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
