/* foreign-megatron: Megatron-LM's indexed data sets, NAME.bin and NAME.idx. When written,
   documents, sequences and records are one and the same; when read, a document of several sequences
   is one record. */
#include "nn/foreign-priv.h"
#include <inttypes.h>

enum { HEAD = 34, MEMORY = 32 << 20 };
static const char magic[9] = "MMIDIDX\0";

/* --- writing; the tape has the length of each sequence, u32 */

static int open_pair(lm_exporter *x)
{
    int err = lm_ffile_open(x, &x->f, ".bin", x->files);

    if (!err)
        err = lm_ffile_open(x, &x->index, ".idx", x->files);
    x->files++;
    x->count = 0;
    lm_tape_free(x->tape);
    x->room = MEMORY;
    x->tape = lm_tape_new(&x->room);
    return err;
}

typedef struct {
    lm_exporter *x;
    uint64_t at;
} places;

/* The lengths on the tape as the byte each sequence begins at. */
static int put_places(void *ctx, const void *p, size_t n)
{
    places *s = ctx;
    uint8_t le[8];
    int err = 0;

    for (size_t i = 0; !err && i + 4 <= n; i += 4) {
        lm_store64(le, s->at);
        err = lm_ffile_add(&s->x->index, le, 8);
        s->at += (uint64_t)lm_load32((const char *)p + i) * s->x->width;
    }
    return err;
}

static int close_pair(lm_exporter *x)
{
    uint8_t head[HEAD], le[8];
    places s = {x, 0};
    int err;

    memcpy(head, magic, 9);
    lm_store64(head + 9, 1);
    head[17] = x->width == 2 ? 8 : 4; /* numpy.uint16, numpy.int32 */
    lm_store64(head + 18, x->count);
    lm_store64(head + 26, x->count + 1);
    if ((err = lm_ffile_add(&x->index, head, HEAD)) ||
        (err = lm_tape_each(x->tape, lm_ffile_tape, &x->index)) ||
        (err = lm_tape_each(x->tape, put_places, &s)))
        return err;
    for (uint64_t i = 0; !err && i <= x->count; i++) {
        lm_store64(le, i);
        err = lm_ffile_add(&x->index, le, 8);
    }
    if (!err)
        err = lm_ffile_close(&x->f);
    return err ? err : lm_ffile_close(&x->index);
}

static int next(lm_exporter *x, uint64_t n)
{
    uint8_t le[4];
    int err = 0;

    if (n > INT32_MAX)
        return lm_err(LM_ELIMIT, "%" PRIu64 " tokens: Megatron's lengths have 31 bits", n);
    if (x->o.size && x->f.n && x->f.n + n * x->width > x->o.size)
        err = (err = close_pair(x)) ? err : open_pair(x);
    lm_store32(le, (uint32_t)n);
    return err ? err : lm_tape_add(x->tape, le, 4);
}

static int bytes(lm_exporter *x, const void *p, size_t n)
{
    return lm_ffile_add(&x->f, p, n);
}

const lm_foreign_writer lm_megatron_writer = {
    .folder = true, .begin = open_pair, .seq = next, .bytes = bytes, .end = close_pair};

/* --- reading */

typedef struct {
    lm_fin idx, bin;
    uint64_t seqs, docs; /* docs: numbers in the third array, one more than documents */
    const char *len, *at, *doc;
    lm_elem e;
} pair;

static int head(pair *s)
{
    static const lm_elem code[9] = {[1] = {1, false}, [2] = {1, true}, [3] = {2, true},
                                    [4] = {4, true},  [5] = {8, true}, [8] = {2, false}};
    const lm_fin *f = &s->idx;
    const char *p = f->map.p;
    uint64_t left = f->map.n - HEAD, need;

    if (f->map.n >= 8 && !memcmp(p, "TNTIDX\0", 8))
        return lm_fin_bad(f, 0, LM_EVERSION,
                          "the layout TNTIDX, of before mapped data sets (MMIDIDX is read)");
    if (f->map.n < HEAD)
        return lm_fin_bad(f, f->map.n, LM_ETRUNC, "shorter than an index's head of 34 bytes");
    if (memcmp(p, magic, 9))
        return lm_fin_bad(f, 0, LM_EINVALID, "not an index of Megatron's: no MMIDIDX");
    if (lm_load64(p + 9) != 1)
        return lm_fin_bad(f, 9, LM_EVERSION, "version %" PRIu64 " of the index", lm_load64(p + 9));
    if ((uint8_t)p[17] == 6 || (uint8_t)p[17] == 7)
        return lm_fin_bad(f, 17, LM_EINVALID, "numbers with a fraction (type %d), not ids", p[17]);
    if ((uint8_t)p[17] >= LM_COUNT(code) || !code[(uint8_t)p[17]].size)
        return lm_fin_bad(f, 17, LM_EINVALID, "type %d of ids is not known", (uint8_t)p[17]);
    s->e = code[(uint8_t)p[17]];
    s->seqs = lm_load64(p + 18);
    s->docs = lm_load64(p + 26);
    if (s->seqs > left / 12 || s->docs > (left - s->seqs * 12) / 8)
        return lm_fin_bad(f, f->map.n, LM_ETRUNC,
                          "too short for %" PRIu64 " sequences and %" PRIu64 " ends of documents",
                          s->seqs, s->docs);
    need = s->seqs * 12 + s->docs * 8;
    if (left == need + s->seqs && s->seqs)
        return lm_fin_bad(f, HEAD + need, LM_EINVALID,
                          "a multimodal data set: a mode for each sequence");
    if (left != need)
        return lm_fin_bad(f, HEAD + need, LM_ECORRUPT, "more bytes than its counts tell of");
    s->len = p + HEAD;
    s->at = s->len + 4 * s->seqs;
    s->doc = s->at + 8 * s->seqs;
    return 0;
}

