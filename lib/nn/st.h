/* st: safetensors files, mapped for reading, streamed for writing. */
#ifndef LM_NN_ST_H
#define LM_NN_ST_H
#include "nn/cfg.h"

typedef struct {
    const char *name; /* NUL-ended UTF-8 */
    int dt, nd;       /* LM_F32 ..; number of sizes, 0 = a scalar */
    uint64_t dim[8];
    uint64_t count, bytes; /* elements, bytes */
    const void *data;      /* in the mapping; NULL in a writer's table */
} lm_st_tensor;

typedef struct lm_st lm_st;
/* Maps the file. Everything in the head is checked: length, JSON, types, overflow of sizes, offsets
   in bounds, no overlap, no hole, no duplicate name. LM_EIO, LM_ETRUNC, LM_ECORRUPT, LM_ELIMIT
   (head over 100 MB). */
int lm_st_open(lm_st **st, const char *path);
int lm_st_parse(lm_st **st, lm_str bytes,
                const char *where); /* the same over memory that stays the caller's */
/* The table alone, of a file that was size bytes and may have been cut: no .data may be read. */
int lm_st_head(lm_st **st, lm_str bytes, uint64_t size, const char *where);
uint64_t lm_st_offset(const lm_st *st, const lm_st_tensor *t); /* its first byte in the file */
/* The files of the model in dir: model.safetensors, or those that model.safetensors.index.json
   names. No tensor is in two. Close each, then free *v. Errors of lm_st_open; LM_EINVALID: the index;
   LM_ECORRUPT. */
int lm_st_open_model(lm_st ***v, size_t *n, const char *dir);
size_t lm_st_count(const lm_st *st);
const lm_st_tensor *lm_st_at(const lm_st *st, size_t i);           /* in order of the data */
const lm_st_tensor *lm_st_find(const lm_st *st, const char *name); /* NULL if absent */
const char *lm_st_meta(const lm_st *st, const char *key); /* a string of __metadata__, or NULL */
const char *lm_st_path(const lm_st *st); /* as it was opened by; NULL of lm_st_parse, lm_st_head */
void lm_st_close(lm_st *st);

/* Writes PATH whole: the table first (name, dt, nd, dim of t[0..n), in this order), then each
   tensor's bytes with lm_st_put in the same order, in any pieces. __metadata__ is format=pt and the
   pairs meta[0]=meta[1] .. up to NULL (may be NULL). Data begin at a multiple of 8. lm_st_done
   fsyncs. */
typedef struct lm_st_out lm_st_out;
uint64_t lm_st_size(const lm_st_tensor *t, size_t n, const char *const *meta); /* bytes of that file */
int lm_st_create(lm_st_out **o, const char *path, const lm_st_tensor *t, size_t n,
                 const char *const *meta);
int lm_st_put(lm_st_out *o, const void *p, size_t bytes);
int lm_st_put_f32(lm_st_out *o, const float *p, size_t n,
                  int dt);     /* LM_F32 as is, LM_BF16 rounded to nearest even */
int lm_st_done(lm_st_out *o);  /* LM_EIO; LM_EINVALID if bytes are missing; frees o */
void lm_st_drop(lm_st_out *o); /* closes and removes the file; frees o */

#endif
