/* attn: tiles of LM_ATT queries x LM_ATT keys, products by the level's gemm; bits of ref/attn.c. */
#include "kernels/x86/v16.h"

enum { T = LM_ATT };

/* Scratch, carved in one place for size and use. */
typedef struct {
    char *base;
    size_t n;
    float *s, *dp;                /* [T, T] */
    void *q, *go, *p;             /* left operands of a tile */
    void *kt, *vt, *kn, *qn, *gn; /* right operands over the row, backward only */
} room;

static void *take(room *r, size_t bytes)
{
    size_t at = r->n;

    r->n += (bytes + 63) & ~(size_t)63;
    return r->base ? r->base + at : NULL;
}

static void carve(room *r, const lm_kern *k, int fmt, size_t hd, size_t n)
{
    size_t rows = k->asize(fmt, false, T, T), panels = k->asize(fmt, true, T, T);

    r->s = take(r, T * T * 4);
    r->q = take(r, k->asize(fmt, false, hd, T));
    r->p = take(r, rows > panels ? rows : panels);
    if (!n)
        return;
    r->dp = take(r, T * T * 4);
    r->go = take(r, k->asize(fmt, false, hd, T));
    r->kt = take(r, k->bsize(fmt, hd, n));
    r->vt = take(r, k->bsize(fmt, hd, n));
    r->kn = take(r, k->bsize(fmt, n, hd));
    r->qn = take(r, k->bsize(fmt, n, hd));
    r->gn = take(r, k->bsize(fmt, n, hd));
}

static size_t attn_bytes(const lm_kern *k, int fmt, size_t hd, size_t n)
{
    room r = {0};

    carve(&r, k, fmt, hd, n);
    return r.n;
}

/* Which of the 16 lanes from key t + j on a row with keys lo .. hi sees. */
INL m16 seen(size_t t, size_t j, size_t lo, size_t hi)
{
    v16 ix = v_add(v_index(), v_set((float)j));
    float a = lo > t ? (float)(lo - t) : 0, b = hi < t       ? -1
                                                : hi - t > T ? (float)T
                                                             : (float)(hi - t);

    return m_and(v_ge(ix, v_set(a)), v_le(ix, v_set(b)));
}

static void scale_row(float *o, size_t hd, float c)
{
    EACH16 (d, n, hd)
        v_storen(o + d, n, v_mul(v_loadn(o + d, n), v_set(c)));
}

/* A row of products becomes scores that are capped and tilted (ref/attn.c, bend). slide, unless it
   is NULL: what their gradient is multiplied with. i: the query's place. */
static void bend_row(float *s, size_t t, size_t i, float scale, float cap, float slope,
                     float *slide)
{
    v16 at = v_sub(v_add(v_index(), v_set((float)t)), v_set((float)i));

    for (size_t j = 0; j < T; j += 16) {
        v16 x = v_mul(v_load(s + j), v_set(scale));

        if (cap != 0) {
            v16 u = v_tanh(v_div(x, v_set(cap)));

            x = v_mul(v_set(cap), u);
            if (slide)
                v_store(slide + j, v_fnma(u, u, v_set(1)));
        }
        if (slope != 0)
            x = v_fma(v_set(slope), v_add(at, v_set((float)j)), x);
        v_store(s + j, x);
    }
}

/* One row of scores becomes weights; top and sum go on, o is rescaled. */
static void soft_row(float *s, size_t t, size_t lo, size_t hi, float scale, float *top, float *sum,
                     float *o, size_t hd)
{
    const v16 none = v_set(-__builtin_inff());
    v16 m = none, acc = v_zero();
    float now, c;

    if (hi < t || lo >= t + T) { /* nothing to see here */
        memset(s, 0, T * sizeof *s);
        return;
    }
    UNROLL
    for (size_t j = 0; j < T; j += 16) {
        v16 x = v_pick(seen(t, j, lo, hi), v_mul(v_load(s + j), v_set(scale)), none);

        v_store(s + j, x);
        m = v_max(m, x);
    }
    now = v_top(m);
    now = now > *top ? now : *top;
    c = lm_exp1(*top - now);
    UNROLL
    for (size_t j = 0; j < T; j += 16) {
        v16 x = v_exp(v_sub(v_load(s + j), v_set(now)));

        v_store(s + j, x);
        acc = v_add(acc, x);
    }
    *sum = __builtin_fmaf(*sum, c, v_sum(acc));
    *top = now;
    scale_row(o, hd, c);
}

