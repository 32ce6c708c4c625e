/* boxin: the supervisor of a box, process 1 of its namespaces at level 3. Builds the tree, starts
   the program with nothing but its descriptors, answers what seccomp asks, adds up CPU time and
   memory of all tasks every 50 ms, ends all of them when the program ends, reports once. */
/* link: seccomp */
#include "par/boxin.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_MS = 50, PATIENCE = 256, FD_REPORT = 4, FD_LISTEN = 5 };
#define NS_FLAGS \
    (CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | \
     CLONE_NEWCGROUP)

static void cleanup(const struct box_in *b)
{
    if (b->work[0])
        lm_rmtree(b->work);
}

static _Noreturn void broken(const struct box_in *b, bool facility, const char *what)
{
    struct box_report r = {.kind = BOX_BROKEN, .facility = facility};

    snprintf(r.why, sizeof r.why, "%s: %s", what, strerror(errno));
    if (write(b->report, &r, sizeof r) < 0)
        _exit(LM_EIO);
    cleanup(b);
    _exit(1);
}

/* Closes all descriptors but the n given: no box may hold another's. */
static void keep_only(int *fd, size_t n)
{
    unsigned from = 0;

    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j && fd[j - 1] > fd[j]; j--) {
            int t = fd[j];
            fd[j] = fd[j - 1], fd[j - 1] = t;
        }
    for (size_t i = 0; i < n; i++) {
        if (fd[i] < 0)
            continue;
        if ((unsigned)fd[i] > from)
            close_range(from, (unsigned)fd[i] - 1, 0);
        from = (unsigned)fd[i] + 1;
    }
    close_range(from, ~0u, 0);
}

static void kill_all(const struct box_in *b)
{
    if (b->spec->level == 3) {
        kill(-1, SIGKILL); /* all of this namespace but us */
        return;
    }
    for (int i = 0; i < 100 && lm_box_tally(b, SIGKILL, false).tasks; i++)
        usleep(1000);
}

/* Ends and reaps everything. A scan of /proc may miss a process whose parent goes while it is made;
   but whoever lost its parent becomes our child, so when we have none, none is left. */
static void end_all(const struct box_in *b)
{
    for (;;) {
        int pid;

        kill_all(b);
        while ((pid = waitpid(-1, NULL, b->spec->level == 3 ? 0 : WNOHANG)) > 0)
            ;
        if (pid < 0 && errno == ECHILD)
            return;
        if (pid == 0)
            usleep(1000);
    }
}

static uint64_t reaped_us(uint64_t *maxrss)
{
    struct rusage u;

    getrusage(RUSAGE_CHILDREN, &u);
    if (maxrss && (uint64_t)u.ru_maxrss * 1024 > *maxrss)
        *maxrss = (uint64_t)u.ru_maxrss * 1024;
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000u +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static bool limit(int what, uint64_t v)
{
    return !setrlimit(what, &(struct rlimit){v, v});
}

/* Turns the forked child into the program; comes back only on failure, with the step's name. */
static const char *become(const struct box_in *b, const char *const *argv, bool build, int listen)
{
    static const char *const whole[] = {"/", NULL}; /* the tree of level 3 holds nothing else */
    const lm_box_spec *s = b->spec;
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}};
    uint64_t cpu = ((build ? s->build_cpu_ms : s->cpu_ms) + 999) / 1000 + 2,
             mem = build ? s->build_mem : s->mem;
    char home[80], tmp[80];
    const char *env[64];
    size_t n = 0;
    sigset_t all;
    int null = open("/dev/null", O_RDONLY);

    setsid();
    if (null < 0 || dup2(null, 0) < 0 || dup2(b->out, 1) < 0 || dup2(b->out, 2) < 0)
        return "descriptors";
    close_range(6, ~0u, 0);
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    umask(022);
    if (!limit(RLIMIT_CPU, cpu) || !limit(RLIMIT_FSIZE, s->fsize) || !limit(RLIMIT_CORE, 0) ||
        !limit(RLIMIT_NOFILE, 256) || !limit(RLIMIT_STACK, BOX_STACK) ||
        ((s->as_ok || build) &&
         !limit(RLIMIT_AS, mem + (uint64_t)s->pids * BOX_STACK))) /* stacks are space, not memory */
        return "rlimits";
    if (s->level == 3 && !limit(RLIMIT_NPROC, s->pids + 16u))
        return "rlimits";
    if (b->root && s->level >= 2) {
        int id = s->level == 3 ? BOX_UID : BOX_NOBODY;
        if (setgroups(0, NULL) || setresgid((gid_t)id, (gid_t)id, (gid_t)id) ||
            setresuid((uid_t)id, (uid_t)id, (uid_t)id))
            return "another user";
    }
    if (s->level >= 2) {
        for (int c = 0; c < 64; c++)
            prctl(PR_CAPBSET_DROP, c, 0, 0,
                  0); /* refused without the right: then there is none to lose */
        if (syscall(SYS_capset, &h, none))
            return "capabilities";
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return "no_new_privs";
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    if (s->level >= 2 &&
        lm_landlock_apply(s->level == 3 ? whole : s->ro, s->level == 3 ? "/tmp" : b->work))
        return "landlock";
    snprintf(home, sizeof home, "HOME=%s", s->level == 3 ? "/tmp" : b->work);
    snprintf(tmp, sizeof tmp, "TMPDIR=%s", s->level == 3 ? "/tmp" : b->work);
    for (; s->env && s->env[n] && n < LM_COUNT(env) - 3; n++)
        env[n] = s->env[n];
    env[n++] = home, env[n++] = tmp, env[n] = NULL;
    if (s->level >= 2) {
        long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                          &b->filter);
        union {
            struct cmsghdr h;
            char c[CMSG_SPACE(sizeof(int))];
        } u = {0};
        struct iovec io = {(char[1]){'L'}, 1};
        struct msghdr m = {.msg_iov = &io,
                           .msg_iovlen = 1,
                           .msg_control = &u,
                           .msg_controllen = sizeof u};
        if (fd < 0)
            return "seccomp";
        u.h.cmsg_len = CMSG_LEN(sizeof(int)), u.h.cmsg_level = SOL_SOCKET,
        u.h.cmsg_type = SCM_RIGHTS;
        memcpy(CMSG_DATA(&u.h), &(int){(int)fd}, sizeof(int));
        if (sendmsg(listen, &m, 0) != 1)
            return "seccomp listener";
        close((int)fd);
    }
    close(listen);
    execve(argv[0], (char *const *)argv, (char *const *)env);
    return argv[0];
}

