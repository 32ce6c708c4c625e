/* Kernels: every level of this machine gives the bits of ref, over shapes at the edges of tiles. */
#include "kernels/kern.h"
#include "kernels/cpu.h"
#include <math.h>

static int n, bad;
static uint64_t rng = 1;

static void ok(bool yes, const char *level, const char *what)
{
    n++;
    bad += !yes;
    printf("%sok %d - %s: %s\n", yes ? "" : "not ", n, level, what);
}

static float *noise(size_t k)
{
    float *x = lm_zalloc(k + 1, sizeof *x);

    for (size_t i = 0; i < k; i++) {
        uint64_t u = lm_splitmix(&rng);
        float s = (float)((double)(u >> 11) * 0x1p-53 * 2 - 1);

        x[i] = u % 61 == 0   ? s * 0x1p-70f
               : u % 31 == 0 ? s * 30
                             : s; /* small products reach the denormals */
    }
    return x;
}

static bool same(const float *a, const float *b, size_t k, const char *what)
{
    for (size_t i = 0; i < k; i++)
        if (lm_bits(a[i]) != lm_bits(b[i])) {
            printf("# %s: element %zu of %zu is %a, want %a\n", what, i, k, (double)a[i],
                   (double)b[i]);
            return false;
        }
    return true;
}

/* One product by level k: A from rows or kmajor, B likewise, in two pieces of depth. */
static void product(const lm_kern *k, int fmt, bool akm, bool bkm, size_t m, size_t nn, size_t kt,
                    const float *a, const float *b, float *c)
{
    void *pa = lm_zalloc(k->asize(fmt, akm, kt, m) + 64, 1),
         *pb = lm_zalloc(k->bsize(fmt, kt, nn) + 64, 1);
    size_t cut = kt / 2 & ~(size_t)(fmt == LM_FMT_BF16T ? LM_TILE_K - 1 : 1);
    lm_pack p = {.fmt = fmt,
                 .kmajor = akm,
                 .kt = kt,
                 .src = a,
                 .ld = akm ? m : kt,
                 .kn = cut,
                 .nn = m,
                 .dst = pa};

    k->packa(&p);
    p.k0 = cut, p.kn = kt - cut, p.src = a + (akm ? cut * m : cut);
    k->packa(&p);
    p = (lm_pack){.fmt = fmt,
                  .kmajor = bkm,
                  .kt = kt,
                  .src = b,
                  .ld = bkm ? nn : kt,
                  .kn = kt,
                  .nn = nn,
                  .dst = pb};
    k->packb(&p);
    k->gemm(&(lm_gemm){.fmt = fmt,
                       .akm = akm,
                       .a = pa,
                       .akt = kt,
                       .m = m,
                       .b = pb,
                       .bkt = kt,
                       .n = nn,
                       .k = cut,
                       .c = c,
                       .ldc = nn + 3});
    k->gemm(&(lm_gemm){.fmt = fmt,
                       .akm = akm,
                       .beta = true,
                       .a = pa,
                       .akt = kt,
                       .ak0 = cut,
                       .m = m,
                       .b = pb,
                       .bkt = kt,
                       .bk0 = cut,
                       .n = nn,
                       .k = kt - cut,
                       .c = c,
                       .ldc = nn + 3});
    free(pa);
    free(pb);
}

static void products(const lm_kern *k, const lm_kern *ref)
{
    static const size_t ms[] = {1, 5, 6, 7, 8, 9, 13, 64, 97},
                        ns[] = {1, 15, 16, 17, 31, 32, 33, 70},
                        ks[] = {2, 3, 16, 31, 32, 33, 64, 95, 600};

    for (int v = 0; v < 12; v++) {
        bool good = true, akm = v & 1, bkm = v & 2;
        int fmt = v / 4;

        for (size_t i = 0; i < LM_COUNT(ms) && good; i++)
            for (size_t j = 0; j < LM_COUNT(ns) && good; j++)
                for (size_t q = 0; q < LM_COUNT(ks) && good; q++) {
                    size_t cn = ms[i] * (ns[j] + 3);
                    float *a = noise(ms[i] * ks[q]), *b = noise(ns[j] * ks[q]),
                          *c = lm_zalloc(cn, 4), *d = lm_zalloc(cn, 4);

                    product(ref, fmt, akm, bkm, ms[i], ns[j], ks[q], a, b, c);
                    product(k, fmt, akm, bkm, ms[i], ns[j], ks[q], a, b, d);
                    good = same(d, c, cn, "product");
                    free(a), free(b), free(c), free(d);
                }
        ok(good, k->name,
           (const char *[]){"f32 products", "bf16 products", "bf16 products in tile order"}[fmt]);
    }
}

