/* vocab-gguf: names and meanings of llama.cpp's tokenizer keys (its gguf-py/gguf/constants.py and
   src/llama-vocab.cpp). A token's text is byte-level, an added token's its content; an id without a
   token holds [PADid] of type unused, as llama.cpp's own converters fill it. */
#include "text/vocab-gguf.h"
#include "text/vocab-check.h"

#define KEY(name) "tokenizer.ggml." name
enum { NORMAL = 1, CONTROL = 3, USER = 4, UNUSED = 5 };

static const char *const role_key[LM_ROLE_COUNT] = {
    [LM_ROLE_EOS] = KEY("eos_token_id"),         [LM_ROLE_PAD] = KEY("padding_token_id"),
    [LM_ROLE_BOS] = KEY("bos_token_id"),         [LM_ROLE_FIM_PRE] = KEY("fim_pre_token_id"),
    [LM_ROLE_FIM_MID] = KEY("fim_mid_token_id"), [LM_ROLE_FIM_SUF] = KEY("fim_suf_token_id"),
    [LM_ROLE_FIM_PAD] = KEY("fim_pad_token_id"), [LM_ROLE_REPO] = KEY("fim_rep_token_id"),
    [LM_ROLE_FILE] = KEY("fim_sep_token_id"),
};

/* Qwen3.5's pattern has no name here. */
static const char qwen35[] =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| "
    "?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/* tokenizer.ggml.pre: the first of a kind is the one written. whole: a pretoken that is a token is
   taken whole, before any merge. */
static const struct {
    const char *name;
    int kind; /* LM_PRE_REGEX: qwen35 */
    bool whole;
} pres[] = {
    {"qwen2", LM_PRE_QWEN2, false},
    {"gpt-2", LM_PRE_GPT2, false},
    {"starcoder", LM_PRE_STARCODER, false},
    {"llama-bpe", LM_PRE_CL100K, true},
    {"dbrx", LM_PRE_CL100K, false},
    {"gpt-4o", LM_PRE_O200K, false},
    {"deepseek-coder", LM_PRE_DEEPSEEK_CODER, false},
    {"qwen35", LM_PRE_REGEX, false},
    {"deepseek-r1-qwen", LM_PRE_QWEN2, false},
    {"megrez", LM_PRE_QWEN2, false},
    {"phi-2", LM_PRE_GPT2, false},
    {"mpt", LM_PRE_GPT2, false},
    {"olmo", LM_PRE_GPT2, false},
    {"refact", LM_PRE_STARCODER, false},
    {"command-r", LM_PRE_STARCODER, false},
    {"smollm", LM_PRE_STARCODER, false},
    {"codeshell", LM_PRE_STARCODER, false},
    {"llama3", LM_PRE_CL100K, true},
    {"llama-v3", LM_PRE_CL100K, true},
    {"smaug-bpe", LM_PRE_CL100K, false},
    {"chatglm-bpe", LM_PRE_CL100K, false},
    {"glm4", LM_PRE_CL100K, true},
    {"llama4", LM_PRE_O200K, false},
};

/* --- writing --- */

static int kind_of(const lm_pre *pre)
{
    size_t n;
    const lm_pre_step *s = lm_pre_steps(pre, &n);

    if (lm_pre_kind(pre) != LM_PRE_REGEX)
        return lm_pre_kind(pre);
    return n == 1 && s->what == LM_STEP_REGEX && s->how == LM_CUT_ISOLATED &&
                   lm_is(s->pattern, qwen35)
               ? LM_PRE_REGEX
               : -1;
}

/* The name of v's pattern, where llama.cpp takes whole pretokens as v does, or it makes no
 * difference. */
static int pre_name(const lm_vocab *v, const char **name)
{
    int kind = kind_of(lm_vocab_pre(v));
    size_t missed = lm_vocab_missed(v);
    bool known = false;

    for (size_t i = 0; i < LM_COUNT(pres); i++)
        if (pres[i].kind == kind) {
            known = true;
            *name = pres[i].name;
            if (!missed || pres[i].whole == lm_vocab_words_first(v))
                return 0;
        }
    if (!known)
        return lm_err(LM_EINVALID, "llama.cpp knows no pattern %s", lm_pre_name(lm_vocab_pre(v)));
    return lm_err(LM_EINVALID,
                  "no merge reaches %zu of the tokens: they are %s whole here, and not so by "
                  "llama.cpp under pattern %s: other ids (lm-vocab-check lists them)",
                  missed, lm_vocab_words_first(v) ? "looked up" : "never taken",
                  lm_pre_name(lm_vocab_pre(v)));
}

