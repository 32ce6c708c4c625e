/* cfg: config.json of llama and qwen3, strict about what would change the arithmetic, tolerant of
 * the rest. */
#include "nn/cfg.h"
#include "base/json.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static const struct {
    const char *type, *arch;
} family[] = {{"llama", "LlamaForCausalLM"}, {"qwen3", "Qwen3ForCausalLM"}};
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
                  .eps = 1e-6,
                  .theta = 10000,
                  .init_range = 0.02,
                  .rope_factor = 1,
                  .bos = LM_NO_ID,
                  .eos = LM_NO_ID,
                  .pad = LM_NO_ID};
}

void lm_cfg_free(lm_cfg *c)
{
    json_decref(c->raw);
    c->raw = NULL;
}

int lm_cfg_check(const lm_cfg *c)
{
    const struct {
        const char *key;
        uint32_t v, hi;
    } n[] = {
        {"vocab_size", c->vocab, 1 << 24},          {"hidden_size", c->dim, 1 << 16},
        {"num_hidden_layers", c->layers, 1024},     {"num_attention_heads", c->heads, 1024},
        {"num_key_value_heads", c->kv_heads, 1024}, {"head_dim", c->head_dim, 512},
        {"intermediate_size", c->ffn, 1 << 20},     {"max_position_embeddings", c->ctx, 1 << 24}};

    for (size_t i = 0; i < LM_COUNT(n); i++)
        if (!n[i].v || n[i].v > n[i].hi)
            return lm_err(LM_EINVALID, "%s is %u: want 1 to %u", n[i].key, n[i].v, n[i].hi);
    if (c->heads % c->kv_heads)
        return lm_err(LM_EINVALID,
                      "num_attention_heads %u is no multiple of num_key_value_heads %u", c->heads,
                      c->kv_heads);
    if (c->head_dim % 2)
        return lm_err(LM_EINVALID, "head_dim %u is odd: rotary positions turn pairs", c->head_dim);
    if (!(c->eps > 0 && c->eps < 1))
        return lm_err(LM_EINVALID, "rms_norm_eps %g is not between 0 and 1", c->eps);
    if (!(c->theta > 1 && c->theta < 1e12))
        return lm_err(LM_EINVALID, "rope_theta %g is not between 1 and 1e12", c->theta);
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
static int need_u32(const json_t *o, const char *key, uint32_t *v)
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

static int refuse(const json_t *o)
{
    static const char *const off[] = {"attention_bias", "mlp_bias", "use_sliding_window",
                                      "quantization_config"};
    json_t *v;
    lm_str s = {0, 0};
    double part = 1;

    for (size_t i = 0; i < LM_COUNT(off); i++)
        if ((v = json_object_get(o, off[i])) && !json_is_null(v) && !json_is_false(v))
            return lm_err(LM_EINVALID, "%s is set, which is not supported", off[i]);
    if (lm_json_str(o, "hidden_act", &s) < 0)
        return LM_EINVALID;
    if (s.p && !lm_is(s, "silu") && !lm_is(s, "swish"))
        return lm_err(LM_EINVALID, "hidden_act is %.*s, only silu is supported",
                      (int)(s.n < 40 ? s.n : 40), s.p);
    if (lm_json_f64(o, "partial_rotary_factor", &part) < 0)
        return LM_EINVALID;
    if (part != 1)
        return lm_err(LM_EINVALID, "partial_rotary_factor is %g, only 1 is supported", part);
    v = json_object_get(o, "layer_types");
    for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++)
        if (!lm_is(lm_json_text(json_array_get(v, i)), "full_attention"))
            return lm_err(LM_EINVALID, "layer_types names a layer that is not full_attention");
    return 0;
}

static int read_rope(lm_cfg *c, const json_t *o)
{
    json_t *p = NULL, *old = NULL;
    lm_str type = LM_STR("default");
    int e1 = lm_json_obj(o, "rope_parameters", &p), e2 = lm_json_obj(o, "rope_scaling", &old);

    if (e1 < 0 || e2 < 0 || lm_json_f64(o, "rope_theta", &c->theta) < 0)
        return LM_EINVALID;
    if (!p && !(p = old))
        return 0;
    if (lm_json_str(p, "type", &type) < 0 || lm_json_str(p, "rope_type", &type) < 0 ||
        lm_json_f64(p, "rope_theta", &c->theta) < 0)
        return LM_EINVALID;
    if (lm_is(type, "default"))
        return 0;
    if (lm_is(type, "linear"))
        c->rope = LM_ROPE_LINEAR;
    else if (lm_is(type, "llama3"))
        c->rope = LM_ROPE_LLAMA3;
    else
        return lm_err(LM_EINVALID, "rope_type %.*s is not supported",
                      (int)(type.n < 40 ? type.n : 40), type.p);
    if (lm_json_need(lm_json_f64(p, "factor", &c->rope_factor), "factor") < 0)
        return LM_EINVALID;
    if (c->rope == LM_ROPE_LLAMA3 &&
        (lm_json_need(lm_json_f64(p, "low_freq_factor", &c->rope_low), "low_freq_factor") < 0 ||
         lm_json_need(lm_json_f64(p, "high_freq_factor", &c->rope_high), "high_freq_factor") < 0 ||
         lm_json_need(lm_json_f64(p, "original_max_position_embeddings", &c->rope_old),
                      "original_max_position_embeddings") < 0))
        return LM_EINVALID;
    return 0;
}

