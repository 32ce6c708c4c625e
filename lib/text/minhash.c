/* minhash: words by the bytesets kernel, hashes by XXH3 inlined, minima by the minhash kernel. */
#define XXH_INLINE_ALL
#include <xxhash.h>
#include <math.h>
#include "text/minhash.h"

enum {
    CHUNK = 256,
    TOKS = 4096,
    XS = 4096
}; /* blocks of 64 bytes a call; words and shingles gathered */

static void word_set(lm_byteset *set)
{
    int c;

    memset(set, 0, sizeof *set);
    for (c = 0; c < 128; c++)
        if (c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z'))
            set->row[c % 16] |= (uint8_t)(1 << c / 16);
}

void lm_minhash_init(lm_minhash *m, const lm_data_ops *k, uint64_t seed)
{
    size_t i;

    m->k = k;
    word_set(&m->word);
    for (i = 0; i < LM_MH_PERMS; i++) {
        m->a[i] = lm_splitmix(&seed) | 1;
        m->b[i] = lm_splitmix(&seed);
    }
}

void lm_minhash_room_free(lm_minhash_room *r)
{
    lm_buf_free(&r->folded);
    free(r->tok);
    free(r->x);
    memset(r, 0, sizeof *r);
}

static uint32_t shingle(const uint64_t *tok, size_t n)
{
    return (uint32_t)XXH3_64bits(tok, n * sizeof *tok);
}

/* Shingles of the words gathered; the last four stay, to go with those to come. */
static void shingles(const lm_minhash *m, lm_minhash_room *r, uint32_t *sig)
{
    size_t i;

    for (i = 0; i + LM_MH_GRAM <= r->ntok; i++)
        r->x[r->nx++] = shingle(r->tok + i, LM_MH_GRAM);
    if (i) {
        memmove(r->tok, r->tok + i, (r->ntok - i) * sizeof *r->tok);
        r->ntok -= i;
    }
    m->k->minhash(r->x, r->nx, m->a, m->b, LM_MH_PERMS, sig);
    r->nx = 0;
}

bool lm_minhash_sign(const lm_minhash *m, lm_minhash_room *r, lm_str text,
                     uint32_t sig[LM_MH_PERMS])
{
    uint64_t mask[CHUNK * 2], edge, in = 0, total = 0;
    size_t at, i, start = 0;
    const char *p;

    if (!r->tok) {
        r->tok = lm_zalloc(TOKS + LM_MH_GRAM, sizeof *r->tok);
        r->x = lm_zalloc(XS + LM_MH_GRAM, sizeof *r->x);
    }
    r->ntok = r->nx = r->folded.n = 0;
    memset(sig, 0xff, LM_MH_PERMS * sizeof *sig);
    m->k->fold(lm_buf_need(&r->folded, text.n + 1), text.p, text.n);
    p = r->folded.p;
    for (at = 0; at < text.n; at += CHUNK * 64) {
        size_t n = text.n - at < CHUNK * 64 ? text.n - at : CHUNK * 64;

        m->k->bytesets(p + at, n, &m->word, 1, mask);
        for (i = 0; i < n; i += 64) {
            uint64_t w = mask[i / 64 * 2] | mask[i / 64 * 2 + 1];

            for (edge = w ^ (w << 1 | in); edge; edge &= edge - 1) { /* a word starts, then ends */
                size_t e = at + i + (size_t)__builtin_ctzll(edge);

                if ((in = !in)) {
                    start = e;
                    continue;
                }
                r->tok[r->ntok++] = XXH3_64bits(p + start, e - start);
                total++;
                if (r->ntok == TOKS)
                    shingles(m, r, sig);
            }
        }
    }
    if (in) {
        r->tok[r->ntok++] = XXH3_64bits(p + start, text.n - start);
        total++;
    }
    if (!total)
        return false;
    if (total < LM_MH_GRAM) {
        r->x[r->nx++] = shingle(r->tok, r->ntok);
        r->ntok = 0;
    }
    shingles(m, r, sig);
    return true;
}

uint64_t lm_minhash_band(const uint32_t *sig, unsigned band, unsigned rows)
{
    return XXH3_64bits_withSeed(sig + (size_t)band * rows, rows * sizeof *sig, band);
}

double lm_minhash_sim(const uint32_t *a, const uint32_t *b)
{
    unsigned i, same = 0;

    for (i = 0; i < LM_MH_PERMS; i++)
        same += a[i] == b[i];
    return same / (double)LM_MH_PERMS;
}

void lm_minhash_split(double t, unsigned *bands, unsigned *rows)
{
    double best = 2;
    unsigned b, r;

    *bands = 25;
    *rows = 10;
    if (t == .7) /* as published, though its midpoint is .725 */
        return;
    for (r = 1; r <= LM_MH_PERMS; r++)
        for (b = LM_MH_PERMS / 2 / r + 1; b * r <= LM_MH_PERMS; b++) {
            double off = fabs(pow(1.0 / b, 1.0 / r) - t);

            if (off < best - 1e-12 || (off < best + 1e-12 && b * r > *bands * *rows)) {
                best = off < best ? off : best;
                *bands = b;
                *rows = r;
            }
        }
}
