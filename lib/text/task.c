/* task: problems and conf in memory, hashes, programs. */
#include "text/task.h"

lm_task *lm_task_new(void)
{
    lm_task *t = lm_zalloc(1, sizeof *t);

    t->ar = lm_arena_new();
    t->kind = lm_strdup("exec");
    return t;
}

void lm_task_free(lm_task *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->nstop; i++)
        free(t->stop[i]);
    free(t->name), free(t->kind), free(t->lang), free(t->text), free(t->v);
    lm_buf_free(&t->conf);
    lm_dict_free(&t->by_id);
    lm_arena_free(t->ar);
    free(t);
}

static lm_str trim(lm_str s)
{
    while (s.n && (*s.p == ' ' || *s.p == '\t'))
        s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* %XX undone; other bytes stand for themselves, so that a template may hold spaces. */
static char *unescape(lm_str s)
{
    lm_buf b = {0};

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
            lm_buf_addc(&b, (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2])));
            i += 2;
        } else {
            lm_buf_addc(&b, s.p[i]);
        }
    }
    lm_buf_addc(&b, 0);
    return b.p;
}

static bool seconds(const char *s, uint64_t *ms)
{
    double v;

    if (!lm_parse_f64(lm_cstr(s), &v) || !(v > 0 && v <= 86400))
        return false;
    *ms = (uint64_t)(v * 1000 + .5);
    return true;
}

/* Takes val (owned) for key. False: unknown key or bad value; val is then still the caller's. */
static bool take(lm_task *t, lm_str key, char *val)
{
    struct {
        const char *key;
        char **to;
    } text[] = {{"name", &t->name}, {"kind", &t->kind}, {"lang", &t->lang}, {"template", &t->text}};
    bool ok = false;

    for (size_t i = 0; i < LM_COUNT(text); i++)
        if (lm_is(key, text[i].key)) {
            if (!*val)
                return false;
            free(*text[i].to);
            *text[i].to = val;
            return true;
        }
    if (key.n > 5 && !memcmp(key.p, "stop-", 5)) {
        if (!*val || t->nstop == LM_COUNT(t->stop))
            return false;
        t->stop[t->nstop++] = val;
        return true;
    }
    if (lm_is(key, "prompt-newline")) {
        t->strip = !strcmp(val, "strip");
        ok = t->strip || !strcmp(val, "keep");
    } else if (lm_is(key, "shots")) {
        ok = lm_parse_u64(lm_cstr(val), &t->shots) && t->shots <= 1000;
    } else if (lm_is(key, "n")) {
        ok = lm_parse_u64(lm_cstr(val), &t->n) && t->n >= 1 && t->n <= 1000000;
    } else if (lm_is(key, "cpu")) {
        ok = seconds(val, &t->cpu_ms);
    } else if (lm_is(key, "wall")) {
        ok = seconds(val, &t->wall_ms);
    } else if (lm_is(key, "mem")) {
        ok = lm_parse_size(lm_cstr(val), &t->mem) && t->mem >= 1 << 20;
    } else if (lm_is(key, "level")) {
        ok = lm_parse_u64(lm_cstr(val), &t->level) && t->level >= 1 && t->level <= 3;
    }
    if (ok)
        free(val);
    return ok;
}

int lm_task_conf(lm_task *t, lm_str conf, const char *where)
{
    unsigned line = 0;

    for (size_t i = 0; i < conf.n;) {
        const char *end = memchr(conf.p + i, '\n', conf.n - i);
        size_t n = end ? (size_t)(end - conf.p) - i : conf.n - i;
        lm_str s = trim((lm_str){conf.p + i, n}), key;
        const char *eq = s.n ? memchr(s.p, '=', s.n) : NULL;
        char *val;

        line++;
        i += n + 1;
        if (!s.n || *s.p == '#')
            continue;
        if (!eq)
            return lm_err_at(LM_EINVALID, where, "line %u: not key = value", line);
        key = trim((lm_str){s.p, (size_t)(eq - s.p)});
        val = unescape(trim((lm_str){eq + 1, s.n - (size_t)(eq - s.p) - 1}));
        if (!take(t, key, val)) {
            int e = lm_err_at(LM_EINVALID, where, "line %u: %.*s: unknown key or bad value", line,
                              (int)(key.n > 40 ? 40 : key.n), key.p);
            free(val);
            return e;
        }
    }
    t->conf.n = 0;
    lm_buf_add(&t->conf, conf.p, conf.n);
    return 0;
}

