/* stream: inputs and outputs: framing, several files, notes, provenance, alignment, segments,
 * aborts, damage gone past. */
#include "stream/stream.h"
#include "tap.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/lm-stream-XXXXXX";

static const char *in_dir(const char *name)
{
    static char path[4][128];
    static unsigned at;
    char *p = path[at++ % 4];

    snprintf(p, sizeof path[0], "%s/%s", dir, name);
    return p;
}

static const char *file(const char *name, const char *text)
{
    const char *path = in_dir(name);
    FILE *f = fopen(path, "w");

    if (!f || fputs(text, f) < 0 || fclose(f))
        exit(1);
    return path;
}

static bool holds(const char *path, const char *want)
{
    lm_buf b = {0};
    bool good = lm_read_file(path, &b, 1 << 20) == 0 && lm_is(lm_buf_str(&b), want);

    if (!good)
        printf("# have %s\n", b.p ? b.p : "nothing");
    lm_buf_free(&b);
    return good;
}

/* Reads to the end; the last result; number of records in *n. */
static int drain(lm_in *in, uint64_t *n)
{
    lm_rec r = {0};
    int rc;

    for (*n = 0; (rc = lm_next(in, &r)) > 0; ++*n)
        ;
    lm_rec_free(&r);
    lm_in_close(in);
    return rc;
}

static int reads(const char *text, const char *detail)
{
    uint64_t n;
    int rc = drain(lm_in_open(file("one", text), 0), &n);

    return detail && !strstr(lm_last_error()->detail, detail) ? 99 : rc;
}

static void framing(void)
{
    ok(reads("%lm 1\n%end n=0 b=0\n", NULL) == 0, "the empty stream");
    ok(reads("%lm 1\n@a 1\nx\n%end n=1 b=1\n%lm 1\n@a 0\n\n%end n=1 b=0\n", NULL) == 0,
       "two streams in a file");
    ok(reads("", NULL) == LM_ETRUNC, "nothing is truncated");
    ok(reads("%lm 1\n@a 1\nx\n", NULL) == LM_ETRUNC, "no %end is truncated");
    ok(reads("%lm 1\n@a 1\nx\n%lm 1\n%end n=0 b=0\n", "new stream") == LM_ETRUNC,
       "a stream inside another is truncated");
    ok(reads("%lm 1\n@a 1\nxx%end n=1 b=1\n", "no LF") == LM_ECORRUPT,
       "a body without LF is corrupt");
    ok(reads("%lm 1\n@a 1\nx\n%end n=2 b=1\n", NULL) == LM_ECORRUPT, "a wrong n is corrupt");
    ok(reads("%lm 1\n@a 1\nx\n%seg n=1 b=2\n%end n=1 b=1\n", NULL) == LM_ECORRUPT,
       "so is a wrong %seg");
    ok(reads("%lm 1\n%end n=0 b=0\n@a 0\n\n", NULL) == LM_ECORRUPT,
       "a record after %end is corrupt");
    ok(reads("%lm 2\n%end n=0 b=0\n", NULL) == LM_EVERSION, "a later version");
    ok(reads("%lm 1\n%abort code=3 tool=x msg=y\n", NULL) == LM_EABORT, "an abort");
    lm_max_body = 3;
    ok(reads("%lm 1\n@a 4\nxxxx\n%end n=1 b=4\n", NULL) == LM_ELIMIT,
       "a body over the bound is over the limit");
    lm_max_body = 1u << 30;
}

