/* bench: measures products, attention and memory through the kernels as training calls them. */
#include "kernels/cpu.h"
#include "kernels/kern.h"
#include "nn/benchi.h"
#include <inttypes.h>

static const char *const fmtname[] = {"f32", "bf16", "bf16t"};

static double once(const lm_work *w, lm_pool *pool)
{
    double t0 = lm_now();

    lm_pool_run(pool, w->tasks, w->f, w->ctx);
    return lm_now() - t0;
}

double lm_bench_best(const lm_bench *b, const lm_work *w, lm_pool *pool)
{
    double t0, least, t;

    once(w, pool); /* first touch, frequency, threads awake */
    t0 = lm_now();
    least = once(w, pool);
    while (lm_now() - t0 < b->seconds)
        if ((t = once(w, pool)) < least)
            least = t;
    return least > 1e-9 ? least : 1e-9;
}

void lm_bench_begin(lm_rec *r, const char *what, const char *level, int fmt, unsigned threads)
{
    lm_rec_new(r, "metric");
    lm_set(r, "kind", LM_STR("peak"));
    lm_set(r, "what", lm_cstr(what));
    if (level) {
        lm_set(r, "level", lm_cstr(level));
        lm_set(r, "fmt", lm_cstr(fmtname[fmt]));
    }
    lm_setf(r, "threads", "%u", threads);
}

int lm_bench_end(const lm_bench *b, lm_rec *r, const char *key, double v)
{
    int err;

    lm_setf(r, key, "%.4g", v);
    err = lm_put(b->out, r);
    lm_rec_free(r);
    *r = (lm_rec){0};
    return err ? err : lm_out_flush(b->out);
}

float *lm_bench_noise(size_t n)
{
    float *x = lm_alloc_huge(n * sizeof *x);
    uint64_t state = 1;

    for (size_t i = 0; i < n; i++)
        x[i] = (float)(lm_unit(lm_splitmix(&state)) - 0.5);
    return x;
}

/* The levels to measure: *from up to the one returned, or an error class. */
static int levels(const lm_bench *b, int *from)
{
    const char *forced = getenv("LM_DEVICE");
    int top = lm_cpu_level();

    *from = b->best || (forced && *forced && strcmp(forced, "auto")) ? top : LM_CPU_REF;
    return top;
}

/* --- registers alone --- */
typedef struct {
    const lm_kern *k;
    int fmt;
    size_t n;
    double flops;
    _Atomic float sum; /* so that the loop is not for nothing */
} spinning;

static void spin_task(void *ctx, size_t i, unsigned thread)
{
    spinning *s = ctx;
    float sum;
    unsigned csr = lm_kern_enter();
    double flops = s->k->spin(s->fmt, s->n, &sum);

    lm_kern_leave(csr);
    (void)thread;
    if (!i)
        s->flops = flops;
    s->sum = sum;
}

/* GFLOP/s of multiply-adds on so many threads. */
static double fma_peak(const lm_bench *b, const lm_kern *k, int fmt, lm_pool *pool)
{
    spinning s = {.k = k, .fmt = fmt, .n = 1 << 14};
    lm_work w = {spin_task, &s, lm_pool_size(pool)};
    double t = once(&w, pool);

    while (t < 1e-3) { /* short: one of the runs will have the processor to itself */
        s.n *= 2;
        t = once(&w, pool);
    }
    t = lm_bench_best(b, &w, pool);
    return s.flops * (double)w.tasks / t / 1e9;
}

/* --- products --- */
typedef struct {
    const lm_kern *k;
    int fmt;
    size_t m, block, n, depth, asize; /* block: rows of a task; asize: of a thread's packed ones */
    float *x, *y;
    char *a;
    void *wt;
} product;

/* A block of rows, packed and multiplied as in training. */
static void product_task(void *ctx, size_t i, unsigned thread)
{
    const product *p = ctx;
    size_t at = i * p->block, rows = p->m - at < p->block ? p->m - at : p->block;
    const lm_net net = {.k = p->k, .mul = p->fmt};

    LM_TASK(lm_rows_mul(&net, rows, p->depth, p->x + at * p->depth, p->depth, p->wt, p->n,
                        p->y + at * p->n, p->n, p->a + thread * p->asize));
}

/* Sets the rows of a run: m, but no more than allow for some runs in the time. */
static void fit(const lm_bench *b, product *p, size_t m, lm_pool *pool)
{
    unsigned threads = lm_pool_size(pool);
    lm_work w = {product_task, p, threads};
    double t;

    p->block = LM_BLOCK / 8;
    p->m = p->block * threads;
    once(&w, pool);
    t = once(&w, pool) * 8;
    if (t > b->seconds)
        return;
    p->block = LM_BLOCK;
    p->m = LM_BLOCK * threads * (size_t)(b->seconds / t / 4 + 1);
    if (p->m > m)
        p->m = m;
}

