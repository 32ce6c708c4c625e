/* shardjoin: the pieces of a corpus, each written as a folder by a writer of its own, as one
   folder. Nothing is copied where a link can be made, and no token is read. */
#include "nn/shard.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

/* A piece that was given. */
typedef struct {
    const char *dir;    /* NULL: not given */
    lm_buf notes, recs; /* %by lines, and @shard records, of its index */
    lm_buf files; /* names, each with a NUL behind; as many as records but of an empty piece */
    uint64_t nrecs, nfile; /* records; files */
} piece;
typedef struct {
    piece *v;
    uint64_t pieces;
    lm_shard like;   /* the first, closed: its numbers, vocab and mode; path NULL: none yet */
    const char *dir; /* being read */
    lm_buf notes;    /* of it */
} join;

/* Which piece is this record of? */
static int which(join *j, lm_rec *r, piece **out)
{
    uint64_t i, n;
    lm_str s = lm_get(r, "piece");

    if (!s.p)
        return lm_rec_fail(r, LM_EMISSING, "@shard without piece=: no folder of lm-shard --piece");
    if (!lm_parse_part(s, &i, &n))
        return lm_rec_fail(r, LM_EINVALID, "piece=%.*s is not I/N", (int)s.n, s.p);
    if (!j->v) {
        j->pieces = n;
        j->v = lm_zalloc(n, sizeof *j->v);
    }
    if (n != j->pieces)
        return lm_rec_fail(r, LM_EMISMATCH,
                           "piece %" PRIu64 "/%" PRIu64 ", but the pieces before are of %" PRIu64,
                           i, n, j->pieces);
    *out = &j->v[i];
    if ((*out)->dir && (*out)->dir != j->dir)
        return lm_rec_fail(r, LM_EMISMATCH, "piece %" PRIu64 "/%" PRIu64 " is that of %s too", i, n,
                           (*out)->dir);
    (*out)->dir = j->dir;
    return 0;
}

/* Is s of the kind of the shards before? */
static int alike(join *j, const lm_shard *s)
{
    const lm_shard *a = &j->like;

    if (!a->path) {
        j->like = *s;
        j->like.path = lm_strdup(s->path);
        return 0;
    }
    if (strcmp(s->vocab, a->vocab))
        return lm_err_at(LM_EMISMATCH, s->path, "vocab=%s, but %s has %s", s->vocab, a->path,
                         a->vocab);
    if (s->seq != a->seq)
        return lm_err_at(LM_EMISMATCH, s->path, "seq=%" PRIu64 ", but %s has %" PRIu64, s->seq,
                         a->path, a->seq);
    if (strcmp(s->mode, a->mode))
        return lm_err_at(LM_EMISMATCH, s->path, "mode=%s, but %s has %s", s->mode, a->path,
                         a->mode);
    if (s->width != a->width)
        return lm_err_at(LM_EMISMATCH, s->path, "dt=u%u, but %s has u%u", s->width * 8, a->path,
                         a->width * 8);
    return 0;
}

/* The shard is there, whole, and what the index says it is. */
static int look(join *j, const char *path, lm_rec *r, const piece *p)
{
    uint64_t i = (uint64_t)(p - j->v);
    lm_shard s;
    int err = lm_shard_open(&s, path);

    if (err)
        return err;
    if (!(err = lm_shard_listed(&s, r))) {
        if (s.piece != i || s.pieces != j->pieces ||
            !lm_shard_named(strrchr(path, '/') + 1, i, j->pieces))
            err = lm_err_at(LM_EMISMATCH, path, "not of piece %" PRIu64 "/%" PRIu64, i, j->pieces);
        else
            err = alike(j, &s);
    }
    lm_shard_close(&s);
    return err;
}

static void note(void *ctx, lm_str line)
{
    join *j = ctx;

    if (line.n > 4 && !memcmp(line.p, "%by ", 4))
        lm_shard_note(&j->notes, line);
}

