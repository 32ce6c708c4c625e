/* The encoder against the slow one. */
#include "lm.h"
#include <sys/mman.h>

static int count, failed;

static void ok(bool good, const char *name)
{
    failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
}

static uint64_t seed = 1;
static uint64_t rnd(uint64_t n)
{
    return lm_splitmix(&seed) % n;
}

/* Text of few letters, so that merges nest: words of up to `longest`. */
static void babble(lm_buf *b, size_t n, size_t longest)
{
    b->n = 0;
    while (b->n < n) {
        for (uint64_t k = 1 + rnd(longest); k; k--)
            lm_buf_addc(b, (char)("aab"[rnd(3)]));
        lm_buf_addc(b, " \n\xff\t"[rnd(4)]);
    }
}

static int add_word(void *ctx, const lm_word *w)
{
    return lm_bpe_add(ctx, w->s, w->n);
}

static lm_vocab *make_vocab(size_t tokens, int kind)
{
    const lm_pre *pre = lm_pre_named(kind);
    lm_bpe_words words = {0};
    lm_buf text = {0}, tok = {0}, cfg = {0};
    lm_str special = LM_STR("<|endoftext|>");
    lm_vocab *v = NULL;
    lm_tally *t = lm_tally_new(1 << 24, 1, NULL);
    lm_bpe b;

    babble(&text, 20000, 30);
    lm_words_text(lm_tally_words(t), pre, lm_buf_str(&text), false, 1);
    lm_tally_each(t, false, NULL, add_word, &words);
    lm_bpe_train(&words, &(lm_bpe_opt){.tokens = tokens}, &b);
    lm_vocab_write(&(lm_vocab_def){.pre = pre,
                                   .token = b.token,
                                   .ntoken = b.ntoken,
                                   .merge = b.merge,
                                   .nmerge = b.nmerge,
                                   .special = &special,
                                   .nspecial = 1},
                   &tok, &cfg);
    ok(!lm_vocab_parse(lm_buf_str(&tok), lm_buf_str(&cfg), &v) && lm_vocab_size(v) == tokens + 1,
       "a vocabulary is trained, written, read");
    lm_bpe_free(&b);
    lm_tally_free(t);
    lm_buf_free(&text);
    lm_buf_free(&tok);
    lm_buf_free(&cfg);
    return v;
}

static bool same_ids(lm_enc *e, lm_str t)
{
    lm_ids fast = {0}, slow = {0};
    lm_buf back = {0};
    const lm_vocab *v = lm_enc_vocab(e);
    bool good = !lm_enc_text(e, t, &fast) && !lm_vocab_encode_slow(v, t, &slow) &&
                fast.n == slow.n && (!fast.n || !memcmp(fast.v, slow.v, fast.n * sizeof *fast.v)) &&
                !lm_vocab_decode(v, fast.v, fast.n, false, &back) && lm_eq(lm_buf_str(&back), t);

    if (!good)
        printf("# a text of %zu bytes\n", t.n);
    free(fast.v);
    free(slow.v);
    lm_buf_free(&back);
    return good;
}

static void encode(void)
{
    lm_vocab *v = make_vocab(500, LM_PRE_QWEN2);
    static const size_t cache[] = {1, 4096, 1 << 20};
    lm_buf text = {0};
    size_t page = 65536;
    char *p = mmap(NULL, page + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool good = true;

    for (size_t c = 0; c < LM_COUNT(cache); c++) {
        lm_enc *e = lm_enc_new(v, cache[c]);

        for (size_t longest = 1; longest < 400; longest = longest * 3 / 2 + 1) {
            babble(&text, 5000, longest);
            good &= same_ids(e, lm_buf_str(&text));
        }
        lm_enc_free(e);
    }
    ok(good, "words of all lengths, caches of all sizes: the slow encoder's ids");
    mprotect(p + page, 4096, PROT_NONE);
    good = true;
    for (size_t n = 0; n < 200; n++) {
        lm_enc *e = lm_enc_new(v, 1 << 16);

        for (size_t i = 0; i < n; i++)
            p[page - n + i] = "aab \xe4\xff"[rnd(6)];
        good &= same_ids(e, (lm_str){p + page - n, n});
        lm_enc_free(e);
    }
    ok(good, "texts that end at the end of a page");
    good = true;
    for (size_t n = 36; n < 46; n++) { /* where scan gives way to heap */
        lm_enc *e = lm_enc_new(v, 1 << 16);

        for (int k = 0; k < 50; k++) {
            text.n = 0;
            for (size_t i = 0; i < n; i++)
                lm_buf_addc(&text, "ab"[rnd(2)]);
            good &= same_ids(e, lm_buf_str(&text));
        }
        lm_enc_free(e);
    }
    ok(good, "words about the length where a heap takes over");
    munmap(p, page + 4096);
    lm_buf_free(&text);
    lm_vocab_free(v);
}

/* Were it quadratic, this would not end today. */
static void long_words(void)
{
    lm_vocab *v = make_vocab(400, LM_PRE_GPT2);
    lm_buf b = {0}, back = {0};
    lm_ids ids = {0};

    for (size_t i = 0; i < 1 << 20; i++)
        lm_buf_addc(&b, "aab"[rnd(3)]);
    ok(!lm_vocab_encode(v, lm_buf_str(&b), &ids) &&
           !lm_vocab_decode(v, ids.v, ids.n, false, &back) &&
           lm_eq(lm_buf_str(&b), lm_buf_str(&back)),
       "a word of a million letters, there and back");
    free(ids.v);
    lm_buf_free(&b);
    lm_buf_free(&back);
    lm_vocab_free(v);
}

int main(void)
{
    bool good = true;
    lm_vocab *v;

    encode();
    long_words();
    ok(lm_vocab_parse(LM_STR("{}"), (lm_str){NULL, 0}, &v) == LM_EINVALID && !v,
       "an empty object is no vocabulary");
    for (unsigned b = 0; b < 256; b++)
        good &= lm_bytechar_back(lm_bytechar((uint8_t)b)) == (int)b;
    ok(good, "byte-level characters, there and back");
    printf("1..%d\n", count);
    return failed > 0;
}
