/* foreign-out: what all formats share when they are written: one vocabulary and one shape in all
   records, ids of one width, files in a folder that appears whole. */
#include "nn/foreign-priv.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

enum { PIECE = 64 << 10, WRITE = 256 << 10 }; /* ids converted, bytes written, at once */

static const lm_foreign_writer *const writer[LM_FOREIGN_KINDS] = {
    [LM_FOREIGN_MDS] = &lm_mds_writer,   [LM_FOREIGN_MEGATRON] = &lm_megatron_writer,
    [LM_FOREIGN_LLMC] = &lm_llmc_writer, [LM_FOREIGN_DATATROVE] = &lm_datatrove_writer,
    [LM_FOREIGN_RAW] = &lm_raw_writer,   [LM_FOREIGN_NPY] = &lm_npy_writer};

bool lm_foreign_folder(int kind)
{
    return writer[kind]->folder;
}

/* --- files */

int lm_ffile_open(lm_exporter *x, lm_ffile *f, const char *end, uint64_t number)
{
    lm_buf b = {0};

    lm_buf_addf(&b, "%s/", x->dir);
    if (*end == '.')
        lm_buf_addf(&b, "%05" PRIu64, number);
    lm_buf_adds(&b, end);
    free(f->path);
    f->path = b.p;
    f->n = 0;
    f->fd = open(f->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    return f->fd < 0 ? lm_err_sys(f->path, "open") : 0;
}

int lm_ffile_flush(lm_ffile *f)
{
    if (f->b.n && lm_write_all(f->fd, f->b.p, f->b.n))
        return lm_err_sys(f->path, "write");
    f->b.n = 0;
    return 0;
}

int lm_ffile_add(lm_ffile *f, const void *p, size_t n)
{
    f->n += n;
    if (n)
        lm_buf_add(&f->b, p, n);
    return f->b.n >= WRITE ? lm_ffile_flush(f) : 0;
}

int lm_ffile_tape(void *f, const void *p, size_t n)
{
    return lm_ffile_add(f, p, n);
}

int lm_ffile_patch(lm_ffile *f, const void *p, size_t n)
{
    size_t done = 0;
    int err = lm_ffile_flush(f);

    while (!err && done < n) {
        ssize_t k = pwrite(f->fd, (const char *)p + done, n - done, (off_t)done);

        if (k > 0)
            done += (size_t)k;
        else if (k == 0 || errno != EINTR)
            err = lm_err_sys(f->path, "write");
    }
    return err;
}

int lm_ffile_close(lm_ffile *f)
{
    int err;

    if (f->fd < 0)
        return 0;
    err = lm_ffile_flush(f);
    if (close(f->fd) && !err)
        err = lm_err_sys(f->path, "close");
    f->fd = -1;
    return err;
}

void lm_ffile_free(lm_ffile *f)
{
    if (f->fd >= 0)
        close(f->fd);
    free(f->path);
    lm_buf_free(&f->b);
}

/* --- the exporter */

/* Names we give to files in a folder: of an older, longer export some may be left over. */
static bool ours(const void *ctx, const char *name)
{
    static const char *const ends[] = {".mds",      ".bin",     ".idx",        ".ds",
                                       ".ds.index", ".ds.loss", ".ds.metadata"};
    const char *p = strncmp(name, "shard.", 6) ? name : name + 6;
    size_t n = strspn(p, "0123456789");

    (void)ctx;
    for (size_t i = 0; n >= 5 && i < LM_COUNT(ends); i++)
        if (!strcmp(p + n, ends[i]))
            return true;
    return false;
}

lm_exporter *lm_exporter_new(const lm_exporter_opt *o)
{
    lm_exporter *x = lm_zalloc(1, sizeof *x);

    x->o = *o;
    x->k = writer[o->kind];
    x->f = x->index = x->loss = (lm_ffile)LM_FFILE_NONE;
    if (x->k->folder) {
        if (!(x->aside = lm_aside_dir(o->out)))
            goto bad;
        lm_aside_may_go(x->aside, ours, NULL);
        x->dir = lm_aside_path(x->aside);
    } else {
        x->f.path = lm_strdup(o->out ? o->out : "stdout");
        if (!o->out)
            x->f.fd = 1;
        else if (!(x->aside = lm_aside_open(o->out, &x->f.fd)))
            goto bad;
    }
    return x;
bad:
    lm_ffile_free(&x->f);
    free(x);
    return NULL;
}

/* What the first record says holds for all; t NULL: there is none. */
static int begin(lm_exporter *x, const lm_tokrec *t)
{
    uint32_t size = x->o.vocab ? lm_vocab_size(x->o.vocab) : 0;

    x->known = true;
    /* Megatron's own rule where the vocabulary is known */
    if (x->o.width)
        x->width = x->o.width;
    else if (size && x->o.kind == LM_FOREIGN_MEGATRON)
        x->width = size < 65500 ? 2 : 4;
    else
        x->width = t ? t->width : size > 65536 ? 4 : 2;
    if (x->o.vocab)
        memcpy(x->vocab, lm_vocab_hash(x->o.vocab), 32);
    else if (t)
        memcpy(x->vocab, t->vocab.p, 32);
    x->seq = t ? t->seq : 0;
    return x->k->begin ? x->k->begin(x) : 0;
}

static int alike(const lm_exporter *x, const lm_tokrec *t)
{
    if (!lm_is(t->vocab, x->vocab))
        return lm_err(LM_EMISMATCH, "vocab=%.32s, but %s %s", t->vocab.p,
                      x->o.vocab ? "the vocabulary given is" : "the records before have", x->vocab);
    if (t->seq != x->seq)
        return lm_err(LM_EMISMATCH, "seq=%" PRIu64 ", but the records before have %" PRIu64, t->seq,
                      x->seq);
    return 0;
}

/* The m ids of t from i on, checked, in the width that is written: *p, valid to the next call. */
static int ids(lm_exporter *x, const lm_tokrec *t, uint64_t i, size_t m, const void **p)
{
    uint64_t most = x->width == 2                      ? 1ull << 16
                    : x->o.kind == LM_FOREIGN_MEGATRON ? 1ull << 31
                                                       : 1ull << 32;
    uint64_t size = x->o.vocab ? lm_vocab_size(x->o.vocab) : most;

    *p = t->tok + i * t->width;
    if (t->width == x->width && size >= 1ull << 8 * t->width)
        return 0;
    x->conv.n = 0;
    lm_buf_need(&x->conv, m * x->width);
    for (size_t k = 0; k < m; k++) {
        uint32_t id = lm_tokrec_at(t, i + k);
        uint8_t *to = (uint8_t *)x->conv.p + k * x->width;

        if (id >= size && x->o.vocab)
            return lm_err(LM_EINVALID,
                          "token %" PRIu64 " is id %" PRIu32 ", beyond the %" PRIu64
                          " of the vocabulary",
                          i + k, id, size);
        if (id >= most)
            return lm_err(LM_EINVALID, "token %" PRIu64 " is id %" PRIu32 ", too large for %s",
                          i + k, id, x->width == 2 ? "u16 (--dtype u32)" : "Megatron's int32");
        if (x->width == 4) {
            lm_store32(to, id);
        } else {
            to[0] = (uint8_t)id;
            to[1] = (uint8_t)(id >> 8);
        }
    }
    *p = x->conv.p;
    return 0;
}

int lm_exporter_add(lm_exporter *x, const lm_tokrec *t)
{
    int err = x->known ? 0 : begin(x, t);

    if (!err)
        err = alike(x, t);
    if (!err && x->k->seq)
        err = x->k->seq(x, t->n);
    for (uint64_t i = 0, m; !err && i < t->n; i += m) {
        const void *p;

        m = t->n - i < PIECE ? t->n - i : PIECE;
        if (!(err = ids(x, t, i, m, &p)))
            err = x->k->bytes(x, p, m * x->width);
    }
    if (!err && x->k->done)
        err = x->k->done(x, t);
    for (uint64_t i = 0; !err && t->weight && i < t->n; i++)
        if (t->weight[i] != 1) {
            x->weighed++;
            break;
        }
    x->count++;
    return err;
}

int lm_exporter_flush(lm_exporter *x)
{
    return x->o.kind == LM_FOREIGN_RAW ? lm_ffile_flush(&x->f) : 0;
}

int lm_exporter_end(lm_exporter *x)
{
    int err = x->known ? 0 : begin(x, NULL);

    if (!err)
        err = x->k->end(x);
    if (!err && x->weighed && x->o.kind != LM_FOREIGN_DATATROVE)
        lm_warn("weights of %" PRIu64
                " sequences left out: of these formats datatrove alone has them",
                x->weighed);
    if (!err && x->aside) {
        if (!x->k->folder)
            x->f.fd = -1; /* the aside's */
        err = lm_aside_commit(x->aside);
        x->aside = NULL;
    }
    return err;
}

void lm_exporter_free(lm_exporter *x)
{
    if (!x)
        return;
    if (!x->k->folder)
        x->f.fd = -1; /* stdout, or the aside's */
    if (x->aside)
        lm_aside_drop(x->aside);
    lm_ffile *files[] = {&x->f, &x->index, &x->loss};
    for (size_t i = 0; i < LM_COUNT(files); i++)
        lm_ffile_free(files[i]);
    lm_buf *bufs[] = {&x->conv, &x->json, &x->offs, &x->sizes};
    for (size_t i = 0; i < LM_COUNT(bufs); i++)
        lm_buf_free(bufs[i]);
    lm_tape_free(x->tape);
    free(x);
}
