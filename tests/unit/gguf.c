/* GGUF files written and read, hostile lengths, and vocabularies in their keys; lists of ranks and
   the merges they imply. */
#include "tap.h"
#include "text/text.h"

static const uint64_t two_three[] = {2, 3}, block[] = {64, 2};

/* A file of two tensors and a key of each kind; *at: where its data begins. */
static void sample(lm_buf *out, uint64_t align, size_t *at)
{
    static const int32_t numbers[] = {1, -2, 3};
    lm_ggw w;

    lm_ggw_init(&w, align);
    lm_ggw_str(&w, "s", LM_STR("text"));
    lm_ggw_u32(&w, "u32", 7);
    lm_ggw_i32(&w, "i32", -7);
    lm_ggw_u64(&w, "u64", UINT64_MAX);
    lm_ggw_f32(&w, "f32", 1.5f);
    lm_ggw_bool(&w, "yes", true);
    lm_ggw_arr(&w, "numbers", LM_GG_I32, 3);
    lm_ggw_raw(&w, numbers, sizeof numbers);
    lm_ggw_arr(&w, "words", LM_GG_STR, 3);
    lm_ggw_item(&w, LM_STR("a"));
    lm_ggw_item(&w, LM_STR(""));
    lm_ggw_item(&w, LM_STR("bc"));
    ok(lm_ggw_tensor(&w, LM_STR("one"), 0, 2, two_three) == 0, "the first tensor stands at 0");
    ok(lm_ggw_tensor(&w, LM_STR("q"), 8, 2, block) == align, "the second on the next multiple");
    lm_ggw_head(&w, out);
    *at = out->n;
    for (int i = 0; i < 24; i++)
        lm_buf_addc(out, (char)i);
    for (size_t n = lm_ggw_pad(&w, 24); n; n--)
        lm_buf_addc(out, 0);
    for (int i = 0; i < 136; i++)
        lm_buf_addc(out, (char)(100 + i % 20));
    lm_ggw_free(&w);
}

static void read_back(uint64_t align)
{
    lm_buf file = {0};
    const lm_gg_key *k = NULL;
    lm_gguf *g = NULL;
    lm_str s = {0}, rest, w[3] = {{0}};
    uint64_t u = 0;
    bool yes = false, all = true;
    size_t at;

    sample(&file, align, &at);
    ok(at % align == 0, "data is aligned");
    ok(!lm_gguf_parse(lm_buf_str(&file), "x", &g), "the file is read");
    ok(lm_gguf_str(g, "s", &s) == 1 && lm_is(s, "text"), "a string");
    ok(lm_gguf_u64(g, "u32", &u) == 1 && u == 7, "a number");
    ok(lm_gguf_u64(g, "u64", &u) == 1 && u == UINT64_MAX, "the largest number");
    ok(lm_gguf_u64(g, "i32", &u) == LM_EINVALID, "a negative number is none without sign");
    ok(lm_gguf_u64(g, "f32", &u) == LM_EINVALID && lm_gguf_str(g, "u32", &s) == LM_EINVALID,
       "values of other types are refused");
    ok(lm_gguf_u64(g, "none", &u) == 0 && lm_gguf_str(g, "none", &s) == 0, "an absent key");
    ok(lm_gguf_bool(g, "yes", &yes) == 1 && yes, "a truth value");
    ok(lm_gguf_arr(g, "numbers", LM_GG_I32, &k) == 1 && k->n == 3 && lm_gg_int(k, 1) == -2,
       "an array of numbers");
    ok(lm_gguf_arr(g, "numbers", LM_GG_STR, &k) == LM_EINVALID, "which is none of strings");
    ok(lm_gguf_arr(g, "words", LM_GG_STR, &k) == 1, "an array of strings");
    rest = k->data;
    for (int i = 0; i < 3; i++)
        all &= lm_gg_next(&rest, &w[i]);
    ok(all && !lm_gg_next(&rest, &s) && lm_is(w[0], "a") && !w[1].n && lm_is(w[2], "bc"),
       "its strings");
    ok(lm_gguf_tensors(g) == 2 && lm_gguf_tensor(g, 0)->bytes == 24 &&
           lm_gguf_tensor(g, 0)->dim[1] == 3 && lm_gguf_tensor(g, 0)->data == file.p + at,
       "a tensor of f32");
    ok(lm_gguf_tensor(g, 1)->bytes == 136 && lm_gguf_tensor(g, 1)->data[135] == 115,
       "a tensor of q8_0, whole");
    lm_gguf_free(g);
    for (size_t n = 0; n < file.n; n++) {
        char *cut = lm_memdup(file.p, n);
        int err = lm_gguf_parse((lm_str){cut, n}, "x", &g);

        all &= err == (n < 4 ? LM_EINVALID : LM_ETRUNC) && !g;
        free(cut);
    }
    ok(all, "cut at any byte it is refused");
    lm_buf_free(&file);
}

static int parse(const lm_buf *b)
{
    lm_gguf *g;
    int err = lm_gguf_parse(lm_buf_str(b), "x", &g);

    lm_gguf_free(g);
    return err;
}

