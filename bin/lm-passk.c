/* lm-passk: verdicts in, pass@k with its uncertainty out; two sets of verdicts compared in pairs.
   Apart from lm-exec: it only counts, so it runs anywhere and again. */
#include "lm.h"

static const char *ks = "1", *against;
static int by;
static const char *cluster;
static uint64_t seed;
static double least = -1;
static bool tsv, force;
static const lm_opt opts[] = {
    LM_STRING('k', "at", &ks, "LIST", "the k of pass@k: 1,10,100 (1)"),
    LM_ENUM(0, "by", &by, "task|lang", "a score a task, or a task and language (task)"),
    LM_STRING(0, "cluster", &cluster, "KEY",
              "problems with equal KEY= are related: clustered errors"),
    LM_FILE(0, "against", &against, "FILE",
            "also compare with the verdicts in FILE, problem by problem"),
    LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "N", "seed of bootstrap and permutation (0)"),
    LM_REAL(0, "min", &least, 0, 1, "F", "exit 1 if the first score is below F"),
    LM_FLAG(0, "tsv", &tsv, "a table for scripts, not @score records"),
    LM_FLAG('f', "force", &force, "count and compare verdicts of unlike runs"),
    LM_COMMON,
    LM_END};
/* --tsv turns the output from a stream into text: main() sets the flags by it. */
static lm_tool tool = {.name = "lm-passk",
                       .does = "estimate pass@k from verdicts",
                       .types = "verdict",
                       .opts = opts,
                       .flags = LM_IN | LM_OUT | LM_SORTED};

enum { ROUNDS = 10000, MANY = 20000, MAX_K = 16, INFRA_PER_MILLE = 5 };
#define Z95 1.959963984540054

struct problem {
    char *task, *id, *lang, *cluster;
    uint64_t n, c, v[LM_V_N];
};
struct verdicts {
    struct problem *p;
    size_t n, cap;
    lm_dict by_key, runs, tasks; /* runs: settings of lm-exec met; tasks: name=hash met */
    char *model;                 /* of the verdicts; "" if several */
};
struct score {
    const char *task, *lang;
    size_t at, n;
}; /* problems [at, at + n) of the sorted array */

static uint64_t k_of[MAX_K];
static size_t nk;

static int parse_ks(void)
{
    for (const char *p = ks; *p;) {
        size_t n = strcspn(p, ",");
        if (nk == MAX_K || !lm_parse_num((lm_str){p, n}, &k_of[nk]) || !k_of[nk])
            return lm_err(LM_EUSAGE, "-k %s: up to %d whole numbers from 1, joined by commas", ks,
                          MAX_K);
        nk++;
        p += n + (p[n] == ',');
    }
    return nk ? 0 : lm_err(LM_EUSAGE, "-k: no number");
}

static char *dup(lm_str s)
{
    return s.p ? lm_strndup(s) : lm_strdup("");
}

static int take_verdict(struct verdicts *s, lm_rec *r)
{
    lm_str id = lm_get(r, "id"), name = lm_get(r, "verdict"), task = lm_get(r, "task"),
           model = lm_get(r, "model");
    int v = lm_verdict_parse(name);
    lm_buf key = {0};
    uint64_t *i;
    struct problem *p;

    if (!id.n || !name.p)
        return lm_rec_fail(r, LM_EMISSING, "no %s=", id.n ? "verdict" : "id");
    if (v < 0)
        return lm_rec_fail(r, LM_EINVALID, "verdict=%.*s", (int)(name.n > 40 ? 40 : name.n),
                           name.p);
    lm_buf_add(&key, task.p ? task.p : "", task.n);
    lm_buf_addc(&key, 0);
    lm_buf_add(&key, id.p, id.n);
    i = lm_dict_put(&s->by_key, lm_buf_str(&key), s->n);
    lm_buf_free(&key);
    if (*i == s->n) {
        LM_GROW(s->p, s->n, s->cap);
        s->p[s->n++] = (struct problem){.task = dup(task),
                                        .id = dup(id),
                                        .lang = dup(lm_get(r, "lang")),
                                        .cluster = cluster ? dup(lm_get(r, cluster)) : NULL};
    }
    p = &s->p[*i];
    p->v[v]++;
    p->n += v != LM_V_INFRA_ERROR;
    p->c += v == LM_V_PASS;
    if (!s->model)
        s->model = dup(model);
    else if (!lm_is(model, s->model))
        s->model[0] = 0;
    return 0;
}