static void several(void)
{
    const char *paths[3], *out = in_dir("out");
    lm_in *in;
    lm_out *o;
    lm_rec r = {0};
    uint64_t n = 0;

    paths[0] = file("a", "%lm 1\n%by tool=x\n@a 1\n1\n%end n=1 b=1\n");
    paths[1] = file("b", "%lm 1\n%by tool=y\n%by tool=x\n@a 1  \n2\n%note k=v\n%end n=1 b=1\n");
    paths[2] = file("c", "%lm 1\n%by tool=y\n@a 1\n3\n%end n=1 b=1\n");
    in = lm_in_files(paths, 3, 0);
    o = lm_out_open(out, 0);
    lm_out_by(o, LM_STR("%by tool=me"));
    lm_in_tie(in, o);
    while (lm_next(in, &r) > 0) {
        n += r.seq == 0;
        lm_put(o, &r);
    }
    ok(lm_out_end(o) == 0 && n == 3 && lm_in_stats(in)->recs == 3 && lm_in_stats(in)->body == 3,
       "records are numbered in their own file, counted over all");
    lm_in_close(in);
    lm_out_close(o);
    ok(holds(out, "%lm 1\n%by tool=x\n%by tool=me\n@a 1\n1\n%by tool=y\n@a 1  \n2\n%note k=v\n@a "
                  "1\n3\n%end n=3 b=3\n"),
       "provenance once, where its input begins; notes in place; padding kept");
    in = lm_in_files(paths, 3, 0);
    o = lm_out_open(out, LM_OUT_SORTED);
    lm_out_by(o, LM_STR("%by tool=me"));
    lm_in_tie(in, o);
    while (lm_next(in, &r) > 0)
        ;
    ok(lm_out_end(o) == 0 &&
           holds(out, "%lm 1\n%by tool=x\n%by tool=y\n%by tool=me\n%end n=0 b=0\n"),
       "a reducer has them at the head, sorted, its own last");
    lm_in_close(in);
    lm_out_close(o);
    lm_rec_free(&r);
}

static void pieces(void)
{
    static char big[3000000];
    const char *path = in_dir("big");
    lm_out *o = lm_out_open(path, LM_OUT_CRC);
    lm_in *in;
    lm_rec r = {0};
    lm_str body;
    uint64_t len, off, sum = 0;
    char buf[1000];
    ssize_t k;

    memset(big, 'x', sizeof big);
    lm_rec_new(&r, "a");
    ok(lm_put_head(o, &r, 5, 64) == 0 && lm_body_write(o, "ab", 2) == 0 &&
           lm_body_write(o, "cde", 3) == 0,
       "a body is written in pieces");
    ok(lm_put_head(o, &r, sizeof big, 4096) == 0 && lm_body_write(o, big, 1000000) == 0 &&
           lm_body_write(o, big, 2000000) == 0,
       "a large one too");
    ok(lm_put_head(o, &r, 0, 0) == 0 && lm_put_head(o, &r, 3, 0) == 0 &&
           lm_body_write(o, "1234", 4) == LM_EINVALID,
       "more than its header says is refused");
    lm_out_close(o);
    ok(access(path, F_OK), "and of an output that is not ended nothing stays");
    o = lm_out_open(path, LM_OUT_CRC);
    lm_put_head(o, &r, 5, 64);
    lm_body_write(o, "abcde", 5);
    lm_put_head(o, &r, sizeof big, 4096);
    lm_body_write(o, big, sizeof big);
    lm_put_head(o, &r, 0, 0);
    ok(lm_out_end(o) == 0, "the same, ended");
    lm_out_close(o);
    in = lm_in_open(path, 0);
    ok(lm_next_head(in, &r, &len) == 1 && len == 5 && lm_body_map(in, &body, &off) &&
           lm_is(body, "abcde") && off % 64 == 0,
       "a body asked to lie at 64 does, and is mapped");
    ok(lm_next_head(in, &r, &len) == 1 && len == sizeof big && lm_body_map(in, &body, &off) &&
           off % 4096 == 0,
       "one at 4096");
    while ((k = lm_body_read(in, buf, sizeof buf)) > 0)
        sum += (uint64_t)k;
    ok(sum == sizeof big && !k, "it is read in pieces");
    ok(lm_next_head(in, &r, &len) == 1 && len == 0 && lm_next_head(in, &r, &len) == 0,
       "and hopped over, to the checked end");
    lm_in_close(in);
    lm_rec_free(&r);
}

