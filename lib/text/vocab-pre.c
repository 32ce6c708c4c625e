/* vocab-pre: pre_tokenizer of tokenizer.json, read and written. Read are Split, Digits and, at the
   end, ByteLevel, alone or in a Sequence; steps that are those of a pattern known by name, in any
   of the forms in which files have them, become that pattern. */
#include "text/vocab-priv.h"

static int bad(const char *what)
{
    return lm_err(LM_EINVALID, "tokenizer.json: pre_tokenizer: %s: not supported", what);
}

static bool has_type(json_t *j, const char *type)
{
    return lm_is(lm_json_text(json_object_get(j, "type")), type);
}

static const char *const behaviors[] = {[LM_CUT_ISOLATED] = "Isolated",
                                        [LM_CUT_PREVIOUS] = "MergedWithPrevious",
                                        [LM_CUT_NEXT] = "MergedWithNext",
                                        [LM_CUT_RUN] = "Contiguous"};

static int read_split(json_t *j, lm_pre_step *s)
{
    json_t *pattern = NULL;
    lm_str behavior = {0};
    bool invert = false;
    int err;

    if ((err = lm_json_need(lm_json_obj(j, "pattern", &pattern), "pattern")) < 0 ||
        (err = lm_json_need(lm_json_str(j, "behavior", &behavior), "behavior")) < 0 ||
        (err = lm_json_bool(j, "invert", &invert)) < 0)
        return err;
    s->what = LM_STEP_REGEX;
    if ((err = lm_json_str(pattern, "Regex", &s->pattern)) == 0) {
        s->what = LM_STEP_TEXT;
        err = lm_json_need(lm_json_str(pattern, "String", &s->pattern), "Regex or String");
    }
    if (err < 0)
        return err;
    for (s->how = 0; s->how < (int)LM_COUNT(behaviors) && !lm_is(behavior, behaviors[s->how]);)
        s->how++;
    if (s->how == LM_COUNT(behaviors))
        return lm_err(LM_EINVALID,
                      "tokenizer.json: pre_tokenizer: behavior %.*s, under which text is lost or "
                      "that is not known",
                      (int)(behavior.n < 100 ? behavior.n : 100), behavior.p);
    if (invert && s->how != LM_CUT_ISOLATED) /* pieces are pieces, matched or not */
        return bad("invert with another behavior than Isolated");
    return 1;
}

/* 1: *s is the step; 0: none, ByteLevel without a pattern. last: it is the last of all. */
static int read_step(json_t *j, bool last, lm_pre_step *s)
{
    bool on = true;
    int err;

    *s = (lm_pre_step){LM_STEP_GPT2, LM_CUT_ISOLATED, {NULL, 0}};
    if (has_type(j, "Split"))
        return last ? bad("no ByteLevel at its end") : read_split(j, s);
    if (has_type(j, "Digits")) {
        if ((err = lm_json_need(lm_json_bool(j, "individual_digits", &on), "individual_digits")) <
            0)
            return err;
        s->what = LM_STEP_DIGITS;
        s->how = on ? LM_CUT_ISOLATED : LM_CUT_RUN;
        return last ? bad("no ByteLevel at its end") : 1;
    }
    if (!has_type(j, "ByteLevel"))
        return bad("other types than Sequence, Split, Digits and ByteLevel");
    if (!last)
        return bad("ByteLevel before other steps");
    if ((err = lm_json_bool(j, "add_prefix_space", &on)) < 0)
        return err;
    if (on)
        return bad("add_prefix_space");
    on = true;
    err = lm_json_bool(j, "use_regex", &on);
    return err < 0 ? err : on;
}

/* A step as a regular expression alone, so that equal ones compare equal. */
static lm_pre_step plain(lm_pre_step s)
{
    size_t n;

    if (s.what == LM_STEP_GPT2)
        return *lm_pre_steps(lm_pre_named(LM_PRE_GPT2), &n);
    if (s.what == LM_STEP_DIGITS)
        s.pattern = LM_STR("\\p{N}");
    if (s.what == LM_STEP_DIGITS)
        s.what = LM_STEP_REGEX;
    return s;
}

