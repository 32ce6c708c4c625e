/* model: the table of tensors of a decoder, and the ways to fill it. */
#include "nn/modeli.h"
#include "nn/weights.h"
#include "base/json.h"
#include "kernels/kern.h"
#include <unistd.h>

static lm_model *fresh(lm_cfg *cfg)
{
    lm_model *m = lm_zalloc(1, sizeof *m);

    m->cfg = *cfg;
    cfg->raw = NULL;
    lm_tensors_make(m);
    return m;
}

void lm_model_free(lm_model *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->nfile; i++)
        lm_st_close(m->file[i]);
    free(m->file);
    lm_tensors_free(m);
    if (m->w)
        lm_free_huge(m->w, m->n * sizeof *m->w);
    lm_cfg_free(&m->cfg);
    free(m);
}

int lm_model_init(lm_model **out, lm_cfg *cfg, uint64_t seed)
{
    int err = lm_cfg_check(cfg);
    lm_model *m;
    double resid;

    *out = NULL;
    if (err < 0)
        return err;
    m = fresh(cfg);
    m->w = lm_alloc_huge(m->n * sizeof *m->w);
    resid = m->cfg.init_range / __builtin_sqrt(2.0 * m->cfg.layers);
    for (size_t i = 0; i < m->nt; i++) {
        lm_tensor *t = &m->t[i];

        if (t->flags & LM_T_MATRIX)
            lm_normal(seed, t->name, t->n, t->flags & LM_T_RESID ? resid : m->cfg.init_range,
                      m->w + t->off);
        else
            for (size_t j = 0; j < t->n; j++)
                m->w[t->off + j] = t->flags & LM_T_BIAS ? 0 : 1;
        if (m->cfg.dt == LM_BF16)
            lm_round_bf16(t->n, m->w + t->off);
    }
    *out = m;
    return 0;
}

/* Loading. */
static const lm_st_tensor *in_files(const lm_model *m, const char *name, const char **path)
{
    const lm_st_tensor *s = NULL;

    for (size_t i = 0; i < m->nfile && !s; i++)
        if ((s = lm_st_find(m->file[i], name)))
            *path = lm_st_path(m->file[i]);
    return s;
}

/* The first value that is not finite, t->n if all are: its exponent is all ones, which the top 16
   bits tell for F32 and BF16. */
static size_t not_finite(const lm_ftensor *t)
{
    const uint16_t *h = t->src, mask = t->dt == LM_F16 ? 0x7c00 : 0x7f80;
    size_t step = t->dt == LM_F32 ? 2 : 1, bad = 0, at = step - 1;

    for (size_t i = step - 1; i < t->n * step; i += step)
        bad += (h[i] & mask) == mask;
    if (!bad)
        return t->n;
    while ((h[at] & mask) != mask)
        at += step;
    return at / step;
}

/* "64,32": the sizes of a tensor. */
static const char *sizes(char *out, size_t room, int nd, const uint64_t *dim)
{
    size_t n = 0;

    *out = 0;
    for (int i = 0; i < nd && n < room; i++)
        n +=
            (size_t)snprintf(out + n, room - n, "%s%llu", i ? "," : "", (unsigned long long)dim[i]);
    return out;
}

static int other_shape(const char *where, const lm_ftensor *t, const lm_st_tensor *s)
{
    uint64_t dim[2] = {t->dim[0], t->dim[1]};
    char has[180], want[48];

    return lm_err_at(LM_EINVALID, where, "tensor %s is [%s], but has the shape [%s] by config.json",
                     t->name, sizes(has, sizeof has, s->nd, s->dim),
                     sizes(want, sizeof want, t->nd, dim));
}

