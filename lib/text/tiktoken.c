/* tiktoken: lists of ranks, and the merges they imply. */
#include "text/tiktoken.h"
#include "base/json.h"
#include "text/refmerge.h"
#include "text/vocab-check.h"
#include <nettle/base64.h>

enum {
    MAX_TOKEN = 8192
}; /* finding parents is quadratic in it; the longest published one has 128 */

void lm_tiktoken_beside(const char *list, lm_buf *out)
{
    size_t n = strlen(list), tail = strlen(".tiktoken");
    bool named = n > tail && !strcmp(list + n - tail, ".tiktoken");

    lm_buf_add(out, list, named ? n - tail : n);
    lm_buf_adds(out, ".json");
}

/* --- ranks to merges --- */

typedef struct {
    const lm_str *token;
    lm_dict find; /* bytes -> rank */
    size_t longest;
} ranks;

static size_t rank_of(const void *ctx, uint32_t left, uint32_t right, lm_str both, uint32_t *to)
{
    const ranks *r = ctx;
    const uint64_t *id = both.n <= r->longest ? lm_dict_get(&r->find, both) : NULL;

    (void)left;
    (void)right;
    if (!id)
        return SIZE_MAX;
    *to = (uint32_t)*id;
    return *id;
}

int lm_tiktoken_merges(const lm_str *token, size_t n, lm_draft *d, size_t *missed)
{
    ranks r = {token, {0}, 0};
    uint32_t byte[256];
    lm_ref m = {0};
    int err = 0;

    *missed = 0;
    memset(byte, 0xff, sizeof byte);
    for (size_t i = 0; i < n; i++) {
        lm_str s = token[i];

        if (s.n > MAX_TOKEN)
            err = lm_err(LM_ELIMIT, "token %zu has %zu bytes: at most %d", i, s.n, MAX_TOKEN);
        else if (s.p && *lm_dict_put(&r.find, s, i) != i)
            err = lm_err(LM_EINVALID, "tokens %llu and %zu have the same bytes",
                         (unsigned long long)*lm_dict_get(&r.find, s), i);
        if (s.n == 1)
            byte[(unsigned char)s.p[0]] = (uint32_t)i;
        if (s.n > r.longest)
            r.longest = s.n;
    }
    for (size_t i = 0; i < n && err >= 0; i++) {
        if (token[i].n < 2)
            continue;
        if (lm_ref_merge(&m, token[i], byte, 2, rank_of, &r) == 2)
            lm_draft_merge(d, lm_ref_id(&m, 0), lm_ref_id(&m, 1));
        else
            ++*missed;
    }
    lm_ref_free(&m);
    lm_dict_free(&r.find);
    return err;
}

/* --- reading a list --- */

/* The bytes of base64 text, strictly: no other character, padded. */
static bool decode(lm_str s, lm_buf *out)
{
    struct base64_decode_ctx ctx;
    size_t n;

    out->n = 0;
    if (!s.n || s.n % 4)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ') /* which nettle skips */
            return false;
    n = BASE64_DECODE_LENGTH(s.n);
    lm_buf_need(out, n);
    base64_decode_init(&ctx);
    if (!base64_decode_update(&ctx, &n, (uint8_t *)out->p, s.n, s.p) || !base64_decode_final(&ctx))
        return false;
    out->n = n;
    return n > 0;
}

int lm_tiktoken_parse(lm_str list, const char *name, lm_draft *d)
{
    lm_buf bytes = {0};
    size_t row = 0, missed;
    int err = 0;

    for (size_t at = 0; at < list.n && err >= 0;) {
        const char *line = list.p + at, *lf = memchr(line, '\n', list.n - at), *sp;
        size_t n = lf ? (size_t)(lf - line) : list.n - at;
        uint64_t rank;

        row++;
        at += n + 1;
        if (!n)
            continue;
        sp = memchr(line, ' ', n);
        if (!sp || !decode((lm_str){line, (size_t)(sp - line)}, &bytes) ||
            !lm_parse_u64((lm_str){sp + 1, n - (size_t)(sp - line) - 1}, &rank))
            err = lm_err_at(LM_EINVALID, name, "row %zu is not BASE64 RANK", row);
        else if ((err = lm_draft_token(d, rank, lm_buf_str(&bytes))) < 0)
            err = lm_err_at(err, name, "row %zu: %s", row, lm_last_error()->detail);
    }
    lm_buf_free(&bytes);
    if (err >= 0 && !d->def.ntoken)
        err = lm_err_at(LM_EINVALID, name, "no token");
    if (err >= 0 && (err = lm_tiktoken_merges(d->token, d->def.ntoken, d, &missed)) < 0)
        err = lm_err_at(err, name, "%s", lm_last_error()->detail);
    if (err >= 0)
        d->def.ignore_merges = missed > 0;
    return err;
}

/* --- writing a list --- */

static void row(lm_buf *out, lm_str token, size_t rank)
{
    size_t n = BASE64_ENCODE_RAW_LENGTH(token.n);

    base64_encode_raw(lm_buf_need(out, n), token.n, (const uint8_t *)token.p);
    out->n += n;
    lm_buf_addf(out, " %zu\n", rank);
}

