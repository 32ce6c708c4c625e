/* out: writes one `%lm 1` stream: head with provenance, records, counts, checksum, end or abort.
   Bytes of untouched records are written straight from the input's buffer where that pays. */
#include "stream/io.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#define BUF (256u << 10)
#define DIRECT (64u << 10) /* from this size on bytes are written without a copy */

struct lm_out {
    int fd, flags;
    char *name;
    lm_aside *aside;
    lm_zip *zip;
    FILE *text;
    char *buf;
    size_t n, crcat; /* crcat: bytes of buf already in crc */
    const char *run; /* nrun bytes that follow buf, still in the source's buffer */
    size_t nrun;
    lm_in *source;
    bool begun, ended, in_body;
    lm_str *by; /* %by lines: gathered before the head, then those written */
    size_t nby, capby;
    lm_arena *mem;
    lm_str own;
    uint64_t off;              /* bytes given to the descriptor */
    uint64_t segn, segb, left; /* left: of the body begun by lm_put_head */
    uint32_t crc;
    int err;
    lm_stats st;
};

lm_out *lm_out_fd(int fd, const char *name, int flags)
{
    lm_out *out = lm_zalloc(1, sizeof *out);

    out->fd = fd;
    out->name = lm_strdup(name);
    out->flags = flags;
    out->buf = lm_alloc(BUF);
    out->mem = lm_arena_new();
    (void)fcntl(fd, F_SETPIPE_SZ, 1 << 20); /* fails on what is no pipe: all the same */
    return out;
}

lm_out *lm_out_open(const char *path, int flags)
{
    lm_out *out;
    lm_aside *aside;
    int fd;

    if (!path || !strcmp(path, "-"))
        return lm_out_fd(1, "stdout", flags);
    aside = lm_aside_open(path, &fd);
    if (!aside)
        return NULL;
    out = lm_out_fd(fd, path, flags);
    out->aside = aside;
    out->zip = lm_zip_for(path, fd);
    return out;
}

lm_stats *lm_out_stats(lm_out *out)
{
    return &out->st;
}
void lm_out_source(lm_out *out, lm_in *in)
{
    out->source = in;
}

static int fail(lm_out *out)
{
    return out->err = lm_err_sys(out->name, "cannot write");
}

static int write_vec(lm_out *out, struct iovec *v, int nv)
{
    if (out->zip) {
        for (int i = 0; i < nv; i++)
            if (lm_zip_write(out->zip, v[i].iov_base, v[i].iov_len) < 0)
                return out->err = LM_EIO;
        return 0;
    }
    while (nv) {
        ssize_t k = writev(out->fd, v, nv);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            struct pollfd pf = {out->fd, POLLOUT, 0};

            (void)poll(&pf, 1, -1);
            continue;
        }
        if (k < 0)
            return fail(out);
        for (; nv && (size_t)k >= v->iov_len; v++, nv--)
            k -= (ssize_t)v->iov_len;
        if (nv) {
            v->iov_base = (char *)v->iov_base + k;
            v->iov_len -= (size_t)k;
        }
    }
    return 0;
}

static void crc_buf(lm_out *out)
{
    if (out->flags & LM_OUT_CRC && out->begun)
        out->crc = lm_crc32(out->crc, out->buf + out->crcat, out->n - out->crcat);
    out->crcat = out->n;
}

/* Writes buf, the run, and n more bytes at p. */
static int push(lm_out *out, const void *p, size_t n)
{
    struct iovec v[3];
    int nv = 0, err;

    if (out->err)
        return out->err;
    crc_buf(out);
    if (out->flags & LM_OUT_CRC) {
        out->crc = lm_crc32(out->crc, out->run, out->nrun);
        out->crc = lm_crc32(out->crc, p, n);
    }
    if (out->n)
        v[nv++] = (struct iovec){out->buf, out->n};
    if (out->nrun)
        v[nv++] = (struct iovec){(void *)(uintptr_t)out->run, out->nrun};
    if (n)
        v[nv++] = (struct iovec){(void *)(uintptr_t)p, n};
    out->off += out->n + out->nrun + n;
    out->st.bytes = out->off;
    out->n = out->crcat = out->nrun = 0;
    err = nv ? write_vec(out, v, nv) : 0;
    return err;
}

int lm_out_flush(lm_out *out)
{
    return push(out, NULL, 0);
}

void lm_out_settle(lm_out *out)
{
    if (!out->nrun)
        return;
    if (out->nrun >= DIRECT || out->n + out->nrun > BUF) {
        push(out, NULL, 0);
        return;
    }
    memcpy(out->buf + out->n, out->run, out->nrun);
    out->n += out->nrun;
    out->nrun = 0;
}