static void rows(const lm_kern *k, const lm_kern *ref)
{
    static const size_t ds[] = {2, 16, 24, 50, 64, 1000};
    const lm_kern *kk[2] = {ref, k};
    bool norm = true, rot = true, act = true, opt = true, loss = true, ln = true, gelu = true;

    for (size_t s = 0; s < LM_COUNT(ds); s++) {
        size_t d = ds[s], r = 5, t = r * d * 4;
        float *x = noise(t), *w = noise(t), *g = noise(t), *out[2], st[2][64], l[2][2];
        uint32_t pos[5] = {0, 1, 2, 0, 3};
        lm_adamw_arg aw = {.gs = 0.3f,
                           .b1 = 0.9f,
                           .b2 = 0.95f,
                           .c1 = 1.2f,
                           .c2 = 1.5f,
                           .eps = 1e-8f,
                           .lr = 1e-3f,
                           .keep = 0.99f};

        for (int v = 0; v < 2; v++) {
            out[v] = lm_zalloc(t * 4, 4);
            memset(st[v], 0, sizeof st[v]);
            kk[v]->rms(r, d, x, d, w, 1e-6f, out[v], d, st[v]);
            kk[v]->rms_bwd(r, d, x, d, w, st[v], g, d, s % 2 ? x : NULL, out[v] + t, d,
                           out[v] + 2 * t);
        }
        norm = norm && same(out[1], out[0], 4 * t, "rms") && same(st[1], st[0], 64, "rstd");
        for (int b = 0; b < 2; b++) {
            for (int v = 0; v < 2; v++) {
                memset(out[v], 0, t * 16);
                kk[v]->ln(r, d, x, d, w, b ? g + t / 2 : NULL, 1e-5f, out[v], d, st[v]);
                kk[v]->ln_bwd(r, d, x, d, w, st[v], g, d, s % 2 ? x : NULL, out[v] + t, d,
                              out[v] + 2 * t, b ? out[v] + 3 * t : NULL);
            }
            ln = ln && same(out[1], out[0], 4 * t, "ln") && same(st[1], st[0], 64, "rstd");
            for (int v = 0; v < 2; v++) {
                memset(out[v], 0, t * 16);
                kk[v]->gelu(b, t - 1, x, out[v]);
                memcpy(out[v] + t, g, t * 4);
                kk[v]->gelu_bwd(b, t - 1, x, out[v] + t, out[v] + 2 * t, out[v] + t);
                memcpy(out[v] + 3 * t, x, t * 4);
                kk[v]->clip(t - 1, 0.5f, out[v] + 3 * t);
                kk[v]->clip_bwd(t - 1, 0.5f, out[v] + 3 * t, out[v] + 2 * t);
            }
            gelu = gelu && same(out[1], out[0], 4 * t, "gelu");
        }
        for (int v = 0; v < 2; v++) {
            memset(out[v], 0, t * 16);
            kk[v]->rope(r, 3, d, x, 4 * d, s % 2 ? w : NULL, 1e-6f, g, pos, out[v], 4 * d, st[v]);
            kk[v]->rope_bwd(r, 3, d, x, 4 * d, s % 2 ? w : NULL, st[v], g, pos, w, 4 * d,
                            out[v] + t, 4 * d, out[v] + 2 * t);
        }
        rot = rot && same(out[1], out[0], 4 * t, "rope");
        for (int v = 0; v < 2; v++) {
            memset(out[v], 0, t * 16);
            kk[v]->swiglu(r, d, x, out[v]);
            memcpy(out[v] + t, g, t * 4);
            kk[v]->swiglu_bwd(r, d, x, out[v] + t, out[v] + 2 * t, out[v] + t);
        }
        act = act && same(out[1], out[0], 4 * t, "swiglu");
        for (int v = 0; v < 2; v++) {
            memcpy(out[v], w, t * 4);
            for (size_t i = 0; i < t; i++)
                out[v][t + i] = g[i], out[v][2 * t + i] = fabsf(x[i]);
            kk[v]->adamw(t, out[v], out[v] + t, out[v] + 2 * t, x, &aw);
            kk[v]->add(d, x, w, out[v] + 3 * t);
            kk[v]->sum_rows(r, d, x, d, out[v] + 3 * t + d, true);
            out[v][3 * t + 3 * d] = (float)kk[v]->sumsq(t, x);
            out[v][3 * t + 3 * d + 1] = (float)kk[v]->distsq(t, x, w);
        }
        opt = opt && same(out[1], out[0], 4 * t, "opt");
        for (int v = 0; v < 2; v++) {
            for (size_t i = 0; i < t; i++) /* where the gradient holds the momentum at zero too */
                out[v][t + i] = i % 5 ? g[i] : 0, out[v][2 * t + i] = i % 5 ? x[i] : 0;
            kk[v]->lion(t, out[v], out[v] + t, out[v] + 2 * t, &aw);
            kk[v]->ema(t, out[v] + 3 * t, out[v], 0.01f);
        }
        opt = opt && same(out[1], out[0], 4 * t, "lion");
        for (int v = 0; v < 2; v++) {
            memcpy(out[v], x, t * 4);
            l[v][0] = kk[v]->ce(t, out[v], 1, 0.1f, 1e-4f, true, &l[v][1]);
        }
        loss = loss && same(out[1], out[0], t, "ce") && same(l[1], l[0], 2, "ce");
        free(x), free(w), free(g), free(out[0]), free(out[1]);
    }
    ok(norm, k->name, "RMS norm");
    ok(ln, k->name, "layer norm");
    ok(rot, k->name, "rotation");
    ok(act, k->name, "SwiGLU");
    ok(gelu, k->name, "GELU and clip");
    ok(opt, k->name, "AdamW, Lion, averages and sums");
    ok(loss, k->name, "cross-entropy");
}

