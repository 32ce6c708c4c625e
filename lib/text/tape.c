/* tape: pieces in a spool, of a size that is worth a write. */
#include "text/tape.h"
#include "text/spool.h"

enum { PIECE = 512 << 10 };

struct lm_tape {
    lm_spool *s;
    lm_buf part; /* not in the spool yet */
    uint64_t *at;
    size_t *len, n, cap, capn;
    uint64_t size;
    bool sealed;
};

lm_tape *lm_tape_new(size_t *room)
{
    lm_tape *t = lm_zalloc(1, sizeof *t);

    t->s = lm_spool_new(NULL, room);
    return t;
}

static int put_part(lm_tape *t)
{
    int err;

    if (!t->part.n)
        return 0;
    LM_GROW(t->at, t->n, t->cap);
    LM_GROW(t->len, t->n, t->capn);
    if ((err = lm_spool_add(t->s, t->part.p, t->part.n, &t->at[t->n])) < 0)
        return err;
    t->len[t->n++] = t->part.n;
    t->part.n = 0;
    return 0;
}

int lm_tape_add(lm_tape *t, const void *p, size_t n)
{
    t->size += n;
    lm_buf_add(&t->part, p, n);
    return t->part.n >= PIECE ? put_part(t) : 0;
}

uint64_t lm_tape_size(const lm_tape *t)
{
    return t->size;
}

int lm_tape_each(lm_tape *t, int (*f)(void *ctx, const void *p, size_t n), void *ctx)
{
    int err = 0;

    if (!t->sealed && ((err = put_part(t)) < 0 || (err = lm_spool_seal(t->s)) < 0))
        return err;
    t->sealed = true;
    for (size_t i = 0; i < t->n && err >= 0; i++) {
        err = f(ctx, lm_spool_get(t->s, t->at[i]), t->len[i]);
        if (i)
            lm_spool_drop(t->s, t->at[i - 1], t->at[i]);
    }
    return err < 0 ? err : 0;
}

void lm_tape_free(lm_tape *t)
{
    if (!t)
        return;
    lm_spool_free(t->s);
    lm_buf_free(&t->part);
    free(t->at);
    free(t->len);
    free(t);
}
