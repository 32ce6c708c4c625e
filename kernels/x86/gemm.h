/* gemm: packed products; bits of ref/gemm.c. A level defines MR x NR, its tile() and, with NATIVE,
   products of bf16 pairs by vdpbf16ps. Operands are 4-byte words: an f32, or (NATIVE and bf16) a
   pair of neighbours in depth. Without NATIVE bf16 values are widened and neighbours swapped, so
   that one ascending loop makes 1,0,3,2..; tile order has them as they come, in blocks. Left
   operand: rows padded (source rows), or panels of MR (kmajor source). Right operand: panels of NR
   columns. */
#include "kernels/x86/v16.h"

#ifndef NATIVE
#define NATIVE 0
#endif

INL bool paired(int fmt)
{
    return NATIVE && fmt == LM_FMT_BF16;
}

INL size_t words(int fmt, size_t k) /* words of depth k */
{
    if (fmt == LM_FMT_BF16T)
        return (k + LM_TILE_K - 1) / LM_TILE_K * LM_TILE_K;
    return fmt == LM_FMT_F32 ? k : paired(fmt) ? (k + 1) / 2 : (k + 1) & ~(size_t)1;
}

INL size_t
row_words(int fmt, size_t kt) /* a padded row: whole cache lines, odd in number against conflicts */
{
    size_t lines = (words(fmt, kt) + 15) / 16;

    return (lines | 1) * 16;
}

static size_t bsize(int fmt, size_t kt, size_t n)
{
    return (n + NR - 1) / NR * NR * words(fmt, kt) * 4;
}

static size_t asize(int fmt, bool kmajor, size_t kt, size_t m)
{
    return kmajor ? (m + MR - 1) / MR * MR * words(fmt, kt) * 4 : m * row_words(fmt, kt) * 4;
}

/* Where value (n, k) lies: a word, and for pairs the half. w: width of a panel, 0 = rows. */
INL void put(const lm_pack *p, size_t w, size_t n, size_t k, float x)
{
    size_t kw = words(p->fmt, p->kt), at = paired(p->fmt)          ? k / 2
                                           : p->fmt == LM_FMT_BF16 ? k ^ 1
                                                                   : k;
    uint32_t *d = p->dst;

    d += w ? (n / w * kw + at) * w + n % w : n * row_words(p->fmt, p->kt) + at;
    if (paired(p->fmt))
        ((uint16_t *)d)[k & 1] = lm_f32_bf16(x);
    else
        *d = lm_bits(p->fmt != LM_FMT_F32 ? lm_bf16_f32(lm_f32_bf16(x)) : x);
}

INL float value(const lm_pack *p, size_t at)
{
    if (p->dt == LM_SRC_F32)
        return ((const float *)p->src)[at];
    return p->dt == LM_SRC_BF16 ? lm_bf16_f32(((const uint16_t *)p->src)[at])
                                : lm_f16_f32(((const uint16_t *)p->src)[at]);
}

/* The plain way, for edges and odd corners: rows [i0, i1) x depth [j0, j1) of the piece. */
static void pack_some(const lm_pack *p, size_t w, size_t i0, size_t i1, size_t j0, size_t j1)
{
    for (size_t i = i0; i < i1; i++)
        for (size_t j = j0; j < j1; j++)
            put(p, w, p->n0 + i, p->k0 + j, value(p, p->kmajor ? j * p->ld + i : i * p->ld + j));
}

static void pack_pad(const lm_pack *p, size_t w) /* the zeros that fill a pair, or a block */
{
    size_t end = words(p->fmt, p->kt) * (paired(p->fmt) ? 2 : 1);

    if (p->k0 + p->kn == p->kt)
        for (size_t i = 0; i < p->nn; i++)
            for (size_t k = p->kt; k < end; k++)
                put(p, w, p->n0 + i, k, 0);
}

#ifdef __AVX512BF16__
INL __m512i pairs(__m512 even, __m512 odd) /* word i: low half even[i], high half odd[i] */
{
    const __m512i turn =
        _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                         21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);

    return _mm512_permutexvar_epi16(turn, (__m512i)_mm512_cvtne2ps_pbh(odd, even));
}
#endif

/* A word row of 16 columns of a kmajor source: depth j (and j + 1). */
INL v16 across(const lm_pack *p, const float *s, size_t c)
{
#if NATIVE
    if (paired(p->fmt))
        return _mm512_castsi512_ps(pairs(v_loadn(s, c), v_loadn(s + p->ld, c)));
#endif
    return p->fmt != LM_FMT_F32 ? v_bf16(v_loadn(s, c)) : v_loadn(s, c);
}

/* A word row of up to 16 columns to panels of w: d is the place of the first. */
INL void lay(float *d, size_t w, size_t panel, size_t c, v16 x)
{
    float part[16];

    if (w >= 16)
        v_storen(d, c, x);
#ifdef __AVX512F__
    else if (w == 8) {
        _mm256_mask_storeu_ps(d, (__mmask8)lanes_below(c), _mm512_castps512_ps256(x));
        if (c > 8)
            _mm256_mask_storeu_ps(d + panel, (__mmask8)lanes_below(c - 8),
                                  _mm512_extractf32x8_ps(x, 1));
    }
#endif
    else {
        v_store(part, x);
        for (size_t q = 0; q < c; q++)
            d[q / w * panel + q % w] = part[q];
    }
}

