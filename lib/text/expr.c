/* expr: see expr.h. The tree is one array of nodes; children are indices. */
#include "text/expr.h"
#include "text/re.h"

#define DEPTH_MAX 200 /* parentheses and '!' within each other */

/* A decimal number, taken apart: the value is 0.D1 D2 .. x 10^mag with D1 != 0. */
typedef struct {
    int sign; /* -1, 0 (zero), 1 */
    bool inf;
    long mag;
    const char *d, *end; /* digits, a '.' may lie among them */
} number;

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool number_parse(lm_str s, number *v)
{
    const char *p = s.p, *end = s.p ? s.p + s.n : NULL, *first, *dot = NULL, *stop;
    bool neg = false;
    long ex = 0, exn = 0;

    *v = (number){0};
    if (!s.n)
        return false;
    if (*p == '-') {
        neg = true;
        p++;
    }
    if (end - p == 3 && !memcmp(p, "inf", 3)) {
        *v = (number){.sign = neg ? -1 : 1, .inf = true};
        return true;
    }
    first = p;
    while (p < end && digit(*p))
        p++;
    if (p == first || (*first == '0' && p - first > 1))
        return false;
    stop = p;
    if (p < end && *p == '.') {
        dot = p++;
        while (p < end && digit(*p))
            p++;
        if (p == dot + 1)
            return false;
        stop = p;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        bool down = false;

        p++;
        if (p < end && (*p == '-' || *p == '+'))
            down = *p++ == '-';
        for (; p < end && digit(*p) && exn < 5; exn++)
            ex = ex * 10 + (*p++ - '0');
        if (!exn || exn > 4)
            return false;
        if (down)
            ex = -ex;
    }
    if (p != end)
        return false;
    v->mag = (dot ? dot : stop) - first;
    while (first < stop && (*first == '0' || *first == '.'))
        v->mag -= *first++ == '0';
    v->mag += ex;
    while (stop > first && (stop[-1] == '0' || stop[-1] == '.'))
        stop--;
    v->d = first;
    v->end = stop;
    v->sign = first == stop ? 0 : neg ? -1 : 1;
    return true;
}

static int number_cmp(const number *a, const number *b)
{
    const char *p = a->d, *q = b->d;

    if (a->sign != b->sign)
        return a->sign < b->sign ? -1 : 1;
    if (!a->sign)
        return 0;
    if (a->inf || b->inf)
        return a->inf == b->inf ? 0 : a->inf ? a->sign : -a->sign;
    if (a->mag != b->mag)
        return a->mag < b->mag ? -a->sign : a->sign;
    for (;; p++, q++) {
        if (p < a->end && *p == '.')
            p++;
        if (q < b->end && *q == '.')
            q++;
        if (p == a->end || q == b->end)
            return p == a->end ? q == b->end ? 0 : -a->sign : a->sign;
        if (*p != *q)
            return *p < *q ? -a->sign : a->sign;
    }
}

bool lm_value_is_num(lm_str s)
{
    number v;

    return number_parse(s, &v);
}

int lm_value_cmp(lm_str a, lm_str b)
{
    number x, y;
    int ka = !a.p ? 0 : number_parse(a, &x) ? 1 : 2;
    int kb = !b.p ? 0 : number_parse(b, &y) ? 1 : 2;

    if (ka != kb)
        return ka < kb ? -1 : 1;
    return ka == 0 ? 0 : ka == 1 ? number_cmp(&x, &y) : lm_cmp(a, b);
}

enum { AND, OR, NOT, HAS, EQ, NE, LT, LE, GT, GE, LIKE, UNLIKE };

typedef struct {
    int op, left, right;
    char *key;
    lm_str val;
    bool num;
    lm_re *re;
} node;

struct lm_expr {
    node *v;
    size_t n, cap;
    int root;
};

typedef struct {
    lm_expr *e;
    const char *text, *p, *end;
    int depth;
} parser;

static int bad(parser *s, const char *what)
{
    lm_err(LM_EUSAGE, "expression: %s at byte %zu", what, (size_t)(s->p - s->text));
    return -1;
}

static void blanks(parser *s)
{
    while (s->p < s->end && memchr(" \t\n\r", *s->p, 4))
        s->p++;
}

static bool eat(parser *s, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n))
        return false;
    s->p += n;
    return true;
}

static int add(parser *s, int op, int left, int right)
{
    lm_expr *e = s->e;

    LM_GROW(e->v, e->n, e->cap);
    e->v[e->n] = (node){.op = op, .left = left, .right = right};
    return (int)e->n++;
}

static int value(parser *s, lm_buf *out)
{
    blanks(s);
    if (s->p < s->end && (*s->p == '"' || *s->p == '\'')) {
        char q = *s->p++;

        for (;; s->p++) {
            if (s->p == s->end)
                return bad(s, "a quote is not closed");
            if (*s->p == q && (s->p + 1 == s->end || s->p[1] != q))
                break;
            s->p += *s->p == q;
            lm_buf_addc(out, *s->p);
        }
        s->p++;
        return 0;
    }
    while (s->p < s->end && !memchr(" \t\n\r&|()\"'", *s->p, 10))
        lm_buf_addc(out, *s->p++);
    return out->n ? 0 : bad(s, "a value is missing (write '' for the empty one)");
}

