/* data: the kernels of the data filters, one prototype an operation. kernels/ref holds their
   meaning; kernels/x86/LEVEL overrides by the same stem; every level gives the same bytes. */
#ifndef LM_DATA_H
#define LM_DATA_H
#include <stddef.h>
#include <stdint.h>

/* A set of ASCII bytes: c (< 128) is in it if bit c / 16 of row[c % 16] is 1. */
typedef struct { uint8_t row[16]; } lm_byteset;

typedef struct {
    int level;                                     /* of kernels/cpu.h */
    /* Where in p[0..n) are the bytes of some sets? mask has (n + 63) / 64 rows of nset + 1 words;
       bit i % 64 of word s of row i / 64 says that byte i is in set s, of word nset that it is >= 128.
       Bits past n are 0. nset <= 15. */
    void (*bytesets)(const void *p, size_t n, const lm_byteset *set, size_t nset, uint64_t *mask);
    /* dst[i] = src[i] with A-Z made a-z, i < n. dst may be src. */
    void (*fold)(char *dst, const char *src, size_t n);
    /* min[i] = min(min[i], high 32 bits of (a[i] x[j] + b[i] mod 2^64)) over all j < n, for i < perms;
       perms is a multiple of 64, a[i] is odd. */
    void (*minhash)(const uint32_t *x, size_t n, const uint64_t *a, const uint64_t *b, size_t perms,
                    uint32_t *min);
} lm_data_ops;

const lm_data_ops *lm_data(void);                  /* for lm_cpu_level(); NULL: its error is stored */
const lm_data_ops *lm_data_at(int level);          /* for tests; level <= lm_cpu_best() */

void lm_bytesets_ref(const void *p, size_t n, const lm_byteset *set, size_t nset, uint64_t *mask);
void lm_bytesets_avx2(const void *p, size_t n, const lm_byteset *set, size_t nset, uint64_t *mask);
void lm_bytesets_avx512(const void *p, size_t n, const lm_byteset *set, size_t nset, uint64_t *mask);
void lm_fold_ref(char *dst, const char *src, size_t n);
void lm_fold_avx2(char *dst, const char *src, size_t n);
void lm_minhash_ref(const uint32_t *x, size_t n, const uint64_t *a, const uint64_t *b, size_t perms,
                    uint32_t *min);
void lm_minhash_avx2(const uint32_t *x, size_t n, const uint64_t *a, const uint64_t *b, size_t perms,
                     uint32_t *min);
void lm_minhash_avx512(const uint32_t *x, size_t n, const uint64_t *a, const uint64_t *b, size_t perms,
                       uint32_t *min);

#endif
