/* probe: what the contract asks of a tool and a shell cannot: input cut at each byte or coming byte
   by byte, a reader that is gone, the time a record takes through a pipe, peak memory.

     probe cuts FILE FROM TO STEP CMD ..   runs CMD on the first N bytes of FILE as stdin, for N =
   FROM, FROM + STEP .. < TO; tells each N at which CMD did not exit 3 with 'truncated' or 'corrupt'
     probe drip                            copies stdin to stdout, one byte a write, each once the
   last was read probe gone [-i] CMD ..                runs CMD with stdout a pipe nobody reads (-i:
   SIGPIPE ignored); tells its end probe lag FILE CMD ..                 gives CMD a stream's
   records one by one; prints the worst time, in ms, from a record in to its last byte out (CMD
   passes them unchanged), the first apart probe rss CMD ..                      runs CMD; prints
   its peak memory in KiB probe kill MS CMD ..                  runs CMD and kills it (-9) after MS
   milliseconds probe fault SHIM VAR MAX CMD ..       runs CMD with tests/fault/shim.c and VAR=1, 2,
   .. (steps grow by a 16th) until no failure is delivered or MAX is passed; each run must end like
   a run without the fault or exit 5 with a message and no %end; tells those that do not */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
    exit(125);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static char *slurp(const char *path, size_t *n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    char *p;
    ssize_t k;

    if (fd < 0 || fstat(fd, &st))
        die(path);
    p = malloc((size_t)st.st_size + 1);
    if (!p)
        die("memory");
    for (*n = 0; (k = read(fd, p + *n, (size_t)st.st_size - *n)) > 0;)
        *n += (size_t)k;
    close(fd);
    return p;
}

/* Starts argv with the given descriptors as 0, 1, 2 (-1: as they are). */
static pid_t start(char **argv, int in, int out, int err, int ignore_pipe)
{
    pid_t pid = fork();

    if (pid < 0)
        die("fork");
    if (pid)
        return pid;
    signal(SIGPIPE, ignore_pipe ? SIG_IGN : SIG_DFL);
    if ((in >= 0 && dup2(in, 0) < 0) || (out >= 0 && dup2(out, 1) < 0) ||
        (err >= 0 && dup2(err, 2) < 0))
        die("dup2");
    execvp(argv[0], argv);
    die(argv[0]);
    return -1;
}

static int cuts(int argc, char **argv)
{
    size_t n, from, to, step, bad = 0, at;
    char *p, msg[4096];
    int in = memfd_create("in", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (argc < 5 || in < 0 || err < 0 || null < 0)
        die("cuts FILE FROM TO STEP CMD ..");
    p = slurp(argv[0], &n);
    from = strtoull(argv[1], NULL, 10);
    to = strtoull(argv[2], NULL, 10);
    step = strtoull(argv[3], NULL, 10);
    if (to > n)
        to = n;
    for (at = from; at < to; at += step) {
        int status = 0;
        ssize_t k;

        if (ftruncate(in, 0) || pwrite(in, p, at, 0) != (ssize_t)at || lseek(in, 0, SEEK_SET) ||
            ftruncate(err, 0) || lseek(err, 0, SEEK_SET))
            die("memfd");
        waitpid(start(argv + 4, in, null, err, 0), &status, 0);
        k = pread(err, msg, sizeof msg - 1, 0);
        msg[k > 0 ? k : 0] = 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 3 &&
            (strstr(msg, "truncated") || strstr(msg, "corrupt")))
            continue;
        if (bad++ < 10)
            printf("cut at %zu: status %d: %s\n", at,
                   WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), msg);
    }
    return bad > 0;
}

static int drip(void)
{
    char buf[65536];
    ssize_t k, i;
    int left, spin;

    while ((k = read(0, buf, sizeof buf)) > 0)
        for (i = 0; i < k; i++) {
            if (write(1, buf + i, 1) != 1)
                return 1;
            for (spin = 0; spin < 1000 && !ioctl(1, FIONREAD, &left) && left; spin++)
                usleep(spin < 50 ? 1 : 100);
        }
    return k < 0;
}

static int gone(char **argv)
{
    int fd[2], status, ignore = argv[0] && !strcmp(argv[0], "-i");

    if (pipe2(fd, O_CLOEXEC))
        die("pipe");
    close(fd[0]);
    waitpid(start(argv + ignore, -1, fd[1], -1, ignore), &status, 0);
    if (WIFSIGNALED(status))
        printf("signal %d\n", WTERMSIG(status));
    else
        printf("exit %d\n", WEXITSTATUS(status));
    return 0;
}

/* Reads n bytes from fd and compares; false after 5 seconds, at the end, or when they differ. */
static int expect(int fd, const char *p, size_t n)
{
    char buf[65536];
    double end = now() + 5;

    while (n) {
        struct pollfd pfd = {.fd = fd, .events = POLLIN};
        ssize_t k;

        if (poll(&pfd, 1, 100) < 0 && errno != EINTR)
            return 0;
        if (pfd.revents) {
            k = read(fd, buf, n < sizeof buf ? n : sizeof buf);
            if (k <= 0 || memcmp(buf, p, (size_t)k))
                return 0;
            p += k;
            n -= (size_t)k;
        }
        if (now() > end)
            return 0;
    }
    return 1;
}

