/* shardlist: the shards of a folder, by its index.lm. */
#include "nn/shard.h"

int lm_shard_listed(const lm_shard *s, lm_rec *r)
{
    uint64_t tokens = 0;
    lm_id h = {0, 0};

    if (lm_get_u64(r, "tokens", &tokens) != 1 || tokens != s->tokens ||
        !lm_id_parse(lm_get(r, "hash"), &h) || lm_id_cmp(h, s->hash))
        return lm_err_at(LM_EMISMATCH, s->path, "not the shard that index.lm lists");
    return 0;
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
        lm_str file = lm_get(&r, "file");

        if (!lm_is(r.type, "shard"))
            continue;
        if (!file.n || memchr(file.p, '/', file.n) || memchr(file.p, 0, file.n)) {
            err = lm_fail(in, LM_EINVALID, "@shard without a file= in this folder");
            break;
        }
        path.n = 0;
        lm_buf_addf(&path, "%s/%.*s", dir, (int)file.n, file.p);
        if ((err = f(ctx, path.p, &r)))
            break;
    }
    lm_in_close(in);
    lm_rec_free(&r);
    lm_buf_free(&path);
    return err;
}