static void attn_tile(const lm_kern *k, const lm_attn *a, size_t i0, size_t m, const room *r)
{
    float top[T], sum[T];
    uint32_t lo[T], hi[T], first = UINT32_MAX, last = 0;
    bool bent = a->cap != 0 || a->slope != 0;

    for (size_t i = 0; i < m; i++) {
        lo[i] = a->start ? a->start[i0 + i] : 0;
        hi[i] = a->end ? a->end[i0 + i] : (uint32_t)(a->q0 + i0 + i);
        first = lo[i] < first ? lo[i] : first;
        last = hi[i] > last ? hi[i] : last;
        top[i] = -__builtin_inff();
        sum[i] = 0;
        memset(a->o + (i0 + i) * a->ldo, 0, a->hd * 4);
    }
    k->packa(&(lm_pack){.fmt = a->fmt,
                        .kt = a->hd,
                        .src = a->q + i0 * a->ldq,
                        .ld = a->ldq,
                        .kn = a->hd,
                        .nn = m,
                        .dst = r->q});
    for (size_t t = first / T * T; t <= last; t += T) {
        size_t keys = a->keys - t < T ? a->keys - t : T;

        k->gemm(&(lm_gemm){.fmt = a->fmt,
                           .a = r->q,
                           .akt = a->hd,
                           .m = m,
                           .b = a->kp,
                           .bkt = a->hd,
                           .n0 = t,
                           .n = keys,
                           .k = a->hd,
                           .c = r->s,
                           .ldc = T});
        if (bent)
            for (size_t i = 0; i < m; i++)
                bend_row(r->s + i * T, t, a->q0 + i0 + i, a->scale, a->cap, a->slope, NULL);
        for (size_t i = 0; i < m; i++)
            soft_row(r->s + i * T, t, lo[i], hi[i], bent ? 1 : a->scale, &top[i], &sum[i],
                     a->o + (i0 + i) * a->ldo, a->hd);
        k->packa(&(
            lm_pack){.fmt = a->fmt, .kt = T, .src = r->s, .ld = T, .kn = T, .nn = m, .dst = r->p});
        k->gemm(&(lm_gemm){.fmt = a->fmt,
                           .beta = true,
                           .a = r->p,
                           .akt = T,
                           .m = m,
                           .b = a->vp,
                           .bkt = a->keys,
                           .bk0 = t,
                           .n = a->hd,
                           .k = keys,
                           .c = a->o + i0 * a->ldo,
                           .ldc = a->ldo});
    }
    for (size_t i = 0; i < m; i++) {
        float *o = a->o + (i0 + i) * a->ldo;

        EACH16 (d, n, a->hd)
            v_storen(o + d, n, v_div(v_loadn(o + d, n), v_set(sum[i])));
        if (a->lse)
            a->lse[(i0 + i) * a->ldl] = top[i] + (float)lm_log1(sum[i]);
    }
}

static void attn(const lm_kern *k, const lm_attn *a)
{
    room r = {.base = a->scratch};

    carve(&r, k, a->fmt, a->hd, 0);
    for (size_t i = 0; i < a->nq; i += T)
        attn_tile(k, a, i, a->nq - i < T ? a->nq - i : T, &r);
}

/* Weights again from the saved log-sum, and the gradient of the scores; dot: row sum of go * o. */
static void soft_row_bwd(float *s, float *dp, size_t t, size_t lo, size_t hi, float scale,
                         float lse, float dot)
{
    UNROLL
    for (size_t j = 0; j < T; j += 16) {
        m16 see = seen(t, j, lo, hi);
        v16 p = v_exp(v_sub(v_mul(v_load(s + j), v_set(scale)), v_set(lse)));
        v16 d = v_mul(v_mul(p, v_sub(v_load(dp + j), v_set(dot))), v_set(scale));

        v_store(s + j, v_pick(see, p, v_zero()));
        v_store(dp + j, v_pick(see, d, v_zero()));
    }
}

/* The same where scores are bent. */
static void bent_row_bwd(float *s, float *dp, size_t t, size_t i, size_t lo, size_t hi, float scale,
                         float cap, float slope, float lse, float dot)
{
    float slide[T];

    bend_row(s, t, i, scale, cap, slope, slide);
    for (size_t j = 0; j < T; j += 16) {
        m16 see = seen(t, j, lo, hi);
        v16 p = v_exp(v_sub(v_load(s + j), v_set(lse)));
        v16 d = v_mul(v_mul(p, v_sub(v_load(dp + j), v_set(dot))), v_set(scale));

        if (cap != 0)
            d = v_mul(d, v_load(slide + j));
        v_store(s + j, v_pick(see, p, v_zero()));
        v_store(dp + j, v_pick(see, d, v_zero()));
    }
}

