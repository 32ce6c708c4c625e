/* runtime: the table of languages, and finding what is installed. */
/* link: seccomp */
#include "text/runtime.h"
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "text/runtime-py.h"

static const lm_runtime table[] = {
    {.lang = "python",
     .names = "/usr/bin/python3 python3",
     .file = "main.py",
     .argv = {"@", "-s", "-B", "-c", "%", "MODE"},
     .version = "--version",
     .text = "{prompt}{completion}\n{test}\n",
     .driver = PY_RUN,
     .cold = PY_COLD,
     .warm = PY_WARM,
     .exits = "10=FAIL 11=RUNTIME_ERROR 12=COMPILE_ERROR 13=MEM_LIMIT *=NO_VERDICT",
     .as_ok = true},
    {.lang = "c",
     .names = "cc gcc clang",
     .file = "main.c",
     .build = {"@", "-std=gnu11", "-O1", "-w", "-o", "main", "main.c", "-lm"},
     .argv = {"./main"},
     .version = "--version",
     .text = "{prompt}{completion}\n{test}\n",
     .before = "#define main lm_program_main\n#line 1 \"main.c\"\n",
     .after = "\n#undef main\n#line 1 \"report.c\"\n#include <stdio.h>\n#include <unistd.h>\n"
              "int main(int argc, char **argv)\n{\n"
              "    int r = ((int (*)(int, char **))lm_program_main)(argc, argv);\n    char v[33];\n"
              "    fflush(stdout);\n"
              "    if (!r && write(3, \"?\", 1) == 1 && read(3, v, 33) == 33 && write(3, v, 33) != "
              "33) r = 3;\n"
              "    return r;\n}\n",
     .exits = "1=FAIL *=RUNTIME_ERROR",
     .fail_says = "Assertion `",
     .as_ok = true},
    {.lang = "perl",
     .names = "perl",
     .file = "main.pl",
     .build = {"@", "-c", "main.pl"},
     .argv = {"@", "main.pl"},
     .version = "-e print$^V",
     .text = "{prompt}{completion}\n{test}\n",
     .after = "\n;{ local $| = 1; print ''; open(my $f, '+<&=', 3) or exit 3; syswrite($f, '?'); "
              "sysread($f, my $v, 33);"
              " syswrite($f, $v); }\n",
     .exits = "1=FAIL *=RUNTIME_ERROR",
     .as_ok = true},
    {.lang = "sh",
     .names = "/bin/sh sh",
     .file = "main.sh",
     .build = {"@", "-n", "main.sh"},
     .argv = {"@", "main.sh"},
     .text = "{prompt}{completion}\n{test}\n",
     .after = "\nprintf '?' >&3; IFS= read -r lm_v <&3; printf '%s\\n' \"$lm_v\" >&3\n",
     .exits = "1=FAIL *=RUNTIME_ERROR",
     .as_ok = true},
    {.lang = "javascript",
     .names = "/usr/bin/node node nodejs",
     .file = "main.js",
     .argv = {"@", "main.js"},
     .version = "--version",
     .text = "{prompt}{completion}\n{test}\n",
     .after = "\n;{ const f = require('fs'), b = Buffer.alloc(33); f.writeSync(3, '?'); "
              "f.readSync(3, b, 0, 33);"
              " f.writeSync(3, b); }\n",
     .exits = "*=RUNTIME_ERROR",
     .fail_says = "AssertionError",
     .as_ok = false},
};

static const char *const env[] = {"PATH=/usr/bin:/bin",
                                  "LANG=C.UTF-8",
                                  "LC_ALL=C.UTF-8",
                                  "TZ=UTC",
                                  "USER=box",
                                  "PYTHONHASHSEED=0",
                                  "PYTHONDONTWRITEBYTECODE=1",
                                  "PERL_HASH_SEED=0",
                                  "MALLOC_ARENA_MAX=2",
                                  NULL};

const char *const *lm_runtime_env(void)
{
    return env;
}

const lm_runtime *lm_runtime_of(lm_str lang)
{
    for (size_t i = 0; i < LM_COUNT(table); i++)
        if (lm_is(lang, table[i].lang))
            return &table[i];
    return NULL;
}

/* The first of names that is an executable file: an absolute path or along PATH. */
static char *which(const char *names)
{
    const char *path = getenv("PATH");
    char p[PATH_MAX];

    for (const char *s = names; *s;) {
        size_t n = strcspn(s, " ");
        for (const char *d = path ? path : "/usr/bin:/bin"; *d || s[0] == '/';) {
            size_t m = strcspn(d, ":");
            int k = s[0] == '/' ? snprintf(p, sizeof p, "%.*s", (int)n, s)
                                : snprintf(p, sizeof p, "%.*s/%.*s", (int)m, d, (int)n, s);
            if (k > 0 && (size_t)k < sizeof p && p[0] == '/' && !access(p, X_OK))
                return lm_strdup(p);
            if (s[0] == '/')
                break;
            d += m + (d[m] == ':');
        }
        s += n + (s[n] == ' ');
    }
    return NULL;
}

