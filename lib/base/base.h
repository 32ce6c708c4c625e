/* base: memory, containers, hashes, numbers and text that every other room stands on.
   Knows nobody above it; prints nothing; ends the process only through lm_oom_hook. */
#ifndef LM_BASE_H
#define LM_BASE_H
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LM_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define LM_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* A view of bytes: not NUL-ended, not owned; p NULL = absent. */
typedef struct { const char *p; size_t n; } lm_str;
#define LM_STR(lit) ((lm_str){("" lit ""), sizeof(lit) - 1})
static inline lm_str lm_cstr(const char *s) { return (lm_str){s, s ? strlen(s) : 0}; }
static inline bool lm_eq(lm_str a, lm_str b) { return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n)); }
static inline bool lm_is(lm_str a, const char *s) { return lm_eq(a, lm_cstr(s)); }
int lm_cmp(lm_str a, lm_str b);                    /* by bytes, a prefix first: <0, 0, >0 */

/* Results. >= 0 is success (LM_DONE, LM_NO = the negative answer); < 0 an error class. */
enum {
    LM_DONE = 0, LM_NO = 1,
    LM_EUSAGE = -1,
    LM_ECORRUPT = -2, LM_ETRUNC = -3, LM_ELIMIT = -4, LM_EVERSION = -5, LM_EMISSING = -6,
    LM_EMISMATCH = -7, LM_EINVALID = -8,           /* exit 3: the input is bad */
    LM_EABORT = -9,                                /* exit 4: upstream gave up */
    LM_EIO = -10, LM_EMEM = -11, LM_EDEVICE = -12, LM_EFACILITY = -13,  /* exit 5: the system */
    LM_EAGAIN = -14, LM_EDIVERGED = -15, LM_ESUSPECT = -16              /* exit 6, 7, 8 */
};
const char *lm_class_name(int err);                /* "corrupt", "io", .. */
int lm_class_exit(int err);                        /* the exit code of a result */

/* The last error of this thread. lm_err and lm_err_at store it and return the class, so that
   `return lm_err(LM_EINVALID, "..")` is the idiom. where: "file", "file:record:byte" or NULL. */
int lm_err(int err, const char *fmt, ...) LM_PRINTF(2, 3);
int lm_err_at(int err, const char *where, const char *fmt, ...) LM_PRINTF(3, 4);
int lm_err_sys(const char *where, const char *what);   /* LM_EIO: "what: strerror(errno)" */
typedef struct { int err; char where[512], detail[1024]; } lm_error;
lm_error *lm_last_error(void);                     /* of this thread; .err 0 = none; may be assigned */

/* Memory: these never return NULL; out of memory calls lm_oom_hook (set by lib/cli: exit 5). */
extern void (*lm_oom_hook)(size_t bytes);
void *lm_alloc(size_t n);
void *lm_zalloc(size_t n, size_t size);            /* n * size checked, zeroed */
void *lm_realloc(void *p, size_t n);
void *lm_reallocn(void *p, size_t n, size_t size); /* n * size checked */
void *lm_memdup(const void *p, size_t n);          /* with a NUL added behind */
char *lm_strdup(const char *s);
char *lm_strndup(lm_str s);
void *lm_alloc_huge(size_t n);                     /* zeroed, page aligned, huge pages asked for before first touch */
void lm_free_huge(void *p, size_t n);
void lm_hint_huge(void *p, size_t n);              /* memory from lm_alloc that will all be used: before first touch */
bool lm_mul_ok(size_t a, size_t b, size_t *out);   /* false on overflow */
bool lm_add_ok(size_t a, size_t b, size_t *out);
/* Room for one more element in a growing array: LM_GROW(v, n, cap), then v[n++] = .. */
#define LM_GROW(v, n, cap) \
    ((n) < (cap) ? (void)0 : (void)((cap) = (cap) ? (cap) * 2 : 16, (v) = lm_reallocn((v), (cap), sizeof *(v))))

/* A growing byte buffer; always has a NUL behind n once it has grown. {0} is empty. */
typedef struct { char *p; size_t n, cap; } lm_buf;
char *lm_buf_need(lm_buf *b, size_t more);         /* room for more bytes; returns the end */
void lm_buf_add(lm_buf *b, const void *p, size_t n);
void lm_buf_adds(lm_buf *b, const char *s);
void lm_buf_addc(lm_buf *b, char c);
void lm_buf_le(lm_buf *b, uint64_t v, unsigned n);                 /* the low n <= 8 bytes of v, the least first */
void lm_buf_align8(lm_buf *b);                     /* zeros up to a multiple of 8 bytes */
void lm_buf_addf(lm_buf *b, const char *fmt, ...) LM_PRINTF(2, 3);
void lm_buf_free(lm_buf *b);
static inline lm_str lm_buf_str(const lm_buf *b) { return (lm_str){b->p ? b->p : "", b->n}; }

/* An arena: many small allocations, freed together. 16-byte aligned. */
typedef struct lm_arena lm_arena;
lm_arena *lm_arena_new(void);
void *lm_arena_alloc(lm_arena *a, size_t n);
lm_str lm_arena_str(lm_arena *a, lm_str s);        /* a copy, NUL behind */
void lm_arena_reset(lm_arena *a);                  /* keeps one block */
void lm_arena_free(lm_arena *a);

/* A hash map from byte strings to u64; keys are copied. {0} is empty. */
typedef struct { struct lm_dict_slot *slot; size_t n, cap; lm_arena *keys; } lm_dict;
uint64_t *lm_dict_get(const lm_dict *m, lm_str key);               /* NULL if absent */
uint64_t *lm_dict_put(lm_dict *m, lm_str key, uint64_t init);      /* inserts init if absent; the value's place, valid to the next put */
void *lm_dict_ptr(const lm_dict *m, lm_str key);                   /* a pointer kept as the value; NULL if absent */
void *lm_dict_keep(lm_dict *m, lm_str key, void *p);               /* keeps p under key; returns p */
bool lm_dict_each(const lm_dict *m, size_t *i, lm_str *key, uint64_t **val);   /* *i from 0; in no order */
void lm_dict_free(lm_dict *m);

