/* linerule: stack1 = the filters of The Stack v1 as SantaCoder used them (arXiv 2301.03988, 4.2:
   mean line <= 100, longest line <= 1,000, alphanumeric >= .25); starcoder2 = arXiv
   2402.19173, 2.1. */
#include <strings.h>
#include "text/linerule.h"

#define ALL_BUT_LONG 1u /* languages with long lines by nature are let off */
#define LONG 2u
#define SHORT_DATA 4u /* data and prose: few lines, against repetition */
#define ALL_BUT_ASM 8u
#define ASM 16u
#define ONLY_HTML 32u
#define ANY 64u

static const char *const long_langs[] = {"HTML", "JSON", "Markdown", "Roff", "Roff Manpage",
                                         "SMT",  "TeX",  "Text",     "XML",  NULL};
static const char *const data_langs[] = {"Text",           "JSON", "YAML", "Web Ontology Language",
                                         "Graphviz (DOT)", NULL};
static const char *const asm_langs[] = {"Motorola 68K Assembly", "WebAssembly", NULL};

enum { LINE_MAX_, LINE_MEAN, N_LINES, ALPHA, ALNUM, ENC_RUN, ENC_FRAC, HTML_CHARS, HTML_VIS };

typedef struct {
    const char *name;
    int key;
    bool least;
    double limit;
    unsigned who;
} rule;

static const rule stack1[] = {{"line-max", LINE_MAX_, false, 1000, ANY},
                              {"line-mean", LINE_MEAN, false, 100, ANY},
                              {"alnum", ALNUM, true, .25, ANY},
                              {NULL, 0, false, 0, 0}};
static const rule starcoder2[] = {{"n-lines", N_LINES, false, 100000, ANY},
                                  {"line-mean", LINE_MEAN, false, 100, ALL_BUT_LONG},
                                  {"line-max", LINE_MAX_, false, 1000, ALL_BUT_LONG},
                                  {"line-max", LINE_MAX_, false, 100000, LONG},
                                  {"alpha", ALPHA, true, .25, ALL_BUT_ASM},
                                  {"alnum", ALNUM, true, .25, ASM},
                                  {"enc-run", ENC_RUN, false, 1024, ANY},
                                  {"enc-frac", ENC_FRAC, false, .5, ANY},
                                  {"n-lines", N_LINES, false, 512, SHORT_DATA},
                                  {"html-vis", HTML_CHARS, true, 100, ONLY_HTML},
                                  {"html-vis", HTML_VIS, true, .2, ONLY_HTML},
                                  {NULL, 0, false, 0, 0}};

static bool among(lm_str lang, const char *const *list)
{
    for (; *list; list++)
        if (lm_is(lang, *list))
            return true;
    return false;
}

static unsigned groups(lm_str lang)
{
    return ANY | (among(lang, long_langs) ? LONG : ALL_BUT_LONG) |
           (among(lang, data_langs) ? SHORT_DATA : 0) |
           (among(lang, asm_langs) ? ASM : ALL_BUT_ASM) | (lm_is(lang, "HTML") ? ONLY_HTML : 0);
}

static double value_of(int key, const lm_linedoc *d)
{
    const lm_lines *s = &d->st;
    double chars = (double)s->chars, v;

    switch (key) {
    case LINE_MAX_:
        return (double)s->line_max;
    case LINE_MEAN:
        return s->lines ? (double)s->line_sum / (double)s->lines : 0;
    case N_LINES:
        return (double)s->lines;
    case ALPHA:
        v = (double)s->alpha;
        break;
    case ALNUM:
        v = (double)s->alnum;
        break;
    case ENC_RUN:
        return (double)s->enc_run;
    case ENC_FRAC:
        v = (double)s->enc_sum;
        break;
    case HTML_CHARS:
        return (double)d->html_vis;
    default:
        v = (double)d->html_vis;
    }
    return v / chars; /* a text that is judged is not empty */
}

/* StarCoder2 keeps of plain text only what its name says is about code. */
static bool text_name(lm_str path)
{
    static const char *const stems[] = {"readme",      "notes",      "todo",
                                        "description", "cmakelists", NULL};
    const char *slash = memrchr(path.p, '/', path.n), *base = slash ? slash + 1 : path.p, *dot;
    lm_str name = {base, path.n - (size_t)(base - path.p)}, stem;
    size_t i;

    for (i = 0; i + 11 <= name.n; i++)
        if (!strncasecmp(name.p + i, "requirement", 11))
            return true;
    dot = memrchr(name.p, '.', name.n);
    stem = dot ? (lm_str){name.p, (size_t)(dot - name.p)} : name;
    for (i = 0; stems[i]; i++)
        if (stem.n == strlen(stems[i]) && !strncasecmp(stem.p, stems[i], stem.n))
            return true;
    return false;
}

const char *lm_line_judge(int profile, const lm_linedoc *d, double *value)
{
    const rule *r = profile == LM_LINE_STACK1 ? stack1 : starcoder2;
    unsigned who = groups(d->lang);

    if (profile == LM_LINE_NONE || !d->st.chars)
        return NULL;
    for (; r->name; r++) {
        if (!(r->who & who))
            continue;
        *value = value_of(r->key, d);
        if (r->least ? *value < r->limit : *value > r->limit)
            return r->name;
    }
    if (profile == LM_LINE_STARCODER2 && lm_is(d->lang, "Text") &&
        !(d->path.n && text_name(d->path))) {
        *value = 0;
        return "text-name";
    }
    return NULL;
}

lm_str lm_line_lang(lm_str ext)
{
    static const struct {
        const char *ext, *lang;
    } known[] = {{"html", "HTML"},
                 {"htm", "HTML"},
                 {"xhtml", "HTML"},
                 {"json", "JSON"},
                 {"md", "Markdown"},
                 {"markdown", "Markdown"},
                 {"roff", "Roff"},
                 {"man", "Roff Manpage"},
                 {"1", "Roff Manpage"},
                 {"2", "Roff Manpage"},
                 {"3", "Roff Manpage"},
                 {"4", "Roff Manpage"},
                 {"5", "Roff Manpage"},
                 {"6", "Roff Manpage"},
                 {"7", "Roff Manpage"},
                 {"8", "Roff Manpage"},
                 {"smt", "SMT"},
                 {"smt2", "SMT"},
                 {"tex", "TeX"},
                 {"txt", "Text"},
                 {"xml", "XML"},
                 {"yaml", "YAML"},
                 {"yml", "YAML"},
                 {"owl", "Web Ontology Language"},
                 {"dot", "Graphviz (DOT)"},
                 {"gv", "Graphviz (DOT)"},
                 {"x68", "Motorola 68K Assembly"},
                 {"wat", "WebAssembly"},
                 {"wast", "WebAssembly"}};
    size_t i;

    for (i = 0; i < LM_COUNT(known); i++)
        if (lm_is(ext, known[i].ext))
            return lm_cstr(known[i].lang);
    return (lm_str){"", 0};
}
