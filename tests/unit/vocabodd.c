/* The encoder against the slow one, of vocabularies that no trainer of ours makes. */
#include "babble.h"
#include "sameids.h"
#include "tap.h"
#include "text/vocab-def.h"

/* A merge that joins a younger token: what comes of it is older than its part, and the ids do not
   tell which merge is the earlier. */
static void younger(void)
{
    lm_draft d;
    lm_buf text = {0}, tok = {0};
    lm_vocab *v = NULL;
    bool good = true;

    lm_draft_init(&d);
    d.def.pre = lm_pre_named(LM_PRE_QWEN2);
    for (unsigned b = 0; b < 256; b++)
        lm_draft_token(&d, b, (lm_str){(char[]){(char)b}, 1});
    lm_draft_token(&d, 256, LM_STR("abc"));
    lm_draft_token(&d, 257, LM_STR("ab"));
    lm_draft_merge(&d, 257, 'c');
    lm_draft_merge(&d, 'a', 'b');
    ok(!lm_draft_done(&d), "a vocabulary whose first merge joins what its second makes");
    lm_vocab_write(&d.def, &tok, NULL);
    if (!ok(!lm_vocab_parse(lm_buf_str(&tok), (lm_str){NULL, 0}, &v), "is read"))
        return;
    for (int i = 0; i < 300; i++) {
        lm_ids ids = {0};
        lm_enc *e = lm_enc_new(v, 1 << 16);

        lm_buf_addc(&text, "abc"[i % 3]);
        for (int pass = 0; pass < 2; pass++)
            good &= same_ids(e, lm_buf_str(&text));
        good &= !lm_enc_text(e, lm_buf_str(&text), &ids) && ids.n == (size_t)(i / 3 + 1);
        good &= (i % 3 < 2 || ids.v[0] == 256) && ids.v[ids.n - 1] == (i % 3 == 0   ? 'a'
                                                                       : i % 3 == 1 ? 257u
                                                                                    : 256u);
        lm_enc_free(e);
        free(ids.v);
    }
    ok(good, "its words of all lengths: the slow encoder's ids");
    lm_vocab_free(v);
    lm_draft_free(&d);
    lm_buf_free(&text);
    lm_buf_free(&tok);
}

/* --- merges at random --- */

enum {
    ODD_IDS = 1,     /* ids in any order, as ranks that were given ids of their own */
    ODD_RANKS = 2,   /* merges in any order: some join what only later ones make */
    ODD_TWICE = 4,   /* tokens that several merges make */
    ODD_LOOSE = 8,   /* tokens that no merge makes */
    ODD_IGNORE = 16, /* ignore_merges */
    ODD_WIDE = 32,   /* ids beyond 16 bits */
    ODD_ALL = 64
};

typedef struct {
    lm_str token[256 + 66000 + 1000];
    uint32_t id[256 + 66000 + 1000], n; /* as written */
    uint32_t merge[800][2];
    size_t nmerge;
    lm_dict known;
    lm_arena *text;
} odd;

static uint32_t odd_token(odd *o, lm_str s)
{
    uint64_t *at = lm_dict_put(&o->known, s, o->n);

    if (*at == o->n) {
        o->token[o->n] = lm_arena_str(o->text, s);
        o->id[o->n] = o->n;
        o->n++;
    }
    return (uint32_t)*at;
}

/* Merges at random, of single letters and of what comes of them: up to 48 bytes. */
static void odd_merges(odd *o, unsigned how, const char *letters)
{
    uint32_t first = o->n, nletter = (uint32_t)strlen(letters);
    lm_buf b = {0};

    for (int tries = 0; tries < 6000 && o->nmerge < 300; tries++) {
        uint32_t part[2], to, had = o->n;

        b.n = 0;
        for (int i = 0; i < 2; i++) {
            uint64_t k = rnd(o->n - first + nletter);

            part[i] = k < nletter ? (unsigned char)letters[k] : first + (uint32_t)k - nletter;
            lm_buf_add(&b, o->token[part[i]].p, o->token[part[i]].n);
        }
        if (b.n > 48 || (!(how & ODD_TWICE) && lm_dict_get(&o->known, lm_buf_str(&b))))
            continue;
        to = odd_token(o, lm_buf_str(&b));
        for (size_t i = 0; to < had && i < o->nmerge; i++) /* not the same one again */
            if (!memcmp(o->merge[i], part, sizeof part))
                to = UINT32_MAX;
        if (to != UINT32_MAX)
            memcpy(o->merge[o->nmerge++], part, sizeof part);
    }
    for (int i = 0; how & ODD_LOOSE && i < 60; i++) {
        b.n = 0;
        babble_word(&b, letters, 2 + rnd(i % 3 ? 14 : 39));
        odd_token(o, lm_buf_str(&b));
    }
    lm_buf_free(&b);
}

static void odd_order(odd *o, unsigned how)
{
    for (uint32_t i = o->n; how & ODD_IDS && i > 1; i--) {
        uint64_t k = rnd(i);
        uint32_t id = o->id[i - 1];

        o->id[i - 1] = o->id[k];
        o->id[k] = id;
    }
    for (size_t i = o->nmerge; how & ODD_RANKS && i > 1; i--) {
        uint64_t k = rnd(i);
        uint32_t m[2];

        memcpy(m, o->merge[i - 1], sizeof m);
        memcpy(o->merge[i - 1], o->merge[k], sizeof m);
        memcpy(o->merge[k], m, sizeof m);
    }
}

