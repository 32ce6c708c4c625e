/* lm-ls: list the headers of records, as they stand, as columns or as JSON.
   Apart from lm-cut: it prints text, and hops over bodies. */
#include "lm.h"

static const char *keys;
static bool offsets, tsv, json;
static const lm_opt opts[] = {
    LM_STRING('k', "keys", &keys, "KEYS",
              "print only these: attributes, @type, @len, @n (record), @off (body)"),
    LM_FLAG(0, "offsets", &offsets, "print the byte offset of each body first"),
    LM_FLAG(0, "tsv", &tsv, "columns between TABs, with a row of names"),
    LM_FLAG(0, "json", &json, "one JSON object a line"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-ls",
                             .does = "list the headers of records",
                             .types = "*",
                             .opts = opts,
                             .flags = LM_IN | LM_TEXT | LM_ORDERED};

typedef struct {
    char **v;
    size_t n, cap;
    lm_buf line;
    uint64_t len;
} listing;

static bool is_col(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (*s == '@')
        return !strcmp(s, "@type") || !strcmp(s, "@len") || !strcmp(s, "@n") || !strcmp(s, "@off");
    return *s >= 'a' && *s <= 'z' && !s[n] && n <= 32;
}

static int columns(listing *l, const char *p)
{
    for (const char *stop; p; p = *stop ? stop + 1 : NULL) {
        stop = strchrnul(p, ',');
        LM_GROW(l->v, l->n, l->cap);
        l->v[l->n++] = lm_strndup((lm_str){p, (size_t)(stop - p)});
        if (!is_col(l->v[l->n - 1]))
            return lm_err(LM_EUSAGE, "'%s' is no key, and none of @type @len @n @off",
                          l->v[l->n - 1]);
    }
    return 0;
}

/* A column's value; p NULL = the record has none. num: space for a number. */
static lm_str field(const listing *l, lm_rec *r, const char *key, char num[24])
{
    uint64_t v;

    if (*key != '@')
        return lm_get(r, key);
    if (!strcmp(key, "@type"))
        return r->type;
    v = !strcmp(key, "@len") ? l->len : !strcmp(key, "@n") ? r->seq : r->off + r->raw.n;
    return (lm_str){num, (size_t)snprintf(num, 24, "%llu", (unsigned long long)v)};
}

static void add_tsv(lm_buf *b, lm_str s)
{
    for (size_t i = 0; i < s.n; i++)
        switch (s.p[i]) {
        case '\t':
            lm_buf_adds(b, "\\t");
            break;
        case '\n':
            lm_buf_adds(b, "\\n");
            break;
        case '\r':
            lm_buf_adds(b, "\\r");
            break;
        case '\\':
            lm_buf_adds(b, "\\\\");
            break;
        case '\0':
            lm_buf_adds(b, "\\0");
            break;
        default:
            lm_buf_addc(b, s.p[i]);
        }
}

/* JSON holds text alone: a byte that is no UTF-8 becomes U+FFFD. */
static void add_json(lm_buf *b, lm_str s)
{
    lm_buf clean = {0};
    char utf8[4];

    if (lm_utf8_valid(s.p, s.n)) {
        lm_json_quote(b, s);
        return;
    }
    for (size_t i = 0, k; i < s.n; i += k) {
        uint32_t c = lm_utf8_get(s.p + i, s.n - i, &k);

        lm_buf_add(&clean, utf8, lm_utf8_put(utf8, c == 0xFFFFFFFF ? 0xFFFD : c));
    }
    lm_json_quote(b, lm_buf_str(&clean));
    lm_buf_free(&clean);
}

static void member(lm_buf *b, lm_str key, lm_str val, bool number)
{
    lm_buf_adds(b, b->n > 1 ? ", " : "");
    add_json(b, key);
    lm_buf_adds(b, ": ");
    if (number)
        lm_buf_add(b, val.p, val.n);
    else
        add_json(b, val);
}

/* Is this the first time that r has the key? Of a repeated one the first counts. */
static bool first(lm_rec *r, lm_str key, const char *at)
{
    lm_str k, v;

    for (size_t i = 0; lm_attr_each(r, &i, &k, &v);)
        if (lm_eq(k, key))
            return k.p == at;
    return false;
}

static void row_json(listing *l, lm_rec *r)
{
    lm_buf *b = &l->line;
    lm_str key, val;
    char num[24];

    lm_buf_addc(b, '{');
    for (size_t i = 0; i < l->n; i++) {
        val = field(l, r, l->v[i], num);
        if (val.p)
            member(b, lm_cstr(l->v[i]), val, *l->v[i] == '@' && strcmp(l->v[i], "@type"));
    }
    for (size_t i = 0; !keys && lm_attr_each(r, &i, &key, &val);)
        if (first(r, key, key.p))
            member(b, key, val, false);
    lm_buf_adds(b, "}\n");
}

static void row(listing *l, lm_rec *r)
{
    lm_buf *b = &l->line;
    char num[24];

    if (!keys && !tsv) { /* the header as it stands, without padding */
        if (offsets)
            lm_buf_addf(b, "%llu ", (unsigned long long)(r->off + r->raw.n));
        lm_buf_add(b, r->raw.p,
                   (size_t)((r->attrs.n ? r->attrs.p + r->attrs.n : r->attrs.p) - r->raw.p));
        lm_buf_addc(b, '\n');
        return;
    }
    for (size_t i = 0; i < l->n; i++) {
        lm_str s = field(l, r, l->v[i], num);

        if (i)
            lm_buf_addc(b, tsv ? '\t' : ' ');
        if (tsv)
            add_tsv(b, s);
        else if (!s.n) /* blanks part the columns: none may be empty */
            lm_buf_addc(b, '-');
        else
            lm_pct_encode(b, s);
    }
    lm_buf_addc(b, '\n');
}

static void flush(void *ctx)
{
    (void)ctx;
    fflush(stdout); /* an error is sticky and told at the end */
}

static int list(lm_in *in, listing *l)
{
    lm_rec r = {0};
    int err;

    for (size_t i = 0; tsv && i < l->n; i++)
        printf("%s%c", l->v[i], i + 1 < l->n ? '\t' : '\n');
    lm_in_on_block(in, flush, NULL);
    while ((err = lm_next_head(in, &r, &l->len)) == 1) {
        if (!lm_acts_on(r.type))
            continue;
        l->line.n = 0;
        if (json)
            row_json(l, &r);
        else
            row(l, &r);
        fwrite(l->line.p, 1, l->line.n, stdout);
    }
    lm_rec_free(&r);
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    listing l = {0};
    lm_buf cols = {0};
    int err;

    (void)out;
    if (tsv && json)
        return lm_err(LM_EUSAGE, "--tsv and --json do not go together");
    if (offsets && (keys || tsv || json))
        lm_buf_adds(&cols, "@off,");
    if (!keys && (tsv || json))
        lm_buf_adds(&cols, tsv ? "@type,@len,path" : "@type,@len");
    lm_buf_adds(&cols, keys ? keys : "");
    if (cols.n && cols.p[cols.n - 1] == ',')
        cols.p[--cols.n] = 0;
    err = cols.n ? columns(&l, cols.p) : 0;
    if (!err)
        err = list(in, &l);
    for (size_t i = 0; i < l.n; i++)
        free(l.v[i]);
    free(l.v);
    lm_buf_free(&l.line);
    lm_buf_free(&cols);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
