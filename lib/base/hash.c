/* hash: XXH3 by libxxhash, CRC-32 by libdeflate, SHA-256 by nettle, SplitMix64, and the keyed hash
 * K. */
#include "base/base.h"
#include <nettle/hmac.h>
#include <nettle/sha2.h>
#include <xxhash.h>
#include <libdeflate.h>

uint64_t lm_hash64(const void *p, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(p, n, seed);
}

lm_id lm_hash128(const void *p, size_t n)
{
    XXH128_hash_t h = XXH3_128bits(p, n);

    return (lm_id){h.high64, h.low64};
}

struct lm_hasher {
    XXH3_state_t *s;
};

lm_hasher *lm_hasher_new(void)
{
    lm_hasher *h = lm_alloc(sizeof *h);

    if (!(h->s = XXH3_createState()))
        lm_oom_hook(sizeof *h);
    XXH3_128bits_reset(h->s);
    return h;
}

void lm_hasher_add(lm_hasher *h, const void *p, size_t n)
{
    XXH3_128bits_update(h->s, p, n);
}

lm_id lm_hasher_end(lm_hasher *h)
{
    XXH128_hash_t x = XXH3_128bits_digest(h->s);

    XXH3_freeState(h->s);
    free(h);
    return (lm_id){x.high64, x.low64};
}

void lm_id_hex(lm_id id, char out[33])
{
    static const char digit[] = "0123456789abcdef";

    for (int i = 0; i < 16; i++) {
        out[15 - i] = digit[id.hi >> (4 * i) & 15];
        out[31 - i] = digit[id.lo >> (4 * i) & 15];
    }
    out[32] = 0;
}

bool lm_id_parse(lm_str s, lm_id *id)
{
    uint64_t half[2] = {0, 0};

    if (s.n < 32)
        return false;
    for (int i = 0; i < 32; i++) {
        char c = s.p[i];
        int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

        if (v < 0)
            return false;
        half[i / 16] = half[i / 16] << 4 | (uint64_t)v;
    }
    *id = (lm_id){half[0], half[1]};
    return true;
}

int lm_id_cmp(lm_id a, lm_id b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    return (a.lo > b.lo) - (a.lo < b.lo);
}

uint64_t lm_keyed(uint64_t seed, const char *tag, const lm_str *v, size_t n)
{
    char small[512];
    lm_buf big = {0};
    size_t len = strlen(tag);
    char *p = small;
    uint64_t h;

    for (size_t i = 0; i < n; i++)
        len += 1 + v[i].n;
    if (len > sizeof small)
        p = lm_buf_need(&big, len);
    len = strlen(tag);
    memcpy(p, tag, len);
    for (size_t i = 0; i < n; i++) {
        p[len++] = 0;
        if (v[i].n)
            memcpy(p + len, v[i].p, v[i].n);
        len += v[i].n;
    }
    h = lm_hash64(p, len, seed);
    lm_buf_free(&big);
    return h;
}

/* Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014. */
uint64_t lm_keyed_num(uint64_t seed, const char *tag, uint64_t n)
{
    char num[24];
    lm_str v = {num, (size_t)snprintf(num, sizeof num, "%llu", (unsigned long long)n)};

    return lm_keyed(seed, tag, &v, 1);
}

uint64_t lm_splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t lm_below(uint64_t *state, uint64_t n)
{
    uint64_t k = (uint64_t)(lm_unit(lm_splitmix(state)) * (double)n);

    return k < n ? k : n - 1; /* the product may round up */
}

uint32_t lm_crc32(uint32_t crc, const void *p, size_t n)
{
    return n ? libdeflate_crc32(crc, p, n) : crc; /* which starts anew at NULL */
}

void lm_sha256(const void *p, size_t n, uint8_t out[32])
{
    struct sha256_ctx c;

    sha256_init(&c);
    sha256_update(&c, n, p);
    sha256_digest(&c, 32, out);
}

void lm_hmac_sha256(const void *key, size_t nk, const void *p, size_t n, uint8_t out[32])
{
    struct hmac_sha256_ctx c;

    hmac_sha256_set_key(&c, nk, key);
    hmac_sha256_update(&c, n, p);
    hmac_sha256_digest(&c, 32, out);
}
