/* form-gguf: a model as a GGUF file, by the names and keys of llama.cpp (gguf-py/gguf/constants.py
   and src/llama-model.cpp). config.json goes along whole, in a key of ours, so that what llama.cpp
   has no key for comes back; it must agree with the keys. */
#include "nn/formi.h"
#include "stream/stream.h"

static const char *const part[LM_W_N] = {
    "attn_norm.weight",   "attn_norm.bias",     "attn_q.weight",      "attn_k.weight",
    "attn_v.weight",      "attn_q.bias",        "attn_k.bias",        "attn_v.bias",
    "attn_q_norm.weight", "attn_k_norm.weight", "attn_output.weight", "attn_output.bias",
    "ffn_norm.weight",    "ffn_norm.bias",      "ffn_gate.weight",    "ffn_up.weight",
    "ffn_gate.bias",      "ffn_up.bias",        "ffn_down.weight",    "ffn_down.bias"};

/* What stands first in tensor i of the file: LM_W_* of *layer; -1: not of a layer. */
static int which_of(const lm_model *m, size_t i, size_t *layer)
{
    size_t in = m->f[i].first - m->layer0;

    if (m->f[i].first < m->layer0 || in >= m->cfg.layers * m->per_layer)
        return -1;
    *layer = in / m->per_layer;
    for (int w = 0; w < LM_W_N; w++)
        if (m->at[w] == (int)(in % m->per_layer))
            return w;
    return -1;
}

/* The name llama.cpp has for tensor i; *rotary: its rows, or values, belong to heads of q or k. */
static void name_of(const lm_model *m, size_t i, lm_buf *b, bool *rotary)
{
    const lm_tensor *t = &m->t[m->f[i].first];
    size_t layer = 0;
    int w = which_of(m, i, &layer);

    b->n = 0;
    *rotary = w == LM_W_Q || w == LM_W_K || w == LM_W_BQ || w == LM_W_BK;
    if (w >= 0 && m->f[i].parts > 1)
        lm_buf_addf(b, "blk.%zu.attn_qkv.%s", layer, w == LM_W_Q ? "weight" : "bias");
    else if (w >= 0)
        lm_buf_addf(b, "blk.%zu.%s", layer, part[w]);
    else
        lm_buf_adds(b, t == &m->t[0]                       ? "token_embd.weight"
                       : t == lm_model_end(m, LM_W_POS)    ? "position_embd.weight"
                       : t == lm_model_end(m, LM_W_FINAL)  ? "output_norm.weight"
                       : t == lm_model_end(m, LM_W_BFINAL) ? "output_norm.bias"
                                                           : "output.weight");
}

/* Of arch llama alone llama.cpp turns neighbours. */
static uint32_t head_of(const lm_model *m, bool rotary)
{
    return rotary && m->cfg.family == LM_FAM_LLAMA ? m->cfg.head_dim : 0;
}

/* --- reading --- */

static int bind(lm_form *f, const lm_dict *names, size_t i, const char *name, uint32_t head)
{
    const lm_ftensor *t = &f->m->f[i];
    const uint64_t *at = lm_dict_get(names, lm_cstr(name));
    const lm_gg_tensor *g = at ? lm_gguf_tensor(f->g, *at) : NULL;
    uint64_t rows = t->kmajor ? t->dim[1] : t->dim[0], cols = t->kmajor ? t->dim[0] : t->dim[1];

    if (!g)
        return lm_err_at(LM_EINVALID, f->path, "tensor %s is missing", name);
    if (t->nd == 2 ? g->dim[0] != cols || g->dim[1] != rows || g->dim[2] * g->dim[3] != 1
                   : g->dim[0] != t->dim[0] || g->dim[1] * g->dim[2] * g->dim[3] != 1)
        return lm_err_at(LM_EINVALID, f->path,
                         "tensor %s does not have the shape that the keys tell", name);
    if (!lm_dequant_block(g->type) || !g->data || (head && t->nd == 1 && g->type > LM_GGT_F16))
        return lm_err_at(LM_EINVALID, f->path, "tensor %s: type %u of ggml is not supported", name,
                         g->type);
    f->part[i] = (lm_part){.data = g->data, .type = g->type, .head = head};
    return 0;
}

