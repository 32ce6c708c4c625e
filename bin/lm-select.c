/* lm-select: pass the records for which an expression over their attributes holds.
   Apart from lm-grep: it never looks at a body. */
#include "lm.h"

static const char *text, *types;
static const lm_opt opts[] = {LM_STRING('e', "expr", &text, "EXPR",
                                        "key op value with == != < <= > >= ~ !~, key?, & | ! ( )"),
                              LM_STRING('t', "type", &types, "TYPE",
                                        "and whose type is TYPE (a,b for several)"),
                              LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-select",
                             .does = "pass records for which an expression holds",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR | LM_REJ};

static bool listed(lm_str type)
{
    const char *p = types, *stop;

    for (;; p = stop + 1) {
        stop = strchrnul(p, ',');
        if (lm_eq(type, (lm_str){p, (size_t)(stop - p)}))
            return true;
        if (!*stop)
            return false;
    }
}

static int one(lm_rec *r, void *ctx)
{
    int yes = 1;

    if (types && !listed(r->type))
        return lm_drop(r, "type", "%.*s", (int)r->type.n, r->type.p);
    if (text)
        yes = lm_expr_eval(ctx, r);
    if (yes < 0)
        return lm_rec_fail(r, yes, "%s", lm_last_error()->detail);
    return yes ? LM_KEEP : lm_drop(r, "expr", "%s", text);
}

static int run(lm_in *in, lm_out *out)
{
    lm_expr *e = NULL;
    int err;

    if (!text && !types)
        return lm_err(LM_EUSAGE, "-e EXPR or -t TYPE is needed");
    if (text && !(e = lm_expr_new(lm_cstr(text))))
        return LM_EUSAGE;
    err = lm_map(in, out, LM_JOBS, one, e);
    lm_expr_free(e);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
