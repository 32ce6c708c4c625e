/* attn: softmax(q k' scale) v with a window of keys a row, and its gradient. Online softmax over
   tiles of LM_ATT keys counted from key 0 (Dao et al. 2022); a tile without a visible key leaves a
   row as it is. Reads the packs of ref/gemm.c. */
#include "kernels/ref/real.h"

static size_t even(size_t k)
{
    return (k + 1) & ~(size_t)1;
}

static size_t attn_bytes(const lm_kern *k, int fmt, size_t hd, size_t n)
{
    (void)k, (void)fmt;
    return (4 * n * hd + 2 * LM_ATT) * sizeof(lm_real);
}

/* One chain over k in the order of a product of type fmt, on unpacked rows; lda, ldb: step from k
 * to k+1. */
static lm_real chain(int fmt, size_t n, const lm_real *a, size_t lda, const lm_real *b, size_t ldb,
                     lm_real s)
{
    size_t flip = fmt == LM_FMT_BF16, pad = flip ? even(n) : n;

    for (size_t k = 0; k < pad; k++) {
        size_t j = k ^ flip;

        s = j < n ? rfma(rround(a[j * lda], fmt), rround(b[j * ldb], fmt), s) : s + 0;
    }
    return s;
}

/* The score of query i and key j: capped, tilted; *slide: what its gradient is multiplied with. */
static lm_real bend(lm_real s, lm_real cap, lm_real slope, size_t i, size_t j, lm_real *slide)
{
    *slide = 1;
    if (cap != 0) {
        lm_real t = rtanh(s / cap);

        *slide = rfma(-t, t, 1);
        s = cap * t;
    }
    return slope != 0 ? rfma(slope, (lm_real)j - (lm_real)i, s) : s;
}

static void row(const lm_attn *a, size_t i)
{
    size_t lo = a->start ? a->start[i] : 0, hi = a->end ? a->end[i] : i + a->q0, hd = a->hd;
    const lm_real *q = a->q + i * a->ldq, *kp = a->kp, *vp = a->vp;
    lm_real *o = a->o + i * a->ldo, top = -__builtin_inff(), sum = 0, p[LM_ATT];

    for (size_t d = 0; d < hd; d++)
        o[d] = 0;
    for (size_t t = lo / LM_ATT * LM_ATT; t <= hi; t += LM_ATT) {
        lm_real acc[16] = {0}, now = top, c, slide;

        for (size_t j = 0; j < LM_ATT; j++) {
            if (t + j < lo || t + j > hi)
                continue;
            p[j] = bend(chain(a->fmt, hd, q, 1, kp + (t + j) * even(hd), 1, 0) * a->scale, a->cap,
                        a->slope, i + a->q0, t + j, &slide);
            now = p[j] > now ? p[j] : now;
        }
        c = rexp(top - now);
        for (size_t j = 0; j < LM_ATT; j++) {
            p[j] = t + j < lo || t + j > hi ? 0 : rexp(p[j] - now);
            acc[j % 16] += p[j];
        }
        sum = rfma(sum, c, lm_lanes(acc));
        for (size_t d = 0; d < hd; d++)
            o[d] = chain(a->fmt, t + LM_ATT > a->keys ? a->keys - t : LM_ATT, p, 1,
                         vp + d * even(a->keys) + t, 1, o[d] * c);
        top = now;
    }
    for (size_t d = 0; d < hd; d++)
        o[d] /= sum;
    if (a->lse)
        a->lse[i * a->ldl] = top + rlog(sum);
}

static void attn(const lm_kern *k, const lm_attn *a)
{
    (void)k;
    for (size_t i = 0; i < a->nq; i++)
        row(a, i);
}

/* Query i of head h: its row of weights and their gradients over keys [from, to), zero where it
 * sees nothing. */
static void row_bwd(const lm_attn_bwd *a, size_t h, size_t i, size_t from, size_t to, lm_real *p,
                    lm_real *ds)
{
    const lm_real *q = a->q + i * a->ldq + h * a->hd, *go = a->go + i * a->ldo + h * a->hd;
    size_t lo = a->start ? a->start[i] : 0, hi = a->end ? a->end[i] : i;
    lm_real dot = lm_dot16(a->hd, go, a->o + i * a->ldo + h * a->hd);

    for (size_t j = from; j < to; j++) {
        lm_real s, dp, slide;

        p[j] = ds[j] = 0;
        if (j < lo || j > hi)
            continue;
        s = bend(chain(a->fmt, a->hd, q, 1, a->k + j * a->ldk, 1, 0) * a->scale, a->cap,
                 a->slope ? a->slope[h] : 0, i, j, &slide);
        dp = chain(a->fmt, a->hd, go, 1, a->v + j * a->ldv, 1, 0);
        p[j] = rexp(s - a->lse[i * a->ldl + h]);
        ds[j] = p[j] * (dp - dot) * a->scale;
        if (a->cap != 0)
            ds[j] *= slide;
    }
}

/* A tile of queries meets the whole tiles of keys from the first any of them sees to the last; what
   a row does not see counts as zero, like the row that fills up a pair. */
static void attn_bwd(const lm_kern *k, const lm_attn_bwd *a)
{
    size_t hd = a->hd, n = a->n;
    lm_real *p = a->scratch, *ds = p + n;

    (void)k;
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < hd; d++)
            a->dk[i * a->lddk + d] = a->dv[i * a->lddv + d] = 0;
    for (size_t h = 0; h < a->g; h++)
        for (size_t b = 0; b < (a->fmt == LM_FMT_BF16 ? even(n) : n);
             b++) { /* queries, in pairs the later first if bf16 */
            size_t i = a->fmt == LM_FMT_BF16 ? b ^ 1 : b, t = b / LM_ATT * LM_ATT, from = n, to = 0;
            bool pad = i >= n;

            for (size_t j = t; j < t + LM_ATT && j < n; j++) {
                size_t lo = a->start ? a->start[j] : 0, hi = a->end ? a->end[j] : j;

                from = lo < from ? lo : from;
                to = hi > to ? hi : to;
            }
            from = from / LM_ATT * LM_ATT;
            to = to / LM_ATT * LM_ATT + LM_ATT;
            to = to < n ? to : n;
            if (!pad)
                row_bwd(a, h, i, from, to, p, ds);
            for (size_t j = from; j < to; j++)
                for (size_t d = 0; d < hd; d++) {
                    lm_real *dv = a->dv + j * a->lddv + d, *dk = a->dk + j * a->lddk + d;

                    *dv = pad ? *dv + 0
                              : rfma(rround(p[j], a->fmt),
                                     rround(a->go[i * a->ldo + h * hd + d], a->fmt), *dv);
                    *dk = pad ? *dk + 0
                              : rfma(rround(ds[j], a->fmt),
                                     rround(a->q[i * a->ldq + h * hd + d], a->fmt), *dk);
                }
            for (size_t d = 0; d < hd && !pad; d++)
                a->dq[i * a->lddq + h * hd + d] =
                    chain(a->fmt, to - from, ds + from, 1, a->k + from * a->ldk + d, a->ldk, 0);
        }
}

LM_KERN(ref, attn)
{
    k->attn_bytes = attn_bytes;
    k->attn = attn;
    k->attn_bwd = attn_bwd;
}
