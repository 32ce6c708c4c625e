/* io: what the files of this room share and nobody else sees. */
#ifndef LM_STREAM_IO_H
#define LM_STREAM_IO_H
#include "stream/stream.h"

const char *lm_attrs_check(const char *p, const char *end, lm_str *attrs);   /* NULL, or what is wrong */
const char *lm_head_scan(const char *line, lm_rec *r, uint64_t *len, const char **why);   /* a line that begins with '@', up to the LF that must follow somewhere: its place; NULL: *why */
lm_str lm_attr_find(lm_str attrs, const char *key);                /* the value as written; p NULL = absent */
void lm_rec_begin(lm_rec *r);                                      /* forgets the last record, keeps its memory */
void lm_rec_head(lm_buf *out, lm_rec *r, uint64_t len);            /* "@type len attrs" without LF */

/* Raw bytes of one input: a descriptor, or gzip and zstd decoded by libarchive. */
typedef struct lm_src lm_src;
lm_src *lm_src_open(const char *path);             /* "-" = stdin; NULL: LM_EIO stored */
ssize_t lm_src_read(lm_src *s, void *p, size_t n, void (*block)(void *), void *ctx);   /* block is called before a read that would block */
bool lm_src_seekable(const lm_src *s);             /* a regular file, not compressed */
int lm_src_skip(lm_src *s, uint64_t n);            /* seekable: forward n bytes */
int lm_src_seek(lm_src *s, uint64_t off);          /* a regular file, compressed or not: off is a frame's start; 0 or LM_EIO */
bool lm_src_regular(const lm_src *s);
int lm_src_fd(const lm_src *s);
uint64_t lm_src_size(const lm_src *s);             /* of the file; 0 = unknown */
uint64_t lm_src_done(const lm_src *s);             /* bytes of it read so far */
void lm_src_close(lm_src *s);

void lm_out_settle(lm_out *out);                   /* copies or writes what still points into the tied input's buffer */
bool lm_in_owns(const lm_in *in, const char *p);   /* does p lie in its buffer? */
void lm_out_source(lm_out *out, lm_in *in);        /* records of in may be written from its buffer; NULL = none */
/* Compressed output by the file's name; NULL when the name asks for none. A flush ends a frame. */
typedef struct lm_zip lm_zip;
lm_zip *lm_zip_for(const char *path, int fd);
int lm_zip_write(lm_zip *z, const void *p, size_t n);
int lm_zip_flush(lm_zip *z);
int lm_zip_close(lm_zip *z);                       /* flushes, frees */

#endif
