/* vocab: what a loaded vocabulary answers, and decoding. Loading: vocab-load.c; writing:
   vocab-write.c; merging: vocab-merge.c; the word cache: enc.c. */
#include "text/vocab-priv.h"

const char *const lm_role_name[LM_ROLE_COUNT] = {"eos",     "pad",     "bos",  "fim-pre", "fim-mid",
                                                 "fim-suf", "fim-pad", "repo", "file"};

void lm_vocab_free(lm_vocab *v)
{
    if (!v)
        return;
    free(v->token);
    free(v->flags);
    free(v->head);
    free(v->len);
    lm_free_huge(v->find, sizeof *v->find << v->findbits);
    lm_free_huge(v->pair, sizeof *v->pair << v->pairbits);
    free(v->merge);
    lm_vocab_index_free(v);
    free(v->addlen);
    lm_dict_free(&v->added);
    lm_pre_free(v->pre);
    lm_arena_free(v->text);
    free(v);
}

uint32_t lm_vocab_size(const lm_vocab *v)
{
    return v->size;
}
const char *lm_vocab_hash(const lm_vocab *v)
{
    return v->hash;
}
const lm_pre *lm_vocab_pre(const lm_vocab *v)
{
    return v->pre;
}
bool lm_vocab_words_first(const lm_vocab *v)
{
    return v->ignore_merges;
}
bool lm_vocab_nfc(const lm_vocab *v)
{
    return v->nfc;
}
uint32_t lm_vocab_role(const lm_vocab *v, int role)
{
    return v->role[role];
}
lm_str lm_vocab_token(const lm_vocab *v, uint32_t id)
{
    return id < v->size ? v->token[id] : (lm_str){NULL, 0};
}
unsigned lm_vocab_flags(const lm_vocab *v, uint32_t id)
{
    return id < v->size ? v->flags[id] : 0;
}
const char *lm_vocab_kind(const lm_vocab *v, uint32_t id)
{
    unsigned flags = lm_vocab_flags(v, id);

    return flags & LM_TOKEN_SPECIAL ? "special" : flags ? "added" : "token";
}
size_t lm_vocab_merges(const lm_vocab *v)
{
    return v->nmerge;
}

void lm_vocab_merge(const lm_vocab *v, size_t rank, uint32_t *left, uint32_t *right, uint32_t *id)
{
    *left = v->merge[rank][0];
    *right = v->merge[rank][1];
    *id = v->merge[rank][2];
}

uint32_t lm_vocab_find(const lm_vocab *v, lm_str s)
{
    uint64_t h = lm_hash64(s.p, s.n, 0) << 32, mask = (1ull << v->findbits) - 1, x;

    for (size_t i = lm_find_slot(v, h); (x = v->find[i]) != UINT64_MAX; i = (i + 1) & mask)
        if (x >> 32 == h >> 32 && lm_eq(v->token[(uint32_t)x], s))
            return lm_token_merges(v->flags[(uint32_t)x]) ? (uint32_t)x : LM_NO_ID;
    return LM_NO_ID;
}

size_t lm_vocab_rank(const lm_vocab *v, uint32_t left, uint32_t right, uint32_t *id)
{
    const struct lm_vocab_pair *m = lm_pair_find(v, left, right);

    if (!m)
        return SIZE_MAX;
    *id = m->id;
    return m->rank;
}

uint32_t lm_vocab_whole(const lm_vocab *v, lm_str word)
{
    return v->ignore_merges ? lm_vocab_find(v, word) : LM_NO_ID;
}

uint32_t lm_vocab_added(const lm_vocab *v, lm_str content)
{
    const uint64_t *id = lm_dict_get(&v->added, content);

    return id ? (uint32_t)*id : LM_NO_ID;
}

