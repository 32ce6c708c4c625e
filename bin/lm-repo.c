/* lm-repo: join the documents of a repository into one, so that a model sees files beside those
   they use. Apart from lm-join: it joins documents that are whole, each a part of its own. */
#include "lm.h"

static double meta = .5;
static uint64_t max_bytes = 1 << 20, seed;
static const char *by = "repo";
static const lm_opt opts[] = {LM_STRING('k', "key", &by, "KEY",
                                        "join what has the same KEY (repo)"),
                              LM_REAL(0, "meta", &meta, 0, 1, "SHARE",
                                      "share of the repositories with names and paths (.5)"),
                              LM_SIZE(0, "max-bytes", &max_bytes, 1, UINT64_MAX >> 1, "SIZE",
                                      "begin a new record rather than exceed SIZE (1M)"),
                              LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "SEED", "seed (0)"),
                              LM_COMMON,
                              LM_END};
static const lm_tool tool = {.name = "lm-repo",
                             .does = "join the documents of a repository",
                             .types = "doc",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED};

/* The record being filled. */
typedef struct {
    lm_out *out;
    lm_rec rec; /* attributes that all files have had */
    lm_buf key, body, fim;
    bool open, named; /* named: with names and paths */
    uint64_t files, sub;
} repo;

static void part(repo *p, const char *role, lm_str a, bool line, lm_str b)
{
    lm_fim_add(&p->fim, role, a.n + line + b.n);
    lm_buf_add(&p->body, a.p, a.n);
    if (line)
        lm_buf_addc(&p->body, '\n');
    lm_buf_add(&p->body, b.p, b.n);
}

static int put(repo *p, bool more)
{
    lm_rec *r = &p->rec;
    char id[33];
    int err;

    if (!p->open)
        return 0;
    lm_id_hex(lm_hash128(p->body.p, p->body.n), id);
    lm_set(r, "id", lm_cstr(id));
    lm_setf(r, "size", "%zu", p->body.n);
    lm_setf(r, "files", "%llu", (unsigned long long)p->files);
    if (more || p->sub)
        lm_setf(r, "sub", "%llu", (unsigned long long)p->sub);
    lm_set(r, "fim", lm_buf_str(&p->fim));
    lm_body(r, p->body.p, p->body.n);
    err = lm_put(p->out, r);
    p->sub++;
    p->open = false;
    return err;
}

static void begin(repo *p, lm_rec *r)
{
    static const char *const own[] = {"id", "path", "size", "sub", "part", "last"};

    lm_rec_new(&p->rec, "doc");
    lm_rec_attrs(&p->rec, r);
    for (size_t i = 0; i < LM_COUNT(own); i++) /* of a document alone */
        lm_del(&p->rec, own[i]);
    p->open = true;
    p->files = 0;
    p->body.n = p->fim.n = 0;
    if (p->named)
        part(p, "repo", lm_buf_str(&p->key), false, LM_STR(""));
}

/* Leaves the attributes that r has too. */
static void keep_common(repo *p, lm_rec *r)
{
    lm_str name, val;
    lm_buf gone = {0};
    char k[33];

    for (size_t i = 0; lm_attr_each(&p->rec, &i, &name, &val);) {
        snprintf(k, sizeof k, "%.*s", (int)name.n, name.p);
        if (!lm_get(r, k).p || !lm_eq(lm_get(r, k), val))
            lm_buf_add(&gone, k, strlen(k) + 1);
    }
    for (const char *g = gone.p; g && g < gone.p + gone.n; g += strlen(g) + 1)
        lm_del(&p->rec, g);
    lm_buf_free(&gone);
}

static int take(repo *p, lm_in *in, lm_rec *r)
{
    lm_str key = lm_get(r, by), path = lm_get(r, "path");
    bool same = lm_eq(key, lm_buf_str(&p->key)) && p->key.p;
    size_t size;
    int err = 0;

    if (lm_get(r, "fim").p)
        return lm_fail(in, LM_EINVALID, "a document of several parts already (fim=)");
    size = r->body.n + (p->named ? path.n + 1 : 0);
    if (!same) {
        if ((err = put(p, false)))
            return err;
        p->key.n = 0;
        lm_buf_add(&p->key, key.p, key.n);
        lm_buf_addc(&p->key, 0);
        p->key.n--;
        p->named = lm_unit(lm_keyed(seed, "repo", &key, 1)) < meta;
        p->sub = 0;
    } else if (p->open && size > max_bytes - (p->body.n < max_bytes ? p->body.n : max_bytes)) {
        if ((err = put(p, true)))
            return err;
    }
    if (p->open)
        keep_common(p, r);
    else
        begin(p, r);
    part(p, "file", p->named ? path : LM_STR(""), p->named, LM_STR(""));
    lm_fim_add(&p->fim, "text", r->body.n);
    lm_buf_add(&p->body, r->body.p, r->body.n);
    p->files++;
    return p->fim.n > LM_MAX_HEAD / 2 ? put(p, true) : 0; /* fim= must fit a header */
}

static int run(lm_in *in, lm_out *out)
{
    repo p = {.out = out};
    lm_rec r = {0};
    int got, err = 0;

    while (!err && (got = lm_next(in, &r)) != 0) {
        if (got < 0)
            err = got;
        else if (lm_acts_on(r.type) && lm_get(&r, by).p)
            err = take(&p, in, &r);
        else if (!(err = put(&p, false))) /* of no repository */
            err = lm_put(out, &r);
    }
    if (!err)
        err = put(&p, false);
    lm_rec_free(&r);
    lm_rec_free(&p.rec);
    lm_buf_free(&p.key);
    lm_buf_free(&p.body);
    lm_buf_free(&p.fim);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
