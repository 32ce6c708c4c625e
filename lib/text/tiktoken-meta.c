/* tiktoken-meta: what a list of ranks does not say: pattern, special tokens, roles. */
#include "base/json.h"
#include "text/tiktoken.h"

#define WORDS " ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+"
/* Digits alone, then GPT-2, in one expression: a run of spaces before a digit ends a piece there.
 */
static const char starcoder[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+|\\s+(?![^\\s\\p{N}])|\\s+";

/* Forms in which patterns with a name stand elsewhere: tiktoken's own source, and ours. */
static const struct {
    int kind;
    const char *regex;
} forms[] = {
    {LM_PRE_GPT2, "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|"
                  "\\s+(?!\\S)|\\s"},
    {LM_PRE_GPT2, "'(?:[sdmt]|ll|ve|re)|" WORDS "|\\s+(?!\\S)|\\s+"},
    {LM_PRE_CL100K, "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+|"
                    " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s"},
    {LM_PRE_CL100K, "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}|"
                    " ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"},
    {LM_PRE_STARCODER, starcoder},
};

int lm_tiktoken_pattern(const lm_pre *pre, lm_buf *out)
{
    size_t n;
    const lm_pre_step *s = lm_pre_steps(pre, &n);

    if (lm_pre_kind(pre) == LM_PRE_STARCODER) {
        lm_buf_adds(out, starcoder);
        return 0;
    }
    if (n != 1 || s->what != LM_STEP_REGEX || s->how != LM_CUT_ISOLATED)
        return lm_err(LM_EINVALID,
                      "pattern %s is no single regular expression, as tiktoken wants it",
                      lm_pre_name(pre));
    lm_buf_add(out, s->pattern.p, s->pattern.n);
    /* tiktoken leaves out what a pattern does not match: there it is a piece of its own, as here */
    if (lm_pre_kind(pre) == LM_PRE_REGEX)
        lm_buf_addf(out, "|(?:(?!%.*s)[\\s\\S])+", (int)s->pattern.n, s->pattern.p);
    return 0;
}

static int pattern(lm_draft *d, lm_str regex)
{
    for (size_t i = 0; i < LM_COUNT(forms); i++)
        if (lm_is(regex, forms[i].regex)) {
            d->def.pre = lm_pre_named(forms[i].kind);
            return 0;
        }
    return lm_draft_pattern(d, regex);
}

static bool listed(json_t *list, const char *word)
{
    json_t *j;
    size_t i;

    json_array_foreach(list, i, j) if (lm_is(lm_json_text(j), word)) return true;
    return false;
}

static int meta(json_t *root, lm_draft *d)
{
    json_t *special = NULL, *plain = NULL, *roles = NULL, *j;
    lm_str regex = {0};
    const char *key;
    int err;

    if (!json_is_object(root))
        return lm_err(LM_EINVALID, "not an object");
    if ((err = lm_json_need(lm_json_str(root, "pat_str", &regex), "pat_str")) < 0 ||
        (err = pattern(d, regex)) < 0 ||
        (err = lm_json_obj(root, "special_tokens", &special)) < 0 ||
        (err = lm_json_arr(root, "plain_tokens", &plain)) < 0 ||
        (err = lm_json_obj(root, "roles", &roles)) < 0)
        return err;
    json_object_foreach (special, key, j) {
        if (!json_is_integer(j) || json_integer_value(j) < 0)
            return lm_err(LM_EINVALID, "special token \"%s\" has no id", key);
        if ((err = lm_draft_added(d, (uint64_t)json_integer_value(j), lm_cstr(key),
                                  listed(plain, key))) < 0)
            return err;
    }
    d->roles = roles != NULL;
    for (int r = 0; r < LM_ROLE_COUNT; r++) {
        uint64_t id = LM_NO_ID;

        if (roles && (err = lm_json_u64(roles, lm_role_name[r], &id)) < 0)
            return err;
        if (id > LM_NO_ID)
            return lm_err(LM_EINVALID, "role %s: no such id", lm_role_name[r]);
        d->role[r] = (uint32_t)id;
    }
    return 0;
}

int lm_tiktoken_meta(lm_str text, const char *name, lm_draft *d)
{
    json_t *root = NULL;
    int err = lm_json_parse(text, &root);

    if (err >= 0)
        err = meta(root, d);
    json_decref(root);
    return err < 0 ? lm_err_at(err, name, "%s", lm_last_error()->detail) : 0;
}

/* The lists that tiktoken itself publishes, with the special tokens its source gives them. */
static const struct {
    const char *sha256;
    int kind;
    struct {
        const char *content;
        uint32_t id;
    } special[5];
} known[] = {
    {"306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930", /* r50k, GPT-2's own */
     LM_PRE_GPT2,
     {{"<|endoftext|>", 50256}}},
    {"94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069", /* p50k */
     LM_PRE_GPT2,
     {{"<|endoftext|>", 50256}}},
    {"223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7", /* cl100k */
     LM_PRE_CL100K,
     {{"<|endoftext|>", 100257},
      {"<|fim_prefix|>", 100258},
      {"<|fim_middle|>", 100259},
      {"<|fim_suffix|>", 100260},
      {"<|endofprompt|>", 100276}}},
    {"446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d", /* o200k */
     LM_PRE_O200K,
     {{"<|endoftext|>", 199999}, {"<|endofprompt|>", 200018}}},
};

int lm_tiktoken_known(lm_str list, lm_draft *d)
{
    uint8_t sum[32];
    char hex[65];
    int err = 0;

    lm_sha256(list.p, list.n, sum);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", sum[i]);
    for (size_t i = 0; i < LM_COUNT(known); i++) {
        if (strcmp(hex, known[i].sha256))
            continue;
        d->def.pre = lm_pre_named(known[i].kind);
        for (size_t k = 0; k < 5 && known[i].special[k].content && err >= 0; k++)
            err = lm_draft_added(d, known[i].special[k].id, lm_cstr(known[i].special[k].content),
                                 false);
        return err < 0 ? err : 1;
    }
    return 0;
}
