/* Fuzz target: any bytes as a model of another program: a GGUF file, a checkpoint of llm.c, an
   array of NumPy. What is taken has finite values where they are handed on, all within the bytes;
   keys made of the configuration that was read are read as the same. */
#include "nn/formi.h"
#include "nn/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int sum(void *total, const void *p, size_t bytes)
{
    const uint8_t *b = p;

    for (size_t i = 0; i < bytes; i++)
        *(unsigned *)total += b[i];
    return 0;
}

/* The keys again; what llama.cpp cannot say is not written. */
static void again(const lm_form *f)
{
    const lm_cfg *c = &f->m->cfg;
    lm_buf file = {0}, a = {0}, b = {0};
    lm_gguf *g = NULL;
    lm_cfg d;
    lm_ggw w;

    lm_ggw_init(&w, LM_GG_ALIGN);
    if (!lm_gguf_put_cfg(c, LM_F32, NULL, &w)) {
        lm_ggw_head(&w, &file);
        lm_cfg_text(c, &a);
        /* no tensors, so no rows of an embedding */
        if (lm_gguf_parse(lm_buf_str(&file), "again", &g) || !lm_gguf_cfg(g, "again", &d) ||
            lm_gguf_str(g, "lm.config.json", &(lm_str){0}) != 1)
            abort();
        lm_cfg_free(&d);
        if (lm_cfg_parse(&d, lm_buf_str(&a), "again"))
            abort();
        lm_cfg_text(&d, &b);
        if (!lm_eq(lm_buf_str(&a), lm_buf_str(&b)))
            abort();
        lm_cfg_free(&d);
    }
    lm_gguf_free(g);
    lm_ggw_free(&w);
    lm_buf_free(&file);
    lm_buf_free(&a);
    lm_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_form *f = lm_zalloc(1, sizeof *f);
    unsigned total = 0;
    lm_npy a;
    int err;

    f->path = "fuzz";
    f->map = (lm_str){(const char *)p, n};
    err = n && *p == 'G' ? lm_gguf_model_read(f) : lm_llmc_model_read(f);
    if (!err) {
        for (size_t i = 0; i < f->m->nf; i++)
            for (int dt = LM_F32; dt <= LM_F16; dt++)
                lm_form_each(f, i,
                             (lm_layout){.dt = dt,
                                         .turned = f->m->f[i].kmajor,
                                         .head = dt == LM_F32 ? f->part[i].head : 0},
                             sum, &total);
        lm_form_dtype(f);
        again(f);
    }
    f->map = (lm_str){0};
    lm_form_close(f);
    if (!lm_npy_parse((lm_str){(const char *)p, n}, &a) &&
        (a.data > n || !a.dims || a.dims > 2 || a.descr.p < (const char *)p ||
         a.descr.p + a.descr.n > (const char *)p + n))
        abort();
    return 0;
}
