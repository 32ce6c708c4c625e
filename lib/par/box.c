/* box: the caller's half: starts supervisors, gathers output, hands the report value over, waits.
 */
/* link: seccomp */
#include "par/boxin.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct lm_box {
    lm_box_result r;
    pid_t pid;
    int level, pidfd, go, report, out, ask;
    lm_box_spec spec; /* with a zygote: its limits; pointers other than the zygote are not used */
    int give[3]; /* with a zygote: the program's out, ask, notify, until they are handed over */
    bool root;
    size_t out_max;
    double start, end;
    char value[34], work[64]; /* value: 32 hex digits, LF */
    char back[33];
    size_t nback;
    bool asked, killed, done;
    struct box_report early; /* a report that came before the end was seen */
    bool reported;
};

static void shut(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int put(pid_t pid, const char *file, const char *text)
{
    char path[64];
    int fd, e;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    e = lm_write_all(fd, text, strlen(text));
    close(fd);
    return e;
}

/* Gives the new user namespace its ids. As root the program becomes nobody; else it is the caller's
   own user. Returns the byte that tells the supervisor which, 0 on failure. */
static char map_ids(pid_t pid)
{
    char map[64], gmap[64];

    if (geteuid() == 0) {
        snprintf(map, sizeof map, "0 0 1\n%d %d 1\n", BOX_UID, BOX_NOBODY);
        if (!put(pid, "uid_map", map))
            return put(pid, "gid_map", map) ? 0 : 'r';
    }
    snprintf(map, sizeof map, "%d %d 1\n", BOX_UID, (int)geteuid());
    snprintf(gmap, sizeof gmap, "%d %d 1\n", BOX_UID, (int)getegid());
    return put(pid, "setgroups", "deny") || put(pid, "uid_map", map) || put(pid, "gid_map", gmap)
               ? 0
               : 'u';
}

static int work_folder(struct lm_box *b)
{
    const char *t = getenv("TMPDIR");

    if (b->level == 3)
        return 0;
    if (!t || strlen(t) > 32)
        t = "/tmp";
    snprintf(b->work, sizeof b->work, "%s/lm-box-XXXXXX", t);
    if (!mkdtemp(b->work)) {
        b->work[0] = 0;
        return -1;
    }
    return b->level == 2 && geteuid() == 0 ? chown(b->work, BOX_NOBODY, BOX_NOBODY) : 0;
}

/* The process with its namespaces; like fork, twice returning. */
static pid_t split(int level, int *pidfd)
{
    unsigned long flags = CLONE_PIDFD | SIGCHLD;

    if (level == 3)
        flags |=
            CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
    return (pid_t)syscall(SYS_clone, flags, NULL, pidfd, NULL, 0);
}

lm_box *lm_box_start(const lm_box_spec *spec)
{
    static const char hex[] = "0123456789abcdef";
    struct lm_box *b = lm_zalloc(1, sizeof *b);
    struct box_in in = {.spec = spec, .root = geteuid() == 0, .notify = -1};
    int go[2] = {-1, -1}, rep[2] = {-1, -1}, out[2] = {-1, -1}, ask[2] = {-1, -1},
        note[2] = {-1, -1}, e = 0;
    unsigned char rnd[16];
    char as;

    b->level = spec->level, b->out_max = spec->out_max;
    b->pidfd = b->go = b->report = b->out = b->ask = b->give[0] = b->give[1] = b->give[2] = -1;
    b->spec = *spec;
    if (spec->level >= 2 && (e = lm_box_filter(&in.filter)) < 0)
        goto fail;
    if (spec->level == 2 && !lm_landlock_abi()) {
        e = lm_err(LM_EFACILITY, "landlock: this kernel has none; see --level 1");
        goto fail;
    }
    if (getrandom(rnd, sizeof rnd, 0) != sizeof rnd ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, go) || pipe2(rep, O_CLOEXEC) ||
        pipe2(out, O_CLOEXEC) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ask) ||
        (spec->zygote && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, note)) ||
        work_folder(b)) {
        e = lm_err_sys(NULL, "box");
        goto fail;
    }
    for (size_t i = 0; i < 16; i++)
        b->value[2 * i] = hex[rnd[i] >> 4], b->value[2 * i + 1] = hex[rnd[i] & 15];
    b->value[32] = '\n';
    in.go = go[0], in.report = rep[1], in.out = out[1], in.ask = ask[1], in.notify = note[0];
    memcpy(in.work, b->work, sizeof in.work);
    b->start = lm_now();
    b->pid = split(spec->level, &b->pidfd);
    if (b->pid == 0) {
        if (spec->zygote)
            in.out = in.ask = -1;             /* not for us */
        memset(b->value, 0, sizeof b->value); /* the copy must not lie in a process of the box */
        lm_box_inside(&in);
    }
    if (b->pid < 0) {
        e = spec->level == 3
                ? lm_err(LM_EFACILITY, "user namespaces: %s; see --level 2", strerror(errno))
                : lm_err_sys(NULL, "fork");
        goto fail;
    }
    close(go[0]), close(rep[1]);
    b->give[0] = out[1], b->give[1] = ask[1], b->give[2] = note[1];
    shut(&note[0]);
    if (!spec->zygote)
        shut(&b->give[0]), shut(&b->give[1]);
    b->go = go[1], b->report = rep[0], b->out = out[0], b->ask = ask[0];
    fcntl(b->out, F_SETFL, O_NONBLOCK), fcntl(b->ask, F_SETFL, O_NONBLOCK),
        fcntl(b->report, F_SETFL, O_NONBLOCK);
    b->end =
        b->start +
        BOX_STARVED * (double)(spec->wall_ms + (spec->build ? spec->build_cpu_ms * 3 : 0)) / 1000 +
        10;
    b->root = geteuid() == 0;
    as = spec->level == 3 ? map_ids(b->pid) : geteuid() == 0 ? 'r' : 'u';
    if (!as || send(b->go, &as, 1, MSG_NOSIGNAL) != 1) {
        lm_err(LM_EFACILITY, "user namespaces: id map: %s; see --level 2", strerror(errno));
        lm_box_free(b);
        return NULL;
    }
    b->root = as == 'r';
    return b;
