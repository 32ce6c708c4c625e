/* Unit tests of configuration, safetensors and models: round trips, refusals, damage. */
#include "nn/nn.h"
#include "nn/weights.h"
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

static int n, bad;

static void ok(bool yes, const char *what)
{
    n++;
    bad += !yes;
    printf("%sok %d - %s\n", yes ? "" : "not ", n, what);
}

static lm_cfg tiny(int fam, int dt)
{
    lm_cfg c;

    lm_cfg_default(&c, fam);
    c.dt = dt, c.vocab = 37, c.dim = 24, c.layers = 2, c.heads = 4, c.kv_heads = 2, c.head_dim = 6,
    c.ffn = 20, c.ctx = 64;
    c.tie = fam == LM_FAM_QWEN3, c.eos = 3;
    if (!lm_family_of(&c)->rotary)
        c.kv_heads = 4, c.ffn = 48, c.qk_ln = fam == LM_FAM_MPT;
    return c;
}

/* base with more keys is refused, and the error says which. */
static bool refused(const char *base, const char *more, const char *says)
{
    lm_buf b = {0};
    lm_cfg c;
    int err;

    lm_buf_addf(&b, "{%s%s}", base, more);
    err = lm_cfg_parse(&c, lm_buf_str(&b), "t");
    if (!err)
        lm_cfg_free(&c);
    lm_buf_free(&b);
    if (err == LM_EINVALID && strstr(lm_last_error()->detail, says))
        return true;
    printf("# %s: %s\n", more, lm_last_error()->detail);
    return false;
}

/* Read, written, read again: it is the same; *c is the caller's. */
static bool survives(const char *text, lm_cfg *c)
{
    lm_buf a = {0}, b = {0};
    lm_cfg d;
    bool same;

    if (lm_cfg_parse(c, lm_cstr(text), "t") < 0) {
        printf("# %s\n", lm_last_error()->detail);
        return false;
    }
    lm_cfg_text(c, &a);
    if (lm_cfg_parse(&d, lm_buf_str(&a), "t") < 0) {
        printf("# %s\n", lm_last_error()->detail);
        return false;
    }
    lm_cfg_text(&d, &b);
    same = lm_eq(lm_buf_str(&a), lm_buf_str(&b)) && d.clip == c->clip && d.ffn == c->ffn &&
           d.qk_ln == c->qk_ln && d.att_scale == c->att_scale && d.softcap == c->softcap;
    lm_cfg_free(&d);
    lm_buf_free(&a);
    lm_buf_free(&b);
    return same;
}

