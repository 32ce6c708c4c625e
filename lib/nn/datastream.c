/* datastream: rows from @tok records as they arrive. Tokens are laid end to end and cut every seq,
   exactly as in a shard, so a stream and the shards made of it give the same rows. */
#include "nn/dataint.h"
#include <inttypes.h>

/* Tokens waiting to be cut; [head, n) of each array. tgt[i], of weight w[i], follows token i;
   last[i]: a document ends with it. open: the target of token n - 1 is yet to come. */
struct lm_feed {
    lm_in *in;
    lm_rec r;
    uint32_t *ids, *tgt, *more; /* more: tokens behind it that it sees */
    uint8_t *w, *last, *skip;
    size_t head, n, cap;
    uint64_t next;          /* sample to come */
    bool open, ended, tail; /* tail: packed rows, so the very last row counts */
    lm_id doc;              /* of the last piece, and the token it ended before */
    uint64_t doc_end;
};

lm_data *lm_data_stream(lm_in *in, const lm_data_opt *o)
{
    lm_data *d = lm_zalloc(1, sizeof *d);

    d->o = *o;
    d->stream = lm_zalloc(1, sizeof *d->stream);
    d->stream->in = in;
    d->about.seq = o->seq;
    return d;
}

void lm_data_stream_free(lm_data *d)
{
    struct lm_feed *s = d->stream;

    if (!s)
        return;
    lm_rec_free(&s->r);
    free(s->ids);
    free(s->tgt);
    free(s->more);
    free(s->w);
    free(s->last);
    free(s->skip);
    free(s);
}

static void room(struct lm_feed *s, size_t more)
{
    if (s->head) {
        size_t n = s->n - s->head;

        memmove(s->ids, s->ids + s->head, n * sizeof *s->ids);
        memmove(s->tgt, s->tgt + s->head, n * sizeof *s->tgt);
        memmove(s->more, s->more + s->head, n * sizeof *s->more);
        memmove(s->w, s->w + s->head, n);
        memmove(s->last, s->last + s->head, n);
        memmove(s->skip, s->skip + s->head, n);
        s->n = n;
        s->head = 0;
    }
    if (s->n + more <= s->cap)
        return;
    s->cap = (s->n + more) * 2;
    s->ids = lm_reallocn(s->ids, s->cap, sizeof *s->ids);
    s->tgt = lm_reallocn(s->tgt, s->cap, sizeof *s->tgt);
    s->more = lm_reallocn(s->more, s->cap, sizeof *s->more);
    s->w = lm_realloc(s->w, s->cap);
    s->last = lm_realloc(s->last, s->cap);
    s->skip = lm_realloc(s->skip, s->cap);
}

static int vocab_fits(lm_data *d, const lm_tokrec *t)
{
    lm_data_facts *f = &d->about;

    if (!f->vocab[0])
        memcpy(f->vocab, d->o.vocab ? d->o.vocab : t->vocab.p, 32);
    if (!lm_is(t->vocab, f->vocab))
        return lm_rec_fail(&d->stream->r, LM_EMISMATCH,
                           "vocab=%.32s, but the vocabulary in use is %s", t->vocab.p, f->vocab);
    if (!f->packed && !f->tokens) {
        f->packed = t->seq;
        f->seq = d->o.seq ? d->o.seq : t->seq ? t->seq : 2048;
        d->stream->tail = t->seq;
    }
    if (t->seq != f->packed || (t->seq && t->seq != f->seq))
        return lm_rec_fail(&d->stream->r, LM_EMISMATCH,
                           "seq=%" PRIu64 ", but rows of %" PRIu64 " are wanted", t->seq, f->seq);
    return 0;
}

