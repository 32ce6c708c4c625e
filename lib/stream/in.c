/* in: reads `%lm 1` streams: framing, counts, checksums, notes, several files as one. */
#include "stream/io.h"
#include "stream/in.h"
#include <sys/mman.h>
#include <sys/stat.h>

size_t lm_max_body = 1u << 30;

static void measure(lm_in *in)
{
    for (size_t i = 0; i < in->npaths; i++) {
        struct stat st;

        if ((strcmp(in->paths[i], "-") ? stat(in->paths[i], &st) : fstat(0, &st)) ||
            !S_ISREG(st.st_mode)) {
            in->st.size = 0;
            return;
        }
        in->st.size += (uint64_t)st.st_size;
    }
}

lm_in *lm_in_files(const char *const *paths, size_t n, int flags)
{
    lm_in *in = lm_zalloc(1, sizeof *in);

    in->npaths = n ? n : 1;
    in->paths = lm_zalloc(in->npaths, sizeof *in->paths);
    for (size_t i = 0; i < in->npaths; i++)
        in->paths[i] = lm_strdup(n ? paths[i] : "-");
    in->flags = flags;
    measure(in);
    return in;
}

lm_in *lm_in_open(const char *path, int flags)
{
    return lm_in_files(&path, 1, flags);
}

static void file_close(lm_in *in)
{
    lm_src_close(in->src);
    in->src = NULL;
    if (in->map.p)
        munmap((void *)(uintptr_t)in->map.p, in->map.n);
    in->map = (lm_str){NULL, 0};
}

void lm_in_close(lm_in *in)
{
    if (!in)
        return;
    lm_in_tie(in, NULL);
    file_close(in);
    for (size_t i = 0; i < in->npaths; i++)
        free(in->paths[i]);
    free(in->paths);
    free(in->buf);
    lm_buf_free(&in->abort);
    free(in);
}

lm_stats *lm_in_stats(lm_in *in)
{
    return &in->st;
}
lm_str lm_in_abort(const lm_in *in)
{
    return lm_buf_str(&in->abort);
}

void lm_in_set_abort(lm_in *in, lm_str line)
{
    in->abort.n = 0;
    lm_buf_add(&in->abort, line.p, line.n);
}

void lm_in_salvage(lm_in *in, void (*lost)(void *ctx, const char *file, uint64_t from, uint64_t to),
                   void *ctx)
{
    in->flags |= LM_IN_LAX | LM_IN_SALVAGE;
    in->lost = lost;
    in->lost_ctx = ctx;
}
bool lm_in_owns(const lm_in *in, const char *p)
{
    return p >= in->buf && p < in->buf + in->cap;
}

void lm_in_tie(lm_in *in, lm_out *out)
{
    if (in->tie) {
        lm_out_settle(in->tie);
        lm_out_source(in->tie, NULL);
    }
    in->tie = out;
    if (out)
        lm_out_source(out, in);
}

void lm_in_on_note(lm_in *in, void (*f)(void *ctx, lm_str line), void *ctx)
{
    in->note = f;
    in->note_ctx = ctx;
}

void lm_in_on_block(lm_in *in, void (*f)(void *ctx), void *ctx)
{
    in->block = f;
    in->block_ctx = ctx;
}

void lm_in_on_turn(lm_in *in, void (*f)(void *ctx), void *ctx)
{
    in->turn = f;
    in->turn_ctx = ctx;
}

void lm_in_swap(lm_in *in, lm_buf *b)
{
    size_t have = in->hi - in->lo, want = (have > LM_IN_BUF ? have : LM_IN_BUF) + LM_IN_TAIL + 1;
    lm_buf was = {in->buf, in->lo, in->buf ? in->cap + 1 : 0};

    if (in->open) /* what goes away is summed up first */
        lm_in_crc_upto(in, in->lo);
    if (b->cap < want) {
        free(b->p);
        b->p = lm_alloc(want);
        b->cap = want;
    }
    if (have)
        memcpy(b->p, in->buf + in->lo, have);
    in->buf = b->p;
    in->cap = b->cap - 1;
    in->crcat -= in->lo < in->crcat ? in->lo : in->crcat;
    in->lo = 0;
    in->hi = have;
    *b = was;
}

void lm_in_on_warn(lm_in *in, void (*f)(const char *line))
{
    in->warn = f;
}

static const char *name(const lm_in *in)
{
    const char *p = in->paths[in->at < in->npaths ? in->at : in->npaths - 1];

    return strcmp(p, "-") ? p : "stdin";
}

const char *lm_in_name(const lm_in *in)
{
    return name(in);
}

void lm_in_where(const lm_in *in, char *out, size_t n)
{
    snprintf(out, n, "%s:%llu:%llu", name(in), (unsigned long long)in->seq,
             (unsigned long long)in->recoff);
}