/* Attention of G query heads over one key head and its gradient, by level z: o, dq, dk, dv, lse. */
enum { G = 2 };
typedef struct {
    int fmt;
    size_t t, hd;
    const float *q, *kv, *go;
    const uint32_t *start, *end;
    float cap;
    const float *slope; /* [G] or NULL */
} att;

static float *attend(const lm_kern *z, const att *c)
{
    size_t t = c->t, hd = c->hd, lq = G * hd, nq = t * lq, nk = t * hd;
    void *kp = lm_zalloc(z->bsize(c->fmt, hd, t) + 64, 1),
         *vp = lm_zalloc(z->bsize(c->fmt, t, hd) + 64, 1);
    void *scr = lm_alloc(z->attn_bytes(z, c->fmt, hd, t) + 64);
    float *o = lm_zalloc(2 * nq + 2 * nk + G * t, 4), *lse = o + 2 * nq + 2 * nk;

    z->packb(
        &(lm_pack){.fmt = c->fmt, .kt = hd, .src = c->kv, .ld = hd, .kn = hd, .nn = t, .dst = kp});
    z->packb(&(lm_pack){.fmt = c->fmt,
                        .kmajor = true,
                        .kt = t,
                        .src = c->kv + nk,
                        .ld = hd,
                        .kn = t,
                        .nn = hd,
                        .dst = vp});
    for (size_t h = 0; h < G; h++)
        z->attn(z, &(lm_attn){.fmt = c->fmt,
                              .nq = t,
                              .hd = hd,
                              .keys = t,
                              .q = c->q + h * hd,
                              .ldq = lq,
                              .kp = kp,
                              .vp = vp,
                              .start = c->start,
                              .end = c->end,
                              .scale = 0.3f,
                              .cap = c->cap,
                              .slope = c->slope ? c->slope[h] : 0,
                              .o = o + h * hd,
                              .ldo = lq,
                              .lse = lse + h,
                              .ldl = G,
                              .scratch = scr});
    z->attn_bwd(z, &(lm_attn_bwd){.fmt = c->fmt,
                                  .n = t,
                                  .hd = hd,
                                  .g = G,
                                  .scale = 0.3f,
                                  .cap = c->cap,
                                  .slope = c->slope,
                                  .q = c->q,
                                  .k = c->kv,
                                  .v = c->kv + nk,
                                  .ldq = lq,
                                  .ldk = hd,
                                  .ldv = hd,
                                  .o = o,
                                  .go = c->go,
                                  .ldo = lq,
                                  .lse = lse,
                                  .ldl = G,
                                  .start = c->start,
                                  .end = c->end,
                                  .dq = o + nq,
                                  .dk = o + 2 * nq,
                                  .dv = o + 2 * nq + nk,
                                  .lddq = lq,
                                  .lddk = hd,
                                  .lddv = hd,
                                  .scratch = scr});
    free(kp), free(vp), free(scr);
    return o;
}