static int product_put(const lm_bench *b, product *p, size_t m, lm_pool *pool, double peak)
{
    lm_work w = {product_task, p, 0};
    lm_rec r = {0};
    double gflops;

    fit(b, p, m, pool);
    w.tasks = (p->m + p->block - 1) / p->block;
    gflops =
        2.0 * (double)p->m * (double)p->n * (double)p->depth / lm_bench_best(b, &w, pool) / 1e9;
    lm_bench_begin(&r, "gemm", p->k->name, p->fmt, lm_pool_size(pool));
    lm_setf(&r, "m", "%zu", p->m);
    lm_setf(&r, "n", "%zu", p->n);
    lm_setf(&r, "k", "%zu", p->depth);
    lm_setf(&r, "share", "%.3f", gflops / peak);
    return lm_bench_end(b, &r, "gflops", gflops);
}

/* One shape at one level: weights are packed before the clock starts, as once a step. */
static int shape(const lm_bench *b, const lm_kern *k, int fmt, size_t m, size_t n, size_t depth,
                 lm_pool *const pool[2], const double peak[2])
{
    unsigned threads = lm_pool_size(pool[1]);
    size_t rows = m < LM_BLOCK * threads ? LM_BLOCK * threads : m;
    product p = {.k = k, .fmt = fmt, .n = n, .depth = depth};
    float *w = lm_bench_noise(n * depth);
    size_t wsize = k->bsize(fmt, depth, n);
    int err = 0;

    p.asize = (k->asize(fmt, false, depth, LM_BLOCK) + 63) & ~(size_t)63;
    p.a = lm_alloc_huge(p.asize * threads);
    p.x = lm_bench_noise(rows * depth);
    p.y = lm_alloc_huge(rows * n * sizeof *p.y);
    p.wt = lm_alloc_huge(wsize);
    LM_TASK(k->packb(&(lm_pack){
        .fmt = fmt, .kt = depth, .src = w, .ld = depth, .kn = depth, .nn = n, .dst = p.wt}));
    for (int i = 0; !err && i < 2; i++)
        if (!i || threads > 1)
            err = product_put(b, &p, m, pool[i], peak[i]);
    lm_free_huge(w, n * depth * sizeof *w);
    lm_free_huge(p.a, p.asize * threads);
    lm_free_huge(p.x, rows * depth * sizeof *p.x);
    lm_free_huge(p.y, rows * n * sizeof *p.y);
    lm_free_huge(p.wt, wsize);
    return err;
}

/* The formats of a level up to `last`. */
static int each(const lm_bench *b, bool write_fma, int last,
                int (*f)(const lm_bench *b, const lm_kern *k, int fmt, lm_pool *const pool[2],
                         const double peak[2]))
{
    lm_pool *pool[2] = {lm_pool_new(1), b->pool};
    int from, top = levels(b, &from), err = top < 0 ? top : 0;

    for (int level = from; !err && level <= top; level++)
        for (int fmt = LM_FMT_F32; !err && fmt <= last; fmt++) {
            const lm_kern *k = lm_kern_level(lm_cpu_name(level));
            double peak[2] = {0};
            lm_rec r = {0};

            for (int i = 0; !err && i < 2; i++) {
                if (i && lm_pool_size(b->pool) == 1)
                    continue;
                peak[i] = fma_peak(b, k, fmt, pool[i]);
                if (!write_fma)
                    continue;
                lm_bench_begin(&r, "fma", k->name, fmt, lm_pool_size(pool[i]));
                err = lm_bench_end(b, &r, "gflops", peak[i]);
            }
            if (!err)
                err = f(b, k, fmt, pool, peak);
        }
    lm_pool_free(pool[0]);
    return err;
}

static int gemm_level(const lm_bench *b, const lm_kern *k, int fmt, lm_pool *const pool[2],
                      const double peak[2])
{
    int err = 0;

    for (size_t i = 0; !err && i < b->nsize; i++)
        err = shape(b, k, fmt, b->size[i], b->size[i], b->size[i], pool, peak);
    return err ? err : shape(b, k, fmt, b->size[0], b->vocab, b->size[0], pool, peak);
}

int lm_bench_gemm(const lm_bench *b)
{
    return each(b, true, LM_FMT_BF16T, gemm_level);
}

/* --- attention --- */
typedef struct {
    const lm_kern *k;
    int fmt;
    bool bwd;
    size_t seq, heads;
    float *q, *kk, *v, *o, *go, *lse, *dq, *dk, *dv;
    char *scratch;
    size_t each, kbytes, vbytes;
} attention;
enum { HD = 64 };

