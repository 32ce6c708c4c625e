/* cfg: config.json, strict about what would change the arithmetic, tolerant of the rest. */
#include "nn/cfgi.h"

static const struct {
    const char *name;
    int size;
} dtype[LM_NDT] = {{"F32", 4}, {"BF16", 2}, {"F16", 2}, {"F64", 8}, {"I64", 8},
                   {"I32", 4}, {"I16", 2},  {"I8", 1},  {"U8", 1},  {"BOOL", 1},
                   {"U16", 2}, {"U32", 4},  {"U64", 8}};

size_t lm_dtype_size(int dt)
{
    return dt < 0 || dt >= LM_NDT ? 0 : (size_t)dtype[dt].size;
}

const char *lm_dtype_name(int dt)
{
    return dt < 0 || dt >= LM_NDT ? "?" : dtype[dt].name;
}

void lm_cfg_default(lm_cfg *c, int fam)
{
    *c = (lm_cfg){.family = fam,
                  .dt = LM_F32,
                  .ctx = 2048,
                  .eps = lm_families[fam].f.layernorm ? 1e-5 : 1e-6,
                  .theta = 10000,
                  .init_range = 0.02,
                  .rope_factor = 1,
                  .bos = LM_NO_ID,
                  .eos = LM_NO_ID,
                  .pad = LM_NO_ID};
    c->qkv_bias = fam == LM_FAM_QWEN2 || fam == LM_FAM_GPT2;
    c->o_bias = c->mlp_bias = fam == LM_FAM_GPT2;
    c->alibi = fam == LM_FAM_MPT ? 8 : 0;
}

void lm_cfg_free(lm_cfg *c)
{
    json_decref(c->raw);
    c->raw = NULL;
}

int lm_cfg_check(const lm_cfg *c)
{
    const lm_famdef *f = &lm_families[c->family];
    const lm_cfg_keys *k = f->keys;
    const struct {
        const char *key;
        uint32_t v, hi;
    } n[] = {{k->vocab, c->vocab, 1 << 24},
             {k->dim, c->dim, 1 << 16},
             {k->layers, c->layers, 1024},
             {k->heads, c->heads, 1024},
             {k->kv_heads ? k->kv_heads : k->heads, c->kv_heads, 1024},
             {k->head_dim ? k->head_dim : k->dim, c->head_dim, k->head_dim ? 512 : 1 << 16},
             {k->ffn, c->ffn, 1 << 20},
             {k->ctx, c->ctx, 1 << 24}};

    for (size_t i = 0; i < LM_COUNT(n); i++)
        if (!n[i].v || n[i].v > n[i].hi)
            return lm_err(LM_EINVALID, "%s is %u: want 1 to %u", n[i].key, n[i].v, n[i].hi);
    if (!k->head_dim && c->heads * c->head_dim != c->dim)
        return lm_err(LM_EINVALID, "%s %u is not %s %u heads of one size", k->dim, c->dim, k->heads,
                      c->heads);
    if (!k->kv_heads && c->kv_heads != c->heads)
        return lm_err(LM_EINVALID, "%u key heads, but %s has as many as query heads, %u",
                      c->kv_heads, f->f.type, c->heads);
    if (c->head_dim > 512)
        return lm_err(LM_EINVALID, "heads of %u: want 1 to 512", c->head_dim);
    if (c->heads % c->kv_heads)
        return lm_err(LM_EINVALID, "%s %u is no multiple of %s %u", k->heads, c->heads, k->kv_heads,
                      c->kv_heads);
    if (f->f.rotary && c->head_dim % 2)
        return lm_err(LM_EINVALID, "head_dim %u is odd: rotary positions turn pairs", c->head_dim);
    if (c->family == LM_FAM_MPT && c->ffn % c->dim)
        return lm_err(LM_EINVALID,
                      "an MLP of %u is no multiple of d_model %u, as expansion_ratio "
                      "needs",
                      c->ffn, c->dim);
    if (!(c->eps > 0 && c->eps < 1))
        return lm_err(LM_EINVALID, "%s %g is not between 0 and 1", k->eps, c->eps);
    if (f->f.rotary && !(c->theta > 1 && c->theta < 1e12))
        return lm_err(LM_EINVALID, "rope_theta %g is not between 1 and 1e12", c->theta);
    if (c->family == LM_FAM_MPT && !(c->alibi > 0 && c->alibi <= 64))
        return lm_err(LM_EINVALID, "alibi_bias_max %g is not between 0 and 64", c->alibi);
    if (!(c->clip >= 0 && c->clip < 1e9))
        return lm_err(LM_EINVALID, "clip_qkv %g is out of range", c->clip);
    if (!(c->softcap >= 0 && c->softcap < 1e9))
        return lm_err(LM_EINVALID, "attn_logit_softcapping %g is out of range", c->softcap);
    if (!(c->att_scale >= 0 && c->att_scale < 1e9))
        return lm_err(LM_EINVALID, "softmax_scale %g is out of range", c->att_scale);
    if (!(c->init_range >= 0 && c->init_range < 1e3))
        return lm_err(LM_EINVALID, "initializer_range %g is out of range", c->init_range);
    if (c->rope != LM_ROPE_DEFAULT && !(c->rope_factor >= 1 && c->rope_factor <= 1e6))
        return lm_err(LM_EINVALID, "rope factor %g is not between 1 and 1e6", c->rope_factor);
    if (c->rope == LM_ROPE_LLAMA3 &&
        !(c->rope_low > 0 && c->rope_high > c->rope_low && c->rope_old >= 1))
        return lm_err(LM_EINVALID, "rope llama3: low_freq_factor, high_freq_factor or "
                                   "original_max_position_embeddings out of range");
    return 0;
}

