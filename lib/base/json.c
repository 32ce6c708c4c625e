/* json: strict reading by jansson after one pass of our own over the text (depth, big integers),
   typed getters, and a writer that gives the bytes json.dumps(ensure_ascii=False) and serde give.
 */
#include "base/json.h"
#include <math.h>
#include <pthread.h>

static void use_our_alloc(void)
{
    json_set_alloc_funcs(lm_alloc, free);
}

/* What is wrong with a text, and where. */
typedef struct {
    size_t line, column, at;
    char what[JSON_ERROR_TEXT_LENGTH];
} fault;

static int tell(const fault *f)
{
    return lm_err(LM_EINVALID, "JSON, line %zu, column %zu (byte %zu): %s", f->line, f->column,
                  f->at, f->what);
}

static int find(fault *f, lm_str t, size_t at, const char *what)
{
    *f = (fault){.line = 1, .column = 1, .at = at};
    for (size_t i = 0; i < at && i < t.n; i++)
        if (t.p[i] == '\n')
            f->line++, f->column = 1;
        else
            f->column++;
    snprintf(f->what, sizeof f->what, "%s", what);
    return LM_EINVALID;
}

int lm_json_bad(lm_str t, size_t at, const char *what)
{
    fault f;

    find(&f, t, at, what);
    return tell(&f);
}

/* The length of the number at p if it is an integer that does not fit an i64; else 0. */
static size_t big_integer(const char *p, size_t n)
{
    size_t i = p[0] == '-', from = i;
    int64_t v;

    while (i < n && p[i] >= '0' && p[i] <= '9')
        i++;
    if (i - from < 19 || (i < n && (p[i] == '.' || p[i] == 'e' || p[i] == 'E')))
        return 0;
    return p[from] == '0' || lm_parse_i64((lm_str){p, i}, &v) ? 0 : i;
}

/* Depth over the limit is refused before jansson recurses, and a NUL that it would go past behind a
   word or a number; integers too big for it get ".0" in *copy. */
static int look_over(lm_str t, lm_buf *copy, fault *f)
{
    size_t depth = 0, done = 0;
    bool word = false;

    for (size_t i = 0; i < t.n; i++) {
        char c = t.p[i];
        size_t len;

        if (c == '"') {
            for (i++; i < t.n && t.p[i] != '"'; i++)
                if (t.p[i] == '\\')
                    i++;
        } else if (c == '[' || c == '{') {
            if (++depth > LM_JSON_DEPTH)
                return find(f, t, i, "nested too deep");
        } else if (c == ']' || c == '}') {
            depth -= depth > 0;
        } else if (!c) {
            return find(f, t, i, "NUL");
        } else if (!word && (c == '-' || (c >= '0' && c <= '9')) &&
                   (len = big_integer(t.p + i, t.n - i))) {
            lm_buf_add(copy, t.p + done, i + len - done);
            lm_buf_adds(copy, ".0");
            done = i + len;
            i += len - 1;
        }
        word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '.' || c == '+' || c == '-';
    }
    if (done)
        lm_buf_add(copy, t.p + done, t.n - done);
    return 0;
}

static int parse(lm_str text, json_t **out, fault *f)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    lm_buf copy = {0};
    lm_str t = text;
    json_error_t e;
    int err;

    *out = NULL;
    pthread_once(&once, use_our_alloc);
    if ((err = look_over(text, &copy, f)) < 0) {
        lm_buf_free(&copy);
        return err;
    }
    if (copy.n)
        t = lm_buf_str(&copy);
    *out = json_loadb(t.n ? t.p : "", t.n,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
    if (!*out) {
        *f = (fault){(size_t)e.line, (size_t)e.column, (size_t)e.position, {0}};
        memcpy(f->what, e.text, sizeof f->what);
        err = LM_EINVALID;
    }
    lm_buf_free(&copy);
    return err;
}

int lm_json_parse(lm_str text, json_t **out)
{
    fault f;

    return parse(text, out, &f) < 0 ? tell(&f) : 0;
}

int lm_json_parse_but(lm_str text, const lm_str *cut, size_t n, json_t **out)
{
    lm_buf rest = {0};
    size_t from = 0;
    fault f;
    int err;

    for (size_t i = 0; i < n; i++) {
        lm_buf_add(&rest, text.p + from, (size_t)(cut[i].p - text.p) - from);
        from = (size_t)(cut[i].p - text.p) + cut[i].n;
    }
    lm_buf_add(&rest, text.p + from, text.n - from);
    err = parse(lm_buf_str(&rest), out, &f);
    lm_buf_free(&rest);
    for (size_t i = 0; err < 0 && i < n && f.at > (size_t)(cut[i].p - text.p); i++)
        f.at += cut[i].n; /* the same place in all of the text */
    return err < 0 ? lm_json_bad(text, f.at, f.what) : 0;
}

