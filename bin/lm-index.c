/* lm-index: write X.lmi, the places of records in X, so that readers can start in its middle.
   Apart from lm-ls: it looks below compression, at frames. */
#include "lm.h"

#define EVERY 64 /* records between marks */

static const lm_opt opts[] = {LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-index",
                             .does = "write an index of a file of records",
                             .args = "FILE...",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_FILES};

typedef struct {
    lm_frame *frame;
    size_t nframes, at; /* at: the frame of the last record */
    bool fresh;         /* no record of this frame has a mark yet */
    lm_buf rows;
    uint64_t n;
} marks;

static void mark(marks *m, uint64_t off)
{
    bool due = m->n % EVERY == 0;
    uint64_t file_off = off, inner = 0;

    while (m->at + 1 < m->nframes && m->frame[m->at + 1].at <= off) {
        m->at++;
        m->fresh = true;
    }
    if (m->nframes) {
        file_off = m->frame[m->at].off;
        inner = off - m->frame[m->at].at;
        due |= m->fresh;
        m->fresh = false;
    }
    if (due)
        lm_buf_addf(&m->rows, "%016llu\t%016llu\t%016llu\n", (unsigned long long)m->n,
                    (unsigned long long)file_off, (unsigned long long)inner);
    m->n++;
}

static int scan(const char *path, marks *m, uint64_t *size)
{
    lm_in *in = lm_in_open(path, 0);
    lm_rec r = {0};
    uint64_t len;
    int err;

    while ((err = lm_next_head(in, &r, &len)) == 1)
        mark(m, r.off);
    *size = lm_in_stats(in)->size;
    lm_in_close(in);
    lm_rec_free(&r);
    return err;
}

static int save(const char *path, const char *to, marks *m, uint64_t size)
{
    lm_buf name = {0}, head = {0};
    lm_aside *a;
    int fd, err = 0;

    if (to)
        lm_buf_adds(&name, to);
    else
        lm_buf_addf(&name, "%s.lmi", path);
    lm_buf_addf(&head, "%%lmi 1 size=%llu n=%llu\n", (unsigned long long)size,
                (unsigned long long)m->n);
    a = lm_aside_open(name.p, &fd);
    if (!a) {
        err = LM_EIO;
    } else if (lm_write_all(fd, head.p, head.n) || lm_write_all(fd, m->rows.p, m->rows.n)) {
        err = lm_err_sys(name.p, "cannot write");
        lm_aside_drop(a);
    } else {
        err = lm_aside_commit(a);
    }
    lm_buf_free(&name);
    lm_buf_free(&head);
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    int err = 0;

    (void)in;
    (void)out;
    if (lm_common.out && lm_nargs() > 1)
        return lm_err(LM_EUSAGE, "-o names one index: give one FILE");
    for (size_t i = 0; i < lm_nargs() && !err; i++) {
        const char *path = lm_arg(i).p;
        marks m = {.fresh = true};
        uint64_t size = 0;

        if (!strcmp(path, "-"))
            return lm_err(LM_EUSAGE, "stdin cannot have an index");
        err = lm_frames(path, &m.frame, &m.nframes);
        if (!err)
            err = scan(path, &m, &size);
        if (!err)
            err = save(path, lm_common.out, &m, size);
        free(m.frame);
        lm_buf_free(&m.rows);
    }
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
