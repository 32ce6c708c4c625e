/* lm-vocab-convert: a vocabulary from and to the files of Hugging Face, tiktoken and llama.cpp.
   Apart from lm-export: no stream, and it proves that the ids stay the same. */
#include "lm.h"

static int from, to;
static const char *pretok;
static const lm_opt opts[] = {
    LM_ENUM(0, "from", &from, "guess|hf|tiktoken|gguf", "the form of IN (guess: by its content)"),
    LM_ENUM(0, "to", &to, "hf|tiktoken|gguf", "the form of OUT (hf)"),
    LM_STRING(0, "pretok", &pretok, "PATTERN",
              "pattern of a list of ranks that does not say it: qwen2, gpt2, .. or regex:PAT"),
    LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-vocab-convert",
                             .does = "convert a vocabulary: Hugging Face, tiktoken, GGUF",
                             .args = "IN",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_FILES};

static int run(lm_in *in, lm_out *out)
{
    const char *path = lm_arg(0).p;
    const lm_pre *pre = NULL;
    lm_vocab_files f = {0};
    int form = from - 1, err = 0;

    (void)in;
    (void)out;
    if (!lm_common.out)
        return lm_err(LM_EUSAGE, "no -o OUT");
    if (pretok && (err = lm_pre_parse(lm_cstr(pretok), &pre)) < 0)
        return err;
    if (form < 0)
        err = form = lm_vform_guess(path);
    if (err >= 0 && pretok && form != LM_VFORM_TIKTOKEN)
        err = lm_err(LM_EUSAGE, "--pretok is for lists of ranks: %s says its pattern", path);
    if (err >= 0 && (err = lm_vocab_read(path, form, pre, &f)) >= 0 &&
        (err = lm_vocab_save(&f, to, lm_common.out)) < 0 && !*lm_last_error()->where)
        err = lm_err_at(err, path, "%s", lm_last_error()->detail);
    lm_vocab_files_free(&f);
    lm_pre_free(pre);
    return err < 0 ? err : LM_DONE;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
