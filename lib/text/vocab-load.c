/* vocab-load: reads tokenizer.json and tokenizer_config.json. What we cannot honour exactly is
   refused by name; nothing is guessed. Ids and merges are taken as listed. */
#include "text/vocab-priv.h"
#include <sys/stat.h>

enum { MAX_FILE = 256 << 20 };

static int bad(const char *what)
{
    return lm_err(LM_EINVALID, "tokenizer.json: %s", what);
}

/* None, NFC, or a Sequence of these. */
static int load_norm(lm_vocab *v, json_t *norm)
{
    json_t *list;
    int err = 0;

    if (!norm || json_is_null(norm))
        return 0;
    if (lm_is(lm_json_text(json_object_get(norm, "type")), "NFC")) {
        v->nfc = true;
        return 0;
    }
    list = json_object_get(norm, "normalizers");
    if (!lm_is(lm_json_text(json_object_get(norm, "type")), "Sequence") || !json_is_array(list))
        return bad("a normalizer other than NFC: not supported");
    for (size_t i = 0; i < json_array_size(list) && err >= 0; i++)
        err = load_norm(v, json_array_get(list, i));
    return err;
}

static int load_kind(lm_vocab *v, json_t *root, json_t *model)
{
    static const char *const null_or_empty[] = {"continuing_subword_prefix", "end_of_word_suffix",
                                                NULL};
    json_t *norm = json_object_get(root, "normalizer"), *drop = json_object_get(model, "dropout");
    bool fallback = false;
    int err;

    if (json_object_get(model, "type") &&
        !lm_is(lm_json_text(json_object_get(model, "type")), "BPE"))
        return bad("model is not BPE");
    for (int i = 0; null_or_empty[i]; i++) {
        lm_str s = {0};

        if ((err = lm_json_str(model, null_or_empty[i], &s)) < 0)
            return err;
        if (s.n)
            return lm_err(LM_EINVALID, "tokenizer.json: %s is set: not supported",
                          null_or_empty[i]);
    }
    if ((err = lm_json_bool(model, "byte_fallback", &fallback)) < 0 ||
        (err = lm_json_bool(model, "ignore_merges", &v->ignore_merges)) < 0)
        return err;
    if (fallback)
        return bad("byte_fallback is on: not byte-level BPE");
    if (drop && !json_is_null(drop) && json_number_value(drop) != 0)
        return bad("dropout is set: not supported");
    return load_norm(v, norm);
}

static int by_len_down(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;

    return (x < y) - (x > y);
}

/* Is the token that vocab lists the one with this text? */
static bool is_listed(const lm_vocab *v, uint32_t id, lm_str text)
{
    lm_buf b = {0};
    bool same;

    if (v->flags[id] != LM_TOKEN_ODD)
        lm_byte_level(&b, v->token[id]);
    same = lm_eq(v->flags[id] ? v->token[id] : lm_buf_str(&b), text);
    lm_buf_free(&b);
    return same;
}

static int load_added(lm_vocab *v, json_t *list)
{
    size_t i;
    json_t *j;

    json_array_foreach(list, i, j)
    {
        lm_str s = lm_json_text(json_object_get(j, "content"));
        json_t *at = json_object_get(j, "id");
        uint32_t id;
        unsigned listed;
        size_t k = 0;

        if (!json_is_integer(at) || json_integer_value(at) < 0 ||
            json_integer_value(at) >= LM_MAX_ID)
            return lm_err(LM_EINVALID,
                          "tokenizer.json: the id of an added token is no integer from 0 to %d",
                          LM_MAX_ID - 1);
        id = (uint32_t)json_integer_value(at);
        lm_vocab_grow(v, id);
        if (!s.n)
            return bad("an added token without content");
        if (json_is_true(json_object_get(j, "lstrip")) ||
            json_is_true(json_object_get(j, "rstrip")) ||
            json_is_true(json_object_get(j, "single_word")))
            return lm_err(
                LM_EINVALID,
                "tokenizer.json: added token %u wants lstrip, rstrip or single_word: not supported",
                id);
        if (v->flags[id] & LM_TOKEN_ADDED || lm_dict_get(&v->added, s))
            return lm_err(LM_EINVALID, "tokenizer.json: added token %u is given twice", id);
        if (v->token[id].p && !is_listed(v, id, s))
            return lm_err(LM_EINVALID, "tokenizer.json: id %u is another token in vocab", id);
        listed = v->token[id].p && !v->flags[id] && lm_eq(v->token[id], s) ? LM_TOKEN_LISTED : 0;
        v->token[id] = lm_arena_str(v->text, s);
        v->flags[id] =
            (uint8_t)(LM_TOKEN_ADDED | listed |
                      (json_is_true(json_object_get(j, "special")) ? LM_TOKEN_SPECIAL : 0));
        lm_dict_put(&v->added, s, id);
        for (unsigned b = s.n > 1 ? (unsigned char)s.p[1] : 0, end = s.n > 1 ? b : 255; b <= end;
             b++) {
            unsigned two = (unsigned char)s.p[0] << 8 | b;

            v->addpair[two >> 3] |= (uint8_t)(1 << (two & 7));
        }
        while (k < v->naddlen && v->addlen[k] != s.n)
            k++;
        if (k == v->naddlen) {
            v->addlen = lm_reallocn(v->addlen, k + 1, sizeof *v->addlen);
            v->addlen[v->naddlen++] = s.n;
        }
    }
    if (v->naddlen)
        qsort(v->addlen, v->naddlen, sizeof *v->addlen, by_len_down);
    return 0;
}

