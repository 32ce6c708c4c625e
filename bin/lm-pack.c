/* lm-pack: cut tokens into rows of one length for training.
   Apart from lm-shard: rows are still a stream, so a filter can come between. */
#include "lm.h"
#include <inttypes.h>

enum { BESTFIT, CONCAT, NONE };
static uint64_t seq = 4096, pad_id, window = 16000000, memory = 1 << 30;
static int mode = BESTFIT;
static const char *const mode_name[] = {"bestfit", "concat", "none"};
static bool drop_tail;
static const char *pad_given;
static const lm_opt opts[] = {LM_NUM(0, "seq", &seq, 2, 1 << 24, "N", "tokens a row (4096)"),
                              LM_ENUM(0, "mode", &mode, "bestfit|concat|none",
                                      "bestfit: cut no document that fits; concat: one run of "
                                      "tokens; none: a document a row"),
                              LM_NUM(0, "window", &window, 1, UINT32_MAX - 1, "N",
                                     "of bestfit: choose among N pieces (16M)"),
                              LM_SIZE('m', "memory", &memory, 1 << 20, UINT64_MAX >> 1, "SIZE",
                                      "of bestfit: and no more than fit in SIZE (1G)"),
                              LM_FLAG(0, "drop-tail", &drop_tail,
                                      "leave out a last row that is not full"),
                              LM_STRING(0, "pad-id", &pad_given, "ID",
                                        "pad with token ID, at weight 0 (the last token seen)"),
                              LM_COMMON,
                              LM_END};
static const lm_tool tool = {.name = "lm-pack",
                             .does = "cut tokens into rows",
                             .types = "tok",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED};

#define MAX_SEG 65535 /* a row is closed at so many segments */

/* The row being filled: tokens as they lie, a weight each, and an end, a document, a start and a
   prefix of each segment. */
typedef struct {
    lm_out *out;
    lm_rec rec;
    lm_buf tok, weight, seg, ids, from, prefix, body;
    uint64_t n, k, bytes;
    bool weighted;  /* some weight is not 1 */
    bool prefixed;  /* some prefix is not 0 */
    unsigned width; /* 0: nothing met yet */
    char vocab[33];
    uint64_t kept, padded;
} row;

static void put_le(lm_buf *b, uint64_t v, int n)
{
    uint8_t le[8];

    for (int i = 0; i < n; i++)
        le[i] = (uint8_t)(v >> 8 * i);
    lm_buf_add(b, le, (size_t)n);
}

static void align8(lm_buf *b)
{
    while (b->n % 8)
        lm_buf_addc(b, 0);
}

static void segment(row *w, uint64_t end, lm_id id, uint64_t from, uint64_t prefix)
{
    uint8_t raw[16];

    lm_id_put(raw, id);
    put_le(&w->seg, end, 4);
    lm_buf_add(&w->ids, raw, 16);
    put_le(&w->from, from, 8);
    put_le(&w->prefix, prefix, 4);
    w->prefixed = w->prefixed || prefix;
    w->k++;
}

/* The padding's own segment: weight 0, document 0, and so never part of a document. */
static void pad_row(row *w)
{
    uint64_t lack = seq - w->n, id = pad_id;
    const uint8_t *last = (const uint8_t *)w->tok.p + w->tok.n - w->width;

    if (!lack)
        return;
    if (!pad_given)
        id = w->width == 2 ? last[0] | (uint64_t)last[1] << 8 : lm_load32(last);
    for (uint64_t i = 0; i < lack; i++) {
        put_le(&w->tok, id, (int)w->width);
        lm_buf_addc(&w->weight, 0);
    }
    w->n = seq;
    w->weighted = true;
    w->padded += lack;
    segment(w, seq, (lm_id){0, 0}, 0, 0);
}

/* Writes the row; one that is not full is padded or, where it is a tail, left out under
 * --drop-tail. */