static int lag(int argc, char **argv)
{
    size_t n, len, at = 0, k = 0;
    int in[2], out[2], status;
    double worst = 0;
    char *p;
    pid_t pid;

    if (argc < 2)
        die("lag FILE CMD ..");
    p = slurp(argv[0], &n);
    p[n] = 0;
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        die("pipe");
    signal(SIGPIPE, SIG_IGN);
    pid = start(argv + 1, in[0], out[1], -1, 0);
    close(in[0]);
    close(out[1]);
    while (at < n && p[at] != '@')
        at = (size_t)(strchr(p + at, '\n') - p) + 1;
    /* what stands before the first record goes with it */
    for (len = 0; at < n && p[at] == '@'; k++, at = len) {
        size_t from = k ? at : 0;
        char *sp = strchr(p + at, ' ');
        double t;

        len = (size_t)(strchr(p + at, '\n') - p) + 1 + strtoull(sp, NULL, 10) + 1;
        t = now();
        if (write(in[1], p + from, len - from) != (ssize_t)(len - from) ||
            !expect(out[0], p + from, len - from)) {
            printf("record %zu did not come out as it went in\n", k);
            kill(pid, SIGKILL);
            break;
        }
        t = (now() - t) * 1000;
        if (k && t > worst)
            worst = t;
        usleep(20000);
    }
    if (at < n && p[at] == '%' && write(in[1], p + at, n - at) < 0)
        die("write");
    close(in[1]);
    waitpid(pid, &status, 0);
    if (at < n && p[at] == '%')
        printf("%.0f\n", worst);
    return !WIFEXITED(status) || WEXITSTATUS(status) > 1;
}

static int rss(char **argv)
{
    int status, null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    struct rusage u;

    if (wait4(start(argv, -1, null, -1, 0), &status, 0, &u) < 0)
        die("wait4");
    printf("%ld\n", u.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int killed(char **argv)
{
    int status;
    pid_t pid = start(argv + 1, -1, -1, -1, 0);

    usleep((useconds_t)(strtod(argv[0], NULL) * 1000));
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What a run of CMD gave: status (below 0: a signal) and stdout in fd. */
static int outcome(char **argv, int out, int err)
{
    int status, in = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (in < 0 || ftruncate(out, 0) || lseek(out, 0, SEEK_SET) || ftruncate(err, 0) ||
        lseek(err, 0, SEEK_SET))
        die("memfd");
    waitpid(start(argv, in, out, err, 0), &status, 0);
    close(in);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static char *content(int fd, size_t *n)
{
    struct stat st;
    char *p = NULL;

    if (fstat(fd, &st) || !(p = malloc((size_t)st.st_size + 1)) ||
        pread(fd, p, (size_t)st.st_size, 0) < 0)
        die("memfd");
    *n = (size_t)st.st_size;
    p[*n] = 0;
    return p;
}

static bool ends_whole(const char *p, size_t n)
{
    size_t i = n ? n - 1 : 0;

    while (i && p[i - 1] != '\n')
        i--;
    return n && p[n - 1] == '\n' && n - i >= 5 && !memcmp(p + i, "%end ", 5);
}

/* How many lines of msg are those of tool? What it runs may add its own. */
static int lines_of(const char *msg, const char *tool)
{
    const char *base = strrchr(tool, '/');
    int n = 0;

    base = base ? base + 1 : tool;
    for (; msg; msg = strchr(msg, '\n') ? strchr(msg, '\n') + 1 : NULL)
        n += !strncmp(msg, base, strlen(base)) && msg[strlen(base)] == ':';
    return n;
}

static int fault(int argc, char **argv)
{
    int want, got, bad = 0, out = memfd_create("out", MFD_CLOEXEC),
                   err = memfd_create("err", MFD_CLOEXEC);
    char *base, *p, *msg, val[32], tell[64];
    size_t nbase, n, nmsg;
    long i, runs = 0, last = 0, max;

    if (argc < 4 || out < 0 || err < 0)
        die("fault SHIM VAR MAX CMD ..");
    max = strtol(argv[2], NULL, 10);
    snprintf(tell, sizeof tell, "./fault-tell-%ld", (long)getpid());
    want = outcome(argv + 3, out, err);
    base = content(out, &nbase);
    setenv("LD_PRELOAD", argv[0], 1);
    setenv("FAULT_TELL", tell, 1);
    for (i = 1; i <= max; i += 1 + i / 16, runs++) {
        const char *why = NULL;

        snprintf(val, sizeof val, "%ld", i);
        setenv(argv[1], val, 1);
        got = outcome(argv + 3, out, err);
        if (unlink(tell))
            break;
        last = i;
        p = content(out, &n);
        msg = content(err, &nmsg);
        if (got == want && (n != nbase || memcmp(p, base, n)))
            why = "exit as if all were well, with other output";
        else if (got != want && got != 5)
            why = got < 0 ? "a signal" : "neither success nor 5";
        else if (got == 5 && ends_whole(p, n))
            why = "a false %end";
        else if (got == 5 && lines_of(msg, argv[3]) != 1)
            why = "not one line of message";
        if (why && bad++ < 10)
            printf("%s=%ld: status %d: %s: %s\n", argv[1], i, got, why, msg);
        free(p);
        free(msg);
    }
    if (!bad)
        printf("%ld runs, failures 1 to %ld\n", runs, last);
    return bad > 0 || !last;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (!strcmp(what, "drip"))
        return drip();
    if (!strcmp(what, "cuts"))
        return cuts(argc - 2, argv + 2);
    if (!strcmp(what, "gone") && argc > 2)
        return gone(argv + 2);
    if (!strcmp(what, "lag"))
        return lag(argc - 2, argv + 2);
    if (!strcmp(what, "rss") && argc > 2)
        return rss(argv + 2);
    if (!strcmp(what, "kill") && argc > 3)
        return killed(argv + 2);
    if (!strcmp(what, "fault"))
        return fault(argc - 2, argv + 2);
    fputs("usage: probe cuts|drip|gone|lag|rss|kill|fault ..\n", stderr);
    return 2;
}
