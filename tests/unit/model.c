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
    return c;
}

static void configs(void)
{
    static const char base[] =
        "\"model_type\":\"qwen3\",\"vocab_size\":9,\"hidden_size\":8,\"num_hidden_layers\":1,"
        "\"num_attention_heads\":2,\"num_key_value_heads\":1,\"head_dim\":4,\"intermediate_size\":"
        "8";
    static const struct {
        const char *more, *says;
    } no[] = {{",\"use_sliding_window\":true", "use_sliding_window"},
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

static void round_trip(const char *dir, int fam, int dt)
{
    lm_cfg c = tiny(fam, dt);
    lm_model *m, *r, *q;
    lm_id a, b;
    bool same = true;
    double s = 0, s2 = 0;

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
    round_trip(dir, LM_FAM_LLAMA, LM_F32);
    round_trip(dir, LM_FAM_QWEN3, LM_F32);
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
