/* form-ggcfg: config.json and the keys of a GGUF file, each from the other. */
#include "nn/formi.h"

#define TOKENIZER "tokenizer.ggml."
#define CARRIED "lm.config.json"

/* A key of the model's arch: ARCH.NAME. */
typedef struct {
    const lm_gguf *g;
    const char *arch;
    char key[160];
    int err; /* the first that went wrong */
} keys;

static const char *key(keys *k, const char *name)
{
    snprintf(k->key, sizeof k->key, "%s.%s", k->arch, name);
    return k->key;
}

static bool u32(keys *k, const char *name, uint32_t *v)
{
    uint64_t n = 0;
    int got = k->err ? 0 : lm_gguf_u64(k->g, key(k, name), &n);

    if (got < 0)
        k->err = got;
    if (got > 0)
        *v = n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
    return got > 0;
}

static void need(keys *k, const char *name, uint32_t *v)
{
    if (!u32(k, name, v) && !k->err)
        k->err = lm_err(LM_EINVALID, "no key %s", key(k, name));
}

/* A number that must be this one, if it is there. */
static void must_be(keys *k, const char *name, uint32_t want)
{
    uint32_t v = want;

    if (u32(k, name, &v) && v != want)
        k->err = lm_err(LM_EINVALID, "%s is %u, only %u is supported", key(k, name), v, want);
}

/* Numbers are f32 there: 1e-5 is to be 1e-05 again, not 9.99999974738e-06. */
static bool real(keys *k, const char *name, double *v)
{
    double x = 0;
    char text[32];
    int got = k->err ? 0 : lm_gguf_f64(k->g, key(k, name), &x);

    if (got < 0)
        k->err = got;
    if (got <= 0)
        return false;
    *v = x;
    if ((double)(float)x == x)
        lm_parse_f64((lm_str){text, (size_t)lm_fmt_f32(text, (float)x)}, v);
    return true;
}

static void read_rope(keys *k, lm_cfg *c)
{
    lm_str type = LM_STR("none");
    int got = k->err ? 0 : lm_gguf_str(k->g, key(k, "rope.scaling.type"), &type);

    must_be(k, "rope.dimension_count", c->head_dim);
    real(k, "rope.freq_base", &c->theta);
    if (got < 0)
        k->err = got;
    if (k->err || lm_is(type, "none"))
        return;
    if (!lm_is(type, "linear"))
        k->err = lm_err(LM_EINVALID, "%s %.*s is not supported", key(k, "rope.scaling.type"),
                        (int)(type.n < 40 ? type.n : 40), type.p);
    c->rope = LM_ROPE_LINEAR;
    real(k, "rope.scaling.factor", &c->rope_factor);
}

/* Keys of the arch that are read, or change nothing. What else there is might change the
 * arithmetic. */
static int only_known(keys *k)
{
    static const char *const known[] = {"context_length",
                                        "embedding_length",
                                        "block_count",
                                        "feed_forward_length",
                                        "attention.head_count",
                                        "attention.head_count_kv",
                                        "attention.key_length",
                                        "attention.value_length",
                                        "attention.layer_norm_epsilon",
                                        "attention.layer_norm_rms_epsilon",
                                        "attention.causal",
                                        "attention.sliding_window",
                                        "attention.clamp_kqv",
                                        "attention.max_alibi_bias",
                                        "rope.dimension_count",
                                        "rope.freq_base",
                                        "rope.scaling.type",
                                        "rope.scaling.factor",
                                        "rope.scaling.finetuned",
                                        "rope.scaling.original_context_length",
                                        "vocab_size",
                                        "expert_count",
                                        "expert_used_count"};
    size_t n = strlen(k->arch);

    for (size_t i = 0; i < lm_gguf_keys(k->g); i++) {
        lm_str s = lm_gguf_key(k->g, i)->key;
        bool found = s.n <= n || memcmp(s.p, k->arch, n) || s.p[n] != '.';

        for (size_t j = 0; j < LM_COUNT(known) && !found; j++)
            found = lm_is((lm_str){s.p + n + 1, s.n - n - 1}, known[j]);
        if (!found)
            return lm_err(LM_EINVALID, "key %.*s is not known, and might change the model",
                          (int)(s.n < 80 ? s.n : 80), s.p);
    }
    return 0;
}

