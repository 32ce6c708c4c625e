/* Members and bytes of foreign files: every archive format and filter libarchive can write here,
   cut and damaged at many places: never more than was there, and what is told is told once. */
#include "text/source.h"
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <unistd.h>

static int count, failed;

static void ok(bool good, const char *what, const char *of)
{
    failed += !good;
    printf("%sok %d - %s: %s\n", good ? "" : "not ", ++count, what, of);
}

static const char *const names[] = {"a.c", "dir/b.py", "\303\274.txt", "empty"};
enum { N = 4 };

static void body(int i, lm_buf *b)
{
    uint64_t rng = (uint64_t)i;

    b->n = 0;
    if (i < N - 1)
        for (int k = 0; k < 3000 * (i + 1); k++)
            lm_buf_addc(b, (char)(' ' + lm_splitmix(&rng) % (i == 1 ? 3 : 90)));
}

/* The archive in path; false if this libarchive lacks the format or filter. */
static bool make(const char *path, int format, int filter)
{
    struct archive *a = archive_write_new();
    lm_buf b = {0};
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), old = uselocale(utf8);
    bool good = archive_write_set_format(a, format) == ARCHIVE_OK &&
                archive_write_add_filter(a, filter) == ARCHIVE_OK &&
                archive_write_open_filename(a, path) == ARCHIVE_OK;

    for (int i = 0; good && i < N; i++) {
        struct archive_entry *e = archive_entry_new();

        body(i, &b);
        archive_entry_set_pathname(e, names[i]);
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_size(e, (la_int64_t)b.n);
        good = archive_write_header(a, e) >= ARCHIVE_WARN &&
               archive_write_data(a, b.p, b.n) == (la_ssize_t)b.n;
        archive_entry_free(e);
    }
    good = archive_write_close(a) == ARCHIVE_OK && good;
    archive_write_free(a);
    uselocale(old);
    freelocale(utf8);
    lm_buf_free(&b);
    return good;
}

/* Reads path; how many members were whole and right, -1 if one was wrong. *err: how it ended. */
static int read_all(const char *path, unsigned kinds, int *err)
{
    lm_source *s = lm_source_open(path, kinds, 1000);
    struct archive_entry *e;
    lm_buf want = {0}, got = {0};
    int right = 0, bad = 0, rc;

    if (!s) {
        *err = lm_last_error()->err;
        return 0;
    }
    *err = 0;
    while (bad < 20 && (rc = lm_source_member(s, &e)) > 0) {
        const char *name = rc == 1 ? archive_entry_pathname(e) : NULL;

        if (rc == 1)
            rc = lm_source_data(s, 1 << 20, &got);
        if (rc == LM_NO_MEMBER)
            *err = LM_EINVALID, bad++;
        if (rc < 0)
            break;
        if (rc != 1)
            continue;
        for (int i = 0; i < N; i++)
            if (name && !strcmp(name, names[i])) {
                body(i, &want);
                if (!lm_eq(lm_buf_str(&want), lm_buf_str(&got)))
                    right = -1000;
                right++;
            }
    }
    if (rc < 0)
        *err = rc;
    lm_source_close(s);
    lm_buf_free(&want);
    lm_buf_free(&got);
    return right;
}

static void write_file(const char *path, const char *p, size_t n)
{
    FILE *f = fopen(path, "wb");

    if (!f || fwrite(p, 1, n, f) != n || fclose(f))
        exit(1);
}

static void one(const char *what, int format, int filter, unsigned kind, bool sums)
{
    char path[] = "/tmp/lm-source-XXXXXX", cut[] = "/tmp/lm-source-XXXXXX";
    int fd = mkstemp(path), fd2 = mkstemp(cut), err, right;
    bool prefix = true, flips = true;
    lm_buf all = {0};

    if (fd < 0 || fd2 < 0)
        exit(1);
    close(fd);
    close(fd2);
    if (!make(path, format, filter)) {
        printf("ok %d - %s # SKIP this libarchive cannot write it\n", ++count, what);
    } else {
        right = read_all(path, kind, &err);
        ok(right == N && !err, "all members come back", what);
        right =
            read_all(path,
                     LM_SOURCE_TAR | LM_SOURCE_ZIP | LM_SOURCE_7Z | LM_SOURCE_CPIO | LM_SOURCE_RAW,
                     &err);
        ok(right == N && !err, "it is known by itself", what);
        lm_read_file(path, &all, 1 << 24);
        for (size_t n = 0; n < all.n; n += all.n / 60 + 1) {
            write_file(cut, all.p, n);
            prefix = prefix && (right = read_all(cut, kind, &err)) >= 0 && right <= N;
        }
        ok(prefix, "cut anywhere, no member is wrong", what);
        for (size_t n = 0; sums && n < all.n; n += all.n / 60 + 1) {
            all.p[n] ^= 0x20;
            write_file(cut, all.p, all.n);
            flips = flips && read_all(cut, kind, &err) >= 0;
            all.p[n] ^= 0x20;
        }
        if (sums)
            ok(flips, "damaged anywhere, no member is wrong", what);
    }
    lm_buf_free(&all);
    unlink(path);
    unlink(cut);
}

int main(void)
{
    one("pax tar", ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_NONE, LM_SOURCE_TAR, false);
    one("ustar, gzip", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_GZIP, LM_SOURCE_TAR, false);
    one("GNU tar, bzip2", ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_BZIP2, LM_SOURCE_TAR, true);
    one("tar, xz", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_XZ, LM_SOURCE_TAR, true);
    one("tar, zstd", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_ZSTD, LM_SOURCE_TAR, false);
    one("tar, lz4", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_LZ4, LM_SOURCE_TAR, false);
    one("tar, compress", ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_COMPRESS, LM_SOURCE_TAR, false);
    one("zip", ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, LM_SOURCE_ZIP, true);
    one("7z", ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE, LM_SOURCE_7Z, true);
    one("newc cpio", ARCHIVE_FORMAT_CPIO_SVR4_NOCRC, ARCHIVE_FILTER_NONE, LM_SOURCE_CPIO, false);
    one("odc cpio, gzip", ARCHIVE_FORMAT_CPIO_POSIX, ARCHIVE_FILTER_GZIP, LM_SOURCE_CPIO, false);
    printf("1..%d\n", count);
    return failed > 0;
}
