/* tensors: the logical table and that of the file, for each family. */
#include "nn/modeli.h"
#include "nn/weights.h"

/* Names behind the prefix of a layer, by LM_W_*. */
static const char *const plain[LM_W_N] = {"input_layernorm.weight",
                                          NULL,
                                          "self_attn.q_proj.weight",
                                          "self_attn.k_proj.weight",
                                          "self_attn.v_proj.weight",
                                          "self_attn.q_proj.bias",
                                          "self_attn.k_proj.bias",
                                          "self_attn.v_proj.bias",
                                          "self_attn.q_norm.weight",
                                          "self_attn.k_norm.weight",
                                          "self_attn.o_proj.weight",
                                          "self_attn.o_proj.bias",
                                          "post_attention_layernorm.weight",
                                          NULL,
                                          "mlp.gate_proj.weight",
                                          "mlp.up_proj.weight",
                                          "mlp.gate_proj.bias",
                                          "mlp.up_proj.bias",
                                          "mlp.down_proj.weight",
                                          "mlp.down_proj.bias"};
static const char *const gpt2[LM_W_N] = {"ln_1.weight",
                                         "ln_1.bias",
                                         "attn.q.weight",
                                         "attn.k.weight",
                                         "attn.v.weight",
                                         "attn.q.bias",
                                         "attn.k.bias",
                                         "attn.v.bias",
                                         NULL,
                                         NULL,
                                         "attn.c_proj.weight",
                                         "attn.c_proj.bias",
                                         "ln_2.weight",
                                         "ln_2.bias",
                                         NULL,
                                         "mlp.c_fc.weight",
                                         NULL,
                                         "mlp.c_fc.bias",
                                         "mlp.c_proj.weight",
                                         "mlp.c_proj.bias"};
static const char *const mpt[LM_W_N] = {"norm_1.weight",
                                        NULL,
                                        "attn.q.weight",
                                        "attn.k.weight",
                                        "attn.v.weight",
                                        NULL,
                                        NULL,
                                        NULL,
                                        "attn.q_ln.weight",
                                        "attn.k_ln.weight",
                                        "attn.out_proj.weight",
                                        NULL,
                                        "norm_2.weight",
                                        NULL,
                                        NULL,
                                        "ffn.up_proj.weight",
                                        NULL,
                                        NULL,
                                        "ffn.down_proj.weight",
                                        NULL};

#define TRUNK "transformer."
static const struct {
    const char *const *name;
    const char *layer, *embed, *pos, *norm, *bnorm;
    const char *qkv, *bqkv; /* of the file, where the three are fused */
    bool conv;              /* weights of layers lie [inputs, outputs] */
} style[LM_NFAM] = {
#define PLAIN \
    { \
        plain, "model.layers.", "model.embed_tokens.weight", .norm = "model.norm.weight" \
    }
    [LM_FAM_LLAMA] = PLAIN,
    [LM_FAM_QWEN3] = PLAIN,
    [LM_FAM_QWEN2] = PLAIN,
    [LM_FAM_GPT2] = {gpt2, TRUNK "h.", TRUNK "wte.weight", TRUNK "wpe.weight", TRUNK "ln_f.weight",
                     TRUNK "ln_f.bias", "attn.c_attn.weight", "attn.c_attn.bias", true},
    [LM_FAM_MPT] = {mpt, TRUNK "blocks.", TRUNK "wte.weight", .norm = TRUNK "norm_f.weight",
                    .qkv = "attn.Wqkv.weight"}};

static void add(lm_model *m, char *name, uint32_t d0, uint32_t d1, unsigned flags)
{
    lm_tensor *t = &m->t[m->nt++];

    *t = (lm_tensor){.name = name,
                     .nd = d1 ? 2 : 1,
                     .dim = {d0, d1},
                     .n = (size_t)d0 * (d1 ? d1 : 1),
                     .off = m->n,
                     .flags = flags | (d1 ? LM_T_MATRIX : 0)};
    m->n += t->n;
}