static int put(row *w, bool tail)
{
    lm_rec *r = &w->rec;
    lm_buf *b = &w->body;
    int err = 0;

    if (w->n && (w->n == seq || !tail || !drop_tail)) {
        pad_row(w);
        b->n = 0;
        lm_buf_add(b, w->tok.p, w->tok.n);
        align8(b);
        if (w->weighted) {
            lm_buf_add(b, w->weight.p, w->weight.n);
            align8(b);
        }
        lm_buf_add(b, w->seg.p, w->seg.n);
        align8(b);
        lm_buf_add(b, w->ids.p, w->ids.n);
        align8(b);
        lm_buf_add(b, w->from.p, w->from.n);
        if (w->prefixed)
            lm_buf_add(b, w->prefix.p, w->prefix.n);
        lm_rec_new(r, "tok");
        lm_set(r, "dt", w->width == 2 ? LM_STR("u16") : LM_STR("u32"));
        lm_setf(r, "shape", "%" PRIu64, seq);
        lm_set(r, "vocab", lm_cstr(w->vocab));
        lm_setf(r, "seq", "%" PRIu64, seq);
        lm_set(r, "mode", lm_cstr(mode_name[mode]));
        if (w->bytes)
            lm_setf(r, "bytes", "%" PRIu64, w->bytes);
        lm_buf with = {0};
        if (w->weighted)
            lm_buf_addf(&with, "weight:u8:%" PRIu64 ",", seq);
        lm_buf_addf(&with, "seg:u32:%" PRIu64 ",ids:u8:%" PRIu64 "x16,from:u64:%" PRIu64, w->k,
                    w->k, w->k);
        if (w->prefixed)
            lm_buf_addf(&with, ",prefix:u32:%" PRIu64, w->k);
        lm_set(r, "with", lm_buf_str(&with));
        lm_buf_free(&with);
        lm_body(r, b->p, b->n);
        err = lm_put(w->out, r);
        w->kept += seq;
    }
    w->tok.n = w->weight.n = w->seg.n = w->ids.n = w->from.n = w->prefix.n = 0;
    w->n = w->k = w->bytes = 0;
    w->weighted = w->prefixed = false;
    return err;
}

/* Appends the n tokens of a piece, and their weights, NULL if all are 1, to the row. */
static void lay(row *w, const void *tok, const uint8_t *weight, uint64_t n, const lm_tokseg *s)
{
    lm_buf_add(&w->tok, tok, n * w->width);
    for (uint64_t i = 0; i < n; i++) {
        uint8_t v = weight ? weight[i] : 1;

        lm_buf_addc(&w->weight, (char)v);
        w->weighted = w->weighted || v != 1;
    }
    w->n += n;
    segment(w, w->n, s->id, s->from, s->prefix);
}

/* A piece that waits for its row under bestfit. */
typedef struct {
    size_t tok, weight; /* where in the window's; weight SIZE_MAX: all 1 */
    uint64_t bytes;
    lm_tokseg s;
} waiting;
static struct {
    lm_buf tok, weight;
    waiting *v;
    uint32_t *len;
    size_t n, cap, caplen;
} win;

/* Packs what waits. */
static int flush(row *w)
{
    uint32_t *of = lm_reallocn(NULL, win.n + 1, sizeof *of), *order;
    size_t rows = lm_bestfit(win.len, win.n, (uint32_t)seq, MAX_SEG - 1, of), *at;
    int err = 0;

    at = lm_zalloc(rows + 2, sizeof *at);
    order = lm_reallocn(NULL, win.n + 1, sizeof *order);
    for (size_t i = 0; i < win.n; i++)
        at[of[i] + 2]++;
    for (size_t k = 2; k < rows + 2; k++)
        at[k] += at[k - 1];
    for (size_t i = 0; i < win.n; i++) /* within a row the order of the input */
        order[at[of[i] + 1]++] = (uint32_t)i;
    for (size_t k = 0; k < rows && !err; k++) {
        for (size_t j = at[k]; j < at[k + 1]; j++) {
            const waiting *p = &win.v[order[j]];

            lay(w, win.tok.p + p->tok,
                p->weight == SIZE_MAX ? NULL : (const uint8_t *)win.weight.p + p->weight,
                win.len[order[j]], &p->s);
            w->bytes += p->bytes;
        }
        err = put(w, false);
    }
    win.n = win.tok.n = win.weight.n = 0;
    free(of);
    free(at);
    free(order);
    return err;
}

/* Lets a piece of t, at most a row, wait. */
static int wait_for(row *w, const lm_tokrec *t, const lm_tokseg *s, uint64_t bytes)
{
    uint64_t at = s->begin, n = s->end - s->begin;
    bool weighted = false;

    for (uint64_t i = 0; t->weight && i < n && !weighted; i++)
        weighted = t->weight[at + i] != 1;
    LM_GROW(win.v, win.n, win.cap);
    LM_GROW(win.len, win.n, win.caplen);
    win.v[win.n] = (waiting){win.tok.n, weighted ? win.weight.n : SIZE_MAX, bytes, *s};
    win.len[win.n++] = (uint32_t)n;
    lm_buf_add(&win.tok, t->tok + at * t->width, n * t->width);
    if (weighted)
        lm_buf_add(&win.weight, t->weight + at, n);
    /* and what packing itself takes: four numbers a piece, less than three a row */
    if (win.n >= window ||
        win.tok.n + win.weight.n + win.n * (sizeof *win.v + 32) + seq * 16 >= memory)
        return flush(w);
    return 0;
}

