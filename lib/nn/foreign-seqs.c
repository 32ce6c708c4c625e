/* foreign-seqs: sequences out of streams and shards: documents, or where they are packed rows. A
   shard in a stream tells where its documents end behind its ids, so it is put aside in a file
   without a name and read as any other shard. */
#include "nn/foreign-priv.h"
#include "nn/shard.h"
#include <inttypes.h>
#include <unistd.h>

enum { PIECE = 1 << 20, DROP = 16 << 20 }; /* bytes of a shard's body read, left behind at once */

struct lm_seqs {
    int (*f)(void *ctx, const lm_tokrec *t);
    void *ctx;
    int fd;      /* of the shard put aside; -1: none */
    lm_out *out; /* to it */
    bool tok;    /* its ids were met */
    bool listed; /* its @shard has file=, as an index has */
    char *name;  /* of the file it came in */
};

lm_seqs *lm_seqs_new(int (*f)(void *ctx, const lm_tokrec *t), void *ctx)
{
    lm_seqs *s = lm_zalloc(1, sizeof *s);

    s->f = f;
    s->ctx = ctx;
    s->fd = -1;
    return s;
}

/* --- a shard */

static int give(lm_seqs *s, lm_shard *d, uint64_t i, uint64_t lo, uint64_t hi)
{
    lm_tokrec t = {.tok = d->tok + lo * d->width,
                   .weight = d->weight ? d->weight + lo : NULL,
                   .n = hi - lo,
                   .k = 1,
                   .seq = d->seq,
                   .width = d->width,
                   .vocab = lm_cstr(d->vocab)};
    int err = lm_shard_met(d, lo, hi, 0);
    lm_error *e = lm_last_error();

    if (err || !(err = s->f(s->ctx, &t)))
        return err;
    if (!*e->where) {
        char where[512], detail[900];

        snprintf(detail, sizeof detail, "%.800s", e->detail);
        snprintf(where, sizeof where, "%.440s:%" PRIu64 ":%" PRIu64, d->path, i,
                 (uint64_t)((const char *)t.tok - d->map.p));
        return lm_err_at(err, where, "%s", detail);
    }
    return err;
}

static int shard(lm_seqs *s, lm_shard *d)
{
    uint64_t n = d->seq ? d->tokens / d->seq : d->docs, at = 0, gone = 0, sure = 0;
    int err = 0;

    if (d->seq && d->tokens % d->seq)
        return lm_err_at(LM_ECORRUPT, d->path, "%" PRIu64 " ids are no rows of %" PRIu64, d->tokens,
                         d->seq);
    for (uint64_t i = 0; d->prefix && i < d->docs; i++)
        if (i >= sure && (err = lm_shard_doc_met(d, i, &sure)))
            return err;
        else if (lm_load32(d->prefix + 4 * i))
            return lm_err_at(LM_EINVALID, d->path, "@prefix: no other format has a place for it");
    for (uint64_t i = 0; !err && i < n; i++) {
        uint64_t to;

        if (!d->seq && i >= sure && (err = lm_shard_doc_met(d, i, &sure)))
            return err;
        to = d->seq ? at + d->seq : lm_shard_end(d, i);
        if (to < at || to > d->tokens)
            return lm_err_at(LM_ECORRUPT, d->path, "@ends: document %" PRIu64 " ends at %" PRIu64,
                             i, to);
        err = give(s, d, i, at, to);
        at = to;
        if ((at - gone) * d->width >= DROP) {
            uint64_t base = (uint64_t)((const char *)d->tok - d->map.p);

            lm_mmap_drop(d->map, base + gone * d->width, base + at * d->width);
            gone = at;
        }
    }
    return err;
}

/* --- a folder */

static int listed(void *ctx, const char *path, lm_rec *r)
{
    lm_shard d;
    int err = lm_shard_open(&d, path);

    if (err)
        return err;
    if (!(err = lm_shard_listed(&d, r)))
        err = shard(ctx, &d);
    lm_shard_close(&d);
    return err;
}

int lm_seqs_folder(lm_seqs *s, const char *dir)
{
    return lm_shard_index(dir, listed, s);
}

/* --- a stream */

