/* stw: safetensors written in one pass: sizes are known, so the head goes first. */
#include "nn/st.h"
#include "base/json.h"
#include "kernels/kern.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct lm_st_out {
    int fd;
    char *path;
    uint64_t left; /* bytes of data still to come */
    lm_buf buf;
};

void lm_st_drop(lm_st_out *o)
{
    if (!o)
        return;
    close(o->fd);
    unlink(o->path);
    lm_buf_free(&o->buf);
    free(o->path);
    free(o);
}

/* The head, filled up to 8 bytes; returns the bytes of the data. */
static uint64_t head(lm_buf *h, const lm_st_tensor *t, size_t n, const char *const *meta)
{
    lm_jw w;
    uint64_t at = 0;

    lm_jw_init(&w, h, -1);
    lm_jw_obj(&w, NULL);
    lm_jw_obj(&w, "__metadata__");
    lm_jw_str(&w, "format", LM_STR("pt"));
    for (; meta && *meta; meta += 2)
        lm_jw_str(&w, meta[0], lm_cstr(meta[1]));
    lm_jw_end(&w);
    for (size_t i = 0; i < n; i++) {
        uint64_t bytes = lm_dtype_size(t[i].dt);

        lm_jw_obj(&w, t[i].name);
        lm_jw_str(&w, "dtype", lm_cstr(lm_dtype_name(t[i].dt)));
        lm_jw_arr(&w, "shape");
        for (int d = 0; d < t[i].nd; d++) {
            bytes *= t[i].dim[d];
            lm_jw_u64(&w, NULL, t[i].dim[d]);
        }
        lm_jw_end(&w);
        lm_jw_arr(&w, "data_offsets");
        lm_jw_u64(&w, NULL, at);
        lm_jw_u64(&w, NULL, at += bytes);
        lm_jw_end(&w);
        lm_jw_end(&w);
    }
    lm_jw_end(&w);
    while (h->n % 8)
        lm_buf_addc(h, ' ');
    return at;
}

uint64_t lm_st_size(const lm_st_tensor *t, size_t n, const char *const *meta)
{
    lm_buf h = {0};
    uint64_t bytes = head(&h, t, n, meta) + 8 + h.n;

    lm_buf_free(&h);
    return bytes;
}

int lm_st_create(lm_st_out **out, const char *path, const lm_st_tensor *t, size_t n,
                 const char *const *meta)
{
    lm_st_out *o = lm_zalloc(1, sizeof *o);
    lm_buf h = {0};

    o->left = head(&h, t, n, meta);
    o->path = lm_strdup(path);
    o->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    *out = NULL;
    if (o->fd < 0) {
        int err = lm_err_sys(path, "open");

        free(o->path);
        free(o);
        lm_buf_free(&h);
        return err;
    }
    for (int i = 0; i < 8; i++)
        lm_buf_addc(&o->buf, (char)((uint64_t)h.n >> 8 * i));
    lm_buf_add(&o->buf, h.p, h.n);
    lm_buf_free(&h);
    *out = o;
    return 0;
}

static int flush(lm_st_out *o)
{
    size_t n = o->buf.n;

    o->buf.n = 0;
    return lm_write_all(o->fd, o->buf.p, n) ? lm_err_sys(o->path, "write") : 0;
}

int lm_st_put(lm_st_out *o, const void *p, size_t bytes)
{
    if (bytes > o->left)
        return lm_err_at(LM_EINVALID, o->path, "more bytes than the table says");
    o->left -= bytes;
    if (o->buf.n + bytes > 1 << 20 && flush(o) < 0)
        return LM_EIO;
    if (bytes > 1 << 20)
        return lm_write_all(o->fd, p, bytes) ? lm_err_sys(o->path, "write") : 0;
    lm_buf_add(&o->buf, p, bytes);
    return 0;
}

int lm_st_put_f32(lm_st_out *o, const float *p, size_t n, int dt)
{
    const lm_kern *k;
    uint16_t part[4096];

    if (dt == LM_F32)
        return lm_st_put(o, p, n * 4);
    if (!(k = lm_kern_get()))
        return lm_last_error()->err;
    for (size_t i = 0, c; i < n; i += c) {
        int err;

        c = n - i < LM_COUNT(part) ? n - i : LM_COUNT(part);
        k->to_bf16(c, p + i, part);
        if ((err = lm_st_put(o, part, c * 2)) < 0)
            return err;
    }
    return 0;
}

int lm_st_done(lm_st_out *o)
{
    int err = flush(o);

    if (!err && o->left)
        err = lm_err_at(LM_EINVALID, o->path, "%llu bytes missing", (unsigned long long)o->left);
    if (!err && fsync(o->fd))
        err = lm_err_sys(o->path, "fsync");
    if (err < 0) {
        lm_st_drop(o);
        return err;
    }
    if (close(o->fd))
        err = lm_err_sys(o->path, "close");
    lm_buf_free(&o->buf);
    free(o->path);
    free(o);
    return err;
}
