/* model: the table of tensors of a decoder, and the ways to fill it. */
#include "nn/model.h"
#include "nn/weights.h"
#include "base/json.h"
#include "kernels/kern.h"
#include <fcntl.h>
#include <unistd.h>

static lm_tensor *add(lm_model *m, char *name, int nd, uint32_t d0, uint32_t d1, unsigned flags)
{
    lm_tensor *t = &m->t[m->nt++];

    *t = (lm_tensor){.name = name,
                     .nd = nd,
                     .dim = {d0, d1},
                     .n = (size_t)d0 * (nd == 2 ? d1 : 1),
                     .off = m->n,
                     .flags = flags};
    m->n += t->n;
    return t;
}

static char *named(uint32_t layer, const char *part)
{
    lm_buf b = {0};

    lm_buf_addf(&b, "model.layers.%u.%s.weight", layer, part);
    return b.p;
}

/* q, k, v and gate, up lie behind each other: one product each. */
static void table(lm_model *m)
{
    const lm_cfg *c = &m->cfg;
    uint32_t nq = c->heads * c->head_dim, nkv = c->kv_heads * c->head_dim;

    m->t = lm_zalloc(c->layers * 11 + (size_t)3, sizeof *m->t);
    add(m, lm_strdup("model.embed_tokens.weight"), 2, c->vocab, c->dim, LM_T_MATRIX | LM_T_EMBED);
    for (uint32_t l = 0; l < c->layers; l++) {
        add(m, named(l, "input_layernorm"), 1, c->dim, 0, 0);
        add(m, named(l, "self_attn.q_proj"), 2, nq, c->dim, LM_T_MATRIX);
        add(m, named(l, "self_attn.k_proj"), 2, nkv, c->dim, LM_T_MATRIX);
        add(m, named(l, "self_attn.v_proj"), 2, nkv, c->dim, LM_T_MATRIX);
        if (c->family == LM_FAM_QWEN3) {
            add(m, named(l, "self_attn.q_norm"), 1, c->head_dim, 0, 0);
            add(m, named(l, "self_attn.k_norm"), 1, c->head_dim, 0, 0);
        }
        add(m, named(l, "self_attn.o_proj"), 2, c->dim, nq, LM_T_MATRIX | LM_T_RESID);
        add(m, named(l, "post_attention_layernorm"), 1, c->dim, 0, 0);
        add(m, named(l, "mlp.gate_proj"), 2, c->ffn, c->dim, LM_T_MATRIX);
        add(m, named(l, "mlp.up_proj"), 2, c->ffn, c->dim, LM_T_MATRIX);
        add(m, named(l, "mlp.down_proj"), 2, c->dim, c->ffn, LM_T_MATRIX | LM_T_RESID);
    }
    add(m, lm_strdup("model.norm.weight"), 1, c->dim, 0, 0);
    if (!c->tie)
        add(m, lm_strdup("lm_head.weight"), 2, c->vocab, c->dim, LM_T_MATRIX | LM_T_EMBED);
}

static lm_model *fresh(lm_cfg *cfg)
{
    lm_model *m = lm_zalloc(1, sizeof *m);

    m->cfg = *cfg;
    cfg->raw = NULL;
    table(m);
    return m;
}

void lm_model_free(lm_model *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->nt; i++)
        free(m->t[i].name);
    for (size_t i = 0; i < m->nfile; i++)
        lm_st_close(m->file[i]);
    free(m->file);
    free(m->t);
    if (m->w)
        lm_free_huge(m->w, m->n * sizeof *m->w);
    lm_cfg_free(&m->cfg);
    free(m);
}

const lm_tensor *lm_model_find(const lm_model *m, const char *name)
{
    for (size_t i = 0; i < m->nt; i++)
        if (!strcmp(m->t[i].name, name))
            return &m->t[i];
    return NULL;
}

void lm_model_f32(const lm_model *m, const lm_tensor *t, size_t from, size_t n, float *out)
{
    if (m->w)
        memcpy(out, m->w + t->off + from, n * sizeof *out);
    else
        lm_widen(t->dt, (const char *)t->src + from * lm_dtype_size(t->dt), n, out);
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
                m->w[t->off + j] = 1;
        if (m->cfg.dt == LM_BF16)
            lm_round_bf16(t->n, m->w + t->off);
    }
    *out = m;
    return 0;
}

