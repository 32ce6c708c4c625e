/* encwin: a text is cut where its pretokens are certain (cut.h), and inside a pretoken longer than
   the window where its tokens are. The latter rests on what holds for an ordered vocabulary: a row
   of tokens is the encoding of its bytes if and only if each two neighbours are that of theirs (H.
   van Antwerpen and A. Neubeck, "So many tokens, so little time", 2024). So every piece of an
   encoding is one, and q, a border of tokens in the encoding of a word's front, stays one however
   the word goes on, if the encoding of each longer front p has it, for as many p as the longest
   token has bytes: one of them is a border of the whole. */
#include "text/encwin.h"
#include "stream/stream.h"
#include "text/cut.h"
#include "text/vocab-priv.h"

enum {
    WORD = 256 << 10,
    MAX_TOKEN = 8192
}; /* bytes of a long word taken at once; with longer tokens it stays whole */

struct lm_encwin {
    lm_enc *e;
    const lm_vocab *v;
    int special;
    bool inside;         /* words may be cut */
    size_t window, want; /* want: bytes of text at which ids are made */
    size_t
        hold; /* hold: bytes at the end in which an added token may begin that is not whole yet */
    size_t longest; /* bytes of the longest token */
    lm_buf text;    /* what has no ids yet, */
    uint64_t base;  /* and where it begins */
    lm_ids word, rest;
    lm_memo *memo;
};

bool lm_encwin_can(const lm_vocab *v)
{
    return !v->nfc && lm_pre_kind(v->pre) != LM_PRE_REGEX;
}

lm_encwin *lm_encwin_new(lm_enc *e, int special, size_t window)
{
    lm_encwin *w = lm_zalloc(1, sizeof *w);

    w->e = e;
    w->v = lm_enc_vocab(e);
    w->special = special;
    w->window = w->want = window < 64 ? 64 : window;
    if (special != LM_SPECIAL_TEXT && w->v->naddlen)
        w->hold = w->v->addlen[0] - 1;
    for (uint32_t id = 0; id < w->v->size; id++)
        if (lm_token_merges(w->v->flags[id]) && w->v->token[id].n > w->longest)
            w->longest = w->v->token[id].n;
    w->inside = w->v->ordered && !w->v->ignore_merges && w->longest <= MAX_TOKEN;
    if (w->inside)
        w->memo = lm_zalloc(1, sizeof *w->memo);
    return w;
}

void lm_encwin_free(lm_encwin *w)
{
    if (!w)
        return;
    lm_buf_free(&w->text);
    free(w->word.v);
    free(w->rest.v);
    free(w->memo);
    free(w);
}

/* Is q, behind the token `left`, a border of tokens in every word that begins with s? 1, 0, < 0. */
static int is_border(lm_encwin *w, lm_str s, size_t q, uint32_t left)
{
    uint32_t known = LM_NO_ID; /* the last that stayed behind left */
    int err;

    for (size_t p = s.n - w->longest + 1; p <= s.n; p++) {
        uint32_t right;

        w->rest.n = 0;
        if ((err = lm_word_ids(w->v, w->memo, s.p + q, p - q, &w->rest)) < 0)
            return err;
        right = w->rest.v[0];
        if (right != known && !lm_pair_lasts(w->v, left, right, LM_NO_ID))
            return 0;
        known = right;
    }
    return 1;
}

/* The ids of the front of a word that begins with s and goes on, into w->word; *end: how many bytes
   they are, 0 = none is certain. */
static int word_front(lm_encwin *w, lm_str s, size_t *end)
{
    size_t q = s.n, n;
    int err;

    *end = w->word.n = 0;
    if ((err = lm_word_ids(w->v, w->memo, s.p, s.n, &w->word)) < 0)
        return err;
    n = w->word.n;
    for (size_t back = 2 * w->longest; back <= s.n / 2; back *= 4) {
        while (n && q > s.n - back)
            q -= w->v->token[w->word.v[--n]].n;
        while (n && !lm_cut_inside(w->v->pre, s, q))
            q -= w->v->token[w->word.v[--n]].n;
        if (!n)
            return 0;
        if ((err = is_border(w, s, q, w->word.v[n - 1])) != 0) {
            *end = q;
            w->word.n = n;
            return err;
        }
    }
    return 0;
}

static void put_word(lm_encwin *w, uint64_t at, lm_ids *ids, lm_ids *off)
{
    lm_ids_need(ids, w->word.n);
    for (size_t i = 0; i < w->word.n; i++) {
        lm_ids_put(ids, off, w->word.v[i], (uint32_t)at);
        at += w->v->token[w->word.v[i]].n;
    }
}

/* A pretoken longer than the window: *at moves behind what got ids. */
static int long_word(lm_encwin *w, lm_str t, size_t *at, lm_ids *ids, lm_ids *off)
{
    size_t from = 0, first = lm_cut_first(w->v->pre, t);

    while (first - from > w->window / 2) {
        size_t n = first - from, most = WORD > 64 * w->longest ? WORD : 64 * w->longest, end;
        int err = word_front(w, (lm_str){t.p + from, n < most ? n : most}, &end);

        if (err < 0)
            return err;
        if (!end)
            break;
        put_word(w, w->base + *at + from, ids, off);
        from += end;
    }
    *at += from;
    return 0;
}

static int make(lm_encwin *w, lm_ids *ids, lm_ids *off)
{
    lm_str t = lm_buf_str(&w->text);
    size_t at = 0, hit = 0, end = t.n > w->hold ? t.n - w->hold : 0, cut;
    uint32_t id;
    int err;

    /* an added token ends the text before it as the end of all text would */
    while (w->special != LM_SPECIAL_TEXT && hit < end &&
           (id = lm_vocab_scan_added(w->v, t, &hit)) != LM_NO_ID && hit < end) {
        hit += w->v->token[id].n;
        if ((err = lm_enc_part(w->e, (lm_str){t.p + at, hit - at}, w->special, w->base + at, ids,
                               off)) < 0)
            return err;
        at = hit;
    }
    if (at < end) {
        lm_str s = {t.p + at, end - at};

        if ((cut = lm_cut_text(w->v->pre, s)) &&
            (err = lm_enc_part(w->e, (lm_str){s.p, cut}, LM_SPECIAL_TEXT, w->base + at, ids, off)) <
                0)
            return err;
        at += cut;
        s = (lm_str){t.p + at, end - at};
        if (w->inside && s.n > w->window / 2 && (err = long_word(w, s, &at, ids, off)) < 0)
            return err;
    }
    memmove(w->text.p, t.p + at, t.n - at);
    w->text.n = t.n - at;
    w->base += at;
    if (w->text.n > lm_max_body)
        return lm_err(LM_ELIMIT, "over %zu bytes of text that cannot be cut", lm_max_body);
    return 0;
}

int lm_encwin_add(lm_encwin *w, const void *text, size_t n, lm_ids *ids, lm_ids *off)
{
    const char *p = text;

    while (n) {
        size_t k = n < w->want - w->text.n ? n : w->want - w->text.n;
        int err;

        lm_buf_add(&w->text, p, k);
        p += k;
        n -= k;
        if (w->text.n < w->want)
            break;
        if ((err = make(w, ids, off)) < 0)
            return err;
        w->want = w->text.n <= w->window / 2 ? w->window : 2 * w->text.n;
    }
    return 0;
}

int lm_encwin_end(lm_encwin *w, lm_ids *ids, lm_ids *off)
{
    int err = lm_enc_part(w->e, lm_buf_str(&w->text), w->special, w->base, ids, off);

    w->text.n = 0;
    return err;
}
