/* src: the bytes of one input. gzip and zstd are recognised by their magic and decoded by
 * libarchive. */
#include "stream/io.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

struct lm_src {
    int fd;
    char *name;
    bool regular, eof;
    struct archive *ar; /* set once the magic was seen */
    char head[4];       /* sniffed bytes not yet handed on */
    size_t nhead, athead;
    bool sniffed;
    uint64_t size, done;
    void (*block)(void *);
    void *ctx;
    char *zbuf; /* compressed bytes on their way to libarchive */
};
#define ZBUF (256 << 10)

lm_src *lm_src_open(const char *path)
{
    struct stat st;
    bool std = !strcmp(path, "-");
    int fd = std ? dup(0) : open(path, O_RDONLY | O_CLOEXEC);
    lm_src *s;

    if (fd < 0 || fstat(fd, &st)) {
        lm_err_sys(path, "cannot open");
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (S_ISDIR(st.st_mode)) {
        close(fd);
        lm_err_at(LM_EIO, path, "is a folder");
        return NULL;
    }
    s = lm_zalloc(1, sizeof *s);
    s->fd = fd;
    s->name = lm_strdup(path);
    s->regular = S_ISREG(st.st_mode);
    s->size = s->regular ? (uint64_t)st.st_size : 0;
    if (S_ISFIFO(st.st_mode))
        (void)fcntl(fd, F_SETPIPE_SZ, 1 << 20); /* a refusal costs speed alone */
    return s;
}

static ssize_t fd_read(lm_src *s, void *p, size_t n)
{
    ssize_t k;

    if (!s->regular && s->block) {
        struct pollfd pf = {s->fd, POLLIN, 0};

        if (poll(&pf, 1, 0) == 0)
            s->block(s->ctx);
    }
    while ((k = read(s->fd, p, n)) < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd pf = {s->fd, POLLIN, 0};

            (void)poll(&pf, 1, -1);
        } else if (errno != EINTR) {
            return lm_err_sys(s->name, "cannot read");
        }
    }
    s->done += (uint64_t)k;
    return k;
}

static ssize_t zread(struct archive *a, void *ctx, const void **p)
{
    lm_src *s = ctx;
    ssize_t k;

    *p = s->zbuf;
    if (s->athead < s->nhead) {
        k = (ssize_t)s->nhead;
        memcpy(s->zbuf, s->head, s->nhead);
        s->athead = s->nhead;
        return k;
    }
    k = fd_read(s, s->zbuf, ZBUF);
    if (k < 0) {
        archive_set_error(a, EIO, "%s", lm_last_error()->detail);
        return ARCHIVE_FATAL;
    }
    return k;
}

static int zfail(lm_src *s)
{
    const char *why = archive_error_string(s->ar);
    int no = archive_errno(s->ar);

    if (!why)
        why = "cannot decompress";
    if (no == EIO)
        return lm_err_at(LM_EIO, s->name, "%s", why);
    if (strcasestr(why, "truncated"))
        return lm_err_at(LM_ETRUNC, s->name, "%s", why);
    return lm_err_at(LM_ECORRUPT, s->name, "%s", why);
}

static int zopen(lm_src *s)
{
    struct archive_entry *e;
    int rc;

    s->zbuf = lm_alloc(ZBUF);
    s->ar = archive_read_new();
    if (!s->ar)
        lm_oom_hook(0);
    archive_read_support_filter_gzip(s->ar);
    archive_read_support_filter_zstd(s->ar);
    archive_read_support_format_raw(s->ar);
    archive_read_support_format_empty(s->ar);
    if (archive_read_open(s->ar, s, NULL, zread, NULL) != ARCHIVE_OK)
        return zfail(s);
    rc = archive_read_next_header(s->ar, &e);
    if (rc == ARCHIVE_EOF)
        s->eof = true;
    else if (rc != ARCHIVE_OK)
        return zfail(s);
    return 0;
}

static int sniff(lm_src *s)
{
    static const char gz[] = "\x1f\x8b", zst[] = "\x28\xb5\x2f\xfd";

    while (s->nhead < 4) {
        ssize_t k = fd_read(s, s->head + s->nhead, 4 - s->nhead);

        if (k < 0)
            return (int)k;
        s->nhead += (size_t)k;
        if (!k || memcmp(s->head, gz, s->nhead < 2 ? s->nhead : 2))
            if (!k || memcmp(s->head, zst, s->nhead))
                break;
    }
    s->sniffed = true;
    if ((s->nhead >= 2 && !memcmp(s->head, gz, 2)) || (s->nhead == 4 && !memcmp(s->head, zst, 4))) {
        s->regular = false; /* never seek in it */
        return zopen(s);
    }
    return 0;
}

ssize_t lm_src_read(lm_src *s, void *p, size_t n, void (*block)(void *), void *ctx)
{
    int err;

    s->block = block;
    s->ctx = ctx;
    if (!s->sniffed && (err = sniff(s)) < 0)
        return err;
    if (s->ar) {
        ssize_t k = s->eof ? 0 : archive_read_data(s->ar, p, n);

        return k < 0 ? zfail(s) : k;
    }
    if (s->athead < s->nhead) {
        size_t k = s->nhead - s->athead;

        if (k > n)
            k = n;
        memcpy(p, s->head + s->athead, k);
        s->athead += k;
        return (ssize_t)k;
    }
    return fd_read(s, p, n);
}

bool lm_src_seekable(const lm_src *s)
{
    return s->regular && s->sniffed && !s->ar && s->athead == s->nhead;
}

int lm_src_skip(lm_src *s, uint64_t n)
{
    if (lseek(s->fd, (off_t)n, SEEK_CUR) < 0)
        return lm_err_sys(s->name, "cannot seek");
    s->done += n;
    return 0;
}

int lm_src_seek(lm_src *s, uint64_t off)
{
    if (lseek(s->fd, (off_t)off, SEEK_SET) < 0)
        return lm_err_sys(s->name, "cannot seek");
    if (s->ar)
        archive_read_free(s->ar);
    free(s->zbuf);
    s->ar = NULL;
    s->zbuf = NULL;
    s->regular = true;
    s->eof = s->sniffed = false;
    s->nhead = s->athead = 0;
    s->done = off;
    return 0;
}

bool lm_src_regular(const lm_src *s)
{
    return s->size > 0;
}
int lm_src_fd(const lm_src *s)
{
    return s->fd;
}
uint64_t lm_src_size(const lm_src *s)
{
    return s->size;
}
uint64_t lm_src_done(const lm_src *s)
{
    return s->done;
}

void lm_src_close(lm_src *s)
{
    if (!s)
        return;
    if (s->ar)
        archive_read_free(s->ar);
    close(s->fd);
    free(s->zbuf);
    free(s->name);
    free(s);
}
