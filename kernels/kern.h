/* kern: the only door from the library to the kernels: one prototype an operation.
   kernels/ref/STEM.c is what an operation means; kernels/x86/LEVEL/STEM.c overrides it by its stem
   and gives the same bits. Every sum has one order, stated in ref; libm is not used. Calls are
   serial, keep no state, and expect the thread to have called lm_kern_enter (denormals in and out
   are zero). */
#ifndef LM_KERN_H
#define LM_KERN_H
#include "base/base.h"
#include "kernels/math.h"

#ifndef LM_SCALAR
#define LM_SCALAR float /* the tests compile ref again with double */
#endif
typedef LM_SCALAR lm_real;
typedef struct lm_kern lm_kern;

/* Type of a product's operands. BF16, BF16T: both are rounded to nearest even when packed; sums
   stay f32, in two different orders (lm_gemm). */
enum { LM_FMT_F32 = 0, LM_FMT_BF16 = 1, LM_FMT_BF16T = 2 };
enum { LM_TILE_K = 32 }; /* depth of a block of BF16T */
enum {
    LM_SRC_F32 = 0,
    LM_SRC_BF16 = 1,
    LM_SRC_F16 = 2
}; /* type of packed values, as LM_F32 .. of nn/cfg.h */

/* Packing of rows [n0, n0+nn) x depth [k0, k0+kn) of an operand of depth kt: left operand: its
   rows, right operand: its columns are the `n`. Value (n0+i, k0+j) is src[i * ld + j], or src[j *
   ld + i] if kmajor. The layout behind dst belongs to the level; lm_kern.asize, .bsize tell its
   bytes. For BF16 a k0 + kn equal to an odd kt also writes the zero behind it; for BF16T equal to
   kt the zeros up to a whole block, and k0 is a multiple of LM_TILE_K. */
typedef struct {
    int fmt, dt;
    bool kmajor;
    size_t kt;
    const void *src;
    size_t ld;
    size_t k0, kn, n0, nn;
    void *dst;
} lm_pack;

/* C[i, j] = (beta ? C[i, j] : +0) + sum over k of A[m0+i, ak0+k] B[n0+j, bk0+k], i < m, j < n: one
   fma chain. F32: k ascending. BF16: k = 1,0,3,2,5,4.. (odd k first: the order of vdpbf16ps); ak0,
   bk0 even. BF16T, tile order: no single chain, but the sums of tdpbf16ps (Intel SDM 2): for each
   block of LM_TILE_K of k, ascending, the last one filled up with +0: C = C + (even + odd), each a
   chain from +0, over k = 0,2,.. and over k = 1,3,.. of the block; ak0, bk0 multiples of LM_TILE_K.
   Not for attention. akm: A was packed from a kmajor source; then m0 must be a multiple of
   LM_M_UNIT. n0: of LM_N_UNIT. */
enum { LM_M_UNIT = 96, LM_N_UNIT = 64 };
typedef struct {
    int fmt;
    bool akm, beta;
    const void *a;
    size_t akt, ak0, m0, m;
    const void *b;
    size_t bkt, bk0, n0, n;
    size_t k;
    lm_real *c;
    size_t ldc;
} lm_gemm;

/* Attention of nq query rows over packed keys (right operand: n = key, depth hd, room for `keys`)
   and values (n = hd, depth `keys`). Row i sees keys start[i] .. end[i] (NULL: 0; i + q0). Keys go
   in tiles of LM_ATT from key 0, online softmax, weights rounded as fmt says. o[i * ldo + ..];
   lse[i * ldl], may be NULL. A score is q k scale, then, unless cap is 0, cap tanh(score / cap),
   then, unless slope is 0, the ALiBi term slope (key - (i + q0)) on top (Press et al. 2022). A
   window is a start that moves with i: there is nothing else to say for one. */
