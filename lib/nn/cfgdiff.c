/* cfgdiff: in what two configurations compute differently: what a run that goes on is asked. */
#include "nn/cfgi.h"
#include <stddef.h>

enum { U32, F64, BOOL };

/* Whether what differs changes the tensors themselves, or only how they are used. */
static const struct {
    const char *key; /* NULL: the family has a name of its own for it */
    size_t at;
    int type;
    bool shape;
} field[] = {{NULL, offsetof(lm_cfg, vocab), U32, true},
             {NULL, offsetof(lm_cfg, dim), U32, true},
             {NULL, offsetof(lm_cfg, layers), U32, true},
             {NULL, offsetof(lm_cfg, heads), U32, true},
             {NULL, offsetof(lm_cfg, kv_heads), U32, true},
             {NULL, offsetof(lm_cfg, head_dim), U32, true},
             {NULL, offsetof(lm_cfg, ffn), U32, true},
             {NULL, offsetof(lm_cfg, ctx), U32, false},
             {NULL, offsetof(lm_cfg, eps), F64, false},
             {"tie_word_embeddings", offsetof(lm_cfg, tie), BOOL, true},
             {"bias of q, k, v", offsetof(lm_cfg, qkv_bias), BOOL, true},
             {"bias of o", offsetof(lm_cfg, o_bias), BOOL, true},
             {"bias of the MLP", offsetof(lm_cfg, mlp_bias), BOOL, true},
             {"qk_ln", offsetof(lm_cfg, qk_ln), BOOL, true},
             {"rope_theta", offsetof(lm_cfg, theta), F64, false},
             {"rope_type", offsetof(lm_cfg, rope), U32, false}, /* LM_ROPE_* */
             {"rope factor", offsetof(lm_cfg, rope_factor), F64, false},
             {"low_freq_factor", offsetof(lm_cfg, rope_low), F64, false},
             {"high_freq_factor", offsetof(lm_cfg, rope_high), F64, false},
             {"original_max_position_embeddings", offsetof(lm_cfg, rope_old), F64, false},
             {"clip_qkv", offsetof(lm_cfg, clip), F64, false},
             {"alibi_bias_max", offsetof(lm_cfg, alibi), F64, false},
             {"attn_logit_softcapping", offsetof(lm_cfg, softcap), F64, false},
             {"softmax_scale", offsetof(lm_cfg, att_scale), F64, false},
             {"sliding_window", offsetof(lm_cfg, window), U32, false},
             {"max_window_layers", offsetof(lm_cfg, window_from), U32, false}};

_Static_assert(LM_COUNT(field) + 1 <= LM_CFG_DIFFS, "room for each field, and the family");

static size_t size_of(int type)
{
    return type == U32 ? sizeof(uint32_t) : type == F64 ? sizeof(double) : sizeof(bool);
}

static void show(char out[32], const lm_cfg *c, size_t f)
{
    const char *at = (const char *)c + field[f].at;
    static const char *const rope[] = {"default", "linear", "llama3"};

    if (field[f].at == offsetof(lm_cfg, rope))
        snprintf(out, 32, "%s", rope[c->rope]);
    else if (field[f].type == U32)
        snprintf(out, 32, "%u", *(const uint32_t *)at);
    else if (field[f].type == F64)
        lm_fmt_f64(out, *(const double *)at);
    else
        snprintf(out, 32, "%s", *(const bool *)at ? "true" : "false");
}

static const char *name_of(const lm_cfg *c, size_t f)
{
    const lm_cfg_keys *k = lm_families[c->family].keys;
    const char *const own[] = {k->vocab,    k->dim, k->layers, k->heads, k->kv_heads,
                               k->head_dim, k->ffn, k->ctx,    k->eps};
    static const char *const plain[] = {"", "", "", "", "key heads", "size of heads", "", "", ""};

    if (field[f].key)
        return field[f].key;
    return own[f] ? own[f] : plain[f];
}

size_t lm_cfg_diff(const lm_cfg *was, const lm_cfg *now, lm_cfgdiff d[LM_CFG_DIFFS])
{
    size_t n = 0;

    if (was->family != now->family) { /* the rest are then other things */
        d[0] = (lm_cfgdiff){.key = "model_type", .shape = true};
        snprintf(d[0].was, sizeof d[0].was, "%s", lm_family_of(was)->type);
        snprintf(d[0].now, sizeof d[0].now, "%s", lm_family_of(now)->type);
        return 1;
    }
    for (size_t f = 0; f < LM_COUNT(field); f++) {
        if (!memcmp((const char *)was + field[f].at, (const char *)now + field[f].at,
                    size_of(field[f].type)))
            continue;
        d[n] = (lm_cfgdiff){.key = name_of(now, f), .shape = field[f].shape};
        if (field[f].at == offsetof(lm_cfg, ctx)) /* a table of positions is a tensor */
            d[n].shape = lm_family_of(now)->learned;
        show(d[n].was, was, f);
        show(d[n].now, now, f);
        n++;
    }
    return n;
}

void lm_cfg_adopt(lm_cfg *c, const lm_cfg *from)
{
    for (size_t f = 0; f < LM_COUNT(field); f++)
        if (!field[f].shape)
            memcpy((char *)c + field[f].at, (const char *)from + field[f].at,
                   size_of(field[f].type));
}
