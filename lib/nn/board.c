/* board: TensorBoard knows a run by its folder and an event file by "tfevents" in its name. The
   number that follows is a time with other writers; ours is 0, so that equal runs give equal trees.
 */
#include "nn/tfevent.h"
#include "stream/stream.h"
#include <fcntl.h>
#include <unistd.h>

typedef struct {
    char *path;
    lm_buf out; /* not yet written */
    int fd;     /* -1: not yet made */
} file;
struct lm_board {
    char *dir;
    file *v;
    size_t n, cap;
};

lm_board *lm_board_new(const char *dir)
{
    lm_board *b = lm_zalloc(1, sizeof *b);

    b->dir = lm_strdup(dir);
    return b;
}

lm_buf *lm_board_run(lm_board *b, size_t i, const char *name, double wall)
{
    while (b->n <= i) {
        LM_GROW(b->v, b->n, b->cap);
        b->v[b->n++] = (file){.fd = -1};
    }
    if (!b->v[i].path) {
        lm_buf p = {0};

        lm_buf_addf(&p, "%s/%s/events.out.tfevents.0.lm", b->dir, name);
        b->v[i].path = p.p;
        lm_tf_version(&b->v[i].out, wall);
    }
    return &b->v[i].out;
}

static int begin(file *f, bool more)
{
    char *slash = strrchr(f->path, '/');
    lm_aside *a;
    int fd, err;

    *slash = 0;
    err = lm_mkdirs(f->path, 0777);
    *slash = '/';
    if (err)
        return err;
    if (!(a = lm_aside_open(f->path, &fd)))
        return lm_last_error()->err;
    if (lm_write_all(fd, f->out.p, f->out.n)) {
        err = lm_err_sys(f->path, "write");
        lm_aside_drop(a);
        return err;
    }
    if ((err = lm_aside_commit(a)))
        return err;
    f->out.n = 0;
    if (more && (f->fd = open(f->path, O_WRONLY | O_APPEND | O_CLOEXEC)) < 0)
        return lm_err_sys(f->path, "open");
    return 0;
}

int lm_board_flush(lm_board *b, bool more)
{
    int err = 0;

    for (size_t i = 0; !err && i < b->n; i++) {
        file *f = &b->v[i];

        if (!f->out.n)
            continue;
        if (f->fd < 0)
            err = begin(f, more);
        else if (lm_write_all(f->fd, f->out.p, f->out.n))
            err = lm_err_sys(f->path, "write");
        f->out.n = 0;
    }
    return err;
}

void lm_board_free(lm_board *b)
{
    for (size_t i = 0; b && i < b->n; i++) {
        free(b->v[i].path);
        lm_buf_free(&b->v[i].out);
        if (b->v[i].fd >= 0)
            close(b->v[i].fd);
    }
    if (b) {
        free(b->v);
        free(b->dir);
        free(b);
    }
}
