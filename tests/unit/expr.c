/* The expression language and the order of values. */
#include "lm.h"

static int count, failed;

static void ok(bool good, const char *name)
{
    failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
}

static void holds(const char *text, int want)
{
    lm_rec r = {0};
    lm_expr *e = lm_expr_new(lm_cstr(text));

    lm_rec_new(&r, "doc");
    lm_set(&r, "lang", LM_STR("C"));
    lm_set(&r, "size", LM_STR("1200"));
    lm_set(&r, "mean", LM_STR("9.50"));
    lm_set(&r, "path", LM_STR("a dir/it's \"x\".c"));
    lm_set(&r, "empty", LM_STR(""));
    lm_set(&r, "id", LM_STR("00e12345678901234567890123456789"));
    ok(e && lm_expr_eval(e, &r) == want, text);
    if (!e)
        printf("# %s\n", lm_last_error()->detail);
    lm_expr_free(e);
    lm_rec_free(&r);
}

static void refused(const char *text, size_t at)
{
    char where[32];
    lm_expr *e = lm_expr_new(lm_cstr(text));

    snprintf(where, sizeof where, "at byte %zu", at);
    ok(!e && lm_last_error()->err == LM_EUSAGE && strstr(lm_last_error()->detail, where), text);
    lm_expr_free(e);
}

static void order(void)
{
    static const char *const v[] = {NULL,
                                    "-inf",
                                    "-1e20",
                                    "-10",
                                    "-9.5",
                                    "-1e-3",
                                    "0",
                                    "1e-9",
                                    "0.05",
                                    "0.5",
                                    "1",
                                    "1.0000000000000000001",
                                    "9",
                                    "10",
                                    "9007199254740992",
                                    "9007199254740993",
                                    "18446744073709551615",
                                    "1e300",
                                    "inf",
                                    "",
                                    "+5",
                                    "05",
                                    "0x10",
                                    "1.",
                                    "a",
                                    "ab",
                                    "b",
                                    "nan"};
    static const char *const same[][2] = {
        {"1", "1.0"}, {"100", "1e2"}, {"-0", "0.00"}, {"1.5e-1", "0.15"}, {"120e0", "1.2E+2"}};
    bool good = true;

    for (size_t i = 0; i < LM_COUNT(v); i++)
        for (size_t j = 0; j < LM_COUNT(v); j++) {
            int c = lm_value_cmp(lm_cstr(v[i]), lm_cstr(v[j]));

            if ((i < j) != (c < 0) || (i == j) != (c == 0)) {
                printf("# %s %s: %d\n", v[i] ? v[i] : "(none)", v[j] ? v[j] : "(none)", c);
                good = false;
            }
        }
    ok(good, "missing, numbers by value, other by bytes");
    good = true;
    for (size_t i = 0; i < LM_COUNT(same); i++)
        good &= !lm_value_cmp(lm_cstr(same[i][0]), lm_cstr(same[i][1]));
    ok(good, "equal numbers written in two ways are equal");
}

static void patterns(void)
{
    size_t span[3][2];
    lm_str bomb = LM_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");
    lm_re *re = lm_re_new(LM_STR("(a)|(?<two>b)"), 0);

    ok(re && lm_re_match(re, LM_STR("xb"), 0, span, 3) == 1 && span[0][0] == 1 && span[0][1] == 2 &&
           span[1][0] == SIZE_MAX && span[2][0] == 1,
       "a match tells where, and which groups took part");
    ok(lm_re_group(re, "two") == 2 && lm_re_group(re, "three") < 0 && lm_re_groups(re) == 2,
       "groups have names");
    ok(lm_re_match(re, LM_STR("xb"), 2, NULL, 0) == 0, "a search can start behind the match");
    lm_re_free(re);
    re = lm_re_new(LM_STR("(a*)*$(?<=c)"), 0);
    ok(re && lm_re_match(re, bomb, 0, NULL, 0) <= 0, "a hostile pattern ends");
    lm_re_free(re);
    re = lm_re_new(LM_STR("^((a+)+|(a|aa)+)+$"), 0);
    ok(re && lm_re_match(re, bomb, 0, NULL, 0) == LM_ELIMIT,
       "endless backtracking is told as a limit");
    lm_re_free(re);
    re = lm_re_new(LM_STR("b.d"), LM_RE_UTF);
    ok(re && lm_re_match(re,
                         LM_STR("\xff b\xc3\xa9"
                                "d \xfe"),
                         0, NULL, 0) == 1,
       "invalid bytes do not stop a UTF search");
    lm_re_free(re);
    re = lm_re_new(LM_STR("A.B"), LM_RE_LITERAL | LM_RE_ICASE);
    ok(re && lm_re_match(re, LM_STR("xa.b"), 0, NULL, 0) == 1 &&
           !lm_re_match(re, LM_STR("axb"), 0, NULL, 0),
       "a literal has no operators");
    lm_re_free(re);
    ok(!lm_re_new(LM_STR("a(b"), 0) && strstr(lm_last_error()->detail, "at byte 3"),
       "a bad pattern is told with its byte");
}

int main(void)
{
    static const struct {
        const char *text;
        int want;
    } t[] = {{"lang==C", 1},
             {"lang == c", 0},
             {"lang!=C", 0},
             {"lang!=Go", 1},
             {"none!=x", 0},
             {"none==x", 0},
             {"!none==x", 1},
             {"none?", 0},
             {"lang?", 1},
             {"! none ?", 1},
             {"size>999", 1},
             {"size>=1200.0", 1},
             {"size<1.2e3", 0},
             {"size<=1.2e3", 1},
             {"mean==9.5", 1},
             {"mean>10", 0},
             {"lang<D", 1},
             {"size<abc", 1},
             {"path~dir", 1},
             {"path ~ ^dir", 0},
             {"path!~^dir", 1},
             {"none!~x", 0},
             {"none~x", 0},
             {"path == 'a dir/it''s \"x\".c'", 1},
             {"path == \"a dir/it's \"\"x\"\".c\"", 1},
             {"path ~ '\\.c$'", 1},
             {"empty==''", 1},
             {"empty?", 1},
             {"empty==0", 0},
             {"lang==Go|lang==C", 1},
             {"lang==Go&lang==C|size?", 1},
             {"lang==Go&(lang==C|size?)", 0},
             {"!(lang==Go)&!!size?", 1},
             {"enc!=binary & size>0", 0},
             {"id==0", 0},
             {"path ~ \"(dir|x)\"", 1}};
    static const struct {
        const char *text;
        size_t at;
    } wrong[] = {{"", 0},
                 {"lang", 4},
                 {"lang=C", 4},
                 {"lang==", 6},
                 {"lang==C)", 7},
                 {"(lang==C", 8},
                 {"lang==C lang==D", 8},
                 {"Lang==C", 0},
                 {"lang==C & & x?", 10},
                 {"lang=='C", 8},
                 {"a~(b)", 2},
                 {"a~'(b'", 2},
                 {"a1234567890123456789012345678901x?", 0}};

    for (size_t i = 0; i < LM_COUNT(t); i++)
        holds(t[i].text, t[i].want);
    for (size_t i = 0; i < LM_COUNT(wrong); i++)
        refused(wrong[i].text, wrong[i].at);
    order();
    patterns();
    printf("1..%d\n", count);
    return failed != 0;
}
