/* in: reads `%lm 1` streams: framing, counts, checksums, notes, several files as one. */
#include "stream/io.h"
#include <libdeflate.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define BUF (1u << 20)

struct lm_in {
    char **paths;
    size_t npaths, at;                 /* at: the file being read */
    int flags;
    lm_src *src;
    char *buf;
    size_t cap, lo, hi;                /* unread bytes are buf[lo, hi) */
    bool eof;
    uint64_t off;                      /* of buf[lo] in the (decompressed) file */
    uint64_t seq, next_seq, recoff;    /* the current record */
    bool open, any;                    /* inside a stream; a stream was seen in this file */
    uint64_t n, b, segn, segb;
    uint32_t crc;
    size_t crcat;                      /* bytes before it are in crc */
    bool nocrc;                        /* bodies were hopped over */
    uint64_t left;                     /* of the body that lm_next_head left unread */
    bool pending;                      /* .. and its LF */
    int err;
    lm_buf abort;
    lm_out *tie;
    void (*note)(void *, lm_str);
    void *note_ctx;
    void (*block)(void *);
    void *block_ctx;
    void (*warn)(const char *);
    lm_str map;
    lm_stats st;
};

size_t lm_max_body = 1u << 30;

uint32_t lm_crc32_fast(uint32_t crc, const void *p, size_t n) { return libdeflate_crc32(crc, p, n); }

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

lm_in *lm_in_open(const char *path, int flags) { return lm_in_files(&path, 1, flags); }

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

lm_stats *lm_in_stats(lm_in *in) { return &in->st; }
lm_str lm_in_abort(const lm_in *in) { return lm_buf_str(&in->abort); }
bool lm_in_owns(const lm_in *in, const char *p) { return p >= in->buf && p < in->buf + in->cap; }

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

void lm_in_on_warn(lm_in *in, void (*f)(const char *line)) { in->warn = f; }

static const char *name(const lm_in *in)
{
    const char *p = in->paths[in->at < in->npaths ? in->at : in->npaths - 1];

    return strcmp(p, "-") ? p : "stdin";
}

const char *lm_in_name(const lm_in *in) { return name(in); }

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
static int bad(lm_in *in, int err, const char *why)
{
    in->seq = in->next_seq;
    in->recoff = in->off;
    return in->err = lm_fail(in, err, "%s", why);
}

static void crc_upto(lm_in *in, size_t to)
{
    if (to > in->crcat)
        in->crc = lm_crc32_fast(in->crc, in->buf + in->crcat, to - in->crcat);
    in->crcat = to;
}

static void on_block(void *ctx)
{
    lm_in *in = ctx;

    if (in->block)
        in->block(in->block_ctx);
    else if (in->tie)
        lm_out_flush(in->tie);         /* its error is sticky and shows at the next write */
}

/* Makes at least need bytes unread, if the file has them; grows as they come, so a false length in
   a short file costs no memory. Returns false with in->err set on a read error. */
static bool fill(lm_in *in, size_t need)
{
    while (in->hi - in->lo < need && !in->eof) {
        ssize_t k;

        if (in->tie)
            lm_out_settle(in->tie);
        if (in->open)
            crc_upto(in, in->lo);
        if (in->lo && (in->lo == in->hi || in->cap - in->lo < need || in->cap == in->hi)) {
            memmove(in->buf, in->buf + in->lo, in->hi - in->lo);
            in->crcat -= in->lo < in->crcat ? in->lo : in->crcat;
            in->hi -= in->lo;
            in->lo = 0;
        }
        if (in->hi == in->cap) {
            in->cap = in->cap ? in->cap * 2 : BUF;
            in->buf = lm_realloc(in->buf, in->cap);
        }
        k = lm_src_read(in->src, in->buf + in->hi, in->cap - in->hi, on_block, in);
        if (k < 0) {
            if (k == LM_ETRUNC || k == LM_ECORRUPT) {
                in->seq = in->next_seq;
                in->recoff = in->off;
                lm_fail(in, (int)k, "%s", lm_last_error()->detail);
            }
            in->err = (int)k;
            return false;
        }
        in->eof = k == 0;
        in->hi += (size_t)k;
        in->st.bytes += (uint64_t)k;
    }
    return true;
}

static void eat(lm_in *in, size_t n)
{
    in->lo += n;
    in->off += n;
}

