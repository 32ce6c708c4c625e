/* The encoder against the slow one, the trainer against a plain one, word counts. */
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

/* --- the trainer by its rules, counting everything anew at each step --- */

typedef struct {
    uint32_t *s;
    size_t n;
    uint64_t mult;
} word;

static void plain_train(const lm_word *w, size_t n, const lm_bpe_opt *o, lm_buf *log)
{
    word *v = lm_zalloc(n, sizeof *v);
    lm_buf tok[600] = {{0}};
    size_t ntok = 0;
    static int64_t pairs[600][600];

    for (uint32_t cp = 0; cp < 512; cp++)
        if (lm_bytechar_back(cp) >= 0)
            lm_buf_addc(&tok[ntok++], (char)lm_bytechar_back(cp));
    for (size_t i = 0; i < n; i++) {
        v[i] = (word){lm_reallocn(NULL, w[i].s.n, 4), w[i].s.n, w[i].n};
        for (size_t k = 0; k < v[i].n; k++)
            for (uint32_t t = 0; t < 256; t++)
                if (tok[t].p[0] == w[i].s.p[k])
                    v[i].s[k] = t;
    }
    while (ntok < o->tokens) {
        int64_t best = 0;
        uint32_t a = 0, b = 0, c = 0;
        lm_buf both = {0};

        memset(pairs, 0, sizeof pairs);
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k + 1 < v[i].n; k++)
                pairs[v[i].s[k]][v[i].s[k + 1]] += (int64_t)v[i].mult;
        for (uint32_t x = 0; x < ntok; x++)
            for (uint32_t y = 0; y < ntok; y++)
                if (pairs[x][y] > best && (!o->max_bytes || tok[x].n + tok[y].n <= o->max_bytes)) {
                    best = pairs[x][y];
                    a = x;
                    b = y;
                }
        if (best < 1 || best < (int64_t)o->min_count)
            break;
        lm_buf_add(&both, tok[a].p, tok[a].n);
        lm_buf_add(&both, tok[b].p, tok[b].n);
        while (c < ntok && !lm_eq(lm_buf_str(&tok[c]), lm_buf_str(&both)))
            c++;
        if (c == ntok)
            tok[ntok++] = both;
        else
            lm_buf_free(&both);
        lm_buf_addf(log, "%u %u\n", a, b);
        for (size_t i = 0; i < n; i++) {
            size_t to = 0;

            for (size_t k = 0; k < v[i].n; k++) {
                bool hit = k + 1 < v[i].n && v[i].s[k] == a && v[i].s[k + 1] == b;

                v[i].s[to++] = hit ? c : v[i].s[k];
                k += hit;
            }
            v[i].n = to;
        }
    }
    for (size_t i = 0; i < n; i++)
        free(v[i].s);
    for (size_t i = 0; i < ntok; i++)
        lm_buf_free(&tok[i]);
    free(v);
}

static bool train_once(size_t letters, const lm_bpe_opt *o, uint64_t times)
{
    lm_words *words = lm_words_new();
    lm_buf text = {0}, want = {0}, have = {0};
    lm_word *w;
    lm_bpe b;
    size_t n;
    bool good;

    babble(&text, letters, 12);
    lm_words_text(words, lm_pre_named(LM_PRE_QWEN2), lm_buf_str(&text), false, times);
    n = lm_words_sorted(words, &w);
    lm_bpe_train(w, n, o, &b);
    for (size_t i = 0; i < b.nmerge; i++)
        lm_buf_addf(&have, "%u %u\n", b.merge[2 * i], b.merge[2 * i + 1]);
    plain_train(w, n, o, &want);
    good = lm_eq(lm_buf_str(&have), lm_buf_str(&want)) && b.nmerge;
    lm_bpe_free(&b);
    free(w);
    lm_words_free(words);
    lm_buf_free(&text);
    lm_buf_free(&want);
    lm_buf_free(&have);
    return good;
}

static lm_vocab *make_vocab(size_t tokens, int pre)
{
    lm_words *words = lm_words_new();
    lm_buf text = {0}, tok = {0}, cfg = {0};
    lm_str special = LM_STR("<|endoftext|>");
    lm_vocab *v = NULL;
    lm_word *w;
    lm_bpe b;
    size_t n;

    babble(&text, 20000, 30);
    lm_words_text(words, lm_pre_named(pre), lm_buf_str(&text), false, 1);
    n = lm_words_sorted(words, &w);
    lm_bpe_train(w, n, &(lm_bpe_opt){.tokens = tokens}, &b);
    lm_vocab_write(&(lm_vocab_def){lm_pre_named(pre), b.token, b.ntoken, b.merge, b.nmerge,
                                   &special, 1},
                   &tok, &cfg);
    ok(!lm_vocab_parse(lm_buf_str(&tok), lm_buf_str(&cfg), &v) && lm_vocab_size(v) == tokens + 1,
       "a vocabulary is trained, written, read");
    lm_bpe_free(&b);
    free(w);
    lm_words_free(words);
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

    for (int i = 0; i < 20; i++)
        good &=
            train_once(200 + 40 * (size_t)i, &(lm_bpe_opt){.tokens = 256 + 30 + 5 * (size_t)i}, 1);
    ok(good, "merges: those of the plain trainer");
    ok(train_once(800, &(lm_bpe_opt){.tokens = 400, .max_bytes = 5}, 1),
       "also with a greatest length");
    ok(train_once(800, &(lm_bpe_opt){.tokens = 400, .min_count = 9}, 1), "also with a least count");
    ok(train_once(800, &(lm_bpe_opt){.tokens = 330}, 1ull << 40),
       "also with counts beyond 32 bits");
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
