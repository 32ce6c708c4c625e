/* Event files: checksums against published values, frames and messages byte by byte. */
#include "nn/tfevent.h"
#include "tap.h"

static bool is(const lm_buf *b, size_t at, const char *want, size_t n)
{
    return at + n <= b->n && !memcmp(b->p + at, want, n);
}

static uint32_t u32(const char *p)
{
    const uint8_t *s = (const uint8_t *)p;

    return s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 | (uint32_t)s[3] << 24;
}

/* The frame at *at holds together; goes past it. */
static bool framed(const lm_buf *b, size_t *at, size_t *len)
{
    const char *p = b->p + *at;

    if (*at + 16 > b->n)
        return false;
    *len = u32(p);
    if (*at + 16 + *len > b->n || u32(p + 4) != 0 || u32(p + 8) != lm_tf_mask(lm_crc32c(p, 8)) ||
        u32(p + 12 + *len) != lm_tf_mask(lm_crc32c(p + 12, *len)))
        return false;
    *at += 16 + *len;
    return true;
}

int main(void)
{
    char zeros[32] = {0}, ones[32], rising[32];
    lm_buf b = {0};
    size_t at = 0, len = 0;
    lm_tf_scalar v[] = {{LM_STR("train/loss"), 1.5f}, {LM_STR("a"), -2}};

    memset(ones, 255, sizeof ones);
    for (int i = 0; i < 32; i++)
        rising[i] = (char)i;
    /* RFC 3720, B.4, and the check value of the catalogue of CRCs */
    ok(lm_crc32c(zeros, 32) == 0x8a9136aa, "crc32c of 32 zeros");
    ok(lm_crc32c(ones, 32) == 0x62a8ab43, "crc32c of 32 bytes of ones");
    ok(lm_crc32c(rising, 32) == 0x46dd794e, "crc32c of 0 to 31");
    ok(lm_crc32c("123456789", 9) == 0xe3069283, "crc32c of the nine digits");
    ok(lm_tf_mask(0) == 0xa282ead8 && lm_tf_mask(0x8000) == 0xa282ead9, "the mask turns and adds");

    lm_tf_version(&b, 2);
    ok(framed(&b, &at, &len) && at == b.n, "a version is a frame");
    ok(len == 24 && is(&b, 12,
                       "\x09\0\0\0\0\0\0\0\x40\x1a\x0d"
                       "brain.Event:2",
                       24),
       "wall_time 2.0, file_version");
    lm_tf_scalars(&b, 0, 300, v, 2);
    ok(framed(&b, &at, &len) && at == b.n, "so are scalars");
    ok(is(&b, at - 4 - len, "\x09\0\0\0\0\0\0\0\0\x10\xac\x02\x2a\x1d", 14), "step 300, a summary");
    ok(is(&b, at - 4 - len + 14,
          "\x0a\x11\x0a\x0a"
          "train/loss\x15\0\0\xc0\x3f"
          "\x0a\x08\x0a\x01"
          "a\x15\0\0\0\xc0",
          29),
       "two values: tag, simple_value");
    lm_tf_restart(&b, 0, 7);
    ok(framed(&b, &at, &len) &&
           is(&b, at - 4 - len, "\x09\0\0\0\0\0\0\0\0\x10\x07\x3a\x02\x08\x01", 15),
       "a restart is a session log");
    b.p[20] ^= 1;
    at = 0;
    ok(!framed(&b, &at, &len), "a flipped bit shows");
    lm_buf_free(&b);
    return done();
}