static int bind(lm_model *m, lm_ftensor *t, const char *all)
{
    const char *where = all;
    const lm_st_tensor *s = in_files(m, t->name, &where);
    size_t bad;

    if (!s && !strncmp(t->name, "transformer.", 12)) /* the first gpt2 files have no trunk */
        s = in_files(m, t->name + 12, &where);
    else if (s && !strncmp(t->name, "transformer.", 12) && in_files(m, t->name + 12, &where))
        return lm_err_at(LM_EINVALID, where, "tensor %s is also there as %s", t->name + 12,
                         t->name);
    if (!s)
        return lm_err_at(LM_EINVALID, where, "tensor %s is missing", t->name);
    if (s->nd != t->nd || s->dim[0] != t->dim[0] || (t->nd == 2 && s->dim[1] != t->dim[1]))
        return other_shape(where, t, s);
    if (s->dt != LM_F32 && s->dt != LM_BF16 && s->dt != LM_F16)
        return lm_err_at(LM_EINVALID, where, "tensor %s: type %s is not supported", t->name,
                         lm_dtype_name(s->dt));
    t->dt = s->dt;
    t->src = s->data;
    if ((uintptr_t)t->src % lm_dtype_size(t->dt))
        return lm_err_at(LM_EINVALID, where, "tensor %s is not aligned", t->name);
    if ((bad = not_finite(t)) < t->n)
        return lm_err_at(LM_EINVALID, where, "tensor %s: value %zu is not finite", t->name, bad);
    lm_tensors_bind(m, t);
    return 0;
}

static bool ends(const char *s, const char *tail)
{
    size_t n = strlen(s), k = strlen(tail);

    return n > k && !strcmp(s + n - k, tail);
}

static bool ignorable(const lm_model *m, const char *name) /* buffers that older writers saved */
{
    return m->cfg.family == LM_FAM_GPT2
               ? ends(name, ".attn.bias") || ends(name, ".attn.masked_bias")
               : ends(name, ".rotary_emb.inv_freq");
}

static int check_extra(lm_model *m)
{
    const lm_st_tensor *s;
    const lm_tensor *t;

    for (size_t f = 0; f < m->nfile; f++)
        for (size_t i = 0; (s = lm_st_at(m->file[f], i)); i++) {
            if (lm_tensors_file(m, s->name) || ignorable(m, s->name))
                continue;
            if (strcmp(s->name, "lm_head.weight"))
                return lm_err_at(LM_EINVALID, lm_st_path(m->file[f]),
                                 "tensor %.80s has no place in the model", s->name);
            t = &m->t[0]; /* a tied head may be there again, but must be the same */
            if (s->dt != t->dt || s->count != t->n || memcmp(s->data, t->src, s->bytes))
                return lm_err_at(
                    LM_EINVALID, lm_st_path(m->file[f]),
                    "lm_head.weight differs from the embedding though config.json ties them");
        }
    return 0;
}

int lm_model_shape(lm_model **out, const char *dir, int dt)
{
    lm_cfg cfg;
    int err = lm_cfg_read(&cfg, dir);

    *out = NULL;
    if (err < 0)
        return err;
    *out = fresh(&cfg);
    (*out)->cfg.dt = dt;
    return 0;
}

int lm_model_load(lm_model **out, const char *dir, int dt, unsigned flags)
{
    lm_cfg cfg;
    lm_model *m;
    lm_buf all = {0}; /* the file that says which tensors there are */
    int err = lm_cfg_read(&cfg, dir);

    *out = NULL;
    if (err < 0)
        return err;
    m = fresh(&cfg);
    err = lm_st_open_model(&m->file, &m->nfile, dir);
    lm_buf_addf(&all, "%s/model.safetensors.index.json", dir);
    if (m->nfile == 1 && access(all.p, F_OK)) {
        all.n = 0;
        lm_buf_adds(&all, lm_st_path(m->file[0]));
    }
    for (size_t i = 0; i < m->nf && !err; i++)
        err = bind(m, &m->f[i], all.p);
    if (!err)
        err = check_extra(m);
    lm_buf_free(&all);
    if (err < 0) {
        lm_model_free(m);
        return err;
    }
    m->cfg.dt = dt >= 0 ? dt : m->t[0].dt == LM_BF16 ? LM_BF16 : LM_F32;
    if (flags & LM_MODEL_RW) {
        float *w = lm_alloc_huge(m->n * sizeof *w);

        for (size_t i = 0; i < m->nt; i++) {
            lm_model_f32(m, &m->t[i], 0, m->t[i].n, w + m->t[i].off);
            m->t[i].src = NULL;
        }
        for (size_t i = 0; i < m->nf; i++)
            m->f[i].src = NULL;
        m->w = w;
        for (size_t i = 0; i < m->nfile; i++)
            lm_st_close(m->file[i]);
        m->nfile = 0;
    }
    *out = m;
    return 0;
}

