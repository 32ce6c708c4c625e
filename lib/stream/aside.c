/* aside: files and folders written aside and renamed when whole. A file has no name at all until
   then where the file system allows it (O_TMPFILE), so even kill -9 leaves nothing. */
#include "stream/stream.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct lm_aside {
    char *path, *tmp;        /* tmp: FILE.tmp-PID */
    int fd;                  /* -1 = a folder */
    bool nameless, in_place; /* in_place: a device or pipe, nothing to rename */
    bool (*may_go)(const void *ctx,
                   const char *name); /* entries of the old folder that may be lost */
    const void *may_go_ctx;
    int slot;
};

/* What a signal handler must remove. The one state at file scope here: a handler has no context. */
static _Atomic(char *) litter[256];

static int litter_add(char *tmp)
{
    for (int i = 0; i < (int)LM_COUNT(litter); i++) {
        char *none = NULL;

        if (atomic_compare_exchange_strong(&litter[i], &none, tmp))
            return i;
    }
    return -1; /* more than we track: it stays on a signal, nothing worse */
}

static void litter_del(int slot)
{
    if (slot >= 0)
        atomic_store(&litter[slot], NULL);
}

struct dirent64_raw {
    uint64_t ino;
    int64_t off;
    uint16_t len;
    uint8_t type;
    char name[];
};

/* rm -r of a folder two levels deep with system calls alone: a signal handler may run it. */
static void sweep(int at, const char *path, int depth)
{
    char buf[2048] __attribute__((aligned(8)));
    int fd;
    long n;

    if (!unlinkat(at, path, 0) || (errno != EISDIR && errno != EPERM) || depth > 2)
        return;
    fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    while ((n = syscall(SYS_getdents64, fd, buf, sizeof buf)) > 0)
        for (long i = 0; i < n;) {
            struct dirent64_raw *e = (struct dirent64_raw *)(void *)(buf + i);

            if (strcmp(e->name, ".") && strcmp(e->name, ".."))
                sweep(fd, e->name, depth + 1);
            i += e->len;
        }
    close(fd);
    unlinkat(at, path, AT_REMOVEDIR);
}

void lm_aside_drop_all(void)
{
    for (size_t i = 0; i < LM_COUNT(litter); i++) {
        char *p = atomic_exchange(&litter[i], NULL);

        if (p)
            sweep(AT_FDCWD, p, 0);
    }
}

static lm_aside *named(const char *path)
{
    lm_aside *a = lm_zalloc(1, sizeof *a);
    char *real = realpath(path, NULL); /* a link stays a link */
    lm_buf b = {0};

    a->path = real ? real : lm_strdup(path);
    while (strlen(a->path) > 1 && a->path[strlen(a->path) - 1] == '/')
        a->path[strlen(a->path) - 1] = 0;
    lm_buf_addf(&b, "%s.tmp-%ld", a->path, (long)getpid());
    a->tmp = b.p;
    a->fd = a->slot = -1;
    return a;
}

static void done(lm_aside *a)
{
    litter_del(a->slot);
    if (a->fd >= 0)
        close(a->fd);
    free(a->path);
    free(a->tmp);
    free(a);
}

static char *parent(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return lm_strdup(".");
    return lm_strndup((lm_str){path, slash == path ? 1 : (size_t)(slash - path)});
}

