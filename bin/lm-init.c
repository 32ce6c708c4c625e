/* lm-init: make a new model with random weights, as a Hugging Face directory.
   Apart from lm-train: a run can begin from any model, also one that others trained. */
#include "lm.h"

static int arch, tie, dtype;
static uint64_t depth, layers, dim, heads, kv_heads, head_dim, ffn, vocab_size, seq = 4096, seed;
static double theta;
static const char *vocab;
static const lm_opt opts[] = {
    LM_ENUM(0, "arch", &arch, "qwen3|llama|qwen2|gpt2|mpt", "family (qwen3)"),
    LM_NUM(0, "depth", &depth, 1, 256, "N",
           "one dial for the shape: layers, and width from them (12)"),
    LM_NUM(0, "layers", &layers, 1, 1024, "N", "layers (depth)"),
    LM_NUM(0, "dim", &dim, 8, 65536, "N", "width (64 x depth, up to a multiple of 128)"),
    LM_NUM(0, "heads", &heads, 1, 1024, "N", "query heads (dim / head-dim)"),
    LM_NUM(0, "kv-heads", &kv_heads, 1, 1024, "N",
           "key and value heads (the largest divisor up to heads/2; gpt2, mpt: heads)"),
    LM_NUM(0, "head-dim", &head_dim, 2, 512, "N", "width of a head (64 below dim 1024, else 128)"),
    LM_NUM(0, "ffn", &ffn, 8, 1 << 20, "N",
           "width of the MLP (8/3 dim, up to a multiple of 128; gpt2, mpt: 4 dim)"),
    LM_NUM(0, "vocab-size", &vocab_size, 2, 1 << 24, "N", "ids (the tokenizer's, else 32768)"),
    LM_NUM(0, "seq", &seq, 2, 1 << 24, "N", "longest context (4096)"),
    LM_ENUM(0, "tie", &tie, "on|off", "the head is the embedding (on)"),
    LM_REAL(0, "theta", &theta, 1.000001, 1e11, "F",
            "base of the rotary angles (10000; not for gpt2, mpt)"),
    LM_ENUM(0, "dtype", &dtype, "bf16|f32", "type of the weights (bf16)"),
    LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "N", "seed of the weights (0)"),
    LM_FILE(0, "vocab", &vocab, "TOK",
            "tokenizer directory or tokenizer.json, copied into the model"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-init",
                             .does = "make a new model with random weights",
                             .opts = opts,
                             .flags = LM_FILES};

static uint64_t up_to(uint64_t v, uint64_t step)
{
    return (v + step - 1) / step * step;
}

static const int family[] = {LM_FAM_QWEN3, LM_FAM_LLAMA, LM_FAM_QWEN2, LM_FAM_GPT2, LM_FAM_MPT};

/* What gpt2 and mpt have no room for in their config.json. */
static int check_options(const lm_cfg *c)
{
    const char *type = lm_family_of(c)->type;

    if (lm_family_of(c)->rotary)
        return 0;
    if (theta > 0)
        return lm_err(LM_EUSAGE, "--theta: positions of %s do not rotate", type);
    if (kv_heads && kv_heads != c->heads)
        return lm_err(LM_EUSAGE, "--kv-heads %llu: %s has as many as query heads, %u",
                      (unsigned long long)kv_heads, type, c->heads);
    return 0;
}

/* Fills what no option said from the dial. */
static void shape(lm_cfg *c)
{
    uint64_t d = depth ? depth : 12;
    bool rotary = lm_family_of(c)->rotary;

    c->layers = (uint32_t)(layers ? layers : d);
    c->dim = (uint32_t)(dim ? dim : up_to(64 * d, 128));
    c->head_dim = (uint32_t)(head_dim ? head_dim : c->dim < 1024 ? 64 : 128);
    if (!head_dim && heads && c->dim % heads == 0)
        c->head_dim = (uint32_t)(c->dim / heads);
    c->heads = (uint32_t)(heads ? heads : c->dim / c->head_dim ? c->dim / c->head_dim : 1);
    if (!head_dim && !rotary) /* heads fill the width */
        c->head_dim = c->dim / c->heads;
    c->kv_heads = rotary ? (uint32_t)kv_heads : c->heads;
    for (uint32_t k = c->heads / 2; !c->kv_heads; k--)
        if (k <= 1 || c->heads % k == 0)
            c->kv_heads = k < 1 ? 1 : k;
    c->ffn = (uint32_t)(ffn ? ffn : rotary ? up_to((8ull * c->dim + 2) / 3, 128) : 4ull * c->dim);
    c->ctx = (uint32_t)seq;
    c->theta = theta > 0 ? theta : 10000;
    c->tie = tie == 0;
    c->dt = dtype == 0 ? LM_BF16 : LM_F32;
}

static int vocabulary(lm_cfg *c)
{
    lm_vocab *v;
    int err;

    c->vocab = (uint32_t)(vocab_size ? vocab_size : 32768);
    if (!vocab)
        return 0;
    if ((err = lm_vocab_load(vocab, &v)))
        return err;
    if (!vocab_size)
        c->vocab = lm_vocab_size(v);
    else if (vocab_size < lm_vocab_size(v))
        err = lm_err(LM_EINVALID, "--vocab-size %llu is less than the %u ids of the tokenizer",
                     (unsigned long long)vocab_size, lm_vocab_size(v));
    c->bos = lm_vocab_role(v, LM_ROLE_BOS);
    c->eos = lm_vocab_role(v, LM_ROLE_EOS);
    c->pad = lm_vocab_role(v, LM_ROLE_PAD);
    lm_vocab_free(v);
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    lm_cfg c;
    lm_model *m = NULL;
    lm_aside *a;
    int err;

    (void)in;
    (void)out;
    if (!lm_common.out)
        return lm_err(LM_EUSAGE, "-o DIR is needed");
    lm_cfg_default(&c, family[arch]);
    shape(&c);
    if ((err = check_options(&c)) || (err = vocabulary(&c)) || (err = lm_cfg_check(&c)) ||
        (err = lm_model_init(&m, &c, seed)))
        return err;
    a = lm_aside_dir(lm_common.out);
    if (!a) {
        lm_model_free(m);
        return LM_EIO;
    }
    err = lm_model_save(m, lm_aside_path(a));
    if (!err && vocab)
        err = lm_tokenizer_copy(vocab, lm_aside_path(a));
    if (err)
        lm_aside_drop(a);
    else
        err = lm_aside_commit(a);
    lm_model_free(m);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
