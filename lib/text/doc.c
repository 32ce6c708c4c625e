/* Path, extension, encoding and id of a document, decided alike for all importers. */
#include "text/doc.h"
#include <nettle/base64.h>
#include <nettle/sha1.h>

bool lm_path_clean(lm_buf *out, lm_str raw, uint64_t *parts)
{
    const char *p = raw.p, *e = raw.p + raw.n;

    *parts = 0;
    while (p < e) {
        const char *q = memchr(p, '/', (size_t)(e - p));
        size_t n = (size_t)((q ? q : e) - p);

        if (n && !(n == 1 && p[0] == '.') && !(n == 2 && p[0] == '.' && p[1] == '.')) {
            if ((*parts)++)
                lm_buf_addc(out, '/');
            lm_buf_add(out, p, n);
        }
        p += n + 1;
    }
    return *parts > 0;
}

size_t lm_path_ext(lm_str path, char out[17])
{
    size_t n = 0;

    out[0] = 0;
    while (n < path.n && path.p[path.n - 1 - n] != '.' && path.p[path.n - 1 - n] != '/')
        n++;
    if (n == 0 || n > 16 || n + 1 >= path.n || path.p[path.n - 1 - n] != '.' ||
        path.p[path.n - 2 - n] == '/')
        return 0;
    for (size_t i = 0; i < n; i++) {
        char c = path.p[path.n - n + i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c | 32);
        else if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
                   c == '-'))
            return out[0] = 0;
        out[i] = c;
    }
    out[n] = 0;
    return n;
}

const char *lm_doc_enc(lm_str body)
{
    size_t control = 0;
    unsigned char high = 0;

    if (!body.n)
        return "ascii";
    if (memchr(body.p, 0, body.n))
        return "binary";
    for (size_t i = 0; i < body.n; i++) {
        unsigned char c = (unsigned char)body.p[i];

        high |= c;
        control += c < 9 || (c > 13 && c < 32) || c == 127;
    }
    if (control * 10 > body.n * 3)
        return "binary";
    if (!(high & 0x80))
        return "ascii";
    return lm_utf8_valid(body.p, body.n) ? "utf8" : "bytes";
}

bool lm_utf16_to_utf8(lm_str s, lm_buf *out, uint64_t *lone)
{
    const unsigned char *p = (const unsigned char *)s.p, *e = p + s.n;
    int lo;

    if (s.n < 2 || !((p[0] == 0xFF && p[1] == 0xFE) || (p[0] == 0xFE && p[1] == 0xFF)))
        return false;
    lo = p[0] == 0xFF ? 0 : 1; /* which byte of a unit is the low one */
    for (p += 2; p < e;) {
        uint32_t cp = 0xFFFD, next;
        char utf[4];

        if (e - p < 2) {
            ++*lone;
            p = e;
        } else {
            cp = (uint32_t)p[lo] | (uint32_t)p[!lo] << 8;
            p += 2;
            if (cp >= 0xD800 && cp < 0xDC00 && e - p >= 2 &&
                (next = (uint32_t)p[lo] | (uint32_t)p[!lo] << 8) >= 0xDC00 && next < 0xE000) {
                cp = 0x10000 + ((cp - 0xD800) << 10) + (next - 0xDC00);
                p += 2;
            } else if (cp >= 0xD800 && cp < 0xE000) {
                cp = 0xFFFD;
                ++*lone;
            }
        }
        lm_buf_add(out, utf, lm_utf8_put(utf, cp));
    }
    return true;
}

static void hex(char *out, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = "0123456789abcdef"[p[i] >> 4];
        out[2 * i + 1] = "0123456789abcdef"[p[i] & 15];
    }
    out[2 * n] = 0;
}

void lm_doc_id(int kind, lm_str body, char out[65])
{
    uint8_t sum[32];

    if (kind == LM_ID_SHA256) {
        lm_sha256(body.p, body.n, sum);
        hex(out, sum, 32);
    } else if (kind == LM_ID_SHA1GIT) {
        struct sha1_ctx c;
        char head[32];
        int n = snprintf(head, sizeof head, "blob %zu", body.n);

        sha1_init(&c);
        sha1_update(&c, (size_t)n + 1, (const uint8_t *)head);
        sha1_update(&c, body.n, (const uint8_t *)body.p);
        sha1_digest(&c, SHA1_DIGEST_SIZE, sum);
        hex(out, sum, 20);
    } else {
        char h[33];

        lm_id_hex(lm_hash128(body.p, body.n), h);
        memcpy(out, h, 33);
    }
}

bool lm_doc_id_ok(lm_str id)
{
    if (id.n != 32 && id.n != 40 && id.n != 64)
        return false;
    for (size_t i = 0; i < id.n; i++)
        if (!((id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'a' && id.p[i] <= 'f')))
            return false;
    return true;
}

void lm_b64_encode(lm_buf *out, lm_str s)
{
    size_t n = BASE64_ENCODE_RAW_LENGTH(s.n);

    base64_encode_raw(lm_buf_need(out, n), s.n, (const uint8_t *)s.p);
    out->n += n;
}

bool lm_b64_decode(lm_buf *out, lm_str s)
{
    struct base64_decode_ctx c;
    size_t n = BASE64_DECODE_LENGTH(s.n);

    base64_decode_init(&c);
    if (!base64_decode_update(&c, &n, (uint8_t *)lm_buf_need(out, n + 1), s.n, s.p) ||
        !base64_decode_final(&c))
        return false;
    out->n += n;
    out->p[out->n] = 0;
    return true;
}