/* Rows and columns of a tensor of a layer; false: this model has none such. */
static bool size_of(const lm_cfg *c, int w, uint32_t d[2], unsigned *flags)
{
    const lm_family *f = lm_family_of(c);
    uint32_t nq = c->heads * c->head_dim, nkv = c->kv_heads * c->head_dim;
    bool gate = f->act == LM_ACT_SWIGLU, one = true;

    *flags = LM_T_BIAS;
    d[0] = c->dim, d[1] = 0;
    switch (w) {
    case LM_W_BNORM1:
    case LM_W_BNORM2:
        return f->norm_bias;
    case LM_W_BQ:
        return d[0] = nq, c->qkv_bias;
    case LM_W_BK:
    case LM_W_BV:
        return d[0] = nkv, c->qkv_bias;
    case LM_W_BO:
        return c->o_bias;
    case LM_W_BGATE:
        return d[0] = c->ffn, c->mlp_bias && gate;
    case LM_W_BUP:
        return d[0] = c->ffn, c->mlp_bias;
    case LM_W_BDOWN:
        return c->mlp_bias;
    }
    *flags = w == LM_W_O || w == LM_W_DOWN ? LM_T_RESID : 0;
    switch (w) {
    case LM_W_Q:
        d[0] = nq, d[1] = c->dim;
        break;
    case LM_W_K:
    case LM_W_V:
        d[0] = nkv, d[1] = c->dim;
        break;
    case LM_W_QN:
    case LM_W_KN:
        one = f->head_norm || c->qk_ln;
        d[0] = f->head_norm ? c->head_dim : w == LM_W_QN ? nq : nkv;
        break;
    case LM_W_O:
        d[1] = nq;
        break;
    case LM_W_GATE:
    case LM_W_UP:
        one = gate || w == LM_W_UP;
        d[0] = c->ffn, d[1] = c->dim;
        break;
    case LM_W_DOWN:
        d[1] = c->ffn;
        break;
    }
    return one;
}

static char *named(const lm_model *m, uint32_t layer, const char *part)
{
    lm_buf b = {0};

    lm_buf_addf(&b, "%s%u.%s", style[m->cfg.family].layer, layer, part);
    return b.p;
}

/* q, k, v and gate, up lie behind each other, as do their biases: one product each. */
static void logical(lm_model *m)
{
    const lm_cfg *c = &m->cfg;
    const lm_family *f = lm_family_of(c);
    int fam = c->family;

    m->t = lm_zalloc(c->layers * (size_t)LM_W_N + 5, sizeof *m->t);
    add(m, lm_strdup(style[fam].embed), c->vocab, c->dim, LM_T_EMBED);
    if (f->learned)
        add(m, lm_strdup(style[fam].pos), c->ctx, c->dim, LM_T_EMBED);
    m->layer0 = m->nt;
    for (uint32_t l = 0; l < c->layers; l++) {
        size_t from = m->nt;

        for (int w = 0; w < LM_W_N; w++) {
            uint32_t d[2];
            unsigned flags;

            m->at[w] = -1;
            if (!size_of(c, w, d, &flags))
                continue;
            m->at[w] = (int)(m->nt - from);
            add(m, named(m, l, style[fam].name[w]), d[0], d[1], flags);
        }
        m->per_layer = m->nt - from;
    }
    add(m, lm_strdup(style[fam].norm), c->dim, 0, 0);
    if (f->norm_bias)
        add(m, lm_strdup(style[fam].bnorm), c->dim, 0, LM_T_BIAS);
    if (!c->tie)
        add(m, lm_strdup("lm_head.weight"), c->vocab, c->dim, LM_T_EMBED);
}

/* One tensor of the file from `parts` of the model. */
static void compose(lm_model *m, char *name, size_t first, size_t parts, bool kmajor)
{
    lm_ftensor *f = &m->f[m->nf++];
    const lm_tensor *t = &m->t[first];
    uint32_t rows = 0;

    *f = (lm_ftensor){.name = name, .nd = t->nd, .first = first, .parts = parts, .kmajor = kmajor};
    for (size_t i = 0; i < parts; i++) {
        rows += t[i].dim[0];
        f->n += t[i].n;
    }
    f->dim[0] = kmajor ? t->dim[1] : rows;
    f->dim[1] = kmajor ? rows : t->dim[1];
}

void lm_tensors_make(lm_model *m)
{
    int fam = m->cfg.family;

    logical(m);
    m->f = lm_zalloc(m->nt, sizeof *m->f);
    for (size_t i = 0; i < m->nt;) {
        size_t in = i - m->layer0, l = in / m->per_layer, at = in % m->per_layer;
        bool layer = i >= m->layer0 && l < m->cfg.layers,
             w = layer && (int)at == m->at[LM_W_Q] && style[fam].qkv,
             b = layer && (int)at == m->at[LM_W_BQ] && style[fam].bqkv;

        if (w || b)
            compose(m, named(m, (uint32_t)l, w ? style[fam].qkv : style[fam].bqkv), i, 3,
                    w && style[fam].conv);
        else
            compose(m, lm_strdup(m->t[i].name), i, 1, layer && style[fam].conv && m->t[i].nd == 2);
        i += m->f[m->nf - 1].parts;
    }
}

