/* foreign-mdsin: reads a column of ids from MosaicML Streaming's data sets: bytes, or arrays whose
   type and shape stand in the encoding or before each array. Shards in zstd, gzip or bzip2 are
   undone to a file without a name. */
#include "nn/foreign-priv.h"
#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 1 << 20 }; /* of a compressed shard, bytes undone at once */

typedef struct {
    size_t n, ours; /* columns; which one is read */
    uint64_t *size; /* of each, 0: in the sample */
    bool array, typed, shaped;
    lm_elem e;
    uint64_t len; /* ids a sample, where shaped */
} layout;

static bool type_of(lm_str s, lm_elem *e)
{
    static const struct {
        const char *name;
        lm_elem e;
    } known[] = {{"uint8", {1, false}},  {"int8", {1, true}},    {"uint16", {2, false}},
                 {"int16", {2, true}},   {"uint32", {4, false}}, {"int32", {4, true}},
                 {"uint64", {8, false}}, {"int64", {8, true}}};

    for (size_t i = 0; i < LM_COUNT(known); i++)
        if (lm_is(s, known[i].name)) {
            *e = known[i].e;
            return true;
        }
    return false;
}

/* bytes, ndarray, ndarray:TYPE, ndarray:TYPE:N */
static int encoding(const lm_importer *m, const char *where, lm_str enc, layout *l)
{
    lm_str rest, type;
    const char *colon;

    if (lm_is(enc, "bytes")) {
        l->e = lm_elem_of(m);
        return 0;
    }
    if (enc.n < 7 || memcmp(enc.p, "ndarray", 7) || (enc.n > 7 && enc.p[7] != ':'))
        return lm_err_at(LM_EINVALID, where, "column %s is of encoding %.*s: not ids", m->column,
                         (int)(enc.n < 60 ? enc.n : 60), enc.p);
    l->array = true;
    if (enc.n <= 8)
        return 0;
    rest = (lm_str){enc.p + 8, enc.n - 8};
    colon = memchr(rest.p, ':', rest.n);
    type = (lm_str){rest.p, colon ? (size_t)(colon - rest.p) : rest.n};
    if (!type_of(type, &l->e))
        return lm_err_at(LM_EINVALID, where, "column %s has arrays of %.*s: not ids", m->column,
                         (int)(type.n < 60 ? type.n : 60), type.p);
    l->typed = true;
    if (!colon)
        return 0;
    rest = (lm_str){colon + 1, rest.n - type.n - 1};
    if (memchr(rest.p, ',', rest.n))
        return lm_err_at(LM_EINVALID, where,
                         "column %s has arrays of shape %.*s: one dimension is read", m->column,
                         (int)(rest.n < 60 ? rest.n : 60), rest.p);
    if (!lm_parse_u64(rest, &l->len) || !l->len || l->len > UINT32_MAX)
        return lm_err_at(LM_EINVALID, where, "column %s has arrays of no known length", m->column);
    l->shaped = true;
    return 0;
}

static int need_arr(const json_t *shard, const char *key, const char *where, json_t **v)
{
    if (lm_json_arr(shard, key, v) == 1)
        return 0;
    return lm_err_at(LM_EINVALID, where, "a shard without the list %s", key);
}

/* Finds the column and the sizes of those before it. */
static int columns(const lm_importer *m, const json_t *shard, const char *where, layout *l)
{
    json_t *name, *enc, *size;
    size_t i;
    int err;

    if ((err = need_arr(shard, "column_names", where, &name)) ||
        (err = need_arr(shard, "column_encodings", where, &enc)) ||
        (err = need_arr(shard, "column_sizes", where, &size)))
        return err;
    if (json_array_size(name) != json_array_size(enc) ||
        json_array_size(name) != json_array_size(size))
        return lm_err_at(LM_EINVALID, where, "lists of columns of unequal length");
    for (i = 0; i < json_array_size(name); i++)
        if (lm_is(lm_json_text(json_array_get(name, i)), m->column))
            break;
    if (i == json_array_size(name)) {
        lm_buf b = {0};

        for (size_t k = 0; k < i && k < 16; k++) {
            lm_str s = lm_json_text(json_array_get(name, k));

            lm_buf_addf(&b, " %.*s", (int)(s.n < 40 ? s.n : 40), s.p ? s.p : "");
        }
        err = lm_err_at(LM_EMISSING, where, "no column %s (--column), but%s", m->column,
                        b.n ? b.p : " none");
        lm_buf_free(&b);
        return err;
    }
    if ((err = encoding(m, where, lm_json_text(json_array_get(enc, i)), l)))
        return err;
    l->n = json_array_size(name);
    l->size = lm_zalloc(l->n, sizeof *l->size);
    for (size_t k = 0; k < l->n; k++) {
        const json_t *v = json_array_get(size, k);

        if (!json_is_null(v) && (!json_is_integer(v) || json_integer_value(v) < 0))
            return lm_err_at(LM_EINVALID, where, "column_sizes holds neither a size nor null");
        l->size[k] = json_is_null(v) ? 0 : (uint64_t)json_integer_value(v);
        if (l->size[k] > UINT32_MAX)
            return lm_err_at(LM_EINVALID, where, "column_sizes holds a size beyond 32 bits");
    }
    l->ours = i;
    if (l->array && l->shaped && l->typed && l->size[i] != l->len * l->e.size)
        return lm_err_at(LM_EINVALID, where, "column %s: size %" PRIu64 " is not that of its shape",
                         m->column, l->size[i]);
    return 0;
}

