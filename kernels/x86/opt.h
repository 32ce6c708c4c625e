/* opt: sums, AdamW, Lion, averages and conversion over v16; bits of ref/opt.c. */
#include "kernels/x86/v16.h"

static void add(size_t n, const float *a, const float *b, float *y)
{
    EACH16 (i, c, n)
        v_storen(y + i, c, v_add(v_loadn(a + i, c), v_loadn(b + i, c)));
}

static void sum_rows(size_t rows, size_t d, const float *x, size_t ldx, float *y, bool beta)
{
    EACH16 (j, c, d) {
        v16 s = beta ? v_loadn(y + j, c) : v_zero();

        for (size_t i = 0; i < rows; i++)
            s = v_add(s, v_loadn(x + i * ldx + j, c));
        v_storen(y + j, c, s);
    }
}

static void adamw(size_t n, float *w, float *m, float *v, const float *g, const lm_adamw_arg *a)
{
    v16 gs = v_set(a->gs), b1 = v_set(a->b1), b2 = v_set(a->b2), n1 = v_set(1 - a->b1),
        n2 = v_set(1 - a->b2);

    EACH16 (i, c, n) {
        v16 x = v_mul(v_loadn(g + i, c), gs);
        v16 p = v_fma(b1, v_loadn(m + i, c), v_mul(n1, x)),
            q = v_fma(b2, v_loadn(v + i, c), v_mul(v_mul(n2, x), x));
        v16 u = v_div(v_mul(p, v_set(a->c1)), v_add(v_sqrt(v_mul(q, v_set(a->c2))), v_set(a->eps)));

        v_storen(m + i, c, p);
        v_storen(v + i, c, q);
        v_storen(w + i, c, v_fnma(v_set(a->lr), u, v_mul(v_loadn(w + i, c), v_set(a->keep))));
    }
}

static void lion(size_t n, float *w, float *m, const float *g, const lm_adamw_arg *a)
{
    v16 gs = v_set(a->gs), b1 = v_set(a->b1), b2 = v_set(a->b2), n1 = v_set(1 - a->b1),
        n2 = v_set(1 - a->b2), zero = v_zero(), one = v_set(1);

    EACH16 (i, c, n) {
        v16 x = v_mul(v_loadn(g + i, c), gs), p = v_loadn(m + i, c);
        v16 u = v_fma(b1, p, v_mul(n1, x));
        v16 s = v_pick(v_ge(u, zero), v_pick(v_ge(v_neg(u), zero), zero, one), v_set(-1));

        v_storen(w + i, c, v_fnma(v_set(a->lr), s, v_mul(v_loadn(w + i, c), v_set(a->keep))));
        v_storen(m + i, c, v_fma(b2, p, v_mul(n2, x)));
    }
}

static void ema(size_t n, float *e, const float *w, float share)
{
    EACH16 (i, c, n) {
        v16 x = v_loadn(e + i, c);

        v_storen(e + i, c, v_fma(v_set(share), v_sub(v_loadn(w + i, c), x), x));
    }
}

static double sumsq(size_t n, const float *x)
{
    double s = 0;

    for (size_t i = 0; i < n; i += 4096)
        s += v_dot(n - i < 4096 ? n - i : 4096, x + i, x + i);
    return s;
}

static double distsq(size_t n, const float *x, const float *y)
{
    double s = 0;

    for (size_t i = 0; i < n; i += 4096) {
        size_t m = n - i < 4096 ? n - i : 4096;
        v16 acc = v_zero();

        EACH16 (j, c, m) {
            v16 d = v_sub(v_loadn(x + i + j, c), v_loadn(y + i + j, c));

            acc = v_fma(d, d, acc);
        }
        s += v_sum(acc);
    }
    return s;
}

static void to_bf16(size_t n, const float *x, uint16_t *y)
{
    size_t i = 0;

    for (; i + 16 <= n; i += 16)
        v_store16(y + i, v_bf16(v_load(x + i)));
    for (; i < n; i++)
        y[i] = lm_f32_bf16(x[i]);
}
