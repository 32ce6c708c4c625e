/* data: a set of mapped shards as rows. No index is built and nothing is kept between calls, so a
   seek to any sample is free and resume needs two numbers: the seed and the samples consumed. */
#include "nn/data.h"
#include "nn/dataint.h"
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int wrong_vocab(const char *where, const char *have, const char *want)
{
    return lm_err_at(LM_EMISMATCH, where, "vocab=%s, but the vocabulary in use is %s", have, want);
}

static int add_shard(lm_data *d, const char *path)
{
    lm_data_facts *f = &d->about;
    lm_shard *s;
    int err;

    LM_GROW(d->shard, d->nshard, d->cap);
    s = &d->shard[d->nshard];
    if ((err = lm_shard_open(s, path)))
        return err;
    d->nshard++;
    if (!f->vocab[0]) {
        memcpy(f->vocab, s->vocab, sizeof f->vocab);
        memcpy(f->mode, s->mode, sizeof f->mode);
        d->packed = s->seq;
    }
    if (d->o.vocab && strcmp(s->vocab, d->o.vocab))
        return wrong_vocab(path, s->vocab, d->o.vocab);
    if (strcmp(s->vocab, f->vocab))
        return wrong_vocab(path, s->vocab, f->vocab);
    if (s->seq != d->packed)
        return lm_err_at(LM_EMISMATCH, path, "seq=%" PRIu64 ", but the shards before have %" PRIu64,
                         s->seq, d->packed);
    return 0;
}

/* The shard just added must be the one index.lm tells of. */
static int as_listed(lm_data *d, lm_rec *r)
{
    const lm_shard *s = &d->shard[d->nshard - 1];
    uint64_t tokens = 0;
    lm_id h = {0, 0};

    if (lm_get_u64(r, "tokens", &tokens) != 1 || tokens != s->tokens ||
        !lm_id_parse(lm_get(r, "hash"), &h) || lm_id_cmp(h, s->hash))
        return lm_err_at(LM_EMISMATCH, s->path, "not the shard that index.lm lists");
    return 0;
}

static int add_dir(lm_data *d, const char *dir)
{
    lm_buf path = {0};
    lm_rec r = {0};
    lm_in *in;
    int err;

    lm_buf_addf(&path, "%s/index.lm", dir);
    in = lm_in_open(path.p, 0);
    while ((err = lm_next(in, &r)) == 1) {
        lm_str f = lm_get(&r, "file");

        if (!lm_is(r.type, "shard"))
            continue;
        if (!f.n || memchr(f.p, '/', f.n) || memchr(f.p, 0, f.n)) {
            err = lm_fail(in, LM_EINVALID, "@shard without a file= in this folder");
            break;
        }
        path.n = 0;
        lm_buf_addf(&path, "%s/%.*s", dir, (int)f.n, f.p);
        if ((err = add_shard(d, path.p)) || (err = as_listed(d, &r)))
            break;
    }
    lm_in_close(in);
    lm_rec_free(&r);
    lm_buf_free(&path);
    return err;
}

/* Counts rows and takes the hash of the set. */
static int sum_up(lm_data *d)
{
    lm_data_facts *f = &d->about;
    lm_buf b = {0};
    bool all = true;

    f->seq = d->o.seq ? d->o.seq : d->packed ? d->packed : 2048;
    if (d->packed && f->seq != d->packed)
        return lm_err(LM_EMISMATCH,
                      "rows of %" PRIu64 " tokens wanted, but the shards hold rows of %" PRIu64,
                      f->seq, d->packed);
    for (size_t i = 0; i < d->nshard; i++) {
        const lm_shard *s = &d->shard[i];
        char hex[33];

        lm_id_hex(s->hash, hex);
        lm_buf_addf(&b, "%s u%u %" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n", s->vocab, s->width * 8,
                    s->tokens, s->docs, s->seq, hex);
        d->first[i] = f->rows;
        f->rows += d->packed ? s->tokens / f->seq : s->tokens ? (s->tokens - 1) / f->seq : 0;
        f->tokens += s->tokens;
        f->docs += s->docs;
        f->bytes += s->bytes;
        all = all && s->bytes;
    }
    d->first[d->nshard] = f->rows;
    for (size_t i = 0; i < d->nset; i++) {
        struct lm_rowset *s = &d->set[i];

        s->first = d->first[s->shard];
        s->rows = (i + 1 < d->nset ? d->first[s[1].shard] : f->rows) - s->first;
        s->epoch = UINT64_MAX;
    }
    if (!all)
        f->bytes = 0;
    f->hash = lm_hash128(b.p ? b.p : "", b.n);
    lm_buf_free(&b);
    if (!f->rows)
        return lm_err(LM_EINVALID,
                      "the shards hold %" PRIu64 " tokens: less than a row of %" PRIu64, f->tokens,
                      f->seq);
    return 0;
}

lm_data *lm_data_open(const char *const *paths, size_t n, const lm_data_opt *o)
{
    lm_data *d = lm_zalloc(1, sizeof *d);
    int err = n ? 0 : lm_err(LM_EINVALID, "no shard given");

    d->o = *o;
    d->nset = o->mix ? n : 1;
    d->set = lm_zalloc(d->nset + 1, sizeof *d->set);
    d->o.mix = NULL; /* the caller's */
    if (!err && o->mix)
        err = lm_mix_init(&d->mix, o->mix, n, o->seed);
    for (size_t i = 0; !err && i < n; i++) {
        struct stat st;

        if (o->mix)
            d->set[i].shard = d->nshard;
        if (stat(paths[i], &st))
            err = lm_err_sys(paths[i], "open");
        else
            err = S_ISDIR(st.st_mode) ? add_dir(d, paths[i]) : add_shard(d, paths[i]);
    }
    d->first = lm_zalloc(d->nshard + 1, sizeof *d->first);
    if (!err)
        err = sum_up(d);
    for (size_t i = 0; !err && i < d->nset; i++)
        if (!d->set[i].rows)
            err = lm_err_at(LM_EINVALID, paths[i], "less than a row of %" PRIu64 " tokens",
                            d->about.seq);
    if (err) {
        lm_data_close(d);
        return NULL;
    }
    return d;
}

