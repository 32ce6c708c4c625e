/* The external sort: in memory, with runs, with several levels of merging, with items of all sizes.
 */
#include "base/xsort.h"

static int count, failed;

static void ok(bool good, const char *name)
{
    failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
}

typedef struct {
    uint64_t key;
    lm_str s;
} item;

static int cmp(const void *a, const void *b)
{
    const item *x = a, *y = b;

    return x->key != y->key ? (x->key < y->key ? -1 : 1) : lm_cmp(x->s, y->s);
}

/* n items of up to max bytes, of keys below `keys`, through a sort of mem bytes. */
static void through(size_t n, size_t max, uint64_t keys, size_t mem, const char *name)
{
    lm_xsort *x = lm_xsort_new(mem, NULL, NULL, NULL);
    item *v = lm_zalloc(n, sizeof *v);
    uint64_t state = n * 31 + max;
    bool good = true;
    lm_str got;
    size_t i;

    for (i = 0; i < n; i++) {
        size_t len = lm_splitmix(&state) % (max + 1), half;
        char *p = lm_alloc(len + 1);

        for (size_t k = 0; k < len; k++)
            p[k] = (char)lm_splitmix(&state);
        v[i] = (item){lm_splitmix(&state) % keys, {p, len}};
        half = len / 3;
        good &= !lm_xsort_add(x, v[i].key, (lm_str){p, half}, (lm_str){p + half, len - half});
    }
    qsort(v, n, sizeof *v, cmp);
    for (i = 0; i < n && lm_xsort_next(x, &got) == 1; i++)
        good &= lm_eq(got, v[i].s);
    ok(good && i == n && lm_xsort_next(x, &got) == 0, name);
    for (i = 0; i < n; i++)
        free((char *)(uintptr_t)v[i].s.p);
    free(v);
    lm_xsort_free(x);
}

int main(void)
{
    lm_xsort *x = lm_xsort_new(1 << 20, NULL, NULL, NULL);
    size_t n = lm_xsort_largest(x) + 1;
    char *big = lm_zalloc(n, 1);

    through(0, 0, 1, 1 << 20, "nothing");
    through(1, 10, 1, 1 << 20, "one item");
    through(5000, 50, 1000000, 1 << 20, "all in memory");
    through(3000, 3, 2, 1 << 20, "many equal keys and items");
    through(60000, 100, UINT64_MAX, 1 << 20, "runs");
    through(200, 300000, 50, 1 << 20, "items as large as the bound allows, several passes");
    through(20000, 2000, 1, 1 << 20, "one key: the bytes decide, several passes");
    ok(lm_xsort_add(x, 0, (lm_str){big, n}, (lm_str){NULL, 0}) == LM_ELIMIT,
       "an item over the bound is refused");
    ok(lm_xsort_add(x, 0, (lm_str){big, n - 1}, (lm_str){NULL, 0}) == 0 &&
           lm_xsort_add(x, 0, (lm_str){big, n - 1}, (lm_str){NULL, 0}) == 0,
       "one at the bound is taken");
    free(big);
    lm_xsort_free(x);
    printf("1..%d\n", count);
    return failed != 0;
}
