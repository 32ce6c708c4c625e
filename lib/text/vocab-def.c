/* vocab-def: tokens and merges gathered in any order. */
#include "text/vocab-def.h"

enum { MAX_ID = 1 << 24 }; /* as the loader's */

void lm_draft_init(lm_draft *d)
{
    *d = (lm_draft){.text = lm_arena_new()};
    for (int r = 0; r < LM_ROLE_COUNT; r++)
        d->role[r] = LM_NO_ID;
}

void lm_draft_free(lm_draft *d)
{
    free(d->token);
    free(d->merge);
    free(d->special);
    free(d->id);
    free(d->plain);
    lm_pre_free(d->own);
    if (d->text)
        lm_arena_free(d->text);
    *d = (lm_draft){0};
}

static int too_high(uint64_t id)
{
    return lm_err(LM_EINVALID, "id %llu: ids end at %d", (unsigned long long)id, MAX_ID - 1);
}

int lm_draft_token(lm_draft *d, uint64_t id, lm_str bytes)
{
    if (id >= MAX_ID)
        return too_high(id);
    if (!bytes.n)
        return lm_err(LM_EINVALID, "token %u is empty", (unsigned)id);
    if (id >= d->captoken) {
        size_t old = d->captoken;

        d->captoken = (id + 1) * 3 / 2 + 256;
        d->token = lm_reallocn(d->token, d->captoken, sizeof *d->token);
        memset(d->token + old, 0, (d->captoken - old) * sizeof *d->token);
    }
    if (d->token[id].p)
        return lm_err(LM_EINVALID, "id %u is given twice", (unsigned)id);
    d->token[id] = lm_arena_str(d->text, bytes);
    if (id >= d->def.ntoken)
        d->def.ntoken = id + 1;
    return 0;
}

int lm_draft_added(lm_draft *d, uint64_t id, lm_str content, bool plain)
{
    size_t i = d->def.nspecial;

    if (id >= MAX_ID)
        return too_high(id);
    if (!content.n || !lm_utf8_valid(content.p, content.n))
        return lm_err(LM_EINVALID, "added token %u is empty or not UTF-8", (unsigned)id);
    if (i == d->capspecial) {
        d->capspecial = d->capspecial * 2 + 64;
        d->special = lm_reallocn(d->special, d->capspecial, sizeof *d->special);
        d->id = lm_reallocn(d->id, d->capspecial, sizeof *d->id);
        d->plain = lm_reallocn(d->plain, d->capspecial, sizeof *d->plain);
    }
    d->special[i] = lm_arena_str(d->text, content);
    d->id[i] = (uint32_t)id;
    d->plain[i] = plain;
    d->def.nspecial++;
    return 0;
}

void lm_draft_merge(lm_draft *d, uint32_t left, uint32_t right)
{
    size_t i = 2 * d->def.nmerge;

    while (i + 2 > d->capmerge)
        LM_GROW(d->merge, d->capmerge, d->capmerge);
    d->merge[i] = left;
    d->merge[i + 1] = right;
    d->def.nmerge++;
}

static int by_id(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* Added tokens by id: sorted as id << 32 | place. */
static void sort_added(lm_draft *d)
{
    size_t n = d->def.nspecial;
    uint64_t *key = lm_zalloc(n + 1, sizeof *key);
    lm_str *special = lm_zalloc(n + 1, sizeof *special);
    uint32_t *id = lm_zalloc(n + 1, sizeof *id);
    bool *plain = lm_zalloc(n + 1, sizeof *plain);

    for (size_t i = 0; i < n; i++)
        key[i] = (uint64_t)d->id[i] << 32 | i;
    qsort(key, n, sizeof *key, by_id);
    for (size_t i = 0; i < n; i++) {
        uint32_t from = (uint32_t)key[i];

        special[i] = d->special[from];
        id[i] = d->id[from];
        plain[i] = d->plain[from];
    }
    free(key);
    free(d->special);
    free(d->id);
    free(d->plain);
    d->special = special;
    d->id = id;
    d->plain = plain;
}

static bool has_id(const lm_draft *d, uint32_t id)
{
    for (size_t i = 0; i < d->def.nspecial; i++)
        if (d->id[i] == id)
            return true;
    return false;
}

int lm_draft_done(lm_draft *d)
{
    lm_dict seen = {0};
    int err = 0;

    sort_added(d);
    for (size_t i = 0; i < d->def.nspecial && err >= 0; i++) {
        uint32_t id = d->id[i];

        if ((i && id == d->id[i - 1]) || (id < d->def.ntoken && d->token[id].p))
            err = lm_err(LM_EINVALID, "id %u is given twice", id);
        else if (*lm_dict_put(&seen, d->special[i], i) != i)
            err = lm_err(LM_EINVALID, "added token \"%s\" is given twice", d->special[i].p);
    }
    lm_dict_free(&seen);
    for (int r = 0; r < LM_ROLE_COUNT && err >= 0; r++)
        if (d->role[r] != LM_NO_ID && !has_id(d, d->role[r]))
            err = lm_err(LM_EINVALID, "role %s: id %u is no added token", lm_role_name[r],
                         d->role[r]);
    d->def.token = d->token;
    d->def.merge = d->merge;
    d->def.special = d->special;
    d->def.special_id = d->id;
    d->def.plain = d->plain;
    d->def.role = d->roles ? d->role : NULL;
    return err;
}

int lm_draft_pattern(lm_draft *d, lm_str regex)
{
    lm_pre_step step = {LM_STEP_REGEX, LM_CUT_ISOLATED, regex};
    int err;

    for (int kind = 0; kind < LM_PRE_COUNT; kind++) {
        size_t n;
        const lm_pre_step *s = lm_pre_steps(lm_pre_named(kind), &n);

        if (n == 1 && s->what == LM_STEP_REGEX && lm_eq(s->pattern, regex)) {
            d->def.pre = lm_pre_named(kind);
            return 0;
        }
    }
    if ((err = lm_pre_compile(&step, 1, &d->own)) < 0)
        return err;
    d->def.pre = d->own;
    return 0;
}

int lm_vocab_apart(const lm_vocab *v)
{
    for (uint32_t id = 0; id < lm_vocab_size(v); id++)
        if (lm_vocab_flags(v, id) & LM_TOKEN_MERGED)
            return lm_err(LM_EINVALID,
                          "merges make the added token \"%.*s\": only tokenizer.json can say so",
                          (int)lm_vocab_token(v, id).n, lm_vocab_token(v, id).p);
    return 0;
}

int lm_draft_of(lm_draft *d, const lm_vocab *v)
{
    int err = lm_vocab_apart(v);

    lm_draft_init(d);
    d->def.pre = lm_vocab_pre(v);
    d->def.nfc = lm_vocab_nfc(v);
    d->def.ignore_merges = lm_vocab_words_first(v);
    for (uint32_t id = 0; id < lm_vocab_size(v) && err >= 0; id++) {
        lm_str s = lm_vocab_token(v, id);
        unsigned flags = lm_vocab_flags(v, id);

        if (s.p)
            err = flags ? lm_draft_added(d, id, s, !(flags & LM_TOKEN_SPECIAL))
                        : lm_draft_token(d, id, s);
    }
    for (size_t k = 0; k < lm_vocab_merges(v); k++) {
        uint32_t left, right, id;

        lm_vocab_merge(v, k, &left, &right, &id);
        lm_draft_merge(d, left, right);
    }
    for (int r = 0; r < LM_ROLE_COUNT; r++)
        d->role[r] = lm_vocab_role(v, r);
    d->roles = true;
    return err < 0 ? err : lm_draft_done(d);
}
