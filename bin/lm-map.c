/* lm-map: run a command once a record: the body on its stdin, its stdout the new body.
   Apart from lm-par: the command knows nothing of streams; a process a record costs ~3 ms. */
#include "lm.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *attr, *timeout = "10s";
static bool drop;
static const lm_opt opts[] = {LM_STRING(0, "attr", &attr, "KEY",
                                        "set KEY to the first line of output, keep the body"),
                              LM_FLAG('x', "drop", &drop, "status 1 drops the record"), LM_COMMON,
                              LM_STRING(0, "timeout", &timeout, "TIME",
                                        "fail when a run takes longer (10s; ms, s, m, h)"),
                              LM_END};
static const lm_tool tool = {.name = "lm-map",
                             .does = "run a command once a record",
                             .args = "CMD",
                             .types = "*",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR | LM_REJ};

typedef struct {
    const char *cmd;
    double limit; /* seconds */
} plan;

/* The toolkit's own settings: an attribute of such a name must not change them. */
static bool reserved(const char *name, size_t n)
{
    static const char *const own[] = {"LM_PROV", "LM_JOBS", "LM_MAX_BODY", "LM_DEVICE", "LM_PEERS"};

    for (size_t i = 0; i < LM_COUNT(own); i++)
        if (strlen(own[i]) == n && !memcmp(own[i], name, n))
            return true;
    return false;
}

typedef struct {
    char **v;
    size_t n, cap;
    lm_arena *mem;
} envv;

static void env_push(envv *e, char *s)
{
    LM_GROW(e->v, e->n, e->cap);
    e->v[e->n++] = s;
}

/* Is NAME set among the first n already? Of a repeated key the first one counts. */
static bool env_has(const envv *e, size_t from, lm_str name)
{
    for (size_t i = from; i < e->n; i++)
        if (!strncmp(e->v[i], name.p, name.n) && e->v[i][name.n] == '=')
            return true;
    return false;
}

/* Our environment without foreign LM_*, then LM_TYPE and LM_KEY=value of each attribute. A value
   that holds a NUL is given as written in the header, with escapes. */
static void env_make(envv *e, lm_rec *r)
{
    lm_str key, val;
    lm_buf b = {0};
    size_t ours;

    e->mem = lm_arena_new();
    for (char **p = environ; *p; p++) {
        size_t n = strcspn(*p, "=");

        if (strncmp(*p, "LM_", 3) || reserved(*p, n))
            env_push(e, *p);
    }
    ours = e->n;
    lm_buf_addf(&b, "LM_TYPE=%.*s", (int)r->type.n, r->type.p);
    env_push(e, (char *)(uintptr_t)lm_arena_str(e->mem, lm_buf_str(&b)).p);
    for (size_t i = 0; lm_attr_each(r, &i, &key, &val);) {
        b.n = 0;
        lm_buf_adds(&b, "LM_");
        for (size_t k = 0; k < key.n; k++)
            lm_buf_addc(&b, key.p[k] == '-'   ? '_'
                            : key.p[k] >= 'a' ? (char)(key.p[k] - 32)
                                              : key.p[k]);
        if (reserved(b.p, b.n) || env_has(e, ours, lm_buf_str(&b)))
            continue;
        lm_buf_addc(&b, '=');
        if (val.n && memchr(val.p, 0, val.n))
            lm_pct_encode(&b, val);
        else
            lm_buf_add(&b, val.p, val.n);
        env_push(e, (char *)(uintptr_t)lm_arena_str(e->mem, lm_buf_str(&b)).p);
    }
    env_push(e, NULL);
    lm_buf_free(&b);
}

static void env_free(envv *e)
{
    free(e->v);
    lm_arena_free(e->mem);
}

