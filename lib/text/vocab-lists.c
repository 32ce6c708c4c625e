/* vocab-lists: the two long lists of tokenizer.json, model.vocab and model.merges, read straight
   from the text: as JSON values they would cost ten times the rest of a tool's start. Strict as
   json.h: a key or an id given twice, a bad escape, bad UTF-8 are refused with their place. */
#include "text/vocab-lists.h"

enum { CHUNK = 1 << 16 }; /* bytes of token text taken at once */

bool lm_lists_refuse(struct lists *l, const char *fmt, ...)
{
    char text[300];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    l->err = true;
    lm_err(LM_EINVALID, "tokenizer.json: %s", text);
    return false;
}

/* A key with escapes, or that is no byte-level text, at the cursor. *s: its bytes, or (*odd) its
 * text. */
static bool slow_key(struct lists *l, lm_str *s, bool *odd)
{
    lm_jscan *c = &l->c;
    const char *p;
    bool esc;
    char *to;
    size_t n;

    if (!lm_js_string(c, s, &esc))
        return false;
    l->slow.n = 0;
    if (lm_js_text(*s, esc, &l->slow))
        return lm_js_bad(c, "lone surrogate in a string");
    if (!lm_utf8_valid(l->slow.p, l->slow.n))
        return lm_js_bad(c, "invalid UTF-8 in a string");
    if (memchr(l->slow.p, 0, l->slow.n))
        return lm_js_bad(c, "NUL in a key");
    to = lm_arena_alloc(l->v->text, l->slow.n + 1);
    p = lm_lists_decode(l, true, lm_buf_str(&l->slow), to, l->slow.n, &n);
    *odd = p != l->slow.p + l->slow.n || !n;
    if (*odd)
        memcpy(to, l->slow.p, n = l->slow.n);
    to[n] = 0;
    *s = (lm_str){to, n};
    return true;
}

/* The key of a token, as above. */
static bool key(struct lists *l, lm_str *s, bool *odd)
{
    lm_jscan *c = &l->c;
    const char *p;
    size_t n;

    *odd = false;
    if (!lm_js_next(c, '"'))
        return lm_js_bad(c, "no key");
    while (p = lm_lists_decode(l, false, lm_lists_left(c), l->to, l->room, &n), n == l->room) {
        l->room = l->room < CHUNK / 2 ? CHUNK : 2 * l->room; /* and the string once more */
        l->to = lm_arena_alloc(l->v->text, l->room);
    }
    if (p < c->e && *p == '"' && n) {
        *s = (lm_str){l->to, n};
        l->to[n] = 0;
        l->to += n + 1;
        l->room -= n + 1;
        c->p = p + 1;
    } else {
        c->p--;
        if (!slow_key(l, s, odd))
            return false;
    }
    return lm_js_next(c, ':') || lm_js_bad(c, "no colon after a key");
}

static bool id_at(struct lists *l, uint32_t *id)
{
    lm_jscan *c = &l->c;
    const char *from, *p;
    uint32_t x = 0;
    unsigned kind;
    lm_str raw;
    bool esc;

    lm_js_blanks(c);
    from = p = c->p;
    while (p < c->e && *p >= '0' && *p <= '9' && x < LM_MAX_ID)
        x = 10 * x + (uint32_t)(*p++ - '0');
    if (p > from && (*from != '0' || p == from + 1) && p < c->e && x < LM_MAX_ID &&
        (*p == ',' || *p == '\n' || *p == '}' || *p == ' ')) {
        c->p = p;
        *id = x;
        return true;
    }
    if (!lm_js_value(c, 3, &kind, &raw, &esc)) /* something else, or no value at all */
        return false;
    if (kind == LM_JS_NUMBER && p > from && p == c->p && x < LM_MAX_ID) {
        *id = x;
        return true;
    }
    return lm_lists_refuse(l, "an id is no integer from 0 to %d", LM_MAX_ID - 1);
}

/* Enters a token; false if its bytes are there already. */
static bool find_add(lm_vocab *v, size_t *n, lm_str s, uint32_t id)
{
    uint64_t h = lm_hash64(s.p, s.n, 0), slot = h << 32 | id, mask;
    size_t i;

    if (2 * *n >= 1ull << v->findbits) {
        uint64_t *old = v->find;
        size_t size = (size_t)1 << v->findbits++;

        mask = 2 * size - 1;
        v->find = lm_alloc_huge(2 * size * sizeof *v->find);
        memset(v->find, 0xff, 2 * size * sizeof *v->find);
        for (size_t k = 0; k < size; k++) {
            if (old[k] == UINT64_MAX)
                continue;
            for (i = lm_find_slot(v, old[k]); v->find[i] != UINT64_MAX; i = (i + 1) & mask) {
            }
            v->find[i] = old[k];
        }
        lm_free_huge(old, size * sizeof *old);
    }
    mask = (1ull << v->findbits) - 1;
    for (i = lm_find_slot(v, slot); v->find[i] != UINT64_MAX; i = (i + 1) & mask)
        if (v->find[i] >> 32 == slot >> 32 && lm_eq(v->token[(uint32_t)v->find[i]], s))
            return false;
    v->find[i] = slot;
    ++*n;
    return true;
}

void lm_vocab_grow(lm_vocab *v, uint32_t id)
{
    size_t had = v->cap;

    if (id >= v->size)
        v->size = id + 1;
    if (id < v->cap)
        return;
    while (v->cap <= id)
        v->cap = v->cap ? 2 * v->cap : 4096;
    v->token = lm_reallocn(v->token, v->cap, sizeof *v->token);
    lm_hint_huge(v->token + had, (v->cap - had) * sizeof *v->token);
    v->flags = lm_realloc(v->flags, v->cap);
    memset(v->token + had, 0, (v->cap - had) * sizeof *v->token);
    memset(v->flags + had, 0, v->cap - had);
}

