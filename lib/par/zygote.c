/* zygote: a warm interpreter, started once, from which programs are forked into boxes.
   It runs outside the boxes and never holds a program's text: its child joins the namespaces of the
   box (setns by pidfd) and forks; that grandchild, inside, gives up all rights as become() does,
   sends its seccomp listener to the supervisor, waits for one byte, and only then reads the
   program. Control socket (descriptor 3, SOCK_SEQPACKET): first message the filter (8 bytes an
   instruction), then one message a program: a line of numbers (see lm_zygote_ask) with the
   descriptors pidfd, output, ask
   (-> 3), notify. On notify: 'L' with the listener; then, by the child, a struct box_done. */
/* link: seccomp */
#include "par/boxin.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES \
    (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

struct lm_zygote {
    pid_t pid;
    int fd;
};

static _Noreturn void become_zygote(int fd, const char *const *argv, const char *const *env)
{
    int null = open("/dev/null", O_RDWR), keep;
    sigset_t set;

    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); /* besides, its socket closes */
    setsid();
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    keep = fcntl(fd, F_DUPFD, 64);
    if (null < 0 || keep < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
        dup2(keep, 3) < 0)
        _exit(127);
    close_range(4, ~0u, 0);
    if (chdir("/"))
        _exit(127);
    execve(argv[0], (char *const *)argv, (char *const *)env);
    _exit(127);
}

lm_zygote *lm_zygote_start(const char *const *argv, const char *const *env)
{
    struct sock_fprog filter;
    lm_zygote *z;
    int sp[2];

    if (lm_box_filter(&filter) < 0)
        return NULL;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sp)) {
        lm_err_sys(NULL, "socketpair");
        return NULL;
    }
    z = lm_zalloc(1, sizeof *z);
    z->fd = sp[0];
    z->pid = fork();
    if (z->pid == 0)
        become_zygote(sp[1], argv, env);
    close(sp[1]);
    if (z->pid < 0 ||
        send(z->fd, filter.filter, filter.len * sizeof *filter.filter, MSG_NOSIGNAL) < 0) {
        lm_err_sys(NULL, "warm interpreter");
        lm_zygote_stop(z);
        return NULL;
    }
    return z;
}

void lm_zygote_stop(lm_zygote *z)
{
    if (!z)
        return;
    close(z->fd);
    if (z->pid > 0) {
        kill(z->pid, SIGKILL);
        while (waitpid(z->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    free(z);
}

int lm_zygote_ask(const struct lm_zygote *z, const lm_box_spec *s, bool root, int pidfd, int out,
                  int ask, int notify)
{
    struct landlock_masks m = lm_landlock_masks();
    union {
        struct cmsghdr h;
        char c[CMSG_SPACE(4 * sizeof(int))];
    } u = {0};
    int fd[4] = {pidfd, out, ask, notify};
    char line[400];
    struct iovec io = {line, 0};
    struct msghdr h = {.msg_iov = &io,
                       .msg_iovlen = 1,
                       .msg_control = &u,
                       .msg_controllen = sizeof u};

    io.iov_len = (size_t)
        snprintf(line, sizeof line, "%llu %llu %llu %u %d %d %d %d %d %llu %llu %llu %llu %s",
                 (unsigned long long)((s->cpu_ms + 999) / 1000 + 2), (unsigned long long)s->fsize,
                 (unsigned long long)(s->as_ok ? s->mem + (uint64_t)s->pids * BOX_STACK : 0),
                 s->pids + 16, BOX_STACK, root ? BOX_UID : -1, SYS_capset, SYS_seccomp, NAMESPACES,
                 (unsigned long long)m.all, (unsigned long long)m.read, (unsigned long long)m.dev,
                 (unsigned long long)m.work, s->warm_arg ? s->warm_arg : "");
    u.h.cmsg_len = CMSG_LEN(sizeof fd), u.h.cmsg_level = SOL_SOCKET, u.h.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&u.h), fd, sizeof fd);
    return sendmsg(z->fd, &h, MSG_NOSIGNAL) < 0 ? -1 : 0;
}
