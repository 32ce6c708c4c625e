/* foreign-flat: formats that are one run of ids: raw, NumPy's npy, llm.c's bin. */
#include "nn/foreign-priv.h"
#include "nn/npy.h"
#include <inttypes.h>
#include <sys/stat.h>

enum { LLMC_HEAD = 1024, MEMORY = 64 << 20 };
/* llm.c: magic and version of u16 (GPT-2's) and u32 (Llama-3's) files; and the magic of its
 * evaluation files. */
enum { LLMC_MAGIC2 = 20240520, LLMC_MAGIC4 = 20240801, LLMC_EVAL = 20240522 };

/* --- raw */

static int raw_bytes(lm_exporter *x, const void *p, size_t n)
{
    return lm_ffile_add(&x->f, p, n);
}

static int raw_end(lm_exporter *x)
{
    return lm_ffile_flush(&x->f);
}

const lm_foreign_writer lm_raw_writer = {.bytes = raw_bytes, .end = raw_end};

int lm_raw_import(const lm_importer *m, const char *path)
{
    lm_fin f;
    lm_elem e = lm_elem_of(m);
    int err = lm_fin_open(&f, m, path);

    if (!err && f.map.n % e.size)
        err = lm_fin_bad(&f, f.map.n / e.size * e.size, LM_ETRUNC,
                         "the last id is cut: %zu bytes are no multiple of %u", f.map.n, e.size);
    if (!err)
        err = lm_fin_cut(&f, 0, f.map.n / e.size, e, NULL);
    lm_fin_close(&f);
    return err;
}

/* --- npy: the head tells how many ids follow, so it is written over at the end, or the ids wait on
 * a tape */

static int npy_begin(lm_exporter *x)
{
    struct stat st;
    char zero[LM_NPY_HEAD] = {0};

    x->patch = x->o.out && !fstat(x->f.fd, &st) && S_ISREG(st.st_mode);
    if (x->patch)
        return lm_ffile_add(&x->f, zero, sizeof zero);
    x->room = MEMORY;
    x->tape = lm_tape_new(&x->room);
    return 0;
}

static int npy_bytes(lm_exporter *x, const void *p, size_t n)
{
    x->tokens += n / x->width;
    return x->patch ? lm_ffile_add(&x->f, p, n) : lm_tape_add(x->tape, p, n);
}

/* The head of all ids, or of rows of seq. */
static void npy_head(const lm_exporter *x, char out[LM_NPY_HEAD])
{
    char descr[8];
    uint64_t dim[2] = {x->seq ? x->tokens / x->seq : x->tokens, x->seq};

    snprintf(descr, sizeof descr, "<u%u", x->width);
    lm_npy_head(out, descr, x->seq ? 2 : 1, dim);
}

static int npy_end(lm_exporter *x)
{
    char head[LM_NPY_HEAD];
    int err;

    npy_head(x, head);
    if (x->patch)
        return lm_ffile_patch(&x->f, head, sizeof head);
    if ((err = lm_ffile_add(&x->f, head, sizeof head)) ||
        (err = lm_tape_each(x->tape, lm_ffile_tape, &x->f)))
        return err;
    return lm_ffile_flush(&x->f);
}

const lm_foreign_writer lm_npy_writer = {.begin = npy_begin, .bytes = npy_bytes, .end = npy_end};

/* --- llm.c */

static int llmc_open(lm_exporter *x)
{
    char zero[LLMC_HEAD] = {0};
    int err = lm_ffile_open(x, &x->f, ".bin", x->files++);

    x->tokens = 0;
    return err ? err : lm_ffile_add(&x->f, zero, sizeof zero);
}

static int llmc_close(lm_exporter *x)
{
    uint8_t head[12];
    int err;

    lm_store32(head, x->width == 2 ? LLMC_MAGIC2 : LLMC_MAGIC4);
    lm_store32(head + 4, x->width == 2 ? 1 : 7);
    lm_store32(head + 8, (uint32_t)x->tokens);
    err = lm_ffile_patch(&x->f, head, sizeof head);
    return err ? err : lm_ffile_close(&x->f);
}

