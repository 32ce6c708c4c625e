/* Foreign files as bytes or archive members: zlib for gzip, libarchive for the rest. */
#include "text/source.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK (1u << 20)
#define SLACK (16u << 20) /* bytes out before the ratio counts */

struct lm_source {
    struct archive *a;
    struct archive_entry *e; /* of raw data */
    const char *name;
    int fd;
    unsigned kind;
    uint64_t ratio, size, in, out; /* in, out: bytes read of the file, bytes it became */
    bool gz, open, eof, seekable, empty, over;
    z_stream z;
    const char *broken; /* told after the bytes before it were handed out */
    char *ibuf, *obuf;
    locale_t utf8, old;
};

/* Reads into ibuf; 0 = end. */
static ssize_t fill(lm_source *s)
{
    ssize_t n;

    do
        n = read(s->fd, s->ibuf, BLOCK);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        s->in += (uint64_t)n;
    return n;
}

static bool bomb(lm_source *s)
{
    if (s->out > SLACK && (s->out - SLACK) / s->ratio > s->in)
        s->over = true;
    return s->over;
}

/* Inflates up to a block. A cut or damaged member ends the data, and the next call tells it. */
static la_ssize_t gunzip(lm_source *s, const void **block)
{
    z_stream *z = &s->z;

    z->next_out = (Bytef *)s->obuf;
    z->avail_out = BLOCK;
    while (z->avail_out && !s->broken && !s->eof) {
        ssize_t n;
        int rc;

        if (!z->avail_in) {
            if ((n = fill(s)) < 0)
                s->broken = strerror(errno);
            else if (!n && s->open)
                s->broken = "gzip data is cut";
            else if (!n)
                s->eof = true;
            if (n <= 0)
                break;
            z->next_in = (Bytef *)s->ibuf;
            z->avail_in = (uInt)n;
        }
        if (!s->open) { /* between members: another one, or padding */
            while (z->avail_in && !*z->next_in)
                z->next_in++, z->avail_in--;
            if (!z->avail_in)
                continue;
            if (*z->next_in != 0x1F)
                s->broken = "bytes after the gzip data";
            inflateReset(z);
            s->open = true;
            continue;
        }
        rc = inflate(z, Z_NO_FLUSH);
        if (rc == Z_STREAM_END)
            s->open = false;
        else if (rc != Z_OK && rc != Z_BUF_ERROR)
            s->broken = "gzip data is damaged";
    }
    *block = s->obuf;
    return (la_ssize_t)(BLOCK - z->avail_out);
}

static la_ssize_t on_read(struct archive *a, void *ctx, const void **block)
{
    lm_source *s = ctx;
    la_ssize_t n;

    if (s->gz) {
        n = s->broken ? 0 : gunzip(s, block);
        s->out += (uint64_t)n;
        if (n && bomb(s))
            s->broken = "more bytes out than --max-ratio allows";
        if (n || !s->broken)
            return n;
        archive_set_error(a, EILSEQ, "%s", s->broken);
        return -1;
    }
    *block = s->ibuf;
    if (s->z.avail_in) { /* what was read to look for gzip */
        n = (la_ssize_t)s->z.avail_in;
        s->z.avail_in = 0;
        return n;
    }
    if ((n = fill(s)) < 0)
        archive_set_error(a, errno, "%s", strerror(errno));
    return n;
}

static la_int64_t on_skip(struct archive *a, void *ctx, la_int64_t n)
{
    lm_source *s = ctx;

    (void)a;
    if (s->gz || !s->seekable || s->z.avail_in || n < BLOCK)
        return 0;
    return lseek(s->fd, n, SEEK_CUR) < 0 ? 0 : n;
}

static la_int64_t on_seek(struct archive *a, void *ctx, la_int64_t off, int whence)
{
    lm_source *s = ctx;
    off_t at;

    s->z.avail_in = 0;
    if ((at = lseek(s->fd, off, whence)) < 0)
        archive_set_error(a, errno, "%s", strerror(errno));
    return at < 0 ? ARCHIVE_FATAL : (la_int64_t)at;
}

