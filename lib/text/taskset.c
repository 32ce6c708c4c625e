/* taskset: which task and problem a record of a stream is about. */
#include "text/task.h"

static lm_task *add(lm_taskset *s, lm_str name, lm_task *t)
{
    LM_GROW(s->v, s->nv, s->capv);
    s->v[s->nv++] = t;
    *lm_dict_put(&s->by_name, name, 0) = (uint64_t)(uintptr_t)t;
    return t;
}

/* The task of a name, else the last one; made on first sight. */
static lm_task *named(lm_taskset *s, lm_str name)
{
    uint64_t *v = name.p ? lm_dict_get(&s->by_name, name) : NULL;
    lm_task *t = v ? (lm_task *)(uintptr_t)*v : name.p ? NULL : s->last;

    if (!t) {
        t = lm_task_new();
        t->name = name.p ? lm_strndup(name) : lm_strdup("stream");
        add(s, lm_cstr(t->name), t);
    }
    return s->last = t;
}

static int take_conf(lm_taskset *s, lm_rec *r)
{
    lm_str name = lm_get(r, "name"), hash = lm_get(r, "hash");
    char *where;
    lm_task *t;
    int e;

    if (!name.n)
        return lm_rec_fail(r, LM_EMISSING, "no name=");
    t = named(s, name);
    if (t->hash[0] && hash.n && !lm_is(hash, t->hash))
        return lm_rec_fail(r, LM_EMISMATCH, "task %.*s comes with two hashes", (int)name.n, name.p);
    where = lm_strndup(name);
    while (t->nstop)
        free(t->stop[--t->nstop]);
    e = lm_task_conf(t, r->body, where);
    free(where);
    if (e < 0) {
        lm_error was = *lm_last_error();
        return lm_rec_fail(r, e, "task.conf: %s", was.detail);
    }
    if (hash.n)
        snprintf(t->hash, sizeof t->hash, "%.*s", (int)(hash.n > 32 ? 32 : hash.n), hash.p);
    return 0;
}

int lm_taskset_take(lm_taskset *s, lm_rec *r)
{
    if (lm_is(r->type, "task"))
        return take_conf(s, r);
    if (lm_is(r->type, "prompt") || lm_is(r->type, "test") || lm_is(r->type, "solution"))
        return lm_task_add(named(s, lm_get(r, "task")), r);
    return 0;
}

int lm_taskset_find(lm_taskset *s, lm_rec *r, lm_task **task, lm_problem **p)
{
    lm_str id = lm_get(r, "id"), name = lm_get(r, "task");
    lm_task *t, *disk = NULL;
    int e;

    if (!id.n)
        return lm_rec_fail(r, LM_EMISSING, "no id=");
    if (!name.n && !s->last)
        return lm_rec_fail(r, LM_EMISSING, "no task=, and no @task record before it");
    t = named(s, name);
    if (!t->nv) { /* the stream only names it: its folder has the problems */
        e = lm_task_load(t->name, &disk);
        if (e < 0) {
            lm_error was = *lm_last_error();
            return lm_rec_fail(r, e == LM_EUSAGE ? LM_EMISSING : e, "%s", was.detail);
        }
        if (t->hash[0] && strcmp(t->hash, disk->hash)) {
            e = lm_rec_fail(r, LM_EMISMATCH, "task %s: the folder has hash %s, the stream %s",
                            t->name, disk->hash, t->hash);
            lm_task_free(disk);
            return e;
        }
        t = s->last = add(s, lm_cstr(t->name), disk);
    }
    if (strcmp(t->kind, "exec"))
        return lm_rec_fail(r, LM_EINVALID, "task %s is of kind %s, not exec", t->name, t->kind);
    lm_task_seal(t);
    *p = lm_task_find(t, id);
    if (!*p || !(*p)->prompt.p)
        return lm_rec_fail(r, LM_EMISSING, "task %s has no problem %.*s", t->name,
                           (int)(id.n > 100 ? 100 : id.n), id.p);
    *task = t;
    return 0;
}

void lm_taskset_free(lm_taskset *s)
{
    for (size_t i = 0; i < s->nv; i++)
        lm_task_free(s->v[i]);
    free(s->v);
    lm_dict_free(&s->by_name);
}
