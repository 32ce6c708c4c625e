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

static void added(lm_jw *w, const lm_vocab_def *d)
{
    lm_jw_arr(w, "added_tokens");
    for (size_t i = 0; i < d->nspecial; i++) {
        lm_jw_obj(w, NULL);
        lm_jw_u64(w, "id", d->ntoken + i);
        lm_jw_str(w, "content", d->special[i]);
        lm_jw_bool(w, "single_word", false);
        lm_jw_bool(w, "lstrip", false);
        lm_jw_bool(w, "rstrip", false);
        lm_jw_bool(w, "normalized", false);
        lm_jw_bool(w, "special", true);
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
    lm_buf t = {0};

    lm_jw_obj(w, "model");
    lm_jw_str(w, "type", LM_STR("BPE"));
    lm_jw_null(w, "dropout");
    lm_jw_null(w, "unk_token");
    lm_jw_null(w, "continuing_subword_prefix");
    lm_jw_null(w, "end_of_word_suffix");
    lm_jw_bool(w, "fuse_unk", false);
    lm_jw_bool(w, "byte_fallback", false);
    lm_jw_bool(w, "ignore_merges", false);
    lm_jw_obj(w, "vocab");
    for (size_t i = 0; i < d->ntoken; i++) {
        lm_jw_name(w, level(&t, d->token[i]));
        lm_jw_u64(w, "", i);
    }
    for (size_t i = 0; i < d->nspoken; i++)
        if (d->spoken[i]) {
            lm_jw_name(w, d->special[i]);
            lm_jw_u64(w, "", d->ntoken + i);
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
    lm_jw_null(&w, "normalizer");
    lm_vocab_write_pre(&w, d->pre);
    lm_vocab_write_level(&w, "post_processor", false);
    lm_vocab_write_level(&w, "decoder", false);
    model(&w, d);
    lm_jw_end(&w);
}

/* The keys of tokenizer_config.json that name a role, and the special that has it. */
static const char *const roles[][2] = {
    {"eos_token", "<|endoftext|>"},      {"pad_token", "<|endoftext|>"},
    {"fim_pre_token", "<|fim_prefix|>"}, {"fim_mid_token", "<|fim_middle|>"},
    {"fim_suf_token", "<|fim_suffix|>"}, {"fim_pad_token", "<|fim_pad|>"},
    {"repo_token", "<|repo_name|>"},     {"file_token", "<|file_sep|>"},
};

static bool has(const lm_vocab_def *d, const char *name)
{
    for (size_t i = 0; i < d->nspecial; i++)
        if (lm_is(d->special[i], name))
            return true;
    return false;
}

static void config(const lm_vocab_def *d, lm_buf *out)
{
    lm_jw w;

    lm_jw_init(&w, out, 2);
    lm_jw_obj(&w, NULL);
    lm_jw_bool(&w, "add_bos_token", false);
    lm_jw_bool(&w, "add_prefix_space", false);
    lm_jw_arr(&w, "additional_special_tokens");
    for (size_t i = 0; i < d->nspecial; i++) {
        bool role = false;

        for (size_t k = 0; k < LM_COUNT(roles); k++)
            role |= lm_is(d->special[i], roles[k][1]);
        if (!role)
            lm_jw_str(&w, NULL, d->special[i]);
    }
    lm_jw_end(&w);
    lm_jw_null(&w, "bos_token");
    lm_jw_bool(&w, "clean_up_tokenization_spaces", false);
    for (size_t k = 0; k < LM_COUNT(roles); k++)
        if (has(d, roles[k][1]))
            lm_jw_str(&w, roles[k][0], lm_cstr(roles[k][1]));
    lm_jw_u64(&w, "model_max_length", 1000000000);
    lm_jw_str(&w, "tokenizer_class", LM_STR("PreTrainedTokenizerFast"));
    lm_jw_str(&w, "unicode_version", LM_STR("16.0.0"));
    lm_jw_end(&w);
    lm_buf_addc(out, '\n');
}

void lm_vocab_write(const lm_vocab_def *d, lm_buf *tok, lm_buf *cfg)
{
    tokenizer(d, tok);
    config(d, cfg);
}