/* A head over a whole row, keys and values packed, as training does it. */
static void attn_task(void *ctx, size_t i, unsigned thread)
{
    const attention *a = ctx;
    size_t n = a->seq, at = i * n * HD;
    char *kp = a->scratch + thread * a->each, *vp = kp + a->kbytes, *rest = vp + a->vbytes;
    unsigned csr = lm_kern_enter();

    if (a->bwd) {
        a->k->attn_bwd(a->k, &(lm_attn_bwd){.fmt = a->fmt,
                                            .n = n,
                                            .hd = HD,
                                            .g = 1,
                                            .scale = 0.125f,
                                            .q = a->q + at,
                                            .ldq = HD,
                                            .k = a->kk + at,
                                            .ldk = HD,
                                            .v = a->v + at,
                                            .ldv = HD,
                                            .o = a->o + at,
                                            .go = a->go + at,
                                            .ldo = HD,
                                            .lse = a->lse + i * n,
                                            .ldl = 1,
                                            .dq = a->dq + at,
                                            .lddq = HD,
                                            .dk = a->dk + at,
                                            .lddk = HD,
                                            .dv = a->dv + at,
                                            .lddv = HD,
                                            .scratch = kp});
    } else {
        a->k->packb(&(lm_pack){
            .fmt = a->fmt, .kt = HD, .src = a->kk + at, .ld = HD, .kn = HD, .nn = n, .dst = kp});
        a->k->packb(&(lm_pack){.fmt = a->fmt,
                               .kmajor = true,
                               .kt = n,
                               .src = a->v + at,
                               .ld = HD,
                               .kn = n,
                               .nn = HD,
                               .dst = vp});
        a->k->attn(a->k, &(lm_attn){.fmt = a->fmt,
                                    .nq = n,
                                    .hd = HD,
                                    .keys = n,
                                    .q = a->q + at,
                                    .ldq = HD,
                                    .kp = kp,
                                    .vp = vp,
                                    .scale = 0.125f,
                                    .o = a->o + at,
                                    .ldo = HD,
                                    .lse = a->lse + i * n,
                                    .ldl = 1,
                                    .scratch = rest});
    }
    lm_kern_leave(csr);
}

static int attn_put(const lm_bench *b, attention *a, lm_pool *pool, double peak)
{
    lm_work w = {attn_task, a, lm_pool_size(pool)};
    double keys = (double)a->seq * (double)(a->seq + 1) / 2, gflops; /* query and key pairs */
    lm_rec r = {0};

    /* forward two products of hd, backward five */
    gflops = (a->bwd ? 10 : 4) * HD * keys * (double)w.tasks / lm_bench_best(b, &w, pool) / 1e9;
    lm_bench_begin(&r, "attn", a->k->name, a->fmt, lm_pool_size(pool));
    lm_set(&r, "pass", a->bwd ? LM_STR("bwd") : LM_STR("fwd"));
    lm_setf(&r, "seq", "%zu", a->seq);
    lm_setf(&r, "hd", "%d", HD);
    lm_setf(&r, "heads", "%zu", w.tasks);
    lm_setf(&r, "share", "%.3f", gflops / peak);
    return lm_bench_end(b, &r, "gflops", gflops);
}

static int attn_level(const lm_bench *b, const lm_kern *k, int fmt, lm_pool *const pool[2],
                      const double peak[2])
{
    unsigned threads = lm_pool_size(pool[1]);
    attention a = {.k = k, .fmt = fmt, .seq = b->size[b->nsize - 1], .heads = threads};
    float **part[] = {&a.q, &a.kk, &a.v, &a.go, &a.o, &a.dq, &a.dk, &a.dv};
    size_t n, bwd = k->attn_bytes(k, fmt, HD, 0), fwd;
    int err = 0;

    if (a.seq > 1024)
        a.seq = 1024;
    n = a.seq * HD * threads;
    a.kbytes = (k->bsize(fmt, HD, a.seq) + 63) & ~(size_t)63;
    a.vbytes = (k->bsize(fmt, a.seq, HD) + 63) & ~(size_t)63;
    fwd = a.kbytes + a.vbytes + bwd;
    bwd = k->attn_bytes(k, fmt, HD, a.seq);
    a.each = ((fwd > bwd ? fwd : bwd) + 63) & ~(size_t)63;
    a.scratch = lm_alloc_huge(a.each * threads);
    a.lse = lm_alloc_huge(a.seq * threads * sizeof *a.lse);
    for (size_t i = 0; i < LM_COUNT(part); i++)
        *part[i] = lm_bench_noise(n);
    for (int way = 0; way < 2; way++) { /* backward reads what forward wrote */
        a.bwd = way;
        for (int i = 0; !err && i < 2; i++)
            if (!i || threads > 1)
                err = attn_put(b, &a, pool[i], peak[i]);
    }
    for (size_t i = 0; i < LM_COUNT(part); i++)
        lm_free_huge(*part[i], n * sizeof **part[i]);
    lm_free_huge(a.lse, a.seq * threads * sizeof *a.lse);
    lm_free_huge(a.scratch, a.each * threads);
    return err;
}

int lm_bench_attn(const lm_bench *b)
{
    return each(b, false, LM_FMT_BF16, attn_level);
}