/* Llama 3's scaling as llama.cpp has it: what each frequency is divided by. */
static void rope_factors(const lm_cfg *c, float *out)
{
    for (uint32_t i = 0; i < c->head_dim / 2; i++) {
        double freq = __builtin_pow(c->theta, -2.0 * i / c->head_dim),
               turns = c->rope_old * freq / 6.283185307179586,
               s = (turns - c->rope_low) / (c->rope_high - c->rope_low);

        s = s < 0 ? 0 : s > 1 ? 1 : s;
        out[i] = (float)(1 / ((1 - s) / c->rope_factor + s));
    }
}

/* The four numbers of Llama 3's scaling from its factors. Of low, high and old the factors tell but
   two ratios, so low is 1, as Llama 3 has it: any other choice gives the same angles. Between its
   ends 1/factor is a straight line over the frequency. */
static void guess_factors(lm_cfg *c, const lm_gg_tensor *t)
{
    double at[2] = {0}, s[2] = {0}, most = 1, slope;
    float v[256];
    uint32_t n = c->head_dim / 2, k = 0;

    if (t->type != LM_GGT_F32 || t->nd != 1 || t->dim[0] != n)
        return;
    memcpy(v, t->data, t->bytes);
    for (uint32_t i = 0; i < n; i++)
        most = v[i] > most ? v[i] : most;
    for (uint32_t i = 0; i < n; i++)
        if (v[i] > 1 && v[i] < most) { /* the first and the last of these */
            at[k] = __builtin_pow(c->theta, -2.0 * i / c->head_dim) / 6.283185307179586;
            s[k] = (1 / (double)v[i] - 1 / most) / (1 - 1 / most);
            k = 1;
        }
    slope = (s[0] - s[1]) / (at[0] - at[1]);
    if (!at[1] || !(slope > 0) || !(slope * at[0] > s[0]))
        return;
    c->rope = LM_ROPE_LLAMA3;
    c->rope_factor = most;
    c->rope_low = 1;
    c->rope_high = 1 + 1 / (slope * at[0] - s[0]);
    c->rope_high = __builtin_rint(c->rope_high * 1000) / 1000;
    c->rope_old = __builtin_rint(slope * (c->rope_high - 1));
}

static int check_factors(const lm_form *f, const lm_gg_tensor *t)
{
    const lm_cfg *c = &f->m->cfg;
    float want[256], have[256];
    bool good = c->rope == LM_ROPE_LLAMA3 && t->type == LM_GGT_F32 && t->nd == 1 &&
                t->dim[0] == c->head_dim / 2;

    if (good) {
        rope_factors(c, want);
        memcpy(have, t->data, t->bytes);
    }
    for (uint32_t i = 0; good && i < c->head_dim / 2; i++)
        good = __builtin_fabsf(want[i] - have[i]) <= 1e-5f * want[i];
    return good ? 0
                : lm_err_at(LM_EINVALID, f->path,
                            "rope_freqs.weight: which rotary scaling it stands for is not told");
}

/* Each tensor has its place, and each place its tensor. */
static int bind_all(lm_form *f, const lm_dict *names)
{
    lm_buf name = {0};
    size_t n = lm_gguf_tensors(f->g);
    bool *used = lm_zalloc(n + 1, sizeof *used), rotary, freqs = false;
    int err = 0;

    for (size_t i = 0; i < f->m->nf && !err; i++) {
        name_of(f->m, i, &name, &rotary);
        if (!(err = bind(f, names, i, name.p, head_of(f->m, rotary))))
            used[*lm_dict_get(names, lm_buf_str(&name))] = true;
    }
    for (size_t k = 0; k < n && !err; k++) {
        const lm_gg_tensor *t = lm_gguf_tensor(f->g, k);

        if (lm_is(t->name, "rope_freqs.weight")) {
            freqs = true;
            if (f->m->cfg.rope == LM_ROPE_DEFAULT && !f->m->cfg.raw)
                guess_factors(&f->m->cfg, t);
            if (!(err = check_factors(f, t)) && (err = lm_cfg_check(&f->m->cfg)))
                err = lm_err_at(err, f->path, "%s", lm_last_error()->detail);
        } else if (!used[k])
            err = lm_err_at(LM_EINVALID, f->path, "tensor %.*s has no place in the model",
                            (int)(t->name.n < 80 ? t->name.n : 80), t->name.p);
    }
    if (!err && f->m->cfg.rope == LM_ROPE_LLAMA3 && !freqs)
        err = lm_err_at(LM_EINVALID, f->path, "rope scaling llama3 without rope_freqs.weight");
    lm_buf_free(&name);
    free(used);
    return err;
}

