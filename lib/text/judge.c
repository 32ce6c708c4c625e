/* judge: from a completion to a box, from the box's end to a verdict; results kept on disk. */
/* link: seccomp */
#include "text/judge.h"
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <unistd.h>

static const char *const names[LM_V_N] = {"PASS",          "FAIL",         "RUNTIME_ERROR",
                                          "COMPILE_ERROR", "CPU_LIMIT",    "WALL_LIMIT",
                                          "MEM_LIMIT",     "OUTPUT_LIMIT", "PIDS_LIMIT",
                                          "VIOLATION",     "NO_VERDICT",   "FLAKY",
                                          "INFRA_ERROR"};

const char *lm_verdict_name(int v)
{
    return v >= 0 && v < LM_V_N ? names[v] : "?";
}

int lm_verdict_parse(lm_str s)
{
    for (int i = 0; i < LM_V_N; i++)
        if (lm_is(s, names[i]))
            return i;
    return -1;
}

/* Words of the table with their marks filled in. */
static void words(const char *const *from, const lm_runtime_at *rt, bool sentinel, const char **to)
{
    size_t n = 0;

    for (; from[n]; n++)
        to[n] = !strcmp(from[n], "@")      ? rt->path
                : !strcmp(from[n], "%")    ? rt->cold
                : !strcmp(from[n], "MODE") ? (sentinel ? "sentinel" : "exit")
                                           : from[n];
    to[n] = NULL;
}

lm_box *lm_judge_start(const lm_judge *j, const lm_runtime_at *rt, const lm_task *t,
                       const lm_problem *p, lm_str completion, uint64_t cpu_ms, uint64_t wall_ms)
{
    const lm_runtime *row = rt->row;
    const char *build[LM_COUNT(row->build) + 1], *argv[LM_COUNT(row->argv) + 1];
    lm_buf program = {0};
    lm_box_file file;
    lm_box *b;
    lm_box_spec s = {.level = j->level,
                     .argv = argv,
                     .env = lm_runtime_env(),
                     .ro = rt->ro,
                     .files = &file,
                     .nfiles = 1,
                     .cpu_ms = cpu_ms,
                     .wall_ms = wall_ms,
                     .build_cpu_ms = 10000,
                     .build_mem = 1u << 30,
                     .mem = j->mem,
                     .disk = 64u << 20,
                     .fsize = 16u << 20,
                     .pids = 64,
                     .out_max = 65536,
                     .as_ok = row->as_ok,
                     .zygote = j->level == 3 && !j->cold ? lm_runtime_warm(rt) : NULL,
                     .warm_arg = j->sentinel ? "sentinel" : "exit"};

    words(row->argv, rt, j->sentinel, argv);
    if (row->build[0]) {
        words(row->build, rt, j->sentinel, build);
        s.build = build;
    }
    if (j->sentinel && row->before)
        lm_buf_adds(&program, row->before);
    lm_task_program(t, p, row->text, completion, &program);
    if (j->sentinel && row->after)
        lm_buf_adds(&program, row->after);
    file.name = row->file;
    file.data = lm_buf_str(&program);
    b = lm_box_start(&s);
    lm_buf_free(&program);
    return b;
}

/* "10=FAIL *=NO_VERDICT": the first entry that fits. */
static int by_exit(const char *map, int status)
{
    char want[8];
    size_t len = (size_t)snprintf(want, sizeof want, "%d", status);

    for (const char *s = map; *s;) {
        size_t n = strcspn(s, " "), eq = strcspn(s, "=");
        if ((eq == 1 && *s == '*') || (eq == len && !memcmp(s, want, len)))
            return lm_verdict_parse((lm_str){s + eq + 1, n - eq - 1});
        s += n + (s[n] == ' ');
    }
    return LM_V_RUNTIME_ERROR;
}

static int verdict_of(const lm_judge *j, const lm_runtime *row, const lm_box_result *r)
{
    bool limit = r->cpu_hit || r->wall_hit || r->mem_hit || r->out_hit || r->violation;
    int v;

    if (r->broken)
        return LM_V_INFRA_ERROR;
    if (r->violation)
        return LM_V_VIOLATION;
    if (r->out_hit)
        return LM_V_OUTPUT_LIMIT;
    if (r->build_failed)
        return LM_V_COMPILE_ERROR;
    if (!limit && r->exit == 0 && (r->reported || !j->sentinel))
        return LM_V_PASS;
    if (r->pids_hit)
        return LM_V_PIDS_LIMIT;
    if (r->mem_hit || r->disk_hit)
        return LM_V_MEM_LIMIT;
    if (r->cpu_hit)
        return LM_V_CPU_LIMIT;
    if (r->wall_hit)
        return LM_V_WALL_LIMIT;
    if (r->forged || r->exit == 0)
        return LM_V_NO_VERDICT;
    v = r->sig ? LM_V_RUNTIME_ERROR : by_exit(row->exits, r->exit);
    if (v == LM_V_RUNTIME_ERROR && row->fail_says && r->out.n &&
        memmem(r->out.p, r->out.n, row->fail_says, strlen(row->fail_says)))
        v = LM_V_FAIL;
    return v;
}

int lm_judge_verdict(const lm_judge *j, const lm_runtime_at *rt, const lm_box_result *r,
                     lm_judged *out)
{
    out->verdict = verdict_of(j, rt->row, r);
    out->cpu_us = r->cpu_us, out->wall_us = r->wall_us, out->mem_peak = r->mem_peak;
    out->out.n = 0;
    if (r->broken)
        lm_buf_adds(&out->out, r->why);
    else if (r->out.n)
        lm_buf_add(&out->out, r->out.p, r->out.n);
    return out->verdict;
}

