/* body: bodies too large to hold: read in pieces, mapped, or hopped over. */
#include "stream/in.h"
#include <sys/mman.h>

/* The LF behind a body that lm_next_head left, after hopping over what is unread. */
int lm_in_hop(lm_in *in)
{
    while (in->left) {
        size_t have = in->hi - in->lo;

        if (have > in->left)
            have = (size_t)in->left;
        lm_in_eat(in, have);
        in->left -= have;
        if (in->left > LM_IN_BUF && lm_src_seekable(in->src)) {
            in->nocrc = true;
            if (lm_src_skip(in->src, in->left) < 0)
                return in->err = LM_EIO;
            in->off += in->left;
            in->st.bytes += in->left;
            in->left = 0;
        } else if (in->left) {
            if (!lm_in_fill(in, 1))
                return in->err;
            if (in->lo == in->hi)
                return in->err = lm_fail(in, LM_ETRUNC, "the file ends inside a body");
        }
    }
    if (!lm_in_fill(in, 1))
        return in->err;
    if (in->lo == in->hi)
        return in->err = lm_fail(in, LM_ETRUNC, "the file ends inside a body");
    if (in->buf[in->lo] != '\n')
        return in->err = lm_fail(in, LM_ECORRUPT, "no LF after body");
    lm_in_eat(in, 1);
    in->pending = false;
    return 0;
}

int lm_in_leave(lm_in *in, lm_rec *r, lm_str ln, uint64_t len)
{
    /* the header must outlive reads of the body: it moves to the record's own memory */
    if (!r->ar)
        r->ar = lm_arena_new();
    r->raw = lm_arena_str(r->ar, ln);
    r->type.p = r->raw.p + (r->type.p - ln.p);
    r->attrs.p = r->raw.p + (r->attrs.p - ln.p);
    r->body = (lm_str){"", 0};
    lm_in_counted(in, r, len);
    lm_in_eat(in, ln.n);
    in->left = len;
    in->pending = true;
    return 2;
}

int lm_next_head(lm_in *in, lm_rec *r, uint64_t *len)
{
    lm_str ln;
    int rc;

    if (in->err)
        return in->err;
    lm_rec_begin(r);
    while ((rc = in->pending ? lm_in_hop(in) : 0) < 0 || (rc = lm_in_header(in, r, &ln, len)) < 0) {
        if (!(in->flags & LM_IN_LAX) || lm_in_lax_skip(in) < 0)
            return in->err;
        in->pending = false;
        in->left = 0;
        lm_rec_begin(r);
    }
    if (rc == 0)
        return rc;
    return lm_in_leave(in, r, ln, *len) > 0;
}

ssize_t lm_body_read(lm_in *in, void *p, size_t n)
{
    size_t have;

    if (in->err)
        return in->err;
    if (n > in->left)
        n = (size_t)in->left;
    if (!n)
        return in->pending && !in->left && lm_in_hop(in) < 0 ? in->err : 0;
    if (!lm_in_fill(in, 1))
        return in->err;
    have = in->hi - in->lo;
    if (!have)
        return in->err = lm_fail(in, LM_ETRUNC, "the file ends inside a body");
    if (n > have)
        n = have;
    memcpy(p, in->buf + in->lo, n);
    lm_in_eat(in, n);
    in->left -= n;
    return (ssize_t)n;
}

int lm_body_all(lm_in *in, lm_rec *r, uint64_t len)
{
    size_t had = 0;
    ssize_t n = 0;
    char *p;

    if (len > lm_max_body)
        return lm_fail(in, LM_ELIMIT, "the body is larger than LM_MAX_BODY");
    p = lm_body_alloc(r, len);
    while (had < len && (n = lm_body_read(in, p + had, len - had)) > 0)
        had += (size_t)n;
    return n < 0 ? (int)n : 0;
}

bool lm_body_map(lm_in *in, lm_str *body, uint64_t *file_off)
{
    if (!in->src || !in->pending || !lm_src_seekable(in->src))
        return false;
    if (!in->map.p) {
        uint64_t size = lm_src_size(in->src);
        void *p =
            size ? mmap(NULL, size, PROT_READ, MAP_SHARED, lm_src_fd(in->src), 0) : MAP_FAILED;

        if (p == MAP_FAILED)
            return false;
        in->map = (lm_str){p, (size_t)size};
    }
    if (in->off + in->left > in->map.n)
        return false;
    *body = (lm_str){in->map.p + in->off, (size_t)in->left};
    *file_off = in->off;
    return true;
}