static void compressed(void)
{
    const char *path = in_dir("z.lm.zst");
    lm_out *o = lm_out_open(path, LM_OUT_CRC);
    lm_rec r = {0};
    lm_frame *f = NULL;
    size_t nf = 0;
    uint64_t n;
    struct stat st;

    for (int i = 0; i < 10000; i++) {
        lm_rec_new(&r, "a");
        lm_setf(&r, "i", "%d", i);
        lm_put(o, &r);
        if (i == 5000)
            lm_out_seg(o);
    }
    ok(lm_out_end(o) == 0, "a name that ends in .zst asks for zstd");
    lm_out_close(o);
    lm_rec_free(&r);
    ok(drain(lm_in_open(path, 0), &n) == 0 && n == 10000, "which is read back");
    ok(lm_frames(path, &f, &nf) == 0 && nf == 2, "a segment ends a frame");
    free(f);
    ok(!stat(path, &st) && !truncate(path, st.st_size - 3) && drain(lm_in_open(path, 0), &n) < 0,
       "a cut in it is told");
}

static void aborts(void)
{
    const char *path = in_dir("ab");
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    lm_out *o = lm_out_fd(fd, "ab", 0);
    lm_rec r = {0};

    lm_rec_new(&r, "a");
    lm_put(o, &r);
    lm_out_abort(o, 3, "lm-x", "bad: 1 2");
    lm_out_close(o);
    ok(holds(path, "%lm 1\n@a 0\n\n%abort code=3 tool=lm-x msg=bad:%201%202\n"),
       "an abort stands at a record boundary");
    o = lm_out_fd(fd, "ab", 0);
    ok(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0, "again");
    lm_put_head(o, &r, 5, 0);
    lm_body_write(o, "ab", 2);
    lm_out_abort(o, 3, "lm-x", "bad");
    lm_out_flush(o);
    lm_out_close(o);
    ok(holds(path, "%lm 1\n@a 5\nab"), "inside a body there is none: the cut tells");
    close(fd);
    lm_rec_free(&r);
}

static unsigned warnings;
static void on_warn(const char *line)
{
    warnings += *line != 0;
}

static void damage(void)
{
    const char *path =
        file("bad", "%lm 1\n@a 1\n1\n@a 1\n2\njunk\n@a 1\n3\n@a 1\n4\n@a 1\n5\n@a 1\n6\n");
    lm_in *in = lm_in_open(path, LM_IN_LAX);
    lm_rec r = {0};
    char got[16] = "";

    lm_in_on_warn(in, on_warn);
    while (lm_next(in, &r) > 0)
        strncat(got, r.body.p, 1);
    ok(!strcmp(got, "123456") && warnings == 1, "lax: junk is warned of, every record is read");
    lm_in_close(in);
    in = lm_in_open(file("cut", "%lm 1\n@a 1\n1\n"), LM_IN_LAX);
    lm_in_on_warn(in, on_warn);
    ok(lm_next(in, &r) == 1 && lm_next(in, &r) == 0 && warnings == 2, "so is a missing end");
    lm_in_close(in);
    lm_rec_free(&r);
}

static void asides(void)
{
    const char *path = file("keep", "old");
    int fd;
    lm_aside *a = lm_aside_open(path, &fd), *d;

    ok(a && lm_write_all(fd, "new", 3) == 0 && holds(path, "old"),
       "a file written aside is not there yet");
    lm_aside_drop(a);
    ok(holds(path, "old"), "dropped, the old one stays");
    a = lm_aside_open(path, &fd);
    ok(a && lm_write_all(fd, "new", 3) == 0 && lm_aside_commit(a) == 0 && holds(path, "new"),
       "committed, it is replaced");
    d = lm_aside_dir(in_dir("folder"));
    ok(d && !access(lm_aside_path(d), X_OK) && access(in_dir("folder"), F_OK), "a folder aside");
    ok(lm_aside_commit(d) == 0 && !access(in_dir("folder"), X_OK), "takes its name");
}

int main(void)
{
    if (!mkdtemp(dir))
        return 1;
    framing();
    several();
    pieces();
    compressed();
    aborts();
    damage();
    asides();
    lm_rmtree(dir);
    return done();
}