/* Writes body and reads output until its end. 0, LM_NO = out of time, or an error. */
static int talk(lm_child *c, lm_rec *r, double deadline, lm_buf *got)
{
    lm_str left = r->body;

    fcntl(c->in, F_SETFL, O_NONBLOCK);
    for (;;) {
        struct pollfd pf[2] = {{c->out, POLLIN, 0}, {c->in, POLLOUT, 0}};
        double wait = deadline - lm_now();
        int k;

        if (c->in >= 0 && !left.n) {
            close(c->in);
            c->in = pf[1].fd = -1;
        }
        if (wait <= 0)
            return LM_NO;
        k = poll(pf, 2, wait > 1e6 ? 1000000000 : (int)(wait * 1000) + 1);
        if (k < 0 && errno != EINTR)
            return lm_err_sys(NULL, "cannot wait for a command");
        if (k <= 0)
            continue;
        if (pf[1].revents) {
            ssize_t n = lm_write_quiet(c->in, left.p, left.n);

            if (n > 0)
                left = (lm_str){left.p + n, left.n - (size_t)n};
            else if (errno == EPIPE) /* it need not read its input */
                left.n = 0;
            else if (errno != EAGAIN && errno != EINTR)
                return lm_err_sys(NULL, "cannot write to a command");
        }
        if (pf[0].revents) {
            ssize_t n = read(c->out, lm_buf_need(got, 65536), 65536);

            if (n == 0)
                return 0;
            if (n < 0 && errno != EAGAIN && errno != EINTR)
                return lm_err_sys(NULL, "cannot read from a command");
            got->n += n > 0 ? (size_t)n : 0;
            if (got->n > lm_max_body)
                return lm_err(LM_ELIMIT, "the output is larger than LM_MAX_BODY");
        }
    }
}

static int take(lm_rec *r, lm_buf *got)
{
    if (attr) {
        const char *lf = got->n ? memchr(got->p, '\n', got->n) : NULL;

        lm_set(r, attr, (lm_str){got->n ? got->p : "", lf ? (size_t)(lf - got->p) : got->n});
        return LM_KEEP;
    }
    if (got->n)
        memcpy(lm_body_alloc(r, got->n), got->p, got->n);
    else
        lm_body(r, "", 0);
    return LM_KEEP;
}

static int one(lm_rec *r, void *ctx)
{
    const plan *p = ctx;
    double deadline = lm_now() + p->limit;
    envv env = {0};
    lm_buf got = {0};
    lm_child c;
    char told[128];
    int err, status = 0;

    env_make(&env, r);
    err = lm_spawn(&c, p->cmd, env.v);
    env_free(&env);
    if (err < 0)
        return lm_rec_fail(r, err, "%s", lm_last_error()->detail);
    err = talk(&c, r, deadline, &got);
    if (!err && !lm_child_wait(&c, deadline, &status))
        err = LM_NO;
    lm_child_kill(&c);
    if (err == LM_NO) {
        err = lm_rec_fail(r, LM_EIO, "'%s' took longer than %s", p->cmd, timeout);
    } else if (err < 0) {
        err = lm_rec_fail(r, err, "'%s': %s", p->cmd, lm_last_error()->detail);
    } else if (!status) {
        err = take(r, &got);
    } else if (drop && WIFEXITED(status) && WEXITSTATUS(status) == 1) {
        err = lm_drop(r, "map", "1");
    } else {
        lm_child_told(status, told, sizeof told);
        err = lm_rec_fail(r, LM_EIO, "'%s' %s", p->cmd, told);
    }
    lm_buf_free(&got);
    return err;
}

static bool seconds(const char *s, double *v)
{
    static const struct {
        const char *unit;
        double f;
    } units[] = {{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"", 1}};
    size_t n = strspn(s, "0123456789.");

    for (size_t i = 0; i < LM_COUNT(units); i++)
        if (!strcmp(s + n, units[i].unit)) {
            bool good = lm_parse_f64((lm_str){s, n}, v);

            *v *= units[i].f;
            return good && *v > 0 && *v <= 1e8;
        }
    return false;
}

static bool is_key(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

    return *s >= 'a' && *s <= 'z' && !s[n] && n <= 32;
}

static int run(lm_in *in, lm_out *out)
{
    plan p = {.cmd = lm_arg(0).p};

    if (!seconds(timeout, &p.limit))
        return lm_err(LM_EUSAGE, "--timeout %s is no time (10s, 500ms, 2m)", timeout);
    if (attr && !is_key(attr))
        return lm_err(LM_EUSAGE, "--attr %s is no key ([a-z][a-z0-9-]*)", attr);
    return lm_map(in, out, LM_JOBS, one, &p);
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