/* Reads the index of a folder, which holds a piece. */
static int folder(join *j)
{
    lm_buf path = {0};
    lm_rec r = {0};
    piece *p = NULL;
    lm_in *in;
    int err;

    lm_buf_addf(&path, "%s/index.lm", j->dir);
    in = lm_in_open(path.p, 0);
    j->notes.n = 0;
    lm_in_on_note(in, note, j);
    while ((err = lm_next(in, &r)) == 1) {
        int got;

        if (!lm_is(r.type, "shard"))
            continue;
        if ((err = which(j, &r, &p)) || (err = got = lm_shard_path(j->dir, &r, &path)) < 0 ||
            (got && (err = look(j, path.p, &r, p))) || (err = lm_rec_write(&p->recs, &r)))
            break;
        p->nrecs++;
        p->nfile += (uint64_t)got;
        if (got) {
            const char *name = strrchr(path.p, '/') + 1;

            lm_buf_add(&p->files, name, strlen(name) + 1);
        }
    }
    if (!err && !p)
        err = lm_fail(in, LM_EMISSING, "no @shard: no folder of lm-shard --piece");
    if (!err)
        lm_buf_add(&p->notes, j->notes.p ? j->notes.p : "", j->notes.n);
    lm_in_close(in);
    lm_rec_free(&r);
    lm_buf_free(&path);
    return err;
}

static int copy(const char *from, const char *to)
{
    enum { STEP = 1 << 20 };
    int in = open(from, O_RDONLY | O_CLOEXEC), err = 0,
        out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    char *buf = lm_alloc(STEP);
    ssize_t n = 1;

    if (in < 0)
        err = lm_err_sys(from, "open");
    else if (out < 0)
        err = lm_err_sys(to, "open");
    while (!err && n) {
        n = read(in, buf, STEP);
        if (n < 0 && errno != EINTR)
            err = lm_err_sys(from, "read");
        else if (n > 0 && lm_write_all(out, buf, (size_t)n))
            err = lm_err_sys(to, "write");
    }
    if (out >= 0 && close(out) && !err)
        err = lm_err_sys(to, "write");
    if (in >= 0)
        close(in);
    free(buf);
    return err;
}

static int bring(const piece *p, const char *to)
{
    lm_buf a = {0}, b = {0};
    const char *name = p->files.p;
    int err = 0;

    for (uint64_t i = 0; !err && i < p->nfile; i++, name += strlen(name) + 1) {
        a.n = b.n = 0;
        lm_buf_addf(&a, "%s/%s", p->dir, name);
        lm_buf_addf(&b, "%s/%s", to, name);
        /* what forbids a link (another file system, too many, one that has none) may allow a copy
         */
        if (linkat(AT_FDCWD, a.p, AT_FDCWD, b.p, AT_SYMLINK_FOLLOW))
            err =
                errno == EEXIST ? lm_err_at(LM_EMISMATCH, a.p, "is listed twice") : copy(a.p, b.p);
    }
    lm_buf_free(&a);
    lm_buf_free(&b);
    return err;
}

static bool ours(const void *ctx, const char *name)
{
    (void)ctx;
    return lm_shard_named(name, UINT64_MAX, 0);
}

static int put(join *j, const char *dir, lm_str by)
{
    lm_aside *to = lm_aside_dir(dir);
    lm_buf notes = {0}, recs = {0};
    uint64_t n = 0;
    int err = to ? 0 : lm_last_error()->err;

    for (uint64_t i = 0; !err && i < j->pieces; i++) {
        const piece *p = &j->v[i];

        for (size_t at = 0, end; at < p->notes.n; at = end + 1) {
            end = (size_t)((char *)memchr(p->notes.p + at, '\n', p->notes.n - at) - p->notes.p);
            lm_shard_note(&notes, (lm_str){p->notes.p + at, end - at});
        }
        lm_buf_add(&recs, p->recs.p, p->recs.n);
        n += p->nrecs;
        err = bring(p, lm_aside_path(to));
    }
    if (!err)
        err = lm_shard_index_write(lm_aside_path(to), &notes, by, &recs, n);
    lm_buf_free(&notes);
    lm_buf_free(&recs);
    if (err) {
        if (to)
            lm_aside_drop(to);
        return err;
    }
    lm_aside_may_go(to, ours, NULL);
    return lm_aside_commit(to);
}

int lm_shards_join(const char *dir, const char *const *paths, size_t n, lm_str by)
{
    join j = {0};
    int err = 0;

    for (size_t i = 0; !err && i < n; i++) {
        j.dir = paths[i];
        err = folder(&j);
    }
    for (uint64_t i = 0; !err && i < j.pieces; i++)
        if (!j.v[i].dir)
            err = lm_err(LM_EMISSING, "piece %" PRIu64 "/%" PRIu64 " was not given", i, j.pieces);
    if (!err)
        err = put(&j, dir, by);
    for (uint64_t i = 0; i < j.pieces; i++) {
        lm_buf_free(&j.v[i].notes);
        lm_buf_free(&j.v[i].recs);
        lm_buf_free(&j.v[i].files);
    }
    free(j.v);
    free(j.like.path);
    lm_buf_free(&j.notes);
    return err;
}
