/* datarow: one row of the mapped shards, as it lies or laid out for training. */
#include "nn/dataint.h"
#include <inttypes.h>

uint64_t lm_rowmap_at(struct lm_rowmap *m, uint64_t sample)
{
    struct lm_rowset *s = m->set;

    if (m->mix.sets)
        s += lm_mix_at(&m->mix, sample, &sample);
    return s->first + lm_epochs_at(&s->order, sample);
}

uint64_t lm_data_row_of(lm_data *d, uint64_t sample)
{
    return lm_rowmap_at(&d->map, sample);
}

lm_shard *lm_data_shard(const lm_data *d, uint64_t row, uint64_t *base)
{
    size_t lo = 0, hi = d->nshard;

    while (hi - lo > 1) {
        size_t mid = (lo + hi) / 2;

        if (d->first[mid] <= row)
            lo = mid;
        else
            hi = mid;
    }
    while (d->first[lo + 1] <= row) /* shards without a row */
        lo++;
    *base = (row - d->first[lo]) * d->about.seq;
    return &d->shard[lo];
}

/* The piece that holds token g: the first whose end is beyond it. What is looked at on the way need
   not have been checked: an end that is wrong and leads astray is that of the piece found or of the
   one before. */
static uint64_t piece_at(const lm_shard *s, uint64_t g)
{
    uint64_t lo = 0, hi = s->docs - 1;

    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;

        if (lm_shard_end(s, mid) > g)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/* Does piece p + 1 go on with the document of piece p? */
static bool goes_on(const lm_shard *s, uint64_t p)
{
    uint64_t begin = p ? lm_shard_end(s, p - 1) : 0, n = lm_shard_end(s, p) - begin;

    return s->ids && p + 1 < s->docs && !memcmp(s->ids + 16 * p, s->ids + 16 * (p + 1), 16) &&
           lm_load64(s->from + 8 * (p + 1)) == lm_load64(s->from + 8 * p) + n;
}

/* Walks the pieces of the row that starts at token base: `at` is what lies behind them. */
typedef struct {
    const lm_shard *s;
    uint64_t base, seq, at, p, sure; /* pieces below sure were checked */
} pieces;

static pieces walk(const lm_shard *s, uint64_t base, uint64_t seq)
{
    return (pieces){s, base, seq, 0, piece_at(s, base), 0};
}

/* 1, 0 behind the last one, LM_ECORRUPT. */
static int next(pieces *w, lm_piece *out)
{
    const lm_shard *s = w->s;
    uint64_t begin, end, prefix, here = w->base + w->at, p = w->p++;
    int err;

    if (w->at == w->seq)
        return 0;
    if (p >= w->sure && (err = lm_shard_doc_met(s, p, &w->sure)))
        return err;
    begin = p ? lm_shard_end(s, p - 1) : 0;
    end = p < s->docs ? lm_shard_end(s, p) : 0;
    if (end <= here || end > s->tokens || begin > here)
        return lm_err_at(LM_ECORRUPT, s->path, "@ends: document %" PRIu64 " ends at %" PRIu64, p,
                         end);
    prefix = s->prefix ? lm_load32(s->prefix + 4 * p) : 0;
    if (prefix > end - begin)
        return lm_err_at(LM_ECORRUPT, s->path,
                         "@prefix: %" PRIu64 " of the %" PRIu64 " tokens of document %" PRIu64,
                         prefix, end - begin, p);
    out->id = s->ids ? lm_id_load(s->ids + 16 * p) : (lm_id){0, 0};
    out->from = (s->from ? lm_load64(s->from + 8 * p) : 0) + (here - begin);
    out->begin = w->at;
    out->n = end - w->base < w->seq ? end - here : w->seq - w->at;
    out->prefix = lm_prefix_cut(prefix, here - begin, out->n);
    out->goes_on = end > w->base + w->seq || goes_on(s, p);
    w->at += out->n;
    return 1;
}

int lm_data_pieces(lm_data *d, uint64_t row, lm_piece *out, size_t max, size_t *n)
{
    uint64_t base;
    lm_shard *s = lm_data_shard(d, row, &base);
    pieces w = walk(s, base, d->about.seq);
    lm_piece one;
    int got;

    for (*n = 0; (got = next(&w, *n < max ? &out[*n] : &one)) == 1; ++*n) {
    }
    return got;
}

int lm_data_view(lm_data *d, uint64_t row, lm_view *out)
{
    uint64_t base, seq = d->about.seq;
    lm_shard *s = lm_data_shard(d, row, &base);

    out->n = s->tokens - base < seq + 1 ? s->tokens - base : seq + 1;
    out->width = s->width;
    out->tok = s->tok + base * s->width;
    out->weight = s->weight ? s->weight + base : NULL;
    return lm_shard_met(s, base, base + out->n, d->o.ids);
}

void lm_row_prefix(lm_row *out, uint64_t seq, uint64_t begin, uint64_t n)
{
    if (n < 2)
        return;
    for (uint64_t i = 0; out->end && !out->prefixed && i < seq; i++)
        out->end[i] = (uint32_t)i;
    for (uint64_t i = begin; out->end && i < begin + n; i++)
        out->end[i] = (uint32_t)(begin + n - 1);
    memset(out->w + begin, 0, n - 1); /* what they see they are not asked for */
    out->prefixed = true;
}

/* Marks a document's tokens: nothing predicts across its end, its first token is at `begin`. */
static void mark(lm_row *out, uint64_t begin, uint64_t end, bool last, bool skip)
{
    for (uint64_t i = begin; i < end; i++)
        out->start[i] = (uint32_t)begin;
    if (skip)
        memset(out->w + begin, 0, end - begin);
    if (last)
        out->w[end - 1] = 0;
}

static int documents(lm_data *d, uint64_t row, lm_row *out)
{
    uint64_t base;
    lm_shard *s = lm_data_shard(d, row, &base);
    pieces w = walk(s, base, d->about.seq);
    lm_piece p = {0};
    int got;

    while ((got = next(&w, &p)) == 1) {
        const char *key = s->ids ? (const char *)s->ids + 16 * (w.p - 1) : NULL;
        bool skip = d->o.skip && key && lm_dict_get(d->o.skip, (lm_str){key, 16});

        if (d->o.docmask)
            mark(out, p.begin, p.begin + p.n, !p.goes_on, skip);
        else if (skip)
            memset(out->w + p.begin, 0, p.n);
        lm_row_prefix(out, d->about.seq, p.begin, p.prefix);
    }
    return got;
}

static void widen16(const uint8_t *restrict p, uint64_t n, uint32_t *restrict out)
{
    for (uint64_t i = 0; i < n; i++)
        out[i] = (uint32_t)p[2 * i] | (uint32_t)p[2 * i + 1] << 8;
}

static void widen32(const uint8_t *restrict p, uint64_t n, uint32_t *restrict out)
{
    for (uint64_t i = 0; i < n; i++)
        out[i] = lm_load32(p + 4 * i);
}

int lm_data_row(lm_data *d, uint64_t row, lm_row *out)
{
    uint64_t seq = d->about.seq, base;
    lm_view v;
    int err = lm_data_view(d, row, &v);

    if (err)
        return err;
    (v.width == 2 ? widen16 : widen32)(v.tok, seq, out->ids);
    memcpy(out->tgt, out->ids + 1, (seq - 1) * sizeof *out->tgt);
    (v.width == 2 ? widen16 : widen32)(v.tok + seq * v.width, v.n - seq, out->tgt + seq - 1);
    if (v.weight)
        memcpy(out->w, v.weight + 1, v.n - 1);
    else
        memset(out->w, 1, v.n - 1);
    if (v.n == seq)
        out->tgt[seq - 1] = out->w[seq - 1] = 0; /* the shard's last token: nothing follows */
    if (!d->o.docmask)
        memset(out->start, 0, seq * sizeof *out->start);
    out->prefixed = false;
    err = d->o.docmask || d->o.skip || lm_data_shard(d, row, &base)->prefix ? documents(d, row, out)
                                                                            : 0;
    return err ? err : 1;
}

int lm_data_sample(lm_data *d, uint64_t sample, lm_row *out)
{
    if (d->stream)
        return lm_data_stream_next(d, sample, out);
    return lm_data_row(d, lm_data_row_of(d, sample), out);
}