int lm_json_read(const char *path, size_t max, json_t **out)
{
    lm_buf b = {0};
    int err = lm_read_file(path, &b, max);

    *out = NULL;
    if (err >= 0 && (err = lm_json_parse(lm_buf_str(&b), out)) < 0) {
        lm_error was = *lm_last_error();

        err = lm_err_at(err, path, "%s", was.detail);
    }
    lm_buf_free(&b);
    return err;
}

/* --- getters --- */

static const json_t *member(const json_t *obj, const char *key)
{
    const json_t *v = json_object_get(obj, key);

    return json_is_null(v) ? NULL : v;
}

static int not_a(const char *key, const char *what)
{
    return lm_err(LM_EINVALID, "\"%s\" is not %s", key, what);
}

lm_str lm_json_text(const json_t *s)
{
    return json_is_string(s) ? (lm_str){json_string_value(s), json_string_length(s)}
                             : (lm_str){NULL, 0};
}

int lm_json_str(const json_t *obj, const char *key, lm_str *v)
{
    const json_t *m = member(obj, key);

    if (!m)
        return 0;
    if (!json_is_string(m))
        return not_a(key, "a string");
    *v = lm_json_text(m);
    return 1;
}

int lm_json_i64(const json_t *obj, const char *key, int64_t *v)
{
    const json_t *m = member(obj, key);

    if (!m)
        return 0;
    if (!json_is_integer(m))
        return not_a(key, "an integer of 64 bits");
    *v = json_integer_value(m);
    return 1;
}

int lm_json_u64(const json_t *obj, const char *key, uint64_t *v)
{
    int64_t i;
    int got = lm_json_i64(obj, key, &i);

    if (got <= 0)
        return got;
    if (i < 0)
        return not_a(key, "a whole number of 0 or more");
    *v = (uint64_t)i;
    return 1;
}

int lm_json_f64(const json_t *obj, const char *key, double *v)
{
    const json_t *m = member(obj, key);

    if (!m)
        return 0;
    if (!json_is_number(m))
        return not_a(key, "a number");
    *v = json_number_value(m);
    return 1;
}

int lm_json_bool(const json_t *obj, const char *key, bool *v)
{
    const json_t *m = member(obj, key);

    if (!m)
        return 0;
    if (!json_is_boolean(m))
        return not_a(key, "true or false");
    *v = json_is_true(m);
    return 1;
}

int lm_json_arr(const json_t *obj, const char *key, json_t **v)
{
    json_t *m = json_object_get(obj, key);

    if (!m || json_is_null(m))
        return 0;
    if (!json_is_array(m))
        return not_a(key, "an array");
    *v = m;
    return 1;
}

int lm_json_obj(const json_t *obj, const char *key, json_t **v)
{
    json_t *m = json_object_get(obj, key);

    if (!m || json_is_null(m))
        return 0;
    if (!json_is_object(m))
        return not_a(key, "an object");
    *v = m;
    return 1;
}

int lm_json_need(int got, const char *key)
{
    return got ? got : lm_err(LM_EINVALID, "no \"%s\"", key);
}

/* --- writer --- */

void lm_json_quote(lm_buf *out, lm_str s)
{
    static const char hex[] = "0123456789abcdef", sh[] = "btn.fr";
    size_t from = 0;

    lm_buf_addc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        lm_buf_add(out, s.p + from, i - from);
        from = i + 1;
        lm_buf_addc(out, '\\');
        if (c >= 0x20) {
            lm_buf_addc(out, (char)c);
        } else if (c >= 8 && c <= 13 && c != 11) {
            lm_buf_addc(out, sh[c - 8]);
        } else {
            char u[5] = {'u', '0', '0', hex[c >> 4], hex[c & 15]};
            lm_buf_add(out, u, 5);
        }
    }
    lm_buf_add(out, s.p + from, s.n - from);
    lm_buf_addc(out, '"');
}

void lm_jw_init(lm_jw *w, lm_buf *out, int indent)
{
    *w = (lm_jw){.out = out, .indent = indent};
}

static void newline(lm_jw *w)
{
    if (w->indent <= 0)
        return;
    size_t n = (size_t)w->indent * w->depth;

    lm_buf_addc(w->out, '\n');
    memset(lm_buf_need(w->out, n), ' ', n);
    w->out->n += n;
    w->out->p[w->out->n] = 0;
}

