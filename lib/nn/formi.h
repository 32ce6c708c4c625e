/* formi: a model as it lies in any of the forms, between the files form*.c. Internal to lib/nn.
   All stand on the file tensors of lm_model: element i of part is where tensor i of m->f is found. */
#ifndef LM_NN_FORMI_H
#define LM_NN_FORMI_H
#include "nn/dequant.h"
#include "nn/form.h"
#include "nn/modeli.h"
#include "text/vocab-conv.h"
#include "text/vocab-gguf.h"

/* Rows are outputs, columns inputs: so a tensor is told of, however it lies. One of one dimension has
   rows of one value. */
typedef struct {
    const char *data; /* in a mapping; NULL: not found yet */
    uint32_t type;    /* LM_GGT_*; of blocks if columns are whole blocks, or all values are one run */
    bool turned;      /* it lies [inputs, outputs] */
    uint32_t head;    /* rows of each so many lie as lm_interleave has them; 0: in their order */
} lm_part;

typedef struct {
    const char *path;
    int form; /* LM_FORM_* */
    lm_model *m;
    lm_part *part; /* [m->nf] */
    lm_str map;    /* of a form of one file */
    lm_gguf *g;
    lm_str *array; /* mapped arrays, of which narray */
    size_t narray;
} lm_form;

int lm_form_open(lm_form **f, const char *path); /* by the content; errors as each reader's */
void lm_form_close(lm_form *f);
void lm_form_tables(lm_form *f, lm_cfg *c); /* makes m and part; takes over *c */
int lm_form_dtype(const lm_form *f);        /* LM_F32, LM_F16, LM_BF16: loses no value */

/* Heads of rotary positions: Hugging Face turns row i with row i + half, llama.cpp's arch llama 2i
   with 2i + 1. Row r of the latter is this row of the former, and back. */
uint32_t lm_interleave(uint32_t r, uint32_t head);
uint32_t lm_deinterleave(uint32_t r, uint32_t head);

/* Hands the values of tensor i to put, in pieces, laid out as told; what put returned, LM_EINVALID
   (tensor named) for a value that is not finite, or is none as dt. */
typedef struct {
    int dt;
    bool turned;
    uint32_t head;
} lm_layout;
typedef int lm_put_fn(void *ctx, const void *p, size_t bytes);
int lm_form_each(const lm_form *f, size_t i, lm_layout lay, lm_put_fn *put, void *ctx);

/* A file written in one go; lm_sink_put is an lm_put_fn of it. */
typedef struct {
    int fd;
    const char *path;
} lm_sink;
int lm_sink_put(void *sink, const void *p, size_t bytes);

/* Readers: f->path, f->map are there; they make tables and fill part. Writers: whole files of f as dt. */
int lm_gguf_model_read(lm_form *f);
int lm_gguf_model_write(const lm_form *f, int dt, const lm_vocab_files *v, const char *out);
bool lm_gguf_has_vocab(const lm_gguf *g);
int lm_gguf_cfg(const lm_gguf *g, const char *where, lm_cfg *c); /* of its keys; owned as by lm_cfg_parse */
/* Adds all keys; v: the vocabulary, NULL = none. LM_EINVALID: what llama.cpp cannot say, or no such ids. */
int lm_gguf_put_cfg(const lm_cfg *c, int dt, const lm_vocab_files *v, lm_ggw *w);
int lm_llmc_model_read(lm_form *f);
int lm_llmc_model_write(const lm_form *f, int dt, const char *out);
int lm_npy_model_read(lm_form *f);
int lm_npy_model_write(const lm_form *f, int dt, const char *dir); /* arrays alone, into dir */

/* Bytes of a checkpoint of llm.c of this head; LM_EINVALID, LM_EVERSION .. */
int lm_llmc_head(lm_str file, const char *where, lm_cfg *c, uint32_t *rows, int *dt);

/* The place in the file's table of what stands in a layer (LM_W_*), SIZE_MAX if there is none. */
size_t lm_form_at(const lm_model *m, uint32_t layer, int which);

#endif
