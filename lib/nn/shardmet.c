/* shardmet: a shard's bytes are checked when they are first met, a block at a time: opening one
   costs no pass over it, and what was found right is not looked at again. */
#include "nn/shard.h"
#include <inttypes.h>

/* The first of n tokens whose id is not below ids; n: none. */
static uint64_t beyond(const lm_shard *s, const uint8_t *p, uint64_t n, uint32_t ids)
{
    uint32_t max = 0;

    if (s->width == 2 && ids > UINT16_MAX)
        return n;
    for (uint64_t i = 0; s->width == 2 && i < n; i++) {
        uint16_t v = (uint16_t)(p[2 * i] | p[2 * i + 1] << 8);

        max = v > max ? v : max;
    }
    for (uint64_t i = 0; s->width == 4 && i < n; i++) {
        uint32_t v = lm_load32(p + 4 * i);

        max = v > max ? v : max;
    }
    if (max < ids)
        return n;
    for (uint64_t i = 0;; i++)
        if (lm_load_id(p + i * s->width, s->width) >= ids)
            return i;
}

/* Checks the blocks of a record that hold bytes [lo, hi) of its body. */
static int sums_met(const lm_shard *s, const lm_shard_sums *c, uint64_t lo, uint64_t hi)
{
    for (uint64_t b = lo / LM_SHARD_SUM; lo < hi && b <= (hi - 1) / LM_SHARD_SUM; b++) {
        uint64_t at = b * LM_SHARD_SUM, n = c->len - at;

        if (atomic_load_explicit(&c->met[b], memory_order_relaxed))
            continue;
        n = n < LM_SHARD_SUM ? n : LM_SHARD_SUM;
        if (lm_crc32(0, c->body + at, n) != lm_load32(c->sum + 4 * b))
            return lm_err_at(LM_ECORRUPT, s->path,
                             "block %" PRIu64 " of @%s (bytes %" PRIu64 "-%" PRIu64 "): wrong CRC",
                             b, c->name, at, at + n - 1);
        atomic_store_explicit(&c->met[b], 1, memory_order_relaxed);
    }
    return 0;
}

/* The weights of a block's tokens fill blocks of their own: checked with it, they cost nothing
 * later. */
static int block_met(const lm_shard *s, uint64_t b, uint32_t ids)
{
    uint64_t at = b * LM_SHARD_BLOCK, n = s->len - at, bad;
    char block[96];

    n = n < LM_SHARD_BLOCK ? n : LM_SHARD_BLOCK;
    snprintf(block, sizeof block, "block %" PRIu64 " of tokens (bytes %" PRIu64 "-%" PRIu64 ")", b,
             at, at + n - 1);
    if (lm_crc32(0, s->tok + at, n) != lm_load32(s->crc + 4 * b))
        return lm_err_at(LM_ECORRUPT, s->path, "%s: wrong CRC", block);
    if (ids && (bad = beyond(s, s->tok + at, n / s->width, ids)) < n / s->width)
        return lm_err_at(LM_EINVALID, s->path,
                         "%s: token %" PRIu64 " is id %" PRIu32 ", beyond the %" PRIu32
                         " of the vocabulary",
                         block, at / s->width + bad, lm_shard_at(s, at / s->width + bad), ids);
    if (s->of_weight.sum)
        return sums_met(s, &s->of_weight, at / s->width, (at + n) / s->width);
    return 0;
}

int lm_shard_met(const lm_shard *s, uint64_t lo, uint64_t hi, uint32_t ids)
{
    uint64_t b = lo * s->width / LM_SHARD_BLOCK;
    int err = 0;

    for (; lo < hi && b <= (hi * s->width - 1) / LM_SHARD_BLOCK && !err; b++)
        if (!atomic_load_explicit(&s->met[b], memory_order_relaxed) &&
            !(err = block_met(s, b, ids)))
            atomic_store_explicit(&s->met[b], 1, memory_order_relaxed);
    return err;
}

/* Checks elements [lo, hi) of size bytes of the array at p, if it has sums; *sure becomes, if that
   is less, the first element behind the blocks that were looked at. */
static int elements(const lm_shard *s, const lm_shard_sums *c, const uint8_t *p, uint64_t size,
                    uint64_t lo, uint64_t hi, uint64_t *sure)
{
    uint64_t at, end;

    if (!c->sum)
        return 0;
    at = (uint64_t)(p - c->body);
    end = at + hi * size;
    if (hi < s->docs) {
        uint64_t next = ((end - 1) / LM_SHARD_SUM + 1) * LM_SHARD_SUM, whole = (next - at) / size;

        *sure = whole < *sure ? whole : *sure;
    }
    return sums_met(s, c, at + lo * size, end);
}

int lm_shard_doc_met(const lm_shard *s, uint64_t doc, uint64_t *sure)
{
    uint64_t lo = doc ? doc - 1 : 0, hi = doc + 2 < s->docs ? doc + 2 : s->docs, n = UINT64_MAX;
    int err;

    if (doc >= s->docs)
        lo = hi;
    if ((err = elements(s, &s->of_ends, s->ends, 8, lo, hi, &n)) ||
        (err = elements(s, &s->of_ids, s->ids, 16, lo, hi, &n)) ||
        (err = elements(s, &s->of_ids, s->from, 8, lo, hi, &n)) ||
        (err = elements(s, &s->of_prefix, s->prefix, 4, lo, hi, &n)))
        return err;
    *sure = n == UINT64_MAX ? n : n - 1; /* of a document, the one behind it is read too */
    return 0;
}