static bool has(const lm_gguf *g, const char *name)
{
    for (size_t i = 0; i < lm_gguf_tensors(g); i++)
        if (lm_is(lm_gguf_tensor(g, i)->name, name))
            return true;
    return false;
}

/* What no key tells: rows of the embedding, and which tensors there are. */
static int by_tensors(const lm_gguf *g, lm_cfg *c)
{
    uint64_t rows = 0;

    for (size_t i = 0; i < lm_gguf_tensors(g); i++)
        if (lm_is(lm_gguf_tensor(g, i)->name, "token_embd.weight"))
            rows = lm_gguf_tensor(g, i)->dim[1];
    if (!rows || rows > UINT32_MAX)
        return lm_err(LM_EINVALID, "tensor token_embd.weight is missing, or has no such shape");
    c->vocab = (uint32_t)rows;
    c->tie = !has(g, "output.weight");
    if (c->family == LM_FAM_LLAMA) {
        c->qkv_bias = c->o_bias = has(g, "blk.0.attn_output.bias");
        c->mlp_bias = has(g, "blk.0.ffn_down.bias");
    }
    if (c->family == LM_FAM_MPT)
        c->qk_ln = has(g, "blk.0.attn_q_norm.weight");
    return 0;
}

static int token_ids(const lm_gguf *g, lm_cfg *c)
{
    const struct {
        const char *key;
        uint32_t *id;
    } ids[] = {{TOKENIZER "bos_token_id", &c->bos},
               {TOKENIZER "eos_token_id", &c->eos},
               {TOKENIZER "padding_token_id", &c->pad}};

    for (size_t i = 0; i < LM_COUNT(ids); i++) {
        uint64_t v = LM_NO_ID;
        int got = lm_gguf_u64(g, ids[i].key, &v);

        if (got < 0)
            return got;
        *ids[i].id = v < LM_NO_ID ? (uint32_t)v : LM_NO_ID;
    }
    return 0;
}

static int from_keys(const lm_gguf *g, lm_cfg *c)
{
    keys k = {.g = g};
    bool causal = true;
    lm_str arch = {0};
    int got = lm_gguf_str(g, "general.architecture", &arch);

    if (got < 0)
        return got;
    for (int i = 0; i < LM_NFAM && !k.arch; i++) {
        lm_cfg_default(c, i);
        if (lm_is(arch, lm_family_of(c)->type))
            k.arch = lm_family_of(c)->type;
    }
    if (!k.arch)
        return lm_err(LM_EINVALID, "general.architecture %.*s is not supported",
                      (int)(arch.n < 40 ? arch.n : 40), arch.p ? arch.p : "");
    if ((got = only_known(&k)))
        return got;
    need(&k, "context_length", &c->ctx);
    need(&k, "embedding_length", &c->dim);
    need(&k, "block_count", &c->layers);
    need(&k, "feed_forward_length", &c->ffn);
    need(&k, "attention.head_count", &c->heads);
    c->kv_heads = c->heads;
    u32(&k, "attention.head_count_kv", &c->kv_heads);
    c->head_dim = c->heads ? c->dim / c->heads : 0;
    u32(&k, "attention.key_length", &c->head_dim);
    must_be(&k, "attention.value_length", c->head_dim);
    must_be(&k, "attention.sliding_window", 0);
    must_be(&k, "expert_count", 0);
    must_be(&k, "expert_used_count", 0);
    if (!real(&k,
              lm_family_of(c)->layernorm ? "attention.layer_norm_epsilon"
                                         : "attention.layer_norm_rms_epsilon",
              &c->eps) &&
        !k.err)
        k.err = lm_err(LM_EINVALID, "no epsilon of the norms");
    if (lm_family_of(c)->rotary)
        read_rope(&k, c);
    real(&k, "attention.max_alibi_bias", &c->alibi);
    real(&k, "attention.clamp_kqv", &c->clip);
    if (k.err)
        return k.err;
    if ((got = lm_gguf_bool(g, key(&k, "attention.causal"), &causal)) < 0)
        return got;
    if (!causal)
        return lm_err(LM_EINVALID, "%s is false, which is not supported", k.key);
    if ((got = by_tensors(g, c)) || (got = token_ids(g, c)))
        return got;
    return lm_cfg_check(c);
}

