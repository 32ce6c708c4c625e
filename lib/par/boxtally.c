/* boxtally: what the tasks of a box use, read from /proc. */
/* link: seccomp */
#include "par/boxin.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* A number of digits alone, 0 for anything else. */
static uint64_t number(const char *p, size_t n)
{
    uint64_t v;

    return lm_parse_u64((lm_str){p, n}, &v) ? v : 0;
}

/* Of one line of /proc/PID/stat (proc(5)): parent, CPU time with that of reaped children, resident
   bytes, threads (0 for a zombie). False: gone. */
static bool stat_of(const char *pid, int *ppid, struct box_tally *t)
{
    enum { STATE = 3, PPID = 4, UTIME = 14, CSTIME = 17, THREADS = 20, RSS = 24 };
    char path[320], buf[1024], *p;
    uint64_t v[RSS + 1] = {0}, ticks = 0, hz = (uint64_t)sysconf(_SC_CLK_TCK);
    ssize_t n;
    int fd, f = STATE;

    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    n = read(fd, buf, sizeof buf - 1);
    close(fd);
    if (n <= 0)
        return false;
    buf[n] = 0;
    p = strrchr(buf, ')'); /* the name before it may hold anything */
    if (!p || !p[1])
        return false;
    for (p += 2; *p && f <= RSS; f++) {
        size_t len = strcspn(p, " ");
        v[f] = f == STATE ? (unsigned char)*p : number(p, len);
        p += len + (p[len] == ' ');
    }
    for (int i = UTIME; i <= CSTIME; i++)
        ticks += v[i];
    *ppid = (int)v[PPID];
    t->cpu_us = ticks * (1000000 / hz);
    t->rss = v[RSS] * (uint64_t)sysconf(_SC_PAGESIZE);
    t->tasks = v[STATE] == 'Z' ? 0 : (unsigned)v[THREADS];
    t->wants = v[STATE] == 'R';
    return f > RSS;
}

/* Does any thread of a process run or wait for a CPU? Its own line tells of the first thread alone.
 */
static bool thread_wants(const char *pid)
{
    char path[600];
    DIR *d;
    struct dirent *e;
    struct box_tally t = {0};
    int ppid;
    bool wants = false;

    snprintf(path, sizeof path, "/proc/%s/task", pid);
    d = opendir(path);
    while (d && !wants && (e = readdir(d)))
        if (*e->d_name != '.') {
            snprintf(path, sizeof path, "%.20s/task/%.20s", pid, e->d_name);
            wants = stat_of(path, &ppid, &t) && t.wants;
        }
    if (d)
        closedir(d);
    return wants;
}

/* Resident bytes of a process with each page divided among those that share it (Pss); rss if it
 * cannot be read. */
static uint64_t share(int pid, uint64_t rss)
{
    char path[48], buf[2048], *p;
    uint64_t kib = 0;
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return rss;
    n = read(fd, buf, sizeof buf - 1);
    close(fd);
    buf[n > 0 ? n : 0] = 0;
    p = strstr(buf, "\nPss:");
    if (!p)
        return rss;
    p += 5 + strspn(p + 5, " ");
    kib = number(p, strspn(p, "0123456789"));
    return kib * 1024;
}

/* Adds up all processes of the box but the supervisor; with sig, also sends it to each. Level 3:
   all that our own /proc shows. Else: those whose line of parents leads to us (we are a subreaper).
 */
struct box_tally lm_box_tally(const struct box_in *b, int sig, bool shares)
{
    static struct {
        int pid, ppid;
        bool mine;
        struct box_tally t;
    } v[8192];
    struct box_tally sum = {0};
    size_t n = 0;
    DIR *d = opendir("/proc");
    struct dirent *e;
    int me = getpid();
    bool more = true;

    while (d && (e = readdir(d)) && n < LM_COUNT(v)) {
        int pid = (int)number(e->d_name, strlen(e->d_name));
        if (pid <= 0 || pid == me || !stat_of(e->d_name, &v[n].ppid, &v[n].t))
            continue;
        v[n].pid = pid;
        v[n++].mine = b->spec->level == 3;
    }
    if (d)
        closedir(d);
    while (more && b->spec->level != 3) {
        more = false;
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n && !v[i].mine; j++)
                if (v[i].ppid == me || (v[j].mine && v[j].pid == v[i].ppid))
                    more = v[i].mine = true;
    }
    for (size_t i = 0; i < n; i++)
        if (v[i].mine) {
            sum.cpu_us += v[i].t.cpu_us, sum.tasks += v[i].t.tasks;
            sum.wants |= v[i].t.wants;
            sum.rss += shares ? share(v[i].pid, v[i].t.rss) : v[i].t.rss;
            if (!sum.wants && v[i].t.tasks > 1) {
                char name[16];
                snprintf(name, sizeof name, "%d", v[i].pid);
                sum.wants = thread_wants(name);
            }
            if (sig && v[i].t.tasks)
                kill(v[i].pid, sig);
        }
    return sum;
}
