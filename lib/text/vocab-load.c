/* vocab-load: reads tokenizer.json and tokenizer_config.json. What we cannot honour exactly is
   refused by name; nothing is guessed. Ids and merges are taken as listed. */
#include "text/vocab-priv.h"
#include <sys/stat.h>

enum { MAX_FILE = 256 << 20, MAX_ID = 1 << 24 };

static int bad(const char *what)
{
    return lm_err(LM_EINVALID, "tokenizer.json: %s", what);
}

/* The bytes behind a token's byte-level text; p NULL if a character has none. back: bytechar to
 * byte, -1 none. */
static lm_str unlevel(lm_vocab *v, const int16_t back[512], lm_str s)
{
    char *to = lm_arena_alloc(v->text, s.n + 1);
    size_t n = 0, len;

    for (size_t i = 0; i < s.n; i += len) {
        uint32_t cp = lm_utf8_get(s.p + i, s.n - i, &len);

        if (cp >= 512 || back[cp] < 0)
            return (lm_str){NULL, 0};
        to[n++] = (char)back[cp];
    }
    to[n] = 0;
    return (lm_str){to, n};
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
    if (norm && !json_is_null(norm)) {
        if (!lm_is(lm_json_text(json_object_get(norm, "type")), "NFC"))
            return bad("a normalizer other than NFC: not supported");
        v->nfc = true;
    }
    return 0;
}

/* An id of the file in *id; the largest seen so far + 1 in *size. */
static int get_id(json_t *j, uint32_t *id, uint32_t *size)
{
    if (!json_is_integer(j) || json_integer_value(j) < 0 || json_integer_value(j) >= MAX_ID)
        return lm_err(LM_EINVALID, "tokenizer.json: an id is no integer from 0 to %d", MAX_ID - 1);
    *id = (uint32_t)json_integer_value(j);
    if (*id >= *size)
        *size = *id + 1;
    return 0;
}

static int load_tokens(lm_vocab *v, json_t *vocab)
{
    int16_t back[512];
    const char *key;
    json_t *j;
    uint32_t id;

    for (int cp = 0; cp < 512; cp++)
        back[cp] = (int16_t)lm_bytechar_back((uint32_t)cp);
    json_object_foreach (vocab, key, j) {
        lm_str bytes;

        get_id(j, &id, &v->size); /* checked before */
        if (v->token[id].p && !v->flags[id])
            return lm_err(LM_EINVALID, "tokenizer.json: id %u is given twice", id);
        if (v->flags[id]) {
            if (!lm_is(v->token[id], key))
                return lm_err(LM_EINVALID, "tokenizer.json: id %u is an added token and \"%s\"", id,
                              key);
            continue;
        }
        bytes = unlevel(v, back, lm_cstr(key));
        if (!bytes.p || !bytes.n)
            return lm_err(LM_EINVALID, "tokenizer.json: \"%s\" is no byte-level token", key);
        v->token[id] = bytes;
    }
    return 0;
}

static int by_len_down(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;

    return (x < y) - (x > y);
}

