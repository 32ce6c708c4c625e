/* dedup: gathers records in batches, hashes and signs them in all threads, and puts them aside. */
#include "text/dedup-priv.h"
#include "text/lines.h"

enum { BATCH = 4 << 20, BATCH_RECS = 8192 }; /* bytes and records of a batch */

static void note_memory(lm_dedup *d, size_t more)
{
    d->meta += more;
}

lm_dedup *lm_dedup_new(const lm_dedup_cfg *cfg)
{
    lm_dedup *d = lm_zalloc(1, sizeof *d);

    d->cfg = *cfg;
    d->room = cfg->mem / 2;
    d->bodies = lm_spool_new(cfg->tmp, &d->room);
    d->sigs = lm_spool_new(cfg->tmp, &d->room);
    d->pool = lm_pool_new(cfg->jobs);
    d->keys = lm_arena_new();
    d->local = lm_zalloc(lm_pool_size(d->pool), sizeof *d->local);
    lm_minhash_init(&d->mh, cfg->k, cfg->seed);
    return d;
}

void lm_dedup_free(lm_dedup *d)
{
    unsigned t;

    if (!d)
        return;
    for (t = 0; t < lm_pool_size(d->pool); t++) {
        lm_minhash_room_free(&d->local[t].room);
        lm_buf_free(&d->local[t].keys);
        lm_rec_free(&d->local[t].rec);
    }
    free(d->local);
    lm_pool_free(d->pool);
    lm_spool_free(d->bodies);
    lm_spool_free(d->sigs);
    lm_arena_free(d->keys);
    lm_buf_free(&d->batch);
    free(d->bitem);
    free(d->fresh);
    free(d->bsig);
    free(d->item);
    free(d->content);
    free(d->table);
    free(d);
}

/* Fills r with views of raw bytes that were checked when they were read. */
void lm_dedup_view(lm_rec *r, const char *raw, size_t n)
{
    const char *end = memchr(raw, '\n', n), *why;
    uint64_t len = 0;

    lm_rec_new(r, "doc");
    lm_head_parse(raw, (size_t)(end + 1 - raw), r, &len, &why);
    r->raw = (lm_str){raw, n};
    r->body = (lm_str){end + 1, len};
}

static void hash_one(void *ctx, size_t i, unsigned thread)
{
    lm_dedup *d = ctx;
    bitem *b = &d->bitem[i];
    local *l = &d->local[thread];
    lm_str id;

    if (!b->judge)
        return;
    lm_dedup_view(&l->rec, d->batch.p + b->at, b->n);
    b->hash = lm_hash128(l->rec.body.p, l->rec.body.n);
    id = lm_get(&l->rec, "id");
    if (!id.p)
        b->id = b->hash;
    else if (!lm_id_parse(id, &b->id))
        b->id = lm_hash128(id.p, id.n);
    b->thread = thread;
    b->key = l->keys.n;
    lm_rank_key(d->cfg.rank, &l->rec, b->hash, &l->keys);
    b->nkey = (uint32_t)(l->keys.n - b->key);
}

static void sign_one(void *ctx, size_t i, unsigned thread)
{
    lm_dedup *d = ctx;
    bitem *b = &d->bitem[d->fresh[i]];
    local *l = &d->local[thread];

    lm_dedup_view(&l->rec, d->batch.p + b->at, b->n);
    b->signed_ = !lm_text_binary(d->cfg.k, l->rec.body) &&
                 lm_minhash_sign(&d->mh, &l->room, l->rec.body, d->bsig + i * LM_MH_PERMS);
}

static uint32_t *slot_of(const lm_dedup *d, lm_id hash)
{
    size_t i = hash.lo & (d->ntable - 1);

    while (d->table[i] && lm_id_cmp(d->content[d->table[i] - 1].hash, hash))
        i = (i + 1) & (d->ntable - 1);
    return &d->table[i];
}

static void grow_table(lm_dedup *d)
{
    size_t i;

    if (d->ncontent * 2 < d->ntable)
        return;
    free(d->table);
    note_memory(d, (d->ntable ? d->ntable : 1024) * sizeof *d->table);
    d->ntable = d->ntable ? d->ntable * 2 : 1024;
    d->table = lm_zalloc(d->ntable, sizeof *d->table);
    for (i = 0; i < d->ncontent; i++)
        *slot_of(d, d->content[i].hash) = (uint32_t)i + 1;
}

