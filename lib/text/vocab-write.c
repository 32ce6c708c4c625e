/* vocab-write: a vocabulary as Hugging Face's files. The field order and form of tokenizer.json are
   those in which its own library saves it, so that a load and save there changes no byte (and no
   vocab=). */
#include "text/vocab-priv.h"

void lm_byte_level(lm_buf *out, lm_str bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        char c[4];

        lm_buf_add(out, c, lm_utf8_put(c, lm_bytechar((uint8_t)bytes.p[i])));
    }
}

/* One token as text. */
static lm_str level(lm_buf *b, lm_str s)
{
    b->n = 0;
    lm_byte_level(b, s);
    return lm_buf_str(b);
}

static size_t special_id(const lm_vocab_def *d, size_t i)
{
    return d->special_id ? d->special_id[i] : d->ntoken + i;
}

/* Hugging Face gives an added token the id it has in the vocabulary, else the next one behind that:
   with gaps, or with added tokens among the others, they must stand in the vocabulary too. */
static bool in_vocab(const lm_vocab_def *d)
{
    size_t n = 0;

    if (d->spoken)
        return true;
    for (size_t i = 0; i < d->ntoken; i++)
        n += d->token[i].p != NULL;
    for (size_t i = 0; i < d->nspecial; i++)
        if (special_id(d, i) != n + i)
            return true;
    return false;
}

static void added(lm_jw *w, const lm_vocab_def *d)
{
    lm_jw_arr(w, "added_tokens");
    for (size_t i = 0; i < d->nspecial; i++) {
        lm_jw_obj(w, NULL);
        lm_jw_u64(w, "id", special_id(d, i));
        lm_jw_str(w, "content", d->special[i]);
        lm_jw_bool(w, "single_word", false);
        lm_jw_bool(w, "lstrip", false);
        lm_jw_bool(w, "rstrip", false);
        lm_jw_bool(w, "normalized", false);
        lm_jw_bool(w, "special", !d->plain || !d->plain[i]);
        lm_jw_end(w);
    }
    lm_jw_end(w);
}

/* The text of an ordinary token, or of a special that merges make. */
static lm_str text_of(const lm_vocab_def *d, uint32_t id, lm_buf *b)
{
    return id < d->ntoken ? level(b, d->token[id]) : d->special[id - d->ntoken];
}

static void model(lm_jw *w, const lm_vocab_def *d)
{
    size_t k = 0, n = in_vocab(d) ? d->nspecial : 0;
    lm_buf t = {0};

    lm_jw_obj(w, "model");
    lm_jw_str(w, "type", LM_STR("BPE"));
    lm_jw_null(w, "dropout");
    lm_jw_null(w, "unk_token");
    lm_jw_null(w, "continuing_subword_prefix");
    lm_jw_null(w, "end_of_word_suffix");
    lm_jw_bool(w, "fuse_unk", false);
    lm_jw_bool(w, "byte_fallback", false);
    lm_jw_bool(w, "ignore_merges", d->ignore_merges);
    lm_jw_obj(w, "vocab");
    for (size_t i = 0; i < d->ntoken || k < n; i++) {
        if (k < n && special_id(d, k) == i)
            lm_jw_name(w, d->special[k++]);
        else if (i < d->ntoken && d->token[i].p)
            lm_jw_name(w, level(&t, d->token[i]));
        else
            continue;
        lm_jw_u64(w, "", i);
    }
    lm_jw_end(w);
    lm_jw_arr(w, "merges");
    for (size_t i = 0; i < d->nmerge; i++) {
        lm_jw_arr(w, NULL);
        lm_jw_str(w, NULL, text_of(d, d->merge[2 * i], &t));
        lm_jw_str(w, NULL, text_of(d, d->merge[2 * i + 1], &t));
        lm_jw_end(w);
    }
    lm_jw_end(w);
    lm_jw_end(w);
    lm_buf_free(&t);
}