/* What llama.cpp computes otherwise, or has no place for. */
static int can_say(const lm_cfg *c)
{
    double usual = 1 / __builtin_sqrt(c->head_dim);
    const char *arch = lm_family_of(c)->type;

    if (c->window)
        return lm_err(LM_EINVALID, "use_sliding_window: llama.cpp has no window in arch %s", arch);
    if (c->softcap != 0)
        return lm_err(LM_EINVALID, "attn_logit_softcapping: llama.cpp has none in arch %s", arch);
    if (c->att_scale != 0 && __builtin_fabs(c->att_scale - usual) > 1e-6 * usual)
        return lm_err(LM_EINVALID,
                      "scores are scaled by %g: llama.cpp has none but 1/sqrt(%u) in arch %s",
                      c->att_scale, c->head_dim, arch);
    if (c->rope == LM_ROPE_LLAMA3 && c->family != LM_FAM_LLAMA)
        return lm_err(LM_EINVALID, "rope_type llama3: llama.cpp has it in arch llama alone");
    return 0;
}

/* The config.json that goes along says the same; what has no key is taken from it. */
static int agrees(const lm_cfg *c, const lm_cfg *own)
{
    const struct {
        const char *what;
        bool same;
    } all[] = {{"the family", c->family == own->family},
               {"the vocabulary's size", c->vocab == own->vocab},
               {"the width", c->dim == own->dim},
               {"the number of layers", c->layers == own->layers},
               {"the heads", c->heads == own->heads && c->kv_heads == own->kv_heads &&
                                 c->head_dim == own->head_dim},
               {"the width of the MLP", c->ffn == own->ffn},
               {"the context", c->ctx == own->ctx},
               {"the epsilon", (float)c->eps == (float)own->eps},
               {"rope_theta", !lm_family_of(c)->rotary || (float)c->theta == (float)own->theta},
               {"the rotary scaling",
                c->rope == (own->rope == LM_ROPE_LLAMA3 ? LM_ROPE_DEFAULT : own->rope) &&
                    (c->rope != LM_ROPE_LINEAR ||
                     (float)c->rope_factor == (float)own->rope_factor)},
               {"the head", c->tie == own->tie},
               {"biases", c->qkv_bias == own->qkv_bias && c->o_bias == own->o_bias &&
                              c->mlp_bias == own->mlp_bias},
               {"norms of q and k", c->qk_ln == own->qk_ln},
               {"ALiBi", (float)c->alibi == (float)own->alibi},
               {"clip_qkv", (float)c->clip == (float)own->clip}};

    for (size_t i = 0; i < LM_COUNT(all); i++)
        if (!all[i].same)
            return lm_err(LM_EMISMATCH, CARRIED " and the keys beside it differ: %s", all[i].what);
    return 0;
}

int lm_gguf_cfg(const lm_gguf *g, const char *where, lm_cfg *c)
{
    lm_str text = {0};
    lm_cfg own = {0};
    int err;

    *c = own;
    err = from_keys(g, c);
    if (!err && (err = lm_gguf_str(g, CARRIED, &text)) > 0 &&
        !(err = lm_cfg_parse(&own, text, CARRIED)) && !(err = can_say(&own)) &&
        !(err = agrees(c, &own))) {
        lm_cfg_free(c);
        *c = own;
        own.raw = NULL;
    }
    lm_cfg_free(&own);
    if (err < 0) {
        lm_cfg_free(c);
        return lm_err_at(err, where, "%s", lm_last_error()->detail);
    }
    return 0;
}

