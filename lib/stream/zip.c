/* zip: compressed output, X.gz or X.zst by the file's name, through libarchive. A stream is cut
   into frames at %seg, so that readers can start at any of them. */
#include "stream/io.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>

struct lm_zip {
    int fd;
    bool gzip, open;
    struct archive *ar;
};

lm_zip *lm_zip_for(const char *path, int fd)
{
    size_t n = strlen(path);
    bool gz = n > 3 && !strcmp(path + n - 3, ".gz"), zst = n > 4 && !strcmp(path + n - 4, ".zst");
    lm_zip *z;

    if (!gz && !zst)
        return NULL;
    z = lm_zalloc(1, sizeof *z);
    z->fd = fd;
    z->gzip = gz;
    return z;
}

static int fail(lm_zip *z)
{
    return lm_err(LM_EIO, "cannot compress: %s",
                  archive_error_string(z->ar) ? archive_error_string(z->ar) : strerror(errno));
}

static ssize_t sink(struct archive *a, void *ctx, const void *p, size_t n)
{
    lm_zip *z = ctx;

    if (lm_write_all(z->fd, p, n)) {
        archive_set_error(a, errno, "cannot write: %s", strerror(errno));
        return -1;
    }
    return (ssize_t)n;
}

static int frame(lm_zip *z)
{
    struct archive_entry *e;
    int rc;

    z->ar = archive_write_new();
    if (!z->ar)
        return lm_err(LM_EMEM, "cannot start compression");
    archive_write_set_format_raw(z->ar);
    if (z->gzip) {
        archive_write_add_filter_gzip(z->ar);
        archive_write_set_filter_option(z->ar, "gzip", "timestamp",
                                        NULL); /* equal bytes at any hour */
    } else {
        archive_write_add_filter_zstd(z->ar);
    }
    archive_write_set_bytes_per_block(z->ar, 0);
    e = archive_entry_new();
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_pathname(e, "stream");
    rc = archive_write_open(z->ar, z, NULL, sink, NULL) == ARCHIVE_OK &&
         archive_write_header(z->ar, e) == ARCHIVE_OK;
    archive_entry_free(e);
    z->open = true;
    return rc ? 0 : fail(z);
}

int lm_zip_write(lm_zip *z, const void *p, size_t n)
{
    if (!n)
        return 0;
    if (!z->open && frame(z) < 0)
        return -1;
    if (archive_write_data(z->ar, p, n) != (ssize_t)n)
        return fail(z);
    return 0;
}

int lm_zip_flush(lm_zip *z)
{
    int err = 0;

    if (!z->open)
        return 0;
    if (archive_write_close(z->ar) != ARCHIVE_OK)
        err = fail(z);
    archive_write_free(z->ar);
    z->open = false;
    return err;
}

int lm_zip_close(lm_zip *z)
{
    int err = lm_zip_flush(z);

    free(z);
    return err;
}