/* Loading. */
static int open_files(lm_model *m, const char *dir)
{
    lm_buf path = {0};
    json_t *ix = NULL, *map, *v;
    const char *k;
    int err;

    m->file = lm_zalloc(1, sizeof *m->file);
    lm_buf_addf(&path, "%s/model.safetensors.index.json", dir);
    if (access(path.p, F_OK)) {
        path.n = 0;
        lm_buf_addf(&path, "%s/model.safetensors", dir);
        err = lm_st_open(&m->file[0], path.p);
        m->nfile = !err;
        lm_buf_free(&path);
        return err;
    }
    err = lm_json_read(path.p, 64 << 20, &ix);
    if (!err && lm_json_obj(ix, "weight_map", &map) != 1)
        err = lm_err_at(LM_EINVALID, path.p, "no weight_map");
    if (!err) {
        lm_dict seen = {0};

        json_object_foreach (map, k, v) {
            lm_str s = lm_json_text(v);

            if (!s.p || memchr(s.p, '/', s.n)) {
                err = lm_err_at(LM_EINVALID, path.p, "%.80s: no file name", k);
                break;
            }
            if (lm_dict_get(&seen, s))
                continue;
            lm_dict_put(&seen, s, 0);
            m->file = lm_reallocn(m->file, m->nfile + 1, sizeof *m->file);
            path.n = 0;
            lm_buf_addf(&path, "%s/%.*s", dir, (int)s.n, s.p);
            if ((err = lm_st_open(&m->file[m->nfile], path.p)) < 0)
                break;
            m->nfile++;
        }
        lm_dict_free(&seen);
    }
    json_decref(ix);
    lm_buf_free(&path);
    return err;
}

static const lm_st_tensor *in_files(const lm_model *m, const char *name)
{
    const lm_st_tensor *s = NULL;

    for (size_t i = 0; i < m->nfile && !s; i++)
        s = lm_st_find(m->file[i], name);
    return s;
}

/* A float is not finite if its exponent is all ones; the top 16 bits tell for F32 and BF16. */
static bool finite(const lm_tensor *t)
{
    const uint16_t *h = t->src, mask = t->dt == LM_F16 ? 0x7c00 : 0x7f80;
    size_t step = t->dt == LM_F32 ? 2 : 1, bad = 0;

    for (size_t i = step - 1; i < t->n * step; i += step)
        bad += (h[i] & mask) == mask;
    return !bad;
}

static int bind(lm_model *m, lm_tensor *t, const char *dir)
{
    const lm_st_tensor *s = in_files(m, t->name);

    if (!s)
        return lm_err_at(LM_EINVALID, dir, "tensor %s is missing", t->name);
    if (s->nd != t->nd || s->dim[0] != t->dim[0] || (t->nd == 2 && s->dim[1] != t->dim[1]))
        return lm_err_at(LM_EINVALID, dir,
                         "tensor %s does not have the shape that config.json tells", t->name);
    if (s->dt != LM_F32 && s->dt != LM_BF16 && s->dt != LM_F16)
        return lm_err_at(LM_EINVALID, dir, "tensor %s: type %s is not supported", t->name,
                         lm_dtype_name(s->dt));
    t->dt = s->dt;
    t->src = s->data;
    if ((uintptr_t)t->src % lm_dtype_size(t->dt))
        return lm_err_at(LM_EINVALID, dir, "tensor %s is not aligned", t->name);
    if (!finite(t))
        return lm_err_at(LM_EINVALID, dir, "tensor %s holds a value that is not finite", t->name);
    return 0;
}

static bool ignorable(const char *name) /* buffers that older writers saved */
{
    size_t n = strlen(name);

    return n > 20 && !strcmp(name + n - 20, ".rotary_emb.inv_freq");
}