static lm_vocab *odd_write(const odd *o, bool ignore)
{
    lm_buf tok = {0};
    lm_vocab *v = NULL;
    lm_draft d;
    bool good = true;

    lm_draft_init(&d);
    d.def.pre = lm_pre_named(LM_PRE_QWEN2);
    d.def.ignore_merges = ignore;
    for (uint32_t i = 0; i < o->n; i++)
        good &= !lm_draft_token(&d, o->id[i], o->token[i]);
    for (size_t i = 0; i < o->nmerge; i++)
        lm_draft_merge(&d, o->id[o->merge[i][0]], o->id[o->merge[i][1]]);
    good &= !lm_draft_done(&d);
    lm_vocab_write(&d.def, &tok, NULL);
    good &= !lm_vocab_parse(lm_buf_str(&tok), (lm_str){NULL, 0}, &v);
    good = good && lm_vocab_size(v) == o->n && lm_vocab_merges(v) == o->nmerge;
    if (!good)
        ok(false, lm_last_error()->detail);
    lm_buf_free(&tok);
    lm_draft_free(&d);
    return v;
}

/* Words of each length, more at the lengths where the encoder's ways change; runs; tokens. */
static void odd_text(const odd *o, const char *letters, lm_buf *b)
{
    static const size_t edge[] = {1, 2, 3, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 41, 255, 256};
    static const char *const gap[] = {" ", "\n", ". ", "\t", "1"};

    b->n = 0;
    for (size_t i = 0; i < 200 + 4 * LM_COUNT(edge); i++) {
        babble_word(b, letters, i < 200 ? i + 1 : edge[i % LM_COUNT(edge)]);
        lm_buf_adds(b, gap[rnd(LM_COUNT(gap))]);
    }
    for (size_t n = 1; n < 300; n += n < 70 ? 1 : 61)
        for (const char *c = letters; *c; c++) {
            babble_word(b, (char[]){*c, 0}, n);
            lm_buf_adds(b, gap[rnd(LM_COUNT(gap))]);
            babble_word(b, " ", n % 50);
        }
    for (uint32_t i = o->n - 360; i < o->n; i++) {
        lm_buf_add(b, o->token[i].p, o->token[i].n);
        lm_buf_adds(b, gap[rnd(LM_COUNT(gap))]);
        for (int k = 0; k < 2; k++) {
            lm_str s = o->token[o->n - 1 - rnd(360)];

            lm_buf_add(b, s.p, s.n);
        }
        lm_buf_adds(b, "\n");
    }
}

static lm_vocab *odd_make(odd *o, unsigned how, const char *letters)
{
    lm_buf text = {0};

    o->text = lm_arena_new();
    for (unsigned b = 0; b < 256; b++)
        odd_token(o, (lm_str){(char[]){(char)b}, 1});
    for (unsigned i = 0; how & ODD_WIDE && i < 66000; i++) {
        text.n = 0;
        lm_buf_addf(&text, "z%u", i);
        odd_token(o, lm_buf_str(&text));
    }
    lm_buf_free(&text);
    odd_merges(o, how, letters);
    odd_order(o, how);
    return odd_write(o, how & ODD_IGNORE);
}

static void odd_clear(odd *o)
{
    lm_dict_free(&o->known);
    lm_arena_free(o->text);
    o->n = 0;
    o->nmerge = 0;
}

static bool odd_once(odd *o, unsigned how, const char *letters)
{
    lm_vocab *v = odd_make(o, how, letters);
    lm_buf text = {0};
    bool good = v;

    odd_text(o, letters, &text);
    for (size_t cache = 0; good && cache <= 1 << 18; cache += 1 << 18) {
        lm_enc *e = lm_enc_new(v, cache);

        for (int pass = 0; pass < 2; pass++)
            good &= same_ids(e, lm_buf_str(&text));
        lm_enc_free(e);
    }
    lm_vocab_free(v);
    odd_clear(o);
    lm_buf_free(&text);
    return good;
}

static void odd_ones(void)
{
    static const char *const letters[] = {"ab", "a", "ab ", " ", "a\xff", "abc"};
    odd *o = lm_zalloc(1, sizeof *o);

    for (unsigned how = 0; how < ODD_ALL; how++) {
        char name[100];
        bool good = true;

        for (size_t i = how % 3; i < LM_COUNT(letters); i += how & ODD_WIDE ? 6 : 3)
            good &= odd_once(o, how, letters[i]);
        snprintf(name, sizeof name, "random merges%s%s%s%s%s%s", how & ODD_IDS ? ", any ids" : "",
                 how & ODD_RANKS ? ", any order" : "", how & ODD_TWICE ? ", tokens made twice" : "",
                 how & ODD_LOOSE ? ", tokens never made" : "",
                 how & ODD_IGNORE ? ", ignore_merges" : "", how & ODD_WIDE ? ", wide ids" : "");
        ok(good, name);
    }
    free(o);
}

int main(void)
{
    younger();
    odd_ones();
    return done();
}