static int load_added(lm_vocab *v, json_t *list)
{
    size_t i;
    json_t *j;

    json_array_foreach(list, i, j)
    {
        lm_str s = lm_json_text(json_object_get(j, "content"));
        uint32_t id;
        size_t k = 0;

        get_id(json_object_get(j, "id"), &id, &v->size);
        if (!s.n)
            return bad("an added token without content");
        if (json_is_true(json_object_get(j, "lstrip")) ||
            json_is_true(json_object_get(j, "rstrip")) ||
            json_is_true(json_object_get(j, "single_word")))
            return lm_err(
                LM_EINVALID,
                "tokenizer.json: added token %u wants lstrip, rstrip or single_word: not supported",
                id);
        if (v->flags[id] || lm_dict_get(&v->added, s))
            return lm_err(LM_EINVALID, "tokenizer.json: added token %u is given twice", id);
        v->token[id] = lm_arena_str(v->text, s);
        v->flags[id] =
            LM_TOKEN_ADDED | (json_is_true(json_object_get(j, "special")) ? LM_TOKEN_SPECIAL : 0);
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

static void index_tokens(lm_vocab *v)
{
    for (v->nfind = 256; v->nfind < 2 * (size_t)v->size; v->nfind *= 2) {
    }
    v->find = lm_reallocn(NULL, v->nfind, sizeof *v->find);
    memset(v->find, 0xff, v->nfind * sizeof *v->find);
    memset(v->byte, 0xff, sizeof v->byte);
    v->head = lm_zalloc((size_t)v->size + 1, sizeof *v->head);
    v->len = lm_zalloc((size_t)v->size + 1, 1);
    for (uint32_t id = 0; id < v->size; id++) {
        lm_str s = v->token[id];
        size_t i;

        if (!s.p)
            continue;
        v->len[id] = s.n < 255 ? (uint8_t)s.n : 255;
        memcpy(v->head[id], s.p, s.n < 16 ? s.n : 16);
        if (v->flags[id])
            continue;
        for (i = lm_hash64(s.p, s.n, 0) & (v->nfind - 1); v->find[i] != LM_NO_ID;
             i = (i + 1) & (v->nfind - 1)) {
        }
        v->find[i] = id;
        if (s.n == 1)
            v->byte[(unsigned char)s.p[0]] = id;
    }
}

/* Where the text of merge i ends its left part: two strings, or the old form "a b". */
static bool merge_halves(json_t *j, lm_str *a, lm_str *b)
{
    lm_str s = lm_json_text(j);
    const char *sp;

    if (json_is_array(j) && json_array_size(j) == 2) {
        *a = lm_json_text(json_array_get(j, 0));
        *b = lm_json_text(json_array_get(j, 1));
        return a->p && b->p;
    }
    if (!s.p || !(sp = memchr(s.p, ' ', s.n)))
        return false;
    *a = (lm_str){s.p, (size_t)(sp - s.p)};
    *b = (lm_str){sp + 1, s.n - a->n - 1};
    return true;
}

static int load_merges(lm_vocab *v, json_t *list)
{
    int16_t back[512];
    lm_buf both = {0};
    size_t i, mask;
    json_t *j;
    int err = 0;

    for (int cp = 0; cp < 512; cp++)
        back[cp] = (int16_t)lm_bytechar_back((uint32_t)cp);
    v->merge = lm_reallocn(NULL, json_array_size(list) + 1, sizeof *v->merge);
    for (v->pairbits = 8; 1ull << v->pairbits < 2 * json_array_size(list); v->pairbits++) {
    }
    mask = (1ull << v->pairbits) - 1;
    v->pair = lm_reallocn(NULL, mask + 1, sizeof *v->pair);
    memset(v->pair, 0xff, (mask + 1) * sizeof *v->pair);
    json_array_foreach(list, i, j)
    {
        lm_str a, b;
        uint32_t left, right, id;
        uint64_t key;
        size_t h;

        if (!merge_halves(j, &a, &b) || !(a = unlevel(v, back, a)).p ||
            !(b = unlevel(v, back, b)).p) {
            err =
                lm_err(LM_EINVALID, "tokenizer.json: merge %zu is no pair of byte-level tokens", i);
            break;
        }
        both.n = 0;
        lm_buf_add(&both, a.p, a.n);
        lm_buf_add(&both, b.p, b.n);
        left = lm_vocab_find(v, a);
        right = lm_vocab_find(v, b);
        id = lm_vocab_find(v, lm_buf_str(&both));
        if (left == LM_NO_ID || right == LM_NO_ID || id == LM_NO_ID) {
            err =
                lm_err(LM_EINVALID, "tokenizer.json: merge %zu names a token that vocab lacks", i);
            break;
        }
        key = (uint64_t)left << 32 | right;
        for (h = lm_pair_hash(key, v->pairbits);
             v->pair[h].key != UINT64_MAX && v->pair[h].key != key; h = (h + 1) & mask) {
        }
        v->pair[h] = (struct lm_vocab_pair){
            key, (uint32_t)i, id}; /* listed again: the last counts, as in Hugging Face's map */
        v->merge[i][0] = left;
        v->merge[i][1] = right;
        v->merge[i][2] = id;
        v->nmerge = i + 1;
    }
    lm_buf_free(&both);
    return err;
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
    json_t *model = NULL, *vocab = NULL, *merges = NULL, *added = NULL, *j;
    const char *key;
    uint32_t id;
    size_t i;
    int err;

    if (!json_is_object(root))
        return bad("not an object");
    if ((err = lm_json_need(lm_json_obj(root, "model", &model), "model")) < 0 ||
        (err = lm_json_need(lm_json_obj(model, "vocab", &vocab), "vocab")) < 0 ||
        (err = lm_json_need(lm_json_arr(model, "merges", &merges), "merges")) < 0 ||
        (err = lm_json_arr(root, "added_tokens", &added)) < 0 ||
        (err = load_kind(v, root, model)) < 0 ||
        (err = lm_vocab_load_pre(v, json_object_get(root, "pre_tokenizer"))) < 0)
        return err;
    json_object_foreach (vocab, key, j)
        if ((err = get_id(j, &id, &v->size)) < 0)
            return err;
    json_array_foreach(added, i, j) if ((err = get_id(json_object_get(j, "id"), &id, &v->size)) <
                                        0) return err;
    v->token = lm_zalloc((size_t)v->size + 1, sizeof *v->token);
    v->flags = lm_zalloc((size_t)v->size + 1, 1);
    if ((err = load_added(v, added)) < 0 || (err = load_tokens(v, vocab)) < 0)
        return err;
    index_tokens(v);
    if ((err = load_merges(v, merges)) < 0)
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
    err = lm_json_parse(tokenizer, &root);
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
