/* encdoc: whole documents to ids: added tokens found in text (or not), the parts of fim=, offsets;
   and the slow encoder that the fast one is checked against. */
#include "text/fim.h"
#include "text/vocab-check.h"

/* Offsets of the ids from position `from` on: each token is as long as its bytes. */
static void offsets(const lm_enc *e, const lm_ids *ids, size_t from, uint64_t at, lm_ids *off)
{
    if (!off)
        return;
    lm_ids_need(off, ids->n - from);
    for (size_t i = from; i < ids->n; i++) {
        off->v[off->n++] = (uint32_t)at;
        at += lm_vocab_token(lm_enc_vocab(e), ids->v[i]).n;
    }
}

static int plain(lm_enc *e, lm_str t, size_t at, size_t end, uint64_t base, lm_ids *ids,
                 lm_ids *off)
{
    size_t from = ids->n;
    int err = lm_enc_text(e, (lm_str){t.p + at, end - at}, ids);

    if (err >= 0)
        offsets(e, ids, from, base + at, off);
    return err;
}

void lm_ids_grow(lm_ids *b, size_t more)
{
    b->cap = (b->n + more) * 3 / 2 + 64;
    b->v = lm_reallocn(b->v, b->cap, sizeof *b->v);
    lm_hint_huge(b->v, b->cap * sizeof *b->v);
}

void lm_ids_put(lm_ids *ids, lm_ids *off, uint32_t id, uint32_t at)
{
    lm_ids_need(ids, 1);
    ids->v[ids->n++] = id;
    if (off) {
        lm_ids_need(off, 1);
        off->v[off->n++] = at;
    }
}

int lm_enc_part(lm_enc *e, lm_str t, int special, uint64_t base, lm_ids *ids, lm_ids *off)
{
    const lm_vocab *v = lm_enc_vocab(e);
    size_t at = 0, hit = 0;
    uint32_t id;
    int err;

    if (special == LM_SPECIAL_TEXT)
        return plain(e, t, 0, t.n, base, ids, off);
    while ((id = lm_vocab_scan_added(v, t, &hit)) != LM_NO_ID) {
        if (special == LM_SPECIAL_ERROR)
            return lm_err(LM_EINVALID, "special token %s in the text, at byte %llu",
                          lm_vocab_token(v, id).p, (unsigned long long)(base + hit));
        if ((err = plain(e, t, at, hit, base, ids, off)) < 0)
            return err;
        if (special == LM_SPECIAL_PARSE)
            lm_ids_put(ids, off, id, (uint32_t)(base + hit));
        hit += lm_vocab_token(v, id).n;
        at = hit;
    }
    return plain(e, t, at, t.n, base, ids, off);
}

/* The special tokens put before a part, at most two. SPM (suf, pre, mid) puts both marks before suf
   and the middle mark before pre; else each part has its own. */
static int marks(const lm_vocab *v, lm_str role, bool spm, uint32_t id[2])
{
    static const struct {
        const char *role;
        int mark[2];
        bool spm;
    } table[] = {
        {"pre", {LM_ROLE_FIM_PRE, -1}, false},
        {"suf", {LM_ROLE_FIM_SUF, -1}, false},
        {"mid", {LM_ROLE_FIM_MID, -1}, false},
        {"suf", {LM_ROLE_FIM_PRE, LM_ROLE_FIM_SUF}, true},
        {"pre", {LM_ROLE_FIM_MID, -1}, true},
        {"mid", {-1, -1}, true},
        {"repo", {LM_ROLE_REPO, -1}, false},
        {"file", {LM_ROLE_FILE, -1}, false},
        {"text", {-1, -1}, false},
    };

    for (size_t i = 0; i < LM_COUNT(table); i++) {
        bool fim = i < 6;
        int n = 0;

        if (!lm_is(role, table[i].role) || (fim && table[i].spm != spm))
            continue;
        for (; n < 2 && table[i].mark[n] >= 0; n++)
            if ((id[n] = lm_vocab_role(v, table[i].mark[n])) == LM_NO_ID)
                return lm_err(LM_EINVALID, "the vocabulary has no %s token",
                              lm_role_name[table[i].mark[n]]);
        return n;
    }
    return lm_err(LM_EINVALID, "fim=: part \"%.*s\" is not known", (int)(role.n < 32 ? role.n : 32),
                  role.p);
}

int lm_enc_parts(lm_enc *e, lm_str t, lm_str fim, int special, lm_ids *ids, lm_ids *off)
{
    uint64_t len, ahead;
    size_t at = 0;
    bool spm = false;
    lm_str role, next;

    for (int in_group = 0; fim.n;) {
        uint32_t id[2];
        int n, err;

        if (!lm_fim_next(&fim, &role, &len) || len > t.n - at)
            return lm_err(LM_EINVALID, "fim= does not fit the body");
        if (lm_is(role, "suf") && !in_group) { /* a group that begins with suf is SPM */
            lm_str rest = fim;

            spm = lm_fim_next(&rest, &next, &ahead) && lm_is(next, "pre");
            in_group = 3;
        } else if (lm_is(role, "pre") && !in_group) {
            spm = false;
            in_group = 3;
        }
        in_group -= in_group > 0;
        if ((n = marks(lm_enc_vocab(e), role, spm, id)) < 0)
            return n;
        for (int i = 0; i < n; i++)
            lm_ids_put(ids, off, id[i], (uint32_t)at);
        if ((err = lm_enc_part(e, (lm_str){t.p + at, len}, special, at, ids, off)) < 0)
            return err;
        at += len;
    }
    return at == t.n ? 0 : lm_err(LM_EINVALID, "fim= does not cover the body");
}

int lm_vocab_encode_slow(const lm_vocab *v, lm_str t, lm_ids *out)
{
    size_t end, from = 0;
    lm_scan_pos at = {0};

    while (lm_scan_slow(lm_vocab_pre(v), t.p, t.n, &at, &end, 1)) {
        lm_str s = {t.p + from, end - from};
        uint32_t whole = lm_vocab_whole(v, s);
        int err = 0;

        if (whole != LM_NO_ID)
            lm_ids_put(out, NULL, whole, 0);
        else
            err = s.n > 512 ? lm_vocab_word(v, s.p, s.n, out) /* the reference is quadratic */
                            : lm_vocab_merge_ref(v, s, out);
        if (err < 0) {
            lm_scan_stop(&at);
            return err;
        }
        from = end;
    }
    return at.err;
}
