/* lm-ckpt-convert: a model from and to the files of Hugging Face, llama.cpp, llm.c and NumPy.
   Apart from lm-vocab-convert: that one needs no weights, this one no proof of ids. */
#include "lm.h"

static int to, dtype;
static const char *vocab;
static const lm_opt opts[] = {LM_ENUM(0, "to", &to, "hf|gguf|llmc|npy", "the form of OUT (hf)"),
                              LM_ENUM(0, "dtype", &dtype, "keep|f32|f16|bf16",
                                      "type of the values (keep: that in which none changes)"),
                              LM_STRING(0, "vocab", &vocab, "TOK",
                                        "the vocabulary to go along (the model's own)"),
                              LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-ckpt-convert",
                             .does = "convert a model: Hugging Face, GGUF, llm.c, NumPy",
                             .args = "MODEL",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_FILES};

static int run(lm_in *in, lm_out *out)
{
    static const int type[] = {-1, LM_F32, LM_F16, LM_BF16};

    (void)in;
    (void)out;
    if (!lm_common.out)
        return lm_err(LM_EUSAGE, "no -o OUT");
    return lm_model_convert(lm_arg(0).p, to, type[dtype], vocab, lm_common.out);
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