/* Takes the listener that the child sends; -1 if it ended first. */
static int receive(int fd)
{
    union {
        struct cmsghdr h;
        char c[CMSG_SPACE(sizeof(int))];
    } u;
    char c;
    struct iovec io = {&c, 1};
    struct msghdr m = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = &u,
                       .msg_controllen = sizeof u};
    struct cmsghdr *h;
    ssize_t n;
    int got = -1;

    while ((n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
        ;
    h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    if (h && h->cmsg_type == SCM_RIGHTS)
        memcpy(&got, CMSG_DATA(h), sizeof got);
    return got;
}

/* One question of seccomp: a new task is allowed below the limit; anything else has no honest use.
 */
static void answer(const struct box_in *b, int listener, struct box_report *r)
{
    struct seccomp_notif q = {0};
    struct seccomp_notif_resp a = {0};
    int nr;

    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &q))
        return;
    nr = q.data.nr;
    a.id = q.id;
    a.error = -EPERM;
    if ((nr == SYS_clone && !(q.data.args[0] & NS_FLAGS)) || nr == SYS_fork || nr == SYS_vfork) {
        if (lm_box_tally(b, 0, false).tasks >= b->spec->pids) {
            a.error = -EAGAIN;
            r->pids_hit = true;
            if (++r->refused == PATIENCE) /* it will not take no for an answer */
                kill_all(b);
        } else
            a.error = 0, a.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    } else {
        r->violation = true;
        kill_all(b);
    }
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &a);
}

/* Adds up and holds to the limits. True: some task wants a CPU. */
static bool measure(const struct box_in *b, struct box_report *r, uint64_t before, uint64_t cpu_ms,
                    uint64_t mem)
{
    struct box_tally t = lm_box_tally(b, 0, false);
    uint64_t cpu = t.cpu_us + reaped_us(NULL) - before + r->extra_us;

    if (t.rss > mem) /* perhaps forks that share: a closer, slower look */
        t.rss = lm_box_tally(b, 0, true).rss;
    r->cpu_us = cpu > r->cpu_us ? cpu : r->cpu_us;
    r->mem_peak = t.rss > r->mem_peak ? t.rss : r->mem_peak;
    r->cpu_hit |= r->cpu_us > cpu_ms * 1000;
    r->mem_hit |= t.rss > mem;
    if (b->spec->level == 1 && t.tasks > b->spec->pids)
        r->pids_hit = true;
    if (r->cpu_hit || r->mem_hit || (b->spec->level == 1 && r->pids_hit))
        kill_all(b);
    return t.wants;
}

static uint64_t wall_ms(const struct box_in *b, const struct box_report *r)
{
    return r->build ? b->spec->build_cpu_ms * 3 : b->spec->wall_ms;
}

