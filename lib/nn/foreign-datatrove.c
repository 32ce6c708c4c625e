/* foreign-datatrove: token files of datatrove, which nanotron trains on: NAME.ds with ids,
   NAME.ds.index with the end of each document, NAME.ds.metadata with the tokenizer and a count,
   NAME.ds.loss with a byte an id. */
#include "nn/foreign-priv.h"
#include <inttypes.h>
#include <math.h>
#include <unistd.h>

/* --- writing; x->sizes has the tokens of each file. Once an id of weight other than 1 was met
   every file gets a .loss, those done before at the end. */

static int open_files(lm_exporter *x)
{
    int err = lm_ffile_open(x, &x->f, ".ds", x->files);

    if (!err)
        err = lm_ffile_open(x, &x->index, ".ds.index", x->files);
    if (!err && x->losing)
        err = lm_ffile_open(x, &x->loss, ".ds.loss", x->files);
    x->files++;
    x->tokens = 0;
    return err;
}

/* A count for people, as Python's humanize.metric with unit T writes it. */
static void human(lm_buf *b, uint64_t n)
{
    int e = 0;
    double v = (double)n;

    for (uint64_t k = n; k >= 10; k /= 10)
        e++;
    for (int i = 0; i < e / 3; i++)
        v /= 1000;
    lm_buf_addf(b, "%.*f ", 2 - e % 3, v);
    if (e >= 3)
        lm_buf_addc(b, "kMGTPE"[e / 3 - 1]);
    lm_buf_addc(b, 'T');
}

static int metadata(lm_exporter *x)
{
    lm_ffile f = LM_FFILE_NONE;
    lm_buf b = {0};
    int err = lm_ffile_open(x, &f, ".ds.metadata", x->files - 1);

    if (x->o.tokenizer)
        lm_buf_adds(&b, x->o.tokenizer);
    else
        lm_buf_addf(&b, "vocab=%s", x->vocab);
    lm_buf_addf(&b, "|%u\n%" PRIu64 "\n", x->width, x->tokens);
    human(&b, x->tokens);
    if (!err)
        err = lm_ffile_add(&f, b.p, b.n);
    if (!err)
        err = lm_ffile_close(&f);
    lm_ffile_free(&f);
    lm_buf_free(&b);
    return err;
}

static int close_files(lm_exporter *x)
{
    uint8_t le[8];
    int err = lm_ffile_close(&x->f);

    lm_store64(le, x->tokens);
    lm_buf_add(&x->sizes, le, 8);
    if (!err)
        err = lm_ffile_close(&x->index);
    if (!err)
        err = lm_ffile_close(&x->loss);
    return err ? err : metadata(x);
}

static int next(lm_exporter *x, uint64_t n)
{
    if (!x->o.size || !x->tokens || (x->tokens + n) * x->width <= x->o.size)
        return 0;
    int err = close_files(x);

    return err ? err : open_files(x);
}

static int bytes(lm_exporter *x, const void *p, size_t n)
{
    return lm_ffile_add(&x->f, p, n);
}

static int ones(lm_ffile *f, uint64_t n)
{
    char one[4096];
    int err = 0;

    memset(one, 1, sizeof one);
    for (uint64_t k; !err && n; n -= k) {
        k = n < sizeof one ? n : sizeof one;
        err = lm_ffile_add(f, one, k);
    }
    return err;
}

static int done(lm_exporter *x, const lm_tokrec *t)
{
    bool need = x->losing;
    uint8_t le[8];
    int err = 0;

    for (uint64_t i = 0; !need && t->weight && i < t->n; i++)
        need = t->weight[i] != 1;
    if (need && !x->losing) {
        x->losing = true;
        if ((err = lm_ffile_open(x, &x->loss, ".ds.loss", x->files - 1)) ||
            (err = ones(&x->loss, x->tokens)))
            return err;
    }
    if (need)
        err = t->weight ? lm_ffile_add(&x->loss, t->weight, t->n) : ones(&x->loss, t->n);
    x->tokens += t->n;
    lm_store64(le, x->tokens);
    return err ? err : lm_ffile_add(&x->index, le, 8);
}

/* The .loss of the files that were done before a weight was met. */
static int end(lm_exporter *x)
{
    int err = close_files(x);

    for (uint64_t i = 0; !err && x->losing && i < x->sizes.n / 8; i++) {
        lm_buf b = {0};

        lm_buf_addf(&b, "%s/%05" PRIu64 ".ds.loss", x->dir, i);
        if (access(b.p, F_OK) && !(err = lm_ffile_open(x, &x->loss, ".ds.loss", i)) &&
            !(err = ones(&x->loss, lm_load64(x->sizes.p + 8 * i))))
            err = lm_ffile_close(&x->loss);
        lm_buf_free(&b);
    }
    return err;
}

static int begin(lm_exporter *x)
{
    const char *name = x->o.tokenizer;

    if (name && (strpbrk(name, "|\n") || !*name))
        return lm_err(LM_EUSAGE, "--tokenizer: a name without | and newline");
    return open_files(x);
}

const lm_foreign_writer lm_datatrove_writer = {
    .folder = true, .begin = begin, .seq = next, .bytes = bytes, .done = done, .end = end};

/* --- reading */

typedef struct {
    lm_fin ds, index, loss;
    uint64_t tokens; /* as the metadata tells; UINT64_MAX: it does not */
    unsigned size;   /* likewise; 0: it does not */
    bool weighed;
} files;

