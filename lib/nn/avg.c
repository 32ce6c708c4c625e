/* avg: weighted sums of mapped models, written in one pass. */
#include "nn/avg.h"
#include "nn/ckpt.h"
#include "nn/numeric.h"
#include "base/json.h"
#include "stream/stream.h"
#include <math.h>

enum { PIECE = 2048, BLOCK = 32 * PIECE, ATONCE = 16 }; /* 1 Mi values in memory */

typedef struct {
    const char *const *dir;
    size_t n;
    const double *w;
    double div;
    lm_st ***file; /* of each directory */
    size_t *nfile;
    const lm_st_tensor **src; /* one tensor, of each directory */
    uint64_t at, to;          /* the values of it that are being made */
    char *made;
    atomic_bool wild; /* a value is not finite */
} job;

static const lm_st_tensor *find(const job *j, size_t i, const char *name)
{
    const lm_st_tensor *t = NULL;

    for (size_t f = 0; f < j->nfile[i] && !t; f++)
        t = lm_st_find(j->file[i][f], name);
    return t;
}

/* The same tensor of all, as that of the first. */
static int gather(job *j, const lm_st_tensor *t)
{
    for (size_t i = 0; i < j->n; i++) {
        const lm_st_tensor *u = j->src[i] = find(j, i, t->name);

        if (!u)
            return lm_err_at(LM_EMISMATCH, j->dir[i], "tensor %.200s is missing, which %s has",
                             t->name, j->dir[0]);
        if (u->nd != t->nd || memcmp(u->dim, t->dim, (size_t)t->nd * sizeof *t->dim))
            return lm_err_at(LM_EMISMATCH, j->dir[i], "tensor %.200s has another shape than in %s",
                             t->name, j->dir[0]);
        if (u->dt != t->dt)
            return lm_err_at(LM_EMISMATCH, j->dir[i], "tensor %.200s is %s, but %s in %s", t->name,
                             lm_dtype_name(u->dt), lm_dtype_name(t->dt), j->dir[0]);
        if (!lm_dtype_float(t->dt) && memcmp(u->data, t->data, t->bytes))
            return lm_err_at(LM_EMISMATCH, j->dir[i],
                             "tensor %.200s holds other whole numbers than in %s", t->name,
                             j->dir[0]);
    }
    return 0;
}

/* All tensors have a counterpart everywhere; nobody has one more. */
static int match(job *j)
{
    const lm_st_tensor *t;
    int err = 0;

    for (size_t i = 0; i < j->n; i++)
        for (size_t f = 0; f < j->nfile[i]; f++)
            for (size_t k = 0; (t = lm_st_at(j->file[i][f], k)) && !err; k++)
                if (!i)
                    err = gather(j, t);
                else if (!find(j, 0, t->name))
                    err = lm_err_at(LM_EMISMATCH, j->dir[i], "tensor %.200s is missing in %s",
                                    t->name, j->dir[0]);
    return err;
}

/* Keys that change nothing a model computes. */
static bool free_key(const char *key)
{
    static const char *const name[] = {"_name_or_path", "transformers_version", "torch_dtype",
                                       "dtype", "use_cache"};

    for (size_t i = 0; i < LM_COUNT(name); i++)
        if (!strcmp(key, name[i]))
            return true;
    return false;
}

static int same_keys(const json_t *a, const json_t *b, const char *dir, const char *first)
{
    json_t *v;
    const char *key;

    json_object_foreach ((json_t *)(uintptr_t)a, key, v)
        if (!free_key(key) && !json_equal(v, json_object_get(b, key)))
            return lm_err_at(LM_EMISMATCH, dir, "%.80s of config.json differs from that of %s", key,
                             first);
    return 0;
}

static int configurations(const job *j)
{
    json_t *first = NULL, *other;
    char hash[2][33] = {"", ""};
    int err = 0;

    for (size_t i = 0; i < j->n && err >= 0; i++) {
        lm_buf path = {0};

        other = NULL;
        lm_buf_addf(&path, "%s/config.json", j->dir[i]);
        err = lm_json_read(path.p, 1 << 20, &other);
        if (err >= 0 && !json_is_object(other))
            err = lm_err_at(LM_EINVALID, path.p, "not an object");
        if (err >= 0 && i)
            err = same_keys(other, first, j->dir[i], j->dir[0]);
        if (err >= 0 && i)
            err = same_keys(first, other, j->dir[i], j->dir[0]);
        if (err >= 0)
            err = lm_tokenizer_hash(j->dir[i], hash[i > 0]);
        if (err >= 0 && i && strcmp(hash[0], err == LM_NO ? "" : hash[1]))
            err =
                lm_err_at(LM_EMISMATCH, j->dir[i], "another vocabulary than that of %s", j->dir[0]);
        if (!i)
            first = other;
        else
            json_decref(other);
        lm_buf_free(&path);
    }
    json_decref(first);
    return err < 0 ? err : 0;
}