static lm_source *start(const char *path)
{
    lm_source *s = lm_zalloc(1, sizeof *s);
    struct stat st;

    s->name = path;
    s->ratio = UINT64_MAX;
    s->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : 0;
    if (s->fd < 0 || fstat(s->fd, &st)) {
        lm_err_sys(path, "open");
        lm_source_close(s);
        return NULL;
    }
    s->seekable = S_ISREG(st.st_mode);
    s->size = s->seekable ? (uint64_t)st.st_size : 0;
    s->ibuf = lm_alloc(BLOCK);
    /* libarchive turns the names in headers into the locale's letters: they must stay UTF-8
       whatever the user's locale. */
    s->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    s->old = uselocale(s->utf8 ? s->utf8 : (locale_t)0);
    s->a = archive_read_new();
    if (!s->a)
        lm_oom_hook(sizeof *s);
    return s;
}

static int told(lm_source *s)
{
    const char *why = archive_error_string(s->a);

    return lm_err_at(s->over ? LM_ELIMIT : LM_EINVALID, s->name, "%s",
                     s->over ? "more bytes out than --max-ratio allows"
                     : why   ? why
                             : "damaged");
}

lm_source *lm_source_open(const char *path, unsigned kinds, uint64_t ratio)
{
    lm_source *s = start(path);
    ssize_t n;
    int rc, f;

    if (!s)
        return NULL;
    s->ratio = ratio;
    if ((n = fill(s)) < 0) {
        lm_err_sys(path, "read");
        lm_source_close(s);
        return NULL;
    }
    s->z.next_in = (Bytef *)s->ibuf;
    s->z.avail_in = (uInt)n;
    if (n > 1 && (unsigned char)s->ibuf[0] == 0x1F && (unsigned char)s->ibuf[1] == 0x8B) {
        if (inflateInit2(&s->z, 15 + 16) != Z_OK)
            lm_oom_hook(sizeof s->z);
        s->gz = s->open = true;
        s->obuf = lm_alloc(BLOCK);
    }
    /* Named one by one: the "all" of libarchive holds filters that start other programs. */
    archive_read_support_filter_bzip2(s->a);
    archive_read_support_filter_compress(s->a);
    archive_read_support_filter_gzip(s->a);
    archive_read_support_filter_lz4(s->a);
    archive_read_support_filter_lzip(s->a);
    archive_read_support_filter_lzma(s->a);
    archive_read_support_filter_xz(s->a);
    archive_read_support_filter_zstd(s->a);
    if (kinds & LM_SOURCE_TAR)
        archive_read_support_format_tar(s->a);
    if (kinds & LM_SOURCE_ZIP)
        archive_read_support_format_zip(s->a);
    if (kinds & LM_SOURCE_7Z)
        archive_read_support_format_7zip(s->a);
    if (kinds & LM_SOURCE_CPIO)
        archive_read_support_format_cpio(s->a);
    if (kinds & LM_SOURCE_RAW)
        archive_read_support_format_raw(s->a);
    archive_read_support_format_empty(s->a);
    archive_read_set_callback_data(s->a, s);
    archive_read_set_read_callback(s->a, on_read);
    archive_read_set_skip_callback(s->a, on_skip);
    if (s->seekable && !s->gz)
        archive_read_set_seek_callback(s->a, on_seek);
    rc = archive_read_open1(s->a);
    if (rc >= ARCHIVE_WARN)
        rc = archive_read_next_header(s->a, &s->e);
    if (rc < ARCHIVE_WARN) {
        told(s);
        lm_source_close(s);
        return NULL;
    }
    f = archive_format(s->a) & ARCHIVE_FORMAT_BASE_MASK;
    s->kind = f == ARCHIVE_FORMAT_TAR    ? LM_SOURCE_TAR
              : f == ARCHIVE_FORMAT_ZIP  ? LM_SOURCE_ZIP
              : f == ARCHIVE_FORMAT_7ZIP ? LM_SOURCE_7Z
              : f == ARCHIVE_FORMAT_CPIO ? LM_SOURCE_CPIO
                                         : LM_SOURCE_RAW;
    s->empty = rc == ARCHIVE_EOF;
    return s;
}