static int emit(lm_out *out, const void *p, size_t n)
{
    if (out->err)
        return out->err;
    if (out->source && lm_in_owns(out->source, p)) {
        if (out->nrun && out->run + out->nrun != p)
            lm_out_settle(out);
        if (!out->nrun)
            out->run = p;
        out->nrun += n;
        return out->n + out->nrun >= BUF ? push(out, NULL, 0) : 0;
    }
    lm_out_settle(out);
    if (n >= DIRECT || out->n + n > BUF) {
        if (n >= DIRECT)
            return push(out, p, n);
        if (push(out, NULL, 0))
            return out->err;
    }
    memcpy(out->buf + out->n, p, n);
    out->n += n;
    return out->err;
}

static int emits(lm_out *out, lm_str s)
{
    if (s.n && emit(out, s.p, s.n))
        return out->err;
    return emit(out, "\n", 1);
}

static bool by_known(const lm_out *out, lm_str line)
{
    for (size_t i = 0; i < out->nby; i++)
        if (lm_eq(out->by[i], line))
            return true;
    return false;
}

static void by_add(lm_out *out, lm_str line)
{
    if (by_known(out, line))
        return;
    LM_GROW(out->by, out->nby, out->capby);
    out->by[out->nby++] = lm_arena_str(out->mem, line);
}

void lm_out_by(lm_out *out, lm_str line)
{
    out->own = lm_arena_str(out->mem, line);
}

void lm_out_bare(lm_out *out)
{
    out->flags = (out->flags & ~LM_OUT_CRC) | LM_OUT_BARE;
    out->own = (lm_str){NULL, 0};
}

static int by_cmp(const void *a, const void *b)
{
    return lm_cmp(*(const lm_str *)a, *(const lm_str *)b);
}

static int begin(lm_out *out)
{
    if (out->begun)
        return out->err;
    emits(out, LM_STR("%lm 1"));
    crc_buf(out);
    out->begun = true;
    out->crc = 0;
    if (out->flags & LM_OUT_SORTED && out->nby)
        qsort(out->by, out->nby, sizeof *out->by, by_cmp);
    if (out->own.n)
        by_add(out, out->own);
    for (size_t i = 0; i < out->nby; i++)
        emits(out, out->by[i]);
    return out->err;
}

int lm_out_note(lm_out *out, lm_str line)
{
    if (out->flags & LM_OUT_BARE)
        return out->err;
    if (out->text)
        return 0;
    if (line.n >= 4 && !memcmp(line.p, "%by ", 4)) {
        if (!out->own.n) /* LM_PROV=0: no provenance at all */
            return 0;
        if (!out->begun) {
            by_add(out, line);
            return 0;
        }
        if (by_known(out, line))
            return 0;
        by_add(out, line);
        return emits(out, line);
    }
    if (out->flags & LM_OUT_SORTED) /* other notes have no place in another order */
        return 0;
    if (begin(out))
        return out->err;
    if (line.n >= 4 && !memcmp(line.p, "%seg", 4) && (line.n == 4 || line.p[4] == ' '))
        return lm_out_seg(out);
    return emits(out, line);
}

static void count(lm_out *out, uint64_t recs, uint64_t body)
{
    out->segn += recs;
    out->segb += body;
    out->st.recs += recs;
    out->st.body += body;
}

int lm_out_raw(lm_out *out, const void *p, size_t n, uint64_t recs, uint64_t body)
{
    if (begin(out))
        return out->err;
    count(out, recs, body);
    return n ? emit(out, p, n) : 0;
}

int lm_put(lm_out *out, lm_rec *r)
{
    lm_buf head = {0};
    int err;

    if (r->raw.p)
        return lm_out_raw(out, r->raw.p, r->raw.n, 1, r->body.n);
    if (begin(out))
        return out->err;
    lm_rec_head(&head, r, r->body.n);
    if (head.n + 1 > LM_MAX_HEAD) {
        lm_buf_free(&head);
        return lm_rec_fail(r, LM_ELIMIT, "the record's new header line is over %d bytes",
                           LM_MAX_HEAD);
    }
    lm_buf_addc(&head, '\n');
    err = emit(out, head.p, head.n);
    lm_buf_free(&head);
    if (!err && r->body.n)
        err = emit(out, r->body.p, r->body.n);
    if (!err)
        err = emit(out, "\n", 1);
    if (!err)
        count(out, 1, r->body.n);
    return err;
}

