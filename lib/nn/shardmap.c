/* shardmap: reads one token shard in place. The file is walked by its record heads, so opening a
   shard costs a few lines whatever its size; blocks are checked when they are first met
   (shardmet.c). */
#include "nn/shard.h"
#include <inttypes.h>

typedef struct {
    lm_shard *s;
    lm_rec r;
    uint64_t seq, off, body;
    bool shard, tok, ended;
} walk;

static int bad(walk *w, int err, const char *what)
{
    char where[512];

    snprintf(where, sizeof where, "%s:%" PRIu64 ":%" PRIu64, w->s->path, w->seq, w->off);
    return lm_err_at(err, where, "%s", what);
}

static int need(walk *w, const char *key, uint64_t *v)
{
    int got = lm_get_u64(&w->r, key, v);

    if (got == 1)
        return 0;
    return got < 0 ? got : lm_err_at(LM_EMISSING, w->s->path, "@shard without %s=", key);
}

static int head(walk *w)
{
    lm_shard *s = w->s;
    lm_str v = lm_get(&w->r, "vocab"), h = lm_get(&w->r, "hash"), m = lm_get(&w->r, "mode"),
           dt = lm_get(&w->r, "dt");
    lm_str part = lm_get(&w->r, "piece");
    lm_id id;
    int err;

    if (w->shard)
        return bad(w, LM_ECORRUPT, "a second @shard");
    w->shard = true;
    if (!v.p || v.n != 32 || !lm_id_parse(v, &id))
        return bad(w, LM_EINVALID, "@shard without a vocab= of 32 hex digits");
    if (!h.p || h.n != 32 || !lm_id_parse(h, &s->hash))
        return bad(w, LM_EINVALID, "@shard without a hash= of 32 hex digits");
    memcpy(s->vocab, v.p, 32);
    if (m.n < sizeof s->mode && m.n)
        memcpy(s->mode, m.p, m.n);
    s->width = lm_is(dt, "u16") ? 2 : lm_is(dt, "u32") ? 4 : 0;
    if (!s->width)
        return bad(w, LM_EINVALID, "@shard: dt= is neither u16 nor u32");
    if (part.p && !lm_parse_part(part, &s->piece, &s->pieces))
        return bad(w, LM_EINVALID, "@shard: piece= is not I/N");
    if ((err = need(w, "tokens", &s->tokens)) || (err = need(w, "docs", &s->docs)) ||
        (err = need(w, "seq", &s->seq)))
        return err;
    return lm_get_u64(&w->r, "bytes", &s->bytes) < 0 ? LM_EINVALID : 0;
}

/* One array of the shard: dt and elements must be as said. */
static int array(walk *w, const char *name, const char *dt, uint64_t n, const uint8_t **out)
{
    lm_str a;
    uint64_t d0, have;
    int got = lm_array(&w->r, name, dt, &a, &d0, &have);

    if (got < 0)
        return bad(w, LM_EINVALID, lm_last_error()->detail);
    if (!got || have != n)
        return bad(w, LM_EMISMATCH, "array of another size than @shard says");
    *out = (const uint8_t *)a.p;
    return 0;
}

/* The sums of the record's body, if it has them: of all that stands before them there. */
static int sums(walk *w, const char *name, lm_shard_sums *c)
{
    const uint8_t *body = (const uint8_t *)w->r.body.p;
    lm_str a;
    uint64_t d0, n;
    int got = lm_array(&w->r, "sum", "u32", &a, &d0, &n);

    if (got < 0)
        return bad(w, LM_EINVALID, lm_last_error()->detail);
    if (!got) /* an older shard */
        return 0;
    *c = (lm_shard_sums){.name = name, .body = body, .sum = (const uint8_t *)a.p};
    c->len = (uint64_t)(c->sum - body);
    if (c->sum + 4 * n != body + w->r.body.n)
        return bad(w, LM_EINVALID, "sums that are not the last part of the body");
    if (n != lm_shard_sums_of(c->len))
        return bad(w, LM_EMISMATCH, "sums of another number of blocks than the record has");
    c->met = lm_zalloc(n + 1, sizeof *c->met);
    return 0;
}

