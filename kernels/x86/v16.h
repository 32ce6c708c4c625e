/* v16: sixteen f32 lanes: one zmm, or two ymm. Element-wise kernels are written once over it (the
   .h files beside) and compiled for each level by a few lines in its folder. Every operation is one
   IEEE operation a lane; exp, tanh, erf repeat lm_exp1 .. of kernels/math.h step by step. Loads and
   stores of n < 16 lanes leave the rest zero, alone. */
#ifndef LM_V16_H
#define LM_V16_H
#include <immintrin.h>
#include "kernels/kern.h"

#define INL static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#ifdef __AVX512F__
typedef __m512 v16;
typedef __mmask16 m16;
INL v16 v_zero(void)
{
    return _mm512_setzero_ps();
}
INL v16 v_set(float x)
{
    return _mm512_set1_ps(x);
}
INL v16 v_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
INL void v_store(float *p, v16 x)
{
    _mm512_storeu_ps(p, x);
}
INL m16 lanes_below(size_t n)
{
    return n >= 16 ? (m16)0xffff : (m16)((1u << n) - 1);
}
INL v16 v_loadn(const float *p, size_t n)
{
    return _mm512_maskz_loadu_ps(lanes_below(n), p);
}
INL void v_storen(float *p, size_t n, v16 x)
{
    _mm512_mask_storeu_ps(p, lanes_below(n), x);
}
INL v16 v_add(v16 a, v16 b)
{
    return _mm512_add_ps(a, b);
}
INL v16 v_sub(v16 a, v16 b)
{
    return _mm512_sub_ps(a, b);
}
INL v16 v_mul(v16 a, v16 b)
{
    return _mm512_mul_ps(a, b);
}
INL v16 v_div(v16 a, v16 b)
{
    return _mm512_div_ps(a, b);
}
INL v16 v_max(v16 a, v16 b)
{
    return _mm512_max_ps(a, b);
}
INL v16 v_sqrt(v16 a)
{
    return _mm512_sqrt_ps(a);
}
INL v16 v_fma(v16 a, v16 b, v16 c)
{
    return _mm512_fmadd_ps(a, b, c);
}
INL v16 v_fnma(v16 a, v16 b, v16 c)
{
    return _mm512_fnmadd_ps(a, b, c);
}
INL m16 v_ge(v16 a, v16 b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ);
}
INL m16 v_le(v16 a, v16 b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ);
}
INL m16 m_and(m16 a, m16 b)
{
    return a & b;
}
INL v16 v_pick(m16 m, v16 yes, v16 no)
{
    return _mm512_mask_blend_ps(m, no, yes);
}
INL v16 v_scale2(v16 p, v16 t) /* p * 2^n where t = n + magic */
{
    __m512i e = _mm512_sub_epi32(_mm512_castps_si512(t), _mm512_set1_epi32(0x4b400000 - 127));

    return _mm512_mul_ps(p, _mm512_castsi512_ps(_mm512_slli_epi32(e, 23)));
}
INL float v_sum(v16 x) /* lanes j and j+8, j+4, j+2, j+1 */
{
    __m256 a = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));

    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}
