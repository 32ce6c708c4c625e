/* shardlist: the shards of a folder: their names, and its index.lm. */
#include "nn/shard.h"
#include <inttypes.h>

void lm_shard_name(char out[LM_SHARD_NAME], uint64_t piece, uint64_t pieces, uint64_t i)
{
    int n = 0, width = 1;

    for (uint64_t v = pieces; v > 10;
         v = (v + 9) / 10) /* digits of the last piece: names sort by piece */
        width++;
    if (pieces)
        n = snprintf(out, LM_SHARD_NAME, "%0*" PRIu64 "-", width, piece);
    snprintf(out + n, LM_SHARD_NAME - (size_t)n, "%05" PRIu64 ".lm", i);
}

bool lm_shard_named(const char *name, uint64_t piece, uint64_t pieces)
{
    char want[LM_SHARD_NAME];
    size_t n = strspn(name, "0123456789"), begin = name[n] == '-' ? n + 1 : 0;

    if (piece == UINT64_MAX) {
        if (!begin)
            return false;
    } else {
        lm_shard_name(want, piece, pieces, 0);
        if (begin != (pieces ? strcspn(want, "-") + 1 : 0) || memcmp(name, want, begin))
            return false;
    }
    n = strspn(name + begin, "0123456789");
    return n >= 5 && !strcmp(name + begin + n, ".lm");
}

void lm_shard_note(lm_buf *notes, lm_str line)
{
    const char *p = notes->p, *end = p ? p + notes->n : p;

    for (const char *lf; p < end; p = lf + 1) {
        lf = memchr(p, '\n', (size_t)(end - p));
        if (lm_eq((lm_str){p, (size_t)(lf - p)}, line))
            return;
    }
    lm_buf_add(notes, line.p, line.n);
    lm_buf_addc(notes, '\n');
}

int lm_shard_index_write(const char *dir, const lm_buf *notes, lm_str by, const lm_buf *recs,
                         uint64_t n)
{
    lm_buf b = {0};
    int err;

    lm_buf_adds(&b, "%lm 1\n");
    lm_buf_add(&b, notes->p ? notes->p : "", notes->n);
    if (by.n)
        lm_buf_addf(&b, "%.*s\n", (int)by.n, by.p);
    lm_buf_add(&b, recs->p ? recs->p : "", recs->n);
    lm_buf_addf(&b, "%%end n=%" PRIu64 " b=0 crc=%08x\n", n, lm_crc32(0, b.p + 6, b.n - 6));
    err = lm_write_file(dir, "index.lm", lm_buf_str(&b));
    lm_buf_free(&b);
    return err;
}

int lm_shard_listed(const lm_shard *s, lm_rec *r)
{
    uint64_t tokens = 0;
    lm_id h = {0, 0};

    if (lm_get_u64(r, "tokens", &tokens) != 1 || tokens != s->tokens ||
        !lm_id_parse(lm_get(r, "hash"), &h) || lm_id_cmp(h, s->hash))
        return lm_err_at(LM_EMISMATCH, s->path, "not the shard that index.lm lists");
    return 0;
}

int lm_shard_path(const char *dir, lm_rec *r, lm_buf *path)
{
    lm_str file = lm_get(r, "file");

    if (!file.p && lm_get(r, "piece").p && lm_is(lm_get(r, "tokens"), "0"))
        return 0;
    if (!file.n || memchr(file.p, '/', file.n) || memchr(file.p, 0, file.n))
        return lm_rec_fail(r, LM_EINVALID, "@shard without a file= in this folder");
    path->n = 0;
    lm_buf_addf(path, "%s/%.*s", dir, (int)file.n, file.p);
    return 1;
}

int lm_shard_index(const char *dir, int (*f)(void *ctx, const char *path, lm_rec *r), void *ctx)
{
    lm_buf path = {0};
    lm_rec r = {0};
    lm_in *in;
    int err;

    lm_buf_addf(&path, "%s/index.lm", dir);
    in = lm_in_open(path.p, 0);
    while ((err = lm_next(in, &r)) == 1) {
        if (!lm_is(r.type, "shard") || !(err = lm_shard_path(dir, &r, &path)))
            continue;
        if (err < 0 || (err = f(ctx, path.p, &r)))
            break;
    }
    lm_in_close(in);
    lm_rec_free(&r);
    lm_buf_free(&path);
    return err;
}
