/* A stream cut at every byte of its first 64 KiB is never taken for whole: by records, by headers,
   in pieces, plain and compressed. The tools stand on these calls; cuts.t asks the tools
   themselves. */
#include "lm.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static int count, failed;

static void ok(bool good, const char *name)
{
    failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
}

/* Bodies of all kinds: empty, without LF, lines that look like the format. */
static void make(lm_buf *b, size_t size)
{
    uint64_t state = 7, n = 0, body = 0;

    lm_buf_adds(b, "%lm 1\n%by tool=x ver=1\n");
    while (b->n < size) {
        size_t len = lm_splitmix(&state) % 700;

        if (n % 5 == 0)
            len = 0;
        lm_buf_addf(b, "@doc %zu id=%llx path=a%%20b%s\n", len, (unsigned long long)state,
                    n % 7 ? "" : "   ");
        for (size_t i = 0; i < len; i++) {
            static const char text[] = "@doc 3\nabc\n%end n=1 b=3\n%lm 1\n\0\xff";

            lm_buf_addc(b,
                        n % 3 ? text[(i + state) % (sizeof text - 1)] : (char)lm_splitmix(&state));
        }
        lm_buf_addc(b, '\n');
        n++;
        body += len;
        if (n % 40 == 0)
            lm_buf_adds(b, "%# a remark\n");
    }
    lm_buf_addf(b, "%%end n=%llu b=%llu\n", (unsigned long long)n, (unsigned long long)body);
}

enum { WHOLE, HEADS, PIECES };

static int read_all(int fd, int how)
{
    char path[64], piece[97];
    lm_rec r = {0};
    uint64_t len;
    lm_in *in;
    int rc;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    in = lm_in_open(path, 0);
    while ((rc = how == WHOLE ? lm_next(in, &r) : lm_next_head(in, &r, &len)) == 1)
        while (how == PIECES && lm_body_read(in, piece, sizeof piece) > 0)
            continue;
    lm_in_close(in);
    lm_rec_free(&r);
    return rc;
}

static void cuts(const lm_buf *b, int how, size_t upto, size_t step, const char *name)
{
    int fd = memfd_create("cut", MFD_CLOEXEC);
    size_t bad = 0, n = 0;

    if (upto > b->n)
        upto = b->n;
    for (size_t at = 0; at < upto; at += step, n++) {
        int rc;

        if (ftruncate(fd, 0) || pwrite(fd, b->p, at, 0) != (ssize_t)at)
            abort();
        rc = read_all(fd, how);
        if (rc != LM_ETRUNC && rc != LM_ECORRUPT && bad++ < 5)
            printf("# cut at %zu: %s\n", at, rc < 0 ? lm_class_name(rc) : "no error");
    }
    if (ftruncate(fd, 0) || pwrite(fd, b->p, b->n, 0) != (ssize_t)b->n)
        abort();
    ok(!bad && n > 100 && read_all(fd, how) == 0, name);
    close(fd);
}

/* Cuts at n places by a keyed draw, all over the stream. */
static void scattered(const lm_buf *b, size_t n, const char *name)
{
    int fd = memfd_create("cut", MFD_CLOEXEC);
    uint64_t state = 11;
    size_t bad = 0;

    for (size_t i = 0; i < n; i++) {
        size_t at = lm_splitmix(&state) % b->n;
        int rc;

        if (ftruncate(fd, 0) || pwrite(fd, b->p, at, 0) != (ssize_t)at)
            abort();
        rc = read_all(fd, i % 2 ? WHOLE : HEADS);
        if (rc != LM_ETRUNC && rc != LM_ECORRUPT && bad++ < 5)
            printf("# cut at %zu: %s\n", at, rc < 0 ? lm_class_name(rc) : "no error");
    }
    ok(!bad, name);
    close(fd);
}

static void packed(const lm_buf *plain, const char *suffix, const char *name)
{
    char dir[] = "/tmp/lm-cuts-XXXXXX", path[64];
    lm_buf z = {0};
    lm_in *in;
    lm_rec r = {0};
    lm_out *out;
    int fd = memfd_create("in", MFD_CLOEXEC), since = 0;

    if (!mkdtemp(dir) || pwrite(fd, plain->p, plain->n, 0) != (ssize_t)plain->n)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    in = lm_in_open(path, 0);
    snprintf(path, sizeof path, "%s/x%s", dir, suffix);
    out = lm_out_open(path, 0);
    while (lm_next(in, &r) == 1) {
        lm_put(out, &r);
        if (++since % 40 == 0)
            lm_out_seg(out);
    }
    lm_out_end(out);
    lm_out_close(out);
    lm_in_close(in);
    lm_rec_free(&r);
    close(fd);
    if (lm_read_file(path, &z, 1 << 20) < 0)
        abort();
    cuts(&z, WHOLE, 65536, 7, name);
    lm_buf_free(&z);
    lm_rmtree(dir);
}

int main(void)
{
    lm_buf b = {0}, large = {0};

    make(&b, 80000);
    make(&large, 2000000);
    cuts(&b, WHOLE, 65536, 1, "every cut is seen reading records");
    cuts(&b, HEADS, 65536, 1, "every cut is seen hopping over bodies");
    cuts(&b, PIECES, 65536, 11, "cuts are seen reading bodies in pieces");
    packed(&b, ".zst", "cuts of zstd frames are seen");
    packed(&b, ".gz", "cuts of gzip members are seen");
    scattered(&large, 1000, "cuts at 1,000 places of 2 MB are seen");
    lm_buf_free(&b);
    lm_buf_free(&large);
    printf("1..%d\n", count);
    return failed != 0;
}