/* Hashes (libxxhash, zlib, nettle). An id is 16 bytes, high half first; hex is lower case. */
typedef struct { uint64_t hi, lo; } lm_id;
uint64_t lm_hash64(const void *p, size_t n, uint64_t seed);        /* XXH3-64 */
lm_id lm_hash128(const void *p, size_t n);                         /* XXH3-128, seed 0 */
typedef struct lm_hasher lm_hasher;                                /* lm_hash128 of what comes in pieces */
lm_hasher *lm_hasher_new(void);
void lm_hasher_add(lm_hasher *h, const void *p, size_t n);
lm_id lm_hasher_end(lm_hasher *h);                                 /* frees it */
void lm_id_hex(lm_id id, char out[33]);
bool lm_id_parse(lm_str s, lm_id *id);                             /* the first 32 hex digits of s */
int lm_id_cmp(lm_id a, lm_id b);
/* K(seed, tag, v..) of corpus.md 3: XXH3-64 with seed over tag and values joined by NUL bytes. */
uint64_t lm_keyed(uint64_t seed, const char *tag, const lm_str *v, size_t n);
uint64_t lm_keyed_num(uint64_t seed, const char *tag, uint64_t n); /* of one value, a number in decimal */
uint64_t lm_splitmix(uint64_t *state);                             /* SplitMix64: advances *state, returns the next value */
static inline double lm_unit(uint64_t r) { return (double)(r >> 11) * 0x1p-53; }   /* random bits as a number in [0, 1) */
uint64_t lm_below(uint64_t *state, uint64_t n);    /* a whole number below n < 2^53 by SplitMix64 */
uint32_t lm_crc32(uint32_t crc, const void *p, size_t n);          /* of zlib, PNG and gzip; start at 0 */
void lm_sha256(const void *p, size_t n, uint8_t out[32]);
void lm_hmac_sha256(const void *key, size_t nk, const void *p, size_t n, uint8_t out[32]);

/* Numbers: whole-string, checked; false on junk, overflow, empty. No locale. */
bool lm_parse_u64(lm_str s, uint64_t *v);          /* 0 / [1-9][0-9]*, up to 2^64-1 */
bool lm_parse_part(lm_str s, uint64_t *i, uint64_t *n);            /* "i/n", i from 0 below n, n up to 2^20 */
bool lm_parse_i64(lm_str s, int64_t *v);
bool lm_parse_f64(lm_str s, double *v);            /* decimal, exponent, nan, inf, -inf */
bool lm_parse_num(lm_str s, uint64_t *v);          /* with k M G T = 10^3.. */
bool lm_parse_size(lm_str s, uint64_t *v);         /* with K M G T = 2^10.. */
int lm_fmt_f64(char out[32], double v);            /* shortest text that reads back to the same f64; returns its length */
int lm_fmt_f32(char out[32], float v);             /* same for f32 */
void lm_fmt_bytes(char out[16], uint64_t n);       /* for people: 12.3 MB (powers of 1000) */
double lm_now(void);                               /* monotonic seconds */

/* Percent escapes of stream.md 2: 00-20, 25, 7F-FF as %XX, upper case. */
void lm_pct_encode(lm_buf *out, lm_str s);
bool lm_pct_decode(lm_buf *out, lm_str s);         /* false: a bad escape, or a byte that should have been escaped */

/* UTF-8. */
size_t lm_utf8_len(const char *p, size_t n);       /* length 1-4 of the valid character at p; 0 if invalid or n == 0 */
uint32_t lm_utf8_get(const char *p, size_t n, size_t *len);        /* code point; an invalid byte gives 0xFFFFFFFF and len 1 */
size_t lm_utf8_put(char out[4], uint32_t cp);      /* length written; surrogates and > 10FFFF give 0 */
size_t lm_utf8_count(const char *p, size_t n);     /* characters; each invalid byte counts as one */
bool lm_utf8_valid(const char *p, size_t n);
size_t lm_utf8_partial(const char *p, size_t n);   /* bytes at the end that begin a character whose rest is missing: 0-3 */

/* Files. */
int lm_read_file(const char *path, lm_buf *out, size_t max);       /* LM_EIO; LM_ELIMIT beyond max */
int lm_write_all(int fd, const void *p, size_t n);                 /* 0, or -1 with errno; EINTR and short writes handled */
int lm_write_file(const char *dir, const char *name, lm_str s);    /* DIR/NAME anew, on the disk when it returns; 0 or LM_EIO */
int lm_pread_all(int fd, void *p, size_t n, uint64_t off);         /* n bytes from off on: 0, or -1 with errno, EIO where they end */
/* A file without a name, open for both, in dir or (NULL) $TMPDIR or /tmp. 0 or LM_EIO. */
int lm_temp_file(const char *dir, int *fd);
int lm_mkdirs(const char *path, unsigned mode);                    /* like mkdir -p; 0 or LM_EIO */
int lm_rmtree(const char *path);                                   /* like rm -rf; 0 or LM_EIO */
/* Read-only mapping of a whole regular file; *n = 0 and p NULL for an empty one. */
int lm_mmap_file(const char *path, lm_str *out);                    /* LM_EIO */
void lm_munmap_file(lm_str m);
/* Bytes from to to of a mapped file need not stay in memory; they may still be read. */
void lm_mmap_drop(lm_str m, uint64_t from, uint64_t to);

#endif
