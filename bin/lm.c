/* lm: run the toolkit's tools as verbs: `lm cat f` is lm-cat f; `lm help` lists them.
   Apart from them all: it keeps no list; it looks at what is installed. */
#include "lm.h"
#include <dirent.h>
#include <errno.h>
#include <unistd.h>
#include <zlib.h>

static const lm_opt opts[] = {LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm",
                             .does = "run a tool of the toolkit, or tell what there is",
                             .args = "VERB [ARGS...]",
                             .opts = opts,
                             .flags = LM_TEXT,
                             .epilog =
                                 "lm help lists the tools, lm help VERB shows a manual page."};

/* The folder of this program, without the last '/'. */
static char *own_folder(void)
{
    char *p = realpath("/proc/self/exe", NULL), *slash = p ? strrchr(p, '/') : NULL;

    if (slash)
        *slash = 0;
    return p ? p : lm_strdup(".");
}

static char *path(const char *dir, const char *rest)
{
    lm_buf b = {0};

    lm_buf_addf(&b, "%s/%s", dir, rest);
    return b.p;
}

/* Manual pages: installed beside bin/, or in the source tree of which this is a build. */
static const char *const places[] = {"../share/man/man1", "../share/man/man5", "../share/man/man7",
                                     "../../../man"};

typedef struct {
    char *name, *does, *file, *title; /* title: name, or name(5) outside section 1 */
} page;
typedef struct {
    page *v;
    size_t n, cap;
} pages;

/* "1", "5" or "7" of lm-x.1 or lm-x.1.gz; 0 = no page of ours. */
static char section(const char *name)
{
    const char *dot = strchr(name, '.');

    if (strncmp(name, "lm", 2) || (name[2] != '-' && name[2] != '.') || !dot ||
        !strchr("157", dot[1]) || !dot[1])
        return 0;
    return !dot[2] || !strcmp(dot + 2, ".gz") ? dot[1] : 0;
}

/* The text of .Nm or .Nd in the NAME section. */
static char *named(const char *line, const char *macro)
{
    size_t n = strlen(macro);

    if (strncmp(line, macro, n) || line[n] != ' ')
        return NULL;
    return lm_strndup((lm_str){line + n + 1, strcspn(line + n + 1, "\n")});
}

static void add_page(pages *l, const char *file)
{
    page p = {0};
    char line[1024];
    gzFile f = gzopen(file, "r"); /* reads plain files as they are, too */

    if (!f)
        return;
    while (!(p.name && p.does) && gzgets(f, line, sizeof line)) {
        if (!p.name)
            p.name = named(line, ".Nm");
        if (!p.does)
            p.does = named(line, ".Nd");
    }
    gzclose(f);
    if (p.name && p.does) {
        lm_buf title = {0};
        char sec = section(strrchr(file, '/') + 1);

        lm_buf_adds(&title, p.name);
        if (sec != '1')
            lm_buf_addf(&title, "(%c)", sec);
        p.title = title.p;
        p.file = lm_strdup(file);
        LM_GROW(l->v, l->n, l->cap);
        l->v[l->n++] = p;
        return;
    }
    free(p.name);
    free(p.does);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const page *)a)->title, ((const page *)b)->title);
}

static void find_pages(pages *l, const char *bin)
{
    for (size_t i = 0; i < LM_COUNT(places); i++) {
        char *dir = path(bin, places[i]);
        DIR *d = opendir(dir);

        for (struct dirent *e; d && (e = readdir(d));)
            if (section(e->d_name)) {
                char *file = path(dir, e->d_name);

                add_page(l, file);
                free(file);
            }
        if (d)
            closedir(d);
        free(dir);
    }
    if (l->n)
        qsort(l->v, l->n, sizeof *l->v, by_name);
}

static int list(const pages *l)
{
    size_t wide = 0;

    if (!l->n)
        return lm_err(LM_EIO, "no manual pages beside the program");
    for (size_t i = 0; i < l->n; i++)
        if (strlen(l->v[i].title) > wide)
            wide = strlen(l->v[i].title);
    for (size_t i = 0; i < l->n; i++)
        printf("%-*s  %s\n", (int)wide, l->v[i].title, l->v[i].does);
    return 0;
}