int lm_gguf_model_read(lm_form *f)
{
    lm_dict names = {0};
    lm_cfg c;
    int err = lm_gguf_parse(f->map, f->path, &f->g);

    if (err || (err = lm_gguf_cfg(f->g, f->path, &c)))
        return err;
    lm_form_tables(f, &c);
    for (size_t i = 0; i < lm_gguf_tensors(f->g); i++)
        lm_dict_put(&names, lm_gguf_tensor(f->g, i)->name, i);
    err = bind_all(f, &names);
    lm_dict_free(&names);
    return err;
}

/* --- writing --- */

/* As convert_hf_to_gguf.py: what is added to or multiplied with activations is f32. */
static uint32_t type_of(const lm_model *m, size_t i, int dt)
{
    const lm_tensor *t = &m->t[m->f[i].first];

    if (t->nd == 1 || t == lm_model_end(m, LM_W_POS) || dt == LM_F32)
        return LM_GGT_F32;
    return dt == LM_F16 ? LM_GGT_F16 : LM_GGT_BF16;
}

static int put_data(const lm_form *f, int dt, const lm_ggw *w, lm_sink *s)
{
    static const char zero[LM_GG_ALIGN];
    const lm_model *m = f->m;
    lm_buf name = {0};
    int err = 0;

    for (size_t i = 0; i < m->nf && !err; i++) {
        uint32_t type = type_of(m, i, dt);
        bool rotary;

        name_of(m, i, &name, &rotary);
        err = lm_form_each(f, i,
                           (lm_layout){.dt = type == LM_GGT_F32 ? LM_F32 : dt,
                                       .head = head_of(m, rotary)},
                           lm_sink_put, s);
        if (!err)
            err = lm_sink_put(s, zero, lm_ggw_pad(w, m->f[i].n * (type == LM_GGT_F32 ? 4 : 2)));
    }
    lm_buf_free(&name);
    return err;
}

static void tensors(const lm_model *m, int dt, lm_ggw *w)
{
    lm_buf name = {0};

    for (size_t i = 0; i < m->nf; i++) {
        const lm_ftensor *t = &m->f[i];
        bool rotary;
        uint64_t dim[2] = {t->nd == 1 || t->kmajor ? t->dim[0] : t->dim[1],
                           t->kmajor ? t->dim[1] : t->dim[0]};

        name_of(m, i, &name, &rotary);
        lm_ggw_tensor(w, lm_buf_str(&name), type_of(m, i, dt), (unsigned)t->nd, dim);
    }
    lm_buf_free(&name);
}

int lm_gguf_model_write(const lm_form *f, int dt, const lm_vocab_files *v, const char *out)
{
    const lm_cfg *c = &f->m->cfg;
    float factor[256];
    lm_buf head = {0};
    lm_aside *a = NULL;
    lm_sink s = {-1, out};
    lm_ggw w;
    int err;

    lm_ggw_init(&w, LM_GG_ALIGN);
    if (!(err = lm_gguf_put_cfg(c, dt, v, &w))) {
        tensors(f->m, dt, &w);
        if (c->rope == LM_ROPE_LLAMA3)
            lm_ggw_tensor(&w, LM_STR("rope_freqs.weight"), LM_GGT_F32, 1,
                          (uint64_t[]){c->head_dim / 2});
        lm_ggw_head(&w, &head);
        if (!(a = lm_aside_open(out, &s.fd)))
            err = LM_EIO;
    }
    if (!err && !(err = lm_sink_put(&s, head.p, head.n)) && !(err = put_data(f, dt, &w, &s)) &&
        c->rope == LM_ROPE_LLAMA3) {
        rope_factors(c, factor);
        err = lm_sink_put(&s, factor, c->head_dim / 2 * sizeof *factor);
        for (size_t n = lm_ggw_pad(&w, c->head_dim / 2 * sizeof *factor); n && !err; n--)
            err = lm_sink_put(&s, "", 1);
    }
    if (!err)
        err = lm_aside_commit(a);
    else if (a)
        lm_aside_drop(a);
    lm_ggw_free(&w);
    lm_buf_free(&head);
    return err;
}