static bool put(struct lists *l, uint32_t id, lm_str s, bool odd)
{
    lm_vocab *v = l->v;

    lm_vocab_grow(v, id);
    if (v->token[id].p)
        return lm_lists_refuse(l, "id %u is given twice", id);
    if (odd) {
        if (lm_dict_get(&l->odd, s))
            return lm_js_bad(&l->c, "duplicate object key");
        lm_dict_put(&l->odd, s, id);
        v->flags[id] = LM_TOKEN_ODD;
    } else if (!find_add(v, &l->nfound, s, id)) {
        return lm_js_bad(&l->c, "duplicate object key");
    }
    v->token[id] = s;
    return true;
}

/* The cursor stands behind the brace. */
static bool read_vocab(struct lists *l)
{
    lm_jscan *c = &l->c;
    const char *from = c->p;
    uint32_t id = 0;
    lm_str s;
    bool odd;
    int more = 1;

    l->vocab = true;
    if (lm_js_next(c, '}'))
        more = 0;
    while (more)
        if (!key(l, &s, &odd) || !id_at(l, &id) || !put(l, id, s, odd) ||
            (more = lm_js_more(c, '}')) < 0)
            return false;
    l->cut[l->ncut++] = (lm_str){from, (size_t)(c->p - 1 - from)};
    return true;
}

static bool is_key(struct lists *l, lm_str raw, bool esc, const char *name)
{
    l->slow.n = 0;
    lm_js_text(raw, esc, &l->slow);
    return lm_is(lm_buf_str(&l->slow), name);
}

/* The members of the object at the cursor: of the root, then of the model in it. */
static bool walk(struct lists *l, bool model)
{
    lm_jscan *c = &l->c;
    unsigned kind;
    lm_str raw;
    bool esc, good;
    int more = 1;

    c->p++;
    if (lm_js_next(c, '}'))
        return true;
    while (more) {
        if (!lm_js_key(c, &raw, &esc))
            return false;
        lm_js_blanks(c);
        if (!model && lm_js_at(c, '{') && is_key(l, raw, esc, "model")) {
            good = walk(l, true);
        } else if (model && !l->vocab && lm_js_at(c, '{') && is_key(l, raw, esc, "vocab")) {
            c->p++;
            good = read_vocab(l);
        } else if (model && !l->merges && lm_js_at(c, '[') && is_key(l, raw, esc, "merges")) {
            l->merges = c->p + 1;
            if (l->vocab && c->p++)
                good = lm_lists_merges(l);
            else
                good = lm_js_value(c, 2, &kind, &raw, &esc); /* read when the tokens are known */
            if (good)
                l->cut[l->ncut++] = (lm_str){l->merges, (size_t)(c->p - 1 - l->merges)};
        } else {
            good = lm_js_value(c, model ? 2 : 1, &kind, &raw, &esc);
        }
        if (!good || (more = lm_js_more(c, '}')) < 0)
            return false;
    }
    return true;
}

static void begin(struct lists *l, size_t bytes)
{
    lm_vocab *v = l->v;

    memset(l->one, 0xff, sizeof l->one);
    memset(l->two, 0xff, sizeof l->two);
    for (unsigned b = 0; b < 256; b++) {
        uint32_t cp = lm_bytechar((uint8_t)b);

        if (cp >= 0x80)
            l->two[cp - 0x80] = (int16_t)b;
        else
            l->one[1][cp] = l->one[0][cp] = (int16_t)b;
    }
    l->one[0]['"'] = l->one[0]['\\'] = -1;
    for (v->findbits = 9; v->findbits < 24 && 1ull << v->findbits < bytes / 32; v->findbits++) {
    }
    v->find = lm_alloc_huge(sizeof *v->find << v->findbits);
    memset(v->find, 0xff, sizeof *v->find << v->findbits);
    /* as many tokens as there can be as a rule, so that the list need not move */
    for (v->cap = 4096; v->cap < 1u << 22 && v->cap < bytes / 64; v->cap *= 2) {
    }
    v->token = lm_zalloc(v->cap, sizeof *v->token);
    lm_hint_huge(v->token, v->cap * sizeof *v->token);
    v->flags = lm_zalloc(v->cap, 1);
}

int lm_vocab_lists(lm_vocab *v, lm_str text, json_t **rest)
{
    struct lists l = {.v = v, .c = {.s = text.p, .p = text.p, .e = text.p + text.n}};
    bool good = true;
    int err = 0;

    *rest = NULL;
    l.c.max_depth = LM_JSON_DEPTH;
    begin(&l, text.n);
    lm_js_blanks(&l.c);
    if (lm_js_at(&l.c, '{')) /* else json.h says what it is */
        good = walk(&l, false);
    if (good && l.vocab && l.merges && !l.read) {
        l.c.p = l.merges;
        good = lm_lists_merges(&l);
    }
    if (!good)
        err = l.err ? LM_EINVALID : lm_json_bad(text, l.c.at, l.c.why);
    else
        err = lm_json_parse_but(text, l.cut, l.ncut, rest);
    lm_buf_free(&l.both);
    lm_buf_free(&l.halves);
    lm_buf_free(&l.slow);
    lm_dict_free(&l.odd);
    return err;
}