static void hostile(void)
{
    static const struct {
        size_t at;
        uint64_t value;
        int err;
        const char *name;
    } put[] = {
        {4, 4, LM_EVERSION, "a later version"},
        {8, UINT64_MAX, LM_ETRUNC, "2^64 - 1 tensors"},
        {16, UINT64_MAX, LM_ETRUNC, "2^64 - 1 keys"},
        {16, 1 << 20, LM_ETRUNC, "more keys than the file can hold"},
        {24, UINT64_MAX, LM_ETRUNC, "a key of 2^64 - 1 bytes"},
        {24, UINT64_MAX - 40, LM_ETRUNC, "a length that wraps around"},
        {37, UINT64_MAX / 8 + 2, LM_ETRUNC, "a string of 2^61 bytes"},
    };

    for (size_t i = 0; i < LM_COUNT(put); i++) {
        lm_buf file = {0};
        size_t at;

        sample(&file, LM_GG_ALIGN, &at);
        memcpy(file.p + put[i].at, &put[i].value, put[i].at == 4 ? 4 : 8);
        ok(parse(&file) == put[i].err, put[i].name);
        lm_buf_free(&file);
    }
    ok(!lm_gg_bytes(0, 0, two_three) && !lm_gg_bytes(8, 1, two_three) &&
           !lm_gg_bytes(5, 1, block) && !lm_gg_bytes(0, 2, (uint64_t[]){1ull << 40, 1ull << 40}),
       "no size of what has none");
}

/* Ranks where a token is made of one of higher rank: abc = 3 of a and bc = 4. */
static void ranks(void)
{
    static const char list[] = "YQ== 0\nYg== 1\nYw== 2\nYWJj 3\nYmM= 4\nYWE= 5\nYWFhYWFh 6\n";
    lm_draft d;

    lm_draft_init(&d);
    d.def.pre = lm_pre_named(LM_PRE_QWEN2);
    ok(!lm_tiktoken_parse(lm_cstr(list), "x", &d) && !lm_draft_done(&d), "a list of ranks is read");
    ok(d.def.nmerge == 3 && d.merge[0] == 0 && d.merge[1] == 4, "abc is made of a and bc");
    ok(d.merge[2] == 1 && d.merge[3] == 2 && d.merge[4] == 0 && d.merge[5] == 0,
       "bc and aa of bytes");
    ok(d.def.ignore_merges, "aaaaaa, which aa aa aa do not become, is looked up whole");
    lm_draft_free(&d);
}

/* A vocabulary through keys alone, without the carried tokenizer.json. */
static void keys_alone(void)
{
    lm_buf tok = {0}, again = {0}, file = {0};
    lm_draft d, e;
    lm_vocab *v = NULL;
    lm_gguf *g = NULL;
    lm_str json, chat;
    lm_ggw w;
    int err = 0;

    lm_draft_init(&d);
    lm_draft_init(&e);
    d.def.pre = lm_pre_named(LM_PRE_STARCODER);
    for (unsigned b = 0; b < 256; b++) {
        char c = (char)b;

        err |= lm_draft_token(&d, b, (lm_str){&c, 1});
    }
    err |= lm_draft_token(&d, 300, LM_STR("ab"));
    lm_draft_merge(&d, 'a', 'b');
    err |= lm_draft_added(&d, 256, LM_STR("<|endoftext|>"), false);
    err |= lm_draft_added(&d, 290, LM_STR("<tool>"), true);
    ok(!err && !lm_draft_done(&d), "a vocabulary with gaps and a special among its tokens");
    lm_vocab_write(&d.def, &tok, NULL);
    ok(!lm_vocab_parse(lm_buf_str(&tok), (lm_str){NULL, 0}, &v) && lm_vocab_size(v) == 301, "read");
    lm_ggw_init(&w, LM_GG_ALIGN);
    ok(!lm_vocab_to_gguf(v, LM_STR("{}"), (lm_str){NULL, 0}, 0, &w), "its keys");
    lm_ggw_head(&w, &file);
    ok(!lm_gguf_parse(lm_buf_str(&file), "x", &g) && !lm_vocab_from_gguf(g, &e, &json, &chat) &&
           lm_is(json, "{}") && !chat.p && !lm_draft_done(&e),
       "are read");
    e.def.role = NULL;
    lm_vocab_write(&e.def, &again, NULL);
    ok(lm_eq(lm_buf_str(&tok), lm_buf_str(&again)), "and make the same tokenizer.json");
    ok(e.role[LM_ROLE_EOS] == 256 && e.role[LM_ROLE_BOS] == LM_NO_ID, "with the same roles");
    ok(lm_vocab_missed(v) == 0, "merges reach all of it");
    lm_gguf_free(g);
    lm_ggw_free(&w);
    lm_vocab_free(v);
    lm_draft_free(&d);
    lm_draft_free(&e);
    lm_buf_free(&tok);
    lm_buf_free(&again);
    lm_buf_free(&file);
}

int main(void)
{
    read_back(LM_GG_ALIGN);
    read_back(64);
    hostile();
    ranks();
    keys_alone();
    return done();
}