/* What each of t tokens sees: 1: documents, 2: those with prefixes of any length, 3: prefixes
   without documents, 4: any window around a token. 0: NULL, causal. */
enum { MASKS = 5 };
static void mask(int kind, size_t t, uint32_t *start, uint32_t *end)
{
    for (size_t b = 0, e; b < t; b = e) {
        size_t p;

        e = b + 1 + lm_below(&rng, 90);
        e = e < t ? e : t;
        p = b + lm_below(&rng, e - b + 1);
        for (size_t i = b; i < e; i++) {
            start[i] = (uint32_t)(kind == 3 ? 0 : kind == 4 ? lm_below(&rng, i + 1) : b);
            end[i] = (uint32_t)(kind == 4 ? i + lm_below(&rng, t - i) : i + 1 < p ? p - 1 : i);
        }
    }
}

static void attention(const lm_kern *k, const lm_kern *ref)
{
    static const float slope[G] = {0.0625f, 0.4f};
    static const size_t seqs[] = {1, 5, 63, 64, 65, 130, 203}, hds[] = {8, 16, 34, 64};

    for (int fmt = 0; fmt < 2; fmt++) {
        bool fwd = true, bwd = true, causal = true;

        for (size_t a = 0; a < LM_COUNT(seqs); a++)
            for (size_t b = 0; b < LM_COUNT(hds) * MASKS && fwd && bwd && causal; b++) {
                size_t t = seqs[a], hd = hds[b / MASKS], nq = t * G * hd, nk = t * hd,
                       all = 2 * nq + 2 * nk;
                int kind = (int)(b % MASKS);
                float *q = noise(nq), *kv = noise(2 * nk), *go = noise(nq), *want, *got;
                uint32_t *start = lm_zalloc(t, 4), *end = lm_zalloc(t, 4);
                att c = {fmt,
                         t,
                         hd,
                         q,
                         kv,
                         go,
                         kind && kind != 3 ? start : NULL,
                         kind > 1 ? end : NULL,
                         (a + b) % 3 == 1 ? 1.5f : 0,
                         (a + b) % 4 == 1 ? slope : NULL};

                mask(kind, t, start, end);
                want = attend(ref, &c);
                got = attend(k, &c);
                fwd = same(got, want, nq, "attention") && same(got + all, want + all, G * t, "lse");
                bwd = same(got + nq, want + nq, nq + 2 * nk, "gradient");
                free(got);
                if (kind < 2) { /* an end that says i is the same as none */
                    for (size_t i = 0; i < t; i++)
                        end[i] = (uint32_t)i;
                    c.end = end;
                    got = attend(k, &c);
                    causal = same(got, want, all + G * t, "causal by end");
                    free(got);
                }
                if (!fwd || !bwd || !causal)
                    printf("# %zu tokens, head %zu, type %d, mask %d\n", t, hd, fmt, kind);
                free(q), free(kv), free(go), free(want), free(start), free(end);
            }
        ok(fwd, k->name, fmt ? "bf16 attention" : "f32 attention");
        ok(bwd, k->name, fmt ? "bf16 gradient of attention" : "f32 gradient of attention");
        ok(causal, k->name, fmt ? "bf16: causal said or not said" : "f32: causal said or not said");
    }
}