static int compare(parser *s)
{
    static const struct {
        const char *text;
        int op;
    } ops[] = {/* longer ones first */
               {"==", EQ},     {"!=", NE}, {"<=", LE}, {">=", GE},
               {"!~", UNLIKE}, {"<", LT},  {">", GT},  {"~", LIKE}};
    const char *k = s->p;
    lm_buf val = {0};
    node *x;
    size_t n, i;
    int at;

    while (s->p < s->end &&
           ((*s->p >= 'a' && *s->p <= 'z') || (s->p > k && (digit(*s->p) || *s->p == '-'))))
        s->p++;
    n = (size_t)(s->p - k);
    if (!n || n > 32) {
        s->p = k;
        return bad(s, n ? "a key has at most 32 characters"
                        : "a key ([a-z][a-z0-9-]*), '!' or '(' is missing");
    }
    at = add(s, HAS, 0, 0);
    s->e->v[at].key = lm_strndup((lm_str){k, n});
    blanks(s);
    if (eat(s, "?"))
        return at;
    for (i = 0; i < LM_COUNT(ops) && !eat(s, ops[i].text); i++)
        continue;
    if (i == LM_COUNT(ops))
        return bad(s, "an operator is missing (== != < <= > >= ~ !~ or ?)");
    if (value(s, &val) < 0) {
        lm_buf_free(&val);
        return -1;
    }
    x = &s->e->v[at];
    x->op = ops[i].op;
    x->val = (lm_str){lm_memdup(val.n ? val.p : "", val.n), val.n};
    x->num = lm_value_is_num(x->val);
    lm_buf_free(&val);
    if (x->op == LIKE || x->op == UNLIKE) {
        x->re = lm_re_new(x->val, LM_RE_UTF);
        if (!x->re)
            return -1;
    }
    return at;
}

static int either(parser *s);

static int unary(parser *s)
{
    int a;

    blanks(s);
    if (s->depth >= DEPTH_MAX)
        return bad(s, "too deep");
    if (eat(s, "!")) {
        s->depth++;
        a = unary(s);
        s->depth--;
        return a < 0 ? -1 : add(s, NOT, a, 0);
    }
    if (eat(s, "(")) {
        s->depth++;
        a = either(s);
        s->depth--;
        if (a < 0)
            return -1;
        blanks(s);
        return eat(s, ")") ? a : bad(s, "')' is missing");
    }
    return compare(s);
}

static int both(parser *s)
{
    int a = unary(s), b;

    while (a >= 0 && (blanks(s), eat(s, "&"))) {
        b = unary(s);
        a = b < 0 ? -1 : add(s, AND, a, b);
    }
    return a;
}

static int either(parser *s)
{
    int a = both(s), b;

    while (a >= 0 && (blanks(s), eat(s, "|"))) {
        b = both(s);
        a = b < 0 ? -1 : add(s, OR, a, b);
    }
    return a;
}

lm_expr *lm_expr_new(lm_str text)
{
    parser s = {.text = text.n ? text.p : ""};

    s.e = lm_zalloc(1, sizeof *s.e);
    s.p = s.text;
    s.end = s.text + text.n;
    s.e->root = either(&s);
    blanks(&s);
    if (s.e->root >= 0 && s.p != s.end)
        s.e->root = bad(&s, "'&', '|' or the end is missing");
    if (s.e->root < 0) {
        lm_expr_free(s.e);
        return NULL;
    }
    return s.e;
}

void lm_expr_free(lm_expr *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->n; i++) {
        free(e->v[i].key);
        free((char *)e->v[i].val.p);
        lm_re_free(e->v[i].re);
    }
    free(e->v);
    free(e);
}

static int leaf(const node *x, lm_rec *r)
{
    lm_str have = lm_get(r, x->key);
    int c;

    if (!have.p)
        return 0;
    if (x->op == HAS)
        return 1;
    if (x->re) {
        c = lm_re_match(x->re, have, 0, NULL, 0);
        return c < 0 ? c : x->op == LIKE ? c : !c;
    }
    c = x->num && lm_value_is_num(have) ? lm_value_cmp(have, x->val) : lm_cmp(have, x->val);
    switch (x->op) {
    case EQ:
        return c == 0;
    case NE:
        return c != 0;
    case LT:
        return c < 0;
    case LE:
        return c <= 0;
    case GT:
        return c > 0;
    default:
        return c >= 0;
    }
}

static int eval(const lm_expr *e, int at, lm_rec *r)
{
    const node *x = &e->v[at];
    int a;

    if (x->op >= HAS)
        return leaf(x, r);
    a = eval(e, x->left, r);
    if (a < 0)
        return a;
    if (x->op == NOT)
        return !a;
    if (a == (x->op == OR))
        return a;
    return eval(e, x->right, r);
}

int lm_expr_eval(const lm_expr *e, lm_rec *r)
{
    return eval(e, e->root, r);
}
