/* Gradients: the reference kernels, compiled again in f64 without rounding, against finite
 * differences. */
#include <math.h>
#define LM_SCALAR double
#define LM_SCALAR64 1
#define rfma(a, b, c) fma(a, b, c)
#define rexp(x) exp(x)
#define rlog(x) log(x)
#define rtanh(x) tanh(x)
#define rerf(x) erf(x)
#define rroot(x) sqrt(x)
#define rround(x, fmt) ((void)(fmt), (x))
#include "kernels/kern.h"
#undef LM_KERN
#define LM_KERN(level, stem) static void f64_##stem(struct lm_kern *k)
#include "kernels/ref/act.c"
#include "kernels/ref/ce.c"
#include "kernels/ref/norm.c"
#include "kernels/ref/opt.c"
#include "kernels/ref/rope.c"
#define even even_gemm
#include "kernels/ref/gemm.c"
#undef even
#include "kernels/ref/attn.c"

static lm_kern k;
static int n, bad;
static uint64_t rng = 9;

static double *noise(size_t c)
{
    double *x = lm_zalloc(c + 1, sizeof *x);

    for (size_t i = 0; i < c; i++)
        x[i] = (double)(lm_splitmix(&rng) >> 11) * 0x1p-53 * 2 - 1;
    return x;
}

/* Compares grad [c] with central differences of f at x; the scale is the largest gradient. */
static void check(const char *name, double (*f)(void *), void *ctx, double *x, const double *grad,
                  size_t c)
{
    double worst = 0, top = 0, h = 1e-5;

    for (size_t i = 0; i < c; i++) {
        double was = x[i], up, down;

        x[i] = was + h;
        up = f(ctx);
        x[i] = was - h;
        down = f(ctx);
        x[i] = was;
        worst = fmax(worst, fabs((up - down) / (2 * h) - grad[i]));
        top = fmax(top, fabs(grad[i]));
    }
    top = fmax(top, 1e-3); /* where nothing is seen the gradient is zero */
    n++;
    bad += !(worst <= 1e-6 * top);
    printf("%sok %d - %s  # worst %.1e of %.1e\n", worst <= 1e-6 * top ? "" : "not ", n, name,
           worst, top);
}

static double weigh(size_t c, const double *r, const double *y)
{
    double s = 0;

    for (size_t i = 0; i < c; i++)
        s += r[i] * y[i];
    return s;
}

enum { R = 3, D = 20, H = 2, HD = 10 };
typedef struct {
    double *x, *w, *r, *y, *cs, rstd[R * H];
    uint32_t pos[R];
    bool norm;
    double *b;
} rowop;

static double f_rms(void *c)
{
    rowop *o = c;

    k.rms(R, D, o->x, D, o->w, 1e-6, o->y, D, o->rstd);
    return weigh(R * D, o->r, o->y);
}

static double f_ln(void *c)
{
    rowop *o = c;

    k.ln(R, D, o->x, D, o->w, o->norm ? o->b : NULL, 1e-5, o->y, D, o->rstd);
    return weigh(R * D, o->r, o->y);
}

static double f_gelu(void *c)
{
    rowop *o = c;

    k.gelu(o->norm, R * D, o->x, o->y);
    return weigh(R * D, o->r, o->y);
}

static double f_clip(void *c)
{
    rowop *o = c;

    memcpy(o->y, o->x, R * D * sizeof *o->y);
    k.clip(R * D, 0.5, o->y);
    return weigh(R * D, o->r, o->y);
}

/* A bias is an addition a row; its gradient the sum of the rows. */
static double f_bias(void *c)
{
    rowop *o = c;

    for (size_t i = 0; i < R; i++)
        k.add(D, o->x + i * D, o->w, o->y + i * D);
    return weigh(R * D, o->r, o->y);
}

static void more_rows(rowop *o, double *dx, double *dw)
{
    double *act = noise(R * D), *db = lm_zalloc(D, sizeof *db);

    o->b = noise(D);
    for (int v = 0; v < 2; v++) {
        o->norm = v;
        f_ln(o);
        memset(dw, 0, D * sizeof *dw);
        k.ln_bwd(R, D, o->x, D, o->w, o->rstd, o->r, D, NULL, dx, D, dw, v ? db : NULL);
        check(v ? "layer norm with bias, to its input" : "layer norm, to its input", f_ln, o, o->x,
              dx, R * D);
        check(v ? "layer norm with bias, to its weight" : "layer norm, to its weight", f_ln, o,
              o->w, dw, D);
        if (v)
            check("layer norm with bias, to its bias", f_ln, o, o->b, db, D);
        k.gelu_bwd(v, R * D, o->x, o->r, dx, act);
        check(v ? "GELU by erf" : "GELU by tanh", f_gelu, o, o->x, dx, R * D);
    }
    k.sum_rows(R, D, o->r, D, db, false);
    check("bias", f_bias, o, o->w, db, D);
    memcpy(act, o->x, R * D * sizeof *act);
    k.clip(R * D, 0.5, act);
    memcpy(dx, o->r, R * D * sizeof *dx);
    k.clip_bwd(R * D, 0.5, act, dx);
    check("clip", f_clip, o, o->x, dx, R * D);
    free(o->b), free(act), free(db);
}

