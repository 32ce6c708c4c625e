/* perm: the order of the rows of an epoch, without an index. */
#include "nn/perm.h"

void lm_perm_key(lm_perm *p, uint64_t n, uint64_t key)
{
    unsigned bits = 2;

    while (bits < 64 && (n - 1) >> bits)
        bits++;
    p->n = n;
    p->low = bits / 2;
    p->high = bits - p->low;
    for (int i = 0; i < 6; i++)
        p->key[i] = lm_splitmix(&key);
}

void lm_perm_init(lm_perm *p, uint64_t n, uint64_t seed, uint64_t epoch)
{
    lm_perm_key(p, n, lm_keyed_num(seed, "epoch", epoch));
}

static uint64_t mix(uint64_t half, uint64_t key)
{
    uint64_t s = half ^ key;

    return lm_splitmix(&s);
}

/* Halves of unequal width keep their widths: each round changes one by a function of the other. */
static uint64_t feistel(const lm_perm *p, uint64_t x)
{
    uint64_t ml = (1ull << p->low) - 1, mh = (1ull << p->high) - 1;
    uint64_t lo = x & ml, hi = x >> p->low;

    for (int i = 0; i < 6; i += 2) {
        lo ^= mix(hi, p->key[i]) & ml;
        hi ^= mix(lo, p->key[i + 1]) & mh;
    }
    return hi << p->low | lo;
}

uint64_t lm_perm_at(const lm_perm *p, uint64_t i)
{
    do
        i = feistel(p, i);
    while (i >= p->n);
    return i;
}