int lm_generation_write(const lm_cfg *c, const char *dir)
{
    lm_buf b = {0};
    lm_jw w;
    int err;
    json_t *eos = json_object_get(c->raw, "eos_token_id");

    lm_jw_init(&w, &b, 2);
    lm_jw_obj(&w, NULL);
    lm_jw_bool(&w, "_from_model_config", true);
    if (c->bos != LM_NO_ID)
        lm_jw_u64(&w, "bos_token_id", c->bos);
    if (json_is_array(eos))
        lm_jw_val(&w, "eos_token_id", eos);
    else if (c->eos != LM_NO_ID)
        lm_jw_u64(&w, "eos_token_id", c->eos);
    if (c->pad != LM_NO_ID)
        lm_jw_u64(&w, "pad_token_id", c->pad);
    lm_jw_end(&w);
    lm_buf_addc(&b, '\n');
    err = lm_write_file(dir, "generation_config.json", lm_buf_str(&b));
    lm_buf_free(&b);
    return err;
}

static int put(const lm_model *m, const lm_ftensor *f, lm_st_out *o)
{
    float *own;
    int err;

    if (!m->w)
        return lm_st_put(o, f->src, f->n * lm_dtype_size(f->dt));
    err = lm_st_put_f32(o, lm_tensors_values(m, f, &own), f->n, m->cfg.dt);
    free(own);
    return err;
}

/* The table of model.safetensors; own: in the type of the configuration, not of the files. */
static lm_st_tensor *table(const lm_model *m, bool own)
{
    lm_st_tensor *t = lm_zalloc(m->nf, sizeof *t);

    for (size_t i = 0; i < m->nf; i++)
        t[i] = (lm_st_tensor){.name = m->f[i].name,
                              .dt = own ? m->cfg.dt : m->f[i].dt,
                              .nd = m->f[i].nd,
                              .dim = {m->f[i].dim[0], m->f[i].dim[1]}};
    return t;
}

uint64_t lm_model_file_bytes(const lm_model *m)
{
    lm_st_tensor *t = table(m, true);
    uint64_t bytes = lm_st_size(t, m->nf, NULL);

    free(t);
    return bytes;
}

int lm_model_save(const lm_model *m, const char *dir)
{
    lm_st_tensor *t = table(m, m->w);
    lm_buf path = {0};
    lm_st_out *o;
    int err = lm_cfg_write(&m->cfg, dir), end;

    lm_buf_addf(&path, "%s/model.safetensors", dir);
    if (!err)
        err = lm_generation_write(&m->cfg, dir);
    if (!err && !(err = lm_st_create(&o, path.p, t, m->nf, NULL))) {
        for (size_t i = 0; i < m->nf && !err; i++)
            err = put(m, &m->f[i], o);
        if (err < 0)
            lm_st_drop(o);
        else if ((end = lm_st_done(o)) < 0)
            err = end;
    }
    lm_buf_free(&path);
    free(t);
    return err;
}

static int by_line(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void lm_model_id(const lm_model *m, lm_id *id)
{
    char **line = lm_zalloc(m->nf, sizeof *line);
    lm_buf all = {0};

    for (size_t i = 0; i < m->nf; i++) {
        const lm_ftensor *t = &m->f[i];
        int dt = m->w ? m->cfg.dt : t->dt;
        lm_buf b = {0};
        float *own = NULL;
        const float *w = m->w ? lm_tensors_values(m, t, &own) : NULL;
        const void *p = w ? w : t->src;
        uint16_t *half = NULL;
        char hex[33];

        if (w && dt == LM_BF16) {
            p = half = lm_alloc(t->n * sizeof *half);
            for (size_t j = 0; j < t->n; j++)
                half[j] = lm_f32_bf16(w[j]);
        }
        lm_id_hex(lm_hash128(p, t->n * lm_dtype_size(dt)), hex);
        free(half);
        free(own);
        lm_buf_addf(&b, "%s %s %u", t->name, lm_dtype_name(dt), t->dim[0]);
        if (t->nd == 2)
            lm_buf_addf(&b, ",%u", t->dim[1]);
        lm_buf_addf(&b, " %s\n", hex);
        line[i] = b.p;
    }
    qsort(line, m->nf, sizeof *line, by_line);
    for (size_t i = 0; i < m->nf; i++) {
        lm_buf_adds(&all, line[i]);
        free(line[i]);
    }
    *id = lm_hash128(all.p, all.n);
    lm_buf_free(&all);
    free(line);
}
