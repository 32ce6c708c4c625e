/* stream: the format `%lm 1` (lm-stream(5)): records in, records out, all EINTR, short-write and
   compression handling. The library returns codes; lib/cli alone prints and exits. */
#ifndef LM_STREAM_H
#define LM_STREAM_H
#include "base/base.h"
#include <sys/types.h>

#define LM_MAX_HEAD 65536                          /* a header line with its LF */
#define LM_MAX_LEN 999999999999999999ull           /* 18 digits */
extern size_t lm_max_body;                         /* LM_MAX_BODY: 1 GiB, or the environment's */

/* One record. Views are valid to the next lm_next on the same input (or for the call, in lm_map).
   raw is the whole record as read while it is untouched, p NULL once edited or made by hand.
   Do not copy the struct by assignment: use lm_keep. Zero it before first use. */
typedef struct {
    lm_str raw, type, attrs, body;
    uint64_t seq, off;                             /* number in its file from 0, byte of its '@' */
    struct lm_kv *kv;                              /* parsed attributes, once needed */
    size_t nkv, capkv;
    lm_arena *ar;                                  /* holds kv, decoded values, lm_keep's copy */
    lm_buf *extra;                                 /* records added by lm_add */
    uint64_t nextra, bextra;
    const char *file;                              /* for messages; may be NULL */
} lm_rec;

/* Parses a header line (with its LF). 0, or LM_ECORRUPT/LM_ELIMIT with *why set. Fills type and attrs; *len = body length. */
int lm_head_parse(const char *line, size_t n, lm_rec *r, uint64_t *len, const char **why);

lm_str lm_get(lm_rec *r, const char *key);         /* decoded value; p NULL = absent */
int lm_get_u64(lm_rec *r, const char *key, uint64_t *v);           /* 1, 0 absent, LM_EINVALID (error stored) */
int lm_get_f64(lm_rec *r, const char *key, double *v);
void lm_set(lm_rec *r, const char *key, lm_str v); /* in place if there, else appended; v is copied */
void lm_setf(lm_rec *r, const char *key, const char *fmt, ...) LM_PRINTF(3, 4);
void lm_set_f64(lm_rec *r, const char *key, double v);             /* shortest form */
void lm_del(lm_rec *r, const char *key);
void lm_rec_attrs(lm_rec *to, lm_rec *from);       /* sets in `to` all that `from` has */
void lm_clear(lm_rec *r);                          /* drops all attributes; views of them stay valid as the record's other views do */
void lm_rec_canon(lm_rec *r);                      /* canonical form: keys sorted and unique, escapes minimal, no padding */
/* Walks attributes in order: *i from 0; key and decoded value; false at the end. */
bool lm_attr_each(lm_rec *r, size_t *i, lm_str *key, lm_str *val);
void lm_body(lm_rec *r, const void *p, size_t n);  /* sets the body: a view, must live until the record is put */
char *lm_body_alloc(lm_rec *r, size_t n);          /* a new body of n bytes owned by the record */
void lm_retype(lm_rec *r, const char *type);
void lm_rec_new(lm_rec *r, const char *type);      /* an empty record; reuses r's memory */
int lm_rec_order(lm_str a, lm_str b);              /* two whole records as bytes: by canonical header, then body; <0, 0, >0 */
lm_rec *lm_keep(lm_rec *r);                        /* a copy that lives on; lm_rec_free(it), then free */
void lm_rec_free(lm_rec *r);                       /* what r owns, not r */
void lm_rec_view(lm_rec *r, lm_str raw, lm_str type, lm_str attrs, lm_str body);   /* r becomes a view of a whole, checked record */
void lm_add(lm_rec *r, lm_rec *more);              /* in lm_map: more is written right after r (in its place if r is dropped) */
int lm_rec_write(lm_buf *out, lm_rec *r);          /* the record's bytes; 0 or LM_ELIMIT (header too long) */
lm_id lm_rec_id(lm_rec *r);                        /* id=, else the XXH3-128 of the body */