static int from_json(lm_cfg *c, json_t *o)
{
    lm_str s = {0, 0};
    const struct {
        const char *key;
        uint32_t *v;
    } want[] = {{"vocab_size", &c->vocab},
                {"hidden_size", &c->dim},
                {"num_hidden_layers", &c->layers},
                {"num_attention_heads", &c->heads},
                {"intermediate_size", &c->ffn}};
    int fam = -1;

    if (!json_is_object(o))
        return lm_err(LM_EINVALID, "not a JSON object");
    if (lm_json_need(lm_json_str(o, "model_type", &s), "model_type") < 0)
        return LM_EINVALID;
    for (size_t i = 0; i < LM_COUNT(family); i++)
        if (lm_is(s, family[i].type))
            fam = (int)i;
    if (fam < 0)
        return lm_err(LM_EINVALID, "model_type %.*s is not supported", (int)(s.n < 40 ? s.n : 40),
                      s.p);
    lm_cfg_default(c, fam);
    c->raw = json_incref(o);
    if (refuse(o) < 0)
        return LM_EINVALID;
    for (size_t i = 0; i < LM_COUNT(want); i++)
        if (lm_json_need(need_u32(o, want[i].key, want[i].v), want[i].key) < 0)
            return LM_EINVALID;
    c->kv_heads =
        fam == LM_FAM_QWEN3 ? 32 : c->heads; /* the defaults of the families' own classes */
    c->head_dim = fam == LM_FAM_QWEN3 ? 128 : c->heads ? c->dim / c->heads : 0;
    if (need_u32(o, "num_key_value_heads", &c->kv_heads) < 0 ||
        need_u32(o, "head_dim", &c->head_dim) < 0 ||
        need_u32(o, "max_position_embeddings", &c->ctx) < 0 ||
        lm_json_f64(o, "rms_norm_eps", &c->eps) < 0 ||
        lm_json_f64(o, "initializer_range", &c->init_range) < 0 ||
        lm_json_bool(o, "tie_word_embeddings", &c->tie) < 0 || read_rope(c, o) < 0 ||
        read_id(o, "bos_token_id", &c->bos) < 0 || read_id(o, "eos_token_id", &c->eos) < 0 ||
        read_id(o, "pad_token_id", &c->pad) < 0)
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

static json_t *rope_json(const lm_cfg *c)
{
    static const char *const name[] = {"default", "linear", "llama3"};
    json_t *p = json_object();

    if (c->rope != LM_ROPE_DEFAULT)
        json_object_set_new(p, "factor", json_real(c->rope_factor));
    if (c->rope == LM_ROPE_LLAMA3) {
        json_object_set_new(p, "high_freq_factor", json_real(c->rope_high));
        json_object_set_new(p, "low_freq_factor", json_real(c->rope_low));
        json_object_set_new(p, "original_max_position_embeddings",
                            json_integer((json_int_t)c->rope_old));
    }
    json_object_set_new(p, "rope_theta", json_real(c->theta));
    json_object_set_new(p, "rope_type", json_string(name[c->rope]));
    return p;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void lm_cfg_text(const lm_cfg *c, lm_buf *out)
{
    const struct {
        const char *key;
        uint32_t v;
    } n[] = {{"vocab_size", c->vocab},
             {"hidden_size", c->dim},
             {"num_hidden_layers", c->layers},
             {"num_attention_heads", c->heads},
             {"num_key_value_heads", c->kv_heads},
             {"head_dim", c->head_dim},
             {"intermediate_size", c->ffn},
             {"max_position_embeddings", c->ctx}};
    json_t *o = c->raw ? json_copy(c->raw) : json_object(), *v;
    const char **keys, *k;
    const char *dt = c->dt == LM_BF16 ? "bfloat16" : "float32";
    size_t nk = 0;
    lm_jw w;

    for (size_t i = 0; i < LM_COUNT(n); i++)
        json_object_set_new(o, n[i].key, json_integer(n[i].v));
    json_object_set_new(o, "architectures", json_pack("[s]", family[c->family].arch));
    json_object_set_new(o, "model_type", json_string(family[c->family].type));
    json_object_set_new(o, "hidden_act", json_string("silu"));
    json_object_set_new(o, "attention_bias", json_false());
    if (c->family == LM_FAM_LLAMA)
        json_object_set_new(o, "mlp_bias", json_false());
    else
        json_object_set_new(o, "use_sliding_window", json_false());
    json_object_set_new(o, "rms_norm_eps", json_real(c->eps));
    json_object_set_new(o, "initializer_range", json_real(c->init_range));
    json_object_set_new(o, "tie_word_embeddings", json_boolean(c->tie));
    json_object_set_new(o, "rope_theta", json_real(c->theta));
    json_object_set_new(o, "rope_parameters", rope_json(c));
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
    lm_buf path = {0}, text = {0};
    int fd, err = 0;

    lm_buf_addf(&path, "%s/config.json", dir);
    lm_cfg_text(c, &text);
    fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        err = lm_err_sys(path.p, "open");
    else {
        if (lm_write_all(fd, text.p, text.n) || fsync(fd))
            err = lm_err_sys(path.p, "write");
        if (close(fd) && !err)
            err = lm_err_sys(path.p, "close");
    }
    lm_buf_free(&path);
    lm_buf_free(&text);
    return err;
}
