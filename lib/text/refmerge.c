/* refmerge: one merge at a time, the ranks of neighbours kept beside them. */
#include "text/refmerge.h"

struct lm_ref_part {
    uint32_t id, to; /* to: what it makes with the next one */
    size_t len, rank;
};

size_t lm_ref_merge(lm_ref *m, lm_str word, const uint32_t byte[256], size_t least,
                    lm_ref_rank *rank, const void *ctx)
{
    struct lm_ref_part *s;

    while (m->cap < word.n)
        LM_GROW(m->part, m->cap, m->cap);
    s = m->part;
    m->n = 0;
    for (size_t i = 0; i < word.n; i++) {
        s[i] = (struct lm_ref_part){byte[(unsigned char)word.p[i]], 0, 1, SIZE_MAX};
        if (s[i].id == UINT32_MAX)
            return 0;
    }
    m->n = word.n;
    for (size_t i = 0; i + 1 < m->n; i++)
        s[i].rank = rank(ctx, s[i].id, s[i + 1].id, (lm_str){word.p + i, 2}, &s[i].to);
    while (m->n > least && m->n > 1) {
        size_t best = 0, at = 0, bestat = 0;

        for (size_t i = 0; i + 1 < m->n; at += s[i++].len)
            if (s[i].rank < s[best].rank) {
                best = i;
                bestat = at;
            }
        if (s[best].rank == SIZE_MAX)
            break;
        s[best].id = s[best].to;
        s[best].len += s[best + 1].len;
        s[best].rank = SIZE_MAX;
        m->n--;
        memmove(s + best + 1, s + best + 2, (m->n - best - 1) * sizeof *s);
        if (best + 1 < m->n)
            s[best].rank =
                rank(ctx, s[best].id, s[best + 1].id,
                     (lm_str){word.p + bestat, s[best].len + s[best + 1].len}, &s[best].to);
        if (best) {
            struct lm_ref_part *b = &s[best - 1];

            b->rank = rank(ctx, b->id, s[best].id,
                           (lm_str){word.p + bestat - b->len, b->len + s[best].len}, &b->to);
        }
    }
    return m->n;
}

uint32_t lm_ref_id(const lm_ref *m, size_t i)
{
    return m->part[i].id;
}

void lm_ref_free(lm_ref *m)
{
    free(m->part);
    *m = (lm_ref){0};
}
