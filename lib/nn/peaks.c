/* peaks: reads what lm-bench wrote. */
#include "nn/bench.h"

/* Keeps in best[0] the fastest of as many threads, in best[1] that of one. */
static void keep(double best[2], double v, uint64_t threads, unsigned want)
{
    if (threads == want && v > best[0])
        best[0] = v;
    if (threads == 1 && v > best[1])
        best[1] = v;
}

int lm_peaks_read(lm_peaks *p, const char *file, bool bf16, unsigned threads)
{
    lm_in *in = lm_in_open(file, 0);
    double fma[2] = {0}, gemm[2] = {0};
    lm_rec r = {0};
    int got;

    while ((got = lm_next(in, &r)) == 1) {
        lm_str what = lm_get(&r, "what");
        uint64_t n = 0;
        double v = 0;

        if (!lm_is(r.type, "metric") || !lm_is(lm_get(&r, "kind"), "peak") ||
            !lm_is(lm_get(&r, "fmt"), bf16 ? "bf16" : "f32") ||
            (!lm_is(what, "fma") && !lm_is(what, "gemm")))
            continue;
        if ((got = lm_get_u64(&r, "threads", &n)) < 0 || (got = lm_get_f64(&r, "gflops", &v)) < 0)
            break;
        keep(lm_is(what, "fma") ? fma : gemm, v, n, threads);
    }
    lm_rec_free(&r);
    lm_in_close(in);
    if (got < 0)
        return got;
    p->fma = fma[0] > 0 ? fma[0] : fma[1] * threads;
    p->gemm = gemm[0] > 0 ? gemm[0] : gemm[1] * threads;
    if (!(p->fma > 0 && p->gemm > 0))
        return lm_err_at(LM_EMISSING, file,
                         "no peaks of products in %s: lm-bench --gemm writes them",
                         bf16 ? "bf16" : "f32");
    return 0;
}

double lm_model_flops(const lm_model *m, uint64_t seq)
{
    const lm_cfg *c = &m->cfg;
    const lm_tensor *pos = lm_model_end(m, LM_W_POS);
    double n = (double)m->n - (pos ? (double)pos->n : 0) - (c->tie ? 0 : (double)m->t[0].n);

    return 6 * n + 6.0 * c->layers * c->heads * c->head_dim * (double)seq;
}