/* The text of a token as the file has it. */
static lm_str spell(const lm_vocab *v, uint32_t id, lm_buf *b)
{
    lm_str s = lm_vocab_token(v, id);

    b->n = 0;
    if (s.p && !lm_vocab_flags(v, id))
        lm_byte_level(b, s);
    else if (s.p)
        lm_buf_add(b, s.p, s.n);
    else
        lm_buf_addf(b, "[PAD%u]", id);
    return lm_buf_str(b);
}

static int put_tokens(const lm_vocab *v, uint32_t rows, lm_ggw *w)
{
    uint32_t n = rows > lm_vocab_size(v) ? rows : lm_vocab_size(v);
    int32_t *type = lm_reallocn(NULL, n + 1, sizeof *type);
    lm_dict seen = {0};
    lm_buf b = {0};
    int err = 0;

    lm_ggw_arr(w, KEY("tokens"), LM_GG_STR, n);
    for (uint32_t id = 0; id < n; id++) {
        unsigned flags = lm_vocab_flags(v, id);
        lm_str s = spell(v, id, &b);
        uint64_t first = *lm_dict_put(&seen, s, id);

        if (first != id && err >= 0)
            err = lm_err(LM_EINVALID, "tokens %llu and %u are spelt alike in a GGUF file: %.*s",
                         (unsigned long long)first, id, (int)(s.n < 60 ? s.n : 60), s.p);
        type[id] = !lm_vocab_token(v, id).p   ? UNUSED
                   : flags & LM_TOKEN_SPECIAL ? CONTROL
                   : flags                    ? USER
                                              : NORMAL;
        lm_ggw_item(w, s);
    }
    lm_ggw_arr(w, KEY("token_type"), LM_GG_I32, n);
    lm_ggw_raw(w, type, n * sizeof *type);
    lm_dict_free(&seen);
    lm_buf_free(&b);
    free(type);
    return err;
}

static int put_merges(const lm_vocab *v, lm_ggw *w)
{
    lm_buf b = {0};
    int err = 0;

    lm_ggw_arr(w, KEY("merges"), LM_GG_STR, lm_vocab_merges(v));
    for (size_t k = 0; k < lm_vocab_merges(v); k++) {
        uint32_t left, right, id, to;

        lm_vocab_merge(v, k, &left, &right, &id);
        if (lm_vocab_rank(v, left, right, &to) != k && err >= 0)
            err = lm_err(LM_EINVALID,
                         "merge %zu is listed again: llama.cpp would take the first, Hugging "
                         "Face takes the last",
                         k);
        b.n = 0;
        lm_byte_level(&b, lm_vocab_token(v, left));
        lm_buf_addc(&b, ' ');
        lm_byte_level(&b, lm_vocab_token(v, right));
        lm_ggw_item(w, lm_buf_str(&b));
    }
    lm_buf_free(&b);
    return err;
}

int lm_vocab_to_gguf(const lm_vocab *v, lm_str json, lm_str chat, uint32_t rows, lm_ggw *w)
{
    const char *pre = NULL;
    int err;

    if ((err = lm_vocab_apart(v)) < 0 || (err = pre_name(v, &pre)) < 0)
        return err;
    lm_ggw_str(w, KEY("model"), LM_STR("gpt2"));
    lm_ggw_str(w, KEY("pre"), lm_cstr(pre));
    if ((err = put_tokens(v, rows, w)) < 0 || (err = put_merges(v, w)) < 0)
        return err;
    for (int r = 0; r < LM_ROLE_COUNT; r++)
        if (lm_vocab_role(v, r) != LM_NO_ID)
            lm_ggw_u32(w, role_key[r], lm_vocab_role(v, r));
    lm_ggw_bool(w, KEY("add_bos_token"), false);
    lm_ggw_str(w, "tokenizer.huggingface.json", json);
    if (chat.p)
        lm_ggw_str(w, "tokenizer.chat_template", chat);
    return 0;
}

/* --- reading --- */

static int get_pre(const lm_gguf *g, lm_draft *d)
{
    lm_str name = {0};
    int err = lm_gguf_str(g, KEY("pre"), &name);

    if (err <= 0)
        return err < 0 ? err : lm_err(LM_EMISSING, "GGUF: no %s", KEY("pre"));
    for (size_t i = 0; i < LM_COUNT(pres); i++)
        if (lm_is(name, pres[i].name)) {
            d->def.ignore_merges = pres[i].whole;
            if (pres[i].kind == LM_PRE_REGEX)
                return lm_draft_pattern(d, lm_cstr(qwen35));
            d->def.pre = lm_pre_named(pres[i].kind);
            return 0;
        }
    return lm_err(LM_EINVALID, "GGUF: pattern not known: %.*s", (int)(name.n < 60 ? name.n : 60),
                  name.p);
}

