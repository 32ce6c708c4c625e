/* batch: places, prompts and running samples. A prompt is filled but for its last token into one
   place of the cache; each sample starts from a copy of it, the last sample from the place itself.
 */
#include "nn/batch.h"

#define NONE UINT32_MAX

struct run { /* a sample that decodes; j NULL = the place is free or holds a prompt */
    lm_job *j;
    uint32_t sample, pos, next; /* next: the id to feed */
    uint32_t *seen;             /* prompt and output, for the repetition penalty */
    size_t nseen;
};

struct lm_batch_gen {
    lm_kv *kv;
    lm_sampler *sampler;
    uint32_t seqs, ctx, chunk, vocab, nfree;
    struct run *run; /* [seqs] by place */
    bool *used;
    lm_job *first, **last;
    lm_kv_item *item;
    uint32_t *slot; /* of the items that want logits */
    float *logits;  /* [seqs, vocab] */
};

int lm_gen_new(lm_batch_gen **out, const lm_model *m, uint32_t seqs, uint32_t ctx, uint32_t chunk,
               lm_pool *pool)
{
    lm_batch_gen *g = lm_zalloc(1, sizeof *g);
    int err;

    seqs += seqs == 1; /* samples are copied from a place that holds the prompt */
    err = lm_kv_new(&g->kv, m, seqs, ctx, seqs + chunk, pool);

    if (err < 0) {
        free(g);
        return err;
    }
    g->seqs = g->nfree = seqs;
    g->ctx = ctx;
    g->chunk = chunk;
    g->vocab = m->cfg.vocab;
    g->sampler = lm_sampler_new(g->vocab);
    g->run = lm_zalloc(seqs, sizeof *g->run);
    g->used = lm_zalloc(seqs, sizeof *g->used);
    g->item = lm_zalloc(2 * (size_t)seqs, sizeof *g->item);
    g->slot = lm_zalloc(seqs, sizeof *g->slot);
    g->logits = lm_zalloc((size_t)seqs * g->vocab, sizeof *g->logits);
    g->last = &g->first;
    *out = g;
    return 0;
}

void lm_gen_free(lm_batch_gen *g)
{
    if (!g)
        return;
    lm_kv_free(g->kv);
    lm_sampler_free(g->sampler);
    for (uint32_t i = 0; i < g->seqs; i++)
        free(g->run[i].seen);
    free(g->run);
    free(g->used);
    free(g->item);
    free(g->slot);
    free(g->logits);
    free(g);
}

void lm_gen_submit(lm_batch_gen *g, lm_job *j)
{
    j->filled = j->started = j->done = 0;
    j->placed = false;
    j->next = NULL;
    *g->last = j;
    g->last = &j->next;
}

bool lm_gen_hungry(const lm_batch_gen *g)
{
    uint32_t waiting = 0;

    for (const lm_job *j = g->first; j; j = j->next)
        waiting += j->n - j->started + !j->placed;
    return waiting < g->nfree;
}

static uint32_t place(lm_batch_gen *g)
{
    for (uint32_t i = 0; i < g->seqs; i++)
        if (!g->used[i]) {
            g->used[i] = true;
            g->nfree--;
            lm_kv_trim(g->kv, i, 0);
            return i;
        }
    return NONE;
}

static void leave(lm_batch_gen *g, uint32_t slot)
{
    free(g->run[slot].seen);
    g->run[slot] = (struct run){0};
    g->used[slot] = false;
    g->nfree++;
    lm_kv_trim(g->kv, slot, 0);
}

static void start(lm_batch_gen *g, lm_job *j, uint32_t slot)
{
    struct run *r = &g->run[slot];

    *r = (struct run){.j = j, .sample = j->started++, .next = j->ids[j->nids - 1]};
    if (j->how.repeat != 1) {
        r->seen = lm_reallocn(NULL, (size_t)j->nids + j->max_tokens, sizeof *r->seen);
        memcpy(r->seen, j->ids, j->nids * sizeof *r->seen);
        r->nseen = j->nids;
    }
}

/* Starts what can start: prompts get a place, filled prompts give copies to their samples. */
static void admit(lm_batch_gen *g)
{
    for (lm_job **p = &g->first, *j; (j = *p);) {
        if (!j->placed) {
            if (j->n > 1 &&
                g->nfree < 2) /* its copies must find a place too, or all wait for ever */
                break;
            j->slot = place(g);
            if (j->slot == NONE)
                break;
            j->placed = true;
        }
        while (j->filled == j->nids - 1 && j->started + 1 < j->n) {
            uint32_t slot = place(g);

            if (slot == NONE)
                break;
            lm_kv_copy(g->kv, slot, j->slot);
            start(g, j, slot);
        }
        if (j->filled == j->nids - 1 && j->started + 1 == j->n) {
            start(g, j, j->slot); /* the last one takes the prompt's own place */
            *p = j->next;
            if (!*p)
                g->last = p;
        } else {
            p = &j->next;
        }
    }
}

static int draw(lm_batch_gen *g, uint32_t slot, const float *logits)
{
    struct run *r = &g->run[slot];
    lm_job *j = r->j;
    char sample[24], pos[24];
    double u = 0;
    uint32_t id;
    bool full;
    int rc;

    if (j->how.temp != 0) {
        lm_str v[3] = {j->id, {sample, 0}, {pos, 0}};

        v[1].n = (size_t)snprintf(sample, sizeof sample, "%u", r->sample);
        v[2].n = (size_t)snprintf(pos, sizeof pos, "%u", r->pos);
        u = lm_unit(lm_keyed(j->seed, "sample", v, 3));
    }
    rc = lm_sample(g->sampler, &j->how, logits, r->seen, r->nseen, u, &id);
    if (rc < 0)
        return rc;
    rc = j->token(j, r->sample, r->pos++, id, logits);
    if (rc < 0)
        return rc;
    r->next = id;
    if (r->seen && r->nseen < (size_t)j->nids + j->max_tokens)
        r->seen[r->nseen++] = id;
    full = r->pos >= j->max_tokens || lm_kv_len(g->kv, slot) >= g->ctx;
    if (rc || full) {
        j->ended(j, r->sample, !rc);
        j->done++;
        leave(g, slot);
    }
    return 0;
}

int lm_gen_step(lm_batch_gen *g)
{
    uint32_t want = 0, budget = g->chunk;
    size_t n = 0;
    int err;

    admit(g);
    for (uint32_t i = 0; i < g->seqs; i++)
        if (g->run[i].j) {
            g->slot[want++] = i;
            g->item[n++] = (lm_kv_item){i, 1, &g->run[i].next, 1};
        }
    for (lm_job *j = g->first; j && budget && n < 2 * (size_t)g->seqs; j = j->next) {
        uint32_t left = j->nids - 1 - j->filled, k = left < budget ? left : budget;

        if (!j->placed || !k)
            continue;
        g->item[n++] = (lm_kv_item){j->slot, k, j->ids + j->filled, 0};
        j->filled += k;
        budget -= k;
    }
    if (!n)
        return g->first ? 1 : 0;
    err = lm_kv_step(g->kv, g->item, n, g->logits);
    for (uint32_t i = 0; !err && i < want; i++)
        err = draw(g, g->slot[i], g->logits + (size_t)i * g->vocab);
    return err < 0 ? err : 1;
}