static double f_rope(void *c)
{
    rowop *o = c;

    k.rope(R, H, HD, o->x, D, o->norm ? o->w : NULL, 1e-6, o->cs, o->pos, o->y, D, o->rstd);
    return weigh(R * D, o->r, o->y);
}

static double f_swiglu(void *c)
{
    rowop *o = c;

    k.swiglu(R, D, o->x, o->y);
    return weigh(R * D, o->r, o->y);
}

static void rows(void)
{
    rowop o = {.x = noise(2 * R * D),
               .w = noise(D),
               .r = noise(R * D),
               .y = noise(R * D),
               .cs = noise(8 * HD),
               .pos = {0, 5, 2}};
    double *dx = noise(2 * R * D), *dw = lm_zalloc(D, sizeof *dw), *act = noise(R * D);

    f_rms(&o);
    k.rms_bwd(R, D, o.x, D, o.w, o.rstd, o.r, D, NULL, dx, D, dw);
    check("RMS norm, to its input", f_rms, &o, o.x, dx, R * D);
    check("RMS norm, to its weight", f_rms, &o, o.w, dw, D);
    for (int v = 0; v < 2; v++) {
        o.norm = v;
        f_rope(&o);
        memset(dw, 0, D * sizeof *dw);
        k.rope_bwd(R, H, HD, o.x, D, v ? o.w : NULL, o.rstd, o.cs, o.pos, o.r, D, dx, D, dw);
        check(v ? "norm of heads and rotation, to its input" : "rotation", f_rope, &o, o.x, dx,
              R * D);
        if (v)
            check("norm of heads, to its weight", f_rope, &o, o.w, dw, HD);
    }
    f_swiglu(&o);
    k.swiglu_bwd(R, D, o.x, o.r, dx, act);
    check("SwiGLU", f_swiglu, &o, o.x, dx, 2 * R * D);
    more_rows(&o, dx, dw);
    free(o.x), free(o.w), free(o.r), free(o.y), free(o.cs), free(dx), free(dw), free(act);
}

enum { V = 37 };
typedef struct {
    double *x, gw, z;
} ceop;

static double f_ce(void *c)
{
    ceop *o = c;
    double x[V], lse, l;

    memcpy(x, o->x, sizeof x);
    l = k.ce(V, x, 5, o->gw, o->z, false, &lse);
    return o->gw * (l + o->z * lse * lse);
}

static void loss(void)
{
    ceop o = {noise(V), 0.7, 0};
    double g[V], lse;

    for (int v = 0; v < 2; v++) {
        o.z = v * 0.01;
        memcpy(g, o.x, sizeof g);
        k.ce(V, g, 5, o.gw, o.z, true, &lse);
        check(v ? "cross-entropy with z-loss" : "cross-entropy", f_ce, &o, o.x, g, V);
    }
    free(o.x);
}

enum { M = 5, N = 4, K = 7 };
typedef struct {
    double *a, *b, *r;
} mulop;

static void mul(const double *a, bool akm, size_t m, const double *b, bool bkm, size_t nn,
                size_t kt, double *c)
{
    double pa[80], pb[80];

    k.packa(&(lm_pack){
        .kmajor = akm, .kt = kt, .src = a, .ld = akm ? m : kt, .kn = kt, .nn = m, .dst = pa});
    k.packb(&(lm_pack){
        .kmajor = bkm, .kt = kt, .src = b, .ld = bkm ? nn : kt, .kn = kt, .nn = nn, .dst = pb});
    k.gemm(&(lm_gemm){.akm = akm,
                      .a = pa,
                      .akt = kt,
                      .m = m,
                      .b = pb,
                      .bkt = kt,
                      .n = nn,
                      .k = kt,
                      .c = c,
                      .ldc = nn});
}

static double f_mul(void *c)
{
    mulop *o = c;
    double y[M * N];

    mul(o->a, false, M, o->b, false, N, K, y);
    return weigh(M * N, o->r, y);
}

static void products(void)
{
    mulop o = {noise(M * K), noise(N * K), noise(M * N)};
    double da[M * K], db[N * K];

    mul(o.r, false, M, o.b, true, K, N, da); /* dX = dY W */
    mul(o.r, true, N, o.a, true, K, M, db);  /* dW = dY' X */
    check("product, to its input", f_mul, &o, o.a, da, M * K);
    check("product, to its weight", f_mul, &o, o.b, db, N * K);
    free(o.a), free(o.b), free(o.r);
}