/* The worst error of f in units of the last place, over the floats of +-[lo, hi], every 61st. */
static double worst_of(const char *name, float (*f)(float), double (*is)(double), float lo,
                       float hi)
{
    double worst = 0;

    for (uint32_t u = lm_bits(lo > 0x1p-100f ? lo : 0x1p-100f); u < lm_bits(hi); u += 61)
        for (int s = -1; s < 2; s += 2) {
            float x = (float)s * lm_unbits(u);
            double y = is((double)x),
                   ulp = (double)nextafterf(fabsf((float)y), INFINITY) - fabs((double)(float)y);

            worst = fmax(worst, fabs(((double)f(x) - y) / ulp));
        }
    printf("# %s: worst error %.3f ulp\n", name, worst);
    return worst;
}

static void functions(void)
{
    double worst = 0;
    bool logs = true;

    for (float x = -87.3f; x < 88.36f; x += 0.0137f) {
        double e = exp((double)x), ulp = (double)nextafterf((float)e, INFINITY) - (double)(float)e;

        worst = fmax(worst, fabs(((double)lm_exp1(x) - e) / ulp));
    }
    ok(worst_of("tanh", lm_tanh1, tanh, 0, 10) < 1.5, "ref", "tanh over its range");
    ok(worst_of("erf", lm_erf1, erf, 0, 5) < 1.5, "ref", "erf over its range");
    ok(lm_tanh1(-INFINITY) == -1 && lm_erf1(INFINITY) == 1 && lm_tanh1(NAN) != lm_tanh1(NAN) &&
           lm_erf1(NAN) != lm_erf1(NAN),
       "ref", "tanh and erf at the ends");
    printf("# exp: worst error %.3f ulp\n", worst);
    ok(worst < 1 && lm_exp1(0) == 1, "ref", "exp over its range");
    for (double x = 1e-30; x < 1e30; x *= 1.01)
        logs = logs && fabs(lm_log1(x) - log(x)) <= 4e-16 * fmax(1, fabs(log(x)));
    ok(logs && lm_log1(1) == 0, "ref", "log over its range");
    ok(lm_bf16_f32(lm_f32_bf16(1.00390625f)) == 1 &&
           lm_bf16_f32(lm_f32_bf16(1.01171875f)) == 1.015625f && lm_f32_bf16(1e-40f) == 0 &&
           lm_f32_bf16(NAN) == 0x7fc0,
       "ref", "bf16 rounds to nearest even");
    ok(lm_f16_f32(0x3c00) == 1 && lm_f16_f32(1) == 0x1p-24f && lm_f16_f32(0xfbff) == -65504, "ref",
       "f16 is read");
}

/* Every chain adds up the same; whole FLOPs a round. */
static void spins(const lm_kern *k)
{
    for (int fmt = LM_FMT_F32; fmt <= LM_FMT_BF16T; fmt++) {
        float sum = 0;
        double flops = k->spin(fmt, 1000, &sum);

        ok(sum == 1000.0f / 1024 && flops >= 16000 && fmod(flops, 2000) == 0, k->name,
           (const char *[]){"multiply-adds of f32 in registers",
                            "multiply-adds of bf16 in registers",
                            "multiply-adds of bf16 in tiles"}[fmt]);
    }
}

int main(void)
{
    static const char *const levels[] = {"avx2", "avx512f", "avx512"};
    const lm_kern *ref = lm_kern_level("ref"), *k;
    unsigned csr = lm_kern_enter();

    functions();
    spins(ref);
    for (size_t i = 0; i < LM_COUNT(levels); i++) {
        if (!(k = lm_kern_level(levels[i]))) {
            printf("# %s: not on this machine\n", levels[i]);
            continue;
        }
        products(k, ref);
        rows(k, ref);
        attention(k, ref);
        spins(k);
    }
    lm_kern_leave(csr);
    printf("1..%d\n", n);
    return bad != 0;
}
