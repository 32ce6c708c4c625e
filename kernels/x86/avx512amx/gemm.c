/* gemm: products in tile order by the matrix unit (AMX): 32 x 32 of C in four tiles of 16 x 16, one
   tdpbf16ps each for a block of 32 in depth (Intel SDM 2, TDPBF16PS). Equal to ref/gemm.c bit for
   bit. The other formats are those of avx512: there is only one layout of each, so both are here.
   Operands: [n / 16][k / 32] tiles of 16 x 32 values, 1 KiB each: of the left one 16 rows of 32
   values, of the right one 16 rows of pairs of neighbours in depth, a pair a column. */
#define MR 8
#define NR 32

#include "kernels/x86/gemm.h"
#include "kernels/x86/tile512.h"
#include "kernels/x86/gemmset.h"
#include "kernels/x86/amx.h"

enum { SIDE = 16, TILE = SIDE * LM_TILE_K, SQUARE = 2 * SIDE };

static size_t deep(size_t k) /* blocks of depth k */
{
    return (k + LM_TILE_K - 1) / LM_TILE_K;
}

static size_t tiles_bytes(size_t kt, size_t n) /* whole squares: what lies beyond n is not stored */
{
    return (n + SQUARE - 1) / SQUARE * 2 * deep(kt) * TILE * 2;
}

static uint16_t *tile_of(const lm_pack *p, size_t n, size_t k)
{
    return (uint16_t *)p->dst + (n / SIDE * deep(p->kt) + k / LM_TILE_K) * TILE;
}

static void tile_put(const lm_pack *p, bool right, size_t n, size_t k, float x)
{
    size_t r = n % SIDE, c = k % LM_TILE_K;

    tile_of(p, n, k)[right ? c / 2 * LM_TILE_K + r * 2 + c % 2 : r * LM_TILE_K + c] =
        lm_f32_bf16(x);
}

/* The plain way: other types, and pieces that begin within a tile. */
static void tiles_some(const lm_pack *p, bool right)
{
    size_t end = p->k0 + p->kn == p->kt ? deep(p->kt) * LM_TILE_K - p->k0 : p->kn;

    for (size_t i = 0; i < p->nn; i++)
        for (size_t j = 0; j < end; j++)
            tile_put(p, right, p->n0 + i, p->k0 + j,
                     j < p->kn ? value(p, p->kmajor ? j * p->ld + i : i * p->ld + j) : 0);
}

/* Words (pairs in depth) of c <= 16 rows x d <= 32 values of the source, the rest zero: as they lie
   there, turned if the tile wants them the other way. */
INL void tile_pack(const bool right, const bool kmajor, const float *s, size_t ld, size_t c,
                   size_t d, uint16_t *to)
{
    __m512 r[SIDE];

    UNROLL
    for (size_t q = 0; q < SIDE; q++) {
        v16 x = v_zero(), y = v_zero();

        if (kmajor) {
            if (2 * q < d)
                x = v_loadn(s + 2 * q * ld, c);
            if (2 * q + 1 < d)
                y = v_loadn(s + (2 * q + 1) * ld, c);
            r[q] = _mm512_castsi512_ps(pairs(x, y));
        } else {
            if (q < c) {
                x = v_loadn(s + q * ld, d);
                y = d > 16 ? v_loadn(s + q * ld + 16, d - 16) : y;
            }
            r[q] = (__m512)_mm512_cvtne2ps_pbh(y, x);
        }
    }
    if (kmajor != right)
        turn16(r);
    UNROLL
    for (size_t q = 0; q < SIDE; q++)
        if (right)
            v_storen((float *)(void *)to + q * SIDE, c, r[q]);
        else if (q < c)
            v_store((float *)(void *)to + q * SIDE, r[q]);
}

/* Along the rows of the source: a page of it serves many tiles. */
INL void tiles_pack(const bool right, const bool kmajor, const lm_pack *p)
{
    size_t is = kmajor ? p->kn : p->nn, js = kmajor ? p->nn : p->kn;
    const size_t iu = kmajor ? LM_TILE_K : SIDE, ju = kmajor ? SIDE : LM_TILE_K;

    for (size_t i = 0; i < is; i += iu)
        for (size_t j = 0; j < js; j += ju) {
            size_t ic = is - i < iu ? is - i : iu, jc = js - j < ju ? js - j : ju;
            const float *s = (const float *)p->src + i * p->ld + j;
            uint16_t *to = tile_of(p, p->n0 + (kmajor ? j : i), p->k0 + (kmajor ? i : j));

            if (ic == iu && jc == ju) /* known sizes: no masks */
                tile_pack(right, kmajor, s, p->ld, SIDE, LM_TILE_K, to);
            else
                tile_pack(right, kmajor, s, p->ld, kmajor ? jc : ic, kmajor ? ic : jc, to);
        }
}