/* --- samples */

/* The ids of an array with a head of its own: type, number of dimensions and width of their sizes,
 * sizes. */
static int array(lm_fin *f, const layout *l, uint64_t at, uint64_t n)
{
    static const struct {
        uint8_t code;
        lm_elem e;
    } known[] = {{8, {1, false}},  {9, {1, true}},  {16, {2, false}}, {17, {2, true}},
                 {32, {4, false}}, {33, {4, true}}, {64, {8, false}}, {65, {8, true}}};
    const uint8_t *p = (const uint8_t *)f->map.p + at, *end = p + n;
    uint64_t len = l->len;
    lm_elem e = l->e;

    if (!l->typed) {
        size_t i = 0;

        while (p < end && i < LM_COUNT(known) && known[i].code != *p)
            i++;
        if (p == end || i == LM_COUNT(known))
            return lm_fin_bad(f, at, LM_EINVALID, "an array of type %d: not ids",
                              p < end ? *p : -1);
        e = known[i].e;
        p++;
    }
    if (!l->shaped) {
        unsigned dims = p < end ? *p >> 2 : 0, width = p < end ? 1u << (*p & 3) : 0;

        if (dims != 1)
            return lm_fin_bad(f, at, LM_EINVALID, "an array of %u dimensions: one is read", dims);
        if ((uint64_t)(end - ++p) < width)
            return lm_fin_bad(f, at, LM_ECORRUPT, "an array cut in its shape");
        len = 0;
        for (unsigned i = 0; i < width; i++)
            len |= (uint64_t)p[i] << 8 * i;
        p += width;
    }
    if (len > (uint64_t)(end - p) / e.size || len * e.size != (uint64_t)(end - p))
        return lm_fin_bad(f, at, LM_ECORRUPT, "an array of %" PRIu64 " ids in %zu bytes", len,
                          (size_t)(end - p));
    return lm_fin_put(f, (uint64_t)(p - (const uint8_t *)f->map.p), len, e, l->shaped ? len : 0,
                      NULL);
}

/* The sample at bytes [at, end): sizes of the columns that have none, then the columns. */
static int sample(lm_fin *f, const layout *l, uint64_t at, uint64_t end)
{
    uint64_t words = 0, skip = 0, n = 0, w = at;

    for (size_t i = 0; i < l->n; i++)
        words += l->size[i] ? 0 : 4;
    if (words > end - at)
        return lm_fin_bad(f, at, LM_ECORRUPT,
                          "a sample of %" PRIu64 " bytes, too short for its sizes", end - at);
    for (size_t i = 0; i <= l->ours; i++) {
        skip += n;
        n = l->size[i];
        if (!n) {
            n = lm_load32(f->map.p + w);
            w += 4;
        }
    }
    if (skip > end - at - words || n > end - at - words - skip)
        return lm_fin_bad(f, at, LM_ECORRUPT, "a column that ends behind its sample");
    at += words + skip;
    if (l->array)
        return array(f, l, at, n);
    if (n % l->e.size)
        return lm_fin_bad(f, at, LM_EINVALID, "%" PRIu64 " bytes are no ids of %u (--dtype)", n,
                          l->e.size);
    return lm_fin_put(f, at, n / l->e.size, l->e, 0, NULL);
}

