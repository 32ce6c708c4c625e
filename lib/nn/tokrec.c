/* tokrec: one place that says what a well-formed @tok record is. */
#include "nn/tokrec.h"

void lm_id_put(uint8_t out[16], lm_id id)
{
    for (int i = 0; i < 8; i++) {
        out[i] = (uint8_t)(id.hi >> (56 - 8 * i));
        out[8 + i] = (uint8_t)(id.lo >> (56 - 8 * i));
    }
}

lm_id lm_id_load(const uint8_t p[16])
{
    lm_id id = {0, 0};

    for (int i = 0; i < 8; i++) {
        id.hi = id.hi << 8 | p[i];
        id.lo = id.lo << 8 | p[8 + i];
    }
    return id;
}

/* An array of one element, or one run of them, for each segment; absent: p NULL. */
static int each(lm_rec *r, const char *name, const char *dt, uint64_t n, lm_str *a)
{
    uint64_t d0, have;
    int got = lm_array(r, name, dt, a, &d0, &have);

    if (!got)
        *a = (lm_str){0};
    return got < 0            ? got
           : got && have != n ? lm_rec_fail(r, LM_EINVALID, "%s: not one for each segment", name)
                              : 0;
}

/* The segments of a packed row: ends that rise to n, a document, a start and a prefix for each. */
static int segments(lm_rec *r, lm_tokrec *t)
{
    uint64_t d0, last = 0;
    int got = lm_array(r, "seg", "u32", &t->seg, &d0, &t->k);

    if (got < 0)
        return got;
    if (!got) {
        t->seg = (lm_str){0};
        t->k = 1;
        return 0;
    }
    for (uint64_t i = 0; i < t->k; i++) {
        uint64_t end = lm_load32(t->seg.p + 4 * i);

        if (end <= last || end > t->n)
            return lm_rec_fail(r, LM_EINVALID, "seg: segment %llu ends at %llu",
                               (unsigned long long)i, (unsigned long long)end);
        last = end;
    }
    if (last != t->n)
        return lm_rec_fail(r, LM_EINVALID, "seg: segments end at %llu of %llu tokens",
                           (unsigned long long)last, (unsigned long long)t->n);
    if ((got = each(r, "ids", "u8", 16 * t->k, &t->ids)) < 0 ||
        (got = each(r, "from", "u64", t->k, &t->from)) < 0 ||
        (got = each(r, "prefix", "u32", t->k, &t->lens)) < 0)
        return got;
    if (!t->ids.p)
        return lm_rec_fail(r, LM_EINVALID, "a row of segments without ids");
    for (uint64_t i = 0; t->lens.p && i < t->k; i++) {
        lm_tokseg s = lm_tokrec_seg(t, i);

        if (s.prefix > s.end - s.begin)
            return lm_rec_fail(r, LM_EINVALID, "prefix: %llu of the %llu tokens of segment %llu",
                               (unsigned long long)s.prefix, (unsigned long long)(s.end - s.begin),
                               (unsigned long long)i);
    }
    return 0;
}

lm_tokseg lm_tokrec_seg(const lm_tokrec *t, uint64_t i)
{
    if (!t->seg.p)
        return (lm_tokseg){0, t->n, 0, t->prefix, t->id};
    return (lm_tokseg){i ? lm_load32(t->seg.p + 4 * (i - 1)) : 0, lm_load32(t->seg.p + 4 * i),
                       t->from.p ? lm_load64(t->from.p + 8 * i) : 0,
                       t->lens.p ? lm_load32(t->lens.p + 4 * i) : 0,
                       lm_id_load((const uint8_t *)t->ids.p + 16 * i)};
}

/* next=: the id that follows a row where it was taken from, or none. */
static int follower(lm_rec *r, lm_tokrec *t)
{
    uint64_t id = 0, weight = 1, other = 0;
    int got;

    if (!lm_get(r, "next").p)
        return 0;
    t->next.said = true;
    if (lm_is(lm_get(r, "next"), "none"))
        return 0;
    if ((got = lm_get_u64(r, "next", &id)) < 0 ||
        (got = lm_get_u64(r, "next-weight", &weight)) < 0 ||
        (got = lm_get_u64(r, "next-doc", &other)) < 0)
        return got;
    if (id >> 8 * t->width || weight > UINT8_MAX || other > 1)
        return lm_rec_fail(r, LM_EINVALID, "next: not an id, a weight up to 255 and 0 or 1");
    t->next.id = (uint32_t)id;
    t->next.weight = (uint8_t)weight;
    t->next.same = !other;
    return 0;
}

int lm_tokrec_get(lm_rec *r, lm_tokrec *t)
{
    lm_str a;
    uint64_t d0, n;
    lm_id vid;
    int err;

    memset(t, 0, sizeof *t);
    t->vocab = lm_get(r, "vocab");
    t->dt = lm_get(r, "dt");
    t->mode = lm_get(r, "mode");
    if (!t->vocab.p)
        return lm_rec_fail(r, LM_EMISSING, "tok without vocab=");
    if (t->vocab.n != 32 || !lm_id_parse(t->vocab, &vid))
        return lm_rec_fail(r, LM_EINVALID, "vocab=%.*s: not 32 hex digits",
                           (int)(t->vocab.n > 64 ? 64 : t->vocab.n), t->vocab.p);
    t->width = lm_is(t->dt, "u16") ? 2 : lm_is(t->dt, "u32") ? 4 : 0;
    if (!t->width)
        return lm_rec_fail(r, LM_EINVALID, "tok: dt= is neither u16 nor u32");
    if ((err = lm_array(r, "", NULL, &a, &d0, &t->n)) < 0)
        return err;
    if (!err || d0 != t->n)
        return lm_rec_fail(r, LM_EINVALID, "tok: shape= is not one number");
    t->tok = (const uint8_t *)a.p;
    if ((err = lm_array(r, "weight", "u8", &a, &d0, &n)) < 0)
        return err;
    if (err && n != t->n)
        return lm_rec_fail(r, LM_EINVALID, "weight: not one byte for each token");
    t->weight = err ? (const uint8_t *)a.p : NULL;
    if ((err = lm_get_u64(r, "seq", &t->seq)) < 0 || (err = lm_get_u64(r, "bytes", &t->bytes)) < 0)
        return err;
    if ((err = lm_get_u64(r, "prefix", &t->prefix)) < 0)
        return err;
    if (t->prefix > t->n || t->prefix > UINT32_MAX)
        return lm_rec_fail(r, LM_EINVALID, "prefix=%llu of %llu tokens",
                           (unsigned long long)t->prefix, (unsigned long long)t->n);
    if (t->seq && t->n != t->seq)
        return lm_rec_fail(r, LM_EINVALID, "a row of %llu tokens says seq=%llu",
                           (unsigned long long)t->n, (unsigned long long)t->seq);
    if ((err = segments(r, t)) < 0)
        return err;
    if (!t->seg.p)
        t->id = lm_rec_id(r);
    else if (t->prefix)
        return lm_rec_fail(r, LM_EINVALID, "prefix=%llu of a row: its segments have their own",
                           (unsigned long long)t->prefix);
    return follower(r, t);
}