/* What must be equal for two verdicts to mean the same: lm-exec's settings and the task's hash. */
static void take_manifest(struct verdicts *s, lm_rec *r)
{
    static const char *const keys[] = {"lang", "level", "check", "cpu", "wall", "mem", "repeat"};
    lm_buf b = {0};

    if (lm_is(r->type, "run") && lm_is(lm_get(r, "tool"), "lm-exec")) {
        for (size_t i = 0; i < LM_COUNT(keys); i++) {
            lm_str v = lm_get(r, keys[i]);
            lm_buf_addf(&b, "%s%s=%.*s", i ? " " : "", keys[i], (int)v.n, v.p ? v.p : "");
        }
        lm_dict_put(&s->runs, lm_buf_str(&b), 0);
    } else if (lm_is(r->type, "task")) {
        lm_str name = lm_get(r, "name"), hash = lm_get(r, "hash");
        lm_buf_addf(&b, "task %.*s hash=%.*s", (int)name.n, name.p ? name.p : "", (int)hash.n,
                    hash.p ? hash.p : "");
        lm_dict_put(&s->tasks, lm_buf_str(&b), 0);
    }
    lm_buf_free(&b);
}

static int read_all(lm_in *in, struct verdicts *s)
{
    lm_rec r = {0};
    int e;

    while ((e = lm_next(in, &r)) > 0) {
        if (lm_acts_on(r.type)) {
            e = take_verdict(s, &r);
            if (e < 0)
                break;
        } else {
            take_manifest(s, &r);
        }
    }
    lm_rec_free(&r);
    return e < 0 ? e : 0;
}

static int by_task(const void *a, const void *b)
{
    const struct problem *x = a, *y = b;
    int c = strcmp(x->task, y->task);

    if (!c && by)
        c = strcmp(x->lang, y->lang);
    return c ? c : strcmp(x->id, y->id);
}

static bool same_task(const struct problem *a, const struct problem *b)
{
    return !strcmp(a->task, b->task) && (!by || !strcmp(a->lang, b->lang));
}

/* Two runs of one language with other settings, or one task with two hashes: not one measurement.
 */
static int unlike(const struct verdicts *a, const struct verdicts *b, const char *what)
{
    const struct {
        const lm_dict *x, *y;
        size_t upto;
    } pair[] = {{&a->runs, &b->runs, 0}, {&a->tasks, &b->tasks, 0}};

    for (size_t k = 0; k < LM_COUNT(pair); k++) {
        size_t i = 0;
        lm_str p, q;
        uint64_t *v;
        while (lm_dict_each(pair[k].x, &i, &p, &v)) {
            size_t j = 0, n = k ? (size_t)((const char *)memmem(p.p, p.n, " hash=", 6) - p.p) + 1
                                : strcspn(p.p, " ") + 1;
            while (lm_dict_each(pair[k].y, &j, &q, &v))
                if (q.n >= n && !memcmp(p.p, q.p, n) && !lm_eq(p, q) && !force)
                    return lm_err(LM_EMISMATCH, "%s: %.*s and %.*s (-f counts them all the same)",
                                  what, (int)p.n, p.p, (int)q.n, q.p);
        }
    }
    return 0;
}

/* pass@k of each scored problem in [at, at + n): x, and the clusters they are in. Returns how many.
 */
static size_t values(const struct verdicts *s, const struct score *g, uint64_t k, double *x,
                     uint32_t *c, size_t *groups)
{
    lm_dict seen = {0};
    size_t m = 0;

    for (size_t i = g->at; i < g->at + g->n; i++) {
        const struct problem *p = &s->p[i];
        if (!p->n)
            continue;
        x[m] = lm_stat_passk(p->n, p->c, k);
        if (cluster) {
            const char *key = *p->cluster ? p->cluster : p->id;
            c[m] = (uint32_t)*lm_dict_put(&seen, lm_cstr(key), seen.n);
        }
        m++;
    }
    *groups = seen.n;
    lm_dict_free(&seen);
    return m;
}

static void emit(lm_out *out, lm_rec *r)
{
    static const char *const col[] = {"name",    "task",   "lang", "value",   "se",    "lo",
                                      "hi",      "method", "n",    "samples", "infra", "verdicts",
                                      "against", "p",      "holm", "resolves"};
    static bool begun;

    if (!tsv) {
        lm_put(out, r);
        return;
    }
    if (!begun)
        for (size_t i = 0; i < LM_COUNT(col); i++)
            printf("%s%c", col[i], i + 1 < LM_COUNT(col) ? '\t' : '\n');
    begun = true;
    for (size_t i = 0; i < LM_COUNT(col); i++) {
        lm_str v = lm_get(r, col[i]);
        printf("%.*s%c", (int)v.n, v.p ? v.p : "", i + 1 < LM_COUNT(col) ? '\t' : '\n');
    }
}