/* Reading. */
typedef struct lm_in lm_in;
typedef struct lm_out lm_out;
enum { LM_IN_LAX = 1, LM_IN_SALVAGE = 2 };         /* LAX: a cut is a warning, a bad record is skipped and counted; SALVAGE: an %abort too */
lm_in *lm_in_open(const char *path, int flags);    /* "-" = stdin; never NULL: a failed open is told by lm_next */
lm_in *lm_in_files(const char *const *paths, size_t n, int flags); /* several as one; none = stdin */
void lm_in_close(lm_in *in);
int lm_next(lm_in *in, lm_rec *r);                 /* 1 record, 0 clean end, <0 */
int lm_next_head(lm_in *in, lm_rec *r, uint64_t *len);             /* header only; then lm_body_read until 0 (the rest is hopped over) */
/* lm_next, but of a record whose body is over most bytes the header only, as lm_next_head gives it: 2, and *len. */
int lm_next_upto(lm_in *in, lm_rec *r, uint64_t most, uint64_t *len);
ssize_t lm_body_read(lm_in *in, void *p, size_t n);                /* bytes, 0 at the body's end, <0 error class */
int lm_body_all(lm_in *in, lm_rec *r, uint64_t len);               /* after a header alone: the whole body into r, which is then edited; LM_ELIMIT */
bool lm_body_map(lm_in *in, lm_str *body, uint64_t *file_off);     /* a mapped view, if the input is an uncompressed file; after lm_next_head */
int lm_fail(lm_in *in, int err, const char *fmt, ...) LM_PRINTF(3, 4);  /* at the current record */
int lm_rec_fail(const lm_rec *r, int err, const char *fmt, ...) LM_PRINTF(3, 4);   /* same, from a worker */
lm_str lm_in_abort(const lm_in *in);               /* the raw %abort line met, if any */
void lm_in_set_abort(lm_in *in, lm_str line);      /* .. or met by a child: lm_main forwards it when run returns LM_EABORT */
/* From here on damage is gone past, and lost is told each byte range [from, to) that is in no whole record. */
void lm_in_salvage(lm_in *in, void (*lost)(void *ctx, const char *file, uint64_t from, uint64_t to), void *ctx);
void lm_in_tie(lm_in *in, lm_out *out);            /* notes go to out; out is flushed before a read that would block */
void lm_in_on_note(lm_in *in, void (*f)(void *ctx, lm_str line), void *ctx);   /* instead of the tie */
typedef struct { _Atomic uint64_t recs, body, bytes, size, skipped; } lm_stats;   /* size: of all files, 0 = unknown */
lm_stats *lm_in_stats(lm_in *in);
void lm_in_on_block(lm_in *in, void (*f)(void *ctx), void *ctx);     /* called before a read that would block, instead of the flush */
/* Records without a copy: from when f is set on, what lm_next gave stays where it is until f was called; then it may be
   overwritten, unless f took the memory by lm_in_swap. NULL: as ever, until the next lm_next. */
void lm_in_on_turn(lm_in *in, void (*f)(void *ctx), void *ctx);
/* b becomes the memory read into so far, what b had is read into from now on; within f, or between two lm_next. */
void lm_in_swap(lm_in *in, lm_buf *b);
bool lm_in_low(const lm_in *in);                   /* little of the memory read into is left: a good time to swap */
void lm_in_on_warn(lm_in *in, void (*f)(const char *line));        /* told what LM_IN_LAX went past */
const char *lm_in_name(const lm_in *in);           /* of the file being read; "stdin" */
void lm_in_where(const lm_in *in, char *out, size_t n);            /* file:record:byte of the current record */

/* Index X.lmi of X (lm-index): the place of each 64th record. */
typedef struct { uint64_t rec, off, inner; } lm_mark;              /* record number; byte in the file; byte inside the frame that starts there */
int lm_idx_find(const char *path, uint64_t rec, lm_mark *m);       /* the last mark at or before rec: 1; 0 = no index, stale or damaged */
/* Of a single file: goes on to the last mark at or before record rec; the record that comes next, 0 = no
   jump made. The counts of a stream jumped into are not checked. */
