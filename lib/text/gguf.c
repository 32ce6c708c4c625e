/* gguf: reader over bytes in memory, every count and length checked before use; and the writer of
   everything that stands before the data. */
#include "text/gguf.h"

struct lm_gguf {
    lm_gg_key *key;
    lm_gg_tensor *tensor;
    uint64_t nkey, ntensor;
    lm_dict byname; /* key -> index */
};

/* What is left to read; why: the first thing that went wrong. */
typedef struct {
    const char *p;
    size_t n;
    const char *why;
    int err;
} cur;

static bool stop(cur *c, int err, const char *why)
{
    if (!c->err) {
        c->err = err;
        c->why = why;
    }
    return false;
}

static bool take(cur *c, void *to, size_t n)
{
    if (c->n < n)
        return stop(c, LM_ETRUNC, "the file ends inside its head");
    memcpy(to, c->p, n);
    c->p += n;
    c->n -= n;
    return true;
}

static bool take_u32(cur *c, uint32_t *v)
{
    return take(c, v, 4);
}
static bool take_u64(cur *c, uint64_t *v)
{
    return take(c, v, 8);
}

static bool take_str(cur *c, lm_str *s)
{
    uint64_t n;

    if (!take_u64(c, &n))
        return false;
    if (n > c->n)
        return stop(c, LM_ETRUNC, "a string is longer than the file");
    *s = (lm_str){c->p, n};
    c->p += n;
    c->n -= n;
    return true;
}

