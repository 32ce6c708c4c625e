/* benchmem: memory and disk, a part a task. */
#include "nn/bench.h"
#include "kernels/kern.h"
#include "nn/benchi.h"
#include <inttypes.h>
#include <unistd.h>

typedef struct {
    const lm_kern *k;
    float *from, *to;
    size_t n; /* numbers of a part */
} memory;
enum { PARTS = 64 };

static void copy_task(void *ctx, size_t i, unsigned thread)
{
    const memory *m = ctx;

    (void)thread;
    memcpy(m->to + i * m->n, m->from + i * m->n, m->n * sizeof *m->to);
}

static void add_task(void *ctx, size_t i, unsigned thread)
{
    const memory *m = ctx;
    float *y = m->to + i * m->n;

    (void)thread;
    LM_TASK(m->k->add(m->n, m->from + i * m->n, y, y));
}

/* passes: how often a byte of a buffer goes over the bus. */
static int move(const lm_bench *b, const char *what,
                void (*f)(void *ctx, size_t i, unsigned thread), double passes)
{
    memory m = {.k = lm_kern_get(), .n = b->bytes / PARTS / sizeof(float)};
    size_t bytes;
    lm_pool *pool[2] = {lm_pool_new(1), b->pool};
    lm_work w = {f, &m, PARTS};
    int err = m.k ? 0 : lm_last_error()->err;

    m.n = m.n ? m.n : 1;
    bytes = m.n * PARTS * sizeof(float);
    m.from = lm_bench_noise(m.n * PARTS);
    m.to = lm_bench_noise(m.n * PARTS);
    for (int i = 0; !err && i < 2; i++) {
        lm_rec r = {0};

        if (i && lm_pool_size(b->pool) == 1)
            continue;
        lm_bench_begin(&r, what, NULL, 0, lm_pool_size(pool[i]));
        lm_setf(&r, "bytes", "%zu", bytes);
        err = lm_bench_end(b, &r, "gbs",
                           passes * (double)bytes / lm_bench_best(b, &w, pool[i]) / 1e9);
    }
    lm_free_huge(m.from, bytes);
    lm_free_huge(m.to, bytes);
    lm_pool_free(pool[0]);
    return err;
}

int lm_bench_copy(const lm_bench *b)
{
    return move(b, "copy", copy_task, 2);
}

int lm_bench_reduce(const lm_bench *b)
{
    return move(b, "reduce", add_task, 3);
}

/* One whole file: the time of writes and of the fsync behind them. */
static int write_file(const lm_bench *b, const float *part, size_t n, double *seconds)
{
    uint64_t left = b->bytes;
    int fd, err = lm_temp_file(b->dir, &fd);
    double t0;

    if (err)
        return err;
    t0 = lm_now();
    while (!err && left) {
        size_t k = left < n ? (size_t)left : n;

        if (lm_write_all(fd, part, k))
            err = lm_err_sys(b->dir ? b->dir : "temporary file", "write");
        left -= k;
    }
    if (!err && fsync(fd))
        err = lm_err_sys(b->dir ? b->dir : "temporary file", "fsync");
    *seconds = lm_now() - t0;
    close(fd);
    return err;
}

int lm_bench_disk(const lm_bench *b)
{
    const size_t n = 1 << 22; /* numbers: 16 MiB a write */
    float *part = lm_bench_noise(n);
    double t, least = 0, t0 = lm_now();
    lm_rec r = {0};
    int err;

    do {
        err = write_file(b, part, n * sizeof *part, &t);
        if (!err && (least == 0 || t < least))
            least = t;
    } while (!err && lm_now() - t0 < b->seconds);
    if (!err) {
        lm_bench_begin(&r, "disk", NULL, 0, 1);
        lm_setf(&r, "bytes", "%" PRIu64, b->bytes);
        err = lm_bench_end(b, &r, "gbs", (double)b->bytes / (least > 1e-9 ? least : 1e-9) / 1e9);
    }
    lm_free_huge(part, n * sizeof *part);
    return err;
}
