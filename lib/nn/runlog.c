/* runlog: the file is a run of whole streams at every moment but for one write. */
#include "nn/runlog.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

/* Where the last stream of the file may go on: its whole records, counted. */
typedef struct {
    uint64_t end, recs, body;
    bool open;
} tailpoint;

static int find_tail(const char *path, lm_str m, bool cut_step, uint64_t keep, tailpoint *t)
{
    size_t at = 0;

    memset(t, 0, sizeof *t);
    while (at < m.n) {
        const char *p = m.p + at, *lf = memchr(p, '\n', m.n - at), *why;
        size_t n = lf ? (size_t)(lf - p) + 1 : 0;
        uint64_t len, step = 0;
        lm_rec h = {0}, r = {0};

        if (!lf)
            return 0; /* torn */
        if (!t->open) {
            if (n < 6 || memcmp(p, "%lm 1", 5))
                return lm_err_at(LM_ECORRUPT, path, "byte %zu: not an lm stream", at);
            t->recs = t->body = 0;
            t->open = true;
        } else if (!memcmp(p, "%end ", n < 5 ? n : 5)) {
            t->open = false;
        } else if (!memcmp(p, "%abort ", n < 7 ? n : 7)) {
            return 0; /* cut with all behind it */
        } else if (*p == '@') {
            if (lm_head_parse(p, n, &h, &len, &why) < 0)
                return lm_err_at(LM_ECORRUPT, path, "byte %zu: %s", at, why);
            if (len >= m.n - at - n || p[n + len] != '\n')
                return 0;
            lm_rec_view(&r, (lm_str){p, n + len + 1}, h.type, h.attrs, (lm_str){p + n, len});
            if (cut_step && lm_parse_u64(lm_get(&r, "step"), &step) && step > keep) {
                lm_rec_free(&r);
                return 0;
            }
            lm_rec_free(&r);
            n += len + 1;
            t->recs++;
            t->body += len;
        }
        at += n;
        t->end = at;
    }
    return 0;
}

int lm_runlog_open(lm_runlog *l, const char *path, bool cut_step, uint64_t keep)
{
    tailpoint t;
    lm_str m;
    int err;

    memset(l, 0, sizeof *l);
    l->path = lm_strdup(path);
    l->is_pipe = !strcmp(path, "-");
    l->fd = l->is_pipe ? dup(1) : open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (l->fd < 0)
        return lm_err_sys(path, "cannot write");
    if (!l->is_pipe) {
        if ((err = lm_mmap_file(path, &m)))
            return err;
        err = find_tail(path, m, cut_step, keep, &t);
        lm_munmap_file(m);
        if (err)
            return err;
        if (ftruncate(l->fd, (off_t)t.end))
            return lm_err_sys(path, "cannot cut");
        if (t.open)
            lm_buf_addf(&l->out, "%%end n=%" PRIu64 " b=%" PRIu64 "\n", t.recs, t.body);
    }
    lm_buf_adds(&l->out, "%lm 1\n");
    return 0;
}

void lm_runlog_put(lm_runlog *l, lm_rec *r)
{
    if (l->fd < 0 || l->gone || lm_rec_write(&l->out, r))
        return;
    l->recs++;
    l->body += r->body.n;
}

void lm_runlog_flush(lm_runlog *l, const char **warn)
{
    size_t done = 0;

    if (warn)
        *warn = NULL;
    while (l->fd >= 0 && !l->gone && done < l->out.n) {
        ssize_t n = write(l->fd, l->out.p + done, l->out.n - done);

        if (n >= 0) {
            done += (size_t)n;
        } else if (errno == EPIPE && l->is_pipe) {
            l->gone = true;
        } else if (errno != EINTR) {
            break;
        }
    }
    if ((l->gone || done < l->out.n) && !l->told && l->fd >= 0) {
        l->told = true;
        if (warn)
            *warn = l->gone ? "the reader of the metrics is gone: training goes on without it"
                            : "cannot write the log: it is tried again";
    }
    if (l->gone)
        done = l->out.n;
    if (done)
        memmove(l->out.p, l->out.p + done, l->out.n - done);
    l->out.n -= done;
}

static int finish(lm_runlog *l)
{
    int err = 0;

    lm_runlog_flush(l, NULL);
    if (l->fd >= 0 && l->out.n) /* errno is the last try's */
        err = lm_err_sys(l->path, "cannot write");
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    free(l->path);
    lm_buf_free(&l->out);
    return err;
}

int lm_runlog_end(lm_runlog *l)
{
    if (l->fd >= 0)
        lm_buf_addf(&l->out, "%%end n=%" PRIu64 " b=%" PRIu64 "\n", l->recs, l->body);
    return finish(l);
}

void lm_runlog_abort(lm_runlog *l, int code, const char *tool, const char *msg)
{
    if (l->fd >= 0) {
        lm_buf_addf(&l->out, "%%abort code=%d tool=%s msg=", code, tool);
        lm_pct_encode(&l->out, lm_cstr(msg));
        lm_buf_addc(&l->out, '\n');
    }
    (void)finish(l);
}