static const uint8_t value_size[LM_GG_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

/* The value of k->type; of an array its elements. */
static bool take_value(cur *c, lm_gg_key *k)
{
    uint32_t type;
    uint64_t bytes;
    const char *from;

    if (!take_u32(c, &type))
        return false;
    k->n = 1;
    k->type = (int)type;
    if (type == LM_GG_ARR) {
        if (!take_u32(c, &type) || !take_u64(c, &k->n))
            return false;
        if (type == LM_GG_ARR)
            return stop(c, LM_EINVALID, "an array of arrays: not supported");
    }
    if (type >= LM_GG_TYPES)
        return stop(c, LM_ECORRUPT, "a value of unknown type");
    k->elem = (int)type;
    from = c->p;
    if (type == LM_GG_STR) {
        lm_str s;

        if (k->n > c->n / 8)
            return stop(c, LM_ETRUNC, "an array is longer than the file");
        for (uint64_t i = 0; i < k->n; i++)
            if (!take_str(c, &s))
                return false;
    } else {
        if (k->n > c->n / value_size[type])
            return stop(c, LM_ETRUNC, "an array is longer than the file");
        bytes = k->n * value_size[type];
        if (type == LM_GG_BOOL)
            for (uint64_t i = 0; i < bytes; i++)
                if ((unsigned char)c->p[i] > 1)
                    return stop(c, LM_ECORRUPT, "a truth value other than 0 and 1");
        c->p += bytes;
        c->n -= bytes;
    }
    k->data = (lm_str){from, (size_t)(c->p - from)};
    return true;
}

static bool take_keys(cur *c, lm_gguf *g)
{
    if (g->nkey > c->n / 13) /* the least a key takes: length, type, one byte */
        return stop(c, LM_ETRUNC, "more keys than the file has room for");
    g->key = lm_zalloc(g->nkey + 1, sizeof *g->key);
    for (uint64_t i = 0; i < g->nkey; i++) {
        lm_gg_key *k = &g->key[i];

        if (!take_str(c, &k->key) || !take_value(c, k))
            return false;
        if (!k->key.n || *lm_dict_put(&g->byname, k->key, i) != i)
            return stop(c, LM_ECORRUPT, "a key is empty or given twice");
    }
    return true;
}

/* Elements and bytes of a block, by ggml's type numbers (its ggml-common.h); 0: none of that
 * number. */
static const struct {
    uint16_t n, bytes;
} block[] = {
    [0] = {1, 4},      [1] = {1, 2},      [2] = {32, 18},    [3] = {32, 20},    [6] = {32, 22},
    [7] = {32, 24},    [8] = {32, 34},    [9] = {32, 40},    [10] = {256, 84},  [11] = {256, 110},
    [12] = {256, 144}, [13] = {256, 176}, [14] = {256, 210}, [15] = {256, 292}, [16] = {256, 66},
    [17] = {256, 74},  [18] = {256, 98},  [19] = {256, 50},  [20] = {32, 18},   [21] = {256, 110},
    [22] = {256, 82},  [23] = {256, 136}, [24] = {1, 1},     [25] = {1, 2},     [26] = {1, 4},
    [27] = {1, 8},     [28] = {1, 8},     [29] = {256, 56},  [30] = {1, 2},     [34] = {256, 54},
    [35] = {256, 66},  [39] = {32, 17},   [40] = {64, 36},   [41] = {128, 18},
};

uint64_t lm_gg_bytes(uint32_t type, unsigned nd, const uint64_t *dim)
{
    size_t n;

    if (type >= LM_COUNT(block) || !block[type].n || !nd || nd > LM_GG_DIMS ||
        dim[0] % block[type].n)
        return 0;
    n = dim[0] / block[type].n;
    for (unsigned i = 1; i < nd; i++)
        if (!lm_mul_ok(n, dim[i], &n))
            return 0;
    return lm_mul_ok(n, block[type].bytes, &n) ? n : 0;
}

static bool take_tensors(cur *c, lm_gguf *g)
{
    lm_dict seen = {0};
    bool ok = true;

    if (g->ntensor > c->n / 24) /* name length, dimensions, type, offset */
        return stop(c, LM_ETRUNC, "more tensors than the file has room for");
    g->tensor = lm_zalloc(g->ntensor + 1, sizeof *g->tensor);
    for (uint64_t i = 0; i < g->ntensor && ok; i++) {
        lm_gg_tensor *t = &g->tensor[i];

        ok = take_str(c, &t->name) && take_u32(c, &t->nd);
        if (ok && (!t->nd || t->nd > LM_GG_DIMS))
            ok = stop(c, LM_ECORRUPT, "a tensor of no or more than four dimensions");
        for (unsigned k = 0; k < LM_GG_DIMS; k++) {
            t->dim[k] = 1;
            ok = ok && (k >= t->nd || take_u64(c, &t->dim[k]));
        }
        ok = ok && take_u32(c, &t->type) && take_u64(c, &t->off);
        if (ok && *lm_dict_put(&seen, t->name, i) != i)
            ok = stop(c, LM_ECORRUPT, "a tensor is given twice");
        if (ok && t->type < LM_COUNT(block) && block[t->type].n &&
            !(t->bytes = lm_gg_bytes(t->type, t->nd, t->dim)))
            ok = stop(c, LM_ECORRUPT, "a tensor of no whole number of blocks, or too large");
    }
    lm_dict_free(&seen);
    return ok;
}

/* Data begins on the next multiple of the alignment; offsets count from there. */
static bool place(cur *c, lm_gguf *g, size_t size)
{
    uint64_t align = LM_GG_ALIGN, pad;

    if (lm_gguf_u64(g, "general.alignment", &align) < 0 || align < 8 || align > 1 << 20 ||
        align & (align - 1))
        return stop(c, LM_ECORRUPT, "general.alignment is no power of two from 8 to 2^20");
    pad = -(uint64_t)(size - c->n) & (align - 1);
    if (!g->ntensor)
        return true;
    if (pad > c->n)
        return stop(c, LM_ETRUNC, "the file ends before its data");
    c->p += pad;
    c->n -= pad;
    for (uint64_t i = 0; i < g->ntensor; i++) {
        lm_gg_tensor *t = &g->tensor[i];

        if (t->off & (align - 1))
            return stop(c, LM_ECORRUPT, "a tensor is not aligned");
        if (t->off > c->n || t->bytes > c->n - t->off)
            return stop(c, LM_ETRUNC, "a tensor reaches beyond the end of the file");
        t->data = t->bytes ? c->p + t->off : NULL;
    }
    return true;
}

int lm_gguf_parse(lm_str file, const char *name, lm_gguf **out)
{
    cur c = {file.p, file.n, NULL, 0};
    lm_gguf *g;
    char magic[4];
    uint32_t version;

    *out = NULL;
    if (file.n < 4 || memcmp(file.p, "GGUF", 4))
        return lm_err_at(LM_EINVALID, name, "no GGUF file");
    if (!take(&c, magic, 4) || !take_u32(&c, &version))
        return lm_err_at(c.err, name, "%s", c.why);
    if (version != 2 && version != 3)
        return lm_err_at(LM_EVERSION, name, "GGUF version %u%s: 2 and 3 are read, little endian",
                         version,
                         version && !(version & 0xffff) ? ", as a big-endian file has" : "");
    g = lm_zalloc(1, sizeof *g);
    if (take_u64(&c, &g->ntensor) && take_u64(&c, &g->nkey) && take_keys(&c, g) &&
        take_tensors(&c, g) && place(&c, g, file.n)) {
        *out = g;
        return 0;
    }
    lm_gguf_free(g);
    return lm_err_at(c.err, name, "GGUF, byte %zu: %s", (size_t)(c.p - file.p), c.why);
}

void lm_gguf_free(lm_gguf *g)
{
    if (!g)
        return;
    free(g->key);
    free(g->tensor);
    lm_dict_free(&g->byname);
    free(g);
}

size_t lm_gguf_keys(const lm_gguf *g)
{
    return g->nkey;
}
const lm_gg_key *lm_gguf_key(const lm_gguf *g, size_t i)
{
    return &g->key[i];
}
size_t lm_gguf_tensors(const lm_gguf *g)
{
    return g->ntensor;
}
const lm_gg_tensor *lm_gguf_tensor(const lm_gguf *g, size_t i)
{
    return &g->tensor[i];
}

const lm_gg_key *lm_gguf_get(const lm_gguf *g, const char *key)
{
    const uint64_t *i = lm_dict_get(&g->byname, lm_cstr(key));

    return i ? &g->key[*i] : NULL;
}

bool lm_gg_next(lm_str *rest, lm_str *s)
{
    cur c = {rest->p, rest->n, NULL, 0};

    if (!take_str(&c, s))
        return false;
    *rest = (lm_str){c.p, c.n};
    return true;
}

int64_t lm_gg_int(const lm_gg_key *k, uint64_t i)
{
    size_t size = value_size[k->elem];
    uint64_t v = 0;
    bool sign = k->elem == LM_GG_I8 || k->elem == LM_GG_I16 || k->elem == LM_GG_I32;

    memcpy(&v, k->data.p + i * size, size);
    if (sign && v >> (8 * size - 1))
        v |= ~0ull << (8 * size);
    return (int64_t)v;
}

static int wrong(const char *key, const char *want)
{
    return lm_err(LM_EINVALID, "GGUF: %s is no %s", key, want);
}

int lm_gguf_str(const lm_gguf *g, const char *key, lm_str *v)
{
    const lm_gg_key *k = lm_gguf_get(g, key);
    lm_str rest;

    if (!k)
        return 0;
    if (k->type != LM_GG_STR)
        return wrong(key, "string");
    rest = k->data;
    return lm_gg_next(&rest, v);
}

int lm_gguf_u64(const lm_gguf *g, const char *key, uint64_t *v)
{
    const lm_gg_key *k = lm_gguf_get(g, key);
    bool whole;

    if (!k)
        return 0;
    whole = k->type <= LM_GG_I32 || k->type == LM_GG_U64 || k->type == LM_GG_I64;
    if (!whole || (k->type != LM_GG_U64 && lm_gg_int(k, 0) < 0))
        return wrong(key, "whole number");
    *v = (uint64_t)lm_gg_int(k, 0);
    return 1;
}

int lm_gguf_f64(const lm_gguf *g, const char *key, double *v)
{
    const lm_gg_key *k = lm_gguf_get(g, key);
    float f;

    if (!k)
        return 0;
    if (k->type == LM_GG_F32) {
        memcpy(&f, k->data.p, sizeof f);
        *v = f;
    } else if (k->type == LM_GG_F64) {
        memcpy(v, k->data.p, sizeof *v);
    } else {
        return wrong(key, "fraction");
    }
    return 1;
}

int lm_gguf_bool(const lm_gguf *g, const char *key, bool *v)
{
    const lm_gg_key *k = lm_gguf_get(g, key);

    if (!k)
        return 0;
    if (k->type != LM_GG_BOOL)
        return wrong(key, "truth value");
    *v = *k->data.p != 0;
    return 1;
}

int lm_gguf_arr(const lm_gguf *g, const char *key, int elem, const lm_gg_key **v)
{
    const lm_gg_key *k = lm_gguf_get(g, key);

    if (!k)
        return 0;
    if (k->type != LM_GG_ARR || k->elem != elem)
        return wrong(key,
                     elem == LM_GG_STR ? "array of strings" : "array of the type it must have");
    *v = k;
    return 1;
}

/* --- writing --- */

static void put_u32(lm_buf *b, uint32_t v)
{
    lm_buf_add(b, &v, 4);
}
static void put_u64(lm_buf *b, uint64_t v)
{
    lm_buf_add(b, &v, 8);
}

static void put_str(lm_buf *b, lm_str s)
{
    put_u64(b, s.n);
    lm_buf_add(b, s.p, s.n);
}

static void put_key(lm_ggw *w, const char *key, int type)
{
    put_str(&w->keys, lm_cstr(key));
    put_u32(&w->keys, (uint32_t)type);
    w->nkey++;
}

void lm_ggw_init(lm_ggw *w, uint64_t align)
{
    *w = (lm_ggw){.align = align};
    if (align != LM_GG_ALIGN)
        lm_ggw_u32(w, "general.alignment", (uint32_t)align);
}

void lm_ggw_free(lm_ggw *w)
{
    lm_buf_free(&w->keys);
    lm_buf_free(&w->tensors);
}

void lm_ggw_str(lm_ggw *w, const char *key, lm_str v)
{
    put_key(w, key, LM_GG_STR);
    put_str(&w->keys, v);
}

void lm_ggw_u32(lm_ggw *w, const char *key, uint32_t v)
{
    put_key(w, key, LM_GG_U32);
    put_u32(&w->keys, v);
}

void lm_ggw_i32(lm_ggw *w, const char *key, int32_t v)
{
    put_key(w, key, LM_GG_I32);
    lm_buf_add(&w->keys, &v, 4);
}

void lm_ggw_u64(lm_ggw *w, const char *key, uint64_t v)
{
    put_key(w, key, LM_GG_U64);
    put_u64(&w->keys, v);
}

void lm_ggw_f32(lm_ggw *w, const char *key, float v)
{
    put_key(w, key, LM_GG_F32);
    lm_buf_add(&w->keys, &v, 4);
}

void lm_ggw_bool(lm_ggw *w, const char *key, bool v)
{
    put_key(w, key, LM_GG_BOOL);
    lm_buf_addc(&w->keys, v);
}

void lm_ggw_arr(lm_ggw *w, const char *key, int elem, uint64_t n)
{
    put_key(w, key, LM_GG_ARR);
    put_u32(&w->keys, (uint32_t)elem);
    put_u64(&w->keys, n);
}

void lm_ggw_item(lm_ggw *w, lm_str s)
{
    put_str(&w->keys, s);
}

void lm_ggw_raw(lm_ggw *w, const void *p, size_t n)
{
    lm_buf_add(&w->keys, p, n);
}

size_t lm_ggw_pad(const lm_ggw *w, uint64_t bytes)
{
    return -bytes & (w->align - 1);
}

uint64_t lm_ggw_tensor(lm_ggw *w, lm_str name, uint32_t type, unsigned nd, const uint64_t *dim)
{
    uint64_t at = w->end, bytes = lm_gg_bytes(type, nd, dim);

    put_str(&w->tensors, name);
    put_u32(&w->tensors, nd);
    for (unsigned i = 0; i < nd; i++)
        put_u64(&w->tensors, dim[i]);
    put_u32(&w->tensors, type);
    put_u64(&w->tensors, at);
    w->ntensor++;
    w->end += bytes + lm_ggw_pad(w, bytes);
    return at;
}

void lm_ggw_head(const lm_ggw *w, lm_buf *out)
{
    size_t from = out->n;

    lm_buf_adds(out, "GGUF");
    put_u32(out, 3);
    put_u64(out, w->ntensor);
    put_u64(out, w->nkey);
    lm_buf_add(out, w->keys.p, w->keys.n);
    lm_buf_add(out, w->tensors.p, w->tensors.n);
    for (size_t n = lm_ggw_pad(w, out->n - from); n; n--)
        lm_buf_addc(out, 0);
}
