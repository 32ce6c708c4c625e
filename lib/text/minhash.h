/* minhash: signatures whose agreement estimates the Jaccard similarity of texts (Broder 1997). */
#ifndef LM_MINHASH_H
#define LM_MINHASH_H
#include "base/base.h"
#include "kernels/data.h"

enum { LM_MH_PERMS = 256, LM_MH_GRAM = 5 };

/* The hash functions of a seed: a odd, a[i] and b[i] drawn in turn from SplitMix64(seed). Read-only once
   set up: any number of threads share it. */
typedef struct {
    const lm_data_ops *k;
    lm_byteset word;                               /* [A-Za-z0-9_] */
    uint64_t a[LM_MH_PERMS], b[LM_MH_PERMS];
} lm_minhash;
void lm_minhash_init(lm_minhash *m, const lm_data_ops *k, uint64_t seed);

/* A thread's room; {0} is empty. Grows to the largest text signed. */
typedef struct { lm_buf folded; uint64_t *tok; uint32_t *x; size_t ntok, nx; } lm_minhash_room;
void lm_minhash_room_free(lm_minhash_room *r);

/* The signature of a text: words are runs of [A-Za-z0-9_] and bytes >= 128, ASCII lower-cased; a shingle
   is the low 32 bits of XXH3-64 over the XXH3-64 hashes of five words in a row, and a text of one to four
   words is one shingle. sig[i] = least over the shingles of the high 32 bits of a[i] x + b[i] mod 2^64.
   False: no word, no signature. */
bool lm_minhash_sign(const lm_minhash *m, lm_minhash_room *r, lm_str text, uint32_t sig[LM_MH_PERMS]);

/* Key of a band: XXH3-64, seed = number of the band, of its rows values. */
uint64_t lm_minhash_band(const uint32_t *sig, unsigned band, unsigned rows);
/* Share of equal values: estimates Jaccard similarity s with variance s (1 - s) / 256. */
double lm_minhash_sim(const uint32_t *a, const uint32_t *b);
/* Bands and rows for a threshold t in (0, 1): .7 gives 25 x 10, The Stack's; another t those whose midpoint
   (1 / bands)^(1 / rows) is nearest, with 128 < bands x rows <= 256, of equals the one with more values. */
void lm_minhash_split(double t, unsigned *bands, unsigned *rows);

#endif
