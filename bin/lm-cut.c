/* lm-cut: keep, drop, rename and set attributes; drop bodies.
   Apart from lm-select: it changes records and passes all of them. */
#include "lm.h"

static const char *keep, *drop;
static lm_list set, ren;
static bool nobody;
static const lm_opt opts[] = {LM_STRING('k', "keep", &keep, "KEYS",
                                        "keep these attributes alone (a,b,..)"),
                              LM_STRING('d', "drop", &drop, "KEYS", "drop these attributes"),
                              LM_LIST(0, "rename", &ren, "OLD=NEW", "rename an attribute in place"),
                              LM_LIST(0, "set", &set, "KEY=VALUE", "set an attribute to a value"),
                              LM_FLAG(0, "no-body", &nobody, "empty the bodies"),
                              LM_COMMON,
                              LM_END};
static const lm_tool tool = {.name = "lm-cut",
                             .does = "keep or edit attributes, drop bodies",
                             .types = "*",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR};

typedef struct {
    lm_str key, val;
} pair;
typedef struct {
    pair *v;
    size_t n, cap;
} pairs;
typedef struct {
    pairs keep, drop, ren, set;
} plan;

static bool is_key(lm_str s)
{
    if (!s.n || s.n > 32 || *s.p < 'a' || *s.p > 'z')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789-", s.p[i], 37))
            return false;
    return true;
}

static int push(pairs *l, lm_str key, lm_str val)
{
    if (!is_key(key))
        return lm_err(LM_EUSAGE, "'%.*s' is not a key ([a-z][a-z0-9-]*, at most 32)", (int)key.n,
                      key.p);
    LM_GROW(l->v, l->n, l->cap);
    l->v[l->n++] = (pair){key, val};
    return 0;
}

static int keys(pairs *l, const char *p)
{
    for (const char *stop; p; p = *stop ? stop + 1 : NULL) {
        stop = strchrnul(p, ',');
        if (push(l, (lm_str){p, (size_t)(stop - p)}, LM_STR("")) < 0)
            return LM_EUSAGE;
    }
    return 0;
}

static int edits(pairs *l, const lm_list *from, bool both)
{
    for (size_t i = 0; i < from->n; i++) {
        const char *p = from->v[i], *eq = strchr(p, '=');

        if (!eq)
            return lm_err(LM_EUSAGE, "'%s' has no '='", p);
        if (push(l, (lm_str){p, (size_t)(eq - p)}, lm_cstr(eq + 1)) < 0)
            return LM_EUSAGE;
        if (both && !is_key(lm_cstr(eq + 1)))
            return lm_err(LM_EUSAGE, "'%s' is not a key ([a-z][a-z0-9-]*, at most 32)", eq + 1);
    }
    return 0;
}

static pair *find(const pairs *l, lm_str key)
{
    for (size_t i = 0; i < l->n; i++)
        if (lm_eq(l->v[i].key, key))
            return &l->v[i];
    return NULL;
}

/* What the attributes of r should be, in order: kept, not dropped, renamed. A new name that another
   attribute had replaces that one. Says whether anything differs. */
static bool rebuild(lm_rec *r, const plan *p, pairs *out)
{
    bool changed = false;
    lm_str key, val;
    size_t i = 0, n = 0;

    while (lm_attr_each(r, &i, &key, &val)) {
        if ((keep && !find(&p->keep, key)) || find(&p->drop, key)) {
            changed = true;
            continue;
        }
        changed |= find(&p->ren, key) != NULL;
        LM_GROW(out->v, out->n, out->cap);
        out->v[out->n++] = (pair){key, val};
    }
    for (i = 0; changed && i < out->n; i++) {
        bool taken = false;

        for (size_t j = 0; j < p->ren.n; j++)
            taken |= lm_eq(p->ren.v[j].val, out->v[i].key) && !find(&p->ren, out->v[i].key) &&
                     find(out, p->ren.v[j].key);
        if (!taken)
            out->v[n++] = out->v[i];
    }
    out->n = changed ? n : out->n;
    for (i = 0; i < out->n; i++) {
        pair *to = find(&p->ren, out->v[i].key);

        if (to)
            out->v[i].key = to->val;
    }
    return changed;
}

static const char *word(lm_str s, char buf[33])
{
    snprintf(buf, 33, "%.*s", (int)s.n, s.p);
    return buf;
}

/* The views in now stay valid through the edits: they lie in the input or in the record's arena. */
static void replace(lm_rec *r, const pairs *now)
{
    char k[33];

    lm_clear(r);
    for (size_t i = 0; i < now->n; i++)
        if (!lm_get(r, word(now->v[i].key, k)).p) /* of a repeated key the first one counts */
            lm_set(r, k, now->v[i].val);
}

static int one(lm_rec *r, void *ctx)
{
    const plan *p = ctx;
    pairs now = {0};
    char k[33];

    if ((keep || p->drop.n || p->ren.n) && rebuild(r, p, &now))
        replace(r, &now);
    free(now.v);
    for (size_t i = 0; i < p->set.n; i++)
        lm_set(r, word(p->set.v[i].key, k), p->set.v[i].val);
    if (nobody && r->body.n)
        lm_body(r, "", 0);
    return LM_KEEP;
}

static int run(lm_in *in, lm_out *out)
{
    plan p = {0};
    int err = keys(&p.keep, keep);

    if (!err)
        err = keys(&p.drop, drop);
    if (!err)
        err = edits(&p.ren, &ren, true);
    if (!err)
        err = edits(&p.set, &set, false);
    if (!err)
        err = lm_map(in, out, LM_JOBS, one, &p);
    free(p.keep.v);
    free(p.drop.v);
    free(p.ren.v);
    free(p.set.v);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
