/* st: safetensors: u64 length of the head, a JSON head, then the tensors' bytes without a hole.
   The head of a file is hostile: nothing in it is believed before it is checked. */
#include "nn/st.h"
#include "base/json.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { HEAD_MAX = 100 << 20 }; /* as the format's own reader */

struct lm_st {
    lm_str map, own; /* own: to unmap at the end */
    char *path;      /* of the file; NULL: from memory */
    json_t *head;
    lm_st_tensor *t;
    size_t n;
    lm_dict names; /* name -> index */
};

void lm_st_close(lm_st *st)
{
    if (!st)
        return;
    lm_dict_free(&st->names);
    json_decref(st->head);
    free(st->t);
    if (st->own.p)
        lm_munmap_file(st->own);
    free(st->path);
    free(st);
}

static int dt_of(lm_str s)
{
    for (int i = 0; i < LM_NDT; i++)
        if (lm_is(s, lm_dtype_name(i)))
            return i;
    return -1;
}

/* Offsets of t relative to the data; *from and *to. */
static int read_tensor(lm_st_tensor *t, const char *name, json_t *o, uint64_t *from, uint64_t *to)
{
    json_t *shape = NULL, *off = NULL;
    lm_str s = {0, 0};
    size_t count = 1, bytes;

    t->name = name;
    if (!json_is_object(o))
        return lm_err(LM_ECORRUPT, "tensor %.80s: not an object", name);
    if (lm_json_str(o, "dtype", &s) != 1 || lm_json_arr(o, "shape", &shape) != 1 ||
        lm_json_arr(o, "data_offsets", &off) != 1 || json_object_size(o) != 3)
        return lm_err(LM_ECORRUPT, "tensor %.80s: wants dtype, shape and data_offsets", name);
    if ((t->dt = dt_of(s)) < 0)
        return lm_err(LM_ECORRUPT, "tensor %.80s: unknown dtype %.*s", name,
                      (int)(s.n < 20 ? s.n : 20), s.p);
    if (json_array_size(shape) > LM_COUNT(t->dim))
        return lm_err(LM_ECORRUPT, "tensor %.80s: more than %zu dimensions", name,
                      LM_COUNT(t->dim));
    t->nd = (int)json_array_size(shape);
    for (int i = 0; i < t->nd; i++) {
        json_t *d = json_array_get(shape, (size_t)i);

        if (!json_is_integer(d) || json_integer_value(d) < 0)
            return lm_err(LM_ECORRUPT, "tensor %.80s: bad shape", name);
        t->dim[i] = (uint64_t)json_integer_value(d);
        if (!lm_mul_ok(count, t->dim[i], &count))
            return lm_err(LM_ECORRUPT, "tensor %.80s: shape overflows", name);
    }
    if (!lm_mul_ok(count, lm_dtype_size(t->dt), &bytes))
        return lm_err(LM_ECORRUPT, "tensor %.80s: shape overflows", name);
    if (json_array_size(off) != 2 || !json_is_integer(json_array_get(off, 0)) ||
        !json_is_integer(json_array_get(off, 1)))
        return lm_err(LM_ECORRUPT, "tensor %.80s: bad data_offsets", name);
    *from = (uint64_t)json_integer_value(json_array_get(off, 0));
    *to = (uint64_t)json_integer_value(json_array_get(off, 1));
    t->count = count;
    t->bytes = bytes;
    if (*from > *to || *to - *from != bytes)
        return lm_err(LM_ECORRUPT, "tensor %.80s: data_offsets do not fit dtype and shape", name);
    return 0;
}

