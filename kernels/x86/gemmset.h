/* gemmset: the loops around a level's tile, and the entries of the table. */
/* A level gives: tile(m, pair, panel, kw, a, rs, b, c, ldc, n, beta), inlined with the first three
 * constant. */
#define TILES(pair, panel) \
    switch (m) { \
        CASE(1, pair, panel) \
        CASE(2, pair, panel) CASE(3, pair, panel) CASE(4, pair, panel) CASE(5, pair, panel) \
            CASE(6, pair, panel) CASE(7, pair, panel) CASE(8, pair, panel) default : break; \
    }
#define CASE(M, pair, panel) \
    case M: \
        if (M <= MR) \
            tile(M, pair, panel, kw, a, rs, b, c, g->ldc, n, g->beta); \
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
                TILES(true, true)
            else if (pair)
                TILES(true, false)
            else
#endif
                if (g->akm)
                TILES(false, true)
            else
                TILES(false, false)
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
