/* numeric: values widened to f64, rounded back once, compared in blocks of fixed size, so that sums
   do not depend on threads. */
#include "nn/numeric.h"
#include "nn/weights.h"
#include "kernels/kern.h"
#include <math.h>

enum { PIECE = 2048, BLOCK = 64 * PIECE };

bool lm_dtype_float(int dt)
{
    return dt == LM_F16 || dt == LM_BF16 || dt == LM_F32 || dt == LM_F64;
}

/* A whole number as it would be in 64 bits. */
static uint64_t whole(int dt, const char *p)
{
    int64_t i64;
    int32_t i32;
    int16_t i16;
    uint16_t u16;
    uint32_t u32;

    switch (dt) {
    case LM_I32:
        memcpy(&i32, p, sizeof i32);
        return (uint64_t)(int64_t)i32;
    case LM_I16:
        memcpy(&i16, p, sizeof i16);
        return (uint64_t)(int64_t)i16;
    case LM_I8:
        return (uint64_t)(int64_t)(signed char)*p;
    case LM_U16:
        memcpy(&u16, p, sizeof u16);
        return u16;
    case LM_U32:
        memcpy(&u32, p, sizeof u32);
        return u32;
    case LM_I64:
    case LM_U64:
        memcpy(&i64, p, sizeof i64);
        return (uint64_t)i64;
    default: /* U8, BOOL */
        return (unsigned char)*p;
    }
}

static bool is_signed(int dt)
{
    return dt == LM_I64 || dt == LM_I32 || dt == LM_I16 || dt == LM_I8;
}

void lm_wide_f64(int dt, const void *src, size_t n, double *out)
{
    const char *p = src;
    size_t size = lm_dtype_size(dt);
    uint16_t h;
    float f;

    if (dt == LM_F64) {
        memcpy(out, src, n * sizeof *out);
        return;
    }
    for (size_t i = 0; i < n; i++, p += size)
        if (dt == LM_F32) {
            memcpy(&f, p, sizeof f);
            out[i] = (double)f;
        } else if (dt == LM_BF16 || dt == LM_F16) {
            memcpy(&h, p, sizeof h);
            out[i] = (double)(dt == LM_BF16 ? lm_bf16_f32(h) : lm_f16_f32(h));
        } else {
            uint64_t u = whole(dt, p);

            out[i] = is_signed(dt) ? (double)(int64_t)u : (double)u;
        }
}

/* x in a 16-bit format of mant bits and the given bias, nearest even. */
static uint16_t half(double x, unsigned mant, int bias)
{
    uint64_t u, sign, inf = (0x7fffull >> mant) << mant, r;
    unsigned cut = 52 - mant;
    int e;

    memcpy(&u, &x, sizeof u);
    sign = u >> 48 & 0x8000;
    u &= INT64_MAX;
    if (u > 0x7ff0000000000000)
        return (uint16_t)(sign | inf | 1ull << (mant - 1));
    e = (int)(u >> 52) - 1023;
    if (e < 1 - bias) /* a subnormal, a whole number of the smallest; or 0 */
        r = (uint64_t)rint(ldexp(fabs(x), bias - 1 + (int)mant));
    else
        r = ((u + (1ull << (cut - 1)) - 1 + (u >> cut & 1)) >> cut) -
            ((uint64_t)(1023 - bias) << mant);
    return (uint16_t)(sign | (r < inf ? r : inf));
}

void lm_narrow_f64(int dt, const double *x, size_t n, void *out)
{
    uint16_t *h = out;
    float *f = out;

    if (dt == LM_F64)
        memcpy(out, x, n * sizeof *x);
    for (size_t i = 0; dt == LM_F32 && i < n; i++)
        f[i] = (float)x[i];
    for (size_t i = 0; dt == LM_BF16 && i < n; i++)
        h[i] = half(x[i], 7, 127);
    for (size_t i = 0; dt == LM_F16 && i < n; i++)
        h[i] = half(x[i], 10, 15);
}