lm_aside *lm_aside_open(const char *path, int *fd)
{
    lm_aside *a = named(path);
    struct stat st;
    bool exists = !stat(a->path, &st);

    if (exists && S_ISDIR(st.st_mode)) {
        lm_err_at(LM_EIO, path, "is a folder");
        done(a);
        return NULL;
    }
    a->in_place = exists && !S_ISREG(st.st_mode);
    if (a->in_place) {
        a->fd = open(a->path, O_WRONLY | O_CLOEXEC);
    } else {
        char *dir = parent(a->path);

        a->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
        a->nameless = a->fd >= 0;
        free(dir);
        if (a->fd < 0) {
            a->fd = open(a->tmp, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
            if (a->fd >= 0)
                a->slot = litter_add(a->tmp);
        }
    }
    if (a->fd < 0) {
        lm_err_sys(path, "cannot create");
        done(a);
        return NULL;
    }
    *fd = a->fd;
    return a;
}

static int sync_dir(const char *path)
{
    char *dir = parent(path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

    free(dir);
    if (fd < 0 || (fsync(fd) && errno != EINVAL))
        err = -1;
    if (fd >= 0)
        close(fd);
    return err;
}

/* Every file of a folder to disk, then the folder. */
static int sync_tree(const char *path)
{
    DIR *d = opendir(path);
    int err = d ? 0 : -1;

    for (struct dirent *e; !err && (e = readdir(d));) {
        int fd;

        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        fd = openat(dirfd(d), e->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fsync(fd))
            err = -1;
        if (fd >= 0)
            close(fd);
    }
    if (!err && fsync(dirfd(d)) && errno != EINVAL)
        err = -1;
    if (d)
        closedir(d);
    return err;
}

static int commit_file(lm_aside *a)
{
    char proc[64];

    if (fsync(a->fd) && errno != EINVAL && errno != EROFS)
        return lm_err_sys(a->path, "cannot write to disk");
    if (a->in_place)
        return 0;
    if (a->nameless) {
        snprintf(proc, sizeof proc, "/proc/self/fd/%d", a->fd);
        unlink(a->tmp); /* of an earlier process with our number */
        if (linkat(AT_FDCWD, proc, AT_FDCWD, a->tmp, AT_SYMLINK_FOLLOW))
            return lm_err_sys(a->path, "cannot name the file");
    }
    if (rename(a->tmp, a->path)) {
        lm_err_sys(a->path, "cannot rename");
        unlink(a->tmp);
        return LM_EIO;
    }
    return sync_dir(a->path) ? lm_err_sys(a->path, "cannot write to disk") : 0;
}

/* A folder is replaced only if nothing is lost: each of its entries comes again in the new one or
   is one the caller says may go. */
static int replaceable(const lm_aside *a, const char *old, const char *new)
{
    DIR *d = opendir(old);
    int err = 0;

    if (!d)
        return errno == ENOENT ? 0 : lm_err_sys(old, "cannot replace");
    for (struct dirent *e; !err && (e = readdir(d));) {
        lm_buf b = {0};
        struct stat st;

        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        lm_buf_addf(&b, "%s/%s", new, e->d_name);
        if (lstat(b.p, &st) && !(a->may_go && a->may_go(a->may_go_ctx, e->d_name)))
            err = lm_err_at(LM_EIO, a->path, "holds %s, which would be lost: remove it first",
                            e->d_name);
        lm_buf_free(&b);
    }
    closedir(d);
    return err;
}

/* The new folder and the old one trade places. The old one may have come since it was looked at:
   where it may not go, they trade back. */
static int trade(const lm_aside *a)
{
    int err = 0;

    for (int i = 0; i < 2 && (!i || err); i++) {
        if (renameat2(AT_FDCWD, a->tmp, AT_FDCWD, a->path, RENAME_EXCHANGE))
            return lm_err_sys(a->path, "cannot rename");
        if (!i)
            err = replaceable(a, a->tmp, a->path);
    }
    return err;
}

static int commit_dir(lm_aside *a)
{
    int err = replaceable(a, a->path, a->tmp);

    if (!err && sync_tree(a->tmp))
        err = lm_err_sys(a->path, "cannot write to disk");
    if (!err && rename(a->tmp, a->path)) {
        if (errno == ENOTEMPTY || errno == EEXIST) /* trade places, then remove the old one */
            err = trade(a);
        else
            err = lm_err_sys(a->path, "cannot rename");
    }
    lm_rmtree(a->tmp);
    if (!err && sync_dir(a->path))
        err = lm_err_sys(a->path, "cannot write to disk");
    return err;
}

int lm_aside_commit(lm_aside *a)
{
    int err = a->fd >= 0 ? commit_file(a) : commit_dir(a);

    done(a);
    return err;
}

void lm_aside_drop(lm_aside *a)
{
    if (a->fd < 0)
        lm_rmtree(a->tmp);
    else if (!a->nameless && !a->in_place)
        unlink(a->tmp);
    done(a);
}

lm_aside *lm_aside_dir(const char *path)
{
    lm_aside *a = named(path);

    if (lm_rmtree(a->tmp) || mkdir(a->tmp, 0777)) {
        lm_err_sys(path, "cannot create");
        done(a);
        return NULL;
    }
    a->slot = litter_add(a->tmp);
    return a;
}

void lm_aside_may_go(lm_aside *a, bool (*f)(const void *ctx, const char *name), const void *ctx)
{
    a->may_go = f;
    a->may_go_ctx = ctx;
}

const char *lm_aside_path(const lm_aside *a)
{
    return a->tmp;
}
