/* vocab-mergelist: the merges of tokenizer.json, ["a","b"] or, in older files, "a b", as ids. */
#include "text/vocab-lists.h"

/* Byte-level text, its bytes appended to both; the cursor moves to what ended it. */
static bool half(struct lists *l)
{
    size_t n, room;
    const char *p;

    while (room = l->both.cap - l->both.n - 1,
           p = lm_lists_decode(l, false, lm_lists_left(&l->c), l->both.p + l->both.n, room, &n),
           n == room)
        lm_buf_need(&l->both, 2 * l->both.cap);
    l->both.n += n;
    l->c.p = p;
    return n > 0;
}

/* ["a","b"] or "a b" at the cursor, without escapes: both = their bytes, of which the first *left
 * are a's. */
static bool fast_merge(struct lists *l, size_t *left)
{
    lm_jscan *c = &l->c;
    bool list = lm_js_next(c, '[');

    l->both.n = 0;
    if (!lm_js_next(c, '"') || !half(l))
        return false;
    *left = l->both.n;
    if (list ? !lm_js_at(c, '"') : !lm_js_at(c, ' '))
        return false;
    c->p++;
    if (list && (!lm_js_next(c, ',') || !lm_js_next(c, '"')))
        return false;
    if (!half(l) || !lm_js_at(c, '"'))
        return false;
    c->p++;
    return !list || lm_js_next(c, ']');
}

/* Appends the bytes of byte-level text t to both. */
static bool slow_half(struct lists *l, lm_str t)
{
    const char *p;
    size_t n;

    lm_buf_need(&l->both, t.n + 1);
    p = lm_lists_decode(l, true, t, l->both.p + l->both.n, t.n, &n);
    l->both.n += n;
    return n && p == t.p + t.n;
}

/* The same for any value: false with the cursor's reason if it is no JSON, else merge k is refused.
 */
static bool slow_merge(struct lists *l, size_t k, size_t *left)
{
    lm_str raw, t, s[2] = {{NULL, 0}};
    size_t n = 0;
    unsigned kind;
    bool esc, good;
    int more = 1;

    if (!lm_js_value(&l->c, 3, &kind, &raw, &esc))
        return false;
    l->slow.n = l->both.n = 0;
    if (kind == LM_JS_STRING) {
        const char *sp;

        good = !lm_js_text(raw, esc, &l->slow);
        t = lm_buf_str(&l->slow);
        if ((sp = memchr(t.p, ' ', t.n))) {
            s[0] = (lm_str){t.p, (size_t)(sp - t.p)};
            s[1] = (lm_str){sp + 1, t.n - s[0].n - 1};
        }
    } else {
        lm_jscan in = {.s = raw.p, .p = raw.p + 1, .e = raw.p + raw.n, .max_depth = LM_JSON_DEPTH};
        size_t end[2] = {0};

        good = kind == LM_JS_NEST && *raw.p == '[';
        lm_buf_need(&l->slow, raw.n);
        while (good && more > 0) {
            good = lm_js_value(&in, 4, &kind, &t, &esc) && kind == LM_JS_STRING && n < 2 &&
                   !lm_js_text(t, esc, &l->slow) && (more = lm_js_more(&in, ']')) >= 0;
            if (good)
                end[n++] = l->slow.n;
        }
        good = good && n == 2;
        s[0] = (lm_str){l->slow.p, end[0]};
        s[1] = (lm_str){l->slow.p + end[0], end[1] - end[0]};
    }
    if (!good || !slow_half(l, s[0]))
        return lm_lists_refuse(l, "merge %zu is no pair of byte-level tokens", k);
    *left = l->both.n;
    if (!slow_half(l, s[1]))
        return lm_lists_refuse(l, "merge %zu is no pair of byte-level tokens", k);
    return true;
}

/* The merge whose bytes both are, of which the first `left` are its left part's, waits. */
static void put_aside(struct lists *l, size_t left)
{
    size_t k = l->nblock++;
    lm_str s = lm_buf_str(&l->both);

    l->block[k].at = l->halves.n;
    l->block[k].n[0] = (uint32_t)left;
    l->block[k].n[1] = (uint32_t)(s.n - left);
    lm_buf_add(&l->halves, s.p, s.n);
}

/* The tables are larger than the caches: what find_block will look at is near by then. */
static void fetch_block(struct lists *l)
{
    const lm_vocab *v = l->v;
    uint32_t first[LM_LISTS_BLOCK][2]; /* the token a search meets first, as a rule the one */

    for (size_t k = 0; k < l->nblock; k++) {
        const char *p = l->halves.p + l->block[k].at;

        for (int i = 0; i < 2; p += l->block[k].n[i++]) {
            l->block[k].hash[i] = lm_hash64(p, l->block[k].n[i], 0) << 32;
            __builtin_prefetch(&v->find[lm_find_slot(v, l->block[k].hash[i])]);
        }
    }
    for (size_t k = 0; k < l->nblock; k++)
        for (int i = 0; i < 2; i++) {
            first[k][i] = (uint32_t)v->find[lm_find_slot(v, l->block[k].hash[i])];
            if (first[k][i] < v->size)
                __builtin_prefetch(&v->token[first[k][i]]);
        }
    for (size_t k = 0; k < l->nblock; k++)
        for (int i = 0; i < 2; i++)
            if (first[k][i] < v->size)
                __builtin_prefetch(v->token[first[k][i]].p);
}

/* The ids of the merges that wait. */
static void find_block(struct lists *l)
{
    lm_vocab *v = l->v;

    fetch_block(l);
    for (size_t k = 0; k < l->nblock; k++) {
        lm_str a = {l->halves.p + l->block[k].at, l->block[k].n[0]};
        lm_str b = {a.p + a.n, l->block[k].n[1]}, s = {a.p, a.n + b.n};

        /* as a rule it is the id behind the last one */
        if (++l->made >= v->size || v->flags[l->made] || !lm_eq(v->token[l->made], s))
            l->made = lm_vocab_find(v, s);
        if (v->nmerge == l->capmerge) {
            l->capmerge = l->capmerge ? 2 * l->capmerge : 4096;
            v->merge = lm_reallocn(v->merge, l->capmerge, sizeof *v->merge);
            lm_hint_huge(v->merge, l->capmerge * sizeof *v->merge);
        }
        v->merge[v->nmerge][0] = lm_vocab_find(v, a);
        v->merge[v->nmerge][1] = lm_vocab_find(v, b);
        v->merge[v->nmerge][2] = l->made;
        v->nmerge++;
    }
    l->nblock = l->halves.n = 0;
}

bool lm_lists_merges(struct lists *l)
{
    lm_jscan *c = &l->c;
    int more = 1;

    l->read = true;
    lm_buf_need(&l->both, 1024);
    if (lm_js_next(c, ']'))
        more = 0;
    while (more) {
        const char *from;
        size_t left = 0;

        lm_js_blanks(c);
        from = c->p;
        if (!fast_merge(l, &left)) {
            c->p = from;
            if (!slow_merge(l, l->v->nmerge + l->nblock, &left))
                return false;
        }
        put_aside(l, left);
        if (l->nblock == LM_LISTS_BLOCK)
            find_block(l);
        if ((more = lm_js_more(c, ']')) < 0)
            return false;
    }
    find_block(l);
    return true;
}