/* The merges by which tokens of v come about, in rank order: one that never happens is left out. */
static void happening(const lm_vocab *v, lm_draft *to)
{
    uint32_t *by = lm_reallocn(NULL, lm_vocab_merges(v) + 1, sizeof *by);
    lm_ref m = {0};

    memset(by, 0xff, (lm_vocab_merges(v) + 1) * sizeof *by);
    for (uint32_t id = 0; id < lm_vocab_size(v); id++) {
        size_t rank = lm_vocab_flags(v, id) ? SIZE_MAX : lm_vocab_comes_by(v, id, &m);

        if (rank != SIZE_MAX)
            by[rank] = id;
    }
    for (size_t k = 0; k < lm_vocab_merges(v); k++) {
        uint32_t left, right, id;

        if (by[k] == LM_NO_ID)
            continue;
        lm_vocab_merge(v, k, &left, &right, &id);
        lm_draft_merge(to, left, right);
    }
    lm_ref_free(&m);
    free(by);
}

/* Would tiktoken merge as v does? It must find, in v's tokens alone, the merges that happen in v,
 * in their order. */
static int same_merges(const lm_vocab *v, const lm_draft *d)
{
    lm_draft got, own;
    size_t missed = 0;
    int err = 0;

    for (int b = 0; b < 256; b++) {
        char c = (char)b;

        if (lm_vocab_find(v, (lm_str){&c, 1}) == LM_NO_ID)
            return lm_err(LM_EINVALID, "byte 0x%02X is no token, and tiktoken needs all 256", b);
    }
    lm_draft_init(&got);
    lm_draft_init(&own);
    if ((err = lm_tiktoken_merges(d->token, d->def.ntoken, &got, &missed)) >= 0)
        happening(v, &own);
    for (size_t k = 0; err >= 0 && (k < got.def.nmerge || k < own.def.nmerge); k++) {
        const uint32_t *a = own.merge + 2 * k, *b = got.merge + 2 * k;

        if (k >= own.def.nmerge)
            err = lm_err(LM_EINVALID,
                         "tiktoken would join tokens %u and %u, which no merge here does: other "
                         "ids",
                         b[0], b[1]);
        else if (k >= got.def.nmerge || a[0] != b[0] || a[1] != b[1])
            err = lm_err(LM_EINVALID,
                         "ids are not ranks: tokens %u and %u join where tiktoken, which goes by "
                         "id, would join others first: other ids (lm-vocab-check tells more)",
                         a[0], a[1]);
    }
    if (err >= 0 && missed && !d->def.ignore_merges)
        err = lm_err(LM_EINVALID,
                     "no merge reaches %zu of the tokens, and tiktoken would look them up whole: "
                     "other ids (lm-vocab-check lists them)",
                     missed);
    lm_draft_free(&got);
    lm_draft_free(&own);
    return err;
}

static void meta(const lm_draft *d, const char *name, lm_str pattern, lm_buf *out)
{
    const lm_vocab_def *v = &d->def;
    size_t ntoken = 0, top = 0;
    bool plain = false;
    lm_jw w;

    for (size_t i = 0; i < v->ntoken; i++)
        ntoken += v->token[i].p != NULL;
    top = v->ntoken;
    if (v->nspecial && v->special_id[v->nspecial - 1] >= top)
        top = v->special_id[v->nspecial - 1] + 1;
    lm_jw_init(&w, out, 2);
    lm_jw_obj(&w, NULL);
    lm_jw_str(&w, "name", lm_cstr(name));
    lm_jw_str(&w, "pat_str", pattern);
    if (ntoken + v->nspecial == top) /* tiktoken takes the number only where no id is left out */
        lm_jw_u64(&w, "explicit_n_vocab", top);
    lm_jw_obj(&w, "special_tokens");
    for (size_t i = 0; i < v->nspecial; i++) {
        lm_jw_name(&w, v->special[i]);
        lm_jw_u64(&w, "", v->special_id[i]);
        plain |= v->plain[i];
    }
    lm_jw_end(&w);
    if (plain) {
        lm_jw_arr(&w, "plain_tokens");
        for (size_t i = 0; i < v->nspecial; i++)
            if (v->plain[i])
                lm_jw_str(&w, NULL, v->special[i]);
        lm_jw_end(&w);
    }
    lm_jw_obj(&w, "roles");
    for (int r = 0; r < LM_ROLE_COUNT; r++)
        if (d->role[r] != LM_NO_ID)
            lm_jw_u64(&w, lm_role_name[r], d->role[r]);
    lm_jw_end(&w);
    lm_jw_end(&w);
    lm_buf_addc(out, '\n');
}

int lm_tiktoken_write(const lm_vocab *v, const char *name, lm_buf *list, lm_buf *json)
{
    lm_buf pattern = {0};
    lm_draft d = {0};
    int err = lm_tiktoken_pattern(lm_vocab_pre(v), &pattern);

    if (err >= 0 && lm_vocab_nfc(v))
        err = lm_err(LM_EINVALID, "the vocabulary puts text into Unicode form C first, which "
                                  "tiktoken does not: other ids");
    if (err >= 0 && (err = lm_draft_of(&d, v)) >= 0 && (err = same_merges(v, &d)) >= 0) {
        for (size_t i = 0; i < d.def.ntoken; i++)
            if (d.token[i].p)
                row(list, d.token[i], i);
        meta(&d, name, lm_buf_str(&pattern), json);
    }
    lm_draft_free(&d);
    lm_buf_free(&pattern);
    return err;
}
