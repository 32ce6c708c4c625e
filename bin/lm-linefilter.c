/* lm-linefilter: measure the lines and characters of documents, and drop those out of bounds.
   Apart from lm-select: it computes what a rule needs from the body, in one pass. */
#include "lm.h"

static int profile = LM_LINE_STARCODER2;
static lm_list rules;
static bool drop;
static const lm_opt opts[] = {LM_ENUM(0, "profile", &profile, "none|stack1|starcoder2",
                                      "published bounds to judge by (starcoder2)"),
                              LM_LIST(0, "rule", &rules, "EXPR",
                                      "drop also what EXPR holds for: 'line-max>1000'"),
                              LM_FLAG('x', "drop", &drop,
                                      "drop what breaks a rule (else: annotate alone)"),
                              LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-linefilter",
                             .does = "measure lines, drop documents out of bounds",
                             .types = "doc",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR | LM_REJ};

typedef struct {
    const lm_data_ops *k;
    lm_expr **rule;
} context;

static void set_count(lm_rec *r, const char *key, uint64_t n)
{
    lm_setf(r, key, "%llu", (unsigned long long)n);
}

static void set_ratio(lm_rec *r, const char *key, uint64_t n, uint64_t of)
{
    char s[32];

    lm_fmt_f32(s, of ? (float)((double)n / (double)of) : 0);
    lm_set(r, key, lm_cstr(s));
}

static void annotate(lm_rec *r, const lm_linedoc *d, bool html)
{
    const lm_lines *s = &d->st;

    set_count(r, "n-lines", s->lines);
    set_count(r, "line-max", s->line_max);
    set_ratio(r, "line-mean", s->line_sum, s->lines);
    set_ratio(r, "alpha", s->alpha, s->chars);
    set_ratio(r, "alnum", s->alnum, s->chars);
    set_ratio(r, "digit", s->digit, s->chars);
    set_ratio(r, "space", s->space, s->chars);
    set_ratio(r, "nonascii", s->nonascii, s->chars);
    set_count(r, "enc-run", s->enc_run);
    set_ratio(r, "enc-frac", s->enc_sum, s->chars);
    if (html)
        set_ratio(r, "html-vis", d->html_vis, s->chars);
}

/* The views of d live as long as r is not edited: it is judged before it is annotated. */
static lm_str language(lm_rec *r, lm_str path, char ext[17])
{
    lm_str lang = lm_get(r, "lang"), e = lm_get(r, "ext");

    if (lang.p)
        return lang;
    if (!e.p)
        e = (lm_str){ext, path.p ? lm_path_ext(path, ext) : 0};
    return lm_line_lang(e);
}

static int one(lm_rec *r, void *ctx)
{
    const context *c = ctx;
    lm_linedoc d = {.path = lm_get(r, "path")};
    lm_str enc = lm_get(r, "enc");
    const char *broken;
    double value = 0;
    char ext[17], text[32];
    bool html;
    size_t i;

    if (enc.p ? lm_is(enc, "binary") : lm_text_binary(c->k, r->body))
        return LM_KEEP;
    d.lang = language(r, d.path, ext);
    lm_lines_scan(c->k, r->body, &d.st);
    html = profile == LM_LINE_STARCODER2 && lm_is(d.lang, "HTML");
    if (html)
        d.html_vis = lm_html_visible(r->body);
    broken = drop ? lm_line_judge(profile, &d, &value) : NULL;
    annotate(r, &d, html);
    if (broken) {
        lm_fmt_f32(text, (float)value);
        return lm_drop(r, broken, "%s", text);
    }
    for (i = 0; drop && i < rules.n; i++) {
        int yes = lm_expr_eval(c->rule[i], r);

        if (yes < 0)
            return yes;
        if (yes)
            return lm_drop(r, "rule", "%s", rules.v[i]);
    }
    return LM_KEEP;
}

static int run(lm_in *in, lm_out *out)
{
    context c = {.k = lm_data_kernels()};
    size_t i;
    int err = 0;

    if (!c.k)
        return lm_last_error()->err;
    if (lm_common.rejects && !drop)
        return lm_err(LM_EUSAGE, "-r needs -x: without it nothing is dropped");
    if (rules.n && !drop)
        return lm_err(LM_EUSAGE, "--rule needs -x: without it nothing is dropped");
    c.rule = lm_zalloc(rules.n + 1, sizeof *c.rule);
    for (i = 0; i < rules.n && !err; i++)
        if (!(c.rule[i] = lm_expr_new(lm_cstr(rules.v[i]))))
            err = LM_EUSAGE;
    if (!err)
        err = lm_map(in, out, LM_JOBS, one, &c);
    for (i = 0; i < rules.n; i++)
        lm_expr_free(c.rule[i]);
    free(c.rule);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