void lm_data_close(lm_data *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->nshard; i++)
        lm_shard_close(&d->shard[i]);
    free(d->shard);
    free(d->first);
    free(d->set);
    lm_mix_free(&d->mix);
    lm_data_stream_free(d);
    free(d);
}

const lm_data_facts *lm_data_about(const lm_data *d)
{
    return &d->about;
}

uint64_t lm_data_row_of(lm_data *d, uint64_t sample)
{
    struct lm_rowset *s = d->set;
    uint64_t epoch;

    if (d->mix.sets)
        s += lm_mix_at(&d->mix, sample, &sample);
    epoch = sample / s->rows;
    if (d->o.shuffle && epoch != s->epoch) {
        lm_perm_init(&s->perm, s->rows, d->o.seed, epoch);
        s->epoch = epoch;
    }
    sample %= s->rows;
    return s->first + (d->o.shuffle ? lm_perm_at(&s->perm, sample) : sample);
}

static lm_shard *shard_of(lm_data *d, uint64_t row, uint64_t *base)
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

/* The piece that holds token g: the first whose end is beyond it. */
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

/* Marks a document's tokens: nothing predicts across its end, its first token is at `begin`. */
void lm_row_piece(lm_row *out, uint64_t begin, uint64_t end, bool last, bool skip)
{
    for (uint64_t i = begin; i < end; i++) {
        out->start[i] = (uint32_t)begin;
        if (skip)
            out->w[i] = 0;
    }
    if (last)
        out->w[end - 1] = 0;
}

static int documents(lm_data *d, lm_shard *s, uint64_t base, lm_row *out)
{
    uint64_t seq = d->about.seq, at = 0, p = piece_at(s, base);

    for (; at < seq; p++) {
        uint64_t end = p < s->docs ? lm_shard_end(s, p) : 0, to;
        bool skip = d->o.skip && s->ids && p < s->docs &&
                    lm_dict_get(d->o.skip, (lm_str){(const char *)s->ids + 16 * p, 16});

        if (end <= base + at || end > s->tokens)
            return lm_err_at(LM_ECORRUPT, s->path, "@ends: document %" PRIu64 " ends at %" PRIu64,
                             p, end);
        to = end - base < seq ? end - base : seq;
        if (d->o.docmask)
            lm_row_piece(out, at, to, end - base == to && !goes_on(s, p), skip);
        else if (skip)
            memset(out->w + at, 0, to - at);
        at = to;
    }
    return 0;
}

int lm_data_row(lm_data *d, uint64_t row, lm_row *out)
{
    uint64_t seq = d->about.seq, base;
    lm_shard *s = shard_of(d, row, &base);
    uint64_t n = s->tokens - base < seq + 1 ? s->tokens - base : seq + 1;
    int err = lm_shard_met(s, base, base + n);

    if (err)
        return err;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t v = lm_shard_at(s, base + i);

        if (d->o.ids && v >= d->o.ids)
            return lm_err_at(LM_EINVALID, s->path,
                             "token %" PRIu64 " is id %" PRIu32 ", beyond the %" PRIu32
                             " of the vocabulary",
                             base + i, v, d->o.ids);
        if (i < seq)
            out->ids[i] = v;
        if (i) {
            out->tgt[i - 1] = v;
            out->w[i - 1] = s->weight ? s->weight[base + i] : 1;
        }
    }
    if (n == seq)
        out->tgt[seq - 1] = out->w[seq - 1] = 0; /* the shard's last token: nothing follows */
    memset(out->start, 0, seq * sizeof *out->start);
    err = d->o.docmask || d->o.skip ? documents(d, s, base, out) : 0;
    return err ? err : 1;
}

int lm_data_sample(lm_data *d, uint64_t sample, lm_row *out)
{
    if (d->stream)
        return lm_data_stream_next(d, sample, out);
    return lm_data_row(d, lm_data_row_of(d, sample), out);
}

size_t lm_data_pieces(lm_data *d, uint64_t row, lm_piece *out, size_t max)
{
    uint64_t seq = d->about.seq, base, at = 0;
    lm_shard *s = shard_of(d, row, &base);
    size_t n = 0;

    for (uint64_t p = piece_at(s, base); at < seq && p < s->docs; p++) {
        uint64_t begin = p ? lm_shard_end(s, p - 1) : 0, end = lm_shard_end(s, p), to;

        if (end <= base + at)
            break;
        to = end - base < seq ? end - base : seq;
        if (n < max) {
            out[n].id = s->ids ? lm_id_load(s->ids + 16 * p) : (lm_id){0, 0};
            out[n].from = (s->from ? lm_load64(s->from + 8 * p) : 0) + (base + at - begin);
            out[n].begin = at;
            out[n].n = to - at;
        }
        n++;
        at = to;
    }
    return n;
}

void lm_data_ahead(lm_data *d, uint64_t sample, uint64_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (d->stream)
        return;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t base;
        lm_shard *s = shard_of(d, lm_data_row_of(d, sample + i), &base);
        uintptr_t p = (uintptr_t)(s->tok + base * s->width), from = p & ~(uintptr_t)(page - 1);

        /* advice alone: a refusal costs speed, never the rows */
        madvise((void *)from, p + d->about.seq * s->width - from, MADV_WILLNEED);
    }
}
