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

/* The row being filled. */
typedef struct {
    lm_out *out;
    lm_rec rec;
    lm_tokrow of; /* of.width 0: nothing met yet */
    uint64_t n, bytes;
    char vocab[33];
    uint64_t kept, padded;
} row;

/* The padding's own segment: weight 0, document 0, and so never part of a document. */
static void pad_row(row *w)
{
    uint64_t lack = seq - w->n, id = pad_id;
    const uint8_t *last = (const uint8_t *)w->of.tok.p + w->of.tok.n - w->of.width;

    if (!lack)
        return;
    if (!pad_given)
        id = lm_load_id(last, w->of.width);
    for (uint64_t i = 0; i < lack; i++) {
        lm_buf_le(&w->of.tok, id, w->of.width);
        lm_buf_addc(&w->of.weight, 0);
    }
    w->n = seq;
    w->padded += lack;
    lm_tokrow_segment(&w->of, seq, (lm_id){0, 0}, 0, 0);
}

/* Writes the row; one that is not full is padded or, where it is a tail, left out under
 * --drop-tail. */
static int put(row *w, bool tail)
{
    int err = 0;

    if (w->n && (w->n == seq || !tail || !drop_tail)) {
        pad_row(w);
        lm_tokrow_rec(&w->of, &w->rec, lm_cstr(w->vocab), lm_cstr(mode_name[mode]));
        if (w->bytes)
            lm_setf(&w->rec, "bytes", "%" PRIu64, w->bytes);
        err = lm_put(w->out, &w->rec);
        w->kept += seq;
    }
    lm_tokrow_clear(&w->of);
    w->n = w->bytes = 0;
    return err;
}

/* Appends the n tokens of a piece, and their weights, NULL if all are 1, to the row. */
static void lay(row *w, const void *tok, const uint8_t *weight, uint64_t n, const lm_tokseg *s)
{
    lm_buf_add(&w->of.tok, tok, n * w->of.width);
    if (weight)
        lm_buf_add(&w->of.weight, weight, n);
    for (uint64_t i = 0; !weight && i < n; i++)
        lm_buf_addc(&w->of.weight, 1);
    w->n += n;
    lm_tokrow_segment(&w->of, w->n, s->id, s->from, s->prefix);
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
        if (mode != BESTFIT && (w->n == seq || w->of.k == MAX_SEG - 1) && (err = put(w, false)))
            return err;
    }
    return mode == NONE && w->n ? put(w, true) : 0;
}

static int alike(row *w, lm_rec *r, const lm_tokrec *t)
{
    if (!w->of.width) {
        w->of.width = t->width;
        memcpy(w->vocab, t->vocab.p, 32);
        if (w->of.width == 2 && pad_id > UINT16_MAX)
            return lm_rec_fail(r, LM_EINVALID, "tokens are u16: --pad-id %" PRIu64 " does not fit",
                               pad_id);
        return 0;
    }
    if (!lm_is(t->vocab, w->vocab))
        return lm_rec_fail(r, LM_EMISMATCH, "vocab=%.32s, but the records before have %s",
                           t->vocab.p, w->vocab);
    if (t->width != w->of.width)
        return lm_rec_fail(r, LM_EMISMATCH, "dt=%.*s, but the records before have u%u",
                           (int)t->dt.n, t->dt.p, w->of.width * 8);
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
    lm_tokrow_free(&w.of);
    lm_buf_free(&win.tok);
    lm_buf_free(&win.weight);
    free(win.v);
    free(win.len);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