static void block(void *ctx, size_t i, unsigned thread)
{
    job *j = ctx;
    int dt = j->src[0]->dt;
    size_t size = lm_dtype_size(dt);
    uint64_t from = j->at + i * BLOCK, to = j->to - from < BLOCK ? j->to : from + BLOCK;
    double x[PIECE], sum[PIECE];

    (void)thread;
    for (uint64_t at = from; at < to; at += PIECE) {
        size_t n = to - at < PIECE ? (size_t)(to - at) : PIECE;
        bool wild = false;

        for (size_t k = 0; k < j->n; k++) {
            lm_wide_f64(dt, (const char *)j->src[k]->data + at * size, n, x);
            for (size_t e = 0; e < n; e++)
                sum[e] = k ? sum[e] + j->w[k] * x[e] : j->w[k] * x[e];
        }
        for (size_t e = 0; e < n; e++)
            sum[e] /= j->div;
        lm_narrow_f64(dt, sum, n, j->made + (at - j->at) * size);
        lm_wide_f64(dt, j->made + (at - j->at) * size, n, x);
        for (size_t e = 0; e < n; e++)
            wild = wild || !isfinite(x[e]);
        if (wild)
            atomic_store(&j->wild, true);
    }
}

static int put(job *j, const lm_st_tensor *t, lm_st_out *o, lm_pool *pool)
{
    int err = gather(j, t);

    if (!err && !lm_dtype_float(t->dt))
        return lm_st_put(o, t->data, t->bytes);
    for (j->at = 0; !err && j->at < t->count; j->at = j->to) {
        j->to = t->count - j->at < ATONCE * BLOCK ? t->count : j->at + ATONCE * BLOCK;
        lm_pool_run(pool, (size_t)((j->to - j->at + BLOCK - 1) / BLOCK), block, j);
        err = atomic_load(&j->wild)
                  ? lm_err(LM_EINVALID, "tensor %.200s: a mean that is not finite", t->name)
                  : lm_st_put(o, j->made, (j->to - j->at) * lm_dtype_size(t->dt));
    }
    return err;
}

static int write_weights(job *j, const char *dir, lm_pool *pool)
{
    lm_st_tensor *t;
    lm_buf path = {0};
    lm_st_out *o;
    size_t n = 0;
    int err;

    for (size_t f = 0; f < j->nfile[0]; f++)
        n += lm_st_count(j->file[0][f]);
    t = lm_zalloc(n + 1, sizeof *t);
    n = 0;
    for (size_t f = 0; f < j->nfile[0]; f++)
        for (size_t i = 0; i < lm_st_count(j->file[0][f]); i++)
            t[n++] = *lm_st_at(j->file[0][f], i);
    j->made = lm_alloc((size_t)ATONCE * BLOCK * sizeof(double));
    lm_buf_addf(&path, "%s/model.safetensors", dir);
    err = lm_st_create(&o, path.p, t, n, NULL);
    if (!err) {
        for (size_t i = 0; i < n && !err; i++)
            err = put(j, &t[i], o, pool);
        if (err)
            lm_st_drop(o);
        else
            err = lm_st_done(o);
    }
    lm_buf_free(&path);
    free(j->made);
    free(t);
    return err;
}

static int write_model(job *j, const char *out, lm_pool *pool)
{
    lm_aside *a = lm_aside_dir(out);
    int err;

    if (!a)
        return LM_EIO;
    err = lm_beside_copy(j->dir[0], lm_aside_path(a));
    if (!err)
        err = write_weights(j, lm_aside_path(a), pool);
    if (!err)
        err = lm_manifest_write(lm_aside_path(a));
    if (!err)
        return lm_aside_commit(a);
    lm_aside_drop(a);
    return err;
}

int lm_model_average(const char *const *dir, size_t n, const double *w, double div, const char *out,
                     lm_pool *pool)
{
    job j = {.dir = dir, .n = n, .w = w, .div = div};
    int err = 0;

    j.file = lm_zalloc(n, sizeof *j.file);
    j.nfile = lm_zalloc(n, sizeof *j.nfile);
    j.src = lm_zalloc(n, sizeof *j.src);
    for (size_t i = 0; !err && i < n; i++)
        err = lm_st_open_model(&j.file[i], &j.nfile[i], dir[i]);
    if (!err && !(err = configurations(&j)) && !(err = match(&j)))
        err = write_model(&j, out, pool);
    for (size_t i = 0; i < n; i++) {
        for (size_t f = 0; f < j.nfile[i]; f++)
            lm_st_close(j.file[i][f]);
        free(j.file[i]);
    }
    free(j.file);
    free(j.nfile);
    free(j.src);
    return err;
}