static int samples(lm_fin *f, const layout *l, uint64_t want)
{
    uint64_t n = f->map.n < 4 ? 0 : lm_load32(f->map.p), head = 4 + 4 * (n + 1), at = head;
    int err = 0;

    if (f->map.n < 8 || head > f->map.n)
        return lm_fin_bad(f, f->map.n, LM_ETRUNC, "cut in the offsets of %" PRIu64 " samples", n);
    if (n != want)
        return lm_fin_bad(f, 0, LM_EMISMATCH,
                          "%" PRIu64 " samples, but index.json tells of %" PRIu64, n, want);
    for (uint64_t i = 0; i <= n; i++) { /* all of them before the first sample is given out */
        uint64_t to = lm_load32(f->map.p + 4 + 4 * i);

        if (to < at || to > f->map.n)
            return lm_fin_bad(f, 4 + 4 * i, LM_ECORRUPT,
                              "offset %" PRIu64 " of %zu bytes, behind %" PRIu64, to, f->map.n, at);
        at = to;
    }
    if (at != f->map.n)
        return lm_fin_bad(f, at, LM_ECORRUPT, "more bytes than its offsets tell of");
    for (uint64_t i = 0; !err && i < n; i++)
        err = sample(f, l, lm_load32(f->map.p + 4 + 4 * i), lm_load32(f->map.p + 8 + 4 * i));
    return err;
}

/* --- shards */

/* Opens DIR/NAME of so many bytes; a name may lead below DIR, as in merged indexes, and nowhere
 * else. */
static int place(lm_buf *path, const char *dir, const char *where, const json_t *info,
                 uint64_t *bytes)
{
    lm_str name = {0};

    if (lm_json_str(info, "basename", &name) != 1 || lm_json_u64(info, "bytes", bytes) != 1)
        return lm_err_at(LM_EINVALID, where, "a shard without basename and bytes");
    path->n = 0;
    lm_buf_addf(path, "%s/", dir);
    lm_buf_add(path, name.p, name.n);
    for (size_t i = 0, b = 0; i <= name.n; i++)
        if (i == name.n || name.p[i] == '/') {
            lm_str part = {name.p + b, i - b};

            if (!part.n || lm_is(part, "..") || memchr(part.p, 0, part.n))
                return lm_err_at(LM_EINVALID, where, "a shard whose name leads out of the folder");
            b = i + 1;
        }
    return 0;
}

/* NAME or NAME:LEVEL: its number with libarchive, -1 of none that is undone. */
static int filter(lm_str how)
{
    static const struct {
        const char *name;
        int code;
    } known[] = {{"zstd", ARCHIVE_FILTER_ZSTD},
                 {"gz", ARCHIVE_FILTER_GZIP},
                 {"bz2", ARCHIVE_FILTER_BZIP2}};
    const char *colon = how.n ? memchr(how.p, ':', how.n) : NULL;

    if (colon)
        how.n = (size_t)(colon - how.p);
    for (size_t i = 0; i < LM_COUNT(known); i++)
        if (lm_is(how, known[i].name))
            return known[i].code;
    return -1;
}

/* What a compressed shard holds. Not lm_source, which undoes what the bytes look like: a shard
   begins with a number, which may look like anything. */
static int undo(lm_fin *f, const lm_importer *m, const char *path, int code, uint64_t bytes)
{
    struct archive *a = archive_read_new();
    struct archive_entry *e;
    char *buf = lm_alloc(BLOCK);
    struct stat st = {0};
    uint64_t all = 0;
    la_ssize_t n = 0;
    int err = lm_fin_aside(f, m, path);

    if (!err && stat(path, &st))
        err = lm_err_sys(path, "cannot open");
    if (!err && (archive_read_append_filter(a, code) < ARCHIVE_WARN ||
                 archive_read_support_format_raw(a) != ARCHIVE_OK ||
                 archive_read_open_filename(a, path, BLOCK) != ARCHIVE_OK ||
                 archive_read_next_header(a, &e) != ARCHIVE_OK))
        n = -1;
    while (!err && n >= 0 && (n = archive_read_data(a, buf, BLOCK)) > 0) {
        all += (uint64_t)n;
        if (all > bytes)
            err = lm_fin_bad(f, 0, LM_EMISMATCH,
                             "more than the %" PRIu64 " bytes index.json tells of", bytes);
        else if (all > 16 << 20 && all / m->max_ratio > (uint64_t)st.st_size)
            err = lm_fin_bad(f, 0, LM_ELIMIT, "more bytes out than --max-ratio %" PRIu64 " allows",
                             m->max_ratio);
        else
            err = lm_fin_add(f, buf, (size_t)n);
    }
    if (!err && n < 0)
        err = lm_fin_bad(f, 0, LM_EINVALID, "%s",
                         archive_error_string(a) ? archive_error_string(a) : "damaged");
    archive_read_free(a);
    free(buf);
    return err ? err : lm_fin_map(f);
}

