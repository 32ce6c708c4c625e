/* foreign-in: what all formats share when they are read: files mapped or put aside, ids checked
   against the vocabulary and brought to the width records of that vocabulary have. */
#include "nn/foreign-priv.h"
#include "text/walk.h"
#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PIECE = 256 << 10,
    BLOCK = 1 << 20,
    DROP = 16 << 20
}; /* ids converted, bytes read, left behind at once */

int lm_foreign_import(const lm_importer *m, const char *path)
{
    static int (*const reader[LM_FOREIGN_KINDS])(const lm_importer *, const char *) = {
        [LM_FOREIGN_MDS] = lm_mds_import,   [LM_FOREIGN_MEGATRON] = lm_megatron_import,
        [LM_FOREIGN_LLMC] = lm_llmc_import, [LM_FOREIGN_DATATROVE] = lm_datatrove_import,
        [LM_FOREIGN_RAW] = lm_raw_import,   [LM_FOREIGN_NPY] = lm_npy_import};
    bool alone =
        m->kind == LM_FOREIGN_RAW || m->kind == LM_FOREIGN_NPY || m->kind == LM_FOREIGN_LLMC;

    if (!strcmp(path, "-") && !alone)
        return lm_err(LM_EUSAGE,
                      "this format is a folder of files: it cannot come on standard input");
    return reader[m->kind](m, path);
}

/* --- files */

int lm_fin_bad(const lm_fin *f, uint64_t byte, int err, const char *fmt, ...)
{
    char where[512], detail[900];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    snprintf(where, sizeof where, "%.440s:%" PRIu64 ":%" PRIu64, f->path, f->n, byte);
    return lm_err_at(err, where, "%s", detail);
}

int lm_fin_aside(lm_fin *f, const lm_importer *m, const char *path)
{
    memset(f, 0, sizeof *f);
    f->m = m;
    f->path = lm_strdup(path);
    f->map.p = "";
    f->temp = true;
    return lm_temp_file(NULL, &f->fd);
}

int lm_fin_add(lm_fin *f, const void *p, size_t n)
{
    return lm_write_all(f->fd, p, n) ? lm_err_sys("a temporary file", "write") : 0;
}

int lm_fin_map(lm_fin *f)
{
    char path[64];
    int err;

    snprintf(path, sizeof path, "/proc/self/fd/%d", f->fd);
    err = lm_mmap_file(path, &f->map);
    if (!f->map.p)
        f->map.p = "";
    return err;
}

static int from_stdin(lm_fin *f, const lm_importer *m)
{
    char *buf;
    ssize_t n = 0;
    int err = lm_fin_aside(f, m, "stdin");

    if (err)
        return err;
    buf = lm_alloc(BLOCK);
    while (!err && ((n = read(0, buf, BLOCK)) > 0 || (n < 0 && errno == EINTR)))
        if (n > 0)
            err = lm_fin_add(f, buf, (size_t)n);
    if (!err && n < 0)
        err = lm_err_sys("stdin", "read");
    free(buf);
    return err ? err : lm_fin_map(f);
}

int lm_fin_open(lm_fin *f, const lm_importer *m, const char *path)
{
    int err;

    if (!strcmp(path, "-"))
        return from_stdin(f, m);
    memset(f, 0, sizeof *f);
    f->m = m;
    f->path = lm_strdup(path);
    err = lm_mmap_file(path, &f->map);
    if (!f->map.p)
        f->map.p = "";
    return err;
}

void lm_fin_close(lm_fin *f)
{
    if (f->temp && f->fd >= 0)
        close(f->fd);
    if (f->map.n)
        lm_munmap_file(f->map);
    free(f->path);
    lm_buf_free(&f->conv);
    lm_rec_free(&f->r);
    memset(f, 0, sizeof *f);
}

typedef struct {
    lm_str end;
    lm_buf names; /* each with its NUL */
} list;

static int add_name(void *ctx, const lm_walk_entry *e)
{
    list *l = ctx;

    if (e->kind == LM_WALK_ERROR)
        return lm_last_error()->err;
    /* a link may be a file: hubs of data keep theirs so */
    if ((e->kind == LM_WALK_FILE || e->kind == LM_WALK_LINK) && e->path.n > l->end.n &&
        !memcmp(e->path.p + e->path.n - l->end.n, l->end.p, l->end.n)) {
        lm_buf_add(&l->names, e->path.p, e->path.n);
        lm_buf_addc(&l->names, 0);
    }
    return 0;
}