int lm_put_head(lm_out *out, lm_rec *r, uint64_t len, int align)
{
    lm_buf head = {0};

    if (begin(out))
        return out->err;
    if (!align && r->raw.p && memchr(r->raw.p, '\n', r->raw.n) == r->raw.p + r->raw.n - 1)
        lm_buf_add(&head, r->raw.p, r->raw.n - 1);
    else
        lm_rec_head(&head, r, len);
    if (align) {
        uint64_t at = out->off + out->n + out->nrun + head.n + 1;

        for (uint64_t pad = ((uint64_t)align - at % (uint64_t)align) % (uint64_t)align; pad; pad--)
            lm_buf_addc(&head, ' ');
    }
    lm_buf_addc(&head, '\n');
    if (head.n > LM_MAX_HEAD) {
        lm_buf_free(&head);
        return lm_rec_fail(r, LM_ELIMIT, "the record's new header line is over %d bytes",
                           LM_MAX_HEAD);
    }
    emit(out, head.p, head.n);
    lm_buf_free(&head);
    count(out, 1, len);
    out->left = len;
    out->in_body = true;
    if (!len)
        return lm_body_write(out, NULL, 0);
    return out->err;
}

int lm_body_write(lm_out *out, const void *p, size_t n)
{
    if (n > out->left)
        return out->err = lm_err_at(LM_EINVALID, out->name, "a body longer than its header says");
    if (n)
        emit(out, p, n);
    out->left -= n;
    if (!out->left && out->in_body && !out->err) {
        out->in_body = false;
        emit(out, "\n", 1);
    }
    return out->err;
}

int lm_out_seg(lm_out *out)
{
    char line[96];

    if (begin(out))
        return out->err;
    snprintf(line, sizeof line, "%%seg n=%llu b=%llu", (unsigned long long)out->segn,
             (unsigned long long)out->segb);
    out->segn = out->segb = 0;
    emits(out, lm_cstr(line));
    if (!lm_out_flush(out) && out->zip && lm_zip_flush(out->zip) < 0)
        out->err = LM_EIO;
    return out->err;
}

FILE *lm_out_text(lm_out *out)
{
    if (!out->text) {
        int fd = dup(out->fd);

        out->text = fd < 0 ? NULL : fdopen(fd, "w");
        if (!out->text)
            lm_oom_hook(0);
    }
    return out->text;
}

/* Closes what lm_out_text opened. */
static int text_end(lm_out *out)
{
    FILE *f = out->text;
    bool bad = fflush(f) || ferror(f);

    out->text = NULL;
    if (fclose(f) || bad)
        return fail(out);
    return 0;
}

static int commit(lm_out *out)
{
    int err = 0;

    if (out->aside) {
        err = lm_aside_commit(out->aside);
        out->aside = NULL;
        out->fd = -1;
    }
    out->ended = !err;
    return err;
}

int lm_out_end(lm_out *out)
{
    lm_buf line = {0};
    int err;

    if (out->text)
        return text_end(out) < 0 ? out->err : commit(out);
    if (out->in_body)
        return lm_err_at(LM_EINVALID, out->name, "the stream ends inside a body");
    if (begin(out))
        return out->err;
    lm_buf_addf(&line, "%%end n=%llu b=%llu", (unsigned long long)out->st.recs,
                (unsigned long long)out->st.body);
    if (out->flags & LM_OUT_CRC) {
        lm_out_settle(out);
        crc_buf(out);
        lm_buf_addf(&line, " crc=%08x", out->crc);
    }
    err = emits(out, lm_buf_str(&line));
    lm_buf_free(&line);
    if (!err)
        err = push(out, NULL, 0);
    if (!err && out->zip) {
        err = lm_zip_close(out->zip) < 0 ? (out->err = LM_EIO) : 0;
        out->zip = NULL;
    }
    return err ? err : commit(out);
}

void lm_out_abort_line(lm_out *out, lm_str line)
{
    if (out->aside || out->in_body || out->text || out->err || out->ended || begin(out))
        return;
    emits(out, line);
    lm_out_flush(out);
}

void lm_out_abort(lm_out *out, int code, const char *tool, const char *msg)
{
    lm_buf b = {0};

    lm_buf_addf(&b, "%%abort code=%d tool=%s msg=", code, tool);
    lm_pct_encode(&b, lm_cstr(msg));
    lm_out_abort_line(out, lm_buf_str(&b));
    lm_buf_free(&b);
}

void lm_out_close(lm_out *out)
{
    if (!out)
        return;
    if (out->zip)
        lm_zip_close(out->zip);
    if (out->text)
        fclose(out->text);
    if (out->aside)
        lm_aside_drop(out->aside);
    free(out->by);
    lm_arena_free(out->mem);
    free(out->buf);
    free(out->name);
    free(out);
}