/* Watches until the program is over. True: go on; false: the caller is gone or wants the end.
   Wall time counts while no task wants a CPU, else as the CPU time that was had: a program that
   other work keeps from running is not called slow, up to BOX_STARVED times the limit. The program
   is our child main_pid, or (main_pid -1) a stranger's whose end comes as a box_done on `end`. */
static bool watch(const struct box_in *b, struct box_report *r, int main_pid, int end, int listener,
                  int sigs, uint64_t cpu_ms, uint64_t mem)
{
    uint64_t before = reaped_us(NULL);
    double start = lm_now(), last = start, next = start + TICK_MS / 1000.,
           limit_s = (double)wall_ms(b, r) / 1000;
    double waited = 0;
    bool over = false, wanted = true;

    r->cpu_us = r->mem_peak = 0;
    while (!over && wanted) {
        struct pollfd p[4] = {{b->go, 0, 0},
                              {sigs, POLLIN, 0},
                              {listener, POLLIN, 0},
                              {end, POLLIN, 0}};
        int ms = (int)((next - lm_now()) * 1000) + 1, st, pid;
        struct signalfd_siginfo si;

        poll(p, 4, ms < 0 ? 0 : ms); /* poll passes over descriptors of -1 */
        if (p[0].revents & (POLLHUP | POLLERR))
            wanted = false;
        if (p[2].revents & POLLIN)
            answer(b, listener, r);
        else if (p[2].revents)
            listener = -1; /* no task with this filter is left */
        if (p[1].revents && read(sigs, &si, sizeof si) < 0 && errno != EAGAIN)
            wanted = false;
        while ((pid = waitpid(-1, &st, WNOHANG)) > 0)
            if (pid == main_pid)
                r->status = st, over = true;
        if (p[3].revents) {
            struct box_done d;
            over = true;
            if (read(end, &d, sizeof d) == (ssize_t)sizeof d)
                r->status = d.status, r->extra_us = d.cpu_us, r->mem_peak = d.mem_peak;
            else
                r->kind = BOX_BROKEN,
                snprintf(r->why, sizeof r->why, "the warm interpreter is gone");
        }
        if (!over && lm_now() >= next) {
            uint64_t had = r->cpu_us;
            double now = lm_now(), used = 0;
            bool wants = measure(b, r, before, cpu_ms, mem);
            used = (double)(r->cpu_us - had) / 1e6;
            waited += wants && used < now - last ? used : now - last;
            last = now;
            next = lm_now() + TICK_MS / 1000.;
            if (waited >= limit_s || now - start >= limit_s * BOX_STARVED) {
                r->wall_hit = true;
                kill_all(b);
            }
        }
    }
    r->wall_us = (uint64_t)((lm_now() - start) * 1e6);
    measure(b, r, before, UINT64_MAX / 1000, UINT64_MAX);
    end_all(b);
    {
        uint64_t cpu = reaped_us(&r->mem_peak) - before + r->extra_us;
        r->cpu_us = cpu > r->cpu_us ? cpu : r->cpu_us;
    }
    r->mem_hit |= r->mem_peak > mem;
    r->cpu_hit |=
        r->cpu_us > cpu_ms * 1000 || (WIFSIGNALED(r->status) && WTERMSIG(r->status) == SIGXCPU);
    return wanted;
}

/* Runs one step. False: the caller is gone. */
static bool step(const struct box_in *b, struct box_report *r, const char *const *argv, bool build,
                 int sigs)
{
    const lm_box_spec *s = b->spec;
    int err[2], sp[2], listener = -1, pid;
    char why[120];
    ssize_t n;

    if (pipe2(err, O_CLOEXEC) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sp))
        broken(b, false, "pipe");
    pid = fork();
    if (pid < 0)
        broken(b, false, "fork");
    if (!pid) {
        /* 3 = the ask descriptor, 4 = errors (closed by exec), 5 = where the listener goes; first
         * all out of the way */
        int ask = fcntl(b->ask, F_DUPFD, 64), e = fcntl(err[1], F_DUPFD, 64),
            l = fcntl(sp[1], F_DUPFD, 64);
        const char *what = "descriptors";
        struct box_in c = *b;
        c.out = fcntl(b->out, F_DUPFD, 64);
        if (ask >= 0 && e >= 0 && l >= 0 && dup2(ask, LM_BOX_FD) >= 0 &&
            dup3(e, FD_REPORT, O_CLOEXEC) >= 0 && dup2(l, FD_LISTEN) >= 0)
            what = become(&c, argv, build, FD_LISTEN);
        n = snprintf(why, sizeof why, "%s: %s", what, strerror(errno));
        if (write(FD_REPORT, why, (size_t)n) < 0)
            _exit(126);
        _exit(127);
    }
    close(err[1]), close(sp[1]);
    if (s->level >= 2)
        listener = receive(sp[0]);
    close(sp[0]);
    while ((n = read(err[0], why, sizeof why - 1)) < 0 && errno == EINTR)
        ;
    close(err[0]);
    if (n > 0) {
        why[n] = 0;
        snprintf(r->why, sizeof r->why, "%s", why);
        r->kind = BOX_BROKEN;
        waitpid(pid, NULL, 0);
        return true;
    }
    n = watch(b, r, pid, -1, listener, sigs, build ? s->build_cpu_ms : s->cpu_ms,
              build ? s->build_mem : s->mem);
    if (listener >= 0)
        close(listener);
    return n;
}

