/* form-out: a model, read from any form, as one of the forms, with its vocabulary. */
#include "nn/formi.h"
#include "nn/ckpt.h"
#include "stream/stream.h"
#include <unistd.h>

typedef struct {
    lm_form *f;
    const lm_cfg *c;
    int dt;
    lm_vocab_files v; /* if has_v */
    bool has_v;
} job;

static bool own_vocab(const lm_form *f)
{
    lm_buf path = {0};
    bool is;

    if (f->form == LM_FORM_GGUF)
        return lm_gguf_has_vocab(f->g);
    lm_buf_addf(&path, "%s/tokenizer.json", f->path);
    is = f->form != LM_FORM_LLMC && !access(path.p, F_OK);
    lm_buf_free(&path);
    return is;
}

/* The vocabulary that goes along, if it must be looked into: --vocab, or one that changes its home.
 */
static int vocabulary(job *j, int to, const char *tok)
{
    const lm_form *f = j->f;
    bool dir = f->form == LM_FORM_HF || f->form == LM_FORM_NPY;
    int form = f->form == LM_FORM_GGUF ? LM_VFORM_GGUF : LM_VFORM_HF, err;

    if (tok && dir && own_vocab(f))
        return lm_err(LM_EUSAGE, "--vocab: %s has a vocabulary of its own", f->path);
    if (tok && to == LM_FORM_LLMC)
        return lm_err(LM_EUSAGE, "--vocab: a checkpoint of llm.c holds none");
    if (tok && (form = lm_vform_guess(tok)) < 0)
        return form;
    if (!tok && (to == LM_FORM_LLMC || !own_vocab(f) || (dir && to != LM_FORM_GGUF)))
        return 0;
    if ((err = lm_vocab_read(tok ? tok : f->path, form, NULL, &j->v)) < 0)
        return err;
    j->has_v = true;
    if (lm_vocab_size(j->v.v) > j->c->vocab)
        return lm_err_at(LM_EMISMATCH, tok ? tok : f->path,
                         "a vocabulary of %u tokens, but the model has %u rows for them",
                         lm_vocab_size(j->v.v), j->c->vocab);
    return 0;
}

static int beside(const job *j, const char *dir)
{
    const lm_form *f = j->f;
    int err = 0;

    if (f->form == LM_FORM_HF || f->form == LM_FORM_NPY)
        err = lm_beside_copy(f->path, dir);
    else
        err = lm_generation_write(j->c, dir);
    if (!err && j->has_v)
        err = lm_write_file(dir, "tokenizer.json", lm_buf_str(&j->v.tokenizer));
    if (!err && j->has_v && j->v.has_config)
        err = lm_write_file(dir, "tokenizer_config.json", lm_buf_str(&j->v.config));
    return err ? err : lm_cfg_write(j->c, dir);
}

static int st_put(void *o, const void *p, size_t bytes)
{
    return lm_st_put(o, p, bytes);
}

static int write_st(const job *j, const char *dir)
{
    const lm_model *m = j->f->m;
    lm_st_tensor *t = lm_zalloc(m->nf, sizeof *t);
    lm_buf path = {0};
    lm_st_out *o;
    int err;

    for (size_t i = 0; i < m->nf; i++)
        t[i] = (lm_st_tensor){.name = m->f[i].name,
                              .dt = j->dt,
                              .nd = m->f[i].nd,
                              .dim = {m->f[i].dim[0], m->f[i].dim[1]}};
    lm_buf_addf(&path, "%s/model.safetensors", dir);
    err = lm_st_create(&o, path.p, t, m->nf, NULL);
    if (!err) {
        for (size_t i = 0; i < m->nf && !err; i++)
            err = lm_form_each(j->f, i, (lm_layout){.dt = j->dt, .turned = m->f[i].kmajor}, st_put,
                               o);
        if (err)
            lm_st_drop(o);
        else
            err = lm_st_done(o);
    }
    lm_buf_free(&path);
    free(t);
    return err;
}

static int write_dir(const job *j, int to, const char *out)
{
    lm_aside *a = lm_aside_dir(out);
    const char *dir;
    int err;

    if (!a)
        return LM_EIO;
    dir = lm_aside_path(a);
    if (!(err = beside(j, dir)) &&
        !(err = to == LM_FORM_HF ? write_st(j, dir) : lm_npy_model_write(j->f, j->dt, dir)) &&
        !(err = lm_manifest_write(dir)))
        return lm_aside_commit(a);
    lm_aside_drop(a);
    return err;
}

/* The type of the result: as told, or what the form can take without loss. */
static int type(const job *j, int to, int dt)
{
    static const bool no[][LM_F16 + 1] = {
        [LM_FORM_LLMC] = {[LM_F16] = true}, [LM_FORM_NPY] = {[LM_BF16] = true}};

    if (dt < 0) {
        dt = lm_form_dtype(j->f);
        return no[to][dt] ? LM_F32 : dt;
    }
    if (no[to][dt])
        return lm_err(LM_EUSAGE, to == LM_FORM_NPY
                                     ? "--dtype bf16: NumPy has no such type; f32 holds all of it"
                                     : "--dtype f16: llm.c reads f32 and bf16 alone");
    return dt;
}

int lm_model_convert(const char *from, int to, int dt, const char *tok, const char *out)
{
    job j = {0};
    int err = lm_form_open(&j.f, from);

    if (err)
        return err;
    j.c = &j.f->m->cfg;
    if ((j.dt = type(&j, to, dt)) < 0)
        err = j.dt;
    else
        j.f->m->cfg.dt = j.dt;
    if (!err && !(err = vocabulary(&j, to, tok)))
        err = to == LM_FORM_GGUF   ? lm_gguf_model_write(j.f, j.dt, j.has_v ? &j.v : NULL, out)
              : to == LM_FORM_LLMC ? lm_llmc_model_write(j.f, j.dt, out)
                                   : write_dir(&j, to, out);
    if (err < 0 && err != LM_EUSAGE && !*lm_last_error()->where)
        err = lm_err_at(err, from, "%s", lm_last_error()->detail);
    lm_vocab_files_free(&j.v);
    lm_form_close(j.f);
    return err;
}