/* The next line with its LF in *line; 1, 0 at the end of the file, <0. */
static int line(lm_in *in, lm_str *out)
{
    size_t seen = 0;

    for (;;) {
        size_t have = in->hi - in->lo, top = have < LM_MAX_HEAD ? have : LM_MAX_HEAD;
        const char *p = in->buf + in->lo;
        const char *lf = top > seen ? memchr(p + seen, '\n', top - seen) : NULL;

        if (lf) {
            *out = (lm_str){p, (size_t)(lf - p) + 1};
            return 1;
        }
        seen = top;
        if (have && *p != '@' && *p != '%')
            return bad(in, LM_ECORRUPT, in->any || in->n ? "junk between records"
                       : "not an lm stream (lm-import reads other files)");
        if (have >= LM_MAX_HEAD)
            return bad(in, LM_ELIMIT, "header line over 65536 bytes");
        if (in->eof)
            return have ? bad(in, LM_ETRUNC, "the file ends inside a header line") : 0;
        if (!fill(in, have + 1))
            return in->err;
    }
}

static int counts_check(lm_in *in, lm_str attrs, uint64_t n, uint64_t b)
{
    uint64_t vn, vb;

    if (!lm_parse_u64(lm_attr_find(attrs, "n"), &vn) || !lm_parse_u64(lm_attr_find(attrs, "b"), &vb))
        return bad(in, LM_ECORRUPT, "no n= or b= in the note");
    if (vn != n || vb != b) {
        char why[128];

        snprintf(why, sizeof why, "%llu records, %llu bytes read where the note says %llu, %llu",
                 (unsigned long long)n, (unsigned long long)b, (unsigned long long)vn,
                 (unsigned long long)vb);
        return bad(in, LM_ECORRUPT, why);
    }
    return 0;
}

static int end_check(lm_in *in, lm_str attrs)
{
    lm_str crc = lm_attr_find(attrs, "crc");
    char have[16];

    crc_upto(in, in->lo);
    if (counts_check(in, attrs, in->n, in->b) < 0)
        return in->err;
    snprintf(have, sizeof have, "%08x", in->crc);
    if (crc.p && !in->nocrc && !lm_is(crc, have))
        return bad(in, LM_ECORRUPT, "checksum differs: bytes were changed");
    return 0;
}

static int open_stream(lm_in *in, lm_str ln, lm_str word)
{
    uint64_t v;

    if (in->open)
        return bad(in, LM_ETRUNC, "a new stream begins before the end of this one");
    if (!lm_parse_u64(word, &v))
        return bad(in, LM_ECORRUPT, "bad %lm line");
    if (v != 1)
        return bad(in, LM_EVERSION, "stream version is not 1: written by newer tools");
    eat(in, ln.n);
    in->open = in->any = true;
    in->n = in->b = in->segn = in->segb = 0;
    in->crc = 0;
    in->crcat = in->lo;
    in->nocrc = false;
    return 0;
}

static void hand_note(lm_in *in, lm_str ln)
{
    if (in->note)
        in->note(in->note_ctx, ln);
    else if (in->tie)
        lm_out_note(in->tie, ln);
}

/* A line that starts with '%'. 0 = gone past, <0. */
static int note(lm_in *in, lm_str ln)
{
    const char *end = ln.p + ln.n - 1, *sp;
    lm_str word, attrs = {NULL, 0}, bare = {ln.p, ln.n - 1};
    const char *why = NULL;
    int err = 0;

    if (ln.n > 2 && ln.p[1] == '#') {
        for (const char *p = ln.p; p < end; p++)
            if (*p < 0x20 || *p > 0x7e)
                return bad(in, LM_ECORRUPT, "bad byte in a note");
        if (!in->open)
            return bad(in, LM_ECORRUPT, "a note outside a stream");
        hand_note(in, bare);
        eat(in, ln.n);
        return 0;
    }
    sp = memchr(ln.p, ' ', ln.n);
    word = (lm_str){ln.p + 1, (size_t)((sp ? sp : end) - ln.p) - 1};
    if (lm_is(word, "lm") && sp) {     /* "%lm N attrs": N is no attribute */
        const char *stop = memchr(sp + 1, ' ', (size_t)(end - sp - 1));

        if (!stop)
            stop = end;
        if (lm_attrs_check(stop, end, &attrs))
            return bad(in, LM_ECORRUPT, "bad %lm line");
        return open_stream(in, ln, (lm_str){sp + 1, (size_t)(stop - sp - 1)});
    }
    if (!word.n || word.n > 32 || word.p[0] < 'a' || word.p[0] > 'z')
        why = "bad note";
    for (size_t i = 0; !why && i < word.n; i++)
        if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789-", word.p[i], 37))
            why = "bad note";
    if (!why)
        why = lm_attrs_check(sp ? sp : end, end, &attrs);
    if (why)
        return bad(in, LM_ECORRUPT, why);
    if (!in->open)
        return bad(in, LM_ECORRUPT, in->any ? "a note after %end" : "no %lm line");
    if (lm_is(word, "end")) {
        err = end_check(in, attrs);
        in->open = false;
    } else if (lm_is(word, "abort")) {
        in->abort.n = 0;
        lm_buf_add(&in->abort, bare.p, bare.n);
        return bad(in, LM_EABORT, "upstream aborted");
    } else if (lm_is(word, "seg")) {
        err = counts_check(in, attrs, in->segn, in->segb);
        in->segn = in->segb = 0;
        if (!err)
            hand_note(in, bare);
    } else {
        hand_note(in, bare);
    }
    eat(in, ln.n);
    return err;
}