enum { T = 70, A = 6, G = 2 }; /* tokens over a border of tiles, head size, heads that share keys */
typedef struct {
    double *q, *kv, *r, *o, *lse;
    const uint32_t *start, *end;
    double cap, slope[G];
} attop;

static double f_att(void *c)
{
    attop *o = c;

    for (size_t h = 0; h < G; h++) {
        double kp[T * A], vp[(T + 1) * A];

        k.packb(&(lm_pack){.kt = A, .src = o->kv, .ld = A, .kn = A, .nn = T, .dst = kp});
        k.packb(&(lm_pack){
            .kmajor = true, .kt = T, .src = o->kv + T * A, .ld = A, .kn = T, .nn = A, .dst = vp});
        k.attn(&k, &(lm_attn){.nq = T,
                              .hd = A,
                              .keys = T,
                              .q = o->q + h * A,
                              .ldq = G * A,
                              .kp = kp,
                              .vp = vp,
                              .start = o->start,
                              .end = o->end,
                              .scale = 0.8,
                              .cap = o->cap,
                              .slope = o->slope[h],
                              .o = o->o + h * A,
                              .ldo = G * A,
                              .lse = o->lse + h,
                              .ldl = G});
    }
    return weigh(T * G * A, o->r, o->o);
}

static void attention(const char *mask, const uint32_t *start, const uint32_t *end, double cap,
                      double tilt)
{
    attop o = {noise(T * G * A),
               noise(2 * T * A),
               noise(T * G * A),
               noise(T * G * A),
               noise(T * G),
               start,
               end,
               cap,
               {tilt, tilt / 3}};
    double *dq = noise(T * G * A), *dk = noise(2 * T * A), *scratch = noise(4 * T * A + 200);
    char name[100];

    f_att(&o);
    k.attn_bwd(&k, &(lm_attn_bwd){.n = T,
                                  .hd = A,
                                  .g = G,
                                  .scale = 0.8,
                                  .cap = cap,
                                  .slope = tilt != 0 ? o.slope : NULL,
                                  .q = o.q,
                                  .k = o.kv,
                                  .v = o.kv + T * A,
                                  .ldq = G * A,
                                  .ldk = A,
                                  .ldv = A,
                                  .o = o.o,
                                  .go = o.r,
                                  .ldo = G * A,
                                  .lse = o.lse,
                                  .ldl = G,
                                  .start = start,
                                  .end = end,
                                  .dq = dq,
                                  .dk = dk,
                                  .dv = dk + T * A,
                                  .lddq = G * A,
                                  .lddk = A,
                                  .lddv = A,
                                  .scratch = scratch});
    snprintf(name, sizeof name, "attention, %s, to queries", mask);
    check(name, f_att, &o, o.q, dq, T * G * A);
    snprintf(name, sizeof name, "attention, %s, to keys and values", mask);
    check(name, f_att, &o, o.kv, dk, 2 * T * A);
    free(o.q), free(o.kv), free(o.r), free(o.o), free(o.lse), free(dq), free(dk), free(scratch);
}

int main(void)
{
    uint32_t start[T], end[T];

    f64_act(&k), f64_ce(&k), f64_norm(&k), f64_opt(&k), f64_rope(&k), f64_gemm(&k), f64_attn(&k);
    rows();
    loss();
    products();
    attention("causal", NULL, NULL, 0, 0);
    attention("causal, ALiBi", NULL, NULL, 0, 0.25);
    attention("causal, capped", NULL, NULL, 0.7, 0);
    attention("causal, capped, ALiBi", NULL, NULL, 0.7, 0.25);
    for (uint32_t i = 0; i < T; i++)
        start[i] = i < 9 ? 0 : i - 9;
    attention("a window of 10", start, NULL, 0, 0);
    for (uint32_t i = 0; i < T; i++)
        start[i] = i < 20 ? 0 : i < 66 ? 20 : 66;
    attention("documents", start, NULL, 0, 0);
    for (uint32_t i = 0; i < T; i++)
        end[i] = i < 7 ? 6 : i >= 20 && i < 65 ? 64 : i >= 66 ? 69 : i;
    attention("documents with prefixes", start, end, 0, 0);
    attention("documents with prefixes, capped, ALiBi", start, end, 0.7, 0.25);
    for (uint32_t i = 0; i < T; i++)
        end[i] = i < 67 ? 66 : i;
    attention("one prefix over a border of tiles", NULL, end, 0, 0);
    for (uint32_t i = 0; i < T; i++)
        start[i] = i;
    attention("each token alone", start, NULL, 0, 0);
    for (uint32_t i = 0; i < T; i++) {
        start[i] = (uint32_t)lm_below(&rng, i + 1);
        end[i] = i + (uint32_t)lm_below(&rng, T - i);
    }
    attention("any window", start, end, 0, 0);
    printf("1..%d\n", n);
    return bad != 0;
}
