/* Cuts: what is certain of a text that goes on is so of every text that begins with it; and ids
   made in pieces are those made of the whole. */
#include "lm.h"
#include "tap.h"
#include "text/cut.h"

static uint64_t seed = 7;
static uint64_t rnd(uint64_t n)
{
    return lm_splitmix(&seed) % n;
}

/* Text of few kinds of characters, in runs and alone; mood: which of them, so that runs get long.
 */
static void babble(lm_buf *b, size_t n)
{
    static const char *const bit[] = {"a",
                                      "b",
                                      "Z",
                                      "Q",
                                      "1",
                                      "2",
                                      "345",
                                      " ",
                                      "  ",
                                      "\n",
                                      "\r",
                                      "\t",
                                      "'",
                                      "'s",
                                      "'LL",
                                      "/",
                                      "-",
                                      "=",
                                      "$",
                                      "(",
                                      ".",
                                      "_",
                                      "\xff",
                                      "\xe4\xb8",
                                      "\xe4\xb8\xad",
                                      "\xc3\xa9",
                                      "\xcc\x81",
                                      "\0",
                                      "\xc2\xa0",
                                      "\xe3\x80\x80",
                                      "\xe2\x91\xa0",
                                      "\xc7\x85",
                                      "\xe3\x80\x81",
                                      "\xe2\x82\xac",
                                      "\xd9\xa3",
                                      "\xca\xb0",
                                      "\xf0\x9f\x98\x80",
                                      "\xf0\x90\x90\x80"};
    uint64_t few = 1 + rnd(rnd(2) ? LM_COUNT(bit) : 3), first = rnd(LM_COUNT(bit));

    b->n = 0;
    while (b->n < n) {
        const char *s = bit[(first + rnd(few)) % LM_COUNT(bit)];
        size_t len = *s ? strlen(s) : 1;

        for (uint64_t k = rnd(4) ? 1 : 1 + rnd(20); k; k--)
            lm_buf_add(b, s, len);
    }
}

typedef struct {
    size_t v[1200], n;
} ends;

static void scan(const lm_pre *pre, lm_str t, ends *e)
{
    lm_scan_pos pos = {0};

    e->n = lm_scan(pre, t.p, t.n, &pos, e->v, LM_COUNT(e->v));
    lm_scan_stop(&pos);
}

/* Is the scan of t[from..] the rest of the whole's? */
static bool goes_on(const lm_pre *pre, lm_str t, size_t from, const ends *whole)
{
    ends rest;
    size_t i = 0;

    scan(pre, (lm_str){t.p + from, t.n - from}, &rest);
    while (i < whole->n && whole->v[i] <= from)
        i++;
    if (whole->n - i != rest.n)
        return false;
    for (size_t k = 0; k < rest.n; k++)
        if (whole->v[i + k] != from + rest.v[k])
            return false;
    return true;
}

static bool is_end(const ends *e, size_t at)
{
    for (size_t i = 0; i < e->n; i++)
        if (e->v[i] == at)
            return true;
    return false;
}

static bool cuts_hold(const lm_pre *pre, lm_str t, size_t *found)
{
    ends whole, part;

    scan(pre, t, &whole);
    for (size_t n = 1; n < t.n; n++) {
        lm_str s = {t.p, n};
        size_t cut = lm_cut_text(pre, s), first = lm_cut_first(pre, s);

        if (cut && (cut >= n || !is_end(&whole, cut) || !goes_on(pre, t, cut, &whole))) {
            printf("# cut at %zu of %zu\n", cut, n);
            return false;
        }
        if (first > whole.v[0]) {
            printf("# first %zu, not %zu, of %zu\n", first, whole.v[0], n);
            return false;
        }
        scan(pre, (lm_str){t.p, cut}, &part); /* as a text of its own it is the same pretokens */
        for (size_t i = 0; cut && i < part.n; i++)
            if (part.v[i] != whole.v[i]) {
                printf("# other pretokens before %zu\n", cut);
                return false;
            }
        *found += cut > 0;
        for (size_t at = 1; at < first; at++)
            if (lm_cut_inside(pre, (lm_str){t.p, first}, at) && !goes_on(pre, t, at, &whole)) {
                printf("# inside %zu of %zu, %zu\n", at, first, n);
                return false;
            }
    }
    return true;
}