/* A judged item joins its content; true if the content is new. */
static bool join(lm_dedup *d, uint32_t doc, lm_id hash)
{
    uint32_t *slot;
    content *c;

    grow_table(d);
    slot = slot_of(d, hash);
    if (*slot) {
        d->item[doc].content = *slot - 1;
        c = &d->content[*slot - 1];
        if (lm_cmp(d->item[doc].key, d->item[c->doc].key) < 0)
            c->doc = doc;
        return false;
    }
    if (d->ncontent == d->capcontent)
        note_memory(d, (d->capcontent ? d->capcontent : 16) * sizeof *d->content);
    LM_GROW(d->content, d->ncontent, d->capcontent);
    c = &d->content[d->ncontent];
    *c = (content){.hash = hash, .doc = doc, .sig = NO_SIG};
    d->item[doc].content = (uint32_t)d->ncontent;
    *slot = (uint32_t)++d->ncontent;
    return true;
}

static int put_aside(lm_dedup *d)
{
    size_t i, first = d->nitem - d->nb;
    int err = 0;

    for (i = 0; i < d->nb && !err; i++)
        err = lm_spool_add(d->bodies, d->batch.p + d->bitem[i].at, d->bitem[i].n,
                           &d->item[first + i].at);
    for (i = 0; i < d->nfresh && !err; i++) {
        bitem *b = &d->bitem[d->fresh[i]];
        content *c = &d->content[d->item[first + d->fresh[i]].content];

        if (b->signed_)
            err = lm_spool_add(d->sigs, d->bsig + i * LM_MH_PERMS, LM_MH_PERMS * sizeof(uint32_t),
                               &c->sig);
    }
    return err;
}

static int flush(lm_dedup *d)
{
    size_t i, cap = d->capfresh;
    unsigned t;
    int err;

    lm_pool_run(d->pool, d->nb, hash_one, d);
    d->nfresh = 0;
    for (i = 0; i < d->nb; i++) {
        bitem *b = &d->bitem[i];
        size_t doc = d->nitem;

        if (d->nitem == d->capitem)
            note_memory(d, (d->capitem ? d->capitem : 16) * sizeof *d->item);
        LM_GROW(d->item, d->nitem, d->capitem);
        d->item[d->nitem++] = (item){.n = b->n,
                                     .seq = b->seq,
                                     .off = b->off,
                                     .file = b->file,
                                     .content = b->note ? NOTE : PASS};
        if (!b->judge)
            continue;
        d->item[doc].id = b->id;
        d->item[doc].key =
            lm_arena_str(d->keys, (lm_str){d->local[b->thread].keys.p + b->key, b->nkey});
        note_memory(d, b->nkey + 24);
        if (join(d, (uint32_t)doc, b->hash) && d->cfg.bands) {
            LM_GROW(d->fresh, d->nfresh, cap);
            d->fresh[d->nfresh++] = (uint32_t)i;
        }
    }
    if (cap != d->capfresh) {
        d->capfresh = cap;
        d->bsig = lm_reallocn(d->bsig, cap, LM_MH_PERMS * sizeof *d->bsig);
    }
    lm_pool_run(d->pool, d->nfresh, sign_one, d);
    err = put_aside(d);
    for (t = 0; t < lm_pool_size(d->pool); t++)
        d->local[t].keys.n = 0;
    d->batch.n = d->nb = 0;
    if (!err && d->meta > d->cfg.mem / 2)
        err =
            lm_err(LM_ELIMIT,
                   "%zu documents need more than half of -m %zu for their keys alone: raise -m, or "
                   "remove exact duplicates a part at a time",
                   d->nitem, d->cfg.mem);
    if (!err && d->nitem >= UINT32_MAX - 2 * BATCH_RECS)
        err = lm_err(LM_ELIMIT, "over 4 billion records in one run");
    return err;
}

static bitem *next_item(lm_dedup *d)
{
    LM_GROW(d->bitem, d->nb, d->capb);
    d->bitem[d->nb] = (bitem){.at = d->batch.n};
    return &d->bitem[d->nb++];
}

static int full(lm_dedup *d)
{
    return d->batch.n >= BATCH || d->nb >= BATCH_RECS ? flush(d) : 0;
}

int lm_dedup_add(lm_dedup *d, lm_rec *r, bool judge)
{
    bitem *b = next_item(d);
    int err = 0;

    if (r->raw.p)
        lm_buf_add(&d->batch, r->raw.p, r->raw.n);
    else
        err = lm_rec_write(&d->batch, r);
    b->n = d->batch.n - b->at;
    b->judge = judge;
    b->seq = r->seq;
    b->off = r->off;
    b->file = r->file;
    return err ? err : full(d);
}

int lm_dedup_note(lm_dedup *d, lm_str line)
{
    bitem *b = next_item(d);

    lm_buf_add(&d->batch, line.p, line.n);
    b->n = line.n;
    b->note = true;
    return full(d);
}

int lm_dedup_finish_input(lm_dedup *d)
{
    int err = flush(d);

    lm_buf_free(&d->batch);
    if (!err)
        err = lm_spool_seal(d->bodies);
    return err ? err : lm_spool_seal(d->sigs);
}