INL float v_top(v16 x)
{
    return _mm512_reduce_max_ps(x);
}
INL v16 v_bf16(v16 x) /* the nearest bf16, as f32 */
{
    __m512i u = _mm512_castps_si512(x), r;
    __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q),
              den = _mm512_testn_epi32_mask(u, _mm512_set1_epi32(0x7f800000));

    r = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
    r = _mm512_add_epi32(u, _mm512_add_epi32(r, _mm512_set1_epi32(0x7fff)));
    r = _mm512_mask_or_epi32(r, nan, u, _mm512_set1_epi32(0x400000));
    r = _mm512_and_si512(r, _mm512_set1_epi32((int)0xffff0000));
    return _mm512_castsi512_ps(
        _mm512_mask_and_epi32(r, den, u, _mm512_set1_epi32((int)0x80000000)));
}
INL v16 v_abs(v16 x)
{
    return _mm512_abs_ps(x);
}
INL v16 v_swap2(v16 x)
{
    return _mm512_permute_ps(x, 0xb1);
}
INL void v_store16(uint16_t *p, v16 x) /* the high halves of 16 lanes */
{
    _mm256_storeu_si256((__m256i *)p,
                        _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_castps_si512(x), 16)));
}
INL v16 v_index(void)
{
    return _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
#else
typedef struct {
    __m256 l, h;
} v16;
typedef v16 m16;
#define V2(f) \
    (v16) \
    { \
        f(a.l, b.l), f(a.h, b.h) \
    }
INL v16 v_zero(void)
{
    return (v16){_mm256_setzero_ps(), _mm256_setzero_ps()};
}
INL v16 v_set(float x)
{
    return (v16){_mm256_set1_ps(x), _mm256_set1_ps(x)};
}
INL v16 v_load(const float *p)
{
    return (v16){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
INL void v_store(float *p, v16 x)
{
    _mm256_storeu_ps(p, x.l), _mm256_storeu_ps(p + 8, x.h);
}
INL __m256i lanes8(size_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n > 8 ? 8 : (int)n),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INL v16 v_loadn(const float *p, size_t n)
{
    return (v16){_mm256_maskload_ps(p, lanes8(n)),
                 n > 8 ? _mm256_maskload_ps(p + 8, lanes8(n - 8)) : _mm256_setzero_ps()};
}
INL void v_storen(float *p, size_t n, v16 x)
{
    _mm256_maskstore_ps(p, lanes8(n), x.l);
    if (n > 8)
        _mm256_maskstore_ps(p + 8, lanes8(n - 8), x.h);
}
INL v16 v_add(v16 a, v16 b)
{
    return V2(_mm256_add_ps);
}
INL v16 v_sub(v16 a, v16 b)
{
    return V2(_mm256_sub_ps);
}
INL v16 v_mul(v16 a, v16 b)
{
    return V2(_mm256_mul_ps);
}
INL v16 v_div(v16 a, v16 b)
{
    return V2(_mm256_div_ps);
}
INL v16 v_max(v16 a, v16 b)
{
    return V2(_mm256_max_ps);
}
INL v16 v_sqrt(v16 a)
{
    return (v16){_mm256_sqrt_ps(a.l), _mm256_sqrt_ps(a.h)};
}
INL v16 v_fma(v16 a, v16 b, v16 c)
{
    return (v16){_mm256_fmadd_ps(a.l, b.l, c.l), _mm256_fmadd_ps(a.h, b.h, c.h)};
}
INL v16 v_fnma(v16 a, v16 b, v16 c)
{
    return (v16){_mm256_fnmadd_ps(a.l, b.l, c.l), _mm256_fnmadd_ps(a.h, b.h, c.h)};
}
INL m16 v_ge(v16 a, v16 b)
{
    return (v16){_mm256_cmp_ps(a.l, b.l, _CMP_GE_OQ), _mm256_cmp_ps(a.h, b.h, _CMP_GE_OQ)};
}
INL m16 v_le(v16 a, v16 b)
{
    return (v16){_mm256_cmp_ps(a.l, b.l, _CMP_LE_OQ), _mm256_cmp_ps(a.h, b.h, _CMP_LE_OQ)};
}
INL m16 m_and(m16 a, m16 b)
{
    return V2(_mm256_and_ps);
}
INL v16 v_pick(m16 m, v16 yes, v16 no)
{
    return (v16){_mm256_blendv_ps(no.l, yes.l, m.l), _mm256_blendv_ps(no.h, yes.h, m.h)};
}
INL __m256 scale8(__m256 p, __m256 t)
{
    __m256i e = _mm256_sub_epi32(_mm256_castps_si256(t), _mm256_set1_epi32(0x4b400000 - 127));

    return _mm256_mul_ps(p, _mm256_castsi256_ps(_mm256_slli_epi32(e, 23)));
}
INL v16 v_scale2(v16 p, v16 t)
{
    return (v16){scale8(p.l, t.l), scale8(p.h, t.h)};
}
INL float v_sum(v16 x)
{
    __m256 a = _mm256_add_ps(x.l, x.h);
    __m128 b = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));

    b = _mm_add_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_add_ss(b, _mm_movehdup_ps(b)));
}
INL float v_top(v16 x)
{
    __m256 a = _mm256_max_ps(x.l, x.h);
    __m128 b = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));

    b = _mm_max_ps(b, _mm_movehl_ps(b, b));
    return _mm_cvtss_f32(_mm_max_ss(b, _mm_movehdup_ps(b)));
}
INL __m256 bf8(__m256 x)
{
    __m256i u = _mm256_castps_si256(x), e = _mm256_set1_epi32(0x7f800000), r;
    __m256 den =
        _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(u, e), _mm256_setzero_si256()));
    __m256 sign = _mm256_and_ps(x, _mm256_castsi256_ps(_mm256_set1_epi32((int)0x80000000)));
    __m256 quiet = _mm256_castsi256_ps(_mm256_or_si256(u, _mm256_set1_epi32(0x400000)));

    r = _mm256_and_si256(_mm256_srli_epi32(u, 16), _mm256_set1_epi32(1));
    r = _mm256_add_epi32(u, _mm256_add_epi32(r, _mm256_set1_epi32(0x7fff)));
    x = _mm256_blendv_ps(_mm256_castsi256_ps(r), quiet, _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    x = _mm256_and_ps(x, _mm256_castsi256_ps(_mm256_set1_epi32((int)0xffff0000)));
    return _mm256_blendv_ps(x, sign, den);
}
INL v16 v_bf16(v16 x)
{
    return (v16){bf8(x.l), bf8(x.h)};
}
INL v16 v_abs(v16 x)
{
    __m256 sign = _mm256_set1_ps(-0.0f);

    return (v16){_mm256_andnot_ps(sign, x.l), _mm256_andnot_ps(sign, x.h)};
}
INL v16 v_swap2(v16 x)
{
    return (v16){_mm256_permute_ps(x.l, 0xb1), _mm256_permute_ps(x.h, 0xb1)};
}
INL void v_store16(uint16_t *p, v16 x)
{
    __m256i a = _mm256_srli_epi32(_mm256_castps_si256(x.l), 16),
            b = _mm256_srli_epi32(_mm256_castps_si256(x.h), 16);

    _mm256_storeu_si256((__m256i *)p, _mm256_permute4x64_epi64(_mm256_packus_epi32(a, b), 0xd8));
}
INL v16 v_index(void)
{
    return (v16){_mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7),
                 _mm256_setr_ps(8, 9, 10, 11, 12, 13, 14, 15)};
}
#endif