/* Is id an ordinary token, or an added one of which merges are now known to make it? */
static bool takes_part(lm_vocab *v, uint32_t id)
{
    if (v->flags[id] & LM_TOKEN_LISTED)
        v->flags[id] |= LM_TOKEN_MERGED;
    return lm_token_merges(v->flags[id]);
}

static int index_tokens(lm_vocab *v)
{
    memset(v->byte, 0xff, sizeof v->byte);
    v->head = lm_reallocn(NULL, (size_t)v->size + 1, sizeof *v->head);
    lm_hint_huge(v->head, ((size_t)v->size + 1) * sizeof *v->head);
    memset(v->head, 0, ((size_t)v->size + 1) * sizeof *v->head);
    v->len = lm_zalloc((size_t)v->size + 1, 1);
    for (uint32_t id = 0; id < v->size; id++) {
        lm_str s = v->token[id];

        if (!s.p)
            continue;
        if (v->flags[id] == LM_TOKEN_ODD)
            return lm_err(LM_EINVALID, "tokenizer.json: \"%.*s\" is no byte-level token",
                          (int)(s.n < 100 ? s.n : 100), s.p);
        v->len[id] = s.n < 255 ? (uint8_t)s.n : 255;
        memcpy(v->head[id], s.p, s.n < 16 ? s.n : 16);
        if (s.n == 1 && takes_part(v, id))
            v->byte[(unsigned char)s.p[0]] = id;
    }
    return 0;
}

static int index_merges(lm_vocab *v)
{
    size_t mask;

    for (v->pairbits = 8; 1ull << v->pairbits < 2 * v->nmerge; v->pairbits++) {
    }
    mask = (1ull << v->pairbits) - 1;
    v->pair = lm_alloc_huge((mask + 1) * sizeof *v->pair);
    memset(v->pair, 0xff, (mask + 1) * sizeof *v->pair);
    for (size_t i = 0; i < v->nmerge; i++) {
        const uint32_t *m = v->merge[i];
        uint64_t key = (uint64_t)m[0] << 32 | m[1];
        size_t h;

        for (int k = 0; k < 3; k++)
            if (m[k] == LM_NO_ID || !takes_part(v, m[k]))
                return lm_err(LM_EINVALID,
                              "tokenizer.json: merge %zu names a token that vocab lacks", i);
        for (h = lm_pair_hash(key, v->pairbits);
             v->pair[h].key != UINT64_MAX && v->pair[h].key != key; h = (h + 1) & mask) {
        }
        v->pair[h] = (struct lm_vocab_pair){
            key, (uint32_t)i, m[2]}; /* listed again: the last counts, as in Hugging Face's map */
    }
    for (uint32_t id = 0; id < v->size; id++)
        v->flags[id] &= (uint8_t)~LM_TOKEN_LISTED;
    return 0;
}

/* --- roles --- */

static const struct {
    const char *key, *names[5];
} roles[LM_ROLE_COUNT] = {
    [LM_ROLE_EOS] = {"eos_token",
                     {"<|endoftext|>", "<|end_of_text|>",
                      "<|end\xe2\x96\x81of\xe2\x96\x81sentence|>", "</s>"}},
    [LM_ROLE_PAD] = {"pad_token", {"<|endoftext|>", "<|finetune_right_pad_id|>", "<pad>"}},
    [LM_ROLE_BOS] = {"bos_token", {"<|begin_of_text|>", "<s>"}},
    [LM_ROLE_FIM_PRE] = {"fim_pre_token", {"<|fim_prefix|>", "<fim_prefix>", "<fim-prefix>"}},
    [LM_ROLE_FIM_MID] = {"fim_mid_token", {"<|fim_middle|>", "<fim_middle>", "<fim-middle>"}},
    [LM_ROLE_FIM_SUF] = {"fim_suf_token", {"<|fim_suffix|>", "<fim_suffix>", "<fim-suffix>"}},
    [LM_ROLE_FIM_PAD] = {"fim_pad_token", {"<|fim_pad|>", "<fim_pad>", "<fim-pad>"}},
    [LM_ROLE_REPO] = {"repo_token", {"<|repo_name|>", "<repo_name>", "<reponame>"}},
    [LM_ROLE_FILE] = {"file_token", {"<|file_sep|>", "<file_sep>", "<filename>"}},
};

