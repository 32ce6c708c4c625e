/* Fuzz target: any bytes as an input stream. A stream that is read to its end, written out and read
   again is the same; a reader that hops over bodies or is lax comes to an end too. */
#include "stream/stream.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int file(char path[32], const void *p, size_t n)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    if (fd < 0 || (n && lm_write_all(fd, p, n)) || lseek(fd, 0, SEEK_SET))
        abort();
    snprintf(path, 32, "/proc/self/fd/%d", fd);
    return fd;
}

/* Reads path; each record goes to out, if any. The result of the last lm_next; counts in *recs and
 * *sum. */
static int through(const char *path, lm_out *out, int flags, uint64_t *recs, uint64_t *sum)
{
    lm_in *in = lm_in_open(path, flags);
    lm_rec r = {0};
    int rc;

    *recs = 0;
    *sum = 0;
    if (out)
        lm_in_tie(in, out);
    while ((rc = lm_next(in, &r)) > 0) {
        ++*recs;
        *sum = *sum * 31 + lm_hash64(r.body.p, r.body.n, r.type.n);
        if (out && lm_put(out, &r) < 0)
            abort();
    }
    if (!rc && out && lm_out_end(out) < 0)
        abort();
    lm_in_close(in);
    lm_rec_free(&r);
    return rc;
}

static void hop(const char *path)
{
    lm_in *in = lm_in_open(path, 0);
    lm_rec r = {0};
    uint64_t len, file_off;
    char buf[100];
    lm_str body;

    while (lm_next_head(in, &r, &len) > 0) {
        if (lm_body_map(in, &body, &file_off) && body.n != len)
            abort();
        if (len % 3 == 1)
            while (lm_body_read(in, buf, sizeof buf) > 0)
                ;
        else if (len % 3 == 2)
            (void)lm_body_read(in, buf, 1);
    }
    lm_in_close(in);
    lm_rec_free(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    char path[32], path2[32];
    uint64_t recs, recs2, sum, sum2;
    int fd = file(path, p, n), fd2 = file(path2, NULL, 0);
    lm_out *out = lm_out_fd(fd2, "fuzz", n & 1 ? LM_OUT_CRC : 0);
    int rc;

    lm_max_body = 1 << 20;
    rc = through(path, out, 0, &recs, &sum);
    lm_out_close(out);
    if (!rc && (lseek(fd2, 0, SEEK_SET) || through(path2, NULL, 0, &recs2, &sum2) ||
                recs != recs2 || sum != sum2))
        abort();
    if (rc > 0 || (rc < 0 && !*lm_last_error()->detail))
        abort();
    rc = through(path, NULL, LM_IN_LAX, &recs2, &sum2);
    if (rc < 0 && rc != LM_EABORT && rc != LM_EIO && rc != LM_EVERSION)
        abort();
    hop(path);
    close(fd);
    close(fd2);
    return 0;
}
