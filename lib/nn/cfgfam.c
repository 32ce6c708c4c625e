/* cfgfam: the families, and the keys of config.json that only one of them has. */
#include "nn/cfgi.h"

static const lm_cfg_keys plain = {.vocab = "vocab_size",
                                  .dim = "hidden_size",
                                  .layers = "num_hidden_layers",
                                  .heads = "num_attention_heads",
                                  .kv_heads = "num_key_value_heads",
                                  .head_dim = "head_dim",
                                  .ffn = "intermediate_size",
                                  .ctx = "max_position_embeddings",
                                  .eps = "rms_norm_eps"};
static const lm_cfg_keys gpt2 = {.vocab = "vocab_size",
                                 .dim = "n_embd",
                                 .layers = "n_layer",
                                 .heads = "n_head",
                                 .ffn = "n_inner",
                                 .ctx = "n_positions",
                                 .eps = "layer_norm_epsilon"};
static const lm_cfg_keys mpt = {.vocab = "vocab_size",
                                .dim = "d_model",
                                .layers = "n_layers",
                                .heads = "n_heads",
                                .ffn = "expansion_ratio",
                                .ctx = "max_seq_len",
                                .eps = "layer_norm_epsilon"};

static lm_str shown(lm_str s) /* of a name in a message */
{
    return (lm_str){s.p, s.n < 40 ? s.n : 40};
}

/* A string that must be one of two, if it is there. */
static int one_of(const json_t *o, const char *key, const char *a, const char *b)
{
    lm_str s = {0, 0};

    if (lm_json_str(o, key, &s) < 0)
        return LM_EINVALID;
    if (!s.p || lm_is(s, a) || lm_is(s, b))
        return 0;
    s = shown(s);
    return lm_err(LM_EINVALID, "%s is %.*s, only %s is supported", key, (int)s.n, s.p, a);
}

/* A number that must be this one, if it is there. */
static int must_be(const json_t *o, const char *key, double v)
{
    double x = v;

    if (lm_json_f64(o, key, &x) < 0)
        return LM_EINVALID;
    return x == v ? 0 : lm_err(LM_EINVALID, "%s is %g, only %g is supported", key, x, v);
}

static void set_new(json_t *o, const char *key, json_t *v) /* unless the file had it */
{
    if (json_object_get(o, key))
        json_decref(v);
    else
        json_object_set_new(o, key, v);
}

/* llama, qwen2, qwen3. */
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
        return lm_err(LM_EINVALID, "rope_type %.*s is not supported", (int)shown(type).n, type.p);
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

/* Layers with a window: those from max_window_layers on, or as layer_types says; nothing else is
   supported. */
static int read_window(lm_cfg *c, const json_t *o)
{
    json_t *v = json_object_get(o, "layer_types");
    bool use = false;

    c->window_from = 28; /* of transformers' classes */
    if (c->family != LM_FAM_LLAMA &&
        (lm_json_bool(o, "use_sliding_window", &use) < 0 ||
         (use && (lm_json_need(lm_cfg_u32(o, "sliding_window", &c->window), "sliding_window") < 0 ||
                  lm_cfg_u32(o, "max_window_layers", &c->window_from) < 0))))
        return LM_EINVALID;
    if (use && !c->window)
        return lm_err(LM_EINVALID, "sliding_window is 0");
    if (use && json_is_array(v) && json_array_size(v) != c->layers)
        return lm_err(LM_EINVALID, "layer_types names %zu layers of %u", json_array_size(v),
                      c->layers);
    if (json_is_array(v))
        c->window_from = c->layers;
    for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++) {
        lm_str s = lm_json_text(json_array_get(v, i));
        bool slides = use && lm_is(s, "sliding_attention");

        if (slides && c->window_from == c->layers)
            c->window_from = (uint32_t)i;
        if (!slides && (!lm_is(s, "full_attention") || i > c->window_from))
            return lm_err(LM_EINVALID,
                          "layer_types: layer %zu is %.*s, which is not supported there", i,
                          (int)shown(s).n, s.p ? s.p : "");
    }
    if (c->window_from >= c->layers)
        c->window = 0;
    if (!c->window)
        c->window_from = 0;
    return 0;
}

