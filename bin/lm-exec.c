/* lm-exec: run generated programs in a sandbox, turn each @gen into a @verdict.
   One thread and up to -j boxes; a reference run first sets each problem's limits; a run that met a
   time limit is made again with nothing beside it, and that one decides. Apart from lm-passk: this
   measures, that counts. */
/* link: seccomp */
#include "lm.h"
#include <poll.h>

static uint64_t level = 3, mem = 512 << 20, repeat = 1;
static int sentinel = 0;
static bool cold;
static const char *cpu = "auto", *wall = "auto", *cache;
static const lm_opt opts[] = {
    LM_NUM(0, "level", &level, 1, 3, "N",
           "sandbox: 3 namespaces, 2 Landlock and seccomp, 1 rlimits (3)"),
    LM_ENUM(0, "verdict", &sentinel, "sentinel|exit", "what a PASS needs beside exit 0 (sentinel)"),
    LM_STRING(0, "cpu", &cpu, "auto|S",
              "seconds of CPU time (auto: 10 x the reference's, at least 2)"),
    LM_STRING(0, "wall", &wall, "auto|S", "seconds of wall time (auto: 3 x those of --cpu)"),
    LM_SIZE(0, "mem", &mem, 16 << 20, 1ull << 40, "SIZE", "memory of a run (512M)"),
    LM_NUM(0, "repeat", &repeat, 1, 100, "N",
           "run each program N times, alone; FLAKY if they disagree (1)"),
    LM_COMMON,
    LM_FLAG(0, "cold", &cold, "start each interpreter afresh, none kept warm"),
    LM_FILE(0, "cache", &cache, "DIR", "keep results in DIR; what is there is not run again"),
    LM_END};
static const lm_tool tool = {.name = "lm-exec",
                             .does = "run generated programs in a sandbox",
                             .types = "gen",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR};

enum { WINDOW = 1024, BOXES = 64, TRIES = 3, ALONE_BATCH = 16 };
enum { NEW, BUSY, READY, FAILED };      /* of a problem's limits */
enum { WAITING, RUNNING, ALONE, DONE }; /* of a job; ALONE = waits to run with nothing beside it */

struct work { /* a problem of a task, with its limits */
    lm_task *t;
    lm_problem p;
    const lm_runtime_at *rt;
    int state;
    uint64_t cpu_ms, wall_ms;
    lm_judged ref; /* of the reference solution, once READY */
    bool ran;      /* ref.out is from this run, not from the cache */
};
struct job { /* one program to run, or the reference of w */
    struct work *w;
    lm_id key;
    lm_str text; /* in its own memory */
    bool ref;
    int state, tries, infra, left; /* left: runs still to be made by --repeat */
    lm_judged got;
    lm_box *box;
};
struct slot {
    lm_rec *rec;
    struct job *job;
}; /* an output in its place: a record as it is, or a verdict */

static struct {
    lm_in *in;
    lm_out *out;
    lm_judge judge;
    struct slot slot[WINDOW];
    size_t head, n;     /* a ring */
    struct job **queue; /* in order of arrival; done ones leave */
    size_t nqueue, capqueue, nalone;
    struct job *running[BOXES];
    size_t nrun;
    lm_dict jobs, works, told; /* key -> struct job *, .. ; told: languages with a @run record */
    lm_taskset tasks;
    uint64_t cpu_ms, wall_ms; /* 0 = auto */
    bool checked, eof;
    int err; /* met while the input made us wait */
    lm_error error;
} x;

static int seconds(const char *what, const char *s, uint64_t *ms)
{
    double v;

    *ms = 0;
    if (!strcmp(s, "auto"))
        return 0;
    if (!lm_parse_f64(lm_cstr(s), &v) || !(v >= .001 && v <= 86400))
        return lm_err(LM_EUSAGE, "--%s=%s: auto, or seconds from .001 to 86400", what, s);
    *ms = (uint64_t)(v * 1000 + .5);
    return 0;
}

static uint64_t either(uint64_t a, uint64_t b)
{
    return a ? a : b;
}

/* Limits once the reference's CPU time is known (0: there is no reference). */
static void set_limits(struct work *w)
{
    uint64_t ms = (w->ref.cpu_us + 99) / 100; /* 10 times, in milliseconds */

    w->cpu_ms =
        either(either(x.cpu_ms, w->t->cpu_ms), w->p.solution.p ? ms < 2000 ? 2000 : ms : 10000);
    w->wall_ms = either(either(x.wall_ms, w->t->wall_ms), 3 * w->cpu_ms);
    w->state = READY;
}

