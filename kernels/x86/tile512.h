/* tile512: an MR x 32 tile of C in zmm registers. One chain an element: acc = fma(a, b, acc), k
   ascending by step, or vdpbf16ps, which takes the odd element of a pair first. */
INL void tile(const int m, const bool pair, const bool panel, const size_t step, size_t kw,
              const uint32_t *a, size_t rs, const uint32_t *b, float *c, size_t ldc, size_t n,
              bool beta)
{
    __m512 acc[MR][2];
    m16 lo = lanes_below(n), hi = n > 16 ? lanes_below(n - 16) : 0;

    UNROLL
    for (int i = 0; i < m; i++) {
        acc[i][0] = beta ? _mm512_maskz_loadu_ps(lo, c + i * ldc) : _mm512_setzero_ps();
        acc[i][1] = beta ? _mm512_maskz_loadu_ps(hi, c + i * ldc + 16) : _mm512_setzero_ps();
    }
    for (size_t k = 0; k < kw; k += step) {
        __m512 b0 = _mm512_loadu_ps(b + k * NR), b1 = _mm512_loadu_ps(b + k * NR + 16);

        UNROLL
        for (int i = 0; i < m; i++) {
            __m512i x =
                _mm512_set1_epi32((int)(panel ? a[k * MR + (size_t)i] : a[(size_t)i * rs + k]));

#if NATIVE
            if (pair) {
                acc[i][0] = _mm512_dpbf16_ps(acc[i][0], (__m512bh)x, (__m512bh)b0);
                acc[i][1] = _mm512_dpbf16_ps(acc[i][1], (__m512bh)x, (__m512bh)b1);
                continue;
            }
#endif
            acc[i][0] = _mm512_fmadd_ps(_mm512_castsi512_ps(x), b0, acc[i][0]);
            acc[i][1] = _mm512_fmadd_ps(_mm512_castsi512_ps(x), b1, acc[i][1]);
        }
    }
    (void)pair;
    UNROLL
    for (int i = 0; i < m; i++) {
        _mm512_mask_storeu_ps(c + i * ldc, lo, acc[i][0]);
        _mm512_mask_storeu_ps(c + i * ldc + 16, hi, acc[i][1]);
    }
}
