/* par: loops dealt out to threads, and records through lm_map in their order. Also run under the
 * thread sanitizer. */
#include "par/par.h"
#include "tap.h"
#include <unistd.h>

static void add(void *ctx, size_t i, unsigned thread)
{
    _Atomic uint64_t *sum = ctx;

    (void)thread;
    atomic_fetch_add(sum, i + 1);
}

static void fill(void *ctx, size_t i, unsigned thread)
{
    unsigned *v = ctx;

    (void)thread;
    v[i]++;
}

static void pools(void)
{
    static unsigned hit[100000];
    lm_pool *p = lm_pool_new(4);
    _Atomic uint64_t sum = 0;
    bool once = true;

    lm_pool_run(p, 100000, fill, hit);
    for (size_t i = 0; i < LM_COUNT(hit); i++)
        once &= hit[i] == 1;
    ok(once, "each index is met once");
    for (int k = 0; k < 200; k++)
        lm_pool_run(p, 10, add, &sum);
    ok(sum == 200 * 55, "a pool serves many loops");
    lm_pool_run(p, 0, add, &sum);
    ok(sum == 200 * 55, "of none too");
    lm_pool_free(p);
    lm_pool_run(NULL, 10, add, &sum);
    ok(sum == 201 * 55, "no pool is a plain loop");
}

static int each(lm_rec *r, void *ctx)
{
    unsigned *mine = lm_local(sizeof *mine, NULL);
    uint64_t i;

    (void)ctx;
    ++*mine;
    if (lm_get_u64(r, "i", &i) <= 0)
        return LM_EMISSING;
    if (i % 3 == 1) {
        lm_rec more = {0};

        lm_rec_new(&more, "b");
        lm_setf(&more, "of", "%llu", (unsigned long long)i);
        lm_add(r, &more);
        lm_rec_free(&more);
    }
    lm_setf(r, "twice", "%llu", (unsigned long long)i * 2);
    return i % 5 == 0 ? LM_DROP : LM_KEEP;
}

static int fails_late(lm_rec *r, void *ctx)
{
    uint64_t i;

    (void)ctx;
    if (lm_get_u64(r, "i", &i) <= 0)
        return LM_EMISSING;
    return i == 40000 ? lm_rec_fail(r, LM_EINVALID, "no") : LM_KEEP;
}

static int run_map(const char *from, const char *to, unsigned jobs, int (*f)(lm_rec *, void *))
{
    lm_in *in = lm_in_open(from, 0);
    lm_out *out = lm_out_open(to, 0);
    int err;

    lm_in_tie(in, out);
    err = lm_map(in, out, jobs, f, NULL);
    if (!err)
        err = lm_out_end(out);
    lm_in_close(in);
    lm_out_close(out);
    return err;
}

static int upper(lm_rec *r, void *ctx)
{
    lm_str was = r->body;
    char *p;

    (void)ctx;
    if (was.n % 3 == 0) /* passes as it was read */
        return LM_KEEP;
    p = lm_body_alloc(r, was.n);
    for (size_t i = 0; i < was.n; i++)
        p[i] = (char)(~was.p[i]);
    return LM_KEEP;
}

/* Bodies of none to 3 MB, most of them small, so that buffers end in each, with notes and segments.
 */
static void mixed_sizes(const char *in, const char *one, const char *many)
{
    lm_out *o = lm_out_open(in, 0);
    lm_rec r = {0};
    lm_buf a = {0}, b = {0};
    char *body = lm_alloc(3 << 20);
    uint64_t x = 1;

    for (size_t i = 0; i < 3 << 20; i++)
        body[i] = (char)(i * 7 + i / 251);
    for (int i = 0; i < 900; i++) {
        size_t top;

        x = x * 6364136223846793005u + 1442695040888963407u;
        top = i % 50 == 49 ? 3 << 20 : i % 10 == 9 ? 300 << 10 : 20 << 10;
        lm_rec_new(&r, "a");
        lm_setf(&r, "i", "%d", i);
        lm_body(&r, body, (size_t)((x >> 33) % top));
        lm_put(o, &r);
        if (i % 90 == 5)
            lm_out_note(o, LM_STR("%# a remark"));
        if (i % 200 == 100)
            lm_out_seg(o);
    }
    lm_rec_free(&r);
    ok(lm_out_end(o) == 0, "records of all sizes");
    lm_out_close(o);
    ok(run_map(in, one, 1, upper) == 0 && lm_read_file(one, &a, 1 << 28) == 0,
       "through one thread");
    for (unsigned jobs = 2; jobs <= 5; jobs++) {
        b.n = 0;
        ok(run_map(in, many, jobs, upper) == 0 && lm_read_file(many, &b, 1 << 28) == 0 &&
               lm_eq(lm_buf_str(&a), lm_buf_str(&b)),
           "through more: the same bytes");
    }
    free(body);
    lm_buf_free(&a);
    lm_buf_free(&b);
}

static int stub(lm_in *in, lm_out *out)
{
    (void)in;
    (void)out;
    return 0;
}

int main(void)
{
    static const lm_opt opts[] = {LM_COMMON, LM_END};
    static const lm_tool tool = {
        .name = "lm-unit", .does = "test", .types = "a", .opts = opts, .flags = LM_FOREIGN};
    static char zero[300], self[] = "lm-unit", quiet[] = "-q", *argv[] = {self, quiet, NULL};
    char dir[] = "/tmp/lm-par-XXXXXX", in[64], one[64], many[64];
    lm_rec r = {0};
    lm_out *o;
    lm_buf a = {0}, b = {0};

    pools();
    if (!mkdtemp(dir) || dup2(dup(1), 9) < 0 ||
        lm_main(2, argv, &tool, stub)) /* lm_map asks cli for the tool's types */
        return 1;
    if (dup2(9, 1) < 0) /* lm_main closed it */
        return 1;
    snprintf(in, sizeof in, "%s/in", dir);
    snprintf(one, sizeof one, "%s/one", dir);
    snprintf(many, sizeof many, "%s/many", dir);
    o = lm_out_open(in, 0);
    for (int i = 0; i < 50000; i++) {
        lm_rec_new(&r, i % 7 ? "a" : "zz");
        lm_setf(&r, "i", "%d", i);
        lm_body(&r, zero, (size_t)(i % 300));
        lm_put(o, &r);
    }
    lm_rec_free(&r);
    ok(lm_out_end(o) == 0, "50,000 records");
    lm_out_close(o);
    ok(run_map(in, one, 1, each) == 0 && lm_read_file(one, &a, 1 << 28) == 0, "through one thread");
    for (unsigned jobs = 2; jobs <= 7; jobs += 5) {
        b.n = 0;
        ok(run_map(in, many, jobs, each) == 0 && lm_read_file(many, &b, 1 << 28) == 0 &&
               lm_eq(lm_buf_str(&a), lm_buf_str(&b)),
           "through more: the same bytes");
    }
    ok(run_map(in, many, 3, fails_late) == LM_EINVALID && strstr(lm_last_error()->where, ":40000:"),
       "the error of a worker names its record");
    mixed_sizes(in, one, many);
    lm_buf_free(&a);
    lm_buf_free(&b);
    lm_rmtree(dir);
    return done();
}