/* Other ways to write a named pattern, which cut alike. */
static const struct {
    int kind;
    const char *regex;
} other_forms[] = {
    {LM_PRE_CL100K, "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| "
                    "?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+"},
    {LM_PRE_GPT2,
     "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"},
    {LM_PRE_GPT2, "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| "
                  "?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s"},
};

static const lm_pre *known(const lm_pre_step *s, size_t n)
{
    for (size_t i = 0; i < LM_COUNT(other_forms) && n == 1; i++)
        if (s->what == LM_STEP_REGEX && s->how == LM_CUT_ISOLATED &&
            lm_is(s->pattern, other_forms[i].regex))
            return lm_pre_named(other_forms[i].kind);
    for (int kind = 0; kind < LM_PRE_COUNT; kind++) {
        size_t k = 0, m;
        const lm_pre_step *t = lm_pre_steps(lm_pre_named(kind), &m);

        for (; n == m && k < n; k++) {
            lm_pre_step a = plain(s[k]), b = plain(t[k]);

            if (a.what != b.what || a.how != b.how || !lm_eq(a.pattern, b.pattern))
                break;
        }
        if (n == m && k == n)
            return lm_pre_named(kind);
    }
    return NULL;
}

int lm_vocab_load_pre(lm_vocab *v, json_t *pre)
{
    lm_pre_step step[LM_PRE_STEPS];
    json_t *list = NULL;
    size_t n = 0, all = 1;
    int err;

    if (has_type(pre, "Sequence")) {
        if ((err = lm_json_need(lm_json_arr(pre, "pretokenizers", &list), "pretokenizers")) < 0)
            return err;
        all = json_array_size(list);
        if (!all || all > LM_PRE_STEPS)
            return bad("a Sequence of no step or more than 16");
    }
    for (size_t i = 0; i < all; i++) {
        err = read_step(list ? json_array_get(list, i) : pre, i + 1 == all, &step[n]);
        if (err < 0)
            return err;
        n += err > 0;
    }
    if ((v->pre = known(step, n)))
        return 0;
    err = lm_pre_compile(step, n, &v->pre);
    return err < 0 ? lm_err(err, "tokenizer.json: pre_tokenizer: %s", lm_last_error()->detail) : 0;
}

static void write_step(lm_jw *w, const lm_pre_step *s)
{
    lm_pre_step t = *s;

    lm_jw_obj(w, NULL);
    if (s->what == LM_STEP_DIGITS) {
        lm_jw_str(w, "type", LM_STR("Digits"));
        lm_jw_bool(w, "individual_digits", s->how == LM_CUT_ISOLATED);
        lm_jw_end(w);
        return;
    }
    if (s->what == LM_STEP_GPT2)
        t = plain(t);
    lm_jw_str(w, "type", LM_STR("Split"));
    lm_jw_obj(w, "pattern");
    lm_jw_str(w, t.what == LM_STEP_TEXT ? "String" : "Regex", t.pattern);
    lm_jw_end(w);
    lm_jw_str(w, "behavior", lm_cstr(behaviors[t.how]));
    lm_jw_bool(w, "invert", false);
    lm_jw_end(w);
}

void lm_vocab_write_level(lm_jw *w, const char *key, bool regex)
{
    lm_jw_obj(w, key);
    lm_jw_str(w, "type", LM_STR("ByteLevel"));
    lm_jw_bool(w, "add_prefix_space", false);
    lm_jw_bool(w, "trim_offsets", false);
    lm_jw_bool(w, "use_regex", regex);
    lm_jw_end(w);
}

void lm_vocab_write_pre(lm_jw *w, const lm_pre *pre)
{
    size_t n;
    const lm_pre_step *s = lm_pre_steps(pre, &n);
    bool regex = n && s[n - 1].what == LM_STEP_GPT2;

    n -= regex;
    if (!n) {
        lm_vocab_write_level(w, "pre_tokenizer", regex);
        return;
    }
    lm_jw_obj(w, "pre_tokenizer");
    lm_jw_str(w, "type", LM_STR("Sequence"));
    lm_jw_arr(w, "pretokenizers");
    for (size_t i = 0; i < n; i++)
        write_step(w, &s[i]);
    lm_vocab_write_level(w, NULL, regex);
    lm_jw_end(w);
    lm_jw_end(w);
}
