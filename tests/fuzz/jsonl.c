/* Fuzz target: any bytes given to the JSON Lines scanner; what it takes jansson takes, with the
   same strings, but for lone surrogates and repeated keys, which jansson refuses. */
#include "base/json.h"
#include "text/jsonl.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void same(lm_jsonl *j, json_t *o)
{
    lm_buf b = {0};

    for (size_t i = 0; i < j->n; i++) {
        char *key = lm_strndup(j->f[i].key);
        json_t *v = json_object_get(o, key);

        b.n = 0;
        if (!v && !memchr(j->f[i].key.p, 0, j->f[i].key.n))
            abort();
        if (j->f[i].kind == LM_JS_STRING) {
            lm_jsonl_text(j, &j->f[i], &b);
            if (v && (!json_is_string(v) || json_string_length(v) != b.n ||
                      memcmp(json_string_value(v), lm_buf_str(&b).p, b.n)))
                abort();
        }
        free(key);
    }
    lm_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_jsonl j = {.max_depth = 32};
    char *line = lm_memdup(p, n); /* its end is the end of the allocation but one */
    lm_buf all = {0};
    json_t *o;

    if (lm_jsonl_scan(&j, line, n) == 1) {
        for (size_t i = 0; i < j.n; i++)
            if (j.f[i].kind == LM_JS_STRING)
                lm_jsonl_text(&j, &j.f[i], &all);
        if (!lm_utf8_valid(lm_buf_str(&all).p, all.n))
            abort();
        if (!j.surrogates && lm_json_parse((lm_str){line, n}, &o) == 0) {
            same(&j, o);
            json_decref(o);
        }
    } else if (lm_json_parse((lm_str){line, n}, &o) == 0) {
        /* jansson takes it and we do not: it is no object, or nested deeper than we go. */
        if (json_is_object(o) && (!j.why || strcmp(j.why, "nested too deep")))
            abort();
        json_decref(o);
    }
    lm_jsonl_free(&j);
    lm_buf_free(&all);
    free(line);
    return 0;
}