static void bwd_tile(const lm_kern *k, const lm_attn_bwd *a, size_t h, size_t i0, size_t m,
                     const room *r)
{
    const float *q = a->q + i0 * a->ldq + h * a->hd, *go = a->go + i0 * a->ldo + h * a->hd,
                *o = a->o + i0 * a->ldo + h * a->hd;
    size_t lo[T], hi[T], first = SIZE_MAX, last = 0;
    float dot[T], slope = a->slope ? a->slope[h] : 0;
    bool bent = a->cap != 0 || slope != 0;

    for (size_t i = 0; i < m; i++) {
        lo[i] = a->start ? a->start[i0 + i] : 0;
        hi[i] = a->end ? a->end[i0 + i] : i0 + i;
        first = lo[i] < first ? lo[i] : first;
        last = hi[i] > last ? hi[i] : last;
        dot[i] = v_dot(a->hd, go + i * a->ldo, o + i * a->ldo);
    }
    first = first / T * T;
    k->packa(&(lm_pack){
        .fmt = a->fmt, .kt = a->hd, .src = q, .ld = a->ldq, .kn = a->hd, .nn = m, .dst = r->q});
    k->packa(&(lm_pack){
        .fmt = a->fmt, .kt = a->hd, .src = go, .ld = a->ldo, .kn = a->hd, .nn = m, .dst = r->go});
    for (size_t t = first; t <= last; t += T) {
        size_t keys = a->n - t < T ? a->n - t : T;
        lm_gemm g = {.fmt = a->fmt,
                     .a = r->q,
                     .akt = a->hd,
                     .m = m,
                     .b = r->kt,
                     .bkt = a->hd,
                     .n0 = t,
                     .n = keys,
                     .k = a->hd,
                     .c = r->s,
                     .ldc = T};
        lm_pack p = {.fmt = a->fmt,
                     .kmajor = true,
                     .kt = m,
                     .src = r->s,
                     .ld = T,
                     .kn = m,
                     .nn = keys,
                     .dst = r->p};
        lm_gemm w = {.fmt = a->fmt,
                     .akm = true,
                     .beta = true,
                     .a = r->p,
                     .akt = m,
                     .m = keys,
                     .b = r->gn,
                     .bkt = a->n,
                     .bk0 = i0,
                     .n = a->hd,
                     .k = m,
                     .c = a->dv + t * a->lddv,
                     .ldc = a->lddv};

        k->gemm(&g);
        g.a = r->go, g.b = r->vt, g.c = r->dp;
        k->gemm(&g);
        for (size_t i = 0; i < m && !bent; i++)
            soft_row_bwd(r->s + i * T, r->dp + i * T, t, lo[i], hi[i], a->scale,
                         a->lse[(i0 + i) * a->ldl + h], dot[i]);
        for (size_t i = 0; i < m && bent; i++)
            bent_row_bwd(r->s + i * T, r->dp + i * T, t, i0 + i, lo[i], hi[i], a->scale, a->cap,
                         slope, a->lse[(i0 + i) * a->ldl + h], dot[i]);
        k->packa(&p);
        k->gemm(&w);
        p.src = r->dp;
        w.b = r->qn, w.c = a->dk + t * a->lddk, w.ldc = a->lddk;
        k->packa(&p);
        k->gemm(&w);
        k->packa(&(lm_pack){
            .fmt = a->fmt, .kt = keys, .src = r->dp, .ld = T, .kn = keys, .nn = m, .dst = r->p});
        k->gemm(&(lm_gemm){.fmt = a->fmt,
                           .beta = t > first,
                           .a = r->p,
                           .akt = keys,
                           .m = m,
                           .b = r->kn,
                           .bkt = a->n,
                           .bk0 = t,
                           .n = a->hd,
                           .k = keys,
                           .c = a->dq + i0 * a->lddq + h * a->hd,
                           .ldc = a->lddq});
    }
}

static void attn_bwd(const lm_kern *k, const lm_attn_bwd *a)
{
    room r = {.base = a->scratch};
    lm_pack p = {.fmt = a->fmt, .kt = a->hd, .kn = a->hd, .nn = a->n};

    carve(&r, k, a->fmt, a->hd, a->n);
    p.src = a->k, p.ld = a->ldk, p.dst = r.kt;
    k->packb(&p);
    p.src = a->v, p.ld = a->ldv, p.dst = r.vt;
    k->packb(&p);
    p = (lm_pack){.fmt = a->fmt,
                  .kmajor = true,
                  .kt = a->n,
                  .kn = a->n,
                  .nn = a->hd,
                  .src = a->k,
                  .ld = a->ldk,
                  .dst = r.kn};
    k->packb(&p);
    for (size_t i = 0; i < a->n; i++) {
        memset(a->dk + i * a->lddk, 0, a->hd * 4);
        memset(a->dv + i * a->lddv, 0, a->hd * 4);
    }
    for (size_t h = 0; h < a->g; h++) {
        p.src = a->q + h * a->hd, p.ld = a->ldq, p.dst = r.qn;
        k->packb(&p);
        p.src = a->go + h * a->hd, p.ld = a->ldo, p.dst = r.gn;
        k->packb(&p);
        for (size_t i = 0; i < a->n; i += T)
            bwd_tile(k, a, h, i, a->n - i < T ? a->n - i : T, &r);
    }
}
