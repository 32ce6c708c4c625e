/* frames: where the frames of a compressed file start, and what each decodes to. gzip members are
   found by inflating; zstd frames by their block headers (RFC 8878), then decoded for their size.
 */
#include "stream/stream.h"
#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

typedef struct {
    lm_frame *v;
    size_t n, cap;
} frames;

static void add(frames *f, uint64_t off, uint64_t at)
{
    LM_GROW(f->v, f->n, f->cap);
    f->v[f->n++] = (lm_frame){off, at};
}

static int gunzip(lm_str m, const char *path, frames *f)
{
    static const char magic[] = "\x1f\x8b";
    unsigned char *out = lm_alloc(1 << 18);
    uint64_t at = 0, pos = 0;
    int rc = Z_OK;

    while (pos < m.n && (!pos || (m.n - pos >= 2 && !memcmp(m.p + pos, magic, 2)))) {
        z_stream z = {0};

        if (inflateInit2(&z, 15 + 16) != Z_OK)
            lm_oom_hook(0);
        add(f, pos, at);
        do {
            size_t left = m.n - pos;
            uInt give = left > (1 << 30) ? 1u << 30 : (uInt)left;

            z.next_in = (unsigned char *)(uintptr_t)(m.p + pos);
            z.avail_in = give;
            z.next_out = out;
            z.avail_out = 1 << 18;
            rc = inflate(&z, Z_NO_FLUSH);
            pos += give - z.avail_in;
            at += (1 << 18) - z.avail_out;
        } while (rc == Z_OK);
        inflateEnd(&z);
        if (rc != Z_STREAM_END)
            break;
    }
    free(out);
    if (rc == Z_BUF_ERROR)
        return lm_err_at(LM_ETRUNC, path, "truncated gzip data");
    return rc == Z_STREAM_END ? 0 : lm_err_at(LM_ECORRUPT, path, "damaged gzip data");
}

static uint32_t le(const unsigned char *p, int n)
{
    uint32_t v = 0;

    while (n--)
        v = v << 8 | p[n];
    return v;
}

/* Length of the zstd frame at p; 0 = cut or damaged. */
static size_t zstd_len(const unsigned char *p, size_t n)
{
    static const unsigned char dict[] = {0, 1, 2, 4}, size[] = {0, 2, 4, 8};
    size_t at = 5;
    unsigned d;

    if (n >= 8 && (le(p, 4) & 0xfffffff0u) == 0x184d2a50u) /* skippable */
        return le(p + 4, 4) <= n - 8 ? 8 + (size_t)le(p + 4, 4) : 0;
    if (n < 6 || le(p, 4) != 0xfd2fb528u)
        return 0;
    d = p[4];
    at += (d & 32 ? 0 : 1) + dict[d & 3] + (d >> 6 ? size[d >> 6] : d & 32 ? 1 : 0);
    for (;;) {
        uint32_t h;

        if (at + 3 > n)
            return 0;
        h = le(p + at, 3);
        at += 3 + ((h >> 1 & 3) == 1 ? 1 : h >> 3);
        if (h & 1)
            break;
    }
    at += d & 4 ? 4 : 0;
    return at <= n ? at : 0;
}

static int zstd_size(lm_str frame, const char *path, uint64_t *size)
{
    struct archive *a = archive_read_new();
    struct archive_entry *e;
    char *out = lm_alloc(1 << 18);
    ssize_t k = -1;

    if (!a)
        lm_oom_hook(0);
    archive_read_support_filter_zstd(a);
    archive_read_support_format_raw(a);
    archive_read_support_format_empty(a);
    if (archive_read_open_memory(a, frame.p, frame.n) == ARCHIVE_OK) {
        int rc = archive_read_next_header(a, &e);

        k = rc == ARCHIVE_EOF ? 0 : -1;
        if (rc == ARCHIVE_OK)
            while ((k = archive_read_data(a, out, 1 << 18)) > 0)
                *size += (uint64_t)k;
    }
    archive_read_free(a);
    free(out);
    return k < 0 ? lm_err_at(LM_ECORRUPT, path, "damaged zstd data") : 0;
}

static int unzstd(lm_str m, const char *path, frames *f)
{
    uint64_t at = 0;
    size_t pos = 0, len;
    int err;

    for (; pos < m.n; pos += len) {
        len = zstd_len((const unsigned char *)m.p + pos, m.n - pos);
        if (!len)
            return lm_err_at(LM_ETRUNC, path, "truncated or damaged zstd data");
        add(f, pos, at);
        err = zstd_size((lm_str){m.p + pos, len}, path, &at);
        if (err)
            return err;
    }
    return 0;
}

int lm_frames(const char *path, lm_frame **v, size_t *n)
{
    frames f = {0};
    lm_str m;
    int err = lm_mmap_file(path, &m);

    *v = NULL;
    *n = 0;
    if (err)
        return err;
    if (m.n >= 2 && !memcmp(m.p, "\x1f\x8b", 2))
        err = gunzip(m, path, &f);
    else if (m.n >= 4 && !memcmp(m.p, "\x28\xb5\x2f\xfd", 4))
        err = unzstd(m, path, &f);
    lm_munmap_file(m);
    if (err) {
        free(f.v);
        return err;
    }
    *v = f.v;
    *n = f.n;
    return 0;
}
