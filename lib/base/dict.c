/* dict: a hash map from byte strings to u64: open addressing, linear probing, load <= 1/2. */
#include "base/base.h"

struct lm_dict_slot {
    uint64_t hash;
    lm_str key;
    uint64_t val;
}; /* key.p NULL = free */

static struct lm_dict_slot *find(const lm_dict *m, lm_str key, uint64_t h)
{
    size_t i = h & (m->cap - 1);

    while (m->slot[i].key.p && !(m->slot[i].hash == h && lm_eq(m->slot[i].key, key)))
        i = (i + 1) & (m->cap - 1);
    return &m->slot[i];
}

uint64_t *lm_dict_get(const lm_dict *m, lm_str key)
{
    struct lm_dict_slot *s;

    if (!m->n)
        return NULL;
    s = find(m, key, lm_hash64(key.p, key.n, 0));
    return s->key.p ? &s->val : NULL;
}

static void grow(lm_dict *m)
{
    lm_dict old = *m;

    m->cap = old.cap ? old.cap * 2 : 64;
    m->slot = lm_zalloc(m->cap, sizeof *m->slot);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slot[i].key.p)
            *find(m, old.slot[i].key, old.slot[i].hash) = old.slot[i];
    free(old.slot);
}

uint64_t *lm_dict_put(lm_dict *m, lm_str key, uint64_t init)
{
    uint64_t h = lm_hash64(key.p, key.n, 0);
    struct lm_dict_slot *s;

    if (m->n * 2 >= m->cap)
        grow(m);
    s = find(m, key, h);
    if (!s->key.p) {
        if (!m->keys)
            m->keys = lm_arena_new();
        *s = (struct lm_dict_slot){h, lm_arena_str(m->keys, key), init};
        m->n++;
    }
    return &s->val;
}

void *lm_dict_ptr(const lm_dict *m, lm_str key)
{
    uint64_t *v = lm_dict_get(m, key);

    return v ? (void *)(uintptr_t)*v : NULL;
}

void *lm_dict_keep(lm_dict *m, lm_str key, void *p)
{
    *lm_dict_put(m, key, 0) = (uint64_t)(uintptr_t)p;
    return p;
}

bool lm_dict_each(const lm_dict *m, size_t *i, lm_str *key, uint64_t **val)
{
    for (; *i < m->cap; (*i)++)
        if (m->slot[*i].key.p) {
            *key = m->slot[*i].key;
            *val = &m->slot[*i].val;
            (*i)++;
            return true;
        }
    return false;
}

void lm_dict_free(lm_dict *m)
{
    free(m->slot);
    lm_arena_free(m->keys);
    *m = (lm_dict){0};
}