fail:
    for (int i = 0; i < 2; i++)
        shut(&go[i]), shut(&rep[i]), shut(&out[i]), shut(&ask[i]), shut(&note[i]);
    if (b->work[0])
        lm_rmtree(b->work);
    free(b);
    return NULL;
}

static void end_it(lm_box *b)
{
    if (b->killed)
        return;
    b->killed = true;
    if (b->level == 3)
        kill(b->pid, SIGKILL); /* process 1: the kernel ends the whole namespace */
    else
        shut(&b->go); /* the supervisor ends its tree and clears up */
    b->end = lm_now() + 5;
}

static void take_output(lm_box *b)
{
    char buf[16384];
    ssize_t n;

    while (b->out >= 0 && ((n = read(b->out, buf, sizeof buf)) > 0 || (n < 0 && errno == EINTR))) {
        size_t room = b->out_max > b->r.out.n ? b->out_max - b->r.out.n : 0;
        if (n < 0)
            continue;
        lm_buf_add(&b->r.out, buf, (size_t)n < room ? (size_t)n : room);
        if ((size_t)n > room && !b->r.out_hit) {
            b->r.out_hit = true;
            end_it(b);
        }
        if (b->r.out_hit)
            return; /* a program that never stops writing must not hold us here */
    }
    if (b->out >= 0 && n == 0)
        shut(&b->out);
}

