/* gemmset: the loops around a level's tile, and the entries of the table. */
/* A level gives: tile(m, pair, panel, step, kw, a, rs, b, c, ldc, n, beta), inlined with the first
 * four constant. */
/* Tile order: C = C + (even + odd) for each block of depth. */
INL void blocks(const int m, const bool panel, size_t kw, const uint32_t *a, size_t rs,
                const uint32_t *b, float *c, size_t ldc, size_t n, bool beta)
{
    float sum[MR * NR] __attribute__((aligned(64))), even[MR * NR] __attribute__((aligned(64))),
        odd[MR * NR] __attribute__((aligned(64)));
    const size_t next = panel ? MR : 1;

    for (int i = 0; i < m; i++)
        for (size_t q = 0; q < NR; q += 16)
            v_store(sum + i * NR + q,
                    beta && q < n ? v_loadn(c + (size_t)i * ldc + q, n - q) : v_zero());
    for (size_t k = 0; k < kw; k += LM_TILE_K) {
        const uint32_t *x = a + k * next, *y = b + k * NR;

        tile(m, false, panel, 2, LM_TILE_K, x, rs, y, even, NR, NR, false);
        tile(m, false, panel, 2, LM_TILE_K, x + next, rs, y + NR, odd, NR, NR, false);
        for (int i = 0; i < m * NR; i += 16)
            v_store(sum + i, v_add(v_load(sum + i), v_add(v_load(even + i), v_load(odd + i))));
    }
    for (int i = 0; i < m; i++)
        for (size_t q = 0; q < n; q += 16)
            v_storen(c + (size_t)i * ldc + q, n - q, v_load(sum + i * NR + q));
}

enum { CHAIN, PAIRS, BLOCKS };
#define TILES(order, panel) \
    switch (m) { \
        CASE(1, order, panel) \
        CASE(2, order, panel) \
        CASE(3, order, panel) CASE(4, order, panel) CASE(5, order, panel) CASE(6, order, panel) \
            CASE(7, order, panel) CASE(8, order, panel) default : break; \
    }
#define CASE(M, order, panel) \
    case M: \
        if (M <= MR && order == BLOCKS) \
            blocks(M, panel, kw, a, rs, b, c, g->ldc, n, g->beta); \
        else if (M <= MR) \
            tile(M, order == PAIRS, panel, 1, kw, a, rs, b, c, g->ldc, n, g->beta); \
        break;

static void gemm(const lm_gemm *g)
{
    bool pair = paired(g->fmt);
    size_t kw = words(g->fmt, g->k), akw = words(g->fmt, g->akt), bkw = words(g->fmt, g->bkt),
           half = pair ? 2 : 1;
    size_t rs = row_words(g->fmt, g->akt);

    for (size_t j = 0; j < g->n; j += NR) {
        size_t n = g->n - j < NR ? g->n - j : NR;
        const uint32_t *b = (const uint32_t *)g->b + ((g->n0 + j) / NR * bkw + g->bk0 / half) * NR;

        for (size_t i = 0; i < g->m; i += MR) {
            size_t m = g->m - i < MR ? g->m - i : MR, r = g->m0 + i;
            const uint32_t *a =
                (const uint32_t *)g->a +
                (g->akm ? (r / MR * akw + g->ak0 / half) * MR : r * rs + g->ak0 / half);
            float *c = g->c + i * g->ldc + j;

#if NATIVE
            if (pair && g->akm)
                TILES(PAIRS, true)
            else if (pair)
                TILES(PAIRS, false)
            else
#endif
                if (g->fmt == LM_FMT_BF16T && g->akm)
                TILES(BLOCKS, true)
            else if (g->fmt == LM_FMT_BF16T)
                TILES(BLOCKS, false)
            else if (g->akm)
                TILES(CHAIN, true)
            else
                TILES(CHAIN, false)
        }
    }
}

static void set(struct lm_kern *k)
{
    k->asize = asize;
    k->bsize = bsize;
    k->packa = packa;
    k->packb = packb;
    k->gemm = gemm;
}
