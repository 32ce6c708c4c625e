/* data: a set of mapped shards as rows. No index is built and nothing is kept between calls, so a
   seek to any sample is free and resume needs two numbers: the seed and the samples consumed. */
#include "nn/data.h"
#include "nn/dataint.h"
#include <inttypes.h>
#include <sys/stat.h>

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
        f->packed = s->seq;
    }
    if (d->o.vocab && strcmp(s->vocab, d->o.vocab))
        return wrong_vocab(path, s->vocab, d->o.vocab);
    if (strcmp(s->vocab, f->vocab))
        return wrong_vocab(path, s->vocab, f->vocab);
    if (s->seq != f->packed)
        return lm_err_at(LM_EMISMATCH, path, "seq=%" PRIu64 ", but the shards before have %" PRIu64,
                         s->seq, f->packed);
    return 0;
}

static int add_listed(void *ctx, const char *path, lm_rec *r)
{
    lm_data *d = ctx;
    int err = add_shard(d, path);

    return err ? err : lm_shard_listed(&d->shard[d->nshard - 1], r);
}

/* Counts rows and takes the hash of the set. */
static int sum_up(lm_data *d, const lm_order *order)
{
    lm_data_facts *f = &d->about;
    lm_buf b = {0};
    bool all = true;

    f->seq = d->o.seq ? d->o.seq : f->packed ? f->packed : 2048;
    if (f->packed && f->seq != f->packed)
        return lm_err(LM_EMISMATCH,
                      "rows of %" PRIu64 " tokens wanted, but the shards hold rows of %" PRIu64,
                      f->seq, f->packed);
    for (size_t i = 0; i < d->nshard; i++) {
        const lm_shard *s = &d->shard[i];
        char hex[33];

        lm_id_hex(s->hash, hex);
        lm_buf_addf(&b, "%s u%u %" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n", s->vocab, s->width * 8,
                    s->tokens, s->docs, s->seq, hex);
        d->first[i] = f->rows;
        f->rows += f->packed ? s->tokens / f->seq : s->tokens ? (s->tokens - 1) / f->seq : 0;
        f->tokens += s->tokens;
        f->docs += s->docs;
        f->bytes += s->bytes;
        all = all && s->bytes;
        f->weighted = f->weighted || s->weight;
    }
    d->first[d->nshard] = f->rows;
    for (size_t i = 0; i < d->map.nset; i++) {
        struct lm_rowset *s = &d->map.set[i];

        s->first = d->first[s->shard];
        s->rows = (i + 1 < d->map.nset ? d->first[s[1].shard] : f->rows) - s->first;
        if (s->rows)
            lm_epochs_init(&s->order, order, s->rows, f->seq * d->shard[s->shard].width, d->o.seed);
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
    double *weight = NULL;
    lm_order order;
    int err = n ? lm_order_parse(o->shuffle ? o->shuffle : "full", &order)
                : lm_err(LM_EINVALID, "no shard given");

    d->o = *o;
    d->map.nset = o->mix ? n : 1;
    d->map.set = lm_zalloc(d->map.nset + 1, sizeof *d->map.set);
    if (!err && o->mix && !(err = lm_mix_parse(o->mix, n, &weight)))
        err = lm_mix_init(&d->map.mix, weight, n, o->seed);
    free(weight);
    for (size_t i = 0; !err && i < n; i++) {
        struct stat st;

        if (o->mix)
            d->map.set[i].shard = d->nshard;
        if (stat(paths[i], &st))
            err = lm_err_sys(paths[i], "open");
        else
            err = S_ISDIR(st.st_mode) ? lm_shard_index(paths[i], add_listed, d)
                                      : add_shard(d, paths[i]);
    }
    d->first = lm_zalloc(d->nshard + 1, sizeof *d->first);
    if (!err)
        err = sum_up(d, &order);
    for (size_t i = 0; !err && i < d->map.nset; i++)
        if (!d->map.set[i].rows)
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
    lm_data_ahead_free(d); /* before what it reads goes */
    for (size_t i = 0; i < d->nshard; i++)
        lm_shard_close(&d->shard[i]);
    free(d->shard);
    free(d->first);
    free(d->map.set);
    lm_mix_free(&d->map.mix);
    lm_data_stream_free(d);
    free(d);
}

const lm_data_facts *lm_data_about(const lm_data *d)
{
    return &d->about;
}
