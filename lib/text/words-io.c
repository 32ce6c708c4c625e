/* words-io: word counts as @words records: n words back to back, sorted by bytes, their ends and
 * counts. */
#include "text/words.h"

enum { PER_RECORD = 1 << 20, FULL = 256 << 20 }; /* words; bytes of words that end a record early */

static void put_u64(char *at, uint64_t v)
{
    memcpy(at, &v, 8);
}

static uint64_t get_u64(const char *at)
{
    uint64_t v;

    memcpy(&v, at, 8);
    return v;
}

static int put_some(lm_out *out, lm_str text, const lm_word *w, size_t n, const lm_words_how *how)
{
    lm_rec r = {0};
    size_t bytes = text.n, pad;
    char *p, *end, *freq;
    int err;

    pad = (bytes + 7) & ~(size_t)7;
    lm_rec_new(&r, "words");
    lm_setf(&r, "n", "%zu", n);
    lm_set(&r, "dt", LM_STR("u8"));
    lm_setf(&r, "shape", "%zu", bytes);
    lm_setf(&r, "with", "end:u64:%zu,freq:u64:%zu", n, n);
    lm_set(&r, "pretok", lm_cstr(lm_pre_name(how->pre)));
    lm_set(&r, "lines", how->lines ? LM_STR("1") : LM_STR("0"));
    if (how->unit != 1)
        lm_setf(&r, "unit", "%llu", (unsigned long long)how->unit);
    p = lm_body_alloc(&r, pad + 16 * n);
    end = p + pad;
    freq = end + 8 * n;
    memcpy(p, text.p, bytes);
    memset(p + bytes, 0, pad - bytes);
    for (size_t i = 0, at = 0; i < n; i++) {
        at += w[i].s.n;
        put_u64(end + 8 * i, at);
        put_u64(freq + 8 * i, w[i].n);
    }
    err = lm_put(out, &r);
    lm_rec_free(&r);
    return err;
}

/* A record's worth of words, kept until it is full. */
struct lm_words_out {
    lm_out *out;
    lm_words_how how;
    lm_buf text;
    lm_word *v; /* s.p: NULL; the bytes stand in text, one word behind the other */
    size_t n, cap;
    bool any;
};

lm_words_out *lm_words_out_new(lm_out *out, const lm_words_how *how)
{
    lm_words_out *o = lm_zalloc(1, sizeof *o);

    o->out = out;
    o->how = *how;
    return o;
}

void lm_words_out_drop(lm_words_out *o)
{
    if (!o)
        return;
    lm_buf_free(&o->text);
    free(o->v);
    free(o);
}

static int flush(lm_words_out *o)
{
    int err = put_some(o->out, lm_buf_str(&o->text), o->v, o->n, &o->how);

    o->any = true;
    o->n = o->text.n = 0;
    return err;
}

int lm_words_out_put(lm_words_out *o, const lm_word *w)
{
    int err = o->n && (o->n == PER_RECORD || o->text.n + w->s.n > FULL) ? flush(o) : 0;

    if (err < 0)
        return err;
    LM_GROW(o->v, o->n, o->cap);
    lm_buf_add(&o->text, w->s.p, w->s.n);
    o->v[o->n++] = (lm_word){{NULL, w->s.n}, w->n};
    return 0;
}

int lm_words_out_end(lm_words_out *o)
{
    int err = o->n || !o->any ? flush(o) : 0;

    lm_words_out_drop(o);
    return err;
}

static int same_cut(lm_rec *r, const lm_words_how *how)
{
    lm_str pre = lm_get(r, "pretok");
    uint64_t lines;
    int got;

    if (pre.p && !lm_is(pre, lm_pre_name(how->pre)))
        return lm_rec_fail(r, LM_EMISMATCH, "words cut by pattern %.*s, not %s",
                           (int)(pre.n < 32 ? pre.n : 32), pre.p, lm_pre_name(how->pre));
    if ((got = lm_get_u64(r, "lines", &lines)) < 0)
        return got;
    if (got && (lines != 0) != how->lines)
        return lm_rec_fail(r, LM_EMISMATCH, "words counted %s --lines", lines ? "with" : "without");
    return 0;
}

static int bad_word(lm_rec *r, uint64_t i, const char *what)
{
    return lm_rec_fail(r, LM_EINVALID, "word %llu: %s", (unsigned long long)i, what);
}

int lm_words_take(lm_words *w, lm_rec *r, const lm_words_how *how, bool *parts)
{
    lm_str text, end, freq, before = {NULL, 0};
    uint64_t n, d0, k, unit = 1, last = 0;
    int got;

    if ((got = same_cut(r, how)) < 0 || (got = lm_get_u64(r, "unit", &unit)) < 0)
        return got;
    if (!unit || how->unit % unit)
        return lm_rec_fail(r, LM_EINVALID, "unit=%llu: not 1 or 256", (unsigned long long)unit);
    *parts |= unit != 1;
    if ((got = lm_array(r, "", "u8", &text, &d0, &k)) < 0 ||
        (got = lm_array(r, "end", "u64", &end, &d0, &n)) < 0)
        return got;
    if (got && (got = lm_array(r, "freq", "u64", &freq, &d0, &k)) < 0)
        return got;
    if (!got || k != n)
        return lm_rec_fail(r, LM_EINVALID, "no arrays end and freq of one size");
    for (uint64_t i = 0; i < n; i++) {
        uint64_t e = get_u64(end.p + 8 * i), f = get_u64(freq.p + 8 * i), all;
        lm_str word = {text.p + last, e - last};

        if (e <= last || e > text.n || !f || __builtin_mul_overflow(f, how->unit / unit, &all))
            return bad_word(r, i, "end or count out of range");
        if (i && lm_cmp(before, word) >= 0)
            return bad_word(r, i, "not in order");
        if ((got = lm_words_add(w, word, all)) < 0)
            return got;
        before = word;
        last = e;
    }
    if (last != text.n)
        return bad_word(r, n, "missing");
    return 0;
}