/* Adds the tokens of one segment. */
static void segment(lm_data *d, const lm_tokseg *g)
{
    struct lm_feed *s = d->stream;
    uint64_t at = g->begin, n = g->end - at;
    uint8_t key[16];
    bool skip;

    if (s->n + at > s->head && g->from && !lm_id_cmp(g->id, s->doc) && g->from == s->doc_end)
        s->last[s->n + at - 1] = 0; /* the document before goes on */
    s->doc = g->id;
    s->doc_end = g->from + n;
    lm_id_put(key, g->id);
    skip = d->o.skip && lm_dict_get(d->o.skip, (lm_str){(char *)key, 16});
    memset(s->skip + s->n + at, skip, n);
    memset(s->last + s->n + at, 0, n);
    s->last[s->n + g->end - 1] = 1;
    for (uint64_t i = 0; i < n; i++)
        s->more[s->n + at + i] = i < g->prefix ? (uint32_t)(g->prefix - 1 - i) : 0;
}

static int take(lm_data *d)
{
    struct lm_feed *s = d->stream;
    lm_tokrec t;
    int err = lm_tokrec_get(&s->r, &t);

    if (err || (err = vocab_fits(d, &t)))
        return err;
    if (!t.n)
        return 0;
    room(s, t.n);
    for (uint64_t i = 0; i < t.n; i++) {
        uint32_t v = lm_tokrec_at(&t, i);

        if (d->o.ids && v >= d->o.ids)
            return lm_rec_fail(&s->r, LM_EINVALID,
                               "token %" PRIu64 " is id %" PRIu32 ", beyond the %" PRIu32
                               " of the vocabulary",
                               i, v, d->o.ids);
        s->ids[s->n + i] = v;
        if (i || s->open) {
            s->tgt[s->n + i - 1] = v;
            s->w[s->n + i - 1] = t.weight ? t.weight[i] : 1;
        }
    }
    for (uint64_t i = 0; i < t.k; i++) {
        lm_tokseg g = lm_tokrec_seg(&t, i);

        segment(d, &g);
    }
    s->open = !t.next.said;
    s->tgt[s->n + t.n - 1] = t.next.id;
    s->w[s->n + t.n - 1] = t.next.weight;
    if (t.next.said)
        s->last[s->n + t.n - 1] = !t.next.same;
    d->about.weighted = d->about.weighted || t.weight;
    d->about.docs += t.k;
    d->about.tokens += t.n;
    d->about.bytes += t.bytes;
    s->n += t.n;
    return 0;
}

/* Fills until a row and its targets are there, or the stream ends. */
static int fill(lm_data *d)
{
    struct lm_feed *s = d->stream;

    while (!s->ended && (!d->about.seq || s->n - s->head < d->about.seq + s->open)) {
        int got = lm_next(s->in, &s->r);

        if (got < 0)
            return got;
        if (!got)
            s->ended = true;
        else if (lm_is(s->r.type, "tok") && (got = take(d)) < 0)
            return got;
    }
    return 0;
}

int lm_data_peek(lm_data *d)
{
    int err = fill(d);

    if (!err && !d->about.seq)
        d->about.seq = 2048; /* an empty stream: no row will come */
    return err;
}

int lm_data_stream_next(lm_data *d, uint64_t sample, lm_row *out)
{
    struct lm_feed *s = d->stream;
    uint64_t seq, begin = 0;
    size_t have, h;
    int err;

    if (sample != s->next)
        return lm_err(LM_EINVALID, "row %" PRIu64 " of a stream asked for, %" PRIu64 " comes next",
                      sample, s->next);
    if ((err = fill(d)))
        return err;
    seq = d->about.seq;
    have = s->n - s->head;
    if (!seq || have < seq || (have == seq && s->open && !s->tail))
        return 0;
    h = s->head;
    for (uint64_t i = 0; i < seq; i++) {
        bool over = s->last[h + i];

        out->ids[i] = s->ids[h + i];
        out->tgt[i] = s->tgt[h + i];
        out->w[i] = s->skip[h + i] || (d->o.docmask && over) ? 0 : s->w[h + i];
        out->start[i] = d->o.docmask ? (uint32_t)begin : 0;
        if (over)
            begin = i + 1;
    }
    out->prefixed = false;
    for (uint64_t i = 0, n; i < seq; i += n) {
        n = s->more[h + i] + (uint64_t)1;
        n = n < seq - i ? n : seq - i;
        lm_row_prefix(out, seq, i, n);
    }
    s->head += seq;
    s->next++;
    d->about.rows = s->next;
    return 1;
}