enum { LM_ATT = 64 };
typedef struct {
    int fmt;
    size_t nq, q0, hd, keys;
    const lm_real *q;
    size_t ldq;
    const void *kp, *vp;
    const uint32_t *start, *end;
    lm_real scale, cap, slope;
    lm_real *o;
    size_t ldo;
    lm_real *lse;
    size_t ldl;
    void *scratch; /* lm_kern.attn_bytes(hd, 0) */
} lm_attn;

/* Its gradient for one key head over a whole row of n tokens, summed over the g query heads that
   share it (head h at q + h * hd, lse + h). Rows see start[i] .. end[i] (NULL: 0; i). dq, dk, dv
   are overwritten. Each dk, dv: heads, then queries ascending; dq: keys. slope [g], or NULL: none.
 */
typedef struct {
    int fmt;
    size_t n, hd, g;
    lm_real scale, cap;
    const lm_real *slope;
    const lm_real *q, *k, *v;
    size_t ldq, ldk, ldv;
    const lm_real *o, *go;
    size_t ldo; /* output and its gradient, same layout */
    const lm_real *lse;
    size_t ldl;
    const uint32_t *start, *end;
    lm_real *dq, *dk, *dv;
    size_t lddq, lddk, lddv;
    void *scratch; /* lm_kern.attn_bytes(hd, n) */
} lm_attn_bwd;

typedef struct {
    lm_real gs, b1, b2, c1, c2, eps, lr, keep;
} lm_adamw_arg; /* see ref/opt.c; Lion reads gs, b1, b2, lr and keep */