/* The program comes from a warm interpreter: it joins our namespaces, becomes what become() makes,
   sends its listener, waits for a byte, runs. False: the caller is gone. */
static bool adopt(const struct box_in *b, struct box_report *r, int sigs)
{
    struct box_report ready = {.kind = BOX_READY};
    struct pollfd p = {b->go, 0, 0};
    int listener;
    bool on;

    if (write(b->report, &ready, sizeof ready) != (ssize_t)sizeof ready)
        return false;
    listener = receive(b->notify); /* the caller's end closes with it */
    if (listener < 0) {
        if (poll(&p, 1, 0) > 0)
            return false;
        r->kind = BOX_BROKEN;
        snprintf(r->why, sizeof r->why, "the warm interpreter could not enter the box");
        return true;
    }
    prctl(PR_SET_DUMPABLE, 0, 0, 0,
          0); /* it had to look at us to find the namespaces; the program may not */
    if (write(b->notify, "g", 1) != 1)
        return false;
    on = watch(b, r, -1, b->notify, listener, sigs, b->spec->cpu_ms, b->spec->mem);
    close(listener);
    return on;
}

static bool put_files(const struct box_in *b)
{
    for (size_t i = 0; i < b->spec->nfiles; i++) {
        const lm_box_file *f = &b->spec->files[i];
        int fd = open(f->name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644), e;
        if (fd < 0)
            return false;
        e = lm_write_all(fd, f->data.p, f->data.n);
        if (!e && b->root && b->spec->level >= 2)
            e = fchown(fd, b->spec->level == 3 ? BOX_UID : BOX_NOBODY,
                       b->spec->level == 3 ? BOX_UID : BOX_NOBODY);
        close(fd);
        if (e)
            return false;
    }
    return true;
}

_Noreturn void lm_box_inside(struct box_in *b)
{
    const lm_box_spec *s = b->spec;
    int keep[5] = {b->go, b->report, b->out, b->ask, b->notify}, sigs;
    struct box_report r = {.kind = BOX_ENDED};
    struct statvfs vfs;
    sigset_t set;
    char c;
    bool on = true;

    keep_only(keep, LM_COUNT(keep));
    /* A key press that ends the caller must not end us before our children: `go` tells us. */
    for (int i = 1; i < NSIG; i++)
        signal(i, i == SIGPIPE || i == SIGINT || i == SIGTERM || i == SIGHUP || i == SIGQUIT
                      ? SIG_IGN
                      : SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_SETMASK, &set, NULL);
    if (read(b->go, &c, 1) != 1) /* waits for the id maps; the caller may be gone */
        _exit(1);
    b->root = c == 'r';
    if (s->level == 3) {
        if (b->root && (setresgid(0, 0, 0) || setresuid(0, 0, 0)))
            broken(b, true, "user namespaces");
        if (sethostname("box", 3) || lm_box_tree(b, "/tmp"))
            broken(b, true, lm_box_step);
    } else if (chdir(b->work)) {
        broken(b, false, b->work);
    }
    if (!s->zygote)
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* the program may not look into us */
    if (s->level == 3)
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0,
              0); /* else we are told by the closed pipe `go` and clear up */
    else
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (!put_files(b))
        broken(b, false, "files");
    sigs = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (sigs < 0)
        broken(b, false, "signalfd");
    if (s->build) {
        r.build = true;
        on = step(b, &r, s->build, true, sigs);
        if (on && r.kind == BOX_ENDED && r.status == 0 && !r.cpu_hit && !r.mem_hit)
            r = (struct box_report){.kind = BOX_ENDED};
    }
    if (on && !r.build && s->zygote)
        adopt(b, &r, sigs);
    else if (on && !r.build)
        step(b, &r, s->argv, false, sigs);
    if (s->level == 3 && !statvfs(".", &vfs))
        r.disk_hit = vfs.f_bavail == 0;
    cleanup(b);
    _exit(write(b->report, &r, sizeof r) == (ssize_t)sizeof r ? 0 : 1);
}