static void patterns(void)
{
    lm_buf t = {0};

    for (int kind = 0; kind < LM_PRE_COUNT; kind++) {
        const lm_pre *pre = lm_pre_named(kind);
        size_t found = 0;
        bool good = true;

        for (int i = 0; good && i < 500; i++) {
            babble(&t, 40 + rnd(100));
            good = cuts_hold(pre, lm_buf_str(&t), &found);
        }
        if (!good)
            for (size_t i = 0; i < t.n; i++)
                printf("%s%02x", i ? " " : "# ", (unsigned char)t.p[i]);
        ok(good && found > 500, lm_pre_name(pre));
    }
    lm_buf_free(&t);
}

static int add_word(void *words, const lm_word *w)
{
    return lm_bpe_add(words, w->s, w->n);
}

static lm_vocab *make_vocab(int kind)
{
    lm_tally *t = lm_tally_new(1 << 24, 1, NULL);
    lm_words *w = lm_tally_words(t);
    lm_str special[2] = {LM_STR("<|endoftext|>"), LM_STR("'s' 1")};
    lm_buf text = {0}, tok = {0}, cfg = {0};
    lm_bpe_words words = {0};
    lm_vocab *v = NULL;
    lm_bpe b;

    for (int i = 0; i < 300; i++) {
        babble(&text, 200);
        lm_words_text(w, lm_pre_named(kind), lm_buf_str(&text), false, 1);
    }
    lm_tally_each(t, true, NULL, add_word, &words);
    lm_bpe_train(&words, &(lm_bpe_opt){.tokens = 600, .max_bytes = 24}, &b);
    lm_vocab_write(&(lm_vocab_def){.pre = lm_pre_named(kind),
                                   .token = b.token,
                                   .ntoken = b.ntoken,
                                   .merge = b.merge,
                                   .nmerge = b.nmerge,
                                   .special = special,
                                   .nspecial = 2,
                                   .spoken = NULL},
                   &tok, &cfg);
    if (lm_vocab_parse(lm_buf_str(&tok), lm_buf_str(&cfg), &v) < 0)
        printf("# %s\n", lm_last_error()->detail);
    lm_bpe_free(&b);
    lm_tally_free(t);
    lm_buf_free(&text);
    lm_buf_free(&tok);
    lm_buf_free(&cfg);
    return v;
}

static bool same(const lm_ids *a, const lm_ids *b)
{
    return a->n == b->n && (!a->n || !memcmp(a->v, b->v, a->n * sizeof *a->v));
}

/* Long runs, added tokens here and there. */
static void long_text(lm_buf *t)
{
    lm_buf part = {0};

    t->n = 0;
    for (uint64_t k = 1 + rnd(6); k; k--) {
        babble(&part, 1 + rnd(1500));
        lm_buf_add(t, part.p, part.n);
        if (!rnd(3))
            lm_buf_adds(t, rnd(2) ? "<|endoftext|>" : "'s' 1");
    }
    lm_buf_free(&part);
}

static bool pieces(lm_enc *e, lm_str t, int mode, size_t window)
{
    lm_ids want = {0}, off = {0}, have = {0}, off2 = {0};
    lm_encwin *w = lm_encwin_new(e, mode, window);
    int err = lm_enc_part(e, t, mode, 0, &want, &off), err2 = 0;
    bool good;

    for (size_t at = 0, n; err2 >= 0 && at < t.n; at += n) {
        n = 1 + rnd(300);
        if (n > t.n - at)
            n = t.n - at;
        err2 = lm_encwin_add(w, t.p + at, n, &have, &off2);
    }
    if (err2 >= 0)
        err2 = lm_encwin_end(w, &have, &off2);
    good = err < 0 ? err == err2 : err2 >= 0 && same(&want, &have) && same(&off, &off2);
    lm_encwin_free(w);
    free(want.v);
    free(off.v);
    free(have.v);
    free(off2.v);
    return good;
}

static void windows(void)
{
    static const int modes[] = {LM_SPECIAL_TEXT, LM_SPECIAL_PARSE, LM_SPECIAL_DROP,
                                LM_SPECIAL_ERROR};
    lm_buf t = {0};

    for (int kind = 0; kind < LM_PRE_COUNT; kind++) {
        lm_vocab *v;
        lm_enc *e;
        bool good = true;

        v = make_vocab(kind);
        e = lm_enc_new(v, 1 << 16);
        for (int i = 0; good && i < 60; i++) {
            long_text(&t);
            for (size_t m = 0; good && m < LM_COUNT(modes); m++)
                good = pieces(e, lm_buf_str(&t), modes[m], 64 << rnd(5));
        }
        ok(good, "in pieces, words of any length: the ids and offsets of the whole");
        lm_enc_free(e);
        lm_vocab_free(v);
    }
    lm_buf_free(&t);
}

int main(void)
{
    patterns();
    windows();
    return done();
}