uint64_t lm_in_jump(lm_in *in, uint64_t rec);
/* The compressed frames of a file: bytes in it, and decoded bytes before each. n 0: it is not compressed. */
typedef struct { uint64_t off, at; } lm_frame;
int lm_frames(const char *path, lm_frame **v, size_t *n);          /* 0, LM_EIO, LM_ECORRUPT; the caller frees *v */

/* Writing. */
enum { LM_OUT_CRC = 1, LM_OUT_SORTED = 2, LM_OUT_BARE = 4 };   /* SORTED: %by notes are gathered and sorted at the head */
lm_out *lm_out_open(const char *path, int flags);  /* NULL or "-" = stdout; a path is written aside and renamed by lm_out_end */
lm_out *lm_out_fd(int fd, const char *name, int flags);
void lm_out_by(lm_out *out, lm_str line);          /* this tool's own %by line (without LF), written behind the inputs' */
int lm_put(lm_out *out, lm_rec *r);                /* untouched records go raw */
/* align 0 or 64, 4096: body on that file offset. With align 0 the header of an untouched record that lm_next_head gave
   goes as it is. */
int lm_put_head(lm_out *out, lm_rec *r, uint64_t len, int align);
int lm_body_write(lm_out *out, const void *p, size_t n);           /* exactly len bytes in all, then the LF is ours */
void lm_out_bare(lm_out *out);                     /* no notes, no %by, no crc: canonical form */
int lm_out_note(lm_out *out, lm_str line);         /* a note line without LF; equal %by are written once */
int lm_out_raw(lm_out *out, const void *p, size_t n, uint64_t recs, uint64_t body);   /* whole records */
int lm_out_seg(lm_out *out);                       /* %seg n= b=, and a flush */
int lm_out_flush(lm_out *out);
int lm_out_end(lm_out *out);                       /* %end, flush, fsync and rename of a path; 0 or LM_EIO; frees nothing */
void lm_out_abort(lm_out *out, int code, const char *tool, const char *msg);   /* %abort if at a record boundary; drops a path */
void lm_out_abort_line(lm_out *out, lm_str line);  /* forwards an upstream %abort */
void lm_out_close(lm_out *out);                    /* frees; an unended path leaves nothing */
FILE *lm_out_text(lm_out *out);                    /* the output as plain text instead of a stream: for tools that can write either */
lm_stats *lm_out_stats(lm_out *out);

/* A file (or, with lm_aside_dir, a directory) written aside and renamed when whole. */
typedef struct lm_aside lm_aside;
lm_aside *lm_aside_open(const char *path, int *fd);                /* NULL: LM_EIO stored */
int lm_aside_commit(lm_aside *a);                  /* fsync, rename; frees; 0 or LM_EIO */
void lm_aside_drop(lm_aside *a);                   /* removes; frees */
lm_aside *lm_aside_dir(const char *path);          /* lm_aside_path(a) is a fresh directory beside path */
const char *lm_aside_path(const lm_aside *a);
/* Entries of an old folder that a new one need not have. */
void lm_aside_may_go(lm_aside *a, bool (*f)(const void *ctx, const char *name), const void *ctx);
void lm_aside_drop_all(void);                      /* async-signal-safe: unlinks what is open (for signals and out of memory) */

/* Arrays with=NAME:DT:D0xD1,.. of stream.md 2.6. */
size_t lm_dt_size(lm_str dt);                      /* bytes, 0 = unknown */
/* Finds array NAME ("" = the main one: dt=, shape=) in r's body: checks dt (if not NULL) and bounds; *n = elements, d0 = first dimension.
   1, 0 absent, <0 invalid. The view may be unaligned. */
int lm_array(lm_rec *r, const char *name, const char *dt, lm_str *bytes, uint64_t *d0, uint64_t *n);

#endif
