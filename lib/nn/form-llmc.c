/* form-llmc: a checkpoint of llm.c (its train_gpt2.py, write_model): 256 i32, then the tensors of a
   gpt2 of one kind after the other, those of all layers together. Matrices lie [outputs, inputs];
   the embedding has further rows of zeros, so that they are a multiple of 128. */
#include "nn/formi.h"
#include "stream/stream.h"

enum { HEAD = 1024, MAGIC = 20240326, PADDED = 128 };

static const int layer_kind[] = {LM_W_NORM1, LM_W_BNORM1, LM_W_Q,  LM_W_BQ,  LM_W_O,    LM_W_BO,
                                 LM_W_NORM2, LM_W_BNORM2, LM_W_UP, LM_W_BUP, LM_W_DOWN, LM_W_BDOWN};

/* Tensors of the file's table in the order of llm.c. */
static size_t *in_order(const lm_model *m)
{
    size_t *order = lm_zalloc(m->nf, sizeof *order), n = 2;

    order[1] = 1;
    for (size_t k = 0; k < LM_COUNT(layer_kind); k++)
        for (uint32_t l = 0; l < m->cfg.layers; l++)
            order[n++] = lm_form_at(m, l, layer_kind[k]);
    order[n++] = m->nf - 2;
    order[n++] = m->nf - 1;
    return order;
}

static uint32_t field(lm_str file, size_t i)
{
    const uint8_t *p = (const uint8_t *)file.p + 4 * i;

    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int lm_llmc_head(lm_str file, const char *where, lm_cfg *c, uint32_t *rows, int *dt)
{
    int err;

    lm_cfg_default(c, LM_FAM_GPT2);
    if (file.n < HEAD)
        return lm_err_at(LM_ETRUNC, where, "shorter than the head of llm.c, %d bytes", HEAD);
    if (field(file, 0) != MAGIC)
        return lm_err_at(LM_EINVALID, where, "no checkpoint of llm.c");
    if (field(file, 1) != 3 && field(file, 1) != 5)
        return lm_err_at(LM_EVERSION, where, "version %u of llm.c: 3 (f32) and 5 (bf16) are read",
                         field(file, 1));
    *dt = field(file, 1) == 3 ? LM_F32 : LM_BF16;
    c->ctx = field(file, 2);
    c->vocab = field(file, 3);
    c->layers = field(file, 4);
    c->heads = c->kv_heads = field(file, 5);
    c->dim = field(file, 6);
    *rows = field(file, 7);
    c->ffn = c->dim < 1 << 20 ? 4 * c->dim : 0;
    c->head_dim = c->heads ? c->dim / c->heads : 0;
    c->tie = true;
    if (c->vocab == 50257) /* GPT-2's own: its one special token is the last */
        c->bos = c->eos = c->vocab - 1;
    if ((err = lm_cfg_check(c)))
        return lm_err_at(err, where, "%s", lm_last_error()->detail);
    if (*rows < c->vocab || *rows > c->vocab + (1 << 20))
        return lm_err_at(LM_EINVALID, where, "%u rows for a vocabulary of %u", *rows, c->vocab);
    return 0;
}

int lm_llmc_model_read(lm_form *f)
{
    uint32_t rows = 0;
    uint64_t at = HEAD, size;
    size_t *order;
    lm_cfg c;
    int dt = LM_F32, err = lm_llmc_head(f->map, f->path, &c, &rows, &dt);

    if (err)
        return err;
    size = lm_dtype_size(dt);
    lm_form_tables(f, &c);
    order = in_order(f->m);
    for (size_t k = 0; k < f->m->nf; k++) {
        const lm_ftensor *t = &f->m->f[order[k]];

        f->part[order[k]] =
            (lm_part){.data = f->map.p + at, .type = dt == LM_F32 ? LM_GGT_F32 : LM_GGT_BF16};
        at += (k ? t->n : (uint64_t)rows * t->dim[1]) * size;
        if (at > f->map.n) {
            err = lm_err_at(LM_ETRUNC, f->path, "ends inside tensor %s", t->name);
            break;
        }
    }
    free(order);
    if (!err && at != f->map.n)
        err = lm_err_at(LM_ECORRUPT, f->path, "%llu bytes behind the last tensor",
                        (unsigned long long)(f->map.n - at));
    return err;
}

/* llm.c has GPT-2 built in. */
static int can_say(const lm_cfg *c)
{
    const char *what = c->ffn != 4 * c->dim           ? "n_inner other than 4 n_embd"
                       : c->att_scale != 0            ? "scale_attn_weights false"
                       : !c->tie                      ? "a head of its own"
                       : (float)c->eps != (float)1e-5 ? "layer_norm_epsilon other than 1e-05"
                                                      : NULL;

    if (c->family != LM_FAM_GPT2)
        return lm_err(LM_EINVALID, "llm.c has no %s models: gpt2 alone", lm_family_of(c)->type);
    return what ? lm_err(LM_EINVALID, "llm.c cannot say %s", what) : 0;
}

int lm_llmc_model_write(const lm_form *f, int dt, const char *out)
{
    const lm_cfg *c = &f->m->cfg;
    const uint32_t rows = (c->vocab + PADDED - 1) / PADDED * PADDED,
                   head[] = {MAGIC,     dt == LM_F32 ? 3 : 5,
                             c->ctx,    c->vocab,
                             c->layers, c->heads,
                             c->dim,    rows};
    lm_buf b = {0};
    lm_sink s = {-1, out};
    lm_aside *a;
    size_t *order;
    int err = can_say(c);

    if (err)
        return err;
    if (!(a = lm_aside_open(out, &s.fd)))
        return LM_EIO;
    for (size_t i = 0; i < LM_COUNT(head); i++)
        lm_buf_le(&b, head[i], 4);
    memset(lm_buf_need(&b, HEAD), 0, HEAD);
    err = lm_sink_put(&s, b.p, HEAD);
    order = in_order(f->m);
    for (size_t k = 0; k < f->m->nf && !err; k++) {
        err = lm_form_each(f, order[k], (lm_layout){.dt = dt}, lm_sink_put, &s);
        if (!err && !k) { /* the rows of zeros */
            size_t n = (size_t)(rows - c->vocab) * c->dim * lm_dtype_size(dt);
            void *zero = lm_zalloc(n + 1, 1);

            err = lm_sink_put(&s, zero, n);
            free(zero);
        }
    }
    free(order);
    lm_buf_free(&b);
    if (!err)
        return lm_aside_commit(a);
    lm_aside_drop(a);
    return err;
}