/* Bits of a float as a whole number that rises with its value. */
static int64_t rank(int dt, double x)
{
    union {
        double d;
        float f;
        uint16_t h;
        uint64_t u;
    } v = {.u = 0};
    unsigned top = (unsigned)lm_dtype_size(dt) * 8 - 1;
    int64_t size;

    lm_narrow_f64(dt, &x, 1, &v);
    size = (int64_t)(v.u & ~(1ull << top));
    return v.u >> top & 1 ? -size : size;
}

static uint64_t apart(int64_t a, int64_t b)
{
    return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

static int coarser(int a, int b)
{
    static const int order[] = {LM_BF16, LM_F16, LM_F32};

    for (size_t i = 0; i < LM_COUNT(order); i++)
        if (a == order[i] || b == order[i])
            return order[i];
    return a;
}

typedef struct {
    uint64_t differ, ulp;
    double dd, aa, bb, ab;
} part;
typedef struct {
    const lm_st_tensor *a, *b;
    part *part;
} job;

static void count(part *p, uint64_t ulp)
{
    p->differ++;
    p->ulp = ulp > p->ulp ? ulp : p->ulp;
}

static void piece(const job *j, uint64_t at, size_t n, part *p)
{
    const lm_st_tensor *a = j->a, *b = j->b;
    const char *pa = (const char *)a->data + at * lm_dtype_size(a->dt),
               *pb = (const char *)b->data + at * lm_dtype_size(b->dt);
    int unit = coarser(a->dt, b->dt);
    double x[PIECE], y[PIECE];

    lm_wide_f64(a->dt, pa, n, x);
    lm_wide_f64(b->dt, pb, n, y);
    for (size_t i = 0; i < n; i++) {
        if (!lm_dtype_float(a->dt)) {
            uint64_t u = whole(a->dt, pa + i * lm_dtype_size(a->dt)),
                     v = whole(b->dt, pb + i * lm_dtype_size(b->dt));

            if (u != v)
                count(p, is_signed(a->dt) ? apart((int64_t)u, (int64_t)v) : u > v ? u - v : v - u);
        } else if (x[i] != y[i]) {
            if (isnan(x[i]) && isnan(y[i]))
                continue; /* the same to both: no part of the sums */
            count(p, isnan(x[i]) || isnan(y[i]) ? UINT64_MAX
                                                : apart(rank(unit, x[i]), rank(unit, y[i])));
        }
        p->aa += x[i] * x[i];
        p->bb += y[i] * y[i];
        p->ab += x[i] * y[i];
        if (x[i] != y[i])
            p->dd += (x[i] - y[i]) * (x[i] - y[i]);
    }
}

static void block(void *ctx, size_t i, unsigned thread)
{
    job *j = ctx;
    uint64_t from = (uint64_t)i * BLOCK, left = j->a->count - from, to;

    (void)thread;
    to = from + (left < BLOCK ? left : BLOCK);
    for (uint64_t at = from; at < to; at += PIECE)
        piece(j, at, to - at < PIECE ? (size_t)(to - at) : PIECE, &j->part[i]);
}

void lm_st_distance(const lm_st_tensor *a, const lm_st_tensor *b, lm_pool *pool, lm_distance *d)
{
    size_t n = (size_t)((a->count + BLOCK - 1) / BLOCK);
    job j = {a, b, NULL};
    part sum = {0};

    *d = (lm_distance){.bits = a->dt == b->dt && !memcmp(a->data, b->data, a->bytes), .cos = 1};
    if (d->bits)
        return;
    j.part = lm_zalloc(n, sizeof *j.part);
    lm_pool_run(pool, n, block, &j);
    for (size_t i = 0; i < n; i++) {
        const part *p = &j.part[i];

        sum.differ += p->differ;
        sum.ulp = p->ulp > sum.ulp ? p->ulp : sum.ulp;
        sum.dd += p->dd;
        sum.aa += p->aa;
        sum.bb += p->bb;
        sum.ab += p->ab;
    }
    free(j.part);
    d->differ = sum.differ;
    d->ulp = sum.ulp;
    if (!sum.differ)
        return;
    d->rel = sqrt(sum.dd) / sqrt(sum.aa);
    d->cos = sum.aa == 0 || sum.bb == 0 ? 0 : sum.ab / (sqrt(sum.aa) * sqrt(sum.bb));
}
