/* foreign-mds: writes MosaicML Streaming's data sets, byte for byte as its MDSWriter does. A shard
   begins with the ends of its samples, which are known last: the samples wait on a tape. */
#include "nn/foreign-priv.h"
#include <inttypes.h>

enum { MEMORY = 64 << 20 };
#define SIZE (1ull << 26) /* of a shard, MDSWriter's own default */

static uint64_t size_limit(const lm_exporter *x)
{
    return x->o.size ? x->o.size : SIZE;
}

static void names(lm_jw *w, const char *key, lm_str v)
{
    lm_jw_arr(w, key);
    lm_jw_str(w, NULL, v);
    lm_jw_end(w);
}

/* The members a shard's head and the index have in common, up to `hashes`. */
static void columns(const lm_exporter *x, lm_jw *w)
{
    char enc[48] = "bytes";

    if (x->seq)
        snprintf(enc, sizeof enc, "ndarray:uint%u:%" PRIu64, x->width * 8, x->seq);
    names(w, "column_encodings", lm_cstr(enc));
    names(w, "column_names", lm_cstr(x->o.column));
    lm_jw_arr(w, "column_sizes");
    if (x->seq)
        lm_jw_u64(w, NULL, x->seq * x->width);
    else
        lm_jw_null(w, NULL);
    lm_jw_end(w);
    lm_jw_null(w, "compression");
    lm_jw_str(w, "format", LM_STR("mds"));
    lm_jw_arr(w, "hashes");
    lm_jw_end(w);
}

static void config(const lm_exporter *x, lm_buf *b)
{
    lm_jw w;

    lm_jw_init(&w, b, 0);
    lm_jw_obj(&w, NULL);
    columns(x, &w);
    lm_jw_u64(&w, "size_limit", size_limit(x));
    lm_jw_u64(&w, "version", 2);
    lm_jw_end(&w);
}

/* What the index tells of the shard just written, of n samples. */
static void list(lm_exporter *x, uint64_t n, uint64_t bytes)
{
    char name[32];
    lm_jw w;

    snprintf(name, sizeof name, "shard.%05" PRIu64 ".mds", x->files - 1);
    if (x->json.n)
        lm_buf_adds(&x->json, ", ");
    lm_jw_init(&w, &x->json, 0);
    lm_jw_obj(&w, NULL);
    columns(x, &w);
    lm_jw_obj(&w, "raw_data");
    lm_jw_str(&w, "basename", lm_cstr(name));
    lm_jw_u64(&w, "bytes", bytes);
    lm_jw_obj(&w, "hashes");
    lm_jw_end(&w);
    lm_jw_end(&w);
    lm_jw_u64(&w, "samples", n);
    lm_jw_u64(&w, "size_limit", size_limit(x));
    lm_jw_u64(&w, "version", 2);
    lm_jw_null(&w, "zip_data");
    lm_jw_end(&w);
}

static void fresh(lm_exporter *x)
{
    lm_tape_free(x->tape);
    x->room = MEMORY;
    x->tape = lm_tape_new(&x->room);
    x->offs.n = 0;
    x->count = x->body = 0;
}

static int write_shard(lm_exporter *x)
{
    lm_buf c = {0};
    char name[32];
    uint8_t le[4];
    uint32_t n = (uint32_t)x->count;
    uint64_t at;
    int err;

    config(x, &c);
    snprintf(name, sizeof name, "shard.%05" PRIu64 ".mds", x->files);
    if ((err = lm_ffile_open(x, &x->f, name, x->files++)))
        goto out;
    lm_store32(le, n);
    at = 4 + 4 * ((uint64_t)n + 1) + c.n;
    if ((err = lm_ffile_add(&x->f, le, 4)))
        goto out;
    lm_store32(le, (uint32_t)at);
    err = lm_ffile_add(&x->f, le, 4);
    for (uint32_t i = 0; !err && i < n; i++) {
        lm_store32(le, (uint32_t)(at + lm_load64(x->offs.p + 8 * (size_t)i)));
        err = lm_ffile_add(&x->f, le, 4);
    }
    if (!err)
        err = lm_ffile_add(&x->f, c.p, c.n);
    if (!err)
        err = lm_tape_each(x->tape, lm_ffile_tape, &x->f);
    if (!err)
        err = lm_ffile_close(&x->f);
    if (!err)
        list(x, n, x->f.n);
out:
    lm_buf_free(&c);
    if (!err)
        fresh(x);
    return err;
}

static int begin(lm_exporter *x)
{
    if (size_limit(x) > UINT32_MAX)
        return lm_err(LM_EUSAGE, "--size: offsets of MDS have 32 bits");
    fresh(x);
    return 0;
}

static int next(lm_exporter *x, uint64_t n)
{
    uint64_t size = n * x->width + (x->seq ? 0 : 4), fixed;
    lm_buf c = {0};
    uint8_t le[8];
    int err = 0;

    config(x, &c);
    fixed = 8 + c.n; /* count, first offset, config */
    lm_buf_free(&c);
    if (n > UINT32_MAX || fixed + size + 4 > UINT32_MAX)
        return lm_err(LM_ELIMIT, "a sample of %" PRIu64 " bytes: offsets of MDS have 32 bits",
                      size);
    if (x->count && size_limit(x) < fixed + x->body + 4 * x->count + size + 4 &&
        (err = write_shard(x)))
        return err;
    x->body += size;
    lm_store64(le, x->body);
    lm_buf_add(&x->offs, le, 8);
    if (!x->seq) {
        lm_store32(le, (uint32_t)(n * x->width));
        err = lm_tape_add(x->tape, le, 4);
    }
    return err;
}

static int bytes(lm_exporter *x, const void *p, size_t n)
{
    return lm_tape_add(x->tape, p, n);
}

static int end(lm_exporter *x)
{
    lm_ffile f = LM_FFILE_NONE;
    int err = x->count ? write_shard(x) : 0;

    if (!err)
        err = lm_ffile_open(x, &f, "index.json", 0);
    if (!err)
        err = lm_ffile_add(&f, "{\"shards\": [", 12);
    if (!err && x->json.n)
        err = lm_ffile_add(&f, x->json.p, x->json.n);
    if (!err)
        err = lm_ffile_add(&f, "], \"version\": 2}", 16);
    if (!err)
        err = lm_ffile_close(&f);
    lm_ffile_free(&f);
    return err;
}

const lm_foreign_writer lm_mds_writer = {
    .folder = true, .begin = begin, .seq = next, .bytes = bytes, .end = end};
