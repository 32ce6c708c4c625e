/* ckpt: a checkpoint appears whole: written aside, synced, renamed, read back, and only then named
 * `latest`. */
#include "nn/ckpt.h"
#include "stream/stream.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

void lm_ckpt_path(const char *run, uint64_t step, lm_buf *out)
{
    out->n = 0;
    lm_buf_addf(out, "%s/step-%08" PRIu64, run, step);
}

/* What a tensor has behind it, in the order of the file. */
static const struct {
    const char *prefix;
    int which;
} part[] = {{"master.", LM_NN_MASTER},
            {"opt.m.", LM_NN_M},
            {"opt.v.", LM_NN_V},
            {"ema.", LM_NN_EMA}};

/* The table of train.safetensors; names live in ar. */
static lm_st_tensor *table(const lm_model *m, const lm_nn_opt *o, lm_arena *ar, size_t *n)
{
    lm_st_tensor *t = lm_zalloc(LM_COUNT(part) * m->nt, sizeof *t);
    lm_buf name = {0};

    *n = 0;
    for (size_t k = 0; k < LM_COUNT(part); k++)
        for (size_t i = 0; i < m->nt; i++) {
            lm_st_tensor *x = &t[*n];

            if (!lm_nn_keeps(o, part[k].which, i))
                continue;
            name.n = 0;
            lm_buf_addf(&name, "%s%s", part[k].prefix, m->t[i].name);
            *x = (lm_st_tensor){.name = lm_arena_str(ar, lm_buf_str(&name)).p,
                                .dt = LM_F32,
                                .nd = m->t[i].nd,
                                .count = m->t[i].n,
                                .bytes = 4 * m->t[i].n};
            for (int d = 0; d < x->nd; d++)
                x->dim[d] = m->t[i].dim[d];
            ++*n;
        }
    lm_buf_free(&name);
    return t;
}

uint64_t lm_ckpt_bytes(const lm_model *m, const lm_nn_opt *o)
{
    lm_arena *ar = lm_arena_new();
    size_t n;
    lm_st_tensor *t = table(m, o, ar, &n);
    uint64_t bytes = lm_st_size(t, n, NULL) + lm_model_file_bytes(m) * (o->ema > 0 ? 2 : 1);

    lm_arena_free(ar);
    free(t);
    return bytes;
}

static int write_train(const char *dir, const lm_model *m, lm_nn *nn)
{
    lm_arena *ar = lm_arena_new();
    size_t n, at = 0;
    lm_st_tensor *t = table(m, lm_nn_made(nn), ar, &n);
    lm_buf path = {0};
    lm_st_out *o;
    int err;

    lm_buf_addf(&path, "%s/train.safetensors", dir);
    err = lm_st_create(&o, path.p, t, n, NULL);
    for (size_t k = 0; !err && k < LM_COUNT(part); k++)
        for (size_t i = 0; !err && i < m->nt; i++) {
            const float *a = lm_nn_array(nn, part[k].which, i);

            if (a && (err = lm_st_put_f32(o, a, t[at++].count, LM_F32)))
                lm_st_drop(o);
        }
    if (!err)
        err = lm_st_done(o);
    lm_buf_free(&path);
    lm_arena_free(ar);
    free(t);
    return err;
}

int lm_ckpt_read(const char *dir, const lm_model *m, lm_nn *nn, bool lax)
{
    lm_buf path = {0}, name = {0};
    lm_st *st = NULL;
    size_t n = 0;
    int err;

    lm_buf_addf(&path, "%s/train.safetensors", dir);
    err = lm_st_open(&st, path.p);
    for (size_t k = 0; !err && k < LM_COUNT(part); k++) {
        if (part[k].which == LM_NN_EMA)
            lm_nn_restart_ema(nn);
        for (size_t i = 0; !err && i < m->nt; i++) {
            float *a = lm_nn_array(nn, part[k].which, i);
            const lm_st_tensor *x;

            if (!a)
                continue;
            name.n = 0;
            lm_buf_addf(&name, "%s%s", part[k].prefix, m->t[i].name);
            x = lm_st_find(st, name.p);
            n += !!x;
            if (x && x->dt == LM_F32 && x->count == m->t[i].n)
                memcpy(a, x->data, x->bytes);
            else if (x || !lax || part[k].which == LM_NN_MASTER)
                err = lm_err_at(LM_EINVALID, path.p, "tensor %s: %s", name.p,
                                x ? "of another type or shape" : "missing");
        }
    }
    if (!err && !lax && lm_st_count(st) != n)
        err = lm_err_at(LM_EINVALID, path.p, "%zu tensors, not %zu", lm_st_count(st), n);
    if (!err)
        lm_nn_repack(nn);
    if (st)
        lm_st_close(st);
    lm_buf_free(&path);
    lm_buf_free(&name);
    return err;
}

