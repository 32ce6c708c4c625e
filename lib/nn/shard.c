/* shard: writes token shards. Tokens stream to the file behind a head whose width is reserved;
   counts, hash and lengths are written over it when the shard is full. Hash and CRCs are taken of
   each block before it goes, while it is near: nothing is read back. Memory: one block, and
   32 bytes a document of the shard being written (4 more where there are prefixes, one byte a token
   where weights differ). */
#include "nn/shard.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>
#include <zlib.h>

#define HEAD_WIDTH 512 /* the @shard line, padded */
#define TOK_WIDTH 160  /* the @tok line at least */

struct lm_shards {
    lm_shards_opt o;
    lm_aside *dir;
    lm_buf notes; /* %by lines met so far, each with its LF */
    lm_buf out;   /* tokens not yet written, at most a block */
    int fd;       /* -1: no shard open */
    char *path;
    uint64_t count, head_at, tok_at,
        tok_width; /* shards done or begun; file places of the open one */
    lm_buf ends, ids, from, weight,
        prefix;      /* of the open shard; weight: once one is not 1; prefix: not 0 */
    lm_buf head;     /* what stands before the tokens */
    lm_buf crcs;     /* of the blocks written */
    lm_hasher *hash; /* of the tokens written */
    uint32_t crc;    /* likewise */
    uint64_t tokens, docs, bytes;
    bool known; /* what all records share, from the first: */
    char vocab[33], mode[16];
    unsigned width;
    uint64_t seq;
    lm_buf index; /* @shard records of the shards done */
};

/* A folder of shards may be replaced by one with fewer, if they are of the same piece. */
static bool ours(const void *ctx, const char *name)
{
    const lm_shards_opt *o = ctx;

    return lm_shard_named(name, o->piece, o->pieces);
}

lm_shards *lm_shards_new(const char *dir, const lm_shards_opt *o)
{
    lm_shards *w = lm_zalloc(1, sizeof *w);

    w->o = *o;
    w->fd = -1;
    if (!(w->dir = lm_aside_dir(dir))) {
        free(w);
        return NULL;
    }
    lm_aside_may_go(w->dir, ours, &w->o);
    return w;
}

void lm_shards_note(lm_shards *w, lm_str line)
{
    lm_shard_note(&w->notes, line);
}

static int put(lm_shards *w, const void *p, size_t n)
{
    return lm_write_all(w->fd, p, n) ? lm_err_sys(w->path, "write") : 0;
}

