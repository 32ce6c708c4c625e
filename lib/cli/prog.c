/* prog: progress on a terminal: one line, rewritten 6 times a second by a thread of its own. */
#include "cli/cli.h"
#include "cli/priv.h"
#include <pthread.h>
#include <unistd.h>
#include <sys/stat.h>

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool on, stop, drawn;
    const char *tool;
    lm_stats *st;
    _Atomic uint64_t done, total;
    _Atomic(const char *) unit;
    double t0;
} prog = {.lock = PTHREAD_MUTEX_INITIALIZER};

void lm_progress(uint64_t done, uint64_t total, const char *unit)
{
    atomic_store(&prog.unit, unit);
    atomic_store(&prog.total, total);
    atomic_store(&prog.done, done);
}

void lm_show(bool last, const char *fmt, ...)
{
    bool tty = isatty(2);
    char line[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    fprintf(stderr, "%s%s%s", tty ? "\r\033[K" : "", line, tty && !last ? "" : "\n");
}

static void draw(void)
{
    double t = lm_now() - prog.t0;
    const char *unit = atomic_load(&prog.unit);
    char line[200], a[16], b[16];
    int n;

    if (unit) {
        uint64_t done = atomic_load(&prog.done), total = atomic_load(&prog.total);

        n = total
                ? snprintf(line, sizeof line, "%llu of %llu %s, %.0f %%", (unsigned long long)done,
                           (unsigned long long)total, unit, 100.0 * (double)done / (double)total)
                : snprintf(line, sizeof line, "%llu %s", (unsigned long long)done, unit);
    } else if (prog.st) {
        uint64_t bytes = prog.st->bytes, size = prog.st->size;

        lm_fmt_bytes(a, bytes);
        lm_fmt_bytes(b, (uint64_t)((double)bytes / (t > 0.001 ? t : 0.001)));
        n = snprintf(line, sizeof line, "%llu records, %s, %s/s", (unsigned long long)prog.st->recs,
                     a, b);
        if (size && bytes <= size)
            n += snprintf(line + n, sizeof line - (size_t)n, ", %.0f %%",
                          100.0 * (double)bytes / (double)size);
    } else {
        return;
    }
    fprintf(stderr, "\r%s: %.*s, %.0f s\033[K", prog.tool, n, line, t);
    prog.drawn = true;
}

static void *loop(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&prog.lock);
    while (!prog.stop) {
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += 166666667;
        if (t.tv_nsec >= 1000000000) {
            t.tv_sec++;
            t.tv_nsec -= 1000000000;
        }
        pthread_cond_timedwait(&prog.wake, &prog.lock, &t);
        if (!prog.stop)
            draw();
    }
    pthread_mutex_unlock(&prog.lock);
    return NULL;
}

/* In a pipe only the last command speaks, and never over text on the same terminal. */
static bool wanted(void)
{
    struct stat st;

    return !lm_common.quiet && isatty(2) && !isatty(1) &&
           (lm_common.out || (!fstat(1, &st) && !S_ISFIFO(st.st_mode)));
}

void lm_prog_start(lm_in *in, const char *tool)
{
    if (!wanted())
        return;
    prog.tool = tool;
    prog.st = in ? lm_in_stats(in) : NULL;
    prog.t0 = lm_now();
    pthread_cond_init(&prog.wake, NULL);
    prog.on = !pthread_create(&prog.thread, NULL, loop, NULL);
}

void lm_prog_clear(void)
{
    if (prog.on && prog.drawn)
        fputs("\r\033[K", stderr);
    prog.drawn = false;
}

void lm_prog_stop(void)
{
    if (!prog.on)
        return;
    pthread_mutex_lock(&prog.lock);
    prog.stop = true;
    pthread_cond_signal(&prog.wake);
    pthread_mutex_unlock(&prog.lock);
    pthread_join(prog.thread, NULL);
    lm_prog_clear();
    prog.on = false;
}