static lm_id ref_key(const struct work *w)
{
    lm_judge j = x.judge;
    lm_buf b = {0};
    lm_id id;

    lm_buf_addf(&b, "reference on %.*s", (int)lm_judge_machine().n, lm_judge_machine().p);
    id = lm_judge_key(&j, w->rt, &w->p, w->p.solution, b.p);
    lm_buf_free(&b);
    return id;
}

static struct job *add_job(struct work *w, lm_str text, bool ref, lm_id key)
{
    struct job *j = lm_zalloc(1, sizeof *j);

    j->w = w, j->ref = ref, j->key = key, j->left = ref ? 1 : (int)repeat;
    j->text = (lm_str){lm_memdup(text.p ? text.p : "", text.n), text.n};
    LM_GROW(x.queue, x.nqueue, x.capqueue);
    x.queue[x.nqueue++] = j;
    return j;
}

static struct work *work_of(lm_task *t, const lm_problem *p, const lm_runtime_at *rt)
{
    lm_str key = {(const char *)&p->hash, sizeof p->hash};
    struct work *w = lm_dict_ptr(&x.works, key);

    if (w)
        return w;
    w = lm_dict_keep(&x.works, key, lm_zalloc(1, sizeof *w));
    w->t = t, w->p = *p, w->rt = rt;
    if (!p->solution.p)
        set_limits(w);
    else if (cache && lm_judged_load(cache, ref_key(w), &w->ref) && w->ref.verdict == LM_V_PASS)
        set_limits(w);
    return w;
}

static const char *limits_text(void)
{
    static char s[80];

    snprintf(s, sizeof s, "%.20s,%.20s,%llu", cpu, wall, (unsigned long long)repeat);
    return s;
}

/* The @run record of a language: every setting that can change a verdict. */
static lm_rec *run_record(const lm_runtime_at *rt)
{
    lm_rec *r = lm_zalloc(1, sizeof *r);
    lm_buf b = {0};

    lm_rec_new(r, "run");
    lm_set(r, "tool", lm_cstr(lm_self()));
    lm_set(r, "ver", lm_cstr(lm_version()));
    lm_set(r, "lang", lm_cstr(rt->row->lang));
    lm_set(r, "runtime", lm_cstr(rt->version));
    lm_setf(r, "level", "%llu", (unsigned long long)level);
    lm_set(r, "check", sentinel ? LM_STR("exit") : LM_STR("sentinel"));
    lm_set(r, "cpu", lm_cstr(cpu));
    lm_set(r, "wall", lm_cstr(wall));
    lm_setf(r, "mem", "%llu", (unsigned long long)mem);
    lm_setf(r, "repeat", "%llu", (unsigned long long)repeat);
    lm_box_describe((int)level, &b);
    lm_set(r, "box", lm_buf_str(&b));
    lm_buf_free(&b);
    return r;
}

static void push(lm_rec *rec, struct job *job)
{
    x.slot[(x.head + x.n++) % WINDOW] = (struct slot){rec, job};
}

static struct job *failed_job(const char *why)
{
    struct job *j = lm_zalloc(1, sizeof *j);

    j->state = DONE;
    j->got.verdict = LM_V_INFRA_ERROR, j->got.tries = 1;
    lm_buf_adds(&j->got.out, why);
    return j;
}

static int take_gen(lm_rec *r)
{
    const lm_runtime_at *rt = NULL;
    lm_task *t = NULL;
    lm_problem *p = NULL;
    struct work *w;
    struct job *j;
    char hex[33];
    lm_id key;
    int e = lm_taskset_find(&x.tasks, r, &t, &p);

    if (e < 0)
        return e;
    if (t->level > level)
        return lm_rec_fail(r, LM_EINVALID, "task %s wants --level %llu", t->name,
                           (unsigned long long)t->level);
    if (!x.checked && (e = lm_box_probe((int)level)) < 0)
        return e; /* fail closed: never a lower level than was asked for */
    x.checked = true;
    if (lm_runtime_find(p->lang.p ? p->lang : lm_get(r, "lang"), (int)level, &rt) < 0) {
        push(lm_keep(r), failed_job(lm_last_error()->detail));
        return 0;
    }
    if (!lm_dict_get(&x.told, lm_cstr(rt->row->lang))) {
        lm_dict_put(&x.told, lm_cstr(rt->row->lang), 1);
        push(run_record(rt), NULL);
    }
    w = work_of(t, p, rt);
    key = lm_judge_key(&x.judge, rt, p, r->body, limits_text());
    j = lm_dict_ptr(&x.jobs, (lm_str){(const char *)&key, sizeof key});
    if (!j) {
        j = add_job(w, r->body, false, key);
        lm_dict_keep(&x.jobs, (lm_str){(const char *)&key, sizeof key}, j);
        if (cache && lm_judged_load(cache, key, &j->got))
            j->state = DONE;
    }
    lm_id_hex(key, hex);
    lm_setf(r, "level", "%llu", (unsigned long long)level);
    lm_set(r, "runtime", lm_cstr(rt->version));
    lm_set(r, "key", lm_cstr(hex));
    push(lm_keep(r), j);
    return 0;
}