/* --lax: tells of the trouble and finds the next header whose record is whole. 1 = go on, 0 = the file is done. */
static int lax_skip(lm_in *in)
{
    lm_error *e = lm_last_error();
    char text[1800];

    if (in->err == LM_EIO || in->err == LM_EABORT)
        return -1;
    snprintf(text, sizeof text, "%s: %s: %s", e->where, lm_class_name(e->err), e->detail);
    if (in->warn)
        in->warn(text);
    in->st.skipped++;
    in->err = 0;
    in->nocrc = true;
    in->open = in->any = true;
    for (;;) {
        char *p, *lf;

        eat(in, in->hi > in->lo ? 1 : 0);
        p = in->buf + in->lo;
        lf = in->hi > in->lo ? memchr(p, '\n', in->hi - in->lo) : NULL;
        if (!lf) {
            eat(in, in->hi - in->lo);
            if (in->eof || !fill(in, 1))
                return in->err ? -1 : 0;
            if (in->hi == in->lo)
                return 0;
            continue;
        }
        eat(in, (size_t)(lf - p));
        if (!fill(in, 2))
            return -1;
        if (in->hi - in->lo < 2)
            return 0;
        p = in->buf + in->lo + 1;
        if (*p == '@' && fill(in, LM_MAX_HEAD)) {
            lm_rec r = {0};
            uint64_t len;
            const char *why, *q;

            p = in->buf + in->lo + 1;
            q = memchr(p, '\n', in->hi - in->lo - 1);
            if (!q || lm_head_parse(p, (size_t)(q - p) + 1, &r, &len, &why) || len > lm_max_body)
                continue;
            if (!fill(in, (size_t)(q - p) + 3 + len))
                return -1;
            p = in->buf + in->lo + 1;
            q = memchr(p, '\n', in->hi - in->lo - 1);
            if (in->hi - in->lo < (size_t)(q - p) + 3 + len || q[len + 1] != '\n')
                continue;
            eat(in, 1);
            return 1;
        }
    }
}

/* The LF behind a body that lm_next_head left, after hopping over what is unread. */
static int hop(lm_in *in)
{
    while (in->left) {
        size_t have = in->hi - in->lo;

        if (have > in->left)
            have = (size_t)in->left;
        eat(in, have);
        in->left -= have;
        if (in->left > BUF && lm_src_seekable(in->src)) {
            in->nocrc = true;
            if (lm_src_skip(in->src, in->left) < 0)
                return in->err = LM_EIO;
            in->off += in->left;
            in->st.bytes += in->left;
            in->left = 0;
        } else if (in->left) {
            if (!fill(in, 1))
                return in->err;
            if (in->lo == in->hi)
                return in->err = lm_fail(in, LM_ETRUNC, "the file ends inside a body");
        }
    }
    if (!fill(in, 1))
        return in->err;
    if (in->lo == in->hi)
        return in->err = lm_fail(in, LM_ETRUNC, "the file ends inside a body");
    if (in->buf[in->lo] != '\n')
        return in->err = lm_fail(in, LM_ECORRUPT, "no LF after body");
    eat(in, 1);
    in->pending = false;
    return 0;
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
    in->lo = in->hi = in->crcat = 0;
    in->eof = in->open = in->any = false;
    in->off = in->next_seq = in->seq = in->recoff = 0;
    return 1;
}