static int open_shard(lm_fin *f, const lm_importer *m, const char *dir, const char *where,
                      const json_t *shard, lm_buf *path)
{
    json_t *raw = NULL, *zip = NULL;
    lm_str how = {0};
    uint64_t bytes, packed;
    int code, err;

    if (lm_json_obj(shard, "raw_data", &raw) != 1)
        return lm_err_at(LM_EINVALID, where, "a shard without raw_data");
    if ((err = place(path, dir, where, raw, &bytes)))
        return err;
    if (lm_json_obj(shard, "zip_data", &zip) == 1 && access(path->p, F_OK)) {
        (void)lm_json_str(shard, "compression", &how);
        if ((err = place(path, dir, where, zip, &packed)))
            return err;
        if ((code = filter(how)) < 0)
            return lm_err_at(LM_EINVALID, path->p,
                             "compressed with %.*s: zstd, gz and bz2 are undone, no other",
                             (int)(how.n < 40 ? how.n : 40), how.p ? how.p : "");
        err = undo(f, m, path->p, code, bytes);
    } else {
        err = lm_fin_open(f, m, path->p);
    }
    if (!err && f->map.n != bytes)
        err = lm_fin_bad(f, f->map.n, f->map.n < bytes ? LM_ETRUNC : LM_EMISMATCH,
                         "%zu bytes, but index.json tells of %" PRIu64, f->map.n, bytes);
    return err;
}

static int one(const lm_importer *m, const char *dir, const char *index, size_t i,
               const json_t *shard)
{
    lm_buf path = {0};
    lm_fin f = {0};
    layout l = {0};
    lm_str format = {0};
    uint64_t n = 0, version = 0;
    char where[512];
    int err = 0;

    snprintf(where, sizeof where, "%.440s: shard %zu", index, i);
    if (!json_is_object(shard) || lm_json_str(shard, "format", &format) != 1 ||
        lm_json_u64(shard, "version", &version) != 1 || lm_json_u64(shard, "samples", &n) != 1)
        err = lm_err_at(LM_EINVALID, where, "no format, version and samples");
    else if (!lm_is(format, "mds"))
        err = lm_err_at(LM_EINVALID, where, "format %.*s, not mds",
                        (int)(format.n < 40 ? format.n : 40), format.p);
    else if (version != 2)
        err = lm_err_at(LM_EVERSION, where, "version %" PRIu64 " of mds", version);
    if (!err && !(err = columns(m, shard, where, &l)) &&
        !(err = open_shard(&f, m, dir, where, shard, &path)))
        err = samples(&f, &l, n);
    lm_fin_close(&f);
    free(l.size);
    lm_buf_free(&path);
    return err;
}

int lm_mds_import(const lm_importer *m, const char *path)
{
    static const char tail[] = "/index.json";
    size_t n = strlen(path), k = sizeof tail - 1;
    lm_buf index = {0};
    json_t *top = NULL, *shards = NULL;
    uint64_t version = 0;
    char *dir;
    int err;

    if (n > k && !strcmp(path + n - k, tail))
        n -= k;
    dir = lm_strndup((lm_str){path, n});
    lm_buf_addf(&index, "%s%s", dir, tail);
    err = lm_json_read(index.p, 1ull << 30, &top);
    if (!err && (!json_is_object(top) || lm_json_u64(top, "version", &version) != 1 ||
                 lm_json_arr(top, "shards", &shards) != 1))
        err = lm_err_at(LM_EINVALID, index.p, "no version and shards");
    if (!err && version != 2)
        err = lm_err_at(LM_EVERSION, index.p, "version %" PRIu64 " of mds", version);
    for (size_t i = 0; !err && i < json_array_size(shards); i++)
        err = one(m, dir, index.p, i, json_array_get(shards, i));
    if (top)
        json_decref(top);
    lm_buf_free(&index);
    free(dir);
    return err;
}
