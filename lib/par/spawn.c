/* spawn: see spawn.h. */
#include "par/spawn.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Between fork and exec: async-signal-safe calls alone, since other threads may hold locks. */
_Noreturn static void become(const char *cmd, char *const *env, const int fd[4], pid_t parent)
{
    char sh[] = "sh", c[] = "-c", *const argv[] = {sh, c, (char *)(uintptr_t)cmd, NULL};
    sigset_t none;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above */
        _exit(127);
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (dup2(fd[0], 0) < 0 || dup2(fd[3], 1) < 0)
        _exit(127);
    execve("/bin/sh", argv, env);
    _exit(127);
}

int lm_spawn(lm_child *c, const char *cmd, char *const *env)
{
    int fd[4] = {-1, -1, -1, -1}; /* its stdin: read, write; its stdout: read, write */
    pid_t parent = getpid();

    *c = (lm_child){0, -1, -1};
    if (pipe2(fd, O_CLOEXEC) || pipe2(fd + 2, O_CLOEXEC) || (c->pid = fork()) < 0) {
        lm_err_sys(NULL, "cannot start a command");
        c->pid = 0;
        for (int i = 0; i < 4; i++)
            if (fd[i] >= 0)
                close(fd[i]);
        return LM_EIO;
    }
    if (!c->pid)
        become(cmd, env ? env : environ, fd, parent);
    setpgid(c->pid, c->pid); /* here too: whoever comes first */
    close(fd[0]);
    close(fd[3]);
    c->in = fd[1];
    c->out = fd[2];
    return 0;
}

ssize_t lm_write_quiet(int fd, const void *p, size_t n)
{
    static const struct timespec now = {0, 0};
    sigset_t pipe, old, waiting;
    bool had;
    ssize_t k;
    int err;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&waiting);
    had = sigismember(&waiting, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe, &old);
    k = write(fd, p, n);
    err = errno;
    if (k != (ssize_t)n && !had) /* a short write too: its reader may have left midway */
        while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR)
            continue;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = err;
    return k;
}

int lm_child_wait(lm_child *c, double deadline, int *status)
{
    struct timespec nap = {0, 100000};

    for (;;) {
        siginfo_t si = {0};
        int k = waitid(P_PID, (id_t)c->pid, &si, WEXITED | WNOWAIT | (deadline > 0 ? WNOHANG : 0));

        if (k == 0 && si.si_pid == c->pid) {
            kill(-c->pid, SIGKILL); /* what it left behind: its number is still ours */
            while (waitpid(c->pid, status, 0) < 0 && errno == EINTR)
                continue;
            c->pid = 0;
            return 1;
        }
        if (k < 0 && errno != EINTR) { /* somebody else waited for it */
            *status = 127 << 8;
            c->pid = 0;
            return 1;
        }
        if (deadline > 0) {
            if (lm_now() >= deadline)
                return 0;
            nanosleep(&nap, NULL);
            if (nap.tv_nsec < 10000000)
                nap.tv_nsec *= 2;
        }
    }
}

void lm_child_close(lm_child *c)
{
    if (c->in >= 0)
        close(c->in);
    if (c->out >= 0)
        close(c->out);
    c->in = c->out = -1;
}

void lm_child_kill(lm_child *c)
{
    int status;

    if (c->pid > 0) {
        kill(-c->pid, SIGKILL);
        kill(c->pid, SIGKILL);
        lm_child_wait(c, 0, &status);
    }
    lm_child_close(c);
}

/* Field i, as proc(5) counts, of a stat line from the ')' that ends field 2. */
static bool stat_field(const char *p, int i, uint64_t *v)
{
    for (; i > 2 && p; i--) {
        p = strchr(p, ' ');
        p += p != NULL;
    }
    return p && lm_parse_u64((lm_str){p, strcspn(p, " \n")}, v);
}

uint64_t lm_group_ticks(pid_t group)
{
    DIR *d = opendir("/proc");
    uint64_t sum = 0;

    for (struct dirent *e; d && (e = readdir(d));) {
        char path[300], text[1024], *at;
        uint64_t of, t;
        int fd;
        ssize_t n;

        if (*e->d_name < '0' || *e->d_name > '9')
            continue;
        snprintf(path, sizeof path, "/proc/%s/stat", e->d_name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
        if (fd >= 0)
            close(fd);
        text[n > 0 ? n : 0] = 0;
        at = strrchr(text, ')'); /* the command's name may hold anything */
        if (at && stat_field(at, 5, &of) && of == (uint64_t)group)
            for (int i = 14; i <= 17; i++)
                sum += stat_field(at, i, &t) ? t : 0;
    }
    if (d)
        closedir(d);
    return sum;
}

void lm_child_told(int status, char *out, size_t n)
{
    if (WIFSIGNALED(status))
        snprintf(out, n, "was killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(out, n, "ended with status %d", WEXITSTATUS(status));
}
