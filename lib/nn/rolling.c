/* rolling: windows are gathered from texts into the rows of a forward pass. */
#include "nn/rolling.h"

struct window {
    float *nll;
    uint32_t skip, n;
}; /* n ids, of which the first skip were scored before */

struct lm_roll {
    lm_nn *nn;
    uint32_t ctx, stride, rows, fill;
    uint32_t *in, *target;
    uint8_t *weight;
    float *loss;
    struct window *w;
};

int lm_roll_new(lm_roll **out, lm_model *m, uint32_t ctx, uint32_t stride, uint32_t rows,
                lm_pool *pool)
{
    lm_roll *r = lm_zalloc(1, sizeof *r);
    lm_nn_opt o = {.rows = rows, .seq = ctx, .pool = pool};
    size_t n = (size_t)rows * ctx;
    int err = lm_nn_new(&r->nn, m, &o);

    if (err < 0) {
        free(r);
        return err;
    }
    r->ctx = ctx;
    r->stride = stride;
    r->rows = rows;
    r->in = lm_zalloc(n, sizeof *r->in);
    r->target = lm_zalloc(n, sizeof *r->target);
    r->weight = lm_zalloc(n, 1);
    r->loss = lm_zalloc(n, sizeof *r->loss);
    r->w = lm_zalloc(rows, sizeof *r->w);
    *out = r;
    return 0;
}

void lm_roll_free(lm_roll *r)
{
    if (!r)
        return;
    lm_nn_free(r->nn);
    free(r->in);
    free(r->target);
    free(r->weight);
    free(r->loss);
    free(r->w);
    free(r);
}

int lm_roll_flush(lm_roll *r)
{
    lm_batch b = {.in = r->in, .target = r->target, .weight = r->weight};
    lm_loss out = {.tok_loss = r->loss};
    int err;

    if (!r->fill)
        return 0;
    err = lm_nn_loss(r->nn, &b, &out);
    for (uint32_t i = 0; !err && i < r->fill; i++) {
        const float *row = r->loss + (size_t)i * r->ctx;

        for (uint32_t k = r->w[i].skip; k < r->w[i].n; k++)
            r->w[i].nll[k - r->w[i].skip] = row[k];
    }
    memset(r->in, 0, (size_t)r->rows * r->ctx * sizeof *r->in);
    memset(r->target, 0, (size_t)r->rows * r->ctx * sizeof *r->target);
    memset(r->weight, 0, (size_t)r->rows * r->ctx);
    r->fill = 0;
    return err;
}

int lm_roll_text(lm_roll *r, const uint32_t *ids, size_t n, float *nll)
{
    size_t scored = 0, from = 0;
    int err = 0;

    while (!err && n && scored + 1 < n) {
        size_t len = n - 1 - from < r->ctx ? n - 1 - from : r->ctx;
        size_t row = (size_t)r->fill * r->ctx;

        memcpy(r->in + row, ids + from, len * sizeof *ids);
        memcpy(r->target + row, ids + from + 1, len * sizeof *ids);
        memset(r->weight + row, 1, len);
        r->w[r->fill++] = (struct window){nll + scored, (uint32_t)(scored - from), (uint32_t)len};
        scored = from + len;
        from += r->stride;
        if (r->fill == r->rows)
            err = lm_roll_flush(r);
    }
    return err;
}
