/* The encoder against the slow one, of vocabularies our trainer makes. */
#include "babble.h"
#include "sameids.h"
#include "tap.h"
#include <sys/mman.h>

static int add_word(void *ctx, const lm_word *w)
{
    return lm_bpe_add(ctx, w->s, w->n);
}

/* special: the id of <|endoftext|>, tokens or more. */
static lm_vocab *make_vocab(size_t tokens, int kind, uint32_t special)
{
    const lm_pre *pre = lm_pre_named(kind);
    lm_bpe_words words = {0};
    lm_buf text = {0}, tok = {0}, cfg = {0};
    lm_str name = LM_STR("<|endoftext|>");
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
                                   .special = &name,
                                   .special_id = &special,
                                   .nspecial = 1},
                   &tok, &cfg);
    ok(!lm_vocab_parse(lm_buf_str(&tok), lm_buf_str(&cfg), &v) && lm_vocab_size(v) == special + 1,
       "a vocabulary is trained, written, read");
    lm_bpe_free(&b);
    lm_tally_free(t);
    lm_buf_free(&text);
    lm_buf_free(&tok);
    lm_buf_free(&cfg);
    return v;
}

static void encode(void)
{
    lm_vocab *v = make_vocab(500, LM_PRE_QWEN2, 500);
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

/* Words far more than a cache holds, in passes: entries are pushed out, the ring goes round, the
   table grows; what was kept of one pass is read in the next. */
static void caches(const lm_vocab *v, const char *name)
{
    static const size_t cache[] = {0, 1 << 10, 1 << 16, 1 << 20, 32 << 20};
    lm_ids want = {0}, have = {0};
    lm_buf text = {0};
    bool good;

    for (unsigned i = 0; i < 50000; i++) {
        babble_word(&text, "ab", 2 + rnd(i % 8 ? 18 : 60));
        if (i % 4)
            lm_buf_addc(&text, 'c' + (char)rnd(20));
        lm_buf_addc(&text, ' ');
    }
    good = !lm_vocab_encode_slow(v, lm_buf_str(&text), &want);
    for (size_t c = 0; c < LM_COUNT(cache); c++) {
        lm_enc *e = lm_enc_new(v, cache[c]);

        for (int pass = 0; pass < 3; pass++) {
            size_t at = 0;

            have.n = 0; /* in pieces too, between words: a cache outlives a text */
            for (size_t to = 0; at < text.n; at = to) {
                const char *p;

                to = pass ? at + 1 + rnd(100000) : text.n;
                p = to < text.n ? memchr(text.p + to, ' ', text.n - to) : NULL;
                to = p ? (size_t)(p - text.p) : text.n;
                good &= !lm_enc_text(e, (lm_str){text.p + at, to - at}, &have);
            }
            good &= have.n == want.n && !memcmp(have.v, want.v, want.n * sizeof *want.v);
        }
        if (!good)
            printf("# a cache of %zu\n", cache[c]);
        lm_enc_free(e);
    }
    ok(good, name);
    free(want.v);
    free(have.v);
    lm_buf_free(&text);
}

/* Were it quadratic, this would not end today. */
static void long_words(void)
{
    lm_vocab *v = make_vocab(400, LM_PRE_GPT2, 400);
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
    v = make_vocab(500, LM_PRE_GPT2, 500);
    caches(v, "caches of all sizes under more words than they hold: the slow encoder's ids");
    lm_vocab_free(v);
    v = make_vocab(2000, LM_PRE_GPT2, 100000);
    caches(v, "the same where ids take more than 16 bits");
    lm_vocab_free(v);
    long_words();
    ok(lm_vocab_parse(LM_STR("{}"), (lm_str){NULL, 0}, &v) == LM_EINVALID && !v,
       "an empty object is no vocabulary");
    for (unsigned b = 0; b < 256; b++)
        good &= lm_bytechar_back(lm_bytechar((uint8_t)b)) == (int)b;
    ok(good, "byte-level characters, there and back");
    return done();
}
