/* num: numbers in and out, percent escapes, UTF-8. */
#include "base/base.h"
#include "tap.h"
#include <float.h>
#include <locale.h>
#include <math.h>

static bool u64_is(const char *s, uint64_t want)
{
    uint64_t v = ~want;

    return lm_parse_u64(lm_cstr(s), &v) && v == want;
}

static void whole(void)
{
    static const char *const junk[] = {"",
                                       " 1",
                                       "1 ",
                                       "+1",
                                       "-1",
                                       "01",
                                       "00",
                                       "1.0",
                                       "0x1",
                                       "1k",
                                       "18446744073709551616",
                                       "99999999999999999999999"};
    uint64_t v, n;
    int64_t i;
    bool none = true;

    ok(u64_is("0", 0) && u64_is("7", 7) && u64_is("18446744073709551615", UINT64_MAX),
       "whole numbers are read");
    for (size_t k = 0; k < LM_COUNT(junk); k++)
        none &= !lm_parse_u64(lm_cstr(junk[k]), &v);
    ok(none, "junk, signs, leading zeros, overflow are refused");
    ok(lm_parse_i64(LM_STR("-9223372036854775808"), &i) && i == INT64_MIN &&
           lm_parse_i64(LM_STR("5"), &i) && i == 5,
       "signed numbers are read to their ends");
    ok(!lm_parse_i64(LM_STR("9223372036854775808"), &i) &&
           !lm_parse_i64(LM_STR("-9223372036854775809"), &i) && !lm_parse_i64(LM_STR("-"), &i),
       "and not beyond");
    ok(lm_parse_num(LM_STR("10k"), &v) && v == 10000 && lm_parse_num(LM_STR("2G"), &v) &&
           v == 2000000000,
       "counts go by 1000");
    ok(lm_parse_part(LM_STR("3/4"), &v, &n) && v == 3 && n == 4 &&
           lm_parse_part(LM_STR("0/1048576"), &v, &n) && !lm_parse_part(LM_STR("4/4"), &v, &n) &&
           !lm_parse_part(LM_STR("0/1048577"), &v, &n) && !lm_parse_part(LM_STR("3"), &v, &n) &&
           !lm_parse_part(LM_STR("/4"), &v, &n) && !lm_parse_part(LM_STR("3/"), &v, &n),
       "a part of n is i/n");
    ok(lm_parse_size(LM_STR("4K"), &v) && v == 4096 && lm_parse_size(LM_STR("1T"), &v) &&
           v == 1ull << 40,
       "sizes go by 1024");
    ok(!lm_parse_num(LM_STR("1K"), &v) && !lm_parse_size(LM_STR("1k"), &v) &&
           !lm_parse_num(LM_STR("k"), &v) && !lm_parse_num(LM_STR("1kk"), &v) &&
           !lm_parse_size(LM_STR("99999999999T"), &v),
       "the other's suffix, none but a suffix, two of them, overflow are refused");
}