void lm_tensors_free(lm_model *m)
{
    for (size_t i = 0; i < m->nt; i++)
        free(m->t[i].name);
    for (size_t i = 0; i < m->nf; i++)
        free(m->f[i].name);
    free(m->t);
    free(m->f);
}

const lm_ftensor *lm_tensors_file(const lm_model *m, const char *name)
{
    for (size_t i = 0; i < m->nf; i++) {
        const char *s = m->f[i].name;

        if (!strcmp(s, name) ||
            (!strncmp(s, TRUNK, strlen(TRUNK)) && !strcmp(s + strlen(TRUNK), name)))
            return &m->f[i];
    }
    return NULL;
}

void lm_tensors_bind(lm_model *m, const lm_ftensor *f)
{
    size_t es = lm_dtype_size(f->dt), row = 0;

    for (size_t i = 0; i < f->parts; i++) {
        lm_tensor *t = &m->t[f->first + i];

        t->dt = f->dt;
        t->kmajor = f->kmajor;
        t->ld = t->nd == 2 ? f->dim[1] : 1;
        t->src = (const char *)f->src + row * (f->kmajor ? 1 : t->ld) * es;
        row += t->dim[0];
    }
}

/* to [cols, rows] = from [rows, cols], each with its step; in squares that stay in cache. */
static void turn(size_t rows, size_t cols, const float *from, size_t ldf, float *to, size_t ldt)
{
    enum { B = 32 };

    for (size_t r = 0; r < rows; r += B)
        for (size_t c = 0; c < cols; c += B)
            for (size_t i = r; i < r + B && i < rows; i++)
                for (size_t j = c; j < c + B && j < cols; j++)
                    to[j * ldt + i] = from[i * ldf + j];
}

const float *lm_tensors_values(const lm_model *m, const lm_ftensor *f, float **own)
{
    const lm_tensor *t = &m->t[f->first];
    size_t row = 0;

    *own = NULL;
    if (!f->kmajor)
        return m->w + t->off;
    *own = lm_alloc(f->n * sizeof **own);
    for (size_t i = 0; i < f->parts; i++) {
        turn(t[i].dim[0], t[i].dim[1], m->w + t[i].off, t[i].dim[1], *own + row, f->dim[1]);
        row += t[i].dim[0];
    }
    return *own;
}

void lm_model_f32(const lm_model *m, const lm_tensor *t, size_t from, size_t n, float *out)
{
    size_t es = lm_dtype_size(t->dt), cols = t->dim[1];

    if (m->w)
        memcpy(out, m->w + t->off + from, n * sizeof *out);
    else if (!t->kmajor)
        lm_widen(t->dt, (const char *)t->src + from * es, n, out);
    else if (!from && n == t->n && t->dt == LM_F32)
        turn(cols, t->dim[0], t->src, t->ld, out, cols);
    else
        for (size_t i = from; i < from + n; i++)
            lm_widen(t->dt, (const char *)t->src + (i % cols * t->ld + i / cols) * es, 1,
                     out + (i - from));
}

const lm_tensor *lm_model_find(const lm_model *m, const char *name)
{
    for (size_t i = 0; i < m->nt; i++)
        if (!strcmp(m->t[i].name, name))
            return &m->t[i];
    return NULL;
}

const lm_tensor *lm_model_layer(const lm_model *m, uint32_t layer, int which)
{
    return m->at[which] < 0 ? NULL : &m->t[m->layer0 + layer * m->per_layer + (size_t)m->at[which]];
}

const lm_tensor *lm_model_end(const lm_model *m, int which)
{
    const lm_family *f = lm_family_of(&m->cfg);
    const lm_tensor *norm = &m->t[m->layer0 + m->cfg.layers * m->per_layer];

    switch (which) {
    case LM_W_FINAL:
        return norm;
    case LM_W_BFINAL:
        return f->norm_bias ? norm + 1 : NULL;
    case LM_W_POS:
        return f->learned ? &m->t[1] : NULL;
    default:
        return m->cfg.tie ? &m->t[0] : &m->t[m->nt - 1];
    }
}
