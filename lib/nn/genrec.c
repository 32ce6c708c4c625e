/* genrec: token and log-probability records of generations. */
#include "nn/genrec.h"

static void name(lm_rec *r, const char *type, lm_gen_name of)
{
    lm_rec_new(r, type);
    lm_set(r, "id", lm_cstr(of.id));
    lm_setf(r, "sample", "%u", of.sample);
}

static int put(lm_out *out, lm_rec *r)
{
    int err = lm_put(out, r);

    lm_rec_free(r);
    return err;
}

int lm_gen_put_tok(lm_out *out, lm_gen_name of, const char *vocab, bool wide,
                   const uint32_t *prompt, size_t np, const uint32_t *gen, size_t ng)
{
    size_t n = np + ng, at = (n * (wide ? 4 : 2) + 7) & ~(size_t)7;
    lm_rec r = {0};
    char *p;

    name(&r, "tok", of);
    lm_set(&r, "dt", lm_cstr(wide ? "u32" : "u16"));
    lm_setf(&r, "shape", "%zu", n);
    lm_set(&r, "vocab", lm_cstr(vocab));
    lm_setf(&r, "with", "weight:u8:%zu", n);
    p = lm_body_alloc(&r, at + n);
    memset(p, 0, at + n);
    for (size_t i = 0; i < n; i++) {
        uint32_t id = i < np ? prompt[i] : gen[i - np];
        uint16_t narrow = (uint16_t)id;

        if (wide)
            memcpy(p + i * 4, &id, 4);
        else
            memcpy(p + i * 2, &narrow, 2);
        p[at + i] = i >= np;
    }
    return put(out, &r);
}

int lm_gen_put_logp(lm_out *out, lm_gen_name of, const float *logp, const uint32_t *ids, size_t n,
                    uint32_t w)
{
    size_t bytes = n * w * sizeof *logp, at = (bytes + 7) & ~(size_t)7;
    lm_rec r = {0};
    char *p;

    name(&r, "logp", of);
    lm_set(&r, "dt", LM_STR("f32"));
    lm_setf(&r, "shape", "%zu,%u", n, w);
    lm_setf(&r, "with", "ids:u32:%zux%u", n, w);
    p = lm_body_alloc(&r, at + bytes);
    memset(p, 0, at);
    if (bytes) {
        memcpy(p, logp, bytes);
        memcpy(p + at, ids, bytes);
    }
    return put(out, &r);
}