int lm_foreign_each(const lm_importer *m, const char *path, const char *end,
                    int (*f)(const lm_importer *m, const char *path, void *ctx), void *ctx)
{
    list l = {.end = lm_cstr(end)};
    struct stat st;
    lm_buf b = {0};
    int err;

    if (!strcmp(path, "-") || stat(path, &st) || !S_ISDIR(st.st_mode))
        return f(m, path, ctx);
    if (!(err = lm_walk(path, 1, add_name, &l)) && !l.names.n)
        err = lm_err_at(LM_EINVALID, path, "a folder without *%s", end);
    for (const char *p = l.names.p; !err && p < l.names.p + l.names.n; p += strlen(p) + 1) {
        b.n = 0;
        lm_buf_addf(&b, "%s/%s", path, p);
        err = f(m, b.p, ctx);
    }
    lm_buf_free(&b);
    lm_buf_free(&l.names);
    return err;
}

/* --- ids */

/* Bytes an id has in the records. */
static unsigned id_width(const lm_importer *m)
{
    return lm_vocab_size(m->vocab) <= 65536 ? 2 : 4;
}

lm_elem lm_elem_of(const lm_importer *m)
{
    switch (m->dtype) {
    case LM_FOREIGN_U16:
        return (lm_elem){2, false};
    case LM_FOREIGN_U32:
        return (lm_elem){4, false};
    case LM_FOREIGN_I32:
        return (lm_elem){4, true};
    case LM_FOREIGN_I64:
        return (lm_elem){8, true};
    }
    return (lm_elem){id_width(m), false};
}

/* An id as a number: one that is negative becomes one that is too large. */
static inline uint64_t load(const char *p, lm_elem e)
{
    switch (e.size) {
    case 1:
        return e.sign ? (uint64_t)(int8_t)*p : (uint8_t)*p;
    case 2: {
        uint16_t v = (uint16_t)((uint8_t)p[0] | (uint8_t)p[1] << 8);

        return e.sign ? (uint64_t)(int16_t)v : v;
    }
    case 4:
        return e.sign ? (uint64_t)(int32_t)lm_load32(p) : lm_load32(p);
    }
    return lm_load64(p);
}

/* The m ids at byte `at`, checked, in the width of the records, at the end of f->conv. */
static int convert(lm_fin *f, uint64_t at, size_t m, lm_elem e)
{
    uint32_t size = lm_vocab_size(f->m->vocab);
    unsigned width = id_width(f->m);
    uint8_t *to = (uint8_t *)lm_buf_need(&f->conv, m * width);
    const char *p = f->map.p + at;

    for (size_t i = 0; i < m; i++, p += e.size, to += width) {
        uint64_t v = load(p, e);

        if (v >= size) {
            if (e.sign && v >> 63)
                return lm_fin_bad(f, at + i * e.size, LM_EINVALID, "id %" PRId64 " is negative",
                                  (int64_t)v);
            return lm_fin_bad(f, at + i * e.size, LM_EINVALID,
                              "id %" PRIu64 " is beyond the %" PRIu32 " of the vocabulary", v,
                              size);
        }
        to[0] = (uint8_t)v;
        to[1] = (uint8_t)(v >> 8);
        if (width == 4) {
            to[2] = (uint8_t)(v >> 16);
            to[3] = (uint8_t)(v >> 24);
        }
    }
    f->conv.n += m * width;
    if (at < f->dropped || at - f->dropped >= DROP) { /* before: a second pass */
        lm_mmap_drop(f->map, f->dropped, at);
        f->dropped = at;
    }
    return 0;
}

static void set_head(lm_fin *f, unsigned width, uint64_t n, uint64_t seq, bool weighed, lm_id id)
{
    lm_rec *r = &f->r;
    char hex[33];

    lm_id_hex(id, hex);
    lm_rec_new(r, "tok");
    lm_setf(r, "dt", "u%u", width * 8);
    lm_setf(r, "shape", "%" PRIu64, n);
    lm_set(r, "vocab", lm_cstr(lm_vocab_hash(f->m->vocab)));
    lm_set(r, "id", lm_cstr(hex));
    if (f->m->src)
        lm_set(r, "src", lm_cstr(f->m->src));
    if (seq) {
        lm_setf(r, "seq", "%" PRIu64, seq);
        lm_set(r, "mode", LM_STR("concat"));
    }
    if (weighed)
        lm_setf(r, "with", "weight:u8:%" PRIu64, n);
}

/* A sequence too long to hold: once for its hash, once for its ids. */
static int put_long(lm_fin *f, uint64_t at, uint64_t n, lm_elem e, uint64_t seq,
                    const uint8_t *weight)
{
    unsigned width = id_width(f->m);
    uint64_t len = n * width, gap = weight ? -len % 8 : 0;
    lm_hasher *h = lm_hasher_new();
    lm_id id;
    int err = 0;

    for (int pass = 0; pass < 2 && !err; pass++) {
        for (uint64_t i = 0, m; !err && i < n; i += m) {
            m = n - i < PIECE ? n - i : PIECE;
            f->conv.n = 0;
            if ((err = convert(f, at + i * e.size, m, e)))
                break;
            if (pass)
                err = lm_body_write(f->m->out, f->conv.p, f->conv.n);
            else
                lm_hasher_add(h, f->conv.p, f->conv.n);
        }
        if (!pass) {
            id = lm_hasher_end(h);
            set_head(f, width, n, seq, weight, id);
            if (!err)
                err = lm_put_head(f->m->out, &f->r, len + gap + (weight ? n : 0), 0);
        }
    }
    if (!err && gap)
        err = lm_body_write(f->m->out, "\0\0\0\0\0\0\0", gap);
    if (!err && weight)
        err = lm_body_write(f->m->out, weight, n);
    return err;
}