static void head(lm_rec *r, const struct score *g, uint64_t k, const char *suffix)
{
    lm_rec_new(r, "score");
    lm_setf(r, "name", "pass@%llu%s", (unsigned long long)k, suffix);
    if (*g->task)
        lm_set(r, "task", lm_cstr(g->task));
    if (by)
        lm_set(r, "lang", lm_cstr(g->lang));
    lm_setf(r, "k", "%llu", (unsigned long long)k);
}

/* One score; *first gets the first value of all. LM_NO if there are too many INFRA_ERROR for a
 * number. */
static int score(lm_out *out, const struct verdicts *s, const struct score *g, uint64_t k,
                 double *first)
{
    double *x = lm_zalloc(g->n, sizeof *x), lo, hi, m, se;
    uint32_t *c = lm_zalloc(g->n, sizeof *c);
    uint64_t v[LM_V_N] = {0}, total = 0, passed = 0;
    const char *method = "bootstrap";
    bool single = true;
    lm_rec r = {0};
    lm_buf dist = {0};
    size_t groups, n;
    int e = 0;

    for (size_t i = g->at; i < g->at + g->n; i++) {
        const struct problem *p = &s->p[i];
        for (int j = 0; j < LM_V_N; j++)
            v[j] += p->v[j], total += p->v[j];
        single = single && p->n <= 1;
        passed += p->c;
        if (p->n && k > p->n) {
            e = lm_err(LM_EUSAGE, "k = %llu, but problem %s has %llu samples",
                       (unsigned long long)k, p->id, (unsigned long long)p->n);
            goto done;
        }
    }
    if (v[LM_V_INFRA_ERROR] * 1000 > total * INFRA_PER_MILLE) {
        lm_warn("%s: %llu of %llu verdicts are INFRA_ERROR, more than .5 %%: no score",
                *g->task ? g->task : "verdicts", (unsigned long long)v[LM_V_INFRA_ERROR],
                (unsigned long long)total);
        e = LM_NO;
        goto done;
    }
    n = values(s, g, k, x, c, &groups);
    m = lm_stat_mean(x, n);
    se = cluster ? lm_stat_se_cluster(x, c, n, groups) : lm_stat_se(x, n);
    if (single && k == 1 && !cluster) {
        method = "wilson";
        lm_stat_wilson(passed, n, Z95, &lo, &hi);
    } else if (cluster || n > MANY) { /* a bootstrap of problems would not know the clusters */
        method = cluster ? "cluster" : "normal";
        lo = m - Z95 * se < 0 ? 0 : m - Z95 * se, hi = m + Z95 * se > 1 ? 1 : m + Z95 * se;
    } else {
        lm_stat_bootstrap(x, n, ROUNDS, seed, .95, &lo, &hi);
    }
    if (*first < 0)
        *first = m;
    head(&r, g, k, "");
    lm_set_f64(&r, "value", m);
    lm_setf(&r, "n", "%zu", n);
    lm_set_f64(&r, "se", se);
    lm_set_f64(&r, "lo", lo);
    lm_set_f64(&r, "hi", hi);
    lm_set(&r, "method", lm_cstr(method));
    lm_setf(&r, "samples", "%llu", (unsigned long long)(total - v[LM_V_INFRA_ERROR]));
    lm_setf(&r, "infra", "%llu", (unsigned long long)v[LM_V_INFRA_ERROR]);
    for (int j = 0; j < LM_V_N; j++)
        if (v[j])
            lm_buf_addf(&dist, "%s%s:%llu", dist.n ? "," : "", lm_verdict_name(j),
                        (unsigned long long)v[j]);
    lm_set(&r, "verdicts", lm_buf_str(&dist));
    emit(out, &r);
done:
    lm_rec_free(&r);
    lm_buf_free(&dist);
    free(x), free(c);
    return e;
}

/* Paired differences of the problems that both have. */
struct pairs {
    double *d;
    size_t n;
    uint64_t better, worse;
    bool single;
};

static int pair_up(const struct verdicts *s, const struct score *g, const struct verdicts *o,
                   uint64_t k, struct pairs *d)
{
    *d = (struct pairs){.d = lm_zalloc(g->n + 1, sizeof *d->d), .single = true};
    for (size_t i = g->at; i < g->at + g->n; i++) {
        const struct problem *p = &s->p[i], *q = bsearch(p, o->p, o->n, sizeof *o->p, by_task);
        if (!q || !p->n || !q->n)
            continue;
        if (k > q->n)
            return lm_err(LM_EUSAGE, "k = %llu, but problem %s has %llu samples in %s",
                          (unsigned long long)k, q->id, (unsigned long long)q->n, against);
        d->d[d->n] = lm_stat_passk(p->n, p->c, k) - lm_stat_passk(q->n, q->c, k);
        d->single = d->single && p->n == 1 && q->n == 1;
        d->better += d->d[d->n] > 0, d->worse += d->d[d->n] < 0;
        d->n++;
    }
    return 0;
}