/* Sums up and writes the tokens that wait: a block, or the last ones. */
static int flush(lm_shards *w)
{
    uint32_t crc = lm_crc32(0, w->out.p, w->out.n);
    int err;

    if (!w->out.n)
        return 0;
    lm_buf_le(&w->crcs, crc, 4);
    w->crc = (uint32_t)crc32_combine(w->crc, crc, (z_off_t)w->out.n);
    lm_hasher_add(w->hash, w->out.p, w->out.n);
    if ((err = put(w, w->out.p, w->out.n)))
        return err;
    w->out.n = 0;
    /* on its way to the disk while more is read, so that the fsync at the end has little to wait
     * for */
    sync_file_range(w->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    return 0;
}

static int add_tokens(lm_shards *w, const void *p, size_t n)
{
    int err = 0;

    for (size_t at = 0, k; !err && at < n; at += k) {
        k = LM_SHARD_BLOCK - w->out.n < n - at ? LM_SHARD_BLOCK - w->out.n : n - at;
        lm_buf_add(&w->out, (const char *)p + at, k);
        if (w->out.n == LM_SHARD_BLOCK)
            err = flush(w);
    }
    return err;
}

/* Pads a line to `width` bytes, its LF among them. */
static void pad(lm_buf *b, size_t from, size_t width)
{
    size_t have = b->n - from, room = width - have - 1;

    memset(lm_buf_need(b, room), ' ', room);
    b->n += room;
    lm_buf_addc(b, '\n');
}

static void shard_line(const lm_shards *w, lm_buf *b, const char *file, const char *hash)
{
    lm_buf_adds(b, "@shard 0");
    if (file)
        lm_buf_addf(b, " file=%s", file);
    lm_buf_addf(b, " vocab=%s dt=u%u tokens=%" PRIu64 " docs=%" PRIu64 " seq=%" PRIu64 " mode=%s",
                w->vocab, w->width * 8, w->tokens, w->docs, w->seq, w->mode);
    if (w->o.seeded)
        lm_buf_addf(b, " seed=%" PRIu64, w->o.seed);
    if (w->bytes)
        lm_buf_addf(b, " bytes=%" PRIu64, w->bytes);
    if (w->o.pieces)
        lm_buf_addf(b, " piece=%" PRIu64 "/%" PRIu64, w->o.piece, w->o.pieces);
    lm_buf_addf(b, " hash=%s", hash);
}

static void tok_line(const lm_shards *w, lm_buf *b)
{
    lm_buf_addf(b, "@tok %" PRIu64 " dt=u%u shape=%" PRIu64 " vocab=%s", w->tokens * w->width,
                w->width * 8, w->tokens, w->vocab);
}

static int begin(lm_shards *w)
{
    char name[LM_SHARD_NAME];
    lm_buf b = {0};

    free(w->path);
    lm_shard_name(name, w->o.piece, w->o.pieces, w->count);
    lm_buf_addf(&b, "%s/%s", lm_aside_path(w->dir), name);
    w->path = lm_strdup(b.p);
    lm_buf_free(&b);
    w->fd = open(w->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (w->fd < 0)
        return lm_err_sys(w->path, "open");
    w->head.n = w->crcs.n = 0;
    w->crc = 0;
    w->hash = lm_hasher_new();
    lm_buf_adds(&w->head, "%lm 1\n");
    lm_buf_add(&w->head, w->notes.p ? w->notes.p : "", w->notes.n);
    if (w->o.by.n)
        lm_buf_addf(&w->head, "%.*s\n", (int)w->o.by.n, w->o.by.p);
    w->head_at = w->head.n;
    pad(&w->head, w->head_at, HEAD_WIDTH);
    lm_buf_addc(&w->head, '\n'); /* behind the empty body */
    w->tok_at = w->head.n;
    w->tok_width = TOK_WIDTH;
    while ((w->tok_at + w->tok_width) % w->o.align)
        w->tok_width++;
    pad(&w->head, w->tok_at, w->tok_width);
    w->ends.n = w->ids.n = w->from.n = w->weight.n = w->prefix.n = 0;
    w->tokens = w->docs = w->bytes = 0;
    return put(w, w->head.p, w->head.n);
}

/* Puts `line`, padded to width, into the head at `at`. */
static void patch(lm_shards *w, uint64_t at, size_t width, lm_buf *line)
{
    pad(line, 0, width);
    memcpy(w->head.p + at, line->p, width);
    line->n = 0;
}

/* Writes the head again, now that it says all. */
static int put_head(lm_shards *w)
{
    size_t done = 0;

    while (done < w->head.n) {
        ssize_t n = pwrite(w->fd, w->head.p + done, w->head.n - done, (off_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return lm_err_sys(w->path, "write");
        done += (size_t)n;
    }
    return 0;
}

/* Adds a record to those behind the tokens: its body and, as the last part of it, the sums. */
static void add_summed(lm_buf *b, const char *type, const char *shape, const char *with,
                       lm_buf *body)
{
    uint64_t len;

    lm_buf_align8(body);
    len = body->n;
    for (uint64_t at = 0; at < len; at += LM_SHARD_SUM) {
        uint64_t n = len - at < LM_SHARD_SUM ? len - at : LM_SHARD_SUM;
        uint32_t c = lm_crc32(0, body->p + at, n);

        lm_buf_le(body, c, 4);
    }
    lm_buf_addf(b, "\n@%s %zu %s of=tok with=%ssum:u32:%" PRIu64 "\n", type, body->n, shape, with,
                lm_shard_sums_of(len));
    lm_buf_add(b, body->p, body->n);
}

/* The records behind the tokens; *body grows by their bodies. */
static void tail(lm_shards *w, lm_buf *b, uint64_t *recs, uint64_t *body)
{
    char shape[48], with[48];

    lm_buf_add(&w->ends, w->crcs.p, w->crcs.n);
    snprintf(shape, sizeof shape, "dt=u64 shape=%" PRIu64, w->docs);
    snprintf(with, sizeof with, "crc:u32:%zu,", w->crcs.n / 4);
    add_summed(b, "ends", shape, with, &w->ends);
    snprintf(shape, sizeof shape, "dt=u8 shape=%" PRIu64 ",16", w->docs);
    snprintf(with, sizeof with, "from:u64:%" PRIu64 ",", w->docs);
    lm_buf_add(&w->ids, w->from.p, w->from.n);
    add_summed(b, "ids", shape, with, &w->ids);
    *body += w->ends.n + w->ids.n;
    *recs = 4;
    if (w->weight.n) {
        snprintf(shape, sizeof shape, "dt=u8 shape=%" PRIu64, w->tokens);
        add_summed(b, "weight", shape, "", &w->weight);
        *body += w->weight.n;
        ++*recs;
    }
    if (w->prefix.n) {
        snprintf(shape, sizeof shape, "dt=u32 shape=%" PRIu64, w->docs);
        add_summed(b, "prefix", shape, "", &w->prefix);
        *body += w->prefix.n;
        ++*recs;
    }
    lm_buf_addc(b, '\n');
}

/* Finishes the open shard: what is behind the tokens, and the head. */
static int finish(lm_shards *w)
{
    lm_buf b = {0}, t = {0};
    uint64_t body, recs;
    const size_t line1 = strlen("%lm 1\n"); /* not summed */
    char hash[33], name[LM_SHARD_NAME];
    uint32_t crc;
    int err;

    if (w->fd < 0)
        return 0;
    if ((err = flush(w)))
        return err;
    body = w->tokens * w->width;
    lm_id_hex(lm_hasher_end(w->hash), hash);
    w->hash = NULL;
    shard_line(w, &b, NULL, hash);
    patch(w, w->head_at, HEAD_WIDTH, &b);
    tok_line(w, &b);
    patch(w, w->tok_at, w->tok_width, &b);
    crc = lm_crc32(0, w->head.p + line1, w->head.n - line1);
    crc = (uint32_t)crc32_combine(crc, w->crc, (z_off_t)body);
    tail(w, &t, &recs, &body);
    crc = lm_crc32(crc, t.p, t.n);
    lm_buf_addf(&t, "%%end n=%" PRIu64 " b=%" PRIu64 " crc=%08x\n", recs, body, crc);
    if ((err = put(w, t.p, t.n)) || (err = put_head(w)))
        goto out;
    if (fsync(w->fd) || close(w->fd)) {
        err = lm_err_sys(w->path, "fsync");
        goto out;
    }
    w->fd = -1;
    lm_shard_name(name, w->o.piece, w->o.pieces, w->count++);
    shard_line(w, &w->index, name, hash);
    lm_buf_adds(&w->index, "\n\n");
out:
    lm_buf_free(&b);
    lm_buf_free(&t);
    return err;
}

/* One segment of a record. Prefixes are kept from the first on; the documents before have none. */
static void segment(lm_shards *w, const lm_tokseg *s)
{
    uint32_t p = (uint32_t)s->prefix;
    uint8_t b[16];

    if (p && !w->prefix.n) {
        memset(lm_buf_need(&w->prefix, 4 * w->docs), 0, 4 * w->docs);
        w->prefix.n = 4 * w->docs;
    }
    if (p || w->prefix.n)
        lm_buf_le(&w->prefix, p, 4);
    w->tokens += s->end - s->begin;
    w->docs++;
    lm_buf_le(&w->ends, w->tokens, 8);
    lm_id_put(b, s->id);
    lm_buf_add(&w->ids, b, 16);
    lm_buf_le(&w->from, s->from, 8);
}

/* All records of one run are alike: the first says how. */
static int alike(lm_shards *w, lm_rec *r, const lm_tokrec *t)
{
    lm_str mode = t->seq ? t->mode : LM_STR("none");

    if (w->o.vocab && !lm_is(t->vocab, w->o.vocab))
        return lm_rec_fail(r, LM_EMISMATCH, "vocab=%.32s, but the vocabulary given is %s",
                           t->vocab.p, w->o.vocab);
    if (!w->known) {
        w->known = true;
        memcpy(w->vocab, t->vocab.p, 32);
        w->width = t->width;
        w->seq = t->seq;
        if (!mode.n || mode.n >= sizeof w->mode)
            return lm_rec_fail(r, LM_EINVALID, "a row without mode=");
        memcpy(w->mode, mode.p, mode.n);
        return 0;
    }
    if (!lm_is(t->vocab, w->vocab))
        return lm_rec_fail(r, LM_EMISMATCH, "vocab=%.32s, but the records before have %s",
                           t->vocab.p, w->vocab);
    if (t->seq != w->seq)
        return lm_rec_fail(r, LM_EMISMATCH, "seq=%" PRIu64 ", but the records before have %" PRIu64,
                           t->seq, w->seq);
    if (t->width != w->width)
        return lm_rec_fail(r, LM_EMISMATCH, "dt=%.*s, but the records before have u%u",
                           (int)t->dt.n, t->dt.p, w->width * 8);
    if (!lm_is(mode, w->mode))
        return lm_rec_fail(r, LM_EMISMATCH, "mode=%.*s, but the records before have %s",
                           (int)mode.n, mode.p, w->mode);
    return 0;
}

static int id_range(const lm_shards *w, lm_rec *r, const lm_tokrec *t)
{
    for (uint64_t i = 0; w->o.vocab_size && i < t->n; i++)
        if (lm_tokrec_at(t, i) >= w->o.vocab_size)
            return lm_rec_fail(r, LM_EINVALID,
                               "token %" PRIu64 " is id %" PRIu32 ", beyond the %" PRIu32
                               " of the vocabulary",
                               i, lm_tokrec_at(t, i), w->o.vocab_size);
    return 0;
}

/* Weights are kept from the first that is not 1 on; the tokens before get 1. */
static void weights(lm_shards *w, const lm_tokrec *t)
{
    bool need = w->weight.n > 0;

    for (uint64_t i = 0; !need && t->weight && i < t->n; i++)
        need = t->weight[i] != 1;
    if (!need)
        return;
    if (!w->weight.n && w->tokens) {
        memset(lm_buf_need(&w->weight, w->tokens), 1, w->tokens);
        w->weight.n = w->tokens;
    }
    if (t->weight) {
        lm_buf_add(&w->weight, t->weight, t->n);
    } else {
        memset(lm_buf_need(&w->weight, t->n), 1, t->n);
        w->weight.n += t->n;
    }
}

int lm_shards_add(lm_shards *w, lm_rec *r)
{
    lm_tokrec t;
    int err = lm_tokrec_get(r, &t);

    if (err || (err = alike(w, r, &t)) || (err = id_range(w, r, &t)))
        return err;
    if (!t.n)
        return 0;
    if (w->fd >= 0 && (w->tokens + t.n) * w->width > w->o.size && (err = finish(w)))
        return err;
    if (w->fd < 0 && (err = begin(w)))
        return err;
    weights(w, &t);
    for (uint64_t i = 0; i < t.k; i++) {
        lm_tokseg s = lm_tokrec_seg(&t, i);

        segment(w, &s);
    }
    w->bytes += t.bytes;
    return add_tokens(w, t.tok, t.n * t.width);
}

int lm_shards_end(lm_shards *w)
{
    uint64_t n;
    int err = finish(w);

    if (err)
        return err;
    n = w->count;
    if (!n && w->o.pieces) { /* so that the piece is known to be there */
        lm_buf_addf(&w->index, "@shard 0 tokens=0 docs=0 piece=%" PRIu64 "/%" PRIu64 "\n\n",
                    w->o.piece, w->o.pieces);
        n = 1;
    }
    if ((err = lm_shard_index_write(lm_aside_path(w->dir), &w->notes, w->o.by, &w->index, n)))
        return err;
    err = lm_aside_commit(w->dir);
    w->dir = NULL;
    return err;
}

void lm_shards_free(lm_shards *w)
{
    if (!w)
        return;
    if (w->fd >= 0)
        close(w->fd);
    if (w->dir)
        lm_aside_drop(w->dir);
    if (w->hash)
        (void)lm_hasher_end(w->hash);
    free(w->path);
    lm_buf *bufs[] = {&w->notes, &w->out,  &w->head,   &w->crcs,   &w->ends,
                      &w->ids,   &w->from, &w->weight, &w->prefix, &w->index};
    for (size_t i = 0; i < LM_COUNT(bufs); i++)
        lm_buf_free(bufs[i]);
    free(w);
}
