/* lm-bench: what this machine reaches at most: arithmetic, attention, memory, disk.
   Apart from lm-train: peaks are measured once a machine, and many runs are compared with them. */
#include "lm.h"

static bool gemm, attn, copy, reduce, disk, best;
static double seconds = 0.2;
static const char *sizes = "512,1024,2048,4096", *dir;
static uint64_t vocab = 50304, bytes = 256 << 20;
static const lm_opt opts[] = {
    LM_FLAG(0, "gemm", &gemm, "multiply-adds and matrix products, of each level and format"),
    LM_FLAG(0, "attn", &attn, "attention, forward and backward"),
    LM_FLAG(0, "copy", &copy, "copies in memory"),
    LM_FLAG(0, "reduce", &reduce, "sums of vectors in memory"),
    LM_FLAG(0, "disk", &disk, "a file written, to the end of its fsync"),
    LM_FLAG(0, "best", &best, "of products and attention only the best level"),
    LM_REAL(0, "seconds", &seconds, 1e-4, 3600, "F", "time for each figure (0.2)"),
    LM_STRING(0, "sizes", &sizes, "N,N,..", "of square products (512,1024,2048,4096)"),
    LM_NUM(0, "vocab", &vocab, 1, 1 << 22, "N", "columns of the head's product (50304)"),
    LM_SIZE(0, "bytes", &bytes, 4096, 1ull << 40, "SIZE", "of copies, sums and the file (256M)"),
    LM_FILE(0, "dir", &dir, "DIR", "where the file is written ($TMPDIR or /tmp)"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {
    .name = "lm-bench",
    .does = "measure the peaks of this machine",
    .opts = opts,
    .flags = LM_FOREIGN | LM_OUT | LM_PAR,
    .epilog = "Without --gemm, --attn, --copy, --reduce, --disk: all of them.\n"};

static int parse_sizes(uint64_t *v, size_t max, size_t *n)
{
    *n = 0;
    for (const char *p = sizes; *p || !*n;) {
        size_t len = strcspn(p, ",");

        if (*n == max || !lm_parse_num((lm_str){p, len}, &v[*n]) || v[*n] < 1 || v[*n] > 65536)
            return lm_err(LM_EUSAGE, "--sizes %s: want up to %zu numbers from 1 to 65536", sizes,
                          max);
        ++*n;
        p += len + (p[len] == ',');
    }
    return 0;
}

static int run(lm_in *in, lm_out *out)
{
    uint64_t size[16];
    lm_bench b = {.out = out,
                  .best = best,
                  .seconds = seconds,
                  .size = size,
                  .vocab = vocab,
                  .bytes = bytes,
                  .dir = dir};
    bool all = !gemm && !attn && !copy && !reduce && !disk;
    const struct {
        bool wanted;
        int (*f)(const lm_bench *);
    } part[] = {{gemm, lm_bench_gemm},
                {attn, lm_bench_attn},
                {copy, lm_bench_copy},
                {reduce, lm_bench_reduce},
                {disk, lm_bench_disk}};
    int err;

    (void)in;
    if ((err = parse_sizes(size, LM_COUNT(size), &b.nsize)))
        return err;
    b.pool = lm_pool_new(lm_jobs());
    for (size_t i = 0; !err && i < LM_COUNT(part); i++)
        if (all || part[i].wanted)
            err = part[i].f(&b);
    lm_pool_free(b.pool);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
