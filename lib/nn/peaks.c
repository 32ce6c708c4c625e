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

/* Which peak a record tells; -1: none that training is made of. */
static int kind_of(lm_rec *r)
{
    lm_str what = lm_get(r, "what"), pass = lm_get(r, "pass");

    return lm_is(what, "fma")    ? 0
           : lm_is(what, "gemm") ? 1
           : lm_is(what, "attn") ? (lm_is(pass, "fwd")   ? 2
                                    : lm_is(pass, "bwd") ? 3
                                                         : -1)
                                 : -1;
}

int lm_peaks_read(lm_peaks *p, const char *file, bool bf16, int sum, unsigned threads)
{
    const char *att = bf16 ? "bf16" : "f32", *mul = sum == LM_SUM_TILE ? "bf16t" : att;
    double best[4][2] = {{0}}, *to[4] = {&p->fma, &p->gemm, &p->attn[0], &p->attn[1]};
    lm_in *in = lm_in_open(file, 0);
    lm_rec r = {0};
    int got;

    while ((got = lm_next(in, &r)) == 1) {
        int k = kind_of(&r);
        uint64_t n = 0;
        double v = 0;

        if (k < 0 || !lm_is(r.type, "metric") || !lm_is(lm_get(&r, "kind"), "peak") ||
            !lm_is(lm_get(&r, "fmt"), k < 2 ? mul : att))
            continue;
        if ((got = lm_get_u64(&r, "threads", &n)) < 0 || (got = lm_get_f64(&r, "gflops", &v)) < 0)
            break;
        keep(best[k], v, n, threads);
    }
    lm_rec_free(&r);
    lm_in_close(in);
    if (got < 0)
        return got;
    for (size_t k = 0; k < LM_COUNT(to); k++)
        *to[k] = best[k][0] > 0 ? best[k][0] : best[k][1] * threads;
    if (!(p->fma > 0 && p->gemm > 0))
        return lm_err_at(LM_EMISSING, file,
                         "no peaks of products in %s: lm-bench --gemm writes them", mul);
    return 0;
}

double lm_model_flops(const lm_model *m, uint64_t seq)
{
    const lm_cfg *c = &m->cfg;
    const lm_tensor *pos = lm_model_end(m, LM_W_POS);
    double n = (double)m->n - (pos ? (double)pos->n : 0) - (c->tie ? 0 : (double)m->t[0].n);

    return 6 * n + 6.0 * c->layers * c->heads * c->head_dim * (double)seq;
}

void lm_model_again(const lm_model *m, const lm_nn_opt *o, double *products, double *attn)
{
    const lm_cfg *c = &m->cfg;
    double layers = c->layers - 1, d = c->dim,
           nq = (double)c->heads * c->head_dim, /* of the last all is kept */
        nkv = (double)c->kv_heads * c->head_dim,
           fi = (double)c->ffn * (lm_family_of(c)->act == LM_ACT_SWIGLU ? 2 : 1);

    *products = *attn = 0;
    if (o->recompute >= LM_RECOMPUTE_ACT)
        *products += 2 * layers * d * (nq + fi);
    if (o->recompute >= LM_RECOMPUTE_BLOCK) {
        *products += 2 * layers * d * (nq + 2 * nkv);
        *attn += 2 * layers * nq * o->seq;
    }
}