static int read_plain(lm_cfg *c, const json_t *o)
{
    static const char *const off[] = {"attention_bias", "mlp_bias"};
    static const char *const slide[] = {"use_sliding_window"};
    bool llama = c->family == LM_FAM_LLAMA, bias = false;

    /* qwen2 knows none of the two biases' keys: it always has those of q, k and v */
    if (lm_cfg_off(o, off, c->family == LM_FAM_QWEN3 ? 2 : 0) < 0 ||
        lm_cfg_off(o, slide, llama) < 0 || read_window(c, o) < 0 ||
        one_of(o, "hidden_act", "silu", "swish") < 0 || must_be(o, "partial_rotary_factor", 1) < 0)
        return LM_EINVALID;
    if (llama && (lm_json_bool(o, "attention_bias", &bias) < 0 ||
                  lm_json_bool(o, "mlp_bias", &c->mlp_bias) < 0))
        return LM_EINVALID;
    c->o_bias = bias;
    c->qkv_bias = bias || c->family == LM_FAM_QWEN2;
    return read_rope(c, o);
}

static void write_plain(const lm_cfg *c, json_t *o)
{
    json_object_set_new(o, "hidden_act", json_string("silu"));
    if (c->family != LM_FAM_QWEN2)
        json_object_set_new(o, "attention_bias", json_boolean(c->o_bias));
    if (c->family == LM_FAM_LLAMA)
        json_object_set_new(o, "mlp_bias", json_boolean(c->mlp_bias));
    else
        json_object_set_new(o, "use_sliding_window", json_boolean(c->window > 0));
    if (c->window) {
        json_object_set_new(o, "sliding_window", json_integer(c->window));
        json_object_set_new(o, "max_window_layers", json_integer(c->window_from));
    }
    json_object_set_new(o, "rope_theta", json_real(c->theta));
    json_object_set_new(o, "rope_parameters", rope_json(c));
}

/* gpt2. */
static int read_gpt2(lm_cfg *c, const json_t *o)
{
    static const char *const off[] = {"scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn",
                                      "add_cross_attention"};
    bool scaled = true;

    c->ffn = c->dim < 1 << 20 ? 4 * c->dim : 0;
    if (lm_cfg_off(o, off, LM_COUNT(off)) < 0 ||
        one_of(o, "activation_function", "gelu_new", "gelu_pytorch_tanh") < 0 ||
        lm_json_bool(o, "scale_attn_weights", &scaled) < 0 || lm_cfg_u32(o, "n_inner", &c->ffn) < 0)
        return LM_EINVALID;
    c->att_scale = scaled ? 0 : 1;
    c->qkv_bias = c->o_bias = c->mlp_bias = true;
    return 0;
}

static void write_gpt2(const lm_cfg *c, json_t *o)
{
    set_new(o, "activation_function", json_string("gelu_new"));
    json_object_set_new(o, "scale_attn_weights", json_boolean(c->att_scale == 0));
    if (c->ffn != 4 * c->dim || json_is_integer(json_object_get(o, "n_inner")))
        json_object_set_new(o, "n_inner", json_integer(c->ffn));
    else
        json_object_set_new(o, "n_inner", json_null());
}

/* mpt: transformers' names, and those llm-foundry used before there was an attn_config. */
static int read_mpt_attention(lm_cfg *c, const json_t *o)
{
    static const char *const off[] = {"prefix_lm", "rope"};
    json_t *a = NULL;
    bool alibi = true, old;

    if (lm_json_obj(o, "attn_config", &a) < 0)
        return LM_EINVALID;
    old = !a;
    if (old)
        a = (json_t *)o;
    if (lm_cfg_off(a, off, LM_COUNT(off)) < 0 ||
        one_of(a, "attn_type", "multihead_attention", "multihead_attention") < 0 ||
        must_be(a, "sliding_window_size", -1) < 0 || lm_json_bool(a, "alibi", &alibi) < 0 ||
        lm_json_f64(a, "alibi_bias_max", &c->alibi) < 0 ||
        lm_json_f64(a, old ? "attn_clip_qkv" : "clip_qkv", &c->clip) < 0 ||
        lm_json_bool(a, old ? "attn_qk_ln" : "qk_ln", &c->qk_ln) < 0 ||
        lm_json_f64(a, "softmax_scale", &c->att_scale) < 0 ||
        lm_json_f64(a, "attn_logit_softcapping", &c->softcap) < 0)
        return LM_EINVALID;
    return alibi ? 0 : lm_err(LM_EINVALID, "alibi is false, which is not supported");
}