INL v16 v_neg(v16 a)
{
    return v_mul(a, v_set(-1));
}
INL v16 v_exp(v16 x)
{
    m16 above = v_ge(x, v_set(LM_EXP_LO));
    v16 t, n, r, p, hi = v_set(LM_EXP_HI);

    x = v_pick(v_le(x, hi), x, hi);
    t = v_fma(x, v_set(LM_EXP_L2E), v_set(LM_EXP_MAGIC));
    n = v_sub(t, v_set(LM_EXP_MAGIC));
    r = v_fma(n, v_set(-LM_EXP_C1), x);
    r = v_fma(n, v_set(-LM_EXP_C2), r);
    p = v_fma(v_set(LM_EXP_P0), r, v_set(LM_EXP_P1));
    p = v_fma(p, r, v_set(LM_EXP_P2));
    p = v_fma(p, r, v_set(LM_EXP_P3));
    p = v_fma(p, r, v_set(LM_EXP_P4));
    p = v_fma(p, r, v_set(LM_EXP_P5));
    p = v_add(v_fma(p, v_mul(r, r), r), v_set(1));
    return v_pick(above, v_scale2(p, t), v_zero());
}

INL v16 v_tanh(v16 x)
{
    v16 z = v_mul(x, x), a = v_abs(x), one = v_set(1), p, e;

    p = v_fma(v_set(LM_TANH_P4), z, v_set(LM_TANH_P3));
    p = v_fma(p, z, v_set(LM_TANH_P2));
    p = v_fma(p, z, v_set(LM_TANH_P1));
    p = v_fma(p, z, v_set(LM_TANH_P0));
    p = v_fma(v_mul(p, z), x, x);
    e = v_sub(one, v_div(v_set(2), v_add(v_exp(v_add(a, a)), one)));
    e = v_pick(v_ge(x, v_zero()), e, v_neg(e));
    return v_pick(v_ge(a, v_set(LM_TANH_FAR)), e, p);
}
INL v16 v_erf(v16 x)
{
    v16 z = v_mul(x, x), a = v_abs(x), top = v_set(LM_ERF_TOP), p, e;

    p = v_fma(v_set(LM_ERF_P6), z, v_set(LM_ERF_P5));
    p = v_fma(p, z, v_set(LM_ERF_P4));
    p = v_fma(p, z, v_set(LM_ERF_P3));
    p = v_fma(p, z, v_set(LM_ERF_P2));
    p = v_fma(p, z, v_set(LM_ERF_P1));
    p = v_fma(p, z, v_set(LM_ERF_P0));
    p = v_fma(p, x, x);
    a = v_pick(v_le(a, top), a, top);
    e = v_fma(v_set(LM_ERF_Q6), a, v_set(LM_ERF_Q5));
    e = v_fma(e, a, v_set(LM_ERF_Q4));
    e = v_fma(e, a, v_set(LM_ERF_Q3));
    e = v_fma(e, a, v_set(LM_ERF_Q2));
    e = v_fma(e, a, v_set(LM_ERF_Q1));
    e = v_fma(e, a, v_set(LM_ERF_Q0));
    e = v_sub(v_set(1), v_exp(v_mul(e, a)));
    e = v_pick(v_ge(x, v_zero()), e, v_neg(e));
    return v_pick(v_ge(v_abs(x), v_set(LM_ERF_FAR)), e, p);
}

/* Walks n elements by 16; i: place, c: lanes in use. */
#define EACH16(i, c, n) \
    for (size_t i = 0, c; i < (n) && (c = (n)-i < 16 ? (n)-i : 16, true); i += 16)

INL float v_dot(size_t n, const float *x, const float *y)
{
    v16 acc = v_zero();
    size_t i = 0;

    for (; i + 16 <= n; i += 16)
        acc = v_fma(v_load(x + i), v_load(y + i), acc);
    if (i < n)
        acc = v_fma(v_loadn(x + i, n - i), v_loadn(y + i, n - i), acc);
    return v_sum(acc);
}
#endif