lm_problem *lm_task_find(lm_task *t, lm_str id)
{
    uint64_t *i = lm_dict_get(&t->by_id, id);

    return i ? &t->v[*i] : NULL;
}

int lm_task_add(lm_task *t, lm_rec *r)
{
    bool prompt = lm_is(r->type, "prompt"), test = lm_is(r->type, "test");
    lm_str id, *to, a;
    lm_problem *p;
    uint64_t *i;

    if (!prompt && !test && !lm_is(r->type, "solution"))
        return 0;
    id = lm_get(r, "id");
    if (!id.n)
        return lm_rec_fail(r, LM_EMISSING, "no id=");
    i = lm_dict_put(&t->by_id, id, t->nv);
    if (*i == t->nv) {
        LM_GROW(t->v, t->nv, t->capv);
        t->v[t->nv] = (lm_problem){.id = lm_arena_str(t->ar, id), .order = t->nv};
        t->nv++;
    }
    p = &t->v[*i];
    to = prompt ? &p->prompt : test ? &p->test : &p->solution;
    if (to->p) {
        if (lm_eq(*to, r->body))
            return 0; /* the same record again, as in joined streams */
        return lm_rec_fail(r, LM_EINVALID, "a second, different %.*s of problem %.*s",
                           (int)r->type.n, r->type.p, (int)(id.n > 100 ? 100 : id.n), id.p);
    }
    p->hash = (lm_id){0, 0};
    *to = lm_arena_str(t->ar, r->body);
    if (!to->p)
        *to = LM_STR("");
    a = lm_get(r, "lang");
    if (a.n && !p->lang.p)
        p->lang = lm_arena_str(t->ar, a);
    a = lm_get(r, "entry");
    if (a.n && !p->entry.p)
        p->entry = lm_arena_str(t->ar, a);
    return 0;
}

static void put(lm_buf *b, lm_str s)
{
    uint64_t n = s.p ? s.n + 1 : 0; /* lengths make the parts unambiguous; 0 = absent */

    lm_buf_addf(b, "%llu:", (unsigned long long)n);
    if (s.n)
        lm_buf_add(b, s.p, s.n);
}

void lm_task_seal(lm_task *t)
{
    for (size_t i = 0; i < t->nv; i++) {
        lm_problem *p = &t->v[i];
        lm_str all[] = {p->id,   p->prompt, p->test,         p->solution,
                        p->lang, p->entry,  lm_cstr(t->text)};
        lm_buf b = {0};

        if (p->hash.hi | p->hash.lo)
            continue;
        if (!p->lang.p && t->lang)
            p->lang = lm_cstr(t->lang), all[4] = p->lang;
        for (size_t k = 0; k < LM_COUNT(all); k++)
            put(&b, all[k]);
        p->hash = lm_hash128(b.p, b.n);
        lm_buf_free(&b);
    }
}

void lm_task_record(const lm_task *t, lm_rec *r)
{
    lm_rec_new(r, "task");
    lm_set(r, "name", lm_cstr(t->name ? t->name : "stream"));
    if (t->hash[0])
        lm_set(r, "hash", lm_cstr(t->hash));
    lm_set(r, "kind", lm_cstr(t->kind));
    if (t->lang)
        lm_set(r, "lang", lm_cstr(t->lang));
    lm_setf(r, "n", "%zu", t->nv);
    lm_body(r, t->conf.p ? t->conf.p : "", t->conf.n);
}

void lm_task_program(const lm_task *t, const lm_problem *p, const char *text, lm_str completion,
                     lm_buf *out)
{
    const char *s = t->text ? t->text : text;

    while (*s) {
        const struct {
            const char *name;
            lm_str v;
        } hole[] = {{"{prompt}", p->prompt},
                    {"{completion}", completion},
                    {"{test}", p->test},
                    {"{entry}", p->entry}};
        size_t k = 0, n;

        for (; k < LM_COUNT(hole); k++)
            if (!strncmp(s, hole[k].name, strlen(hole[k].name)))
                break;
        if (k < LM_COUNT(hole)) {
            if (hole[k].v.n)
                lm_buf_add(out, hole[k].v.p, hole[k].v.n);
            s += strlen(hole[k].name);
            continue;
        }
        n = 1 + strcspn(s + 1, "{");
        lm_buf_add(out, s, n);
        s += n;
    }
}