static int start(struct job *j)
{
    struct work *w = j->w;
    uint64_t cpu_ms = j->ref ? 30000 : w->cpu_ms, wall_ms = j->ref ? 90000 : w->wall_ms;
    lm_judge judge = x.judge;

    if (w->t->mem)
        judge.mem = w->t->mem;
    j->box = lm_judge_start(&judge, w->rt, w->t, &w->p, j->text, cpu_ms, wall_ms);
    if (!j->box)
        return lm_last_error()->err;
    if (j->state == ALONE)
        x.nalone--;
    j->state = RUNNING;
    x.running[x.nrun++] = j;
    return 0;
}

static void finish(struct job *j)
{
    j->state = DONE;
    if (j->ref) {
        j->w->ref = j->got;
        j->got.out = (lm_buf){0};
        j->w->ran = true;
        if (j->w->ref.verdict == LM_V_PASS)
            set_limits(j->w);
        else
            j->w->state = FAILED;
    }
}

/* A job whose turn it may be: settled without a run where that is possible. */
static void settle(struct job *j)
{
    struct work *w = j->w;

    if (j->state != WAITING || j->ref)
        return;
    if (w->state == FAILED) {
        j->got.verdict = LM_V_INFRA_ERROR, j->got.tries = w->ref.tries;
        lm_buf_addf(&j->got.out, "the reference solution ends with %s\n",
                    lm_verdict_name(w->ref.verdict));
        lm_buf_add(&j->got.out, w->ref.out.p ? w->ref.out.p : "", w->ref.out.n);
        j->state = DONE;
    } else if (w->state == READY && w->ran && repeat == 1 && lm_eq(j->text, w->p.solution)) {
        lm_buf out = j->got.out; /* the reference itself: it has just run */
        j->got = w->ref;
        j->got.out = out;
        lm_buf_add(&j->got.out, w->ref.out.p ? w->ref.out.p : "", w->ref.out.n);
        j->state = DONE;
    } else if (repeat > 1 && w->state == READY) {
        j->state = ALONE;
        x.nalone++;
    }
}

/* Starts what may start: jobs side by side first, those to be run alone when nothing else runs. */
static int start_some(void)
{
    bool gather = x.nalone >= ALONE_BATCH; /* let the running ones end: it is the others' turn */
    size_t keep = 0, first_alone = SIZE_MAX, n = x.nqueue,
           room = lm_jobs() < BOXES ? lm_jobs() : BOXES;
    int e = 0;

    for (size_t i = 0; i < n && e >= 0; i++) {
        struct job *j = x.queue[i];
        struct work *w = j->w;

        if (!j->ref && w->state == NEW && j->state == WAITING) {
            struct job *ref = add_job(w, w->p.solution, true, ref_key(w));
            w->state = BUSY;
            if (x.nrun < room && !gather)
                e = start(ref);
        }
        settle(j);
        if (e >= 0 && j->state == WAITING && (j->ref || w->state == READY) && x.nrun < room &&
            !gather)
            e = start(j);
    }
    n = x.nqueue;
    for (size_t i = 0; i < n; i++) { /* done ones leave; a reference is nobody's output: freed */
        struct job *j = x.queue[i];
        if (j->state == DONE && j->ref) {
            free((char *)j->text.p);
            free(j);
        } else if (j->state != DONE) {
            if (j->state == ALONE && first_alone == SIZE_MAX)
                first_alone = keep;
            x.queue[keep++] = j;
        }
    }
    x.nqueue = keep;
    if (e >= 0 && !x.nrun && first_alone != SIZE_MAX)
        e = start(x.queue[first_alone]);
    return e;
}

/* A box has ended: a verdict, or once more. */
static int ended(size_t i)
{
    struct job *j = x.running[i];
    lm_judged now = {0};
    int v = lm_judge_verdict(&x.judge, j->w->rt, lm_box_done(j->box), &now);
    bool again = false, timed = v == LM_V_CPU_LIMIT || v == LM_V_WALL_LIMIT;

    lm_box_free(j->box);
    j->box = NULL;
    x.running[i] = x.running[--x.nrun];
    j->tries++;
    x.judge.cold |=
        v == LM_V_INFRA_ERROR; /* perhaps the warm interpreter's fault: once more without */
    if (v == LM_V_INFRA_ERROR || (j->ref && v != LM_V_PASS)) {
        again = ++j->infra < TRIES; /* a reference has its tries too, alone */
    } else if (!j->ref && repeat > 1) {
        if (j->left < (int)repeat && v != j->got.verdict)
            v = now.verdict = LM_V_FLAKY;
        again = v != LM_V_FLAKY && --j->left > 0;
    } else {
        again = timed && j->tries == 1 + j->infra; /* provisional: the run alone decides */
    }
    now.tries = j->tries;
    lm_buf_free(&j->got.out);
    j->got = now;
    if (again) {
        j->state = ALONE;
        x.nalone++;
        return 0;
    }
    finish(j);
    if (!cache || v == LM_V_INFRA_ERROR)
        return 0;
    if (j->ref)
        return j->w->state == READY ? lm_judged_save(cache, j->key, &j->w->ref) : 0;
    return lm_judged_save(cache, j->key, &j->got);
}