/* What stands before a value: the comma, the line, the key. */
static void begin(lm_jw *w, const lm_str *key)
{
    uint64_t bit = 1ull << (w->depth & 63);

    if (w->depth) {
        if (w->some & bit)
            lm_buf_adds(w->out, w->indent == 0 ? ", " : ",");
        w->some |= bit;
        newline(w);
    }
    if (key) {
        lm_json_quote(w->out, *key);
        lm_buf_adds(w->out, w->indent < 0 ? ":" : ": ");
    }
}

static void value(lm_jw *w, const char *key)
{
    lm_str k = lm_cstr(key);

    if (!key || *key) /* "" = lm_jw_name has written it */
        begin(w, key ? &k : NULL);
}

void lm_jw_name(lm_jw *w, lm_str key)
{
    begin(w, &key);
}

static void opened(lm_jw *w, const char *key, char c, bool isobj)
{
    value(w, key);
    lm_buf_addc(w->out, c);
    w->depth++;

    uint64_t bit = 1ull << (w->depth & 63);

    w->some &= ~bit;
    w->isobj = isobj ? w->isobj | bit : w->isobj & ~bit;
}

void lm_jw_obj(lm_jw *w, const char *key)
{
    opened(w, key, '{', true);
}
void lm_jw_arr(lm_jw *w, const char *key)
{
    opened(w, key, '[', false);
}

void lm_jw_end(lm_jw *w)
{
    uint64_t bit = 1ull << (w->depth & 63);

    w->depth--;
    if (w->some & bit)
        newline(w);
    lm_buf_addc(w->out, w->isobj & bit ? '}' : ']');
}

void lm_jw_str(lm_jw *w, const char *key, lm_str v)
{
    value(w, key);
    lm_json_quote(w->out, v);
}

void lm_jw_i64(lm_jw *w, const char *key, int64_t v)
{
    value(w, key);
    lm_buf_addf(w->out, "%lld", (long long)v);
}

void lm_jw_u64(lm_jw *w, const char *key, uint64_t v)
{
    value(w, key);
    lm_buf_addf(w->out, "%llu", (unsigned long long)v);
}

void lm_jw_f64(lm_jw *w, const char *key, double v)
{
    char t[48];
    int digits = 0, ex;

    value(w, key);
    if (!isfinite(v)) {
        lm_buf_adds(w->out, "null");
        return;
    }
    do /* as few digits as read back to v, as repr() does */
        snprintf(t, sizeof t, "%.*e", digits, v);
    while (strtod(t, NULL) != v && ++digits < 17);
    ex = (int)strtol(strchr(t, 'e') + 1, NULL, 10);
    if (ex >= -4 && ex < 16)
        snprintf(t, sizeof t, "%.*f", digits - ex > 1 ? digits - ex : 1, v);
    lm_buf_adds(w->out, t);
}

void lm_jw_bool(lm_jw *w, const char *key, bool v)
{
    value(w, key);
    lm_buf_adds(w->out, v ? "true" : "false");
}

void lm_jw_null(lm_jw *w, const char *key)
{
    value(w, key);
    lm_buf_adds(w->out, "null");
}

void lm_jw_val(lm_jw *w, const char *key, const json_t *v)
{
    json_t *j = (json_t *)(uintptr_t)v, *m; /* jansson's iterators want it without const */
    size_t i;

    switch (json_typeof(v)) {
    case JSON_OBJECT:
        lm_jw_obj(w, key);
        for (void *it = json_object_iter(j); it; it = json_object_iter_next(j, it)) {
            lm_jw_name(w, lm_cstr(json_object_iter_key(it)));
            lm_jw_val(w, "", json_object_iter_value(it));
        }
        lm_jw_end(w);
        break;
    case JSON_ARRAY:
        lm_jw_arr(w, key);
        json_array_foreach(j, i, m) lm_jw_val(w, NULL, m);
        lm_jw_end(w);
        break;
    case JSON_STRING:
        lm_jw_str(w, key, lm_json_text(v));
        break;
    case JSON_INTEGER:
        lm_jw_i64(w, key, json_integer_value(v));
        break;
    case JSON_REAL:
        lm_jw_f64(w, key, json_real_value(v));
        break;
    case JSON_NULL:
        lm_jw_null(w, key);
        break;
    default:
        lm_jw_bool(w, key, json_is_true(v));
    }
}

void lm_json_dump(lm_buf *out, const json_t *v, int indent)
{
    lm_jw w;

    lm_jw_init(&w, out, indent);
    lm_jw_val(&w, NULL, v);
}