static int load_roles(lm_vocab *v, json_t *config)
{
    for (int r = 0; r < LM_ROLE_COUNT; r++) {
        json_t *j = config ? json_object_get(config, roles[r].key) : NULL;
        lm_str name = lm_json_text(json_is_object(j) ? json_object_get(j, "content") : j);

        v->role[r] = LM_NO_ID;
        if (name.p) {
            if ((v->role[r] = lm_vocab_added(v, name)) == LM_NO_ID)
                return lm_err(LM_EINVALID, "tokenizer_config.json: %s \"%.*s\" is no added token",
                              roles[r].key, (int)(name.n < 100 ? name.n : 100), name.p);
        } else if (!config || r >= LM_ROLE_FIM_PRE) {
            for (int k = 0; k < 5 && roles[r].names[k] && v->role[r] == LM_NO_ID; k++)
                v->role[r] = lm_vocab_added(v, lm_cstr(roles[r].names[k]));
        }
    }
    return 0;
}

static int load(lm_vocab *v, json_t *root, json_t *config)
{
    json_t *model = NULL, *vocab = NULL, *merges = NULL, *added = NULL;
    int err;

    if (!json_is_object(root))
        return bad("not an object");
    if ((err = lm_json_need(lm_json_obj(root, "model", &model), "model")) < 0 ||
        (err = lm_json_need(lm_json_obj(model, "vocab", &vocab), "vocab")) < 0 ||
        (err = lm_json_need(lm_json_arr(model, "merges", &merges), "merges")) < 0 ||
        (err = lm_json_arr(root, "added_tokens", &added)) < 0 ||
        (err = load_kind(v, root, model)) < 0 ||
        (err = lm_vocab_load_pre(v, json_object_get(root, "pre_tokenizer"))) < 0 ||
        (err = load_added(v, added)) < 0 || (err = index_tokens(v)) < 0 ||
        (err = index_merges(v)) < 0)
        return err;
    if ((err = lm_vocab_index(v)) < 0)
        return err;
    return load_roles(v, config);
}

int lm_vocab_parse(lm_str tokenizer, lm_str config, lm_vocab **out)
{
    lm_vocab *v = lm_zalloc(1, sizeof *v);
    json_t *root = NULL, *cfg = NULL;
    int err;

    *out = NULL;
    v->text = lm_arena_new();
    lm_id_hex(lm_hash128(tokenizer.p, tokenizer.n), v->hash);
    err = lm_vocab_lists(v, tokenizer, &root);
    if (err >= 0 && config.p)
        err = lm_json_parse(config, &cfg);
    if (err >= 0)
        err = load(v, root, cfg);
    json_decref(root);
    json_decref(cfg);
    if (err < 0)
        lm_vocab_free(v);
    else
        *out = v;
    return err < 0 ? err : 0;
}

int lm_vocab_load(const char *path, lm_vocab **out)
{
    lm_buf file = {0}, tok = {0}, cfg = {0};
    struct stat st;
    bool dir = !stat(path, &st) && S_ISDIR(st.st_mode), has_cfg = false;
    int err;

    *out = NULL;
    lm_buf_addf(&file, "%s%s", path, dir ? "/tokenizer.json" : "");
    err = lm_read_file(file.p, &tok, MAX_FILE);
    if (err >= 0 && dir) {
        lm_buf c = {0};

        lm_buf_addf(&c, "%s/tokenizer_config.json", path);
        has_cfg = !stat(c.p, &st);
        if (has_cfg)
            err = lm_read_file(c.p, &cfg, MAX_FILE);
        lm_buf_free(&c);
    }
    if (err >= 0 &&
        (err = lm_vocab_parse(lm_buf_str(&tok), has_cfg ? lm_buf_str(&cfg) : (lm_str){NULL, 0},
                              out)) < 0) {
        lm_error was = *lm_last_error();

        err = lm_err_at(err, file.p, "%s", was.detail);
    }
    lm_buf_free(&file);
    lm_buf_free(&tok);
    lm_buf_free(&cfg);
    return err;
}