static int record(walk *w)
{
    lm_shard *s = w->s;
    lm_str t = w->r.type;
    int err;

    if (lm_is(t, "shard"))
        return head(w);
    if (!w->shard)
        return bad(w, LM_ECORRUPT, "not a shard: the first record is no @shard");
    if (lm_is(t, "tok")) {
        if (w->tok)
            return bad(w, LM_ECORRUPT, "a second @tok");
        w->tok = true;
        s->len = s->tokens * s->width;
        return array(w, "", s->width == 2 ? "u16" : "u32", s->tokens, &s->tok);
    }
    if (lm_is(t, "ends")) {
        uint64_t blocks = (s->len + LM_SHARD_BLOCK - 1) / LM_SHARD_BLOCK;

        if (!w->tok) /* how many blocks there are is not known yet */
            return bad(w, LM_ECORRUPT, "@ends before @tok");
        if (s->ends)
            return bad(w, LM_ECORRUPT, "a second @ends");
        if ((err = array(w, "", "u64", s->docs, &s->ends)) ||
            (err = array(w, "crc", "u32", blocks, &s->crc)))
            return err;
        return sums(w, "ends", &s->of_ends);
    }
    if (lm_is(t, "ids")) {
        if (s->ids)
            return bad(w, LM_ECORRUPT, "a second @ids");
        if ((err = array(w, "", "u8", s->docs * 16, &s->ids)) ||
            (err = array(w, "from", "u64", s->docs, &s->from)))
            return err;
        return sums(w, "ids", &s->of_ids);
    }
    if (lm_is(t, "weight")) {
        if (s->weight)
            return bad(w, LM_ECORRUPT, "a second @weight");
        return (err = array(w, "", "u8", s->tokens, &s->weight)) ? err
                                                                 : sums(w, "weight", &s->of_weight);
    }
    if (lm_is(t, "prefix")) {
        if (s->prefix)
            return bad(w, LM_ECORRUPT, "a second @prefix");
        return (err = array(w, "", "u32", s->docs, &s->prefix)) ? err
                                                                : sums(w, "prefix", &s->of_prefix);
    }
    return 0;
}

/* A line that starts with '%', of n bytes with its LF. */
static int note(walk *w, const char *p, size_t n)
{
    char want[64];
    int m = snprintf(want, sizeof want, "%%end n=%" PRIu64 " b=%" PRIu64, w->seq, w->body);

    if (n >= 7 && !memcmp(p, "%abort ", 7))
        return bad(w, LM_ECORRUPT, "holds an %abort");
    if (n < 5 || memcmp(p, "%end ", 5))
        return 0;
    w->ended = true;
    if ((size_t)m >= n || memcmp(p, want, (size_t)m) || (p[m] != '\n' && p[m] != ' '))
        return bad(w, LM_ECORRUPT, "%end counts other records or bytes");
    return 0;
}

static int scan(walk *w)
{
    lm_str m = w->s->map;
    size_t at = 0;
    int err;

    if (!m.n)
        return bad(w, LM_ETRUNC, "empty file");
    while (at < m.n) {
        const char *p = m.p + at,
                   *lf = memchr(p, '\n', m.n - at < LM_MAX_HEAD ? m.n - at : LM_MAX_HEAD);
        size_t n = lf ? (size_t)(lf - p) + 1 : 0;
        const char *why = NULL;
        uint64_t len;

        w->off = at;
        if (!lf)
            return bad(w, m.n - at < LM_MAX_HEAD ? LM_ETRUNC : LM_ECORRUPT,
                       "a line without its end");
        if (w->ended)
            return bad(w, LM_ECORRUPT, "more follows after %end");
        if (!at) {
            if (n < 5 || memcmp(p, "%lm ", 4))
                return bad(w, LM_ECORRUPT,
                           "not an lm stream (a compressed shard cannot be mapped)");
            if (p[4] != '1' || (p[5] != '\n' && p[5] != ' '))
                return bad(w, LM_EVERSION, "a newer stream version");
        } else if (*p == '%') {
            if ((err = note(w, p, n)))
                return err;
        } else {
            lm_rec *r = &w->r, h = {0};

            if ((err = lm_head_parse(p, n, &h, &len, &why)) < 0)
                return bad(w, err, why);
            if (len >= m.n - at - n)
                return bad(w, LM_ETRUNC, "cut in a body");
            if (p[n + len] != '\n')
                return bad(w, LM_ECORRUPT, "no LF after body");
            lm_rec_view(r, (lm_str){p, n + len + 1}, h.type, h.attrs, (lm_str){p + n, len});
            r->file = w->s->path;
            r->seq = w->seq;
            r->off = at;
            if ((err = record(w)))
                return err;
            w->seq++;
            w->body += len;
            n += len + 1;
        }
        at += n;
    }
    w->off = at;
    if (!w->ended)
        return bad(w, LM_ETRUNC, "no %end");
    if (!w->shard || !w->tok || !w->s->ends)
        return bad(w, LM_EMISSING, "no @shard, @tok or @ends");
    return 0;
}

int lm_shard_open(lm_shard *s, const char *path)
{
    walk w = {.s = s};
    int err;

    memset(s, 0, sizeof *s);
    if ((err = lm_mmap_file(path, &s->map)))
        return err;
    s->path = lm_strdup(path);
    err = scan(&w);
    lm_rec_free(&w.r);
    if (!err && s->docs && lm_shard_end(s, s->docs - 1) != s->tokens)
        err = lm_err_at(LM_ECORRUPT, path, "@ends: the last document does not end with the tokens");
    if (!err && !s->docs && s->tokens)
        err = lm_err_at(LM_ECORRUPT, path, "@ends: no document");
    if (err)
        lm_shard_close(s);
    else
        s->met = lm_zalloc(s->len / LM_SHARD_BLOCK + 1, sizeof *s->met);
    return err;
}

void lm_shard_close(lm_shard *s)
{
    lm_munmap_file(s->map);
    free(s->path);
    free((void *)s->met);
    free((void *)s->of_ends.met);
    free((void *)s->of_ids.met);
    free((void *)s->of_weight.met);
    free((void *)s->of_prefix.met);
    memset(s, 0, sizeof *s);
}