/* Writes outputs from the front as far as they are known. */
static int write_some(bool *wrote)
{
    static const char *const keep[] = {"id", "sample", "task", "lang", "model"};
    static const char *const more[] = {"level", "runtime", "key"};
    lm_rec v = {0};
    int e = 0;

    while (x.n && !e) {
        struct slot *s = &x.slot[x.head];
        if (s->job && s->job->state != DONE)
            break;
        if (s->job) {
            lm_rec_new(&v, "verdict");
            for (size_t i = 0; i < LM_COUNT(keep); i++)
                if (lm_get(s->rec, keep[i]).p)
                    lm_set(&v, keep[i], lm_get(s->rec, keep[i]));
            lm_judged_attrs(&s->job->got, &v);
            for (size_t i = 0; i < LM_COUNT(more); i++)
                if (lm_get(s->rec, more[i]).p)
                    lm_set(&v, more[i], lm_get(s->rec, more[i]));
            e = lm_put(x.out, &v);
        } else {
            e = lm_put(x.out, s->rec);
        }
        lm_rec_free(s->rec);
        free(s->rec);
        x.head = (x.head + 1) % WINDOW;
        x.n--;
        *wrote = true;
    }
    lm_rec_free(&v);
    return e;
}

/* One round: what may start starts, what is known is written, one box that ends within ms is
 * judged. */
static int drive(int ms, bool flush)
{
    lm_box *box[BOXES];
    bool wrote = false;
    int e = start_some(), i;

    if (e >= 0)
        e = write_some(&wrote);
    if (e >= 0 && flush)
        e = lm_out_flush(x.out);
    if (e < 0 || !x.nrun)
        return e;
    for (size_t k = 0; k < x.nrun; k++)
        box[k] = x.running[k]->box;
    i = lm_box_wait(box, x.nrun, ms);
    return i >= 0 ? ended((size_t)i) : i == -1 ? 0 : i;
}

static bool stdin_ready(void)
{
    struct pollfd p = {0, POLLIN, 0};

    return poll(&p, 1, 0) > 0;
}

/* The next read would block: the time is used, until a byte comes. (Of inputs other than stdin we
   cannot tell: all that is known is run first.) */
static void blocked(void *ctx)
{
    (void)ctx;
    do
        x.err = drive(20, true);
    while (x.err >= 0 && x.nrun && !(x.in && !strcmp(lm_in_name(x.in), "stdin") && stdin_ready()));
    if (x.err >= 0)
        x.err = drive(0, true);
    if (x.err < 0)
        x.error = *lm_last_error();
}

static int read_one(lm_rec *r)
{
    int e = lm_next(x.in, r);

    if (x.err < 0) {
        *lm_last_error() = x.error;
        return x.err;
    }
    if (e <= 0) {
        x.eof = !e;
        return e;
    }
    if (lm_acts_on(r->type))
        return take_gen(r);
    e = lm_taskset_take(&x.tasks, r);
    if (e >= 0)
        push(lm_keep(r), NULL);
    return e;
}

static int run(lm_in *in, lm_out *out)
{
    lm_rec r = {0};
    int e = seconds("cpu", cpu, &x.cpu_ms);

    if (e >= 0)
        e = seconds("wall", wall, &x.wall_ms);
    x.in = in, x.out = out;
    x.judge = (lm_judge){.level = (int)level, .sentinel = !sentinel, .mem = mem, .cold = cold};
    lm_in_on_block(in, blocked, NULL);
    while (e >= 0 && !(x.eof && !x.n)) {
        bool room = !x.eof && x.n + 2 <= WINDOW;

        if (room)
            e = read_one(&r);
        if (e >= 0)
            e = drive(x.eof || !room ? -1 : 0, false);
    }
    for (size_t k = 0; k < x.nrun; k++) /* after an error: nothing may stay behind */
        lm_box_free(x.running[k]->box);
    lm_runtime_stop();
    lm_taskset_free(&x.tasks);
    lm_rec_free(&r);
    return e < 0 ? e : LM_DONE;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