/* RUN/latest -> step-N, replaced in one move. */
static int point_latest(const char *run, uint64_t step)
{
    lm_buf link = {0}, tmp = {0};
    char target[32];
    int fd, err = 0;

    snprintf(target, sizeof target, "step-%08" PRIu64, step);
    lm_buf_addf(&link, "%s/latest", run);
    lm_buf_addf(&tmp, "%s/latest.tmp-%ld", run, (long)getpid());
    unlink(tmp.p);
    if (symlink(target, tmp.p) || rename(tmp.p, link.p)) {
        err = lm_err_sys(link.p, "cannot write");
        unlink(tmp.p);
    } else if ((fd = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0) {
        fsync(fd); /* a folder that cannot be synced is renamed all the same */
        close(fd);
    }
    lm_buf_free(&link);
    lm_buf_free(&tmp);
    return err;
}

/* DIR/ema: the average of the weights as a model of its own. */
static int write_ema(const char *dir, const lm_model *m, lm_nn *nn, const char *tok)
{
    lm_buf path = {0};
    int fd, err;

    lm_buf_addf(&path, "%s/ema", dir);
    if (mkdir(path.p, 0777)) {
        err = lm_err_sys(path.p, "cannot create");
    } else {
        lm_nn_trade_ema(nn);
        err = lm_model_save(m, path.p);
        lm_nn_trade_ema(nn);
    }
    if (!err && tok)
        err = lm_tokenizer_copy(tok, path.p);
    if (!err && (fd = open(path.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0) {
        fsync(fd); /* as in point_latest */
        close(fd);
    }
    lm_buf_free(&path);
    return err;
}

int lm_ckpt_write(const char *run, uint64_t step, const lm_model *m, lm_nn *nn, lm_str state,
                  const char *tok)
{
    lm_buf path = {0};
    lm_aside *a;
    const char *dir;
    int err;

    lm_ckpt_path(run, step, &path);
    a = lm_aside_dir(path.p);
    if (!a) {
        lm_buf_free(&path);
        return LM_EIO;
    }
    dir = lm_aside_path(a);
    err = lm_model_save(m, dir);
    if (!err && tok)
        err = lm_tokenizer_copy(tok, dir);
    if (!err && lm_nn_has_ema(nn))
        err = write_ema(dir, m, nn, tok);
    if (!err)
        err = write_train(dir, m, nn);
    if (!err)
        err = lm_write_file(dir, "state.json", state);
    if (!err)
        err = lm_manifest_write(dir);
    if (err)
        lm_aside_drop(a);
    else
        err = lm_aside_commit(a);
    if (!err)
        err = lm_manifest_check(path.p);
    if (!err)
        err = point_latest(run, step);
    lm_buf_free(&path);
    return err;
}

/* The step that a name of lm_ckpt_path tells; no other spelling of it is one. */
static bool step_of(const char *name, uint64_t *step)
{
    char again[32];
    const char *p = name + 5;

    if (strncmp(name, "step-", 5))
        return false;
    while (*p == '0' && p[1])
        p++;
    if (!lm_parse_u64(lm_cstr(p), step))
        return false;
    snprintf(again, sizeof again, "step-%08" PRIu64, *step);
    return !strcmp(again, name);
}

uint64_t lm_ckpt_latest(const char *run)
{
    char target[64];
    lm_buf link = {0};
    uint64_t step = LM_NO_STEP;
    ssize_t n;

    lm_buf_addf(&link, "%s/latest", run);
    n = readlink(link.p, target, sizeof target - 1);
    lm_buf_free(&link);
    if (n < 0)
        return LM_NO_STEP;
    target[n] = 0;
    return step_of(target, &step) ? step : LM_NO_STEP;
}

static int by_step(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

int lm_ckpt_list(const char *run, uint64_t **v, size_t *n)
{
    DIR *d = opendir(run);
    size_t cap = 0;

    *v = NULL;
    *n = 0;
    if (!d)
        return errno == ENOENT ? 0 : lm_err_sys(run, "cannot read");
    for (struct dirent *e; (e = readdir(d));) {
        uint64_t step;

        if (!step_of(e->d_name, &step))
            continue;
        LM_GROW(*v, *n, cap);
        (*v)[(*n)++] = step;
    }
    closedir(d);
    if (*n)
        qsort(*v, *n, sizeof **v, by_step);
    return 0;
}