static uint64_t llmc_most(const lm_exporter *x)
{
    uint64_t most = INT32_MAX, asked = (x->o.size - LLMC_HEAD) / x->width;

    return x->o.size && asked < most ? asked : most;
}

/* A document goes whole to one file unless it is longer than a file. */
static int llmc_seq(lm_exporter *x, uint64_t n)
{
    int err;

    if (!x->tokens || n <= llmc_most(x) - x->tokens)
        return 0;
    return (err = llmc_close(x)) ? err : llmc_open(x);
}

static int llmc_bytes(lm_exporter *x, const void *p, size_t n)
{
    const char *s = p;
    int err = 0;

    while (!err && n) {
        uint64_t room = (llmc_most(x) - x->tokens) * x->width;
        size_t k = n < room ? n : (size_t)room;

        x->tokens += k / x->width;
        err = lm_ffile_add(&x->f, s, k);
        s += k;
        n -= k;
        if (!err && n && !(err = llmc_close(x)))
            err = llmc_open(x);
    }
    return err;
}

const lm_foreign_writer lm_llmc_writer = {
    .folder = true, .begin = llmc_open, .seq = llmc_seq, .bytes = llmc_bytes, .end = llmc_close};

static int llmc_file(const lm_importer *m, const char *path, void *over)
{
    lm_fin f;
    int err = lm_fin_open(&f, m, path);
    const char *p = f.map.p;
    uint32_t magic, version, n;
    lm_elem e = {0};

    if (!err && f.map.n < LLMC_HEAD)
        err = lm_fin_bad(&f, f.map.n, LM_ETRUNC, "shorter than llm.c's head of 1024 bytes");
    if (!err) {
        magic = lm_load32(p);
        version = lm_load32(p + 4);
        n = lm_load32(p + 8);
        e.size = magic == LLMC_MAGIC2 ? 2 : magic == LLMC_MAGIC4 ? 4 : 0;
        if (magic == LLMC_EVAL)
            err = lm_fin_bad(&f, 0, LM_EINVALID, "a file of llm.c's evaluations, not of tokens");
        else if (!e.size)
            err = lm_fin_bad(&f, 0, LM_EINVALID,
                             "not a file of llm.c's: it begins with %" PRIu32
                             ", not 20240520 or 20240801",
                             magic);
        else if (version != (e.size == 2 ? 1 : 7))
            err = lm_fin_bad(&f, 4, LM_EVERSION, "version %" PRIu32 " of llm.c's %s-bit files",
                             version, e.size == 2 ? "16" : "32");
        else if (n > INT32_MAX)
            err = lm_fin_bad(&f, 8, LM_EINVALID, "a negative count of tokens");
        else if ((f.map.n - LLMC_HEAD) / e.size < n)
            err = lm_fin_bad(&f, f.map.n, LM_ETRUNC,
                             "holds %zu bytes of the %" PRIu32 " ids of %u bytes it tells of",
                             f.map.n - LLMC_HEAD, n, e.size);
        else if (f.map.n - LLMC_HEAD != (uint64_t)n * e.size)
            err = lm_fin_bad(&f, LLMC_HEAD + (uint64_t)n * e.size, LM_ECORRUPT,
                             "more bytes than the %" PRIu32 " ids it tells of", n);
        else
            err = lm_fin_cut(&f, LLMC_HEAD, n, e, over);
    }
    lm_fin_close(&f);
    return err;
}

/* Its scripts fill a file and go on in the next, within a document too. */
int lm_llmc_import(const lm_importer *m, const char *path)
{
    lm_fin last = {.m = m};
    lm_buf over = {0};
    int err = lm_foreign_each(m, path, ".bin", llmc_file, &over);

    if (!err)
        err = lm_fin_last(&last, &over);
    lm_fin_close(&last);
    lm_buf_free(&over);
    return err;
}