static int by_data(const void *a, const void *b)
{
    const lm_st_tensor *x = a, *y = b;

    if (x->data != y->data)
        return (const char *)x->data < (const char *)y->data ? -1 : 1;
    if (x->bytes != y->bytes) /* empty tensors before the one that begins where they lie */
        return x->bytes < y->bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

static int read_head(lm_st *st, const char *base, uint64_t room)
{
    const char *name;
    json_t *o;
    uint64_t at = 0;

    st->t = lm_zalloc(json_object_size(st->head) + 1, sizeof *st->t);
    json_object_foreach (st->head, name, o) {
        uint64_t from = 0, to = 0;
        const char *k;
        json_t *v;

        if (!strcmp(name, "__metadata__")) {
            if (!json_is_object(o))
                return lm_err(LM_ECORRUPT, "__metadata__ is not an object");
            json_object_foreach (o, k, v)
                if (!json_is_string(v))
                    return lm_err(LM_ECORRUPT, "__metadata__ holds something that is no string");
            continue;
        }
        if (read_tensor(&st->t[st->n], name, o, &from, &to) < 0)
            return LM_ECORRUPT;
        if (to > room)
            return lm_err(LM_ETRUNC, "tensor %.80s ends %llu bytes behind the file", name,
                          (unsigned long long)(to - room));
        st->t[st->n++].data = base + from;
    }
    qsort(st->t, st->n, sizeof *st->t, by_data);
    for (size_t i = 0; i < st->n; i++) {
        if ((const char *)st->t[i].data != base + at)
            return lm_err(LM_ECORRUPT, "tensor %.80s: %s", st->t[i].name,
                          (const char *)st->t[i].data < base + at ? "overlaps another"
                                                                  : "a hole before its data");
        at += st->t[i].bytes;
        lm_dict_put(&st->names, lm_cstr(st->t[i].name), i);
    }
    if (at != room)
        return lm_err(LM_ECORRUPT, "%llu bytes behind the last tensor",
                      (unsigned long long)(room - at));
    return 0;
}

int lm_st_parse(lm_st **out, lm_str b, const char *where)
{
    return lm_st_head(out, b, b.n, where);
}

int lm_st_head(lm_st **out, lm_str b, uint64_t size, const char *where)
{
    lm_st *st = lm_zalloc(1, sizeof *st);
    uint64_t n = 0;
    int err = 0;

    st->map = b;
    *out = NULL;
    for (size_t i = 0; i < 8 && b.n >= 8; i++)
        n |= (uint64_t)(unsigned char)b.p[i] << 8 * i;
    if (b.n < 8)
        err = lm_err(LM_ETRUNC, "shorter than its 8-byte length");
    else if (n > HEAD_MAX)
        err = lm_err(b.p[0] == '{' ? LM_ECORRUPT : LM_ELIMIT, "head of %llu bytes, at most %d",
                     (unsigned long long)n, HEAD_MAX);
    else if (n > b.n - 8)
        err = lm_err(LM_ETRUNC, "head of %llu bytes is cut", (unsigned long long)n);
    else if (!n || b.p[8] != '{')
        err = lm_err(LM_ECORRUPT, "head is not a JSON object");
    else if ((err = lm_json_parse((lm_str){b.p + 8, n}, &st->head)) < 0)
        lm_last_error()->err = err = LM_ECORRUPT;
    else
        err = read_head(st, b.p + 8 + n, size - 8 - n);
    if (err < 0) {
        snprintf(lm_last_error()->where, sizeof lm_last_error()->where, "%s", where);
        lm_st_close(st);
        return err;
    }
    *out = st;
    return 0;
}

int lm_st_open(lm_st **st, const char *path)
{
    lm_str m;
    int err = lm_mmap_file(path, &m);

    *st = NULL;
    if (err < 0)
        return err;
    err = lm_st_parse(st, m, path);
    if (err < 0) {
        if (m.p)
            lm_munmap_file(m);
        return err;
    }
    (*st)->own = m;
    (*st)->path = lm_strdup(path);
    return 0;
}

const char *lm_st_path(const lm_st *st)
{
    return st->path;
}

/* The files that an index names, each once, in its order. */
static int by_index(lm_st ***v, size_t *n, const char *dir, const char *index)
{
    json_t *ix = NULL, *map, *file;
    const char *tensor;
    lm_dict seen = {0};
    lm_buf path = {0};
    size_t cap = 0;
    int err = lm_json_read(index, 64 << 20, &ix);

    if (!err && lm_json_obj(ix, "weight_map", &map) != 1)
        err = lm_err_at(LM_EINVALID, index, "no weight_map");
    if (!err)
        json_object_foreach (map, tensor, file) {
            lm_str s = lm_json_text(file);

            if (!s.p || memchr(s.p, '/', s.n)) {
                err = lm_err_at(LM_EINVALID, index, "%.80s: no file name", tensor);
                break;
            }
            if ((*lm_dict_put(&seen, s, 0))++)
                continue;
            LM_GROW(*v, *n, cap);
            path.n = 0;
            lm_buf_addf(&path, "%s/%.*s", dir, (int)s.n, s.p);
            if ((err = lm_st_open(&(*v)[*n], path.p)) < 0)
                break;
            ++*n;
        }
    lm_dict_free(&seen);
    lm_buf_free(&path);
    json_decref(ix);
    return err;
}

static int no_twins(lm_st *const *v, size_t n, const char *dir)
{
    for (size_t f = 1; f < n; f++)
        for (size_t i = 0; i < v[f]->n; i++)
            for (size_t g = 0; g < f; g++)
                if (lm_st_find(v[g], v[f]->t[i].name))
                    return lm_err_at(LM_ECORRUPT, dir, "tensor %.80s is in two files",
                                     v[f]->t[i].name);
    return 0;
}

int lm_st_open_model(lm_st ***v, size_t *n, const char *dir)
{
    lm_buf path = {0};
    int err;

    *v = NULL;
    *n = 0;
    lm_buf_addf(&path, "%s/model.safetensors.index.json", dir);
    if (!access(path.p, F_OK)) {
        err = by_index(v, n, dir, path.p);
        if (!err)
            err = no_twins(*v, *n, dir);
    } else {
        path.n = 0;
        lm_buf_addf(&path, "%s/model.safetensors", dir);
        *v = lm_zalloc(1, sizeof **v);
        err = lm_st_open(&(*v)[0], path.p);
        *n = !err;
    }
    for (size_t i = 0; err && i < *n; i++)
        lm_st_close((*v)[i]);
    if (err) {
        free(*v);
        *v = NULL;
        *n = 0;
    }
    lm_buf_free(&path);
    return err;
}

size_t lm_st_count(const lm_st *st)
{
    return st->n;
}

const lm_st_tensor *lm_st_at(const lm_st *st, size_t i)
{
    return i < st->n ? &st->t[i] : NULL;
}

const lm_st_tensor *lm_st_find(const lm_st *st, const char *name)
{
    uint64_t *i = lm_dict_get(&st->names, lm_cstr(name));

    return i ? &st->t[*i] : NULL;
}

uint64_t lm_st_offset(const lm_st *st, const lm_st_tensor *t)
{
    return (uint64_t)((const char *)t->data - st->map.p);
}

const char *lm_st_meta(const lm_st *st, const char *key)
{
    return json_string_value(json_object_get(json_object_get(st->head, "__metadata__"), key));
}
