/* run: the life of a tool: descriptors and signals, options, run, end or abort, the exit code. */
#include "cli/cli.h"
#include "cli/priv.h"
#include <archive.h>
#include <fcntl.h>
#include <jansson.h>
#include <nettle/version.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#include <xxhash.h>
#include <zlib.h>

#ifndef LM_VERSION
#define LM_VERSION "0"
#define LM_BUILD ""
#endif

static struct {
    const lm_tool *tool;
    const char **rest; /* operands: the first nargs are the tool's, the others input files */
    size_t nrest, nargs;
    lm_buf by;
    lm_out *rejects;
    _Atomic uint64_t warned;
    double t0;
} self;

const char *lm_self(void)
{
    return self.tool ? self.tool->name : "lm";
}
const char *lm_version(void)
{
    return LM_VERSION;
}
lm_str lm_by_line(void)
{
    return lm_buf_str(&self.by);
}
size_t lm_nargs(void)
{
    return self.nargs;
}
size_t lm_nfiles(void)
{
    return self.nrest - self.nargs;
}
lm_out *lm_rejects(void)
{
    return self.rejects;
}

const char *lm_file(size_t i)
{
    return i < lm_nfiles() ? self.rest[self.nargs + i] : NULL;
}

lm_str lm_arg(size_t i)
{
    return i < self.nargs ? lm_cstr(self.rest[i]) : (lm_str){NULL, 0};
}

/* Control bytes show as \xHH. One write a line, so that the lines of a pipe's tools do not mix. */
static void print_line(const char *s)
{
    lm_buf b = {0};

    lm_prog_clear();
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (c < 0x20 || c == 0x7f)
            lm_buf_addf(&b, "\\x%02X", c);
        else
            lm_buf_addc(&b, (char)c);
    }
    lm_buf_addc(&b, '\n');
    (void)!lm_write_all(2, b.p, b.n);
    lm_buf_free(&b);
}

static void print_error(void)
{
    lm_error *e = lm_last_error();
    lm_buf b = {0};

    lm_buf_addf(&b, "%s: %s%s%s: %s", lm_self(), e->where, *e->where ? ": " : "",
                lm_class_name(e->err), e->detail);
    print_line(b.p);
    lm_buf_free(&b);
}

static void warn_line(const char *text)
{
    lm_buf b = {0};

    atomic_fetch_add(&self.warned, 1);
    if (lm_common.quiet)
        return;
    lm_buf_addf(&b, "%s: warning: %s", lm_self(), text);
    print_line(b.p);
    lm_buf_free(&b);
}

