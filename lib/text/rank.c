/* rank: a key is, attribute by attribute, a tag (1 number, 2 text, ff missing) and a value whose
   bytes sort: a number as its f64 bits, a text with 00 doubled to 00 FF and 00 00 at its end.
   Descending = inverted. */
#include "text/expr.h"
#include "text/rank.h"

struct lm_rank {
    struct {
        char *name;
        bool down;
    } * key;
    size_t n, cap;
};

static void add_key(lm_rank *k, lm_str name, bool down)
{
    LM_GROW(k->key, k->n, k->cap);
    k->key[k->n].name = lm_strndup(name);
    k->key[k->n++].down = down;
}

static bool is_key(lm_str s)
{
    size_t i;

    if (!s.n || s.n > 32 || s.p[0] < 'a' || s.p[0] > 'z')
        return false;
    for (i = 1; i < s.n; i++)
        if (!(s.p[i] >= 'a' && s.p[i] <= 'z') && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '-')
            return false;
    return true;
}

lm_rank *lm_rank_new(lm_str keys)
{
    static const char *const last[] = {"id", "src", "repo", "path", "rev"};
    lm_rank *k = lm_zalloc(1, sizeof *k);
    size_t i = 0, j;

    while (i <= keys.n) {
        const char *comma = i < keys.n ? memchr(keys.p + i, ',', keys.n - i) : NULL;
        size_t end = comma ? (size_t)(comma - keys.p) : keys.n;
        bool down = i < end && keys.p[i] == '-';
        lm_str name = {keys.p + i + down, end - i - down};

        if (!is_key(name)) {
            lm_err(LM_EUSAGE, "--rank: '%.*s' is no attribute", (int)(end - i), keys.p + i);
            lm_rank_free(k);
            return NULL;
        }
        add_key(k, name, down);
        i = end + 1;
    }
    for (j = 0; j < LM_COUNT(last); j++)
        add_key(k, lm_cstr(last[j]), false);
    return k;
}

void lm_rank_free(lm_rank *k)
{
    size_t i;

    if (!k)
        return;
    for (i = 0; i < k->n; i++)
        free(k->key[i].name);
    free(k->key);
    free(k);
}

static void add_number(lm_buf *out, double v)
{
    uint64_t u;
    int i;

    v += 0.0; /* -0 is 0 */
    memcpy(&u, &v, sizeof u);
    u = u >> 63 ? ~u : u | 1ull << 63;
    lm_buf_addc(out, 1);
    for (i = 56; i >= 0; i -= 8)
        lm_buf_addc(out, (char)(u >> i));
}

static void add_text(lm_buf *out, lm_str s)
{
    size_t i;

    lm_buf_addc(out, 2);
    for (i = 0; i < s.n; i++) {
        lm_buf_addc(out, s.p[i]);
        if (!s.p[i])
            lm_buf_addc(out, (char)0xff);
    }
    lm_buf_add(out, "\0", 2);
}

static double licence_class(lm_str v)
{
    static const char *const order[] = {"permissive", "none", "copyleft", "commercial"};
    size_t i;

    for (i = 0; i < LM_COUNT(order); i++)
        if (lm_is(v, order[i]))
            break;
    return (double)i; /* an unknown class comes behind the known ones */
}

void lm_rank_key(const lm_rank *k, lm_rec *r, lm_id hash, lm_buf *out)
{
    size_t i, j, from;
    char hex[33];

    lm_id_hex(hash, hex);
    for (i = 0; i < k->n; i++) {
        lm_str v = lm_get(r, k->key[i].name);
        double num = 0;

        from = out->n;
        if (!v.p && !strcmp(k->key[i].name, "id"))
            v = lm_cstr(hex);
        if (!v.p && !strcmp(k->key[i].name, "size")) {
            add_number(out, (double)r->body.n);
        } else if (!v.p) {
            lm_buf_addc(out, (char)0xff);
            continue; /* last, whichever way the key goes */
        } else if (!strcmp(k->key[i].name, "lic-type")) {
            add_number(out, licence_class(v));
        } else if (lm_value_is_num(v) && lm_parse_f64(v, &num)) {
            add_number(out, num);
        } else {
            add_text(out, v);
        }
        for (j = from; k->key[i].down && j < out->n; j++)
            out->p[j] = (char)~out->p[j];
    }
    add_text(out, r->attrs);
    lm_buf_add(out, hex, 32);
}
