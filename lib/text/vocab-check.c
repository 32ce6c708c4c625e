/* vocab-check: every token and merge looked at by the reference, not by the encoder's tables; the
   encoder is run only where the claim is about it. */
#include "text/vocab-check.h"

enum { MAX_TOKEN = 1 << 16 }; /* the reference is quadratic */

const char *const lm_vc_name[LM_VC_COUNT] = {"bytes", "unique",  "reach", "order",
                                             "ids",   "special", "trip"};

static void found(lm_vc_report *r, int check, uint32_t id, size_t rank, size_t other)
{
    LM_GROW(r->find, r->n, r->cap);
    r->find[r->n++] = (lm_vc_find){check, id, rank, other};
    r->failed[check]++;
}

void lm_vc_free(lm_vc_report *r)
{
    free(r->find);
    *r = (lm_vc_report){0};
}

static size_t rank_of(const void *v, uint32_t left, uint32_t right, lm_str both, uint32_t *to)
{
    (void)both;
    return lm_vocab_rank(v, left, right, to);
}

static uint32_t byte_id(const lm_vocab *v, unsigned byte)
{
    char c = (char)byte;

    return lm_vocab_find(v, (lm_str){&c, 1});
}

/* The ids its bytes are left in, `least` of them at least. */
static size_t merged(const lm_vocab *v, lm_str s, size_t least, lm_ref *m)
{
    uint32_t byte[256];

    memset(byte, 0xff, sizeof byte);
    for (size_t i = 0; i < s.n; i++)
        byte[(unsigned char)s.p[i]] = byte_id(v, (unsigned char)s.p[i]);
    return lm_ref_merge(m, s, byte, least, rank_of, v);
}

size_t lm_vocab_comes_by(const lm_vocab *v, uint32_t id, lm_ref *m)
{
    lm_str s = lm_vocab_token(v, id);
    uint32_t to = LM_NO_ID;
    size_t rank;

    if (s.n < 2 || merged(v, s, 2, m) != 2)
        return SIZE_MAX;
    rank = lm_vocab_rank(v, lm_ref_id(m, 0), lm_ref_id(m, 1), &to);
    return to == id ? rank : SIZE_MAX;
}

int lm_vocab_merge_ref(const lm_vocab *v, lm_str bytes, lm_ids *out)
{
    lm_ref m = {0};
    size_t n = merged(v, bytes, 1, &m);

    for (size_t i = 0; i < n; i++)
        lm_ids_put(out, NULL, lm_ref_id(&m, i), 0);
    lm_ref_free(&m);
    return n || !bytes.n ? 0 : lm_err(LM_EINVALID, "a byte is not in the vocabulary");
}

size_t lm_vocab_missed(const lm_vocab *v)
{
    lm_ref m = {0};
    size_t n = 0;

    for (uint32_t id = 0; id < lm_vocab_size(v); id++)
        n += lm_vocab_token(v, id).n > 1 && lm_token_merges(lm_vocab_flags(v, id)) &&
             lm_vocab_comes_by(v, id, &m) == SIZE_MAX;
    lm_ref_free(&m);
    return n;
}

static void check_bytes(const lm_vocab *v, lm_vc_report *r)
{
    r->tried[LM_VC_BYTES] = 256;
    for (uint32_t b = 0; b < 256; b++)
        if (byte_id(v, b) == LM_NO_ID)
            found(r, LM_VC_BYTES, b, SIZE_MAX, LM_NO_ID);
}

/* by[id]: the rank of the first merge that makes id, SIZE_MAX none. */
static void check_unique(const lm_vocab *v, size_t *by, lm_vc_report *r)
{
    r->tried[LM_VC_UNIQUE] = lm_vocab_merges(v);
    memset(by, 0xff, lm_vocab_size(v) * sizeof *by);
    for (size_t k = 0; k < lm_vocab_merges(v); k++) {
        uint32_t left, right, id;

        lm_vocab_merge(v, k, &left, &right, &id);
        if (by[id] != SIZE_MAX)
            found(r, LM_VC_UNIQUE, id, k, by[id]);
        else
            by[id] = k;
    }
}

/* Is this token there when the merge of rank k is tried? */
static bool earlier(const lm_vocab *v, const size_t *by, uint32_t id, size_t k)
{
    return lm_vocab_token(v, id).n == 1 || (by[id] != SIZE_MAX && by[id] < k);
}

static void check_order(const lm_vocab *v, const size_t *by, lm_vc_report *r)
{
    r->tried[LM_VC_ORDER] = lm_vocab_merges(v);
    for (size_t k = 0; k < lm_vocab_merges(v); k++) {
        uint32_t left, right, id;

        lm_vocab_merge(v, k, &left, &right, &id);
        if (!earlier(v, by, left, k) || !earlier(v, by, right, k))
            found(r, LM_VC_ORDER, id, k, earlier(v, by, left, k) ? right : left);
    }
}