/* Byte-level text to bytes, into b. */
static bool unspell(lm_str s, lm_buf *b)
{
    size_t len;

    b->n = 0;
    for (size_t i = 0; i < s.n; i += len) {
        int c = lm_bytechar_back(lm_utf8_get(s.p + i, s.n - i, &len));

        if (c < 0)
            return false;
        lm_buf_addc(b, (char)c);
    }
    return s.n > 0;
}

static int get_tokens(const lm_gguf *g, lm_draft *d, lm_dict *id_of)
{
    const lm_gg_key *tokens = NULL, *types = NULL;
    lm_buf b = {0};
    lm_str rest, s;
    int err;

    if ((err = lm_gguf_arr(g, KEY("tokens"), LM_GG_STR, &tokens)) <= 0)
        return err < 0 ? err : lm_err(LM_EMISSING, "GGUF: no %s", KEY("tokens"));
    if ((err = lm_gguf_arr(g, KEY("token_type"), LM_GG_I32, &types)) < 0)
        return err;
    if (types && types->n != tokens->n)
        return lm_err(LM_EINVALID, "GGUF: %llu tokens, %llu token types",
                      (unsigned long long)tokens->n, (unsigned long long)types->n);
    rest = tokens->data;
    err = 0;
    for (uint64_t id = 0; lm_gg_next(&rest, &s) && err >= 0; id++) {
        int64_t type = types ? lm_gg_int(types, id) : NORMAL;

        if (type == CONTROL || type == USER)
            err = lm_draft_added(d, id, s, type == USER);
        else if (type == NORMAL && unspell(s, &b))
            err = lm_draft_token(d, id, lm_buf_str(&b));
        else if (type != UNUSED)
            err = lm_err(LM_EINVALID, "GGUF: token %llu is %s", (unsigned long long)id,
                         type == NORMAL ? "no byte-level text" : "of a type not supported");
        if (err >= 0 && type == NORMAL)
            lm_dict_put(id_of, s, id);
    }
    lm_buf_free(&b);
    return err;
}

static int get_merges(const lm_gguf *g, lm_draft *d, const lm_dict *id_of)
{
    const lm_gg_key *merges = NULL;
    lm_str rest, s;
    int err;

    if ((err = lm_gguf_arr(g, KEY("merges"), LM_GG_STR, &merges)) <= 0)
        return err < 0 ? err : lm_err(LM_EMISSING, "GGUF: no %s", KEY("merges"));
    rest = merges->data;
    for (uint64_t k = 0; lm_gg_next(&rest, &s); k++) {
        const char *sp = s.n ? memchr(s.p, ' ', s.n) : NULL;
        size_t n = sp ? (size_t)(sp - s.p) : 0;
        const uint64_t *a = sp ? lm_dict_get(id_of, (lm_str){s.p, n}) : NULL,
                       *b = sp ? lm_dict_get(id_of, (lm_str){sp + 1, s.n - n - 1}) : NULL;

        if (!a || !b)
            return lm_err(LM_EINVALID, "GGUF: merge %llu names a token that is none",
                          (unsigned long long)k);
        lm_draft_merge(d, (uint32_t)*a, (uint32_t)*b);
    }
    return 0;
}

int lm_vocab_from_gguf(const lm_gguf *g, lm_draft *d, lm_str *json, lm_str *chat)
{
    lm_str model = {0};
    lm_dict id_of = {0};
    int err;

    *json = *chat = (lm_str){0};
    if ((err = lm_gguf_str(g, KEY("model"), &model)) < 0)
        return err;
    if (!err)
        return lm_err(LM_EMISSING, "GGUF: no %s: it holds no vocabulary", KEY("model"));
    if (!lm_is(model, "gpt2"))
        return lm_err(LM_EINVALID, "GGUF: tokenizer model %.*s: only gpt2, byte-level BPE, is read",
                      (int)(model.n < 60 ? model.n : 60), model.p);
    if ((err = get_pre(g, d)) >= 0 && (err = get_tokens(g, d, &id_of)) >= 0)
        err = get_merges(g, d, &id_of);
    lm_dict_free(&id_of);
    d->roles = true;
    for (int r = 0; r < LM_ROLE_COUNT && err >= 0; r++) {
        uint64_t id = LM_NO_ID;

        if ((err = lm_gguf_u64(g, role_key[r], &id)) < 0)
            break;
        if (id > LM_NO_ID)
            err = lm_err(LM_EINVALID, "GGUF: %s: no such id", role_key[r]);
        d->role[r] = (uint32_t)id;
    }
    if (err >= 0 && (err = lm_gguf_str(g, "tokenizer.huggingface.json", json)) >= 0)
        err = lm_gguf_str(g, "tokenizer.chat_template", chat);
    return err < 0 ? err : 0;
}
