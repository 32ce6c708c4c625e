/* shard: writes token shards. Tokens stream to the file behind a head whose width is reserved;
   counts, hash and lengths are written over it when the shard is full. Memory: one buffer, and
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
    lm_buf out;   /* tokens not yet written */
    int fd;       /* -1: no shard open */
    char *path;
    uint64_t count, head_at, tok_at,
        tok_width; /* shards done or begun; file places of the open one */
    lm_buf ends, ids, from, weight,
        prefix; /* of the open shard; weight: once one is not 1; prefix: not 0 */
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

static int flush(lm_shards *w)
{
    int err = w->out.n ? put(w, w->out.p, w->out.n) : 0;

    /* on its way to the disk while more is read, so that the fsync at the end has little to wait
     * for */
    if (!err && w->out.n)
        sync_file_range(w->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    w->out.n = 0;
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
    size_t at;
    int err;

    free(w->path);
    lm_shard_name(name, w->o.piece, w->o.pieces, w->count);
    lm_buf_addf(&b, "%s/%s", lm_aside_path(w->dir), name);
    w->path = lm_strdup(b.p);
    b.n = 0;
    w->fd = open(w->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (w->fd < 0) {
        lm_buf_free(&b);
        return lm_err_sys(w->path, "open");
    }
    lm_buf_adds(&b, "%lm 1\n");
    lm_buf_add(&b, w->notes.p ? w->notes.p : "", w->notes.n);
    if (w->o.by.n)
        lm_buf_addf(&b, "%.*s\n", (int)w->o.by.n, w->o.by.p);
    w->head_at = at = b.n;
    pad(&b, at, HEAD_WIDTH);
    lm_buf_addc(&b, '\n'); /* behind the empty body */
    w->tok_at = b.n;
    w->tok_width = TOK_WIDTH;
    while ((w->tok_at + w->tok_width) % w->o.align)
        w->tok_width++;
    pad(&b, w->tok_at, w->tok_width);
    err = put(w, b.p, b.n);
    lm_buf_free(&b);
    w->ends.n = w->ids.n = w->from.n = w->weight.n = w->prefix.n = 0;
    w->tokens = w->docs = w->bytes = 0;
    return err;
}

/* Writes `line`, padded to width, at file place `at`. */
static int patch(lm_shards *w, uint64_t at, size_t width, lm_buf *b)
{
    size_t done = 0;

    pad(b, 0, width);
    while (done < b->n) {
        ssize_t n = pwrite(w->fd, b->p + done, b->n - done, (off_t)(at + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return lm_err_sys(w->path, "write");
        done += (size_t)n;
    }
    b->n = 0;
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
static void tail(lm_shards *w, lm_str tok, lm_buf *b, uint64_t *recs, uint64_t *body)
{
    uint64_t blocks = (tok.n + LM_SHARD_BLOCK - 1) / LM_SHARD_BLOCK;
    char shape[48], with[48];

    for (uint64_t i = 0; i < blocks; i++) {
        size_t at = i * LM_SHARD_BLOCK,
               n = tok.n - at < LM_SHARD_BLOCK ? tok.n - at : LM_SHARD_BLOCK;
        uint32_t c = lm_crc32(0, tok.p + at, n);

        lm_buf_le(&w->ends, c, 4);
    }
    snprintf(shape, sizeof shape, "dt=u64 shape=%" PRIu64, w->docs);
    snprintf(with, sizeof with, "crc:u32:%" PRIu64 ",", blocks);
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

/* Finishes the open shard: lengths, hash and CRCs from what lies in the file. */
static int finish(lm_shards *w)
{
    lm_buf b = {0}, t = {0};
    lm_str map = {0}, tok;
    uint64_t body, recs, line1 = strlen("%lm 1\n");
    char hash[33], name[LM_SHARD_NAME];
    int err;

    if (w->fd < 0)
        return 0;
    if ((err = flush(w)) || (err = lm_mmap_file(w->path, &map)))
        goto out;
    body = w->tokens * w->width;
    tok = (lm_str){map.p + w->tok_at + w->tok_width, (size_t)body};
    lm_id_hex(lm_hash128(tok.p, tok.n), hash);
    tail(w, tok, &t, &recs, &body);
    shard_line(w, &b, NULL, hash);
    if ((err = patch(w, w->head_at, HEAD_WIDTH, &b)))
        goto out;
    tok_line(w, &b);
    if ((err = patch(w, w->tok_at, w->tok_width, &b)))
        goto out;
    /* the file is shared: map shows the heads just written */
    uint32_t crc = lm_crc32(0, map.p + line1, map.n - line1);
    crc = (uint32_t)crc32_combine(crc, lm_crc32(0, t.p, t.n), (z_off_t)t.n);
    lm_buf_addf(&t, "%%end n=%" PRIu64 " b=%" PRIu64 " crc=%08x\n", recs, body, crc);
    if ((err = put(w, t.p, t.n)))
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
    lm_munmap_file(map);
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
    lm_buf_add(&w->out, t.tok, t.n * t.width);
    return w->out.n >= LM_SHARD_BLOCK ? flush(w) : 0;
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
    free(w->path);
    lm_buf *bufs[] = {&w->notes, &w->out,    &w->ends,   &w->ids,
                      &w->from,  &w->weight, &w->prefix, &w->index};
    for (size_t i = 0; i < LM_COUNT(bufs); i++)
        lm_buf_free(bufs[i]);
    free(w);
}