static size_t any_asize(int fmt, bool kmajor, size_t kt, size_t m)
{
    return fmt == LM_FMT_BF16T ? tiles_bytes(kt, m) : asize(fmt, kmajor, kt, m);
}

static size_t any_bsize(int fmt, size_t kt, size_t n)
{
    return fmt == LM_FMT_BF16T ? tiles_bytes(kt, n) : bsize(fmt, kt, n);
}

static void any_packa(const lm_pack *p)
{
    if (p->fmt != LM_FMT_BF16T)
        packa(p);
    else if (p->dt != LM_SRC_F32 || p->n0 % SIDE)
        tiles_some(p, false);
    else if (p->kmajor)
        tiles_pack(false, true, p);
    else
        tiles_pack(false, false, p);
}

static void any_packb(const lm_pack *p)
{
    if (p->fmt != LM_FMT_BF16T)
        packb(p);
    else if (p->dt != LM_SRC_F32 || p->n0 % SIDE)
        tiles_some(p, true);
    else if (p->kmajor)
        tiles_pack(true, true, p);
    else
        tiles_pack(true, false, p);
}

/* 32 x 32 of C, grown by n blocks in depth; as, bs: to the second row of tiles. */
INL void square(bool grow, size_t n, const uint16_t *a, size_t as, const uint16_t *b, size_t bs,
                float *c, size_t ldc)
{
    float *c1 = c + SIDE * ldc;

    AMX_BARRIER;
    if (grow) {
        _tile_loadd(0, c, ldc * 4);
        _tile_loadd(1, c + SIDE, ldc * 4);
        _tile_loadd(2, c1, ldc * 4);
        _tile_loadd(3, c1 + SIDE, ldc * 4);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (size_t k = 0; k < n; k++, a += TILE, b += TILE) {
        _tile_loadd(4, a, 64);
        _tile_loadd(6, b, 64);
        _tile_loadd(7, b + bs, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, a + as, 64);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c, ldc * 4);
    _tile_stored(1, c + SIDE, ldc * 4);
    _tile_stored(2, c1, ldc * 4);
    _tile_stored(3, c1 + SIDE, ldc * 4);
    AMX_BARRIER;
}

/* At an edge the square is a copy, of which m x n counts. */
static void edge(bool grow, size_t k, const uint16_t *a, size_t as, const uint16_t *b, size_t bs,
                 float *c, size_t ldc, size_t m, size_t n)
{
    float s[SQUARE * SQUARE] __attribute__((aligned(64)));

    if (grow) {
        memset(s, 0, sizeof s);
        for (size_t i = 0; i < m; i++)
            memcpy(s + i * SQUARE, c + i * ldc, n * 4);
    }
    square(grow, k, a, as, b, bs, s, SQUARE);
    for (size_t i = 0; i < m; i++)
        memcpy(c + i * ldc, s + i * SQUARE, n * 4);
}

/* Depth goes in pieces of which the left rows and a panel of the right stay in the first cache; C
   waits in memory between them, which is exact. */
enum { PIECE = 8 };
static void tiles_gemm(const lm_gemm *g)
{
    size_t k = 0, piece, all = deep(g->k), as = deep(g->akt) * TILE, bs = deep(g->bkt) * TILE;
    const uint16_t *a0 = (const uint16_t *)g->a + g->m0 / SIDE * as + g->ak0 / LM_TILE_K * TILE,
                   *b0 = (const uint16_t *)g->b + g->n0 / SIDE * bs + g->bk0 / LM_TILE_K * TILE;

    tiles_begin();
    do {
        piece = all - k < PIECE ? all - k : PIECE;
        for (size_t j = 0; j < g->n; j += SQUARE)
            for (size_t i = 0; i < g->m; i += SQUARE) {
                size_t m = g->m - i, n = g->n - j;
                const uint16_t *a = a0 + i / SIDE * as + k * TILE,
                               *b = b0 + j / SIDE * bs + k * TILE;
                float *c = g->c + i * g->ldc + j;

                if (m >= SQUARE && n >= SQUARE)
                    square(g->beta || k, piece, a, as, b, bs, c, g->ldc);
                else
                    edge(g->beta || k, piece, a, as, b, bs, c, g->ldc, m < SQUARE ? m : SQUARE,
                         n < SQUARE ? n : SQUARE);
            }
        k += piece;
    } while (k < all);
    _tile_release();
}

static void any_gemm(const lm_gemm *g)
{
    if (g->fmt == LM_FMT_BF16T)
        tiles_gemm(g);
    else
        gemm(g);
}

LM_KERN(avx512amx, gemm)
{
    set(k);
    k->asize = any_asize;
    k->bsize = any_bsize;
    k->packa = any_packa;
    k->packb = any_packb;
    k->gemm = any_gemm;
}
