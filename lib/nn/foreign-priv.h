/* What the writers and readers of foreign token files share. */
#ifndef LM_FOREIGN_PRIV_H
#define LM_FOREIGN_PRIV_H
#include "base/json.h"
#include "cli/cli.h"
#include "nn/foreign.h"
#include "text/tape.h"

/* --- writing */
typedef struct {
    int fd; /* -1: not open */
    char *path;
    lm_buf b;   /* not yet written */
    uint64_t n; /* bytes given to it */
} lm_ffile;
#define LM_FFILE_NONE {.fd = -1}

/* How a format is written: begin before the first sequence (or the end), seq before each one, of n tokens, bytes with
   its ids in pieces, done behind it, end behind the last. May be NULL but for bytes and end. */
typedef struct {
    bool folder;
    int (*begin)(lm_exporter *x);
    int (*seq)(lm_exporter *x, uint64_t n);
    int (*bytes)(lm_exporter *x, const void *p, size_t n);
    int (*done)(lm_exporter *x, const lm_tokrec *t);
    int (*end)(lm_exporter *x);
} lm_foreign_writer;
extern const lm_foreign_writer lm_mds_writer, lm_megatron_writer, lm_llmc_writer, lm_datatrove_writer,
    lm_raw_writer, lm_npy_writer;

struct lm_exporter {
    lm_exporter_opt o;
    const lm_foreign_writer *k;
    lm_aside *aside;
    const char *dir; /* of a folder, aside */
    bool known, ended;
    unsigned width;
    uint64_t seq, count, files, weighed; /* sequences so far in the file; files done; sequences with weights */
    char vocab[33];
    lm_ffile f, index, loss;
    lm_buf conv, json, offs; /* ids of another width; mds: index.json, ends of the samples */
    lm_buf sizes;            /* datatrove: tokens of each file, u64 */
    lm_tape *tape;           /* what goes behind something not known yet */
    size_t room;             /* memory of tape */
    uint64_t tokens, body;   /* of the file; mds: bytes of its samples */
    bool patch, losing;      /* npy: the head can be written over; datatrove: a weight was met */
};

int lm_ffile_open(lm_exporter *x, lm_ffile *f, const char *format, uint64_t number); /* in x->dir */
int lm_ffile_add(lm_ffile *f, const void *p, size_t n);
int lm_ffile_flush(lm_ffile *f);
int lm_ffile_patch(lm_ffile *f, const void *p, size_t n); /* over its first bytes */
int lm_ffile_close(lm_ffile *f);                          /* 0 also when not open */
void lm_ffile_free(lm_ffile *f);
int lm_ffile_tape(void *ffile, const void *p, size_t n); /* for lm_tape_each */

static inline void lm_store32(void *p, uint32_t v)
{
    uint8_t *b = p;

    for (int i = 0; i < 4; i++)
        b[i] = (uint8_t)(v >> 8 * i);
}

static inline void lm_store64(void *p, uint64_t v)
{
    lm_store32(p, (uint32_t)v);
    lm_store32((uint8_t *)p + 4, (uint32_t)(v >> 32));
}

/* --- reading */
typedef struct {
    unsigned size; /* bytes of an id: 1, 2, 4, 8 */
    bool sign;
} lm_elem;

/* A file being read: mapped, or what came on stdin or out of a compression, put aside. */
typedef struct {
    const lm_importer *m;
    char *path; /* for messages */
    lm_str map;
    bool temp; /* it is fd, a file without a name */
    int fd;
    lm_buf conv;
    lm_rec r;
    uint64_t n, dropped; /* sequences so far; bytes of map that need not stay in memory */
} lm_fin;

int lm_fin_open(lm_fin *f, const lm_importer *m, const char *path);
/* Instead, a file without a name: opened, filled, then mapped. path is for messages. */
int lm_fin_aside(lm_fin *f, const lm_importer *m, const char *path);
int lm_fin_add(lm_fin *f, const void *p, size_t n);
int lm_fin_map(lm_fin *f);
void lm_fin_close(lm_fin *f);
int lm_fin_bad(const lm_fin *f, uint64_t byte, int err, const char *fmt, ...) LM_PRINTF(4, 5);
/* The n ids at byte `at`, which is inside the file, as one record; seq: it is a row; weight: a byte an id, or NULL. */
int lm_fin_put(lm_fin *f, uint64_t at, uint64_t n, lm_elem e, uint64_t seq, const uint8_t *weight);
/* The same, cut to documents as m->cut says. over: of files that go on in one another, what the file before ended with
   and then what this one ends with, as ids of records; else NULL. */
int lm_fin_cut(lm_fin *f, uint64_t at, uint64_t n, lm_elem e, lm_buf *over);
int lm_fin_last(lm_fin *f, lm_buf *over); /* what the last file ended with */
lm_elem lm_elem_of(const lm_importer *m);                      /* of m->dtype, or by the vocabulary */

int lm_mds_import(const lm_importer *m, const char *path);
int lm_megatron_import(const lm_importer *m, const char *path);
int lm_llmc_import(const lm_importer *m, const char *path);
int lm_datatrove_import(const lm_importer *m, const char *path);
int lm_raw_import(const lm_importer *m, const char *path);
int lm_npy_import(const lm_importer *m, const char *path);
/* Calls f with path itself, or if it is a folder with each file in it whose name ends in `end`, in the order of their
   bytes; LM_EINVALID if there is none. */
int lm_foreign_each(const lm_importer *m, const char *path, const char *end,
                    int (*f)(const lm_importer *m, const char *path, void *ctx), void *ctx);

#endif