/* What the box must show: the system's folders, and the runtime's own when it lies elsewhere
   (PREFIX of PREFIX/bin/NAME, links followed). */
static void tree_of(lm_runtime_at *at)
{
    static const char *const sys[] = {"/usr",
                                      "/bin",
                                      "/sbin",
                                      "/lib",
                                      "/lib32",
                                      "/lib64",
                                      "/libx32",
                                      "/etc/alternatives",
                                      "/etc/ld.so.cache"};
    char real[PATH_MAX], *s;
    size_t n = 0;

    at->ro = lm_zalloc(LM_COUNT(sys) + 2, sizeof *at->ro);
    for (size_t i = 0; i < LM_COUNT(sys); i++)
        at->ro[n++] = sys[i];
    if (!realpath(at->path, real) || !strncmp(real, "/usr/", 5) || !strncmp(real, "/bin/", 5))
        return;
    free(at->path);
    at->path = lm_strdup(real);
    for (int up = 0; up < 2 && (s = strrchr(real, '/')) && s != real; up++)
        *s = 0;
    at->ro[n] = lm_strdup(real);
}

/* First line of what the version option prints; "unknown" if nothing. */
static int ask_version(lm_runtime_at *at, int level)
{
    const char *word = at->row->version, *gap = word ? strchr(word, ' ') : NULL;
    char first[16] = "";
    const char *argv[4] = {at->path, word, NULL, NULL};
    lm_box_spec s = {.level = level,
                     .argv = argv,
                     .env = env,
                     .ro = at->ro,
                     .cpu_ms = 10000,
                     .wall_ms = 30000,
                     .mem = 1u << 30,
                     .disk = 1u << 20,
                     .fsize = 1u << 20,
                     .pids = 64,
                     .out_max = 4096,
                     .as_ok = at->row->as_ok};
    const lm_box_result *r;
    lm_str line;
    lm_box *b;
    int e = 0;

    if (!word) {
        at->version = lm_strdup(at->row->lang);
        return 0;
    }
    if (gap) {
        snprintf(first, sizeof first, "%.*s", (int)(gap - word), word);
        argv[1] = first, argv[2] = gap + 1;
    }
    b = lm_box_start(&s);
    if (!b || lm_box_wait(&b, 1, -1) < 0)
        return lm_last_error()->err;
    r = lm_box_done(b);
    if (r->broken || r->exit) {
        e = lm_err(LM_EFACILITY, "%s %s: %s", at->path, word,
                   r->broken ? r->why : "failed in the box");
    } else {
        line = lm_buf_str(&r->out);
        line.n = line.n ? strcspn(line.p, "\n") : 0;
        at->version = line.n ? lm_strndup(line) : lm_strdup("unknown");
    }
    lm_box_free(b);
    return e;
}

static char *join(const char *a, const char *b)
{
    lm_buf t = {0};

    if (a && b)
        lm_buf_addf(&t, "%s%s", a, b);
    return t.p;
}

int lm_runtime_find(lm_str lang, int level, const lm_runtime_at **out)
{
    static lm_runtime_at found[LM_COUNT(table)];
    const lm_runtime *row = lm_runtime_of(lang);
    lm_runtime_at *at = row ? &found[row - table] : NULL;
    int e;

    if (!row)
        return lm_err(LM_EFACILITY, "no runtime is known for language %.*s",
                      (int)(lang.n > 40 ? 40 : lang.n), lang.p ? lang.p : "");
    if (!at->row) {
        at->path = which(row->names);
        if (!at->path)
            return lm_err(LM_EFACILITY, "language %s: none of %s is installed", row->lang,
                          row->names);
        at->row = row;
        at->cold = join(row->driver, row->cold);
        at->warm = join(row->driver, row->warm);
        tree_of(at);
        e = ask_version(at, level);
        if (e < 0) {
            free(at->path), free(at->ro), free(at->cold), free(at->warm);
            *at = (lm_runtime_at){0};
            return e;
        }
    }
    *out = at;
    return 0;
}

static struct {
    lm_zygote *z;
    bool tried;
} warm[LM_COUNT(table)];

const lm_zygote *lm_runtime_warm(const lm_runtime_at *at)
{
    size_t i = (size_t)(at->row - table), n = 0;
    const char *argv[] = {at->path, "-s", "-B", "-c", at->warm, NULL}, *e[LM_COUNT(env) + 2];

    if (!at->row->warm || warm[i].tried)
        return warm[i].z;
    for (; env[n]; n++)
        e[n] = env[n];
    e[n++] = "HOME=/tmp", e[n++] = "TMPDIR=/tmp", e[n] = NULL;
    warm[i].tried = true;
    warm[i].z = lm_zygote_start(argv, e);
    return warm[i].z;
}

void lm_runtime_stop(void)
{
    for (size_t i = 0; i < LM_COUNT(warm); i++) {
        lm_zygote_stop(warm[i].z);
        warm[i].z = NULL, warm[i].tried = false;
    }
}
