/* pii-fake: what stands in the place of a value. */
#include "text/pii-priv.h"

void lm_pii_tag(lm_buf *out, int kind)
{
    lm_buf_adds(out, kind == LM_PII_EMAIL                 ? "<EMAIL>"
                     : kind & (LM_PII_IPV4 | LM_PII_IPV6) ? "<IP>"
                                                          : "<KEY>");
}

/* Block number n of the stream of bytes that belongs to seed and value. */
static void bytes_of(uint64_t seed, lm_str value, uint32_t n, uint8_t out[32])
{
    uint8_t key[12];
    int i;

    for (i = 0; i < 8; i++)
        key[i] = (uint8_t)(seed >> 8 * i);
    for (i = 0; i < 4; i++)
        key[8 + i] = (uint8_t)(n >> 8 * i);
    lm_hmac_sha256(key, n ? 12 : 8, value.p, value.n, out);
}

static void fake_key(lm_buf *out, lm_str value, uint64_t seed)
{
    static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    uint8_t h[32];
    size_t end = out->n + value.n, i = 0;

    lm_buf_adds(out, "XKEY");
    for (; out->n < end; i++) { /* 32 digits a block, one a byte */
        if (i % 32 == 0)
            bytes_of(seed, value, (uint32_t)(i / 32), h);
        lm_buf_addc(out, base32[h[i % 32] % 32]);
    }
    out->n = end;
    out->p[end] = 0;
}

void lm_pii_fake(lm_buf *out, int kind, lm_str value, uint64_t seed, bool all_ip)
{
    uint8_t h[32];
    int i;

    bytes_of(seed, value, 0, h);
    if (kind == LM_PII_EMAIL) {
        for (i = 0; i < 5; i++)
            lm_buf_addc(out, (char)('a' + h[i] % 26));
        lm_buf_adds(out, "@example.com");
    } else if (kind == LM_PII_IPV4) {
        lm_buf_addf(out, "%d.%u.%u.%u", all_ip ? 0 : 10, h[0], h[1], h[2]);
    } else if (kind == LM_PII_IPV6) {
        lm_buf_addf(out, "%s%02x%02x:%02x%02x:%02x%02x",
                    all_ip ? "100::" : "fd00::", 1 + h[0] % 255, h[1], h[2] | 16, h[3], h[4] | 16,
                    h[5]);
    } else {
        fake_key(out, value, seed);
    }
}

static void put_all(const lm_pii *p, lm_str text, const lm_pii_list *l, bool fake, uint64_t seed,
                    lm_buf *out)
{
    size_t i, at = 0;

    for (out->n = 0, i = 0; i < l->n; i++) {
        const lm_pii_span *s = &l->v[i];

        lm_buf_add(out, text.p + at, s->off - at);
        if (fake)
            lm_pii_fake(out, s->kind, (lm_str){text.p + s->off, s->len}, seed, p->cfg.all_ip);
        else
            lm_pii_tag(out, s->kind);
        at = s->off + s->len;
    }
    lm_buf_add(out, text.p + at, text.n - at);
}

/* How long the replacement of a span is. */
static size_t new_len(const lm_pii *p, lm_str text, const lm_pii_span *s, bool fake, uint64_t seed,
                      lm_buf *room)
{
    room->n = 0;
    if (fake)
        lm_pii_fake(room, s->kind, (lm_str){text.p + s->off, s->len}, seed, p->cfg.all_ip);
    else
        lm_pii_tag(room, s->kind);
    return room->n;
}

/* Adds to l the spans of more, which tell places in the replaced text; those of l that one covers
 * go. */
static void add_back(const lm_pii *p, lm_str text, lm_pii_list *l, lm_pii_list *more, bool fake,
                     uint64_t seed)
{
    lm_buf room = {0};
    lm_pii_list all = {0};
    size_t i = 0, k = 0, shown = 0,
           at = 0; /* shown: place in the replaced text, at: in the old one */

    for (; k < more->n; k++) {
        lm_pii_span m = more->v[k];
        size_t end = m.off + m.len, n;
        bool first = true;

        if (m.off < shown) /* the one before took its replacement along */
            m.off = shown;
        for (; end > shown; i++) {
            size_t gap = (i < l->n ? l->v[i].off : text.n) - at;

            if (first && m.off < shown + gap) { /* begins between spans */
                m.off = at + (m.off - shown);
                first = false;
            }
            if (!first && end <= shown + gap) {
                m.len = at + (end - shown) - m.off;
                break;
            }
            n = new_len(p, text, &l->v[i], fake, seed, &room);
            shown += gap;
            if (first && m.off < shown + n) {
                m.off = l->v[i].off;
                first = false;
            } else if (first) {
                LM_GROW(all.v, all.n, all.cap);
                all.v[all.n++] = l->v[i];
            }
            shown += n;
            at = l->v[i].off + l->v[i].len;
            if (!first && end <= shown) {
                m.len = at - m.off;
                i++;
                break;
            }
        }
        if (!first) {
            LM_GROW(all.v, all.n, all.cap);
            all.v[all.n++] = m;
        }
    }
    for (; i < l->n; i++) {
        LM_GROW(all.v, all.n, all.cap);
        all.v[all.n++] = l->v[i];
    }
    free(l->v);
    *l = all;
    lm_buf_free(&room);
}

void lm_pii_replace(const lm_pii *p, lm_str text, lm_str path, lm_pii_list *spans, bool fake,
                    uint64_t seed, lm_buf *out)
{
    lm_pii_list more = {0};
    bool again = true;

    while (again) {
        put_all(p, text, spans, fake, seed, out);
        lm_pii_scan(p, lm_buf_str(out), path, &more);
        again = more.n > 0;
        if (again)
            add_back(p, text, spans, &more, fake, seed);
    }
    free(more.v);
}
