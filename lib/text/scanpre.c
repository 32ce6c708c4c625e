/* scanpre: the patterns known by name, as steps; what a pattern answers. */
#include "text/scan-priv.h"

#define CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define SPACES "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define CASED(upper, lower) \
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]" upper \
    "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]" lower CONTRACTION "?|"
#define SPLIT(pattern) \
    { \
        LM_STEP_REGEX, LM_CUT_ISOLATED, \
        { \
            pattern, sizeof(pattern) - 1 \
        } \
    }

static const lm_pre_step qwen2[] = {SPLIT(
    CONTRACTION "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" SPACES)};
static const lm_pre_step cl100k[] = {
    SPLIT(CONTRACTION
          "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" SPACES)};
static const lm_pre_step gpt2[] = {
    SPLIT("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+")};
static const lm_pre_step starcoder[] = {{LM_STEP_DIGITS, LM_CUT_ISOLATED, {NULL, 0}},
                                        {LM_STEP_GPT2, LM_CUT_ISOLATED, {NULL, 0}}};
static const lm_pre_step o200k[] = {
    SPLIT(CASED("*", "+") CASED("+", "*") "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|" SPACES)};
/* The brackets: U+4E00-9FA5, U+0800-4E00, U+AC00-D7FF. */
static const lm_pre_step deepseek[] = {
    SPLIT("[\r\n]"),
    SPLIT("\\s?\\p{L}+"),
    SPLIT("\\s?\\p{P}+"),
    SPLIT("[\xe4\xb8\x80-\xe9\xbe\xa5\xe0\xa0\x80-\xe4\xb8\x80\xea\xb0\x80-\xed\x9f\xbf]+"),
    {LM_STEP_DIGITS, LM_CUT_ISOLATED, {NULL, 0}}};

#define NAMED(kind, name, step) [kind] = {kind, name, step, LM_COUNT(step), NULL, NULL}
static const lm_pre named[LM_PRE_COUNT] = {
    NAMED(LM_PRE_QWEN2, "qwen2", qwen2),
    NAMED(LM_PRE_GPT2, "gpt2", gpt2),
    NAMED(LM_PRE_STARCODER, "starcoder", starcoder),
    NAMED(LM_PRE_CL100K, "cl100k", cl100k),
    NAMED(LM_PRE_O200K, "o200k", o200k),
    NAMED(LM_PRE_DEEPSEEK_CODER, "deepseek-coder", deepseek),
};

const lm_pre *lm_pre_named(int kind)
{
    return &named[kind];
}

int lm_pre_parse(lm_str spec, const lm_pre **out)
{
    lm_pre_step step = {LM_STEP_REGEX, LM_CUT_ISOLATED, {spec.p + 6, spec.n - 6}};
    int err;

    *out = NULL;
    for (int i = 0; i < LM_PRE_COUNT; i++)
        if (lm_is(spec, named[i].name)) {
            *out = &named[i];
            return 0;
        }
    if (spec.n <= 6 || memcmp(spec.p, "regex:", 6))
        return lm_err(LM_EUSAGE,
                      "pattern '%.*s' is not qwen2, gpt2, starcoder, cl100k, o200k, "
                      "deepseek-coder or regex:PAT",
                      (int)(spec.n < 100 ? spec.n : 100), spec.p);
    err = lm_pre_compile(&step, 1, out);
    return err < 0 ? lm_err(LM_EUSAGE, "%s", lm_last_error()->detail) : 0;
}

int lm_pre_kind(const lm_pre *pre)
{
    return pre->kind;
}

const char *lm_pre_name(const lm_pre *pre)
{
    return pre->name;
}

const lm_pre_step *lm_pre_steps(const lm_pre *pre, size_t *n)
{
    *n = pre->nstep;
    return pre->step;
}