struct lm_kern {
    const char *name;
    size_t (*asize)(int fmt, bool kmajor, size_t kt, size_t m);
    size_t (*bsize)(int fmt, size_t kt, size_t n);
    void (*packa)(const lm_pack *p); /* dt is LM_SRC_F32 */
    void (*packb)(const lm_pack *p);
    void (*gemm)(const lm_gemm *g);
    size_t (*attn_bytes)(const lm_kern *k, int fmt, size_t hd, size_t n);
    void (*attn)(const lm_kern *k, const lm_attn *a);
    void (*attn_bwd)(const lm_kern *k, const lm_attn_bwd *a);
    /* y = x * rstd * w, rstd = 1/sqrt(mean x^2 + eps), n rows of d; rstd [n] may be NULL */
    void (*rms)(size_t n, size_t d, const lm_real *x, size_t ldx, const lm_real *w, lm_real eps,
                lm_real *y, size_t ldy, lm_real *rstd);
    /* dx = add + gradient of rms to x (add may be NULL, may be dx); dw [d] grows, rows ascending */
    void (*rms_bwd)(size_t n, size_t d, const lm_real *x, size_t ldx, const lm_real *w,
                    const lm_real *rstd, const lm_real *dy, size_t lddy, const lm_real *add,
                    lm_real *dx, size_t lddx, lm_real *dw);
    /* y = (x - mean) * rstd * w + b, rstd = 1/sqrt(mean (x - mean)^2 + eps); b may be NULL */
    void (*ln)(size_t n, size_t d, const lm_real *x, size_t ldx, const lm_real *w, const lm_real *b,
               lm_real eps, lm_real *y, size_t ldy, lm_real *rstd);
    /* as rms_bwd; db [d], the gradient of b, grows too unless it is NULL */
    void (*ln_bwd)(size_t n, size_t d, const lm_real *x, size_t ldx, const lm_real *w,
                   const lm_real *rstd, const lm_real *dy, size_t lddy, const lm_real *add,
                   lm_real *dx, size_t lddx, lm_real *dw, lm_real *db);
    /* heads x hd in each of n rows: RMS norm with w [hd] if w is given, then rotation by row pos[i]
       of cs: hd/2 cosines, then hd/2 sines; pairs are (j, j + hd/2). rstd [n * heads]. */
    void (*rope)(size_t n, size_t heads, size_t hd, const lm_real *x, size_t ldx, const lm_real *w,
                 lm_real eps, const lm_real *cs, const uint32_t *pos, lm_real *y, size_t ldy,
                 lm_real *rstd);
    void (*rope_bwd)(size_t n, size_t heads, size_t hd, const lm_real *x, size_t ldx,
                     const lm_real *w, const lm_real *rstd, const lm_real *cs, const uint32_t *pos,
                     const lm_real *dy, size_t lddy, lm_real *dx, size_t lddx, lm_real *dw);
    /* act = silu(gate) * up; gu [n, 2f]: gates then ups of a row; backward: act may be dact */
    void (*swiglu)(size_t n, size_t f, const lm_real *gu, lm_real *act);
    void (*swiglu_bwd)(size_t n, size_t f, const lm_real *gu, const lm_real *dact, lm_real *dgu,
                       lm_real *act);
    /* y = gelu(x), by tanh (GPT-2's) or by erf; backward: dx = dy gelu'(x), y may be dy */
    void (*gelu)(bool erf, size_t n, const lm_real *x, lm_real *y);
    void (*gelu_bwd)(bool erf, size_t n, const lm_real *x, const lm_real *dy, lm_real *dx,
                     lm_real *y);
    /* x held within +-lim; backward: the gradient is zero where clip left a limit */
    void (*clip)(size_t n, lm_real lim, lm_real *x);
    void (*clip_bwd)(size_t n, lm_real lim, const lm_real *x, lm_real *dx);
    /* cross-entropy of one row of v logits, which become gw * d(ce + z lse^2) if grad; returns ce,
     * *lse */
    lm_real (*ce)(size_t v, lm_real *logit, uint32_t target, lm_real gw, lm_real z, bool grad,
                  lm_real *lse);
    void (*add)(size_t n, const lm_real *a, const lm_real *b, lm_real *y); /* y = a + b */
    void (*sum_rows)(size_t rows, size_t d, const lm_real *x, size_t ldx, lm_real *y,
                     bool beta); /* rows ascending onto y or 0 */
    void (*adamw)(size_t n, lm_real *w, lm_real *m, lm_real *v, const lm_real *g,
                  const lm_adamw_arg *a);
    void (*lion)(size_t n, lm_real *w, lm_real *m, const lm_real *g, const lm_adamw_arg *a);
    void (*ema)(size_t n, lm_real *e, const lm_real *w, lm_real share); /* e += share (w - e) */
    double (*sumsq)(size_t n,
                    const lm_real *x); /* blocks of 4096: f32 in 16 lanes; blocks added in f64 */
    double (*distsq)(size_t n, const lm_real *x, const lm_real *y); /* sumsq of x - y */
    void (*to_bf16)(size_t n, const float *x, uint16_t *y); /* nearest even, as packing does */
    /* Multiply-adds of n rounds, of operands of fmt, in registers alone and in as many chains as
       keep the level busy: for measuring its peak. Returns the FLOPs done; *sum = n / 1024, which
       each chain added up (exact for n below 2^20). */
    double (*spin)(int fmt, size_t n, lm_real *sum);
};

/* The table for the level that LM_DEVICE asks for (kernels/cpu.h). NULL with the error stored. */
const lm_kern *lm_kern_get(void);
/* The table of a named level (ref avx2 avx512f avx512), NULL if this machine lacks it: for tests.
 */
const lm_kern *lm_kern_level(const char *name);
/* Sets flush-to-zero for this thread, and puts back what was. */
unsigned lm_kern_enter(void);
void lm_kern_leave(unsigned saved);

/* A kernel file ends in LM_KERN(LEVEL, STEM) { k->op = op; }; the Makefile lists these lines for
 * dispatch.c. */
#define LM_KERN(level, stem) \
    void lm_kern_##level##_##stem(struct lm_kern *k); \
    void lm_kern_##level##_##stem(struct lm_kern *k)
#endif