lm_id lm_judge_key(const lm_judge *j, const lm_runtime_at *rt, const lm_problem *p,
                   lm_str completion, const char *limits)
{
    lm_buf b = {0};
    lm_id id;

    lm_buf_addf(&b, "lm-exec 1\nlevel=%d sentinel=%d mem=%llu limits=%s runtime=%s %s\n", j->level,
                j->sentinel, (unsigned long long)j->mem, limits, rt->row->lang, rt->version);
    lm_buf_add(&b, &p->hash, sizeof p->hash);
    if (completion.n)
        lm_buf_add(&b, completion.p, completion.n);
    id = lm_hash128(b.p, b.n);
    lm_buf_free(&b);
    return id;
}

lm_str lm_judge_machine(void)
{
    static lm_buf b;
    lm_buf info = {0};
    cpu_set_t set;
    const char *s, *e;

    if (b.n)
        return lm_buf_str(&b);
    if (!lm_read_file("/proc/cpuinfo", &info, 1u << 22) &&
        (s = memmem(info.p, info.n, "model name", 10)) && (e = strchr(s, '\n')))
        lm_buf_add(&b, s, (size_t)(e - s));
    lm_buf_addf(&b, " cpus=%d", sched_getaffinity(0, sizeof set, &set) ? 0 : CPU_COUNT(&set));
    lm_buf_free(&info);
    return lm_buf_str(&b);
}

void lm_judged_attrs(const lm_judged *d, lm_rec *r)
{
    lm_set(r, "verdict", lm_cstr(lm_verdict_name(d->verdict)));
    lm_setf(r, "cpu-ms", "%llu", (unsigned long long)(d->cpu_us + 500) / 1000);
    lm_setf(r, "wall-ms", "%llu", (unsigned long long)(d->wall_us + 500) / 1000);
    lm_setf(r, "mem", "%llu", (unsigned long long)d->mem_peak);
    lm_setf(r, "tries", "%d", d->tries);
    lm_body(r, d->out.p ? d->out.p : "", d->out.n);
}

static bool path_of(const char *dir, lm_id key, char *out, size_t size)
{
    char hex[33];

    lm_id_hex(key, hex);
    return (size_t)snprintf(out, size, "%s/%.2s/%s", dir, hex, hex) < size;
}

int lm_judged_load(const char *dir, lm_id key, lm_judged *out)
{
    char path[PATH_MAX];
    lm_buf b = {0};
    lm_rec r = {0};
    uint64_t len = 0, cpu = 0, wall = 0, mem = 0, tries = 0;
    const char *why, *nl;
    size_t head;
    int got = 0;

    if (!path_of(dir, key, path, sizeof path) || access(path, R_OK) ||
        lm_read_file(path, &b, 1u << 20) < 0) {
        lm_buf_free(&b);
        return 0;
    }
    nl = b.n ? memchr(b.p, '\n', b.n) : NULL;
    head = nl ? (size_t)(nl - b.p) + 1 : 0;
    r.raw = lm_buf_str(&b); /* attributes are looked up in the line as it stands */
    if (head && !lm_head_parse(b.p, head, &r, &len, &why) && b.n == head + len + 1 &&
        (out->verdict = lm_verdict_parse(lm_get(&r, "verdict"))) >= 0 &&
        lm_get_u64(&r, "cpu-ms", &cpu) == 1 && lm_get_u64(&r, "wall-ms", &wall) == 1 &&
        lm_get_u64(&r, "mem", &mem) == 1 && lm_get_u64(&r, "tries", &tries) == 1) {
        out->cpu_us = cpu * 1000, out->wall_us = wall * 1000, out->mem_peak = mem,
        out->tries = (int)tries;
        out->out.n = 0;
        lm_buf_add(&out->out, b.p + head, (size_t)len);
        got = 1;
    }
    lm_rec_free(&r);
    lm_buf_free(&b);
    return got;
}

/* Without fsync: a result lost or cut by a crash is seen by its length and made again. */
int lm_judged_save(const char *dir, lm_id key, const lm_judged *d)
{
    char path[PATH_MAX], tmp[PATH_MAX + 24], *slash;
    lm_buf b = {0};
    lm_rec r = {0};
    int fd, e = 0;

    if (!path_of(dir, key, path, sizeof path))
        return lm_err_at(LM_EIO, dir, "path too long");
    slash = strrchr(path, '/');
    *slash = 0;
    if (lm_mkdirs(path, 0777) < 0)
        return LM_EIO;
    *slash = '/';
    snprintf(tmp, sizeof tmp, "%s.tmp-%d", path, (int)getpid());
    fd = open(tmp, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
    if (fd < 0)
        return lm_err_sys(tmp, "cannot write");
    lm_rec_new(&r, "verdict");
    lm_judged_attrs(d, &r);
    lm_rec_write(&b, &r);
    if (lm_write_all(fd, b.p, b.n))
        e = lm_err_sys(tmp, "cannot write");
    if (close(fd) && !e)
        e = lm_err_sys(tmp, "cannot write");
    if (!e && rename(tmp, path))
        e = lm_err_sys(path, "cannot write");
    if (e)
        unlink(tmp);
    lm_rec_free(&r);
    lm_buf_free(&b);
    return e;
}
