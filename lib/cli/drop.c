/* drop: rejected records, told by rule: the drop= attribute, the -r stream, the --counts file. */
#include "cli/cli.h"
#include "cli/priv.h"
#include <pthread.h>

static struct {
    pthread_mutex_t lock;
    lm_dict recs, body;
} drops = {.lock = PTHREAD_MUTEX_INITIALIZER};

int lm_drop(lm_rec *r, const char *rule, const char *fmt, ...)
{
    char value[512];
    va_list ap;

    if (!lm_common.counts && !lm_rejects()) /* nobody will read it */
        return 0;
    va_start(ap, fmt);
    vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    lm_setf(r, "drop", "%s:%s:%s", lm_self(), rule, value);
    return 0;
}

void lm_count_drop(lm_rec *r)
{
    lm_str d, rule = LM_STR("dropped");
    const char *a, *b;

    if (!lm_common.counts)
        return;
    d = lm_get(r, "drop");
    a = d.p ? memchr(d.p, ':', d.n) : NULL;
    if (a) {
        b = memchr(a + 1, ':', d.n - (size_t)(a + 1 - d.p));
        rule = (lm_str){a + 1, (size_t)((b ? b : d.p + d.n) - a - 1)};
    }
    pthread_mutex_lock(&drops.lock);
    ++*lm_dict_put(&drops.recs, rule, 0);
    *lm_dict_put(&drops.body, rule, 0) += r->body.n;
    pthread_mutex_unlock(&drops.lock);
}

static int row(lm_out *o, lm_str rule, uint64_t recs, uint64_t body)
{
    lm_rec r = {0};
    int err;

    lm_rec_new(&r, "metric");
    lm_set(&r, "kind", LM_STR("count"));
    lm_set(&r, "tool", lm_cstr(lm_self()));
    lm_set(&r, "rule", rule);
    lm_setf(&r, "records", "%llu", (unsigned long long)recs);
    lm_setf(&r, "bytes", "%llu", (unsigned long long)body);
    err = lm_put(o, &r);
    lm_rec_free(&r);
    return err;
}

static int by_name(const void *a, const void *b)
{
    return lm_cmp(*(const lm_str *)a, *(const lm_str *)b);
}

void lm_counts_write(const char *path, lm_in *in, lm_out *out, int *err)
{
    lm_out *o = lm_out_open(path, LM_OUT_CRC);
    lm_str *rule = lm_zalloc(drops.recs.n, sizeof *rule), key;
    size_t n = 0, i = 0;
    uint64_t *v;

    if (!o) {
        *err = LM_EIO;
        free(rule);
        return;
    }
    lm_out_by(o, lm_by_line());
    if (in)
        *err = row(o, LM_STR("in"), lm_in_stats(in)->recs, lm_in_stats(in)->body);
    if (out && !*err)
        *err = row(o, LM_STR("out"), lm_out_stats(out)->recs, lm_out_stats(out)->body);
    while (lm_dict_each(&drops.recs, &i, &key, &v))
        rule[n++] = key;
    qsort(rule, n, sizeof *rule, by_name);
    for (i = 0; i < n && !*err; i++)
        *err =
            row(o, rule[i], *lm_dict_get(&drops.recs, rule[i]), *lm_dict_get(&drops.body, rule[i]));
    if (!*err)
        *err = lm_out_end(o);
    lm_out_close(o);
    free(rule);
}