/* Finds the next header; *ln is its line. 1, 0, <0. */
static int header(lm_in *in, lm_rec *r, lm_str *ln, uint64_t *len)
{
    const char *why;
    int rc;

    for (;;) {
        if (!in->src) {
            rc = next_file(in);
            if (rc <= 0)
                return rc;
        }
        rc = line(in, ln);
        if (rc < 0)
            return rc;
        if (rc == 0) {
            if (in->open && !(in->flags & LM_IN_LAX && in->nocrc))
                return bad(in, LM_ETRUNC, "the stream has no %end");
            if (!in->any)
                return bad(in, LM_ETRUNC, "empty: not even a %lm line");
            rc = next_file(in);
            if (rc <= 0)
                return rc;
            continue;
        }
        if (ln->p[0] == '%') {
            if (note(in, *ln) < 0)
                return in->err;
            continue;
        }
        if (ln->p[0] != '@')
            return bad(in, LM_ECORRUPT, in->any ? "junk between records"
                       : "not an lm stream (lm-import reads other files)");
        if (!in->open)
            return bad(in, LM_ECORRUPT, in->any ? "a record after %end" : "a record before %lm");
        rc = lm_head_parse(ln->p, ln->n, r, len, &why);
        if (rc < 0)
            return bad(in, rc, why);
        return 1;
    }
}

static void counted(lm_in *in, lm_rec *r, uint64_t len)
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
    in->st.recs++;
    in->st.body += len;
}

static int next(lm_in *in, lm_rec *r)
{
    lm_str ln;
    uint64_t len;
    size_t total;
    int rc;

    if (in->pending && hop(in) < 0)
        return in->err;
    rc = header(in, r, &ln, &len);
    if (rc <= 0)
        return rc;
    if (len > lm_max_body)
        return bad(in, LM_ELIMIT, "the body is larger than LM_MAX_BODY");
    total = ln.n + (size_t)len + 1;
    if (in->hi - in->lo < total) {
        ptrdiff_t type = r->type.p - ln.p, attrs = r->attrs.p - ln.p;

        if (!fill(in, total))
            return in->err;
        if (in->hi - in->lo < total)
            return bad(in, LM_ETRUNC, "the file ends inside a body");
        ln.p = in->buf + in->lo;       /* the buffer may have moved */
        r->type.p = ln.p + type;
        r->attrs.p = ln.p + attrs;
    }
    r->raw = (lm_str){ln.p, total};
    r->body = (lm_str){ln.p + ln.n, (size_t)len};
    if (ln.p[total - 1] != '\n')
        return bad(in, LM_ECORRUPT, "no LF after body");
    counted(in, r, len);
    eat(in, total);
    return 1;
}

int lm_next(lm_in *in, lm_rec *r)
{
    int rc;

    if (in->err)
        return in->err;
    lm_rec_begin(r);
    while ((rc = next(in, r)) < 0 && in->flags & LM_IN_LAX) {
        int more = lax_skip(in);

        in->pending = false;
        in->left = 0;
        if (more < 0)
            return in->err;
        lm_rec_begin(r);
    }
    return rc;
}

int lm_next_head(lm_in *in, lm_rec *r, uint64_t *len)
{
    lm_str ln;
    int rc;

    if (in->err)
        return in->err;
    if (in->pending && hop(in) < 0)
        return in->err;
    lm_rec_begin(r);
    rc = header(in, r, &ln, len);
    if (rc <= 0)
        return rc;
    /* the header must outlive reads of the body: it moves to the record's own memory */
    if (!r->ar)
        r->ar = lm_arena_new();
    r->raw = lm_arena_str(r->ar, ln);
    r->type.p = r->raw.p + (r->type.p - ln.p);
    r->attrs.p = r->raw.p + (r->attrs.p - ln.p);
    r->body = (lm_str){"", 0};
    counted(in, r, *len);
    eat(in, ln.n);
    in->left = *len;
    in->pending = true;
    return 1;
}

ssize_t lm_body_read(lm_in *in, void *p, size_t n)
{
    size_t have;

    if (in->err)
        return in->err;
    if (n > in->left)
        n = (size_t)in->left;
    if (!n)
        return in->pending && !in->left && hop(in) < 0 ? in->err : 0;
    if (!fill(in, 1))
        return in->err;
    have = in->hi - in->lo;
    if (!have)
        return in->err = lm_fail(in, LM_ETRUNC, "the file ends inside a body");
    if (n > have)
        n = have;
    memcpy(p, in->buf + in->lo, n);
    eat(in, n);
    in->left -= n;
    return (ssize_t)n;
}

bool lm_body_map(lm_in *in, lm_str *body, uint64_t *file_off)
{
    if (!in->src || !in->pending || !lm_src_seekable(in->src))
        return false;
    if (!in->map.p) {
        uint64_t size = lm_src_size(in->src);
        void *p = size ? mmap(NULL, size, PROT_READ, MAP_SHARED, lm_src_fd(in->src), 0) : MAP_FAILED;

        if (p == MAP_FAILED)
            return false;
        in->map = (lm_str){p, (size_t)size};
    }
    if (in->off + in->left > in->map.n)
        return false;
    *body = (lm_str){in->map.p + in->off, (size_t)in->left};
    *file_off = in->off;
    return true;
}