static int check_extra(lm_model *m, const char *dir)
{
    const lm_st_tensor *s;
    const lm_tensor *t;

    for (size_t f = 0; f < m->nfile; f++)
        for (size_t i = 0; (s = lm_st_at(m->file[f], i)); i++) {
            if (lm_model_find(m, s->name) || ignorable(s->name))
                continue;
            if (strcmp(s->name, "lm_head.weight"))
                return lm_err_at(LM_EINVALID, dir, "tensor %.80s has no place in the model",
                                 s->name);
            t = &m->t[0]; /* a tied head may be there again, but must be the same */
            if (s->dt != t->dt || s->count != t->n || memcmp(s->data, t->src, s->bytes))
                return lm_err_at(
                    LM_EINVALID, dir,
                    "lm_head.weight differs from the embedding though config.json ties them");
        }
    return 0;
}

int lm_model_load(lm_model **out, const char *dir, int dt, unsigned flags)
{
    lm_cfg cfg;
    lm_model *m;
    int err = lm_cfg_read(&cfg, dir);

    *out = NULL;
    if (err < 0)
        return err;
    m = fresh(&cfg);
    err = open_files(m, dir);
    for (size_t i = 0; i < m->nt && !err; i++)
        err = bind(m, &m->t[i], dir);
    if (!err)
        err = check_extra(m, dir);
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
        m->w = w;
        for (size_t i = 0; i < m->nfile; i++)
            lm_st_close(m->file[i]);
        m->nfile = 0;
    }
    *out = m;
    return 0;
}

static int save_generation(const lm_model *m, const char *dir)
{
    const lm_cfg *c = &m->cfg;
    lm_buf path = {0}, b = {0};
    lm_jw w;
    int fd, err = 0;
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
    lm_buf_addf(&path, "%s/generation_config.json", dir);
    fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || lm_write_all(fd, b.p, b.n) || fsync(fd))
        err = lm_err_sys(path.p, "write");
    if (fd >= 0 && close(fd) && !err)
        err = lm_err_sys(path.p, "close");
    lm_buf_free(&path);
    lm_buf_free(&b);
    return err;
}

int lm_model_save(const lm_model *m, const char *dir)
{
    lm_st_tensor *t = lm_zalloc(m->nt, sizeof *t);
    lm_buf path = {0};
    lm_st_out *o;
    int err = lm_cfg_write(&m->cfg, dir), end;

    for (size_t i = 0; i < m->nt; i++)
        t[i] = (lm_st_tensor){.name = m->t[i].name,
                              .dt = m->w ? m->cfg.dt : m->t[i].dt,
                              .nd = m->t[i].nd,
                              .dim = {m->t[i].dim[0], m->t[i].dim[1]}};
    lm_buf_addf(&path, "%s/model.safetensors", dir);
    if (!err)
        err = save_generation(m, dir);
    if (!err && !(err = lm_st_create(&o, path.p, t, m->nt, NULL))) {
        for (size_t i = 0; i < m->nt && !err; i++)
            err = m->w ? lm_st_put_f32(o, m->w + m->t[i].off, m->t[i].n, m->cfg.dt)
                       : lm_st_put(o, m->t[i].src, m->t[i].n * lm_dtype_size(m->t[i].dt));
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
    char **line = lm_zalloc(m->nt, sizeof *line);
    lm_buf all = {0};

    for (size_t i = 0; i < m->nt; i++) {
        const lm_tensor *t = &m->t[i];
        int dt = m->w ? m->cfg.dt : t->dt;
        lm_buf b = {0};
        const void *p = m->w ? m->w + t->off : t->src;
        uint16_t *half = NULL;
        char hex[33];

        if (m->w && dt == LM_BF16) {
            p = half = lm_alloc(t->n * sizeof *half);
            for (size_t j = 0; j < t->n; j++)
                half[j] = lm_f32_bf16(m->w[t->off + j]);
        }
        lm_id_hex(lm_hash128(p, t->n * lm_dtype_size(dt)), hex);
        free(half);
        lm_buf_addf(&b, "%s %s %u", t->name, lm_dtype_name(dt), t->dim[0]);
        if (t->nd == 2)
            lm_buf_addf(&b, ",%u", t->dim[1]);
        lm_buf_addf(&b, " %s\n", hex);
        line[i] = b.p;
    }
    qsort(line, m->nt, sizeof *line, by_line);
    for (size_t i = 0; i < m->nt; i++) {
        lm_buf_adds(&all, line[i]);
        free(line[i]);
    }
    *id = lm_hash128(all.p, all.n);
    lm_buf_free(&all);
    free(line);
}
