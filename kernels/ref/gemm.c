/* gemm: matrix products and the packing of their operands. The meaning of every product in the
   toolkit: one fma chain an element, k ascending (f32) or 1,0,3,2.. (bf16), or two chains a block
   of depth (tile order), see kernels/kern.h. */
#include "kernels/ref/real.h"

/* Layout: row n of the operand has its depth contiguous, padded to even, or to a block, with +0. */
static size_t padded(int fmt, size_t k)
{
    size_t unit = fmt == LM_FMT_BF16T ? LM_TILE_K : 2;

    return (k + unit - 1) / unit * unit;
}

static size_t bsize(int fmt, size_t kt, size_t n)
{
    return padded(fmt, kt) * n * sizeof(lm_real);
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
    size_t kp = padded(p->fmt, p->kt);

    for (size_t i = 0; i < p->nn; i++) {
        lm_real *d = (lm_real *)p->dst + (p->n0 + i) * kp;

        for (size_t j = 0; j < p->kn; j++) {
            lm_real x = value(p, p->kmajor ? j * p->ld + i : i * p->ld + j);

            d[p->k0 + j] = rround(x, p->fmt);
        }
        for (size_t j = p->kt; j < kp && p->k0 + p->kn == p->kt; j++)
            d[j] = 0;
    }
}

static lm_real fma_chain(size_t k, const lm_real *a, const lm_real *b, size_t flip, lm_real s)
{
    for (size_t i = 0; i < k; i++)
        s = rfma(a[i ^ flip], b[i ^ flip], s);
    return s;
}

static lm_real blocks(size_t k, const lm_real *a, const lm_real *b, lm_real s)
{
    for (size_t i = 0; i < k; i += LM_TILE_K) {
        lm_real even = 0, odd = 0;

        for (size_t j = i; j < i + LM_TILE_K; j += 2) {
            even = rfma(a[j], b[j], even);
            odd = rfma(a[j + 1], b[j + 1], odd);
        }
        s += even + odd;
    }
    return s;
}

static void gemm(const lm_gemm *g)
{
    size_t pad = g->fmt == LM_FMT_F32 ? g->k : padded(g->fmt, g->k), flip = g->fmt == LM_FMT_BF16;

    for (size_t i = 0; i < g->m; i++) {
        const lm_real *a = (const lm_real *)g->a + (g->m0 + i) * padded(g->fmt, g->akt) + g->ak0;

        for (size_t j = 0; j < g->n; j++) {
            const lm_real *b =
                (const lm_real *)g->b + (g->n0 + j) * padded(g->fmt, g->bkt) + g->bk0;
            lm_real s = g->beta ? g->c[i * g->ldc + j] : 0;

            g->c[i * g->ldc + j] =
                g->fmt == LM_FMT_BF16T ? blocks(pad, a, b, s) : fma_chain(pad, a, b, flip, s);
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
