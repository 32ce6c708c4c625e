/* gguf: the model file of llama.cpp and ggml: typed keys, a tensor table, tensor data. Version 3 is
   written, 2 and 3 are read, little endian (ggml's docs/gguf.md). Who reads which keys: vocab-gguf.c. */
#ifndef LM_GGUF_H
#define LM_GGUF_H
#include "base/base.h"

/* Types of values, by the file's own numbers. */
enum { LM_GG_U8, LM_GG_I8, LM_GG_U16, LM_GG_I16, LM_GG_U32, LM_GG_I32, LM_GG_F32, LM_GG_BOOL, LM_GG_STR,
       LM_GG_ARR, LM_GG_U64, LM_GG_I64, LM_GG_F64, LM_GG_TYPES };
enum { LM_GG_DIMS = 4, LM_GG_ALIGN = 32 };         /* most dimensions of a tensor; general.alignment if the key is absent */

/* --- reading --- */
typedef struct lm_gguf lm_gguf;
typedef struct {
    lm_str key;
    int type;                                      /* LM_GG_ARR: an array, of elem */
    int elem;                                      /* = type of a value that is no array; never LM_GG_ARR */
    uint64_t n;                                    /* elements; 1 of a value that is no array */
    lm_str data;                                   /* as in the file, unaligned; a string has its u64 length before it */
} lm_gg_key;
typedef struct {
    lm_str name;
    uint32_t type;                                 /* ggml's number: 0 f32, 1 f16, 8 q8_0, 30 bf16 .. */
    unsigned nd;
    uint64_t dim[LM_GG_DIMS];                      /* the fastest first, as in the file; 1 behind nd */
    uint64_t off, bytes;                           /* in the data; bytes 0: the type is not known here */
    const char *data;                              /* NULL: the type is not known here */
} lm_gg_tensor;

/* file must outlive *out and is trusted in nothing: counts, lengths, offsets are checked against its size, keys
   and names are unique, the data of each tensor of a known type lies inside. name is for messages.
   LM_EINVALID (no GGUF, a form we do not read), LM_EVERSION, LM_ETRUNC, LM_ECORRUPT. Freed by lm_gguf_free. */
int lm_gguf_parse(lm_str file, const char *name, lm_gguf **out);
void lm_gguf_free(lm_gguf *g);
size_t lm_gguf_keys(const lm_gguf *g);
const lm_gg_key *lm_gguf_key(const lm_gguf *g, size_t i);          /* in the order of the file */
const lm_gg_key *lm_gguf_get(const lm_gguf *g, const char *key);   /* NULL: absent */
size_t lm_gguf_tensors(const lm_gguf *g);
const lm_gg_tensor *lm_gguf_tensor(const lm_gguf *g, size_t i);
/* Typed getters: 1 found, 0 absent, LM_EINVALID of another type (the key named); *v is untouched but on 1.
   u64 takes any integer type, if it is not negative. */
int lm_gguf_str(const lm_gguf *g, const char *key, lm_str *v);
int lm_gguf_u64(const lm_gguf *g, const char *key, uint64_t *v);
int lm_gguf_f64(const lm_gguf *g, const char *key, double *v);   /* of F32 or F64 */
int lm_gguf_bool(const lm_gguf *g, const char *key, bool *v);
/* An array of elem (LM_GG_ ..): 1, 0, LM_EINVALID. */
int lm_gguf_arr(const lm_gguf *g, const char *key, int elem, const lm_gg_key **v);
/* Element i of an array of integers of any type (of a u64 over 2^63-1, the two's complement). */
int64_t lm_gg_int(const lm_gg_key *k, uint64_t i);
/* Takes the first string off *rest, which starts as .data of an array of strings; false at its end. */
bool lm_gg_next(lm_str *rest, lm_str *s);
/* Bytes of a tensor, 0: type not known, no dimension, or the first is no multiple of the type's block. */
uint64_t lm_gg_bytes(uint32_t type, unsigned nd, const uint64_t *dim);

/* --- writing: keys and tensors are told in order, then comes the head, then the caller streams the data --- */
typedef struct { lm_buf keys, tensors; uint64_t nkey, ntensor, align, end; } lm_ggw;
void lm_ggw_init(lm_ggw *w, uint64_t align);       /* a power of two >= 8; other than LM_GG_ALIGN it is written as a key */
void lm_ggw_free(lm_ggw *w);
void lm_ggw_str(lm_ggw *w, const char *key, lm_str v);
void lm_ggw_u32(lm_ggw *w, const char *key, uint32_t v);
void lm_ggw_i32(lm_ggw *w, const char *key, int32_t v);
void lm_ggw_u64(lm_ggw *w, const char *key, uint64_t v);
void lm_ggw_f32(lm_ggw *w, const char *key, float v);
void lm_ggw_bool(lm_ggw *w, const char *key, bool v);
/* An array: then exactly n elements follow, by lm_ggw_item (strings) or lm_ggw_raw (the others, as bytes). */
void lm_ggw_arr(lm_ggw *w, const char *key, int elem, uint64_t n);
void lm_ggw_item(lm_ggw *w, lm_str s);
void lm_ggw_raw(lm_ggw *w, const void *p, size_t n);
/* A tensor: data in the order of these calls; lm_gg_bytes of it must not be 0. Returns its offset in the data. */
uint64_t lm_ggw_tensor(lm_ggw *w, lm_str name, uint32_t type, unsigned nd, const uint64_t *dim);
/* All before the data, up to its alignment, appended. Behind the data of each tensor come lm_ggw_pad zero bytes. */
void lm_ggw_head(const lm_ggw *w, lm_buf *out);
size_t lm_ggw_pad(const lm_ggw *w, uint64_t bytes);

#endif
