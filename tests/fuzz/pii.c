/* Fuzz target: any text searched for personal data at two levels and two windows; what was found is
   in order, and once replaced is not found again. */
#include "kernels/cpu.h"
#include "text/pii.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void check(const lm_pii_list *l, size_t n)
{
    size_t i, at = 0;

    for (i = 0; i < l->n; at = l->v[i].off + l->v[i].len, i++)
        if (l->v[i].off < at || !l->v[i].len || l->v[i].len > n - l->v[i].off)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_str text = {(const char *)p, n}, path = {NULL, 0};
    bool all = n && p[0] & 1, fake = n && p[0] & 2;
    lm_pii_cfg cfg = {.k = lm_data_at(0), .kinds = LM_PII_ALL, .all_ip = all}, best = cfg;
    lm_pii *a, *b;
    lm_pii_list x = {0}, y = {0};
    lm_buf out = {0};

    best.k = lm_data_at(lm_cpu_best());
    best.window = 128;
    a = lm_pii_new(&cfg);
    b = lm_pii_new(&best);
    lm_pii_scan(a, text, path, &x);
    lm_pii_scan(b, text, path, &y);
    check(&x, n);
    if (x.n != y.n)
        abort();
    for (size_t i = 0; i < x.n; i++)
        if (x.v[i].off != y.v[i].off || x.v[i].len != y.v[i].len || x.v[i].type != y.v[i].type)
            abort();
    lm_pii_replace(a, text, path, &x, fake, 1, &out);
    check(&x, n);
    lm_pii_scan(b, lm_buf_str(&out), path, &y);
    if (y.n)
        abort();
    free(x.v);
    free(y.v);
    lm_pii_free(a);
    lm_pii_free(b);
    lm_buf_free(&out);
    return 0;
}