/* Reading. Each helper leaves *v alone when the key is absent or null. */
int lm_cfg_u32(const json_t *o, const char *key, uint32_t *v)
{
    uint64_t n = 0;
    int err = lm_json_u64(o, key, &n);

    if (err <= 0)
        return err;
    *v = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
    return 1;
}

static int read_id(const json_t *o, const char *key, uint32_t *id)
{
    json_t *v = json_object_get(o, key);

    *id = LM_NO_ID;
    if (json_is_array(v)) /* several ends of sequence: the first is the model's own */
        v = json_array_get(v, 0);
    if (!v || json_is_null(v))
        return 0;
    if (!json_is_integer(v) || json_integer_value(v) < -1 || json_integer_value(v) >= LM_NO_ID)
        return lm_err(LM_EINVALID, "%s is no token id", key);
    *id = json_integer_value(v) == -1 ? LM_NO_ID : (uint32_t)json_integer_value(v);
    return 0;
}

int lm_cfg_off(const json_t *o, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        json_t *v = json_object_get(o, keys[i]);

        if (v && !json_is_null(v) && !json_is_false(v))
            return lm_err(LM_EINVALID, "%s is set, which is not supported", keys[i]);
    }
    return 0;
}

/* The numbers all families have, under the family's names. */
static int read_numbers(lm_cfg *c, const json_t *o, const lm_famdef *f)
{
    const lm_cfg_keys *k = f->keys;

    if (lm_json_need(lm_cfg_u32(o, k->vocab, &c->vocab), k->vocab) < 0 ||
        lm_json_need(lm_cfg_u32(o, k->dim, &c->dim), k->dim) < 0 ||
        lm_json_need(lm_cfg_u32(o, k->layers, &c->layers), k->layers) < 0 ||
        lm_json_need(lm_cfg_u32(o, k->heads, &c->heads), k->heads) < 0)
        return LM_EINVALID;
    c->kv_heads = k->kv_heads && f->kv_heads ? f->kv_heads : c->heads;
    c->head_dim = f->head_dim ? f->head_dim : c->heads ? c->dim / c->heads : 0;
    if ((k->kv_heads && lm_cfg_u32(o, k->kv_heads, &c->kv_heads) < 0) ||
        (k->head_dim && lm_cfg_u32(o, k->head_dim, &c->head_dim) < 0) ||
        (k->head_dim && lm_json_need(lm_cfg_u32(o, k->ffn, &c->ffn), k->ffn) < 0) ||
        lm_cfg_u32(o, k->ctx, &c->ctx) < 0 || lm_json_f64(o, k->eps, &c->eps) < 0 ||
        lm_json_f64(o, "initializer_range", &c->init_range) < 0 ||
        lm_json_bool(o, "tie_word_embeddings", &c->tie) < 0 ||
        read_id(o, "bos_token_id", &c->bos) < 0 || read_id(o, "eos_token_id", &c->eos) < 0 ||
        read_id(o, "pad_token_id", &c->pad) < 0)
        return LM_EINVALID;
    return f->read(c, o);
}

static int from_json(lm_cfg *c, json_t *o)
{
    static const char *const off[] = {"quantization_config"};
    lm_str s = {0, 0};
    int fam = -1;

    if (!json_is_object(o))
        return lm_err(LM_EINVALID, "not a JSON object");
    if (lm_json_need(lm_json_str(o, "model_type", &s), "model_type") < 0)
        return LM_EINVALID;
    for (int i = 0; i < LM_NFAM; i++)
        if (lm_is(s, lm_families[i].f.type))
            fam = i;
    if (fam < 0)
        return lm_err(LM_EINVALID, "model_type %.*s is not supported", (int)(s.n < 40 ? s.n : 40),
                      s.p);
    lm_cfg_default(c, fam);
    c->raw = json_incref(o);
    c->tie = lm_families[fam].tie;
    if (lm_cfg_off(o, off, 1) < 0 || read_numbers(c, o, &lm_families[fam]) < 0)
        return LM_EINVALID;
    s = (lm_str){0, 0};
    if (lm_json_str(o, "torch_dtype", &s) < 0 || lm_json_str(o, "dtype", &s) < 0)
        return LM_EINVALID;
    if (s.p && lm_is(s, "bfloat16"))
        c->dt = LM_BF16;
    else if (s.p && !lm_is(s, "float32") && !lm_is(s, "float16"))
        return lm_err(LM_EINVALID, "dtype %.*s is not supported", (int)(s.n < 40 ? s.n : 40), s.p);
    return lm_cfg_check(c);
}