static void reals(void)
{
    static const double some[] = {0,      1,       -1,      0.1,           1.0 / 3, 1e300,
                                  5e-324, DBL_MAX, DBL_MIN, 123456789.125, 1e21,    1e-7};
    static const char *const junk[] = {"",         " 1",  "1 ",  "0x1p3", "1e", "e5",   "+1",
                                       "infinity", "NAN", "1,5", "--1",   ".",  "1e999"};
    uint64_t state = 1;
    double v;
    char s[32];
    bool back = true, shortest = true, none = true;

    for (size_t i = 0; i < LM_COUNT(some); i++)
        back &= lm_parse_f64((lm_str){s, (size_t)lm_fmt_f64(s, some[i])}, &v) && v == some[i];
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = lm_splitmix(&state);
        double x;
        float f, g;
        int n;

        memcpy(&x, &bits, 8);
        memcpy(&f, &bits, 4);
        if (isfinite(x)) {
            n = lm_fmt_f64(s, x);
            back &= n < 32 && lm_parse_f64((lm_str){s, (size_t)n}, &v) && v == x;
        }
        if (isfinite(f)) {
            n = lm_fmt_f32(s, f);
            back &= n < 32 && lm_parse_f64((lm_str){s, (size_t)n}, &v);
            g = strtof(s, NULL);
            back &= memcmp(&f, &g, 4) == 0;
        }
    }
    ok(back, "a real written and read is itself, f64 and f32");
    lm_fmt_f64(s, 0.1);
    shortest &= !strcmp(s, "0.1");
    lm_fmt_f32(s, 0.1f);
    shortest &= !strcmp(s, "0.1");
    lm_fmt_f64(s, 100);
    shortest &= !strcmp(s, "100");
    ok(shortest, "in the shortest form");
    lm_fmt_f64(s, NAN);
    ok(!strcmp(s, "nan") && lm_fmt_f64(s, -INFINITY) == 4 && !strcmp(s, "-inf"),
       "nan and inf have their words");
    ok(lm_parse_f64(LM_STR("nan"), &v) && isnan(v) && lm_parse_f64(LM_STR("-inf"), &v) &&
           v == -INFINITY,
       "which are read");
    for (size_t i = 0; i < LM_COUNT(junk); i++)
        if (lm_parse_f64(lm_cstr(junk[i]), &v)) {
            printf("# read: '%s'\n", junk[i]);
            none = false;
        }
    ok(none, "junk, hex, other words, overflow are refused");
    if (setlocale(LC_ALL, "de_DE.UTF-8")) {
        lm_fmt_f64(s, 0.5);
        ok(!strcmp(s, "0.5") && lm_parse_f64(LM_STR("0.5"), &v) && v == 0.5, "whatever the locale");
        setlocale(LC_ALL, "C");
    }
    lm_fmt_bytes(s, 999);
    shortest = !strcmp(s, "999 B");
    lm_fmt_bytes(s, 12345678);
    ok(shortest && !strcmp(s, "12.3 MB"), "bytes for people go by 1000");
}

static void escapes(void)
{
    static const char *const bad[] = {"%",    "%4",   "%4g",      "%ff", "a b",
                                      "a\tb", "\x7f", "\xc3\xa9", "%%"};
    char all[256];
    lm_buf e = {0}, d = {0};
    bool good = true, none = true;

    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    lm_pct_encode(&e, (lm_str){all, 256});
    for (size_t i = 0; i < e.n; i++)
        good &= e.p[i] > 0x20 && e.p[i] < 0x7f;
    ok(good && e.n == 256 + 2 * (0x21 + 1 + 0x81), "what must be escaped is, and nothing else");
    ok(lm_pct_decode(&d, lm_buf_str(&e)) && d.n == 256 && !memcmp(d.p, all, 256), "and comes back");
    d.n = 0;
    for (size_t i = 0; i < LM_COUNT(bad); i++)
        none &= !lm_pct_decode(&d, lm_cstr(bad[i])) && !d.n;
    ok(none, "a bad escape or a byte that should be one is refused");
    ok(lm_pct_decode(&d, LM_STR("")) && !d.n, "the empty value is one");
    lm_buf_free(&e);
    lm_buf_free(&d);
}

static void utf8(void)
{
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "\xe2\x82",
                                      "\xc3"};
    size_t len;
    char s[4];
    bool good = true, none = true;
    uint32_t c;

    for (c = 0; c <= 0x110000; c++) {
        size_t n = lm_utf8_put(s, c);

        if ((c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
            good &= n == 0;
        else
            good &= n && lm_utf8_len(s, 4 < n ? 4 : n) == n && lm_utf8_get(s, n, &len) == c &&
                    len == n && !(n > 1 && lm_utf8_len(s, n - 1));
    }
    ok(good, "every code point is written and read; surrogates and what lies beyond are not");
    for (size_t i = 0; i < LM_COUNT(bad); i++)
        none &= lm_utf8_len(bad[i], strlen(bad[i])) == 0 &&
                lm_utf8_get(bad[i], strlen(bad[i]), &len) == 0xffffffffu && len == 1 &&
                !lm_utf8_valid(bad[i], strlen(bad[i]));
    ok(none, "overlong forms, surrogates, cut and stray bytes are invalid");
    ok(lm_utf8_len("", 0) == 0 && lm_utf8_valid("", 0), "nothing is valid and has no character");
    ok(lm_utf8_count("a\xc3\xa9\xff\xe2\x82\xac", 7) == 4,
       "an invalid byte counts as one character");
    ok(lm_utf8_valid("plain text that is long, \xe2\x82\xac", 28) &&
           !lm_utf8_valid("plain text that is long, \xe2\x82", 27),
       "a cut character at the end is seen behind a run of ASCII");
}

int main(void)
{
    whole();
    reals();
    escapes();
    utf8();
    return done();
}
