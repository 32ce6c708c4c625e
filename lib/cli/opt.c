/* opt: the option table made into parsing, --help, --help=tsv and the provenance line. */
#include "cli/cli.h"
#include "cli/priv.h"

struct lm_common lm_common;

/* Common rows carry in rlo the flags that give them a meaning; -1 = the tool names record types. */
static bool shown(const lm_tool *t, const lm_opt *o, bool common)
{
    if (!common || o->rlo == 0)
        return true;
    return o->rlo < 0 ? t->types != NULL : (t->flags & (unsigned)o->rlo) != 0;
}

static bool is_common(const lm_opt *o)
{
    const char *p = (const char *)o->to.flag, *base = (const char *)&lm_common;

    return p >= base && p < base + sizeof lm_common;
}

static const lm_opt *visible(const lm_tool *t, const lm_opt *o)
{
    for (; o->kind != LM_K_END; o++)
        if (o->kind != LM_K_MUTE && shown(t, o, is_common(o)))
            return o;
    return NULL;
}

#define EACH(t, o) \
    const lm_opt *o = visible(t, (t)->opts); \
    o; \
    o = visible(t, o + 1)

static const char *arg_name(const lm_opt *o)
{
    return o->kind == LM_K_FLAG ? NULL : o->arg;
}

/* Words of s from column col, broken before column 80, continued at column indent. */
static void wrap(FILE *f, const char *s, int col, int indent)
{
    for (bool first = true; *s; first = false) {
        int n = (int)strcspn(s, " ");

        if (!first && col + 1 + n > 79) {
            fprintf(f, "\n%*s", indent, "");
            col = indent;
        } else if (!first) {
            fputc(' ', f);
            col++;
        }
        fprintf(f, "%.*s", n, s);
        col += n;
        s += n;
        while (*s == ' ')
            s++;
    }
    fputc('\n', f);
}

void lm_usage(FILE *f, const lm_tool *t)
{
    fprintf(f, "usage: %s [options]%s%s%s\n", t->name, t->args ? " " : "", t->args ? t->args : "",
            t->flags & LM_IN ? " [file ...]" : "");
}

void lm_help(const lm_tool *t)
{
    char first = t->does[0];

    lm_usage(stdout, t);
    printf("%c", first >= 'a' && first <= 'z' ? first - 32 : first);
    wrap(stdout, t->does + 1, 1, 0);
    putchar('\n');
    for (EACH(t, o)) {
        char left[128];
        const char *arg = arg_name(o);
        int n = o->c ? snprintf(left, sizeof left, "  -%c, --%s", o->c, o->name)
                     : snprintf(left, sizeof left, "      --%s", o->name);

        printf("%s", left);
        if (arg && n + 1 + (int)strlen(arg) <= 78) {
            n += printf(" %s", arg);
        } else if (arg) { /* many choices: on lines of their own */
            int col = n + 1;

            putchar(' ');
            while (*arg) {
                int k = (int)strcspn(arg, "|") + 1;

                if (!arg[k - 1])
                    k--;
                if (col + k > 79) {
                    printf("\n        ");
                    col = 8;
                }
                printf("%.*s", k, arg);
                arg += k;
                col += k;
            }
            n = 80;
        }
        if (n > 26)
            printf("\n%*s", 28, "");
        else
            printf("%*s", 28 - n, "");
        wrap(stdout, o->help, 28, 28);
    }
    if (t->epilog)
        printf("\n%s\n", t->epilog);
}

void lm_help_tsv(const lm_tool *t)
{
    const char *in = t->flags & LM_IN ? "stream" : t->flags & LM_FOREIGN ? "foreign" : "none";
    bool text = t->flags & LM_TEXT, out = t->flags & LM_OUT, files = t->flags & LM_FILES;
    const char *order = t->flags & LM_ORDERED    ? "kept"
                        : t->flags & LM_SORTED   ? "sorted"
                        : t->flags & LM_SHUFFLED ? "shuffled"
                                                 : "none";

    printf("%s\t%s\t%s\t%s%s%s%s%s%s\t%s\t%s\t%s\n", t->name, t->does, in, out ? "stream" : "",
           out && (text || files) ? "," : "", text ? "text" : "", text && files ? "," : "",
           files ? "files" : "", out || text || files ? "" : "none", order, t->args ? t->args : "",
           t->types ? t->types : "");
    for (EACH(t, o))
        printf("%c%s\t%s\t%s\t%s\n", o->c ? o->c : '-', "", o->name, arg_name(o) ? arg_name(o) : "",
               o->help);
}

static int bad(const lm_opt *o, const char *v, const char *why)
{
    return lm_err(LM_EUSAGE, "--%s %s: %s", o->name, v, why);
}

static int set_number(const lm_opt *o, const char *v)
{
    uint64_t x, lo = o->lo, hi = o->hi;
    char why[96];
    bool ok = o->kind == LM_K_SIZE ? lm_parse_size(lm_cstr(v), &x) : lm_parse_num(lm_cstr(v), &x);

    if (!ok || x < lo || x > hi) {
        if (hi == UINT64_MAX)
            snprintf(why, sizeof why, "not a number from %llu up", (unsigned long long)lo);
        else
            snprintf(why, sizeof why, "not a number from %llu to %llu", (unsigned long long)lo,
                     (unsigned long long)hi);
        return bad(o, v, why);
    }
    *o->to.num = x;
    return 0;
}

static int set_choice(const lm_opt *o, const char *v)
{
    const char *p = o->arg;

    for (int i = 0;; i++) {
        size_t n = strcspn(p, "|");

        if (lm_eq(lm_cstr(v), (lm_str){p, n})) {
            *o->to.sel = i;
            return 0;
        }
        if (!p[n])
            break;
        p += n + 1;
    }
    return lm_err(LM_EUSAGE, "--%s %s: not one of %s", o->name, v, o->arg);
}

