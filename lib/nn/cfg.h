/* cfg: config.json of a Hugging Face model directory, read and written as transformers does. */
#ifndef LM_NN_CFG_H
#define LM_NN_CFG_H
#include "base/base.h"

enum {
    LM_FAM_LLAMA = 0,
    LM_FAM_QWEN3 = 1,
    LM_FAM_QWEN2 = 2,
    LM_FAM_GPT2 = 3,
    LM_FAM_MPT = 4,
    LM_NFAM = 5
};
enum { LM_ACT_SWIGLU = 0, LM_ACT_GELU_TANH = 1, LM_ACT_GELU_ERF = 2 };
enum {
    LM_F32 = 0,
    LM_BF16 = 1,
    LM_F16 = 2,
    LM_F64 = 3,
    LM_I64 = 4,
    LM_I32 = 5,
    LM_I16 = 6,
    LM_I8 = 7,
    LM_U8 = 8,
    LM_BOOL = 9,
    LM_U16 = 10,
    LM_U32 = 11,
    LM_U64 = 12,
    LM_NDT = 13
};
enum { LM_ROPE_DEFAULT = 0, LM_ROPE_LINEAR = 1, LM_ROPE_LLAMA3 = 2 };
#define LM_NO_ID UINT32_MAX /* a token id the model does not have */

/* What a family fixes. Norms: RMSNorm, or layer norm, with bias or without. Positions: rotary
   (half-split), learned, or neither: ALiBi. */
typedef struct {
    const char *type, *arch; /* model_type; the class of transformers */
    bool layernorm, norm_bias, rotary, learned;
    bool head_norm; /* RMSNorm on each q and k head */
    int act;        /* LM_ACT_*; SwiGLU has gates, the others have not */
} lm_family;

/* The shape of a decoder with norms before attention and MLP. */
typedef struct lm_cfg {
    int family; /* LM_FAM_* */
    int dt;     /* LM_F32 or LM_BF16: type of the saved weights and of the matrix products (LM_F16:
                   only to be written) */
    uint32_t vocab, dim, layers, heads, kv_heads, head_dim, ffn, ctx;
    double eps, theta, init_range; /* of the norms; rope_theta, initializer_range */
    bool tie;                      /* the head is the embedding */
    int rope;                      /* LM_ROPE_* */
    double rope_factor, rope_low, rope_high, rope_old; /* linear: factor; llama3: all four */
    bool qkv_bias, o_bias, mlp_bias;
    bool qk_ln;       /* mpt: layer norm over the whole rows of q and of k */
    double clip;      /* mpt: q, k, v are held within it; 0: they are not */
    double alibi;     /* mpt: alibi_bias_max, from which the slopes of the heads follow */
    double softcap;   /* scores are capped by it; 0: they are not */
    double att_scale; /* of the scores; 0: 1 / sqrt(head_dim) */
    /* qwen2, qwen3: from layer window_from on a token sees itself and the window - 1 before it; 0:
     * all
     */
    uint32_t window, window_from;
    uint32_t bos, eos, pad; /* LM_NO_ID = null */
    struct json_t *raw;     /* the file as read: unknown keys live on; may be NULL; owned */
} lm_cfg;

/* Fills *c with the defaults of a family; the caller sets vocab, dim, .. and owns *c (lm_cfg_free).
 */
void lm_cfg_default(lm_cfg *c, int family);
/* Checks that the numbers fit together: 0, or LM_EINVALID with the offending key named. */
int lm_cfg_check(const lm_cfg *c);
/* Reads DIR/config.json. LM_EIO, or LM_EINVALID with the key named: not JSON, another family, a key
   that would change the arithmetic and is not supported (other activations, a window in some
   layer below one without). Dropout is not arithmetic of a model: its keys are kept and nothing is
   dropped. */
int lm_cfg_read(lm_cfg *c, const char *dir);
int lm_cfg_parse(lm_cfg *c, lm_str json, const char *where); /* the same from memory */
/* Writes DIR/config.json; keys of .raw that we do not know are kept. Equal configurations give
 * equal bytes. */
int lm_cfg_write(const lm_cfg *c, const char *dir);
void lm_cfg_text(const lm_cfg *c, lm_buf *out); /* the bytes of lm_cfg_write */
void lm_cfg_free(lm_cfg *c);
/* In what `now` computes differently from `was`, in a fixed order; types of saved weights, token ids and
   initializer_range do not count. shape: it changes which tensors there are, or their sizes; of another family that
   alone is told. Returns how many; key lives for ever. */
enum { LM_CFG_DIFFS = 27 };
typedef struct { const char *key; char was[32], now[32]; bool shape; } lm_cfgdiff;
size_t lm_cfg_diff(const lm_cfg *was, const lm_cfg *now, lm_cfgdiff d[LM_CFG_DIFFS]);
/* Takes from another of the same shape the numbers that are no shape. */
void lm_cfg_adopt(lm_cfg *c, const lm_cfg *from);
const lm_family *lm_family_of(const lm_cfg *c);
const char *lm_cfg_ctx_key(const lm_cfg *c); /* the family's name of .ctx, for messages */
size_t lm_dtype_size(int dt);                /* bytes of one element, 0 if unknown */
const char *lm_dtype_name(int dt);           /* as in safetensors: "F32", "BF16", .. */

#endif
