/* JSON: what is refused and where, typed getters, and the writer's bytes. */
#include "base/json.h"
#include <math.h>

static int count, failed;

static void ok(bool good, const char *name)
{
    failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
}

static void refused(lm_str t, const char *where, const char *name)
{
    json_t *j;
    int err = lm_json_parse(t, &j);

    ok(err == LM_EINVALID && !j && strstr(lm_last_error()->detail, where), name);
    if (err >= 0)
        json_decref(j);
    else
        printf("# %s\n", lm_last_error()->detail);
}

static void same(const char *text, int indent, const char *want)
{
    lm_buf b = {0};
    json_t *j = NULL;
    bool good = lm_json_parse(lm_cstr(text), &j) == 0;

    if (good) {
        lm_json_dump(&b, j, indent);
        good = lm_is(lm_buf_str(&b), want);
        if (!good)
            printf("# have %s\n", b.p);
    }
    ok(good, text);
    json_decref(j);
    lm_buf_free(&b);
}

static void getters(void)
{
    json_t *j = NULL, *v = NULL;
    lm_str s = {0};
    uint64_t u = 7;
    int64_t i = 0;
    double d = 0;
    bool b = false;

    ok(!lm_json_parse(LM_STR("{\"n\":12,\"neg\":-3,\"r\":1e-6,\"s\":\"a\\u0000b\",\"t\":true,\"a\":"
                             "[1],\"o\":{},\"z\":null}"),
                      &j),
       "an object of every kind");
    ok(lm_json_u64(j, "n", &u) == 1 && u == 12, "a whole number");
    ok(lm_json_u64(j, "neg", &u) == LM_EINVALID && u == 12, "a negative one is no u64");
    ok(lm_json_i64(j, "neg", &i) == 1 && i == -3, "but an i64");
    ok(lm_json_f64(j, "r", &d) == 1 && d == 1e-6, "a real");
    ok(lm_json_f64(j, "n", &d) == 1 && d == 12, "an integer as a real");
    ok(lm_json_str(j, "s", &s) == 1 && s.n == 3 && !memcmp(s.p, "a\0b", 3),
       "a string that holds NUL");
    ok(lm_json_bool(j, "t", &b) == 1 && b, "a truth value");
    ok(lm_json_arr(j, "a", &v) == 1 && json_array_size(v) == 1, "an array");
    ok(lm_json_obj(j, "o", &v) == 1 && json_object_size(v) == 0, "an object");
    ok(lm_json_u64(j, "z", &u) == 0 && lm_json_u64(j, "none", &u) == 0, "null and absent are 0");
    ok(lm_json_str(j, "n", &s) == LM_EINVALID && strstr(lm_last_error()->detail, "\"n\""),
       "a wrong type names the key");
    ok(lm_json_need(lm_json_u64(j, "none", &u), "none") == LM_EINVALID &&
           strstr(lm_last_error()->detail, "\"none\""),
       "a needed key is named");
    json_decref(j);
}

static void writer(void)
{
    lm_buf b = {0};
    lm_jw w;

    lm_jw_init(&w, &b, 2);
    lm_jw_obj(&w, NULL);
    lm_jw_u64(&w, "a", 18446744073709551615u);
    lm_jw_arr(&w, "e");
    lm_jw_end(&w);
    lm_jw_arr(&w, "l");
    lm_jw_f64(&w, NULL, 1);
    lm_jw_null(&w, NULL);
    lm_jw_arr(&w, NULL);
    lm_jw_bool(&w, NULL, false);
    lm_jw_end(&w);
    lm_jw_end(&w);
    lm_jw_name(&w, LM_STR("k\"\n"));
    lm_jw_str(&w, "", LM_STR("\xc3\xa9\x1f/\x7f\b\f\n\r\t\\"));
    lm_jw_f64(&w, "nan", NAN);
    lm_jw_end(&w);
    ok(lm_is(lm_buf_str(&b),
             "{\n  \"a\": 18446744073709551615,\n  \"e\": [],\n  \"l\": [\n    1.0,\n    null,\n"
             "    [\n      false\n    ]\n  ],\n  \"k\\\"\\n\": "
             "\"\xc3\xa9\\u001f/\x7f\\b\\f\\n\\r\\t\\\\\",\n  \"nan\": null\n}"),
       "the writer's indented form");
    lm_buf_free(&b);
}

int main(void)
{
    lm_buf deep = {0};
    json_t *j;

    refused(LM_STR(""), "JSON", "nothing");
    refused(LM_STR("{\"a\":1,\n \"a\":2}"), "line 2", "a key given twice");
    refused(LM_STR("[1] x"), "JSON", "something behind the value");
    refused(LM_STR("[\"\xff\"]"), "JSON", "bad UTF-8");
    refused(LM_STR("[\"\\ud800\"]"), "JSON", "a lone surrogate");
    refused(LM_STR("[01]"), "JSON", "a leading zero");
    refused(LM_STR("[NaN]"), "JSON", "NaN");
    refused(LM_STR("[true\0,1]"), "byte 5", "a NUL behind a word");
    refused(LM_STR("[1\0]"), "byte 2", "a NUL behind a number");
    refused(LM_STR("[\"a\0\"]"), "JSON", "a NUL in a string");
    refused(LM_STR("[+1]"), "JSON", "a plus sign");
    refused(LM_STR("[1e999]"), "JSON", "a real out of range");
    refused(LM_STR("{\"a\": \"x\ty\"}"), "JSON", "a control byte in a string");
    refused(LM_STR("{a:1}"), "JSON", "a bare key");
    refused(LM_STR("[1,]"), "JSON", "a comma too many");
    refused(LM_STR("{\"a\":1"), "JSON", "a cut");
    for (int i = 0; i < 64; i++)
        lm_buf_addc(&deep, '[');
    for (int i = 0; i < 64; i++)
        lm_buf_addc(&deep, ']');
    ok(lm_json_parse(lm_buf_str(&deep), &j) == 0, "depth 64 passes");
    json_decref(j);
    deep.n = 0;
    for (int i = 0; i < 100000; i++)
        lm_buf_addc(&deep, '[');
    refused(lm_buf_str(&deep), "byte 64", "depth 65 does not, whatever follows");
    lm_buf_free(&deep);
    ok(lm_json_parse(LM_STR("1000000000000000019884624838656"), &j) == 0 &&
           json_real_value(j) == 1000000000000000019884624838656.0,
       "a huge integer is read as a real");
    json_decref(j);
    same("[9223372036854775807,-9223372036854775808,9223372036854775808,\"123456789012345678901\"]",
         -1,
         "[9223372036854775807,-9223372036854775808,9.223372036854776e+18,"
         "\"123456789012345678901\"]");
    same("{\"z\":1,\"a\":{\"c\":[1,2],\"b\":0.5}}", 0,
         "{\"z\": 1, \"a\": {\"c\": [1, 2], \"b\": 0.5}}");
    same("{\"z\":[],\"a\":{},\"t\":[1,{\"x\":null}]}", 2,
         "{\n  \"z\": [],\n  \"a\": {},\n  \"t\": [\n    1,\n    {\n      \"x\": null\n    }\n  "
         "]\n}");
    same(" [1e-06, 1.5e300, 100.0, 0.1] ", -1, "[1e-06,1.5e+300,100.0,0.1]");
    same("\"\xe4\xb8\xad\\u4e2d\\n\"", 0, "\"\xe4\xb8\xad\xe4\xb8\xad\\n\"");
    getters();
    writer();
    printf("1..%d\n", count);
    return failed > 0;
}