/* The n ids in f->conv as a record. */
static int put_conv(lm_fin *f, uint64_t n, uint64_t seq, const uint8_t *weight)
{
    const char *p = f->conv.p ? f->conv.p : "";

    set_head(f, id_width(f->m), n, seq, weight, lm_hash128(p, f->conv.n));
    if (weight) {
        lm_buf_align8(&f->conv);
        lm_buf_add(&f->conv, weight, n);
        p = f->conv.p;
    }
    lm_body(&f->r, p, f->conv.n);
    return lm_put(f->m->out, &f->r);
}

static void counted(lm_fin *f)
{
    f->n++;
    lm_progress(f->n, 0, "sequences");
}

int lm_fin_put(lm_fin *f, uint64_t at, uint64_t n, lm_elem e, uint64_t seq, const uint8_t *weight)
{
    bool weighed = false;
    int err;

    if (f->m->seq && n != f->m->seq)
        return lm_fin_bad(f, at, LM_EMISMATCH, "%" PRIu64 " ids, no row of %" PRIu64, n, f->m->seq);
    if (f->m->seq)
        seq = n;
    for (uint64_t i = 0; weight && !weighed && i < n; i++)
        weighed = weight[i] != 1;
    if (!weighed)
        weight = NULL;
    f->conv.n = 0;
    if (n > 4 * PIECE)
        err = put_long(f, at, n, e, seq, weight);
    else if (!(err = convert(f, at, n, e)))
        err = put_conv(f, n, seq, weight);
    counted(f);
    return err;
}

/* A document that begins in the file before, and its n ids in this one. */
static int put_over(lm_fin *f, uint64_t n, uint64_t at, lm_elem e, lm_buf *over)
{
    int err = 0;

    f->conv.n = 0;
    lm_buf_add(&f->conv, over->p, over->n);
    over->n = 0;
    if (n)
        err = convert(f, at, n, e);
    if (!err)
        err = put_conv(f, f->conv.n / id_width(f->m), 0, NULL);
    counted(f);
    return err;
}

int lm_fin_last(lm_fin *f, lm_buf *over)
{
    return over->n ? put_over(f, 0, 0, (lm_elem){1, false}, over) : 0;
}

/* Ids that end a file wait for the next one. */
static int keep(lm_fin *f, uint64_t n, uint64_t at, lm_elem e, lm_buf *over)
{
    int err;

    if (n * 4 > lm_max_body || over->n > lm_max_body)
        return lm_fin_bad(f, at, LM_ELIMIT,
                          "a document over several files, larger than LM_MAX_BODY (--cut none?)");
    f->conv.n = 0;
    if (!(err = convert(f, at, n, e)))
        lm_buf_add(over, f->conv.p, f->conv.n);
    return err;
}

int lm_fin_cut(lm_fin *f, uint64_t at, uint64_t n, lm_elem e, lm_buf *over)
{
    uint32_t eos = lm_vocab_role(f->m->vocab, LM_ROLE_EOS);
    uint64_t from = 0;
    int err = 0;

    if (f->m->seq) {
        for (uint64_t k; !err && from < n; from += k) {
            k = n - from < f->m->seq ? n - from : f->m->seq;
            err = lm_fin_put(f, at + from * e.size, k, e, 0, NULL);
        }
        return err;
    }
    if (f->m->cut == LM_CUT_NONE)
        return n ? lm_fin_put(f, at, n, e, 0, NULL) : 0;
    if (eos == LM_NO_ID)
        return lm_err(LM_EINVALID, "the vocabulary has no end of text to cut at: --cut none");
    for (uint64_t i = 0; !err && i < n; i++) {
        uint64_t end = f->m->cut == LM_CUT_AFTER ? i + 1 : i;

        if (load(f->map.p + at + i * e.size, e) != eos)
            continue;
        if (over && over->n)
            err = put_over(f, end - from, at + from * e.size, e, over);
        else if (end > from)
            err = lm_fin_put(f, at + from * e.size, end - from, e, 0, NULL);
        from = end;
    }
    if (err || from == n)
        return err;
    return over ? keep(f, n - from, at + from * e.size, e, over)
                : lm_fin_put(f, at + from * e.size, n - from, e, 0, NULL);
}