static int read_mpt(lm_cfg *c, const json_t *o)
{
    json_t *v = json_object_get(o, "logit_scale"), *f = NULL;
    uint32_t ratio = 4;
    bool no_bias = true;

    c->alibi = 8;
    if (lm_cfg_u32(o, "mlp_ratio", &ratio) < 0 || lm_cfg_u32(o, "expansion_ratio", &ratio) < 0 ||
        one_of(o, "norm_type", "low_precision_layernorm", "layernorm") < 0 ||
        lm_json_bool(o, "no_bias", &no_bias) < 0 || must_be(o, "embedding_fraction", 1) < 0 ||
        lm_json_obj(o, "ffn_config", &f) < 0 ||
        (f && one_of(f, "ffn_type", "mptmlp", "mptmlp") < 0))
        return LM_EINVALID;
    if (!no_bias)
        return lm_err(LM_EINVALID, "no_bias is false, which is not supported");
    if (v && !json_is_null(v))
        return lm_err(LM_EINVALID, "logit_scale is set, which is not supported");
    c->ffn = (uint64_t)ratio * c->dim > UINT32_MAX ? UINT32_MAX : ratio * c->dim;
    return read_mpt_attention(c, o);
}

/* A number that 0 switches off. */
static void set_or_null(json_t *o, const char *key, double v)
{
    json_object_set_new(o, key, v != 0 ? json_real(v) : json_null());
}

static void write_mpt(const lm_cfg *c, json_t *o)
{
    json_t *a = json_object_get(o, "attn_config");
    double whole = __builtin_floor(c->alibi);

    a = json_is_object(a) ? json_deep_copy(a) : json_object();
    json_object_set_new(a, "alibi", json_true());
    json_object_set_new(a, "alibi_bias_max",
                        whole == c->alibi ? json_integer((json_int_t)whole) : json_real(c->alibi));
    json_object_set_new(a, "attn_type", json_string("multihead_attention"));
    json_object_set_new(a, "prefix_lm", json_false());
    json_object_set_new(a, "qk_ln", json_boolean(c->qk_ln));
    set_or_null(a, "clip_qkv", c->clip);
    set_or_null(a, "softmax_scale", c->att_scale);
    if (c->softcap != 0)
        json_object_set_new(a, "attn_logit_softcapping", json_real(c->softcap));
    json_object_set_new(o, "attn_config", a);
    json_object_set_new(o, "expansion_ratio", json_integer(c->ffn / c->dim));
    json_object_set_new(o, "no_bias", json_true());
    set_new(o, "norm_type", json_string("low_precision_layernorm"));
}

const lm_famdef lm_families[LM_NFAM] = {
    [LM_FAM_LLAMA] = {{.type = "llama", .arch = "LlamaForCausalLM", .rotary = true},
                      &plain,
                      .read = read_plain,
                      .write = write_plain},
    [LM_FAM_QWEN3] =
        {{.type = "qwen3", .arch = "Qwen3ForCausalLM", .rotary = true, .head_norm = true},
         &plain,
         .kv_heads = 32,
         .head_dim = 128,
         .read = read_plain,
         .write = write_plain},
    [LM_FAM_QWEN2] = {{.type = "qwen2", .arch = "Qwen2ForCausalLM", .rotary = true},
                      &plain,
                      .kv_heads = 32,
                      .read = read_plain,
                      .write = write_plain},
    [LM_FAM_GPT2] = {{.type = "gpt2",
                      .arch = "GPT2LMHeadModel",
                      .layernorm = true,
                      .norm_bias = true,
                      .learned = true,
                      .act = LM_ACT_GELU_TANH},
                     &gpt2,
                     .tie = true,
                     .read = read_gpt2,
                     .write = write_gpt2},
    [LM_FAM_MPT] = {
        {.type = "mpt", .arch = "MptForCausalLM", .layernorm = true, .act = LM_ACT_GELU_ERF},
        &mpt,
        .tie = true,
        .read = read_mpt,
        .write = write_mpt}};

const lm_family *lm_family_of(const lm_cfg *c)
{
    return &lm_families[c->family].f;
}

const char *lm_cfg_ctx_key(const lm_cfg *c)
{
    return lm_families[c->family].keys->ctx;
}
