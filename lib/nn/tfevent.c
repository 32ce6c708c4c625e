/* tfevent: few fields of few messages, so they are laid out by hand; numbers are protobuf's tags.
 */
#include "nn/tfevent.h"

uint32_t lm_crc32c(const void *p, size_t n)
{
    static _Atomic uint32_t table[256]; /* filled by whoever comes first, with the same values */
    const uint8_t *s = p;
    uint32_t c = ~0u;

    if (!table[1])
        for (uint32_t i = 256; i-- > 0;) {
            uint32_t r = i;

            for (int k = 0; k < 8; k++)
                r = r >> 1 ^ (r & 1 ? 0x82f63b78u : 0);
            table[i] = r; /* entry 1 comes next to last, and 0 is 0 anyway */
        }
    for (size_t i = 0; i < n; i++)
        c = c >> 8 ^ table[(c ^ s[i]) & 255];
    return ~c;
}

uint32_t lm_tf_mask(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void varint(lm_buf *b, uint64_t v)
{
    for (; v > 127; v >>= 7)
        lm_buf_addc(b, (char)(v | 128));
    lm_buf_addc(b, (char)v);
}

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 }; /* wire types */
static void field(lm_buf *b, unsigned number, unsigned wire)
{
    varint(b, number << 3 | wire);
}

static void bytes(lm_buf *b, unsigned number, lm_str s)
{
    field(b, number, BYTES);
    varint(b, s.n);
    lm_buf_add(b, s.p, s.n);
}

static void frame(lm_buf *out, lm_str m)
{
    size_t at = out->n;

    lm_buf_le(out, m.n, 8);
    lm_buf_le(out, lm_tf_mask(lm_crc32c(out->p + at, 8)), 4);
    lm_buf_add(out, m.p, m.n);
    lm_buf_le(out, lm_tf_mask(lm_crc32c(m.p, m.n)), 4);
}

/* Event: wall_time = 1, step = 2, then one of file_version = 3, summary = 5, session_log = 7. */
static void event(lm_buf *out, double wall, uint64_t step, unsigned what, lm_str inner)
{
    lm_buf b = {0};
    uint64_t bits;

    memcpy(&bits, &wall, 8);
    field(&b, 1, FIXED64);
    lm_buf_le(&b, bits, 8);
    if (step) {
        field(&b, 2, VARINT);
        varint(&b, step);
    }
    bytes(&b, what, inner);
    frame(out, lm_buf_str(&b));
    lm_buf_free(&b);
}

void lm_tf_version(lm_buf *out, double wall)
{
    event(out, wall, 0, 3, LM_STR("brain.Event:2"));
}

void lm_tf_scalars(lm_buf *out, double wall, uint64_t step, const lm_tf_scalar *v, size_t n)
{
    lm_buf sum = {0}, one = {0};

    for (size_t i = 0; i < n; i++) { /* Summary: value = 1; Value: tag = 1, simple_value = 2 */
        uint32_t bits;

        memcpy(&bits, &v[i].v, 4);
        one.n = 0;
        bytes(&one, 1, v[i].tag);
        field(&one, 2, FIXED32);
        lm_buf_le(&one, bits, 4);
        bytes(&sum, 1, lm_buf_str(&one));
    }
    event(out, wall, step, 5, lm_buf_str(&sum));
    lm_buf_free(&one);
    lm_buf_free(&sum);
}

void lm_tf_restart(lm_buf *out, double wall, uint64_t step)
{
    event(out, wall, step, 7, LM_STR("\x08\x01")); /* SessionLog: status = 1, START */
}