static lm_str line(lm_str *s)
{
    const char *lf = s->n ? memchr(s->p, '\n', s->n) : NULL;
    lm_str head = {s->p, lf ? (size_t)(lf - s->p) : s->n};

    *s = lf ? (lm_str){lf + 1, s->n - head.n - 1} : (lm_str){s->p, 0};
    if (head.n && head.p[head.n - 1] == '\r')
        head.n--;
    return head;
}

/* `name|size`, in older files the name alone; the count of ids; a count for people. */
static int read_metadata(files *s, const lm_importer *m, const char *path)
{
    lm_buf b = {0};
    int err = lm_read_file(path, &b, 65536);
    lm_str rest = lm_buf_str(&b), name, bar;
    uint64_t v;

    if (!err) {
        name = line(&rest);
        bar.p = name.n ? memrchr(name.p, '|', name.n) : NULL;
        if (bar.p) {
            bar.n = name.n - (size_t)(bar.p - name.p) - 1;
            name.n = (size_t)(bar.p - name.p);
            if (!lm_parse_u64((lm_str){bar.p + 1, bar.n}, &v) || (v != 2 && v != 4))
                err = lm_err_at(LM_EINVALID, path, "ids of %.*s bytes: neither 2 nor 4",
                                (int)(bar.n < 20 ? bar.n : 20), bar.p + 1);
            else
                s->size = (unsigned)v;
        }
        if (!err && name.n == 38 && !memcmp(name.p, "vocab=", 6) &&
            memcmp(name.p + 6, lm_vocab_hash(m->vocab), 32))
            err = lm_err_at(LM_EMISMATCH, path, "%.*s, but the vocabulary given is %s", 38, name.p,
                            lm_vocab_hash(m->vocab));
        if (!err && !lm_parse_u64(line(&rest), &s->tokens))
            err = lm_err_at(LM_EINVALID, path, "the second line is no count of ids");
    }
    lm_buf_free(&b);
    return err;
}

static int documents(files *s, lm_elem e)
{
    uint64_t n = s->ds.map.n / e.size, at = 0;
    const char *p = s->index.map.p;
    const uint8_t *w = (const uint8_t *)s->loss.map.p;
    int err = 0;

    if (s->ds.map.n % e.size)
        return lm_fin_bad(&s->ds, n * e.size, LM_ETRUNC,
                          "the last id is cut: %zu bytes are no multiple of %u", s->ds.map.n,
                          e.size);
    if (s->tokens != UINT64_MAX && s->tokens != n)
        return lm_fin_bad(&s->ds, 0, LM_EMISMATCH,
                          "%" PRIu64 " ids of %u bytes, but its metadata tell of %" PRIu64, n,
                          e.size, s->tokens);
    if (s->index.map.n % 8)
        return lm_fin_bad(&s->index, s->index.map.n / 8 * 8, LM_ETRUNC, "the last end is cut");
    if (s->weighed && s->loss.map.n != n)
        return lm_fin_bad(&s->loss, 0, LM_EMISMATCH, "%zu bytes for %" PRIu64 " ids", s->loss.map.n,
                          n);
    for (uint64_t i = 0; !err && i < s->index.map.n / 8; i++) {
        uint64_t to = lm_load64(p + 8 * i);

        if (to < at || to > n)
            return lm_fin_bad(&s->index, 8 * i, LM_ECORRUPT,
                              "document %" PRIu64 " ends at id %" PRIu64 " of %" PRIu64
                              "; the one before at %" PRIu64,
                              i, to, n, at);
        err = lm_fin_put(&s->ds, at * e.size, to - at, e, 0, s->weighed ? w + at : NULL);
        at = to;
    }
    if (!err && at != n)
        err = lm_fin_bad(&s->index, s->index.map.n, LM_EMISMATCH,
                         "the last document ends at id %" PRIu64 " of %" PRIu64, at, n);
    return err;
}

static int import_files(const lm_importer *m, const char *path, void *unused)
{
    files s = {.tokens = UINT64_MAX};
    lm_elem e = lm_elem_of(m);
    lm_buf b = {0};
    size_t stem = strlen(path);
    int err = lm_fin_open(&s.ds, m, path);

    (void)unused;
    lm_buf_addf(&b, "%s.index", path);
    if (!err && access(b.p, F_OK))
        err = lm_err_at(LM_EMISSING, b.p, "no ends of documents (--from raw reads the ids alone)");
    if (!err)
        err = lm_fin_open(&s.index, m, b.p);
    b.n = stem;
    lm_buf_adds(&b, ".metadata");
    if (!err && !access(b.p, F_OK))
        err = read_metadata(&s, m, b.p);
    b.n = stem;
    lm_buf_adds(&b, ".loss");
    if (!err && !access(b.p, F_OK)) {
        s.weighed = true;
        err = lm_fin_open(&s.loss, m, b.p);
    }
    /* Before the size of an id was told it was 2. */
    if (m->dtype == LM_FOREIGN_AUTO)
        e = (lm_elem){s.size ? s.size : 2, false};
    else if (!err && s.size && s.size != e.size)
        err = lm_fin_bad(&s.ds, 0, LM_EMISMATCH, "its metadata tell of ids of %u bytes", s.size);
    if (!err)
        err = documents(&s, e);
    lm_fin_close(&s.ds);
    lm_fin_close(&s.index);
    lm_fin_close(&s.loss);
    lm_buf_free(&b);
    return err;
}

int lm_datatrove_import(const lm_importer *m, const char *path)
{
    return lm_foreign_each(m, path, ".ds", import_files, NULL);
}
