/* gemm: matrix products and the packing of their operands. The meaning of every product in the
   toolkit: one fma chain an element, k ascending (f32) or 1,0,3,2.. (bf16), see kernels/kern.h. */
#include "kernels/ref/real.h"

/* Layout: row n of the operand has its depth contiguous, padded to even with +0. */
static size_t even(size_t k)
{
    return (k + 1) & ~(size_t)1;
}

static size_t bsize(int fmt, size_t kt, size_t n)
{
    (void)fmt;
    return even(kt) * n * sizeof(lm_real);
}

static size_t asize(int fmt, bool kmajor, size_t kt, size_t m)
{
    (void)kmajor;
    return bsize(fmt, kt, m);
}

static lm_real value(const lm_pack *p, size_t at)
{
    if (p->dt == LM_SRC_F32)
        return ((const lm_real *)p->src)[at];
    return p->dt == LM_SRC_BF16 ? lm_bf16_f32(((const uint16_t *)p->src)[at])
                                : lm_f16_f32(((const uint16_t *)p->src)[at]);
}

static void pack(const lm_pack *p)
{
    size_t kp = even(p->kt);

    for (size_t i = 0; i < p->nn; i++) {
        lm_real *d = (lm_real *)p->dst + (p->n0 + i) * kp;

        for (size_t j = 0; j < p->kn; j++) {
            lm_real x = value(p, p->kmajor ? j * p->ld + i : i * p->ld + j);

            d[p->k0 + j] = rround(x, p->fmt);
        }
        if (p->k0 + p->kn == p->kt && kp > p->kt)
            d[p->kt] = 0;
    }
}

static void gemm(const lm_gemm *g)
{
    size_t pad = g->fmt == LM_FMT_BF16 ? even(g->k) : g->k, flip = g->fmt == LM_FMT_BF16;

    for (size_t i = 0; i < g->m; i++) {
        const lm_real *a = (const lm_real *)g->a + (g->m0 + i) * even(g->akt) + g->ak0;

        for (size_t j = 0; j < g->n; j++) {
            const lm_real *b = (const lm_real *)g->b + (g->n0 + j) * even(g->bkt) + g->bk0;
            lm_real s = g->beta ? g->c[i * g->ldc + j] : 0;

            for (size_t k = 0; k < pad; k++)
                s = rfma(a[k ^ flip], b[k ^ flip], s);
            g->c[i * g->ldc + j] = s;
        }
    }
}

LM_KERN(ref, gemm)
{
    k->asize = asize;
    k->bsize = bsize;
    k->packa = k->packb = pack;
    k->gemm = gemm;
}
