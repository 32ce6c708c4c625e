/* Patterns: what is taken and what is refused, names, how steps cut, bytes that are no UTF-8. */
#include "lm.h"
#include "tap.h"

/* The pieces of t under steps, joined by '|'; "?" on an error. */
static bool cuts(const lm_pre_step *s, size_t n, lm_str t, const char *want)
{
    const lm_pre *pre;
    lm_scan_pos at = {0};
    size_t end, from = 0;
    lm_buf b = {0};
    bool good;

    if (lm_pre_compile(s, n, &pre))
        return printf("# %s\n", lm_last_error()->detail), false;
    for (; lm_scan(pre, t.p, t.n, &at, &end, 1); from = end) {
        lm_buf_adds(&b, from ? "|" : "");
        lm_buf_add(&b, t.p + from, end - from);
    }
    good = !at.err && !at.run && lm_is(lm_buf_str(&b), want);
    if (!good)
        printf("# %s, not %s\n", b.p, want);
    lm_buf_free(&b);
    lm_pre_free(pre);
    return good;
}

static void steps(void)
{
    static const char *const by_how[] = {"a|bb|ca|bb|bb|", "abb|cabb|bb|", "a|bbca|bb|bb|",
                                         "a|bb|ca|bbbb|"};
    lm_str text = LM_STR("abbcabbbb");
    lm_pre_step s = {LM_STEP_REGEX, 0, LM_STR("bb")};
    bool good = true;

    for (s.how = LM_CUT_ISOLATED; s.how <= LM_CUT_RUN; s.how++) {
        char want[32];

        snprintf(want, sizeof want, "%.*s", (int)strlen(by_how[s.how]) - 1, by_how[s.how]);
        good &= cuts(&s, 1, text, want);
    }
    ok(good, "a match alone, with what is before, with what follows, with its like");
    ok(cuts(NULL, 0, text, "abbcabbbb"), "no step: one piece");
    ok(cuts((lm_pre_step[]){{LM_STEP_TEXT, 0, LM_STR("b+")}}, 1, LM_STR("ab+b"), "a|b+|b"),
       "plain text is no pattern");
    ok(cuts((lm_pre_step[]){{LM_STEP_TEXT, 0, LM_STR("")}}, 1, text, "abbcabbbb"),
       "empty text cuts nothing");
    ok(cuts((lm_pre_step[]){{LM_STEP_DIGITS, LM_CUT_RUN, {0}},
                            {LM_STEP_REGEX, 0, LM_STR(" +(?!.)")}},
            2, LM_STR("a  1 2"), "a|  |1| |2"),
       "a step sees its piece alone");
    ok(cuts((lm_pre_step[]){{LM_STEP_REGEX, 0, LM_STR("x*")}}, 1, LM_STR("axxb"), "a|xx|b"),
       "an empty match cuts");
    ok(cuts((lm_pre_step[]){{LM_STEP_REGEX, 0, LM_STR("^.|.$")}}, 1, LM_STR("abc\ndef"),
            "a|b|c|\n|d|e|f"),
       "^ and $ know lines");
    ok(cuts((lm_pre_step[]){{LM_STEP_REGEX, 0, LM_STR("[^\\s\\p{L}\\p{N}]+")}}, 1,
            LM_STR("a\xff\x80\xe4\xb8z\xe4\xb8\xad"), "a|\xff\x80\xe4\xb8|z\xe4\xb8\xad"),
       "bytes that are no UTF-8 are of class Other");
}