int lm_cfg_parse(lm_cfg *c, lm_str text, const char *where)
{
    json_t *o = NULL;
    int err;

    memset(c, 0, sizeof *c);
    err = lm_json_parse(text, &o);
    if (!err)
        err = from_json(c, o);
    json_decref(o);
    if (err < 0) {
        lm_error *e = lm_last_error();

        snprintf(e->where, sizeof e->where, "%s", where);
        lm_cfg_free(c);
    }
    return err < 0 ? err : 0;
}

int lm_cfg_read(lm_cfg *c, const char *dir)
{
    lm_buf path = {0}, text = {0};
    int err;

    memset(c, 0, sizeof *c);
    lm_buf_addf(&path, "%s/config.json", dir);
    err = lm_read_file(path.p, &text, 16 << 20);
    if (!err)
        err = lm_cfg_parse(c, lm_buf_str(&text), path.p);
    lm_buf_free(&path);
    lm_buf_free(&text);
    return err;
}

static void set_id(json_t *o, const char *key, uint32_t id)
{
    json_t *v = json_object_get(o, key);

    if (json_is_array(v) && json_integer_value(json_array_get(v, 0)) == (json_int_t)id)
        return; /* keep the whole list of ends */
    json_object_set_new(o, key, id == LM_NO_ID ? json_null() : json_integer(id));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void lm_cfg_text(const lm_cfg *c, lm_buf *out)
{
    const lm_famdef *f = &lm_families[c->family];
    const lm_cfg_keys *q = f->keys;
    const struct {
        const char *key;
        uint32_t v;
    } n[] = {{q->vocab, c->vocab},
             {q->dim, c->dim},
             {q->layers, c->layers},
             {q->heads, c->heads},
             {q->kv_heads, c->kv_heads},
             {q->head_dim, c->head_dim},
             {q->head_dim ? q->ffn : NULL, c->ffn}, /* else the family says it in its own way */
             {q->ctx, c->ctx}};
    json_t *o = c->raw ? json_copy(c->raw) : json_object(), *v;
    const char **keys, *k;
    const char *dt = c->dt == LM_BF16 ? "bfloat16" : c->dt == LM_F16 ? "float16" : "float32";
    size_t nk = 0;
    lm_jw w;

    for (size_t i = 0; i < LM_COUNT(n); i++)
        if (n[i].key)
            json_object_set_new(o, n[i].key, json_integer(n[i].v));
    json_object_set_new(o, "architectures", json_pack("[s]", f->f.arch));
    json_object_set_new(o, "model_type", json_string(f->f.type));
    json_object_set_new(o, q->eps, json_real(c->eps));
    json_object_set_new(o, "initializer_range", json_real(c->init_range));
    json_object_set_new(o, "tie_word_embeddings", json_boolean(c->tie));
    f->write(c, o);
    json_object_set_new(o, "dtype", json_string(dt));
    json_object_set_new(o, "torch_dtype", json_string(dt));
    if (!c->raw)
        json_object_set_new(o, "use_cache", json_true());
    set_id(o, "bos_token_id", c->bos);
    set_id(o, "eos_token_id", c->eos);
    set_id(o, "pad_token_id", c->pad);
    keys = lm_zalloc(json_object_size(o) + 1, sizeof *keys);
    json_object_foreach (o, k, v)
        keys[nk++] = k;
    qsort(keys, nk, sizeof *keys, by_name);
    lm_jw_init(&w, out, 2);
    lm_jw_obj(&w, NULL);
    for (size_t i = 0; i < nk; i++) {
        lm_jw_name(&w, lm_cstr(keys[i]));
        lm_jw_val(&w, "", json_object_get(o, keys[i]));
    }
    lm_jw_end(&w);
    lm_buf_addc(out, '\n');
    free(keys);
    json_decref(o);
}

int lm_cfg_write(const lm_cfg *c, const char *dir)
{
    lm_buf text = {0};
    int err;

    lm_cfg_text(c, &text);
    err = lm_write_file(dir, "config.json", lm_buf_str(&text));
    lm_buf_free(&text);
    return err;
}
