/* batch: records read together, worked on together, written together. */
#include "par/batch.h"

#define KEEP_ROOM (8u << 20) /* a batch that held a larger record gives its memory back */

static void clear(lm_buf *b)
{
    b->n = 0;
    if (b->cap > KEEP_ROOM)
        lm_buf_free(b);
}

void lm_batch_clear(struct lm_batch *b)
{
    clear(&b->in);
    clear(&b->notes);
    clear(&b->out);
    clear(&b->rej);
    b->items = b->segs = 0;
    b->rejs = b->rejbody = 0;
    b->from = NULL;
    b->ready = b->flush = false;
}

void lm_batch_free(struct lm_batch *b)
{
    lm_buf_free(&b->in);
    lm_buf_free(&b->notes);
    lm_buf_free(&b->out);
    lm_buf_free(&b->rej);
    free(b->item);
    free(b->seg);
    free(b);
}

void lm_batch_add(struct lm_batch *b, const lm_rec *r)
{
    if (!b->from)
        b->from = r->raw.p;
    LM_GROW(b->item, b->items, b->capitem);
    b->item[b->items++] = (struct lm_item){.at = (size_t)(r->raw.p - b->from),
                                           .n = r->raw.n,
                                           .ntype = r->type.n,
                                           .attrs = (size_t)(r->attrs.p - r->raw.p),
                                           .nattrs = r->attrs.n,
                                           .nbody = r->body.n,
                                           .seq = r->seq,
                                           .off = r->off,
                                           .file = r->file};
}

void lm_batch_note(struct lm_batch *b, lm_str line)
{
    LM_GROW(b->item, b->items, b->capitem);
    b->item[b->items++] = (struct lm_item){.at = b->notes.n, .n = line.n, .note = true};
    lm_buf_add(&b->notes, line.p, line.n);
}

void lm_batch_keep(struct lm_batch *b)
{
    for (size_t i = b->items; i && b->from; i--) {
        const struct lm_item *last = &b->item[i - 1];

        if (last->note)
            continue;
        lm_buf_add(&b->in, b->from, last->at + last->n);
        b->from = b->in.p;
        break;
    }
}

static void seg_add(struct lm_batch *b, int src, size_t at, size_t n, uint64_t recs, uint64_t body)
{
    struct lm_seg *last = b->segs ? &b->seg[b->segs - 1] : NULL;

    if (last && src != LM_SEG_NOTE && last->src == src && last->at + last->n == at) {
        last->n += n;
        last->recs += recs;
        last->body += body;
        return;
    }
    LM_GROW(b->seg, b->segs, b->capseg);
    b->seg[b->segs++] = (struct lm_seg){src, at, n, recs, body};
}

static int one(struct lm_batch *b, const struct lm_item *it, lm_rec *r, int (*f)(lm_rec *, void *),
               void *ctx)
{
    const char *p = b->from + it->at;
    size_t at = b->out.n;
    int keep, err = 0;

    lm_rec_view(r, (lm_str){p, it->n}, (lm_str){p + 1, it->ntype},
                (lm_str){p + it->attrs, it->nattrs},
                (lm_str){p + it->n - 1 - it->nbody, it->nbody});
    r->seq = it->seq;
    r->off = it->off;
    r->file = it->file;
    keep = lm_acts_on(r->type) ? f(r, ctx) : LM_KEEP;
    if (keep < 0)
        return keep;
    if (keep == LM_DROP) {
        lm_count_drop(r);
        if (lm_rejects()) {
            err = lm_rec_write(&b->rej, r);
            b->rejs++;
            b->rejbody += r->body.n;
        }
    } else if (r->raw.p) {
        seg_add(b, LM_SEG_READ, it->at, it->n, 1, r->body.n);
    } else {
        err = lm_rec_write(&b->out, r);
        seg_add(b, LM_SEG_MADE, at, b->out.n - at, 1, r->body.n);
    }
    if (!err && r->nextra == UINT64_MAX)
        return lm_last_error()->err;
    if (!err && r->nextra) {
        seg_add(b, LM_SEG_MADE, b->out.n, r->extra->n, r->nextra, r->bextra);
        lm_buf_add(&b->out, r->extra->p, r->extra->n);
    }
    return err;
}

void lm_batch_run(struct lm_batch *b, int (*f)(lm_rec *r, void *ctx), void *ctx, lm_rec *r)
{
    for (size_t i = 0; i < b->items && !b->err; i++) {
        if (b->item[i].note)
            seg_add(b, LM_SEG_NOTE, b->item[i].at, b->item[i].n, 0, 0);
        else
            b->err = one(b, &b->item[i], r, f, ctx);
    }
    if (b->err)
        b->error = *lm_last_error();
}

int lm_batch_write(struct lm_batch *b, lm_out *out)
{
    int err = 0;

    for (size_t i = 0; i < b->segs && !err && out; i++) {
        const struct lm_seg *s = &b->seg[i];

        if (s->src == LM_SEG_NOTE)
            err = lm_out_note(out, (lm_str){b->notes.p + s->at, s->n});
        else
            err = lm_out_raw(out, (s->src == LM_SEG_MADE ? b->out.p : b->from) + s->at, s->n,
                             s->recs, s->body);
    }
    if (!err && b->rejs)
        err = lm_out_raw(lm_rejects(), b->rej.p, b->rej.n, b->rejs, b->rejbody);
    if (!err && b->flush && out)
        err = lm_out_flush(out);
    if (!err && b->err) {
        *lm_last_error() = b->error;
        err = b->err;
    }
    return err;
}