/* Merges in order make ever higher ids, all above those of the bytes. */
static void check_ids(const lm_vocab *v, lm_vc_report *r)
{
    uint32_t top = 0;
    bool any = false;

    r->tried[LM_VC_IDS] = lm_vocab_merges(v);
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t id = byte_id(v, b);

        if (id != LM_NO_ID && (!any || id > top)) {
            top = id;
            any = true;
        }
    }
    for (size_t k = 0; k < lm_vocab_merges(v); k++) {
        uint32_t left, right, id;

        lm_vocab_merge(v, k, &left, &right, &id);
        if (any && id <= top)
            found(r, LM_VC_IDS, id, k, top);
        else
            top = id;
        any = true;
    }
}

static void check_reach(const lm_vocab *v, lm_vc_report *r)
{
    lm_ref m = {0};

    for (uint32_t id = 0; id < lm_vocab_size(v); id++) {
        if (lm_vocab_token(v, id).n < 2 || !lm_token_merges(lm_vocab_flags(v, id)))
            continue;
        r->tried[LM_VC_REACH]++;
        if (lm_vocab_comes_by(v, id, &m) == SIZE_MAX)
            found(r, LM_VC_REACH, id, SIZE_MAX, LM_NO_ID);
    }
    lm_ref_free(&m);
}

static void check_special(const lm_vocab *v, lm_enc *e, lm_vc_report *r)
{
    lm_ids ids = {0};

    for (uint32_t id = 0; id < lm_vocab_size(v); id++) {
        lm_str s = lm_vocab_token(v, id);
        uint32_t twin, hit = LM_NO_ID;

        if (!s.p || !lm_vocab_flags(v, id))
            continue;
        r->tried[LM_VC_SPECIAL]++;
        ids.n = 0;
        if (lm_enc_text(e, s, &ids) >= 0) /* else a byte is missing: no text has it */
            for (size_t i = 0; i < ids.n && hit == LM_NO_ID; i++)
                if (lm_vocab_flags(v, ids.v[i]))
                    hit = ids.v[i];
        twin = hit != LM_NO_ID ? hit : lm_vocab_find(v, s);
        if (twin != LM_NO_ID)
            found(r, LM_VC_SPECIAL, id, SIZE_MAX, twin);
    }
    free(ids.v);
}

static bool has_bytes(const lm_vocab *v, lm_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (byte_id(v, (unsigned char)s.p[i]) == LM_NO_ID)
            return false;
    return true;
}

static void check_trip(const lm_vocab *v, lm_enc *e, lm_vc_report *r)
{
    lm_ids ids = {0};
    lm_buf b = {0};

    for (uint32_t id = 0; id < lm_vocab_size(v); id++) {
        lm_str s = lm_vocab_token(v, id);
        bool ok;

        if (!s.p)
            continue;
        r->tried[LM_VC_TRIP]++;
        ids.n = b.n = 0;
        ok = lm_vocab_decode(v, &id, 1, false, &b) >= 0 && lm_eq(lm_buf_str(&b), s);
        b.n = 0;
        if (ok && lm_enc_text(e, s, &ids) < 0)
            ok = lm_vocab_nfc(v) && has_bytes(v, s); /* refused only as not in form C */
        else if (ok)
            ok = lm_vocab_decode(v, ids.v, ids.n, false, &b) >= 0 && lm_eq(lm_buf_str(&b), s);
        if (!ok)
            found(r, LM_VC_TRIP, id, SIZE_MAX, LM_NO_ID);
    }
    free(ids.v);
    lm_buf_free(&b);
}

int lm_vocab_check(const lm_vocab *v, lm_vc_report *r)
{
    size_t *by;
    lm_enc *e;

    *r = (lm_vc_report){0};
    for (uint32_t id = 0; id < lm_vocab_size(v); id++)
        if (lm_vocab_token(v, id).n > MAX_TOKEN)
            return lm_err(LM_ELIMIT, "token %u has %zu bytes: at most %d can be proved", id,
                          lm_vocab_token(v, id).n, MAX_TOKEN);
    by = lm_reallocn(NULL, (size_t)lm_vocab_size(v) + 1, sizeof *by);
    e = lm_enc_new(v, 1 << 20);
    check_bytes(v, r);
    check_unique(v, by, r);
    check_reach(v, r);
    check_order(v, by, r);
    check_ids(v, r);
    check_special(v, e, r);
    check_trip(v, e, r);
    lm_enc_free(e);
    free(by);
    return r->n ? LM_NO : LM_DONE;
}