static void drop(lm_seqs *s)
{
    lm_out_close(s->out);
    if (s->fd >= 0)
        close(s->fd);
    free(s->name);
    s->out = NULL;
    s->fd = -1;
    s->name = NULL;
}

/* The shard put aside, if there is one, is whole. */
static int finish(lm_seqs *s)
{
    char path[64];
    lm_shard d;
    int err;

    if (!s->out)
        return 0;
    if (s->listed && !s->tok) {
        err = lm_err_at(LM_EINVALID, s->name, "a list of shards: name its folder");
        drop(s);
        return err;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", s->fd);
    if (!(err = lm_out_end(s->out)) && !(err = lm_shard_open(&d, path))) {
        free(d.path);
        d.path = lm_strdup(s->name);
        err = shard(s, &d);
        lm_shard_close(&d);
    } else if (err != LM_EIO) {
        char detail[900];

        snprintf(detail, sizeof detail, "%.800s", lm_last_error()->detail);
        err = lm_err_at(err, s->name, "%s", detail);
    }
    drop(s);
    return err;
}

static int start(lm_seqs *s, lm_in *in, lm_rec *r)
{
    int err = lm_temp_file(NULL, &s->fd);

    if (err)
        return err;
    s->name = lm_strdup(lm_in_name(in));
    s->out = lm_out_fd(s->fd, "a shard put aside", LM_OUT_BARE);
    s->tok = false;
    s->listed = lm_get(r, "file").p;
    return lm_put(s->out, r);
}

static int put_aside(lm_seqs *s, lm_in *in, lm_rec *r, bool whole, uint64_t len)
{
    char *p;
    ssize_t n = 0;
    int err;

    if (whole)
        return lm_put(s->out, r);
    if ((err = lm_put_head(s->out, r, len, 0)))
        return err;
    p = lm_alloc(PIECE);
    while (!err && (n = lm_body_read(in, p, PIECE)) > 0)
        err = lm_body_write(s->out, p, (size_t)n);
    free(p);
    return err ? err : n < 0 ? (int)n : 0;
}

/* Is r a record behind the @shard it belongs to? */
static bool of_shard(lm_seqs *s, const lm_rec *r)
{
    static const char *const more[] = {"ends", "ids", "weight", "prefix"};

    if (!s->out)
        return false;
    if (lm_is(r->type, "tok"))
        return !s->tok && (s->tok = true);
    for (size_t i = 0; i < LM_COUNT(more); i++)
        if (lm_is(r->type, more[i]))
            return true;
    return false;
}

static int loose(lm_seqs *s, lm_in *in, lm_rec *r)
{
    lm_error *e = lm_last_error();
    lm_tokrec t;
    int err = lm_tokrec_get(r, &t);

    if (err)
        return err;
    for (uint64_t i = 0; i < t.k; i++)
        if (lm_tokrec_seg(&t, i).prefix)
            return lm_rec_fail(r, LM_EINVALID, "prefix=: no other format has a place for it");
    if ((err = s->f(s->ctx, &t)) && !*e->where) {
        char detail[900];

        snprintf(detail, sizeof detail, "%.800s", e->detail);
        return lm_fail(in, err, "%s", detail);
    }
    return err;
}

int lm_seqs_stream(lm_seqs *s, lm_in *in, bool (*wanted)(lm_str type))
{
    lm_rec r = {0};
    uint64_t len;
    int err = 0, got = 0;

    while (!err && (got = lm_next_upto(in, &r, s->out ? PIECE : lm_max_body, &len)) > 0) {
        if (of_shard(s, &r)) {
            err = put_aside(s, in, &r, got == 1, len);
            continue;
        }
        if ((err = finish(s)))
            break;
        if (lm_is(r.type, "shard") && wanted(LM_STR("tok"))) {
            err = start(s, in, &r);
        } else if (wanted(r.type)) {
            if (got == 2)
                err = lm_body_all(in, &r, len);
            if (!err)
                err = loose(s, in, &r);
        }
    }
    lm_rec_free(&r);
    if (!err && got < 0)
        err = got;
    return err ? err : finish(s);
}

void lm_seqs_free(lm_seqs *s)
{
    if (!s)
        return;
    drop(s);
    free(s);
}