static void tokenizer(const lm_vocab_def *d, lm_buf *out)
{
    lm_jw w;

    lm_jw_init(&w, out, 2);
    lm_jw_obj(&w, NULL);
    lm_jw_str(&w, "version", LM_STR("1.0"));
    lm_jw_null(&w, "truncation");
    lm_jw_null(&w, "padding");
    added(&w, d);
    if (d->nfc) {
        lm_jw_obj(&w, "normalizer");
        lm_jw_str(&w, "type", LM_STR("NFC"));
        lm_jw_end(&w);
    } else {
        lm_jw_null(&w, "normalizer");
    }
    lm_vocab_write_pre(&w, d->pre);
    lm_vocab_write_level(&w, "post_processor", false);
    lm_vocab_write_level(&w, "decoder", false);
    model(&w, d);
    lm_jw_end(&w);
}

/* The keys of tokenizer_config.json that name a role, and the special that has it unless the
   definition says. */
static const struct {
    int role;
    const char *key, *name;
} roles[] = {
    {LM_ROLE_EOS, "eos_token", "<|endoftext|>"},
    {LM_ROLE_PAD, "pad_token", "<|endoftext|>"},
    {LM_ROLE_FIM_PRE, "fim_pre_token", "<|fim_prefix|>"},
    {LM_ROLE_FIM_MID, "fim_mid_token", "<|fim_middle|>"},
    {LM_ROLE_FIM_SUF, "fim_suf_token", "<|fim_suffix|>"},
    {LM_ROLE_FIM_PAD, "fim_pad_token", "<|fim_pad|>"},
    {LM_ROLE_REPO, "repo_token", "<|repo_name|>"},
    {LM_ROLE_FILE, "file_token", "<|file_sep|>"},
};

/* Its content; p NULL: nobody has the role. */
static lm_str holder(const lm_vocab_def *d, int role, const char *name)
{
    for (size_t i = 0; i < d->nspecial; i++)
        if (d->role ? special_id(d, i) == d->role[role] : name && lm_is(d->special[i], name))
            return d->special[i];
    return (lm_str){NULL, 0};
}

static void others(lm_jw *w, const lm_vocab_def *d)
{
    lm_str of[LM_COUNT(roles) + 1];

    for (size_t k = 0; k < LM_COUNT(roles); k++)
        of[k] = holder(d, roles[k].role, roles[k].name);
    of[LM_COUNT(roles)] = holder(d, LM_ROLE_BOS, NULL);
    lm_jw_arr(w, "additional_special_tokens");
    for (size_t i = 0; i < d->nspecial; i++) {
        bool role = d->plain && d->plain[i];

        for (size_t k = 0; k < LM_COUNT(of); k++)
            role |= of[k].p && lm_eq(d->special[i], of[k]);
        if (!role)
            lm_jw_str(w, NULL, d->special[i]);
    }
    lm_jw_end(w);
}

static void config(const lm_vocab_def *d, lm_buf *out)
{
    lm_str bos = holder(d, LM_ROLE_BOS, NULL);
    lm_jw w;

    lm_jw_init(&w, out, 2);
    lm_jw_obj(&w, NULL);
    lm_jw_bool(&w, "add_bos_token", false);
    lm_jw_bool(&w, "add_prefix_space", false);
    others(&w, d);
    if (bos.p)
        lm_jw_str(&w, "bos_token", bos);
    else
        lm_jw_null(&w, "bos_token");
    if (d->chat.p)
        lm_jw_str(&w, "chat_template", d->chat);
    lm_jw_bool(&w, "clean_up_tokenization_spaces", false);
    for (size_t k = 0; k < LM_COUNT(roles); k++) {
        lm_str s = holder(d, roles[k].role, roles[k].name);

        if (s.p)
            lm_jw_str(&w, roles[k].key, s);
    }
    lm_jw_u64(&w, "model_max_length", 1000000000);
    lm_jw_str(&w, "tokenizer_class", LM_STR("PreTrainedTokenizerFast"));
    lm_jw_str(&w, "unicode_version", LM_STR("16.0.0"));
    lm_jw_end(&w);
    lm_buf_addc(out, '\n');
}

void lm_vocab_write(const lm_vocab_def *d, lm_buf *tok, lm_buf *cfg)
{
    if (tok)
        tokenizer(d, tok);
    if (cfg)
        config(d, cfg);
}