void lm_warn(const char *fmt, ...)
{
    char text[1200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    warn_line(text);
}

_Noreturn void lm_die(int err, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    lm_err(err, "%s", text);
    print_error();
    exit(lm_class_exit(err));
}

static void out_of_memory(size_t bytes)
{
    char text[256];
    int n =
        snprintf(text, sizeof text, "%s: memory: cannot have %zu bytes more\n", lm_self(), bytes);

    lm_aside_drop_all();
    if (n > 0)
        (void)!write(2, text, (size_t)n);
    _exit(5);
}

static void on_signal(int sig)
{
    lm_aside_drop_all();
    signal(sig, SIG_DFL);
    raise(sig);
}

/* A descriptor closed at start must not become a data file: it is opened so that its use fails. */
static void settle_fds(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

static void settle_signals(void)
{
    static const int deadly[] = {SIGINT, SIGTERM, SIGHUP};
    sigset_t set;

    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    for (size_t i = 0; i < LM_COUNT(deadly); i++) {
        struct sigaction old;

        if (!sigaction(deadly[i], NULL, &old) && old.sa_handler == SIG_DFL)
            signal(deadly[i], on_signal);
    }
}

unsigned lm_jobs(void)
{
    cpu_set_t set;
    const char *env = getenv("LM_JOBS");
    uint64_t n;

    if (lm_common.jobs)
        return (unsigned)lm_common.jobs;
    if (env && lm_parse_u64(lm_cstr(env), &n) && n && n <= 1024)
        return (unsigned)n;
    if (sched_getaffinity(0, sizeof set, &set))
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

bool lm_acts_on(lm_str type)
{
    const char *p = lm_common.types ? lm_common.types : self.tool->types;

    if (!p || !strcmp(p, "*"))
        return true;
    for (;; p++) {
        size_t n = strcspn(p, ",");

        if (lm_eq(type, (lm_str){p, n}))
            return true;
        p += n;
        if (!*p)
            return false;
    }
}

static void show_version(void)
{
    printf("%s (lm-tools) %s\ncompiler: %s; %s\nlibraries: %s, zlib %s, xxhash %d.%d.%d, "
           "jansson %s, nettle %d.%d\n",
           lm_self(), LM_VERSION, __VERSION__, LM_BUILD, archive_version_string(), zlibVersion(),
           XXH_VERSION_MAJOR, XXH_VERSION_MINOR, XXH_VERSION_RELEASE, JANSSON_VERSION,
           NETTLE_VERSION_MAJOR, NETTLE_VERSION_MINOR);
}

/* How many operands .args takes: words, [optional] ones, and "X..." for all the rest. */
static int operands(const lm_tool *t)
{
    const char *p = t->args ? t->args : "";
    size_t least = 0, most = 0;

    while (*p) {
        size_t n = strcspn(p, " ");
        bool all = n > 3 && memmem(p, n, "...", 3);

        if (p[0] != '[')
            least++;
        most = all ? SIZE_MAX : most + 1;
        p += n + (p[n] == ' ');
        if (all)
            break;
    }
    if (self.nrest < least)
        return lm_err(LM_EUSAGE, "missing operand: %s", t->args);
    self.nargs = self.nrest < most ? self.nrest : most;
    if (!(t->flags & LM_IN) && self.nargs < self.nrest)
        return lm_err(LM_EUSAGE, "too many operands: %s", self.rest[self.nargs]);
    return 0;
}

static int usage(void)
{
    print_error();
    lm_usage(stderr, self.tool);
    return 2;
}

static int flush_stdout(void)
{
    bool bad = fflush(stdout) || ferror(stdout);

    return close(1) || bad ? lm_err_sys("stdout", "cannot write") : 0;
}

static void summary(lm_in *in, lm_out *out)
{
    struct rusage ru;
    lm_buf b = {0};
    char s[16];

    getrusage(RUSAGE_SELF, &ru);
    lm_buf_addf(&b, "%s:", lm_self());
    if (in) {
        lm_fmt_bytes(s, lm_in_stats(in)->body);
        lm_buf_addf(&b, " in %llu records %s,", (unsigned long long)lm_in_stats(in)->recs, s);
        if (lm_in_stats(in)->skipped)
            lm_buf_addf(&b, " %llu skipped,", (unsigned long long)lm_in_stats(in)->skipped);
    }
    if (out) {
        lm_fmt_bytes(s, lm_out_stats(out)->body);
        lm_buf_addf(&b, " out %llu records %s,", (unsigned long long)lm_out_stats(out)->recs, s);
    }
    if (self.warned)
        lm_buf_addf(&b, " %llu warnings,", (unsigned long long)self.warned);
    lm_fmt_bytes(s, (uint64_t)ru.ru_maxrss * 1024);
    lm_buf_addf(&b, " %.2f s, %s", lm_now() - self.t0, s);
    print_line(b.p);
    lm_buf_free(&b);
}

/* Ends what was opened; the tool's result, or the error met on the way. */
static int finish(int rc, lm_in *in, lm_out *out, lm_aside *text)
{
    if (rc >= 0 && out && lm_out_end(out) < 0)
        rc = LM_EIO;
    if (rc >= 0 && self.rejects && lm_out_end(self.rejects) < 0)
        rc = LM_EIO;
    if (rc >= 0 && lm_common.counts) {
        int err = 0;

        lm_counts_write(lm_common.counts, in, out, &err);
        rc = err < 0 ? err : rc;
    }
    if (rc >= 0 && flush_stdout() < 0)
        rc = LM_EIO;
    if (text) {
        if (rc >= 0 && lm_aside_commit(text) < 0)
            rc = LM_EIO;
        else if (rc < 0)
            lm_aside_drop(text);
    }
    lm_prog_stop();
    if (rc == LM_EABORT && in && lm_in_abort(in).n) {
        if (out)
            lm_out_abort_line(out, lm_in_abort(in));
        if (lm_common.verbose)
            print_error();
    } else if (rc < 0) {
        lm_error e = *lm_last_error();
        char msg[1100];

        print_error();
        snprintf(msg, sizeof msg, "%s: %s", lm_class_name(e.err), e.detail);
        if (out && rc != LM_EUSAGE)
            lm_out_abort(out, lm_class_exit(rc), lm_self(), msg);
        if (rc == LM_EUSAGE)
            lm_usage(stderr, self.tool);
    }
    return rc;
}

static int open_out(lm_out **out, lm_aside **text, unsigned flags)
{
    if (flags & LM_OUT) {
        bool crc = lm_common.out || lm_common.crc;

        *out =
            lm_out_open(lm_common.out, (crc ? LM_OUT_CRC : 0) |
                                           (flags & (LM_SORTED | LM_SHUFFLED) ? LM_OUT_SORTED : 0));
        if (!*out)
            return LM_EIO;
        lm_out_by(*out, lm_by_line());
    } else if (flags & LM_TEXT && !(flags & LM_FILES) && lm_common.out) {
        int fd;

        *text = lm_aside_open(lm_common.out, &fd);
        if (!*text)
            return LM_EIO;
        if (dup2(fd, 1) < 0)
            return lm_err_sys(lm_common.out, "cannot write");
    }
    if (lm_common.rejects) {
        self.rejects = lm_out_open(lm_common.rejects, LM_OUT_CRC);
        if (!self.rejects)
            return LM_EIO;
        lm_out_by(self.rejects, lm_by_line());
    }
    return 0;
}

static void settle_env(lm_buf *args)
{
    const char *prov = getenv("LM_PROV"), *max = getenv("LM_MAX_BODY");
    uint64_t v;

    if (max && lm_parse_size(lm_cstr(max), &v))
        lm_max_body = (size_t)v;
    if (prov && !strcmp(prov, "0"))
        return;
    lm_buf_addf(&self.by, "%%by tool=%s ver=%s", lm_self(), LM_VERSION);
    if (args->n) {
        lm_buf_adds(&self.by, " args=");
        lm_pct_encode(&self.by, lm_buf_str(args));
    }
}

int lm_main(int argc, char **argv, const lm_tool *tool, int (*run)(lm_in *in, lm_out *out))
{
    lm_in *in = NULL;
    lm_out *out = NULL;
    lm_aside *text = NULL;
    lm_buf args = {0};
    int rc;

    self.tool = tool;
    self.t0 = lm_now();
    lm_oom_hook = out_of_memory;
    settle_fds();
    settle_signals();
    self.rest = lm_zalloc((size_t)argc + 1, sizeof *self.rest);
    rc = lm_opt_parse(tool, argc, argv, self.rest, &self.nrest, &args);
    if (lm_common.help_as && strcmp(lm_common.help_as, "tsv"))
        rc = lm_err(LM_EUSAGE, "--help=%s: not tsv", lm_common.help_as);
    if (rc < 0)
        return usage();
    if (lm_common.help || lm_common.version) {
        if (lm_common.version)
            show_version();
        else if (lm_common.help_as)
            lm_help_tsv(tool);
        else
            lm_help(tool);
        if (flush_stdout() < 0) {
            print_error();
            return 5;
        }
        return 0;
    }
    if (operands(tool) < 0)
        return usage();
    settle_env(&args);
    lm_buf_free(&args);
    if (tool->flags & LM_IN) {
        in = lm_in_files(self.rest + self.nargs, self.nrest - self.nargs,
                         lm_common.lax ? LM_IN_LAX : 0);
        lm_in_on_warn(in, warn_line);
    }
    rc = open_out(&out, &text, tool->flags);
    if (in && out)
        lm_in_tie(in, out);
    if (rc >= 0) {
        lm_prog_start(in, tool->name);
        rc = run(in, out);
    }
    rc = finish(rc, in, out, text);
    if (lm_common.verbose)
        summary(in, out);
    lm_in_close(in);
    lm_out_close(out);
    lm_out_close(self.rejects);
    lm_buf_free(&self.by);
    free(self.rest);
    return lm_class_exit(rc);
}
