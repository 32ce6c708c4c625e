/* prune: which checkpoints of a run may go, and how they go; the lock that guards them. */
#include "nn/ckpt.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int lm_run_lock(const char *run, bool make)
{
    lm_buf path = {0};
    int fd, err = make ? lm_mkdirs(run, 0777) : 0;

    if (err)
        return err;
    lm_buf_addf(&path, "%s/lock", run);
    fd = open(path.p, O_RDWR | O_CLOEXEC | (make ? O_CREAT : 0), 0666);
    if (fd < 0 && !make && (errno == EACCES || errno == EROFS))
        fd = open(path.p, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        err = !make && errno == ENOENT ? 0 : lm_err_sys(path.p, "cannot open");
    else if (flock(fd, LOCK_EX | LOCK_NB))
        err = errno == EWOULDBLOCK ? lm_err_at(LM_EIO, path.p, "another process works in this run")
                                   : lm_err_sys(path.p, "cannot lock");
    if (err && fd >= 0)
        close(fd);
    lm_buf_free(&path);
    return err;
}

/* The newest of v[0..n) that is as it was written; LM_NO_STEP and the error of the newest if none
 * is. */
static int newest_whole(const char *run, const uint64_t *v, size_t n, uint64_t *step)
{
    lm_buf path = {0};
    lm_error why = {0};
    int err = 0;

    *step = LM_NO_STEP;
    for (size_t i = n; i-- > 0 && *step == LM_NO_STEP;) {
        lm_ckpt_path(run, v[i], &path);
        err = lm_manifest_check(path.p);
        if (!err)
            *step = v[i];
        else if (!why.err)
            why = *lm_last_error();
    }
    if (err) {
        *lm_last_error() = why;
        err = why.err;
    }
    lm_buf_free(&path);
    return err;
}

int lm_ckpt_spare(const char *run, uint64_t keep, uint64_t major, uint64_t whole, uint64_t **out,
                  size_t *nout)
{
    uint64_t *v, latest = lm_ckpt_latest(run);
    size_t n, spare = 0;
    int err = lm_ckpt_list(run, &v, &n);

    for (int pass = whole == LM_NO_STEP ? 0 : 1; !err && pass < 2; pass++) {
        spare = 0;
        for (size_t i = 0; i < n && n - i > keep; i++)
            if (!(major && v[i] && v[i] % major == 0) && v[i] != latest && v[i] != whole) {
                if (pass)
                    v[spare] = v[i];
                spare++;
            }
        if (!pass && !spare)
            break;
        if (!pass)
            err = newest_whole(run, v, n, &whole);
    }
    *out = v;
    *nout = err ? 0 : spare;
    return err;
}

int lm_ckpt_remove(const char *run, uint64_t step)
{
    lm_buf path = {0}, gone = {0};
    int err = 0;

    lm_ckpt_path(run, step, &path);
    lm_buf_addf(&gone, "%s.tmp-%ld", path.p, (long)getpid());
    if (rename(path.p, gone.p))
        err = lm_err_sys(path.p, "cannot remove");
    else
        err = lm_rmtree(gone.p);
    lm_buf_free(&path);
    lm_buf_free(&gone);
    return err;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int lm_ckpt_litter(const char *run, char ***v, size_t *n)
{
    DIR *d = opendir(run);
    size_t cap = 0;

    *v = NULL;
    *n = 0;
    if (!d)
        return lm_err_sys(run, "cannot read");
    for (struct dirent *e; (e = readdir(d));) {
        if ((strncmp(e->d_name, "step-", 5) && strncmp(e->d_name, "latest.tmp-", 11)) ||
            !strstr(e->d_name, ".tmp-"))
            continue;
        LM_GROW(*v, *n, cap);
        (*v)[(*n)++] = lm_strdup(e->d_name);
    }
    closedir(d);
    if (*n)
        qsort(*v, *n, sizeof **v, by_name);
    return 0;
}

void lm_ckpt_sweep(const char *run)
{
    lm_buf path = {0};
    char **v;
    size_t n;

    (void)lm_ckpt_litter(run, &v, &n); /* a folder that cannot be read is told by what comes next */
    for (size_t i = 0; i < n; i++) {
        path.n = 0;
        lm_buf_addf(&path, "%s/%s", run, v[i]);
        lm_rmtree(path.p);
        free(v[i]);
    }
    free(v);
    lm_buf_free(&path);
}

int lm_tree_bytes(const char *path, uint64_t *bytes)
{
    struct stat st;
    DIR *d;
    int err = 0;

    *bytes = 0;
    if (lstat(path, &st))
        return lm_err_sys(path, "cannot stat");
    if (!S_ISDIR(st.st_mode)) {
        *bytes = (uint64_t)st.st_size;
        return 0;
    }
    d = opendir(path);
    if (!d)
        return lm_err_sys(path, "cannot read");
    for (struct dirent *e; !err && (e = readdir(d));) {
        lm_buf in = {0};
        uint64_t more;

        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        lm_buf_addf(&in, "%s/%s", path, e->d_name);
        err = lm_tree_bytes(in.p, &more);
        *bytes += more;
        lm_buf_free(&in);
    }
    closedir(d);
    return err;
}