static void families(void)
{
    static const char odd[] =
        "\"model_type\":\"gpt2\",\"vocab_size\":9,\"n_embd\":8,\"n_layer\":1,\"n_head\":3";
    static const char g[] = "\"model_type\":\"gpt2\",\"vocab_size\":9,\"n_embd\":8,\"n_layer\":1,"
                            "\"n_head\":2",
                      q[] = "\"model_type\":\"qwen2\",\"vocab_size\":9,\"hidden_size\":8,"
                            "\"num_hidden_layers\":1,\"num_attention_heads\":2,"
                            "\"num_key_value_heads\":1,\"intermediate_size\":8",
                      p[] = "\"model_type\":\"mpt\",\"vocab_size\":9,\"d_model\":8,\"n_layers\":1,"
                            "\"n_heads\":2";
    static const struct {
        const char *base, *more, *says;
    } no[] = {{g, ",\"scale_attn_by_inverse_layer_idx\":true", "scale_attn_by_inverse_layer_idx"},
              {g, ",\"reorder_and_upcast_attn\":true", "reorder_and_upcast_attn"},
              {g, ",\"add_cross_attention\":true", "add_cross_attention"},
              {g, ",\"activation_function\":\"relu\"", "activation_function is relu"},
              {odd, "", "is not n_head 3 heads"},
              {g, ",\"n_inner\":0", "n_inner"},
              {q, ",\"use_sliding_window\":true", "sliding_window"},
              {q, ",\"use_sliding_window\":true,\"sliding_window\":0", "sliding_window"},
              {q,
               ",\"use_sliding_window\":true,\"sliding_window\":4,\"layer_types\":["
               "\"sliding_attention\",\"full_attention\"]",
               "layer_types"},
              {p, ",\"no_bias\":false", "no_bias"},
              {p, ",\"logit_scale\":\"inv_sqrt_d_model\"", "logit_scale"},
              {p, ",\"norm_type\":\"rmsnorm\"", "norm_type"},
              {p, ",\"embedding_fraction\":0.5", "embedding_fraction"},
              {p, ",\"ffn_config\":{\"ffn_type\":\"mptglu\"}", "ffn_type"},
              {p, ",\"attn_config\":{\"alibi\":false}", "alibi"},
              {p, ",\"attn_config\":{\"alibi_bias_max\":-8}", "alibi_bias_max"},
              {p, ",\"attn_config\":{\"attn_type\":\"multiquery_attention\"}", "attn_type"},
              {p, ",\"attn_config\":{\"prefix_lm\":true}", "prefix_lm"},
              {p, ",\"attn_config\":{\"sliding_window_size\":64}", "sliding_window_size"},
              {p, ",\"attn_config\":{\"rope\":true}", "rope"},
              {p, ",\"attn_config\":{\"clip_qkv\":-1}", "clip_qkv"}};
    bool all = true;
    lm_cfg c;

    for (size_t i = 0; i < LM_COUNT(no); i++)
        all = refused(no[i].base, no[i].more, no[i].says) && all;
    ok(all, "gpt2, qwen2, mpt: what would change the arithmetic is refused by name");
    ok(survives(
           "{\"model_type\":\"gpt2\",\"vocab_size\":9,\"n_embd\":12,\"n_layer\":3,\"n_head\":2,"
           "\"n_positions\":77,\"n_inner\":null,\"layer_norm_epsilon\":1e-6,\"n_ctx\":77,"
           "\"scale_attn_weights\":false,\"attn_pdrop\":0.1}",
           &c) &&
           c.tie && c.ffn == 48 && c.ctx == 77 && c.head_dim == 6 && c.kv_heads == 2 &&
           c.eps == 1e-6 && c.qkv_bias && c.o_bias && c.mlp_bias && c.att_scale == 1,
       "gpt2 is read and survives");
    lm_cfg_free(&c);
    ok(survives("{\"model_type\":\"qwen2\",\"vocab_size\":9,\"hidden_size\":12,"
                "\"num_hidden_layers\":1,\"num_attention_heads\":2,\"num_key_value_heads\":1,"
                "\"intermediate_size\":8,\"use_sliding_window\":false,\"rope_theta\":1000000.0}",
                &c) &&
           !c.tie && c.qkv_bias && !c.o_bias && !c.mlp_bias && c.theta == 1e6 && c.head_dim == 6,
       "qwen2 is read and survives");
    lm_cfg_free(&c);
    ok(survives("{\"model_type\":\"qwen2\",\"vocab_size\":9,\"hidden_size\":12,"
                "\"num_hidden_layers\":3,\"num_attention_heads\":2,\"num_key_value_heads\":1,"
                "\"intermediate_size\":8,\"use_sliding_window\":true,\"sliding_window\":5,"
                "\"layer_types\":[\"full_attention\",\"sliding_attention\","
                "\"sliding_attention\"]}",
                &c) &&
           c.window == 5 && c.window_from == 1,
       "a window in the upper layers is read and survives");
    lm_cfg_free(&c);
    ok(survives("{\"model_type\":\"llama\",\"vocab_size\":9,\"hidden_size\":12,"
                "\"num_hidden_layers\":1,\"num_attention_heads\":2,\"intermediate_size\":8,"
                "\"attention_bias\":true,\"mlp_bias\":true}",
                &c) &&
           c.qkv_bias && c.o_bias && c.mlp_bias,
       "llama with biases is read and survives");
    lm_cfg_free(&c);
    ok(survives(
           "{\"model_type\":\"mpt\",\"vocab_size\":9,\"d_model\":12,\"n_layers\":1,\"n_heads\":3,"
           "\"expansion_ratio\":2,\"max_seq_len\":99,\"attn_config\":{\"alibi\":true,"
           "\"alibi_bias_max\":16,\"clip_qkv\":6,\"qk_ln\":true,\"softmax_scale\":0.25,"
           "\"attn_logit_softcapping\":30,\"attn_impl\":\"torch\"}}",
           &c) &&
           c.tie && c.ffn == 24 && c.ctx == 99 && c.head_dim == 4 && c.alibi == 16 && c.clip == 6 &&
           c.qk_ln && c.att_scale == 0.25 && c.softcap == 30,
       "mpt is read and survives");
    lm_cfg_free(&c);
    ok(survives(
           "{\"model_type\":\"mpt\",\"alibi\":true,\"alibi_bias_max\":8,"
           "\"attn_clip_qkv\":4.0,\"attn_impl\":\"torch\",\"attn_pdrop\":0,\"attn_qk_ln\":false,"
           "\"d_model\":2560,\"emb_init_std\":null,\"embedding_fraction\":1.0,"
           "\"low_precision_layernorm\":true,\"max_seq_len\":2048,\"mlp_ratio\":4,"
           "\"n_heads\":32,\"n_layers\":32,\"no_bias\":true,\"prefix_lm\":false,"
           "\"softmax_scale\":null,\"vocab_size\":32768,\"torch_dtype\":\"bfloat16\"}",
           &c) &&
           c.ffn == 10240 && c.head_dim == 80 && c.clip == 4 && c.layers == 32 && c.dt == LM_BF16,
       "the names llm-foundry had before attn_config are read");
    lm_cfg_free(&c);
}

