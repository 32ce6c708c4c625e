/* dedup-solve: contents that share a band key are joined to the one of least id, joined ones form
   components, and of each component the least rank is kept. */
#include "text/dedup-priv.h"

static uint32_t find(content *c, uint32_t i)
{
    while (c[i].parent != i) {
        c[i].parent = c[c[i].parent].parent;
        i = c[i].parent;
    }
    return i;
}

static const uint32_t *sig_of(const lm_dedup *d, const content *c)
{
    return (const uint32_t *)(const void *)lm_spool_get(d->sigs, c->sig);
}

/* Order of contents by the id of what is kept of them; the rank key settles equal ids. */
static int id_cmp(const lm_dedup *d, uint32_t a, uint32_t b)
{
    const item *x = &d->item[d->content[a].doc], *y = &d->item[d->content[b].doc];
    int k = lm_id_cmp(x->id, y->id);

    return k ? k : lm_cmp(x->key, y->key);
}

typedef struct {
    lm_dedup *d;
    unsigned band;
    uint64_t *key;
} band_work;

enum { PIECE = 4096 }; /* contents a turn of a thread */

static void band_keys(void *ctx, size_t piece, unsigned thread)
{
    band_work *w = ctx;
    size_t i, end = (piece + 1) * PIECE;
    uint64_t from = NO_SIG, to = 0;

    (void)thread;
    if (end > w->d->ncontent)
        end = w->d->ncontent;
    for (i = piece * PIECE; i < end; i++)
        if (w->d->content[i].sig != NO_SIG) {
            w->key[i] = lm_minhash_band(sig_of(w->d, &w->d->content[i]), w->band, w->d->cfg.rows);
            from = from == NO_SIG ? w->d->content[i].sig : from;
            to = w->d->content[i].sig;
        }
    if (from != NO_SIG)
        lm_spool_drop(w->d->sigs, from, to);
}

/* Star edges of one band: table maps a key to the content of least id that has it. */
static void join_band(lm_dedup *d, const uint64_t *key, uint32_t *table, size_t ntable)
{
    content *c = d->content;
    size_t i, at;
    int pass;

    memset(table, 0, ntable * sizeof *table);
    for (pass = 0; pass < 2; pass++)
        for (i = 0; i < d->ncontent; i++) {
            uint32_t star;

            if (c[i].sig == NO_SIG)
                continue;
            at = key[i] & (ntable - 1);
            while (table[at] && key[table[at] - 1] != key[i])
                at = (at + 1) & (ntable - 1);
            if (!pass) {
                if (!table[at] || id_cmp(d, (uint32_t)i, table[at] - 1) < 0)
                    table[at] = (uint32_t)i + 1;
                continue;
            }
            star = table[at] - 1;
            if (star == i ||
                (d->cfg.verify > 0 &&
                 lm_minhash_sim(sig_of(d, &c[i]), sig_of(d, &c[star])) < d->cfg.verify))
                continue;
            c[find(c, (uint32_t)i)].parent = find(c, star);
        }
}

static int join_all(lm_dedup *d)
{
    size_t ntable = 1024, need;
    uint32_t *table;
    band_work w = {d, 0, NULL};

    while (ntable < d->ncontent * 2)
        ntable *= 2;
    need = ntable * sizeof *table + d->ncontent * sizeof *w.key;
    if (d->meta + need > d->cfg.mem)
        return lm_err(LM_ELIMIT,
                      "%zu contents need %zu bytes beside their keys to be compared: raise -m",
                      d->ncontent, need);
    table = lm_zalloc(ntable, sizeof *table);
    w.key = lm_zalloc(d->ncontent, sizeof *w.key);
    for (w.band = 0; w.band < d->cfg.bands; w.band++) {
        lm_pool_run(d->pool, (d->ncontent + PIECE - 1) / PIECE, band_keys, &w);
        join_band(d, w.key, table, ntable);
    }
    free(table);
    free(w.key);
    return 0;
}

int lm_dedup_solve(lm_dedup *d)
{
    content *c;
    uint32_t i, r;
    int err = lm_dedup_finish_input(d);

    c = d->content;
    for (i = 0; i < d->ncontent; i++) {
        c[i].parent = c[i].best = c[i].least = i;
        c[i].size = 1;
    }
    if (!err && d->cfg.bands)
        err = join_all(d);
    for (i = 0; !err && i < d->ncontent; i++) {
        r = find(c, i);
        if (r == i)
            continue;
        c[r].size++;
        if (id_cmp(d, i, c[r].least) < 0)
            c[r].least = i;
        if (lm_cmp(d->item[c[i].doc].key, d->item[c[c[r].best].doc].key) < 0)
            c[r].best = i;
    }
    return err;
}

size_t lm_dedup_count(const lm_dedup *d)
{
    return d->nitem;
}

void lm_dedup_get(const lm_dedup *d, size_t i, lm_rec *r, lm_dup *v)
{
    const item *t = &d->item[i];
    const char *raw = lm_spool_get(d->bodies, t->at);
    content *c;
    uint32_t own, root, best;

    *v = (lm_dup){.kind = LM_DUP_NOTE, .exact = SIZE_MAX, .near = SIZE_MAX, .cluster = SIZE_MAX};
    if (t->content == NOTE) {
        v->note = (lm_str){raw, t->n};
        return;
    }
    lm_dedup_view(r, raw, t->n);
    r->seq = t->seq;
    r->off = t->off;
    r->file = t->file;
    v->kind = LM_DUP_PASS;
    if (t->content == PASS)
        return;
    c = d->content;
    own = t->content;
    root = find(c, own);
    best = c[root].best;
    if (c[root].size > 1) {
        v->cluster = c[c[root].least].doc;
        v->size = c[root].size;
    }
    if (best != own) {
        v->near = c[best].doc;
        v->sim = lm_minhash_sim(sig_of(d, &c[own]), sig_of(d, &c[best]));
    }
    if (c[own].doc != i)
        v->exact = c[own].doc;
    v->kind = v->exact != SIZE_MAX     ? LM_DUP_EXACT
              : v->near != SIZE_MAX    ? LM_DUP_NEAR
              : v->cluster != SIZE_MAX ? LM_DUP_KEPT
                                       : LM_DUP_ONLY;
}

void lm_dedup_passed(const lm_dedup *d, size_t from, size_t to)
{
    lm_spool_drop(d->bodies, d->item[from].at, d->item[to].at);
}

void lm_dedup_id(const lm_dedup *d, size_t i, lm_buf *out)
{
    const item *t = &d->item[i];
    lm_rec r = {0};
    lm_str id;
    char hex[33];

    lm_dedup_view(&r, lm_spool_get(d->bodies, t->at), t->n);
    id = lm_get(&r, "id");
    if (id.p) {
        lm_buf_add(out, id.p, id.n);
    } else {
        lm_id_hex(d->content[t->content].hash, hex);
        lm_buf_add(out, hex, 32);
    }
    lm_rec_free(&r);
}

bool lm_dedup_spilled(const lm_dedup *d)
{
    return lm_spool_spilled(d->bodies) || lm_spool_spilled(d->sigs);
}
