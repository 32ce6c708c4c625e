/* speed: tokens/s of training steps and GFLOP/s of products, by this machine's kernels (LM_DEVICE).
   speed train f32|bf16 D LAYERS HEADS KVHEADS HD FFN VOCAB ROWS SEQ STEPS THREADS; speed gemm
   f32|bf16 M N K. */
#include "lm.h"
#include "kernels/kern.h"
#include <time.h>

static double arg[16];

static double cpu(void) /* of all threads: what a busy machine cannot spoil */
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int train(int dt)
{
    lm_cfg c;
    lm_model *m;
    lm_nn *nn;
    uint32_t rows = (uint32_t)arg[7], seq = (uint32_t)arg[8], *in;
    lm_pool *pool = lm_pool_new((unsigned)arg[10]);
    lm_loss l = {0};
    uint64_t s = 1;
    double best = 1e9, upd = 1e9, bestc = 1e9, all, t, c0, g, flop;
    size_t n = (size_t)rows * seq;

    lm_cfg_default(&c, LM_FAM_QWEN3);
    c.dt = dt, c.dim = (uint32_t)arg[0], c.layers = (uint32_t)arg[1], c.heads = (uint32_t)arg[2],
    c.kv_heads = (uint32_t)arg[3];
    c.head_dim = (uint32_t)arg[4], c.ffn = (uint32_t)arg[5], c.vocab = (uint32_t)arg[6],
    c.tie = true;
    if (lm_model_init(&m, &c, 1) < 0 ||
        lm_nn_new(&nn, m, &(lm_nn_opt){.rows = rows, .seq = seq, .pool = pool, .train = true}) < 0)
        return 1;
    in = lm_zalloc(n + 1, 4);
    for (size_t i = 0; i <= n; i++)
        in[i] = (uint32_t)(lm_splitmix(&s) % m->cfg.vocab);
    all = lm_now();
    for (int i = 0; i < (int)arg[9]; i++) {
        t = lm_now(), c0 = cpu();
        l = (lm_loss){0};
        if (lm_nn_fwdbwd(nn, &(lm_batch){.in = in, .target = in + 1}, &l) < 0)
            return 1;
        t = lm_now() - t;
        best = t < best ? t : best;
        c0 = cpu() - c0;
        bestc = c0 < bestc ? c0 : bestc;
        t = lm_now();
        if (lm_nn_update(
                nn,
                &(lm_adamw){
                    .lr = 1e-3, .beta1 = .9, .beta2 = .95, .eps = 1e-8, .wd = .1, .clip = 1},
                &g) < 0)
            return 1;
        t = lm_now() - t;
        upd = t < upd ? t : upd;
    }
    all = lm_now() - all;
    flop = 6.0 * (double)m->n + 6.0 * m->cfg.layers * m->cfg.heads * m->cfg.head_dim * seq;
    printf("%s %s: %zu parameters, %zu MB, loss %.4f: micro-batch %.1f ms = %.0f tokens/s (%.1f "
           "GFLOP/s), update %.1f ms, all %.0f tokens/s; a CPU second: %.0f tokens, %.1f GFLOP\n",
           lm_kern_get()->name, dt == LM_BF16 ? "bf16" : "f32", m->n, lm_nn_bytes(nn) >> 20,
           l.loss / (double)l.weight, best * 1e3, (double)n / best, (double)n / best * flop / 1e9,
           upd * 1e3, (double)n * arg[9] / all, (double)n / bestc, (double)n / bestc * flop / 1e9);
    return 0;
}

static int gemm(int dt)
{
    const lm_kern *k = lm_kern_get();
    size_t m = (size_t)arg[0], n = (size_t)arg[1], kt = (size_t)arg[2];
    int fmt = dt == LM_BF16;
    float *x = lm_zalloc(m * kt + n * kt + m * n, 4), *w = x + m * kt, *c = w + n * kt;
    void *pa = lm_zalloc(k->asize(fmt, false, kt, m), 1), *pb = lm_alloc_huge(k->bsize(fmt, kt, n));
    double best = 1e9;

    k->packb(&(lm_pack){.fmt = fmt, .kt = kt, .src = w, .ld = kt, .kn = kt, .nn = n, .dst = pb});
    for (int i = 0; i < 20; i++) {
        double t = lm_now();

        for (size_t r = 0; r < m; r += 64) {
            size_t mm = m - r < 64 ? m - r : 64;

            k->packa(&(lm_pack){
                .fmt = fmt, .kt = kt, .src = x + r * kt, .ld = kt, .kn = kt, .nn = mm, .dst = pa});
            k->gemm(&(lm_gemm){.fmt = fmt,
                               .a = pa,
                               .akt = kt,
                               .m = mm,
                               .b = pb,
                               .bkt = kt,
                               .n = n,
                               .k = kt,
                               .c = c + r * n,
                               .ldc = n});
        }
        t = lm_now() - t;
        best = t < best ? t : best;
    }
    printf("%s %s %zu x %zu x %zu: %.1f GFLOP/s\n", k->name, fmt ? "bf16" : "f32", m, n, kt,
           2.0 * (double)(m * n) * (double)kt / best / 1e9);
    return 0;
}

int main(int argc, char **argv)
{
    int dt = argc > 2 && !strcmp(argv[2], "bf16") ? LM_BF16 : LM_F32;

    for (int i = 3; i < argc && i < 16; i++)
        if (!lm_parse_f64(lm_cstr(argv[i]), &arg[i - 3]))
            return 2;
    return argc < 6 ? 2 : !strcmp(argv[1], "gemm") ? gemm(dt) : train(dt);
}