/* kmajor source into panels of w columns: down the depth, 16 columns (of whole panels) at a time.
 */
INL void pack_across(const lm_pack *p, const size_t w)
{
    size_t step = paired(p->fmt) ? 2 : 1, kw = words(p->fmt, p->kt), whole = p->kn / step * step,
           stride = w > 8 ? 16 : 16 / w * w;

    if (p->dt != LM_SRC_F32 || p->n0 % w || (p->fmt == LM_FMT_BF16 && p->k0 % 2)) {
        pack_some(p, w, 0, p->nn, 0, p->kn);
        return;
    }
    for (size_t i = 0; i < p->nn; i += stride) {
        size_t c = p->nn - i < stride ? p->nn - i : stride, n = p->n0 + i;
        float *d = (float *)p->dst + n / w * kw * w + n % w;

        for (size_t j = 0; j < whole; j += step) {
            size_t k = p->k0 + j, at = paired(p->fmt) ? k / 2 : p->fmt == LM_FMT_BF16 ? k ^ 1 : k;

            lay(d + at * w, w, kw * w, c, across(p, (const float *)p->src + j * p->ld + i, c));
        }
    }
    if (whole < p->kn)
        pack_some(p, w, 0, p->nn, whole, p->kn);
}

/* Source rows into padded rows. */
static void pack_rows(const lm_pack *p)
{
    size_t rw = row_words(p->fmt, p->kt);

    for (size_t i = 0; i < p->nn; i++) {
        const float *s = (const float *)p->src + i * p->ld;
        float *d = (float *)p->dst + (p->n0 + i) * rw;
        size_t j = 0;

#if NATIVE
        if (paired(p->fmt)) {
            d += p->k0 / 2;
            for (; j + 32 <= p->kn; j += 32)
                v_store(d + j / 2, (__m512)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(s + j + 16),
                                                               _mm512_loadu_ps(s + j)));
            pack_some(p, 0, i, i + 1, j, p->kn);
            continue;
        }
#endif
        d += p->k0;
        if (p->fmt != LM_FMT_F32) {
            for (; j + 16 <= p->kn; j += 16) {
                v16 x = v_bf16(v_load(s + j));

                v_store(d + j, p->fmt == LM_FMT_BF16 ? v_swap2(x) : x);
            }
            pack_some(p, 0, i, i + 1, j, p->kn);
        } else
            EACH16 (q, c, p->kn)
                v_storen(d + q, c, v_loadn(s + q, c));
    }
}

#ifdef __AVX512F__
/* 16 x 16 words, turned. */
INL void turn16(__m512 r[16])
{
    __m512 t[16];

    UNROLL
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
    }
    UNROLL
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
        r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
        r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
        r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
    }
    UNROLL
    for (int i = 0; i < 4; i++) {
        t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
        t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
        t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
        t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
    }
    UNROLL
    for (int i = 0; i < 8; i++) {
        r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
        r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
    }
}

/* Source rows into panels of NR columns, 16 rows x 16 words at a time. */
static void pack_turned(const lm_pack *p)
{
    size_t step = paired(p->fmt) ? 32 : 16, kw = words(p->fmt, p->kt), i = 0, j = 0;

    if (p->dt != LM_SRC_F32 || p->n0 % 16 || p->k0 % 2) {
        pack_some(p, NR, 0, p->nn, 0, p->kn);
        return;
    }
    for (; i + 16 <= p->nn; i += 16) {
        size_t n = p->n0 + i;

        for (j = 0; j + step <= p->kn; j += step) {
            const float *s = (const float *)p->src + i * p->ld + j;
            float *d = (float *)p->dst +
                       (n / NR * kw + (p->k0 + j) / (paired(p->fmt) ? 2 : 1)) * NR + n % NR;
            __m512 r[16];

            UNROLL
            for (int q = 0; q < 16; q++) {
#if NATIVE
                if (paired(p->fmt)) {
                    r[q] = (__m512)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(s + q * p->ld + 16),
                                                       _mm512_loadu_ps(s + q * p->ld));
                    continue;
                }
#endif
                r[q] = _mm512_loadu_ps(s + q * p->ld);
                if (p->fmt != LM_FMT_F32)
                    r[q] = v_bf16(r[q]);
                if (p->fmt == LM_FMT_BF16)
                    r[q] = v_swap2(r[q]);
            }
            turn16(r);
            UNROLL
            for (int q = 0; q < 16; q++)
                _mm512_storeu_ps(d + q * NR, r[q]);
        }
        pack_some(p, NR, i, i + 16, j, p->kn);
    }
    pack_some(p, NR, i, p->nn, 0, p->kn);
}
#else
static void pack_turned(const lm_pack *p)
{
    pack_some(p, NR, 0, p->nn, 0, p->kn);
}
#endif

static void packb(const lm_pack *p)
{
    if (p->kmajor)
        pack_across(p, NR);
    else
        pack_turned(p);
    pack_pad(p, NR);
}

static void packa(const lm_pack *p)
{
    if (p->kmajor)
        pack_across(p, MR);
    else if (p->k0 % 2 == 0)
        pack_rows(p);
    else
        pack_some(p, 0, 0, p->nn, 0, p->kn);
    pack_pad(p, p->kmajor ? MR : 0);
}