/* The program asks with '?', gets the value, writes it back. */
static void take_ask(lm_box *b)
{
    char buf[64];
    ssize_t n;

    while (b->ask >= 0 && (n = read(b->ask, buf, sizeof buf)) > 0)
        for (ssize_t i = 0; i < n; i++) {
            if (!b->asked && buf[i] == '?') {
                b->asked = true;
                if (send(b->ask, b->value, 33, MSG_NOSIGNAL) != 33)
                    b->r.forged = true;
            } else if (!b->asked || b->nback >= 33) {
                b->r.forged = true;
            } else {
                b->back[b->nback++] = buf[i];
            }
        }
    if (b->ask >= 0 && n == 0)
        shut(&b->ask);
    b->r.reported = b->asked && b->nback == 33 && !memcmp(b->back, b->value, 33) && !b->r.forged;
    b->r.forged |= b->nback == 33 && !b->r.reported;
}

static ssize_t recv_report(lm_box *b, struct box_report *rep)
{
    ssize_t n = read(b->report, rep, sizeof *rep);

    return n == (ssize_t)sizeof *rep ? n : -1;
}

/* The supervisor is ready for the warm interpreter's child: what that needs is handed over. */
static void take_ready(lm_box *b)
{
    struct box_report rep;

    if (b->give[2] < 0 || recv_report(b, &rep) <= 0)
        return;
    if (rep.kind != BOX_READY) {
        b->early = rep, b->reported = true;
        return;
    }
    lm_zygote_ask(b->spec.zygote, &b->spec, b->root, b->pidfd, b->give[0], b->give[1], b->give[2]);
    for (int i = 0; i < 3; i++)
        shut(&b->give[i]); /* if it is gone, the supervisor sees its line closed */
}