uint32_t lm_vocab_scan_added(const lm_vocab *v, lm_str t, size_t *at)
{
    if (!v->naddlen)
        return LM_NO_ID;
    for (size_t i = *at; i < t.n; i++) {
        unsigned two = (unsigned char)t.p[i] << 8 | (i + 1 < t.n ? (unsigned char)t.p[i + 1] : 0);

        if (!(v->addpair[two >> 3] >> (two & 7) & 1))
            continue;
        for (size_t k = 0; k < v->naddlen; k++) {
            uint32_t id;

            if (v->addlen[k] > t.n - i)
                continue;
            id = lm_vocab_added(v, (lm_str){t.p + i, v->addlen[k]});
            if (id != LM_NO_ID) {
                *at = i;
                return id;
            }
        }
    }
    return LM_NO_ID;
}

int lm_vocab_decode(const lm_vocab *v, const uint32_t *ids, size_t n, bool drop, lm_buf *out)
{
    size_t len = 0;
    char *to;

    for (size_t i = 0; i < n; i++) {
        unsigned k = ids[i] < v->size ? v->len[ids[i]] : 0;

        if (!k)
            return lm_err(LM_EINVALID, "id %u at %zu is not in the vocabulary", ids[i], i);
        len += k < 255 ? k : v->token[ids[i]].n;
    }
    to = lm_buf_need(out, len + 16); /* the last move may be 16 bytes wide */
    for (size_t i = 0; i < n; i++) {
        unsigned k = v->len[ids[i]];

        if (drop && v->flags[ids[i]] & LM_TOKEN_SPECIAL)
            continue;
        if (k <= 16) {
            memcpy(to, v->head[ids[i]], 16);
            to += k;
        } else {
            memcpy(to, v->token[ids[i]].p, v->token[ids[i]].n);
            to += v->token[ids[i]].n;
        }
    }
    *to = 0;
    out->n = (size_t)(to - out->p);
    return 0;
}

void lm_ids_pack(char *to, const lm_ids *ids, bool wide)
{
    if (wide && ids->n)
        memcpy(to, ids->v, 4 * ids->n);
    for (size_t i = 0; !wide && i < ids->n; i++) {
        uint16_t id = (uint16_t)ids->v[i];

        memcpy(to + 2 * i, &id, 2);
    }
}

void lm_ids_unpack(lm_ids *ids, const void *p, size_t n, bool wide)
{
    lm_ids_need(ids, n);
    if (wide && n)
        memcpy(ids->v + ids->n, p, 4 * n);
    for (size_t i = 0; !wide && i < n; i++) {
        uint16_t id;

        memcpy(&id, (const char *)p + 2 * i, 2);
        ids->v[ids->n + i] = id;
    }
    ids->n += n;
}

int lm_vocab_encode(const lm_vocab *v, lm_str text, lm_ids *out)
{
    lm_enc *e = lm_enc_new(v, 1 << 16);
    int err = lm_enc_text(e, text, out);

    lm_enc_free(e);
    return err;
}

/* --- the byte-level characters of GPT-2: printable bytes stand for themselves, the others follow
 * from 256 --- */

static bool printable(unsigned b)
{
    return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
}

uint32_t lm_bytechar(uint8_t byte)
{
    unsigned b = byte, k = 0;

    if (printable(b))
        return b;
    for (unsigned i = 0; i < b; i++)
        k += !printable(i);
    return 256 + k;
}

int lm_bytechar_back(uint32_t cp)
{
    if (cp < 256)
        return printable(cp) ? (int)cp : -1;
    for (unsigned b = 0, k = 256; b < 256; b++)
        if (!printable(b) && k++ == cp)
            return (int)b;
    return -1;
}

void lm_reserved_name(char out[40], size_t i)
{
    static const char *const first[] = {"<|endoftext|>",  "<|fim_prefix|>", "<|fim_middle|>",
                                        "<|fim_suffix|>", "<|fim_pad|>",    "<|repo_name|>",
                                        "<|file_sep|>",   "<|im_start|>",   "<|im_end|>",
                                        "<|mode_r|>",     "<|mode_x|>",     "<|mode_s|>"};

    if (i < LM_COUNT(first))
        snprintf(out, 40, "%s", first[i]);
    else if (i >= 256 && i < 512)
        snprintf(out, 40, "<|mask_%zu|>", i - 256);
    else
        snprintf(out, 40, "<|reserved_%zu|>", i);
}