/* gpt2's file: fused and turned round; files without the trunk's name and with old buffers load. */
static void conv(const char *dir)
{
    lm_cfg c = tiny(LM_FAM_GPT2, LM_F32);
    lm_model *m, *r;
    lm_buf path = {0}, aside = {0};
    lm_st *st;
    lm_st_out *o;
    const lm_st_tensor *s;
    lm_st_tensor t[100];
    const float *w;
    float zero[64] = {0};
    size_t k = 0;
    lm_id a, b;

    c.tie = true;
    lm_buf_addf(&path, "%s/model.safetensors", dir);
    ok(!lm_model_init(&m, &c, 7) && !lm_model_save(m, dir) && !lm_st_open(&st, path.p),
       "a gpt2 is saved");
    s = lm_st_find(st, "transformer.h.1.attn.c_attn.weight");
    w = m->w + lm_model_find(m, "transformer.h.1.attn.k.weight")->off;
    ok(s && s->dim[0] == 24 && s->dim[1] == 72 &&
           ((const float *)s->data)[5 * 72 + 24 + 3] == w[3 * 24 + 5],
       "q, k, v lie side by side, inputs down");
    s = lm_st_find(st, "transformer.h.1.mlp.c_proj.weight");
    ok(s && s->dim[0] == 48 && s->dim[1] == 24, "and the MLP turned round");
    lm_model_id(m, &a);
    for (; (s = lm_st_at(st, k)); k++) {
        t[k] = *s;
        t[k].name = s->name + strlen("transformer.");
    }
    t[k] = (lm_st_tensor){.name = "h.0.attn.bias", .nd = 4, .dim = {1, 1, 8, 8}, .data = zero};
    t[k].bytes = sizeof zero;
    t[k + 1] = (lm_st_tensor){.name = "h.0.attn.masked_bias", .bytes = 4, .data = zero};
    lm_buf_addf(&aside, "%s.new", path.p);
    if (lm_st_create(&o, aside.p, t, k + 2, NULL) < 0)
        exit(1);
    for (size_t i = 0; i < k + 2; i++)
        lm_st_put(o, t[i].data, t[i].bytes);
    ok(!lm_st_done(o), "a file as the first gpt2's was");
    lm_st_close(st);
    rename(aside.p, path.p);
    if (lm_model_load(&r, dir, -1, 0) < 0) {
        printf("# %s\n", lm_last_error()->detail);
        exit(1);
    }
    lm_model_id(r, &b);
    ok(!lm_id_cmp(a, b), "loads, and is the same model");
    lm_model_free(r);
    lm_model_free(m);
    lm_buf_free(&path);
    lm_buf_free(&aside);
}