/* The supervisor is gone: the last bytes, its report, the kernel's account. */
static void finish(lm_box *b)
{
    struct box_report rep = {0};
    struct rusage u;
    int st = 0;
    uint64_t cpu;

    take_output(b);
    take_ask(b);
    while (wait4(b->pid, &st, 0, &u) < 0 && errno == EINTR)
        ;
    cpu = (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000u +
          (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
    b->r.wall_us = (uint64_t)((lm_now() - b->start) * 1e6);
    if (b->reported)
        rep = b->early;
    if (!b->reported && recv_report(b, &rep) < 0) {
        if (!b->r.out_hit && !b->r.wall_hit) {
            b->r.broken = true;
            snprintf(b->r.why, sizeof b->r.why, "the supervisor ended early: status %x",
                     (unsigned)st);
        }
        b->r.cpu_us = cpu, b->r.mem_peak = (uint64_t)u.ru_maxrss * 1024;
        b->r.exit = -1, b->r.sig = SIGKILL;
    } else if (rep.kind == BOX_BROKEN) {
        b->r.broken = true;
        snprintf(b->r.why, sizeof b->r.why, "%s%s", rep.facility ? "facility: " : "", rep.why);
    } else {
        b->r.cpu_us = rep.cpu_us, b->r.wall_us = rep.wall_us, b->r.mem_peak = rep.mem_peak;
        b->r.cpu_hit = rep.cpu_hit, b->r.wall_hit |= rep.wall_hit, b->r.mem_hit = rep.mem_hit;
        b->r.pids_hit = rep.pids_hit, b->r.disk_hit = rep.disk_hit, b->r.violation = rep.violation;
        b->r.build_failed = rep.build;
        b->r.exit = WIFEXITED(rep.status) ? WEXITSTATUS(rep.status) : -1;
        b->r.sig = WIFSIGNALED(rep.status) ? WTERMSIG(rep.status) : 0;
        b->r.violation |= b->r.sig == SIGSYS; /* a call of another architecture */
    }
    b->done = true;
}

int lm_box_wait(lm_box **v, size_t n, int ms)
{
    struct pollfd p[4 * 64];
    double until = lm_now() + ms / 1000.;

    if (n > 64)
        return lm_err(LM_ELIMIT, "more than 64 boxes"), LM_ELIMIT;
    for (;;) {
        double now = lm_now(), next = ms < 0 ? now + 3600 : until;
        int wait;
        for (size_t i = 0; i < n; i++) {
            lm_box *b = v[i];
            if (b->done)
                return (int)i;
            p[4 * i] = (struct pollfd){b->pidfd, POLLIN, 0};
            p[4 * i + 1] = (struct pollfd){b->r.out_hit ? -1 : b->out, POLLIN, 0};
            p[4 * i + 2] = (struct pollfd){b->ask, POLLIN, 0};
            p[4 * i + 3] =
                (struct pollfd){b->give[2] >= 0 && !b->reported ? b->report : -1, POLLIN, 0};
            next = b->end < next ? b->end : next;
        }
        wait = next <= now ? 0 : (int)((next - now) * 1000) + 1;
        if (poll(p, 4 * n, wait) < 0 && errno != EINTR)
            return lm_err_sys(NULL, "poll");
        now = lm_now();
        for (size_t i = 0; i < n; i++) {
            lm_box *b = v[i];
            if (p[4 * i + 1].revents)
                take_output(b);
            if (p[4 * i + 2].revents)
                take_ask(b);
            if (p[4 * i + 3].revents & POLLIN)
                take_ready(b);
            if (p[4 * i].revents) {
                finish(b);
                return (int)i;
            }
            if (now >= b->end) { /* the supervisor itself hangs, or would not end */
                b->r.wall_hit |= !b->killed;
                kill(b->pid, SIGKILL);
                end_it(b);
                b->end = now + 5;
            }
        }
        if (ms >= 0 && now >= until)
            return -1;
    }
}

const lm_box_result *lm_box_done(lm_box *b)
{
    return &b->r;
}

void lm_box_free(lm_box *b)
{
    struct pollfd p;

    if (!b)
        return;
    if (!b->done) {
        end_it(b);
        p = (struct pollfd){b->pidfd, POLLIN, 0};
        while (poll(&p, 1, 5000) < 0 && errno == EINTR)
            ;
        kill(b->pid, SIGKILL);
        while (waitpid(b->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    shut(&b->pidfd), shut(&b->go), shut(&b->report), shut(&b->out), shut(&b->ask);
    shut(&b->give[0]), shut(&b->give[1]), shut(&b->give[2]);
    if (b->work[0])
        lm_rmtree(b->work); /* gone already but for a killed supervisor */
    lm_buf_free(&b->r.out);
    free(b);
}

int lm_box_probe(int level)
{
    static const char *const argv[] = {"/bin/sh", "-c", "exit 7", NULL};
    static const char *const ro[] = {"/usr", "/bin", "/lib", "/lib64", "/lib32", NULL};
    lm_box_spec s = {.level = level,
                     .argv = argv,
                     .ro = ro,
                     .cpu_ms = 5000,
                     .wall_ms = 15000,
                     .mem = 1u << 30,
                     .disk = 1u << 20,
                     .fsize = 1u << 20,
                     .pids = 64,
                     .out_max = 4096};
    lm_box *b = lm_box_start(&s);
    const lm_box_result *r;
    int e = 0;

    if (!b)
        return lm_last_error()->err;
    if (lm_box_wait(&b, 1, -1) < 0)
        return lm_last_error()->err;
    r = lm_box_done(b);
    if (r->broken)
        e = lm_err(LM_EFACILITY, "%s; see --level %d",
                   r->why + (strncmp(r->why, "facility: ", 10) ? 0 : 10), level - 1);
    else if (r->exit != 7)
        e = lm_err(LM_EFACILITY, "a shell in a box ended with status %d, signal %d; see --level %d",
                   r->exit, r->sig, level - 1);
    lm_box_free(b);
    return e;
}

void lm_box_describe(int level, lm_buf *out)
{
    lm_buf_addf(out, "seccomp=%d landlock=%d cgroup=none", level >= 2,
                level >= 2 ? lm_landlock_abi() : 0);
}
