/* file: whole files, whole writes, folders. */
#include "base/base.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int lm_read_file(const char *path, lm_buf *out, size_t max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t piece = 65536;
    struct stat st;
    ssize_t n = 0;

    if (fd < 0)
        return lm_err_sys(path, "cannot open");
    if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size >= 65536 && (uint64_t)st.st_size < max)
        piece = (size_t)st.st_size + 1; /* as a rule one read, and one that finds the end */
    do {
        char *p = lm_buf_need(out, piece);

        lm_hint_huge(p, piece);
        n = read(fd, p, piece);
        piece = 65536;
        if (n > 0)
            out->n += (size_t)n;
    } while ((n > 0 && out->n <= max) || (n < 0 && errno == EINTR));
    if (n < 0)
        lm_err_sys(path, "cannot read");
    close(fd);
    lm_buf_need(out, 0)[0] = 0;
    if (out->n > max)
        return lm_err_at(LM_ELIMIT, path, "over %zu bytes", max);
    return n < 0 ? LM_EIO : 0;
}

int lm_write_all(int fd, const void *buf, size_t n)
{
    const char *p = buf;

    while (n) {
        ssize_t k = write(fd, p, n);

        if (k < 0 && errno != EINTR)
            return -1;
        if (k > 0) {
            p += k;
            n -= (size_t)k;
        }
    }
    return 0;
}

int lm_write_file(const char *dir, const char *name, lm_str s)
{
    lm_buf path = {0};
    int fd, err = 0;

    lm_buf_addf(&path, "%s/%s", dir, name);
    fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || lm_write_all(fd, s.p, s.n) || fsync(fd))
        err = lm_err_sys(path.p, "cannot write");
    if (fd >= 0 && close(fd) && !err)
        err = lm_err_sys(path.p, "cannot write");
    lm_buf_free(&path);
    return err;
}

int lm_pread_all(int fd, void *buf, size_t n, uint64_t off)
{
    char *p = buf;

    while (n) {
        ssize_t k = pread(fd, p, n, (off_t)off);

        if (!k)
            errno = EIO;
        if (!k || (k < 0 && errno != EINTR))
            return -1;
        if (k > 0) {
            p += k;
            n -= (size_t)k;
            off += (uint64_t)k;
        }
    }
    return 0;
}

int lm_temp_file(const char *dir, int *fd)
{
    lm_buf name = {0};
    int err = 0;

    if (!dir)
        dir = getenv("TMPDIR");
    if (!dir || !*dir)
        dir = "/tmp";
    *fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (*fd < 0) { /* a file system without O_TMPFILE */
        lm_buf_addf(&name, "%s/lm-temp.XXXXXX", dir);
        *fd = mkostemp(name.p, O_CLOEXEC);
        if (*fd < 0)
            err = lm_err_sys(dir, "cannot make a temporary file");
        else
            unlink(name.p);
        lm_buf_free(&name);
    }
    return err;
}

int lm_mkdirs(const char *path, unsigned mode)
{
    char *p = lm_strdup(path);
    int err = 0;

    for (char *s = p + (*p == '/'); !err; s++) {
        if (*s && *s != '/')
            continue;
        char c = *s;

        *s = 0;
        if (*p && mkdir(p, (mode_t)mode) && errno != EEXIST)
            err = lm_err_sys(p, "cannot make folder");
        *s = c;
        if (!c)
            break;
    }
    free(p);
    return err;
}

int lm_rmtree(const char *path)
{
    struct stat st;
    DIR *d;
    int err = 0;

    if (lstat(path, &st))
        return errno == ENOENT ? 0 : lm_err_sys(path, "cannot remove");
    if (!S_ISDIR(st.st_mode))
        return unlink(path) ? lm_err_sys(path, "cannot remove") : 0;
    d = opendir(path);
    if (!d)
        return lm_err_sys(path, "cannot open folder");
    for (struct dirent *e; !err && (e = readdir(d));) {
        lm_buf b = {0};

        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        lm_buf_addf(&b, "%s/%s", path, e->d_name);
        err = lm_rmtree(b.p);
        lm_buf_free(&b);
    }
    closedir(d);
    if (!err && rmdir(path))
        err = lm_err_sys(path, "cannot remove");
    return err;
}

int lm_mmap_file(const char *path, lm_str *out)
{
    struct stat st;
    void *p = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;

    *out = (lm_str){NULL, 0};
    if (fd < 0)
        return lm_err_sys(path, "cannot open");
    if (fstat(fd, &st))
        err = lm_err_sys(path, "cannot stat");
    else if (!S_ISREG(st.st_mode))
        err = lm_err_at(LM_EIO, path, "not a regular file");
    else if (st.st_size &&
             (p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0)) == MAP_FAILED)
        err = lm_err_sys(path, "cannot map");
    else
        *out = (lm_str){p, (size_t)st.st_size};
    close(fd);
    return err;
}

void lm_munmap_file(lm_str m)
{
    if (m.p)
        munmap((void *)(uintptr_t)m.p, m.n);
}

void lm_mmap_drop(lm_str m, uint64_t from, uint64_t to)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    from = from / page * page;
    to = to / page * page;
    if (m.p && from < to)
        (void)madvise((void *)(uintptr_t)(m.p + from), to - from, MADV_DONTNEED);
}