static void configs(void)
{
    static const char base[] =
        "\"model_type\":\"qwen3\",\"vocab_size\":9,\"hidden_size\":8,\"num_hidden_layers\":1,"
        "\"num_attention_heads\":2,\"num_key_value_heads\":1,\"head_dim\":4,\"intermediate_size\":"
        "8";
    static const struct {
        const char *more, *says;
    } no[] = {{",\"use_sliding_window\":true", "sliding_window"},
              {",\"attention_bias\":true", "attention_bias"},
              {",\"hidden_act\":\"relu\"", "hidden_act"},
              {",\"head_dim\":3", "twice"},
              {",\"rope_scaling\":{\"type\":\"yarn\"}", "yarn"},
              {",\"layer_types\":[\"sliding_attention\"]", "layer_types"},
              {",\"dtype\":\"int8\"", "int8"},
              {",\"rms_norm_eps\":-1", "rms_norm_eps"},
              {",\"rope_theta\":\"x\"", "rope_theta"}};
    lm_cfg c, d;
    lm_buf b = {0}, b2 = {0};
    bool all = true;

    for (size_t i = 0; i < LM_COUNT(no); i++) {
        int err;

        b.n = 0;
        lm_buf_addf(&b, "{%s%s}", base, no[i].more);
        err = lm_cfg_parse(&c, lm_buf_str(&b), "t");
        if (err != LM_EINVALID || (i != 3 && !strstr(lm_last_error()->detail, no[i].says)))
            all = false, printf("# %s: %s\n", no[i].more, lm_last_error()->detail);
    }
    ok(all, "what would change the arithmetic is refused by name");
    b.n = 0;
    lm_buf_addf(&b,
                "{%s,\"my_key\":{\"a\":[1,2.5]},\"eos_token_id\":[5,6],\"rope_scaling\":{\"rope_"
                "type\":\"llama3\",\"factor\":8.0,"
                "\"low_freq_factor\":1.0,\"high_freq_factor\":4.0,\"original_max_position_"
                "embeddings\":32}}",
                base);
    ok(!lm_cfg_parse(&c, lm_buf_str(&b), "t") && c.rope == LM_ROPE_LLAMA3 && c.rope_factor == 8 &&
           c.eos == 5,
       "llama3 positions are read");
    b.n = 0;
    lm_cfg_text(&c, &b);
    ok(strstr(b.p, "\"my_key\"") && strstr(b.p, "6"), "unknown keys and lists live on");
    ok(!lm_cfg_parse(&d, lm_buf_str(&b), "t"), "what is written can be read");
    lm_cfg_text(&d, &b2);
    ok(lm_eq(lm_buf_str(&b), lm_buf_str(&b2)), "written again it is the same");
    lm_cfg_free(&c);
    lm_cfg_free(&d);
    lm_buf_free(&b);
    lm_buf_free(&b2);
}

/* Logits after a few ids. */
static void next(const lm_model *m, float *out)
{
    static const uint32_t ids[] = {3, 1, 4, 1, 5};
    lm_kv *kv;

    if (lm_kv_new(&kv, m, 1, 16, 8, NULL) < 0 ||
        lm_kv_step(kv, &(lm_kv_item){0, LM_COUNT(ids), ids, 1}, 1, out) < 0)
        exit(1);
    lm_kv_free(kv);
}