static int compare(lm_out *out, const struct verdicts *s, const struct score *g, size_t ng,
                   const struct verdicts *o, uint64_t k)
{
    struct pairs *d = lm_zalloc(ng + 1, sizeof *d);
    double *p = lm_zalloc(ng + 1, sizeof *p), *holm = lm_zalloc(ng + 1, sizeof *holm);
    lm_rec r = {0};
    size_t m = 0;
    int e = 0;

    for (size_t i = 0; i < ng && e >= 0; i++) {
        e = pair_up(s, &g[i], o, k, &d[i]);
        if (e < 0 || !d[i].n)
            continue;
        p[i] = d[i].single ? lm_stat_mcnemar(d[i].better, d[i].worse)
                           : lm_stat_signflip(d[i].d, d[i].n, ROUNDS, seed);
        holm[m++] = p[i];
    }
    lm_stat_holm(holm, m);
    m = 0;
    for (size_t i = 0; i < ng && e >= 0; i++) {
        double se;
        if (!d[i].n)
            continue;
        se = lm_stat_se(d[i].d, d[i].n);
        head(&r, &g[i], k, "-difference");
        lm_set_f64(&r, "value", lm_stat_mean(d[i].d, d[i].n));
        lm_setf(&r, "n", "%zu", d[i].n);
        lm_set_f64(&r, "se", se);
        lm_set(&r, "method", d[i].single ? LM_STR("mcnemar") : LM_STR("permutation"));
        lm_set(&r, "against", o->model && *o->model ? lm_cstr(o->model) : LM_STR("other"));
        lm_set_f64(&r, "p", p[i]);
        lm_set_f64(&r, "holm", holm[m++]);
        lm_set_f64(&r, "resolves", lm_stat_resolves(se, .05, .8)); /* 80 % power at 5 % */
        emit(out, &r);
    }
    for (size_t i = 0; i < ng; i++)
        free(d[i].d);
    free(d), free(p), free(holm);
    lm_rec_free(&r);
    return e;
}

static void drop(struct verdicts *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->p[i].task), free(s->p[i].id), free(s->p[i].lang), free(s->p[i].cluster);
    free(s->p), free(s->model);
    lm_dict_free(&s->by_key), lm_dict_free(&s->runs), lm_dict_free(&s->tasks);
}

static int run(lm_in *in, lm_out *out)
{
    struct verdicts s = {0}, o = {0};
    struct score *g = NULL;
    size_t ng = 0, cap = 0;
    double first = -1;
    int e = parse_ks(), no = 0;
    lm_in *other;

    if (e >= 0)
        e = read_all(in, &s);
    if (e >= 0)
        e = unlike(&s, &s, "unlike runs in one set of verdicts");
    if (e >= 0 && against) {
        other = lm_in_open(against, 0);
        e = read_all(other, &o);
        lm_in_close(other);
        if (e >= 0)
            e = unlike(&s, &o, "unlike runs compared");
    }
    if (e >= 0 && s.n)
        qsort(s.p, s.n, sizeof *s.p, by_task);
    if (e >= 0 && o.n)
        qsort(o.p, o.n, sizeof *o.p, by_task);
    for (size_t i = 0; i < s.n && e >= 0; i++) {
        if (!ng || !same_task(&s.p[g[ng - 1].at], &s.p[i])) {
            LM_GROW(g, ng, cap);
            g[ng++] = (struct score){s.p[i].task, s.p[i].lang, i, 0};
        }
        g[ng - 1].n++;
    }
    for (size_t i = 0; i < ng && e >= 0; i++)
        for (size_t k = 0; k < nk && e >= 0; k++) {
            e = score(out, &s, &g[i], k_of[k], &first);
            no |= e == LM_NO;
        }
    for (size_t k = 0; k < nk && against && e >= 0; k++)
        e = compare(out, &s, g, ng, &o, k_of[k]);
    free(g);
    drop(&s), drop(&o);
    return e < 0 ? e : no || (least >= 0 && first < least) ? LM_NO : LM_DONE;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--tsv"))
            tool.flags = LM_IN | LM_TEXT | LM_SORTED;
    return lm_main(argc, argv, &tool, run);
}