bool lm_gguf_has_vocab(const lm_gguf *g)
{
    lm_str model = {0};

    return lm_gguf_str(g, TOKENIZER "model", &model) > 0 && !lm_is(model, "none") &&
           !lm_is(model, "no_vocab");
}

/* --- writing --- */

static void put_u32(const lm_cfg *c, const char *name, uint32_t v, lm_ggw *w)
{
    keys k = {.arch = lm_family_of(c)->type};

    lm_ggw_u32(w, key(&k, name), v);
}

static void put_f32(const lm_cfg *c, const char *name, double v, lm_ggw *w)
{
    keys k = {.arch = lm_family_of(c)->type};

    lm_ggw_f32(w, key(&k, name), (float)v);
}

static void put_rope(const lm_cfg *c, lm_ggw *w)
{
    keys k = {.arch = lm_family_of(c)->type};

    put_u32(c, "attention.key_length", c->head_dim, w);
    put_u32(c, "attention.value_length", c->head_dim, w);
    put_u32(c, "rope.dimension_count", c->head_dim, w);
    put_f32(c, "rope.freq_base", c->theta, w);
    if (c->rope == LM_ROPE_LINEAR) {
        lm_ggw_str(w, key(&k, "rope.scaling.type"), LM_STR("linear"));
        put_f32(c, "rope.scaling.factor", c->rope_factor, w);
    }
}

/* The ids that the vocabulary has no role for. */
static void put_ids(const lm_cfg *c, const lm_vocab *v, lm_ggw *w)
{
    const struct {
        const char *key;
        int role;
        uint32_t id;
    } ids[] = {{TOKENIZER "bos_token_id", LM_ROLE_BOS, c->bos},
               {TOKENIZER "eos_token_id", LM_ROLE_EOS, c->eos},
               {TOKENIZER "padding_token_id", LM_ROLE_PAD, c->pad}};

    for (size_t i = 0; i < LM_COUNT(ids); i++)
        if (ids[i].id != LM_NO_ID && (!v || lm_vocab_role(v, ids[i].role) == LM_NO_ID))
            lm_ggw_u32(w, ids[i].key, ids[i].id);
}

int lm_gguf_put_cfg(const lm_cfg *c, int dt, const lm_vocab_files *v, lm_ggw *w)
{
    lm_buf text = {0};
    int err = can_say(c);

    if (err)
        return err;
    lm_ggw_str(w, "general.architecture", lm_cstr(lm_family_of(c)->type));
    lm_ggw_str(w, "general.type", LM_STR("model"));
    lm_ggw_u32(w, "general.file_type", dt == LM_F32 ? 0 : dt == LM_F16 ? 1 : 32);
    put_u32(c, "vocab_size", c->vocab, w);
    put_u32(c, "context_length", c->ctx, w);
    put_u32(c, "embedding_length", c->dim, w);
    put_u32(c, "block_count", c->layers, w);
    put_u32(c, "feed_forward_length", c->ffn, w);
    put_u32(c, "attention.head_count", c->heads, w);
    put_u32(c, "attention.head_count_kv", c->kv_heads, w);
    put_f32(c,
            lm_family_of(c)->layernorm ? "attention.layer_norm_epsilon"
                                       : "attention.layer_norm_rms_epsilon",
            c->eps, w);
    if (lm_family_of(c)->rotary)
        put_rope(c, w);
    if (c->family == LM_FAM_MPT) {
        put_f32(c, "attention.max_alibi_bias", c->alibi, w);
        if (c->clip > 0)
            put_f32(c, "attention.clamp_kqv", c->clip, w);
    }
    lm_cfg_text(c, &text);
    lm_ggw_str(w, CARRIED, lm_buf_str(&text));
    lm_buf_free(&text);
    if (v)
        err = lm_vocab_to_gguf(v->v, lm_buf_str(&v->tokenizer), lm_cstr(v->chat), c->vocab, w);
    else
        lm_ggw_str(w, TOKENIZER "model", LM_STR("none"));
    put_ids(c, v ? v->v : NULL, w);
    return err;
}