/* Sequence i: its length and first byte, inside the .bin. */
static int place(const pair *s, uint64_t i, uint64_t *n, uint64_t *at)
{
    *n = lm_load32(s->len + 4 * i);
    *at = lm_load64(s->at + 8 * i);
    if (*n > INT32_MAX)
        return lm_fin_bad(&s->idx, HEAD + 4 * i, LM_ECORRUPT,
                          "sequence %" PRIu64 ": a negative length", i);
    if (*at > s->bin.map.n || *n > (s->bin.map.n - *at) / s->e.size)
        return lm_fin_bad(&s->idx, HEAD + 4 * s->seqs + 8 * i, LM_ECORRUPT,
                          "sequence %" PRIu64 ", %" PRIu64 " ids at byte %" PRIu64
                          ", lies outside the .bin of %zu bytes",
                          i, *n, *at, s->bin.map.n);
    return 0;
}

/* Sequences [i, to) as one record. */
static int document(pair *s, uint64_t i, uint64_t to)
{
    uint64_t first = 0, n = 0, len, at;
    bool row = true; /* one behind the other, as all writers have them */
    int err;

    for (uint64_t k = i; k < to; k++) {
        if ((err = place(s, k, &len, &at)))
            return err;
        if (k == i)
            first = at;
        else if (at != first + n * s->e.size)
            row = false;
        n += len;
    }
    if (row)
        return lm_fin_put(&s->bin, first, n, s->e, 0, NULL);
    return lm_fin_bad(&s->idx, HEAD + 4 * s->seqs + 8 * i, LM_EINVALID,
                      "the sequences %" PRIu64 " to %" PRIu64
                      " of one document do not lie one behind the other",
                      i, to - 1);
}

static int documents(pair *s)
{
    uint64_t was = 0;
    int err = 0;

    if (!s->docs || lm_load64(s->doc))
        return lm_fin_bad(&s->idx, (uint64_t)(s->doc - s->idx.map.p), LM_ECORRUPT,
                          "the documents do not begin at sequence 0");
    if (lm_load64(s->doc + 8 * (s->docs - 1)) != s->seqs)
        return lm_fin_bad(&s->idx, (uint64_t)(s->doc - s->idx.map.p) + 8 * (s->docs - 1),
                          LM_ECORRUPT, "the documents do not end with the sequences");
    for (uint64_t d = 1; !err && d < s->docs; d++) {
        uint64_t end = lm_load64(s->doc + 8 * d);

        if (end < was || end > s->seqs)
            return lm_fin_bad(&s->idx, (uint64_t)(s->doc - s->idx.map.p) + 8 * d, LM_ECORRUPT,
                              "document %" PRIu64 " ends at sequence %" PRIu64
                              ", behind which it cannot lie",
                              d - 1, end);
        err = document(s, was, end);
        was = end;
    }
    return err;
}

static int import_pair(const lm_importer *m, const char *path, void *unused)
{
    lm_str name = lm_cstr(path);
    lm_buf idx = {0}, bin = {0};
    pair s = {0};
    int err;

    (void)unused;
    if (name.n > 4 && (!strcmp(path + name.n - 4, ".idx") || !strcmp(path + name.n - 4, ".bin")))
        name.n -= 4;
    lm_buf_addf(&idx, "%.*s.idx", (int)name.n, name.p);
    lm_buf_addf(&bin, "%.*s.bin", (int)name.n, name.p);
    if (!(err = lm_fin_open(&s.idx, m, idx.p)) && !(err = lm_fin_open(&s.bin, m, bin.p)) &&
        !(err = head(&s)))
        err = documents(&s);
    lm_fin_close(&s.idx);
    lm_fin_close(&s.bin);
    lm_buf_free(&idx);
    lm_buf_free(&bin);
    return err;
}

int lm_megatron_import(const lm_importer *m, const char *path)
{
    return lm_foreign_each(m, path, ".idx", import_pair, NULL);
}