/* Lays a segment of t into rows, cut where a row is full. */
static int piece(row *w, const lm_tokrec *t, const lm_tokseg *s, uint64_t bytes)
{
    uint64_t at = s->begin;
    int err;

    if (mode != BESTFIT)
        w->bytes += bytes;
    while (at < s->end) {
        uint64_t room = mode == BESTFIT ? seq : seq - w->n, f = at - s->begin,
                 n = s->end - at < room ? s->end - at : room;
        lm_tokseg p = {at, at + n, s->from + f, lm_prefix_cut(s->prefix, f, n), s->id};

        if (mode == BESTFIT) {
            if ((err = wait_for(w, t, &p, bytes)))
                return err;
            bytes = 0;
        } else {
            lay(w, t->tok + at * t->width, t->weight ? t->weight + at : NULL, n, &p);
        }
        at += n;
        /* the last segment but one is kept free for the padding */
        if (mode != BESTFIT && (w->n == seq || w->k == MAX_SEG - 1) && (err = put(w, false)))
            return err;
    }
    return mode == NONE && w->n ? put(w, true) : 0;
}

static int alike(row *w, lm_rec *r, const lm_tokrec *t)
{
    if (!w->width) {
        w->width = t->width;
        memcpy(w->vocab, t->vocab.p, 32);
        if (w->width == 2 && pad_id > UINT16_MAX)
            return lm_rec_fail(r, LM_EINVALID, "tokens are u16: --pad-id %" PRIu64 " does not fit",
                               pad_id);
        return 0;
    }
    if (!lm_is(t->vocab, w->vocab))
        return lm_rec_fail(r, LM_EMISMATCH, "vocab=%.32s, but the records before have %s",
                           t->vocab.p, w->vocab);
    if (t->width != w->width)
        return lm_rec_fail(r, LM_EMISMATCH, "dt=%.*s, but the records before have u%u",
                           (int)t->dt.n, t->dt.p, w->width * 8);
    return 0;
}

/* The padding of an earlier packing: no document, no weight. */
static bool is_padding(const lm_tokrec *t, const lm_tokseg *s)
{
    uint64_t at = s->begin;

    if (s->id.hi || s->id.lo || !t->weight)
        return false;
    while (at < s->end && !t->weight[at])
        at++;
    return at == s->end;
}

static int take(row *w, lm_rec *r)
{
    lm_tokrec t;
    int err = lm_tokrec_get(r, &t);

    if (err || (err = alike(w, r, &t)))
        return err;
    for (uint64_t i = 0; i < t.k && !err; i++) { /* rows packed before are taken apart again */
        lm_tokseg s = lm_tokrec_seg(&t, i);

        if (!is_padding(&t, &s)) {
            err = piece(w, &t, &s, t.bytes);
            t.bytes = 0;
        }
    }
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    row w = {.out = out};
    lm_rec r = {0};
    int got, err = 0;

    if (pad_given && (!lm_parse_u64(lm_cstr(pad_given), &pad_id) || pad_id > UINT32_MAX))
        return lm_err(LM_EUSAGE, "--pad-id %s: not a token id", pad_given);
    if (drop_tail && mode == BESTFIT)
        return lm_err(LM_EUSAGE, "--drop-tail goes with --mode concat and none");
    while (!err && (got = lm_next(in, &r)) != 0)
        err = got < 0 ? got : lm_acts_on(r.type) ? take(&w, &r) : lm_put(out, &r);
    if (!err)
        err = mode == BESTFIT ? flush(&w) : put(&w, true);
    if (!err && lm_common.verbose && w.kept)
        lm_show(true, "%" PRIu64 " rows, %.1f %% padding; concat: %" PRIu64 " rows", w.kept / seq,
                100.0 * (double)w.padded / (double)w.kept, (w.kept - w.padded + seq - 1) / seq);
    if (!err && w.padded * 100 > w.kept)
        lm_warn("%.1f %% of the rows is padding", 100.0 * (double)w.padded / (double)w.kept);
    lm_rec_free(&r);
    lm_rec_free(&w.rec);
    lm_buf *bufs[] = {&w.tok,    &w.weight, &w.seg,   &w.ids,     &w.from,
                      &w.prefix, &w.body,   &win.tok, &win.weight};
    for (size_t i = 0; i < LM_COUNT(bufs); i++)
        lm_buf_free(bufs[i]);
    free(win.v);
    free(win.len);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