static void refusals(void)
{
    static const char *const no[] = {"(",          "\\w",         "\\b",     "\\h",
                                     "\\v",        "\\R",         "\\K",     "\\1",
                                     "\\",         "a{,3}",       "a{2}?",   "a{1,2}+",
                                     "a{",         "[[:alpha:]]", "[a[b]]",  "[a&&b]",
                                     "[]a]",       "(?m:a)",      "(?x)a",   "a(?i)b",
                                     "(?<n>a)",    "(*FAIL)",     "(?i:ss)", "(?i:\xc3\x9f)",
                                     "\\p{Alpha}", "\\pL",        "\\xff",   "\\x1",
                                     "\\u12",      "\\Qa\\E",     "\xff"};
    static const char *const yes[] = {"a{2}",      "a{2,}",       "a{1,2}?",      "a++",
                                      "[\\]\\[&]", "(?i)ab",      "(?i:'s|'ll)",  "(?>a)",
                                      "(?<=a)b",   "(?<!a)(?=b)", "\\p{^Lu}",     "\\P{N}",
                                      "\\p{Han}",  "\\x{4e00}",   "\\x41",        "\\u4e00",
                                      "\\A\\z",    "\\.\\-\\/",   "\xe4\xb8\xad", "\\\xe4\xb8\xad"};
    const lm_pre *pre;
    bool good = true;

    for (size_t i = 0; i < LM_COUNT(no); i++)
        if (lm_pre_compile(&(lm_pre_step){LM_STEP_REGEX, 0, lm_cstr(no[i])}, 1, &pre) !=
                LM_EINVALID ||
            pre) {
            printf("# taken: %s\n", no[i]);
            good = false;
        }
    ok(good, "what PCRE2 would take otherwise is refused");
    good = true;
    for (size_t i = 0; i < LM_COUNT(yes); i++) {
        if (lm_pre_compile(&(lm_pre_step){LM_STEP_REGEX, 0, lm_cstr(yes[i])}, 1, &pre)) {
            printf("# refused: %s\n", lm_last_error()->detail);
            good = false;
        }
        lm_pre_free(pre);
    }
    ok(good, "what means the same is taken");
}

static void names(void)
{
    static const char *const name[] = {"qwen2", "gpt2",           "starcoder", "cl100k",
                                       "o200k", "deepseek-coder", "regex:a|b"};
    lm_pre_step two[] = {{LM_STEP_DIGITS, LM_CUT_RUN, {0}},
                         {LM_STEP_TEXT, LM_CUT_NEXT, LM_STR(" ")}};
    const lm_pre *pre;
    bool good = true;

    for (size_t i = 0; i < LM_COUNT(name); i++) {
        good &= !lm_pre_parse(lm_cstr(name[i]), &pre) && !strcmp(lm_pre_name(pre), name[i]) &&
                lm_pre_kind(pre) == (int)i;
        lm_pre_free(pre);
    }
    ok(good, "patterns by name");
    ok(lm_pre_parse(LM_STR("gpt3"), &pre) == LM_EUSAGE && !pre &&
           lm_pre_parse(LM_STR("regex:"), &pre) == LM_EUSAGE &&
           lm_pre_parse(LM_STR("regex:("), &pre) == LM_EUSAGE && !pre,
       "no pattern: a usage error");
    ok(!lm_pre_compile(two, 2, &pre) && !strcmp(lm_pre_name(pre), "steps:digits+run, text: +next"),
       "a sequence tells its steps");
    lm_pre_free(pre);
}

static void gives_up(void)
{
    lm_buf b = {0};
    lm_scan_pos at = {0};
    const lm_pre *pre;
    size_t end[4];
    lm_tally *tally = lm_tally_new(16 << 20, 1, NULL);

    for (int i = 0; i < 5000; i++)
        lm_buf_addc(&b, 'a');
    lm_buf_adds(&b, "bc");
    ok(!lm_pre_parse(LM_STR("regex:(a|aa)+(a|aa)+(a|aa)+c"), &pre) &&
           !lm_scan(pre, b.p, b.n, &at, end, 4) && at.err == LM_ELIMIT && !at.run &&
           lm_words_text(lm_tally_words(tally), pre, lm_buf_str(&b), false, 1) == LM_ELIMIT,
       "a pattern that backtracks without end gives up");
    lm_tally_free(tally);
    lm_pre_free(pre);
    at = (lm_scan_pos){0};
    ok(!lm_pre_parse(LM_STR("regex:a"), &pre) && lm_scan(pre, b.p, b.n, &at, end, 4) == 4 &&
           at.run && at.at == 4,
       "a scan under way");
    lm_scan_stop(&at);
    ok(!at.run, "is left");
    lm_pre_free(pre);
    lm_buf_free(&b);
}

int main(void)
{
    steps();
    refusals();
    names();
    gives_up();
    return done();
}