static void round_trip(const char *dir, int fam, int dt)
{
    lm_cfg c = tiny(fam, dt);
    lm_model *m, *r, *q;
    lm_id a, b;
    bool same = true;
    double s = 0, s2 = 0;
    float out[2][37];

    ok(!lm_model_init(&m, &c, 7), "a model is made");
    ok(!lm_model_save(m, dir), "and saved");
    ok(!lm_model_load(&r, dir, -1, LM_MODEL_RW), "and loaded");
    if (!r) {
        printf("# %s: %s\n", lm_last_error()->where, lm_last_error()->detail);
        return;
    }
    ok(r->cfg.dt == dt && r->n == m->n && !memcmp(m->w, r->w, m->n * 4), "with the same weights");
    ok(!lm_model_load(&q, dir, LM_F32, 0) && !q->w, "and mapped");
    for (size_t i = 0; i < q->nt; i++) {
        float x[400];

        lm_model_f32(q, &q->t[i], 0, q->t[i].n < 400 ? q->t[i].n : 400, x);
        same = same && !memcmp(x, m->w + q->t[i].off, 4 * (q->t[i].n < 400 ? q->t[i].n : 400));
    }
    ok(same, "with the same weights");
    lm_model_id(m, &a);
    lm_model_id(q, &b);
    ok(!lm_id_cmp(a, b), "and the same identity");
    q->cfg.dt = dt;
    next(r, out[0]);
    next(q, out[1]);
    ok(!memcmp(out[0], out[1], sizeof out[0]), "and packed from the file it says the same");
    for (size_t i = 0; i < m->t[0].n; i++)
        s += m->w[i], s2 += (double)m->w[i] * m->w[i];
    ok(fabs(s / m->t[0].n) < 0.003 && fabs(sqrt(s2 / m->t[0].n) - 0.02) < 0.002,
       "weights have the wanted deviation");
    lm_model_free(m);
    lm_model_free(r);
    lm_model_free(q);
}

static void damage(const char *dir)
{
    lm_buf p = {0}, b = {0};
    lm_st *st;
    size_t caught = 0;

    lm_buf_addf(&p, "%s/model.safetensors", dir);
    ok(!lm_read_file(p.p, &b, 1 << 20), "file read");
    for (size_t cut = 0; cut < b.n; cut++) {
        char *x = malloc(cut ? cut : 1);

        memcpy(x, b.p, cut);
        caught += lm_st_parse(&st, (lm_str){x, cut}, "t") < 0;
        free(x);
    }
    ok(caught == b.n, "a cut at every byte is caught");
    lm_buf_addc(&b, 0);
    ok(lm_st_parse(&st, lm_buf_str(&b), "t") == LM_ECORRUPT, "and a byte too many");
    lm_buf_free(&p);
    lm_buf_free(&b);
}

int main(void)
{
    char dir[] = "/tmp/lm-model-XXXXXX";
    double s, c;
    bool good = true;

    if (!mkdtemp(dir))
        return 1;
    configs();
    families();
    for (int f = 0; f < LM_NFAM; f++) {
        round_trip(dir, f, LM_F32);
        round_trip(dir, f, LM_BF16);
    }
    conv(dir);
    round_trip(dir, LM_FAM_QWEN3, LM_BF16);
    damage(dir);
    for (double x = -3; x < 1e6; x += x < 100 ? 0.01 : 97.3) {
        lm_sincos(x, &s, &c);
        good = good && fabs(s - sin(x)) < 1e-15 && fabs(c - cos(x)) < 1e-15;
    }
    ok(good, "sine and cosine");
    lm_rmtree(dir);
    printf("1..%d\n", n);
    return bad != 0;
}