static int set(const lm_opt *o, const char *v)
{
    char why[96], lo[32], hi[32];
    double x;

    switch (o->kind) {
    case LM_K_FLAG:
        *o->to.flag = true;
        return 0;
    case LM_K_STRING:
    case LM_K_FILE:
        *o->to.str = v;
        return 0;
    case LM_K_LIST:
        LM_GROW(o->to.list->v, o->to.list->n, o->to.list->cap);
        o->to.list->v[o->to.list->n++] = v;
        return 0;
    case LM_K_NUM:
    case LM_K_SIZE:
        return set_number(o, v);
    case LM_K_REAL:
        if (lm_parse_f64(lm_cstr(v), &x) && x >= o->rlo && x <= o->rhi) {
            *o->to.real = x;
            return 0;
        }
        lm_fmt_f64(lo, o->rlo);
        lm_fmt_f64(hi, o->rhi);
        snprintf(why, sizeof why, "not a number from %s to %s", lo, hi);
        return bad(o, v, why);
    default:
        return set_choice(o, v);
    }
}

/* The provenance: what the user set among the rows that can change the output, in table order. */
static void by_add(lm_buf *by, const lm_opt *o, const char *v)
{
    if (by->n)
        lm_buf_addc(by, ' ');
    if (o->kind == LM_K_FLAG)
        lm_buf_addf(by, "--%s", o->name);
    else if (o->kind == LM_K_NUM || o->kind == LM_K_SIZE)
        lm_buf_addf(by, "--%s=%llu", o->name, (unsigned long long)*o->to.num);
    else
        lm_buf_addf(by, "--%s=%s", o->name, v);
}

struct given {
    const lm_opt *o;
    const char *v;
};

static void provenance(const lm_tool *t, const struct given *g, size_t n, lm_buf *by)
{
    bool mute = false;

    for (const lm_opt *o = t->opts; o->kind != LM_K_END; o++) {
        if (o->kind == LM_K_MUTE)
            mute = true;
        if (o->kind == LM_K_FILE || o->kind == LM_K_MUTE ||
            (mute && o->to.str != &lm_common.types && o->to.flag != &lm_common.lax))
            continue;
        for (size_t i = 0; i < n; i++) /* of a repeated option the last counts, of a list all do */
            if (g[i].o == o) {
                bool last = true;

                for (size_t j = i + 1; j < n && o->kind != LM_K_LIST; j++)
                    last = last && g[j].o != o;
                if (last)
                    by_add(by, o, g[i].v);
            }
    }
}

static const lm_opt *find_long(const lm_tool *t, lm_str name)
{
    for (EACH(t, o))
        if (lm_is(name, o->name))
            return o;
    return NULL;
}

static const lm_opt *find_short(const lm_tool *t, char c)
{
    for (EACH(t, o))
        if (o->c && o->c == c)
            return o;
    return NULL;
}

static int take(const lm_opt *o, const char *v, struct given *g, size_t *ng)
{
    g[(*ng)++] = (struct given){o, v};
    return set(o, v);
}

static int take_long(const lm_tool *t, char **argv, int *i, struct given *g, size_t *ng)
{
    const char *a = argv[*i] + 2, *eq = strchr(a, '='), *v = eq ? eq + 1 : NULL;
    const lm_opt *o = find_long(t, (lm_str){a, eq ? (size_t)(eq - a) : strlen(a)});

    if (!o)
        return lm_err(LM_EUSAGE, "unknown option %s", argv[*i]);
    if (o->to.flag == &lm_common.help)
        lm_common.help_as = v;
    else if (o->kind == LM_K_FLAG && v)
        return lm_err(LM_EUSAGE, "--%s takes no argument", o->name);
    if (o->kind != LM_K_FLAG && !v && !(v = argv[++*i]))
        return lm_err(LM_EUSAGE, "--%s needs an argument", o->name);
    return take(o, v, g, ng);
}

static int take_short(const lm_tool *t, char **argv, int *i, struct given *g, size_t *ng)
{
    for (const char *a = argv[*i] + 1; *a; a++) {
        const lm_opt *o = find_short(t, *a);
        const char *v = NULL;

        if (!o)
            return lm_err(LM_EUSAGE, "unknown option -%c", *a);
        if (o->kind != LM_K_FLAG) {
            v = a[1] ? a + 1 : argv[++*i];
            if (!v)
                return lm_err(LM_EUSAGE, "-%c needs an argument", *a);
        }
        if (take(o, v, g, ng) < 0)
            return LM_EUSAGE;
        if (v)
            break;
    }
    return 0;
}

int lm_opt_parse(const lm_tool *t, int argc, char **argv, const char **rest, size_t *nrest,
                 lm_buf *by)
{
    size_t room = 0, ng = 0;
    struct given *g;
    int err = 0, i;

    for (i = 1; i < argc; i++)
        room += strlen(argv[i]) + 1;
    g = lm_zalloc(room + 1, sizeof *g);
    *nrest = 0;
    for (i = 1; i < argc && !err; i++) {
        if (!strcmp(argv[i], "--")) {
            for (i++; i < argc; i++)
                rest[(*nrest)++] = argv[i];
        } else if (!strncmp(argv[i], "--", 2)) {
            err = take_long(t, argv, &i, g, &ng);
        } else if (argv[i][0] == '-' && argv[i][1]) {
            err = take_short(t, argv, &i, g, &ng);
        } else {
            rest[(*nrest)++] = argv[i];
        }
    }
    provenance(t, g, ng, by);
    free(g);
    return err;
}
