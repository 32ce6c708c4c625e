/* lm-task: write the prompts of an evaluation task, its reference solutions or given samples.
   The one place that knows where tasks lie and what HumanEval's files look like. */
#include "lm.h"

static int from;
static const char *name, *ids, *samples, *folder;
static uint64_t most, shots = UINT64_MAX;
static bool solutions;
static const lm_opt opts[] = {
    LM_ENUM(0, "from", &from, "task|humaneval", "what the operand is (task: a name or a folder)"),
    LM_STRING(0, "name", &name, "NAME", "humaneval: the task's name (the file's name)"),
    LM_NUM('n', "problems", &most, 1, 100000000, "N", "the first N problems alone"),
    LM_STRING(0, "ids", &ids, "LIST", "only the problems a,b,.."),
    LM_NUM(0, "shots", &shots, 0, 1000, "K", "show the first K solved problems before each prompt"),
    LM_FLAG(0, "solutions", &solutions, "write the reference solutions as generations"),
    LM_FILE(0, "samples", &samples, "FILE", "write the completions of a samples file (JSON Lines)"),
    LM_FILE(0, "folder", &folder, "DIR", "humaneval: make a task folder, write no records"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-task",
                             .does = "write the prompts of an evaluation task",
                             .args = "TASK",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_OUT | LM_ORDERED};

enum { FROM_TASK, FROM_HUMANEVAL };
#define MAX_FILE (1ull << 30)

struct ctx {
    lm_task *t;
    lm_out *out;
    lm_rec r;
    lm_buf shown;
    bool *wanted;
    uint64_t n;
};

/* HumanEval.jsonl.gz -> humaneval: the name a task made of a file gets. */
static void name_of(const char *path, char *out, size_t size)
{
    const char *s = strrchr(path, '/');
    size_t n = 0;

    for (s = s ? s + 1 : path; *s && *s != '.' && n + 1 < size; s++) {
        char c = *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s;
        out[n++] = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '-';
    }
    out[n] = 0;
}

static int load(lm_task **out)
{
    const char *path = lm_arg(0).p;
    lm_buf b = {0};
    char made[64];
    lm_task *t;
    int e;

    if (from == FROM_TASK)
        return lm_task_load(path, out);
    t = lm_task_new();
    name_of(path, made, sizeof made);
    e = lm_task_slurp(path, &b, MAX_FILE);
    if (e >= 0)
        e = lm_task_humaneval(t, path, lm_buf_str(&b), name ? name : made);
    lm_buf_free(&b);
    if (e < 0)
        lm_task_free(t);
    else
        *out = t;
    return e;
}

/* Marks the problems that -n and --ids choose. */
static int choose(struct ctx *c)
{
    c->wanted = lm_zalloc(c->t->nv + 1, 1);
    for (const char *p = ids; p && *p;) {
        size_t n = strcspn(p, ",");
        lm_problem *q = lm_task_find(c->t, (lm_str){p, n});
        if (!q)
            return lm_err(LM_EUSAGE, "--ids: no problem %.*s in task %s", (int)n, p, c->t->name);
        c->wanted[q - c->t->v] = true;
        p += n + (p[n] == ',');
    }
    for (size_t i = 0; i < c->t->nv; i++) {
        if (!ids)
            c->wanted[i] = true;
        c->wanted[i] = c->wanted[i] && (!most || c->n < most);
        c->n += c->wanted[i];
    }
    return 0;
}

/* The first K solved problems, shown before each prompt; they are then not asked themselves. */
static int few(struct ctx *c)
{
    uint64_t k = shots == UINT64_MAX ? c->t->shots : shots;

    for (size_t i = 0; i < c->t->nv && k; i++) {
        lm_problem *p = &c->t->v[i];
        if (!p->solution.p || !p->prompt.p)
            continue;
        lm_buf_add(&c->shown, p->prompt.p, p->prompt.n);
        lm_buf_add(&c->shown, p->solution.p, p->solution.n);
        lm_buf_adds(&c->shown, "\n\n");
        c->wanted[i] = false;
        k--;
    }
    return k ? lm_err(LM_EINVALID, "task %s: fewer solved problems than --shots", c->t->name) : 0;
}

static int put(struct ctx *c, const char *type, lm_problem *p, lm_str body, lm_str before)
{
    lm_task *t = c->t;
    bool prompt = !strcmp(type, "prompt"), gen = !strcmp(type, "gen");
    size_t n = body.n;
    char *b;

    if (prompt && t->strip && n && body.p[n - 1] == '\n')
        n--;
    lm_rec_new(&c->r, type);
    lm_set(&c->r, "id", p->id);
    if (gen) {
        lm_set(&c->r, "sample", LM_STR("0"));
        lm_set(&c->r, "finish", LM_STR("stop"));
        lm_set(&c->r, "model", LM_STR("reference"));
    }
    lm_set(&c->r, "task", lm_cstr(t->name));
    if (p->lang.n)
        lm_set(&c->r, "lang", p->lang);
    if (prompt && p->entry.n)
        lm_set(&c->r, "entry", p->entry);
    for (size_t i = 0; i < t->nstop && prompt; i++) {
        char key[32];
        snprintf(key, sizeof key, "stop-%zu", i + 1);
        lm_set(&c->r, key, lm_cstr(t->stop[i]));
    }
    if (prompt && t->n)
        lm_setf(&c->r, "n", "%llu", (unsigned long long)t->n);
    b = lm_body_alloc(&c->r, before.n + n);
    if (before.n)
        memcpy(b, before.p, before.n);
    if (n)
        memcpy(b + before.n, body.p, n);
    return lm_put(c->out, &c->r);
}

static int given(void *ctx, lm_rec *gen)
{
    struct ctx *c = ctx;
    lm_str id = lm_get(gen, "id");
    lm_problem *p = lm_task_find(c->t, id);

    if (!p)
        return lm_err(LM_EINVALID, "no problem %.*s in task %s", (int)(id.n > 100 ? 100 : id.n),
                      id.p, c->t->name);
    return c->wanted[p - c->t->v] ? lm_put(c->out, gen) : 0;
}

static int generations(struct ctx *c)
{
    lm_task *t = c->t;
    int e = 0;

    for (size_t i = 0; i < t->nv && solutions && !e; i++)
        if (c->wanted[i] && t->v[i].solution.p)
            e = put(c, "gen", &t->v[i], t->v[i].solution, (lm_str){0});
    if (samples && !e) {
        lm_buf b = {0};
        e = lm_task_slurp(samples, &b, MAX_FILE);
        if (e >= 0)
            e = lm_task_samples(samples, lm_buf_str(&b), t->name, given, c);
        lm_buf_free(&b);
    }
    return e;
}

static int run(lm_in *in, lm_out *out)
{
    struct ctx c = {.out = out};
    int e;

    (void)in;
    if (folder && from == FROM_TASK)
        return lm_err(LM_EUSAGE, "--folder needs --from humaneval");
    if (name && from == FROM_TASK)
        return lm_err(LM_EUSAGE, "--name needs --from humaneval");
    if (solutions && samples)
        return lm_err(LM_EUSAGE, "either --solutions or --samples");
    e = load(&c.t);
    if (e < 0)
        return e;
    if (folder) {
        e = lm_task_save(c.t, folder);
        lm_task_free(c.t);
        return e;
    }
    e = choose(&c);
    if (e >= 0)
        e = few(&c);
    if (e >= 0) {
        lm_task_record(c.t, &c.r);
        e = lm_put(out, &c.r);
    }
    for (size_t i = 0; i < c.t->nv && e >= 0; i++) {
        lm_problem *p = &c.t->v[i];
        if (!c.wanted[i])
            continue;
        if (!p->prompt.p) {
            e = lm_err(LM_EINVALID, "task %s: problem %.*s has no prompt", c.t->name, (int)p->id.n,
                       p->id.p);
            break;
        }
        if (from == FROM_HUMANEVAL || !(solutions || samples))
            e = put(&c, "prompt", p, p->prompt, lm_buf_str(&c.shown));
        if (e >= 0 && from == FROM_HUMANEVAL && p->test.p)
            e = put(&c, "test", p, p->test, (lm_str){0});
        if (e >= 0 && from == FROM_HUMANEVAL && p->solution.p)
            e = put(&c, "solution", p, p->solution, (lm_str){0});
    }
    if (e >= 0)
        e = generations(&c);
    lm_rec_free(&c.r);
    lm_buf_free(&c.shown);
    free(c.wanted);
    lm_task_free(c.t);
    return e;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