int lm_fail(lm_in *in, int err, const char *fmt, ...)
{
    char where[600], detail[900];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    lm_in_where(in, where, sizeof where);
    return lm_err_at(err, where, "%s", detail);
}

/* Errors at the read position, not at the last record. */
int lm_in_bad(lm_in *in, int err, const char *why)
{
    in->seq = in->next_seq;
    in->recoff = in->off;
    return in->err = lm_fail(in, err, "%s", why);
}

void lm_in_crc_upto(lm_in *in, size_t to)
{
    if (to > in->crcat)
        in->crc = lm_crc32(in->crc, in->buf + in->crcat, to - in->crcat);
    in->crcat = to;
}

static void on_block(void *ctx)
{
    lm_in *in = ctx;

    if (in->block)
        in->block(in->block_ctx);
    else if (in->tie)
        lm_out_flush(in->tie); /* its error is sticky and shows at the next write */
}

bool lm_in_low(const lm_in *in)
{
    return in->hi > LM_IN_BUF - LM_IN_LOW && in->hi - in->lo < LM_IN_LOW;
}

/* Must the unread bytes move for need of them to have room? Where what was read has to stay, they
   do so before little is left to read into, and a large buffer is not filled for its own sake. */
static bool must_move(const lm_in *in, size_t need)
{
    if (!in->lo)
        return false;
    if (in->cap - in->lo < need || in->hi == in->cap)
        return true;
    return in->turn ? lm_in_low(in) : in->lo == in->hi;
}

static size_t room(const lm_in *in, size_t need)
{
    size_t top = in->lo + need > LM_IN_BUF ? in->lo + need : LM_IN_BUF;

    return (in->turn && top < in->cap ? top : in->cap) - in->hi;
}

/* Makes at least need bytes unread, if the file has them; grows as they come, so a false length in
   a short file costs no memory. Returns false with in->err set on a read error. */
bool lm_in_fill(lm_in *in, size_t need)
{
    while (in->hi - in->lo < need && !in->eof) {
        ssize_t k;

        if (in->tie)
            lm_out_settle(in->tie);
        if (in->open)
            lm_in_crc_upto(in, in->lo);
        if (must_move(in, need) && in->turn)
            in->turn(in->turn_ctx);
        if (must_move(in, need)) {
            memmove(in->buf, in->buf + in->lo, in->hi - in->lo);
            in->crcat -= in->lo < in->crcat ? in->lo : in->crcat;
            in->hi -= in->lo;
            in->lo = 0;
        }
        if (in->hi == in->cap) {
            in->cap = in->cap ? in->cap * 2 : LM_IN_BUF;
            in->buf = lm_realloc(in->buf, in->cap + 1); /* one for the LF that stops a scan */
        }
        k = lm_src_read(in->src, in->buf + in->hi, room(in, need), on_block, in);
        if (k < 0) {
            if (k == LM_ETRUNC || k == LM_ECORRUPT) {
                in->seq = in->next_seq;
                in->recoff = in->off;
                lm_fail(in, (int)k, "%s", lm_last_error()->detail);
            }
            in->err = (int)k;
            if ((k != LM_ETRUNC && k != LM_ECORRUPT) || lm_in_told(in) < 0)
                return false;
            k = 0; /* what was decoded before is still good */
        }
        in->eof = k == 0;
        in->hi += (size_t)k;
        in->st.bytes += (uint64_t)k;
    }
    return true;
}

/* The next line with its LF in *line; 1, 0 at the end of the file, <0. */
static int line(lm_in *in, lm_str *out)
{
    size_t seen = 0;

    for (;;) {
        size_t have = in->hi - in->lo, top = have < LM_MAX_HEAD ? have : LM_MAX_HEAD;
        const char *p = have ? in->buf + in->lo : NULL; /* no buffer at first */
        const char *lf = top > seen ? memchr(p + seen, '\n', top - seen) : NULL;

        if (lf) {
            *out = (lm_str){p, (size_t)(lf - p) + 1};
            return 1;
        }
        seen = top;
        if (have && *p != '@' && *p != '%')
            return lm_in_bad(in, LM_ECORRUPT,
                             in->any || in->n ? "junk between records"
                                              : "not an lm stream (lm-import reads other files)");
        if (have >= LM_MAX_HEAD)
            return lm_in_bad(in, LM_ELIMIT, "header line over 65536 bytes");
        if (in->eof)
            return have ? lm_in_bad(in, LM_ETRUNC, "the file ends inside a header line") : 0;
        if (!lm_in_fill(in, have + 1))
            return in->err;
    }
}

static int next_file(lm_in *in)
{
    if (in->src) {
        file_close(in);
        in->at++;
    }
    if (in->at >= in->npaths)
        return 0;
    in->src = lm_src_open(in->paths[in->at]);
    if (!in->src)
        return in->err = LM_EIO;
    if (in->tie)
        lm_out_settle(in->tie);
    in->lo = in->crcat = in->hi; /* what was read may have to stay */
    in->eof = in->open = in->any = in->lossy = in->jumped = in->nocrc = false;
    in->off = in->next_seq = in->seq = in->recoff = 0;
    return 1;
}