lm_source *lm_source_range(const char *path, uint64_t lo)
{
    lm_source *s = start(path);

    if (!s)
        return NULL;
    s->kind = LM_SOURCE_RAW;
    if (!s->seekable || lseek(s->fd, (off_t)lo, SEEK_SET) < 0) {
        lm_err_at(LM_EINVALID, path, "not a plain file");
        lm_source_close(s);
        return NULL;
    }
    archive_read_free(s->a);
    s->a = NULL;
    return s;
}

unsigned lm_source_kind(const lm_source *s)
{
    return s->kind;
}
uint64_t lm_source_size(const lm_source *s)
{
    return s->size;
}
uint64_t lm_source_in(const lm_source *s)
{
    return s->in;
}

bool lm_source_plain(const lm_source *s)
{
    return !s->a || (!s->gz && archive_filter_count(s->a) <= 1);
}

void lm_source_close(lm_source *s)
{
    if (!s)
        return;
    if (s->a)
        archive_read_free(s->a);
    if (s->obuf)
        inflateEnd(&s->z);
    if (s->ibuf)
        uselocale(s->old);
    if (s->utf8)
        freelocale(s->utf8);
    if (s->fd > 0)
        close(s->fd);
    free(s->ibuf);
    free(s->obuf);
    free(s);
}

int lm_source_block(lm_source *s, lm_str *block)
{
    const void *p;
    size_t n;
    la_int64_t off;
    int rc;

    *block = (lm_str){"", 0};
    if (s->empty)
        return 0;
    if (!s->a) {
        ssize_t got = fill(s);

        if (got > 0)
            *block = (lm_str){s->ibuf, (size_t)got};
        return got < 0 ? lm_err_sys(s->name, "read") : got > 0;
    }
    rc = archive_read_data_block(s->a, &p, &n, &off);
    if (rc == ARCHIVE_EOF)
        return 0;
    if (rc >= ARCHIVE_WARN)
        s->out += s->gz ? 0 : n;
    if (rc < ARCHIVE_WARN || bomb(s))
        return told(s);
    *block = (lm_str){p, n};
    return 1;
}

/* What a return code means for the member, error stored. */
static int verdict(lm_source *s, int rc)
{
    if (rc >= ARCHIVE_OK)
        return 1;
    told(s);
    return rc <= ARCHIVE_FATAL ? lm_last_error()->err : LM_NO_MEMBER;
}

int lm_source_member(lm_source *s, struct archive_entry **e)
{
    int rc = ARCHIVE_OK;

    if (s->empty)
        return 0;
    if (s->e) { /* met while opening */
        *e = s->e;
        s->e = NULL;
        return 1;
    }
    rc = archive_read_next_header(s->a, e);
    if (rc == ARCHIVE_EOF)
        return 0;
    return rc == ARCHIVE_OK || rc == ARCHIVE_WARN ? 1
                                                  : verdict(s, rc); /* a warning: owners, times */
}

static int data(lm_source *s, uint64_t max, lm_buf *out)
{
    for (;;) {
        const void *p;
        size_t n;
        la_int64_t off;
        int rc = archive_read_data_block(s->a, &p, &n, &off);

        if (rc == ARCHIVE_EOF)
            return 1;
        if (rc < ARCHIVE_OK)
            return verdict(s, rc);
        s->out += s->gz ? 0 : n;
        if (bomb(s))
            return told(s);
        if (!out)
            continue;
        if ((uint64_t)off > max || n > max - (uint64_t)off)
            return 0;
        if ((uint64_t)off > out->n) {
            size_t hole = (size_t)((uint64_t)off - out->n);

            memset(lm_buf_need(out, hole), 0, hole);
            out->n += hole;
        }
        lm_buf_add(out, p, n);
    }
}

int lm_source_skip(lm_source *s)
{
    /* Where skipping means inflating it is done block by block, under the bomb guard. */
    if (s->kind == LM_SOURCE_7Z || !lm_source_plain(s))
        return data(s, 0, NULL);
    return verdict(s, archive_read_data_skip(s->a));
}

int lm_source_data(lm_source *s, uint64_t max, lm_buf *out)
{
    int rc;

    out->n = 0;
    if ((rc = data(s, max, out)) == 0 && (rc = lm_source_skip(s)) == 1)
        rc = 0;
    return rc;
}