/* man or mandoc show the page; where there is neither the tool's own help must do. */
static int show(const pages *l, const char *bin, const char *verb)
{
    for (size_t i = 0; i < l->n; i++) {
        const char *n = l->v[i].name, *t = l->v[i].title, *own;

        if (strcmp(n, verb) && strcmp(t, verb) &&
            (strncmp(n, "lm-", 3) || (strcmp(n + 3, verb) && strcmp(t + 3, verb))))
            continue;
        fflush(stdout);
        execlp("man", "man", "-l", l->v[i].file, (char *)NULL);
        execlp("mandoc", "mandoc", "-a", l->v[i].file, (char *)NULL);
        own = path(bin, n);
        execl(own, own, "--help", (char *)NULL);
        return lm_err_sys(own, "no man, no mandoc, and cannot run");
    }
    return lm_err(LM_EUSAGE, "no manual page of '%s' (lm help lists them)", verb);
}

/* Edits that make a into b: insertions, deletions, changes, swaps of neighbours; words of at
 * most 32. */
static unsigned distance(const char *a, const char *b)
{
    unsigned d[34][34];
    size_t n = strlen(a), m = strlen(b);

    if (n > 32 || m > 32)
        return 99;
    for (unsigned i = 0; i <= n; i++)
        d[i][0] = i;
    for (unsigned j = 0; j <= m; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= n; i++)
        for (size_t j = 1; j <= m; j++) {
            unsigned best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

            if (d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    return d[n][m];
}

static int text_cmp(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Tools whose names begin like the verb, hold it, or are two edits away. */
static int unknown(const char *bin, const char *verb)
{
    DIR *d = opendir(bin);
    lm_buf near = {0};
    char **v = NULL;
    size_t n = 0, cap = 0;

    for (struct dirent *e; d && (e = readdir(d));) {
        const char *name = e->d_name + 3;

        if (strncmp(e->d_name, "lm-", 3) || !*name || strchr(name, '.'))
            continue;
        if (distance(verb, name) > 2 && !(strlen(verb) > 1 && strstr(name, verb)))
            continue;
        LM_GROW(v, n, cap);
        v[n++] = lm_strdup(name);
    }
    if (d)
        closedir(d);
    if (n)
        qsort(v, n, sizeof *v, text_cmp);
    for (size_t i = 0; i < n; i++) {
        lm_buf_addf(&near, "%s%s", i ? ", " : "; near: ", v[i]);
        free(v[i]);
    }
    free(v);
    lm_err(LM_EUSAGE, "there is no lm-%s%s", verb, near.n ? near.p : "");
    lm_buf_free(&near);
    return LM_EUSAGE;
}

static int run(lm_in *in, lm_out *out)
{
    const char *verb = lm_arg(0).p;
    char *bin = own_folder();
    pages l = {0};
    int err;

    (void)in;
    (void)out;
    if (strcmp(verb, "help")) {
        err = unknown(bin, verb);
    } else {
        find_pages(&l, bin);
        err = lm_arg(1).p ? show(&l, bin, lm_arg(1).p) : list(&l);
    }
    for (size_t i = 0; i < l.n; i++) {
        free(l.v[i].name);
        free(l.v[i].does);
        free(l.v[i].file);
        free(l.v[i].title);
    }
    free(l.v);
    free(bin);
    return err;
}

/* Becomes lm-VERB, from our own folder first; returns if there is none. A folder of ours that is
   not in PATH goes in front of it, so that commands the tool runs find their sisters. */
static void become(char **argv)
{
    char *bin = own_folder(), *name, *file;
    const char *old = getenv("PATH");
    lm_buf b = {0};

    lm_buf_addf(&b, "lm-%s", argv[1]);
    name = b.p;
    file = path(bin, name);
    argv[1] = name;
    if (!access(file, X_OK)) {
        lm_buf p = {0};

        lm_buf_addf(&p, "%s%s%s", bin, old ? ":" : "", old ? old : "");
        setenv("PATH", p.p, 1);
        execv(file, argv + 1);
        lm_buf_free(&p);
    }
    execvp(name, argv + 1);
    argv[1] = lm_strdup(name + 3);
    free(file);
    free(name);
    free(bin);
}

int main(int argc, char **argv)
{
    if (argc > 1 && argv[1][0] != '-' && strcmp(argv[1], "help") && !strchr(argv[1], '/')) {
        become(argv);
        argc = 2; /* not found: run tells, whatever else stands there */
    }
    return lm_main(argc, argv, &tool, run);
}