/* Finds the next header; *ln is its line. 1, 0, <0. */
int lm_in_header(lm_in *in, lm_rec *r, lm_str *ln, uint64_t *len)
{
    const char *why;
    int rc;

    for (;;) {
        if (!in->src) {
            rc = next_file(in);
            if (rc <= 0)
                return rc;
        }
        if (in->open && in->hi > in->lo &&
            in->buf[in->lo] == '@') { /* as a rule all is there and well */
            const char *p = in->buf + in->lo, *lf;

            in->buf[in->hi] = '\n';
            lf = lm_head_scan(p, r, len, &why);
            if (lf && lf < in->buf + in->hi && lf - p < LM_MAX_HEAD) {
                *ln = (lm_str){p, (size_t)(lf - p) + 1};
                return 1;
            }
        }
        rc = line(in, ln);
        if (rc < 0)
            return rc;
        if (rc == 0) {
            if (in->open && !in->lossy && lm_in_bad(in, LM_ETRUNC, "the stream has no %end") &&
                lm_in_told(in) < 0)
                return in->err;
            if (!in->any && lm_in_bad(in, LM_ETRUNC, "empty: not even a %lm line") &&
                lm_in_told(in) < 0)
                return in->err;
            rc = next_file(in);
            if (rc <= 0)
                return rc;
            continue;
        }
        if (ln->p[0] == '%') {
            if (lm_in_note(in, *ln) < 0)
                return in->err;
            continue;
        }
        if (ln->p[0] != '@')
            return lm_in_bad(in, LM_ECORRUPT,
                             in->any ? "junk between records"
                                     : "not an lm stream (lm-import reads other files)");
        if (!in->open)
            return lm_in_bad(in, LM_ECORRUPT,
                             in->any ? "a record after %end" : "a record before %lm");
        rc = lm_head_parse(ln->p, ln->n, r, len, &why);
        if (rc < 0)
            return lm_in_bad(in, rc, why);
        return 1;
    }
}

void lm_in_counted(lm_in *in, lm_rec *r, uint64_t len)
{
    in->seq = in->next_seq++;
    in->recoff = in->off;
    r->seq = in->seq;
    r->off = in->off;
    r->file = name(in);
    in->n++;
    in->b += len;
    in->segn++;
    in->segb += len;
    /* one writer, readers that only look: no locked addition is needed */
    atomic_store_explicit(&in->st.recs,
                          atomic_load_explicit(&in->st.recs, memory_order_relaxed) + 1,
                          memory_order_relaxed);
    atomic_store_explicit(&in->st.body,
                          atomic_load_explicit(&in->st.body, memory_order_relaxed) + len,
                          memory_order_relaxed);
}

static int next(lm_in *in, lm_rec *r, uint64_t most, uint64_t *size)
{
    lm_str ln;
    uint64_t len;
    size_t total;
    int rc;

    if (in->pending && lm_in_hop(in) < 0)
        return in->err;
    rc = lm_in_header(in, r, &ln, &len);
    if (rc <= 0)
        return rc;
    if (len > most) {
        *size = len;
        return lm_in_leave(in, r, ln, len);
    }
    if (len > lm_max_body)
        return lm_in_bad(in, LM_ELIMIT, "the body is larger than LM_MAX_BODY");
    total = ln.n + (size_t)len + 1;
    if (in->hi - in->lo < total) {
        ptrdiff_t type = r->type.p - ln.p, attrs = r->attrs.p - ln.p;

        if (!lm_in_fill(in, total))
            return in->err;
        if (in->hi - in->lo < total)
            return lm_in_bad(in, LM_ETRUNC, "the file ends inside a body");
        ln.p = in->buf + in->lo; /* the buffer may have moved */
        r->type.p = ln.p + type;
        r->attrs.p = ln.p + attrs;
    }
    r->raw = (lm_str){ln.p, total};
    r->body = (lm_str){ln.p + ln.n, (size_t)len};
    if (ln.p[total - 1] != '\n')
        return lm_in_bad(in, LM_ECORRUPT, "no LF after body");
    lm_in_counted(in, r, len);
    lm_in_eat(in, total);
    return 1;
}

int lm_next_upto(lm_in *in, lm_rec *r, uint64_t most, uint64_t *len)
{
    int rc;

    if (in->err)
        return in->err;
    lm_rec_begin(r);
    while ((rc = next(in, r, most, len)) < 0 && in->flags & LM_IN_LAX) {
        int more = lm_in_lax_skip(in);

        in->pending = false;
        in->left = 0;
        if (more < 0)
            return in->err;
        lm_rec_begin(r);
    }
    return rc;
}

int lm_next(lm_in *in, lm_rec *r)
{
    uint64_t len;

    return lm_next_upto(in, r, UINT64_MAX, &len);
}
