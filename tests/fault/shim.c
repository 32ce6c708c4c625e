/* shim: LD_PRELOADed under a tool, makes system calls fail as systems do.
   - FAULT_SHORT=1: reads and writes move fewer bytes than asked, as a hash of their count says
   - FAULT_EINTR=K: one of K reads, writes and polls is interrupted, as a hash of their count says
   - FAULT_ENOSPC=N: writes to files fail with ENOSPC once N bytes were written
   - FAULT_FREED=K: .. until K writes were refused: there is space again
   - FAULT_EIO=N: the N-th read fails with EIO
   - FAULT_MALLOC=N: the N-th allocation fails, and all after it; 0 = none
   - FAULT_MALLOC1=N: the N-th allocation fails, that one alone
   - FAULT_TELL=FILE: appends 'hit' when a failure of memory, space or input was delivered
   The tool may then end with 0 (it coped) or 5 (it told), never by a signal or with a false %end.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void *memalign(size_t align, size_t n);

static atomic_long calls, reads, allocs;
static atomic_llong written, refused;
static long every, fail_read, fail_alloc, fail_one, freed;
static long long space = -1;
static int shorter;
static bool armed; /* set once main is near: the loader's own calls pass */
static char tell[512];

static long number(const char *name, long none)
{
    const char *s = getenv(name);

    return s ? strtol(s, NULL, 10) : none;
}

/* What stdio writes does not come by write() here, so it is led there. As stdio does it goes on
   after a short write; a signal does not interrupt it (handlers restart). */
static ssize_t put(void *fd, const char *p, size_t n)
{
    size_t done = 0;

    while (done < n) {
        ssize_t k = write((int)(intptr_t)fd, p + done, n - done);

        if (k < 0 && errno != EINTR)
            break;
        done += k < 0 ? 0 : (size_t)k;
    }
    return (ssize_t)done;
}

static int shut(void *fd)
{
    return close((int)(intptr_t)fd);
}

FILE *fdopen(int fd, const char *mode)
{
    return fopencookie((void *)(intptr_t)fd, mode,
                       (cookie_io_functions_t){.write = put, .close = shut});
}

__attribute__((constructor)) static void arm(void)
{
    const char *file = getenv("FAULT_TELL");
    FILE *f = fdopen(1, "w");

    if (f)
        stdout = f;

    shorter = (int)number("FAULT_SHORT", 0);
    every = number("FAULT_EINTR", 0);
    space = number("FAULT_ENOSPC", -1);
    freed = number("FAULT_FREED", 0);
    fail_read = number("FAULT_EIO", 0);
    fail_alloc = number("FAULT_MALLOC", 0);
    fail_one = number("FAULT_MALLOC1", 0);
    if (file && strlen(file) < sizeof tell)
        strcpy(tell, file);
    unsetenv("LD_PRELOAD"); /* the tool fails, not what it runs */
    armed = true;
}

static void hit(void)
{
    int fd, keep = errno;

    if (*tell && (fd = (int)syscall(SYS_openat, AT_FDCWD, tell,
                                    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) >= 0) {
        if (syscall(SYS_write, fd, "hit\n", 4) < 0)
            keep = errno;
        syscall(SYS_close, fd);
    }
    errno = keep;
}

static uint64_t mix(long n)
{
    uint64_t x = ((uint64_t)n + 1) * 0x9e3779b97f4a7c15u;

    return x >> 33;
}

/* A call comes: true if it is to be interrupted. */
static bool interrupted(void)
{
    if (!armed || !every || mix(atomic_fetch_add(&calls, 1)) % (uint64_t)every)
        return false;
    errno = EINTR;
    return true;
}

static size_t cut(size_t n)
{
    if (!armed || !shorter || n < 2)
        return n;
    return 1 + (size_t)(mix(every ? atomic_load(&calls) : atomic_fetch_add(&calls, 1)) % n);
}

static bool bad_read(void)
{
    if (!armed || !fail_read || atomic_fetch_add(&reads, 1) + 1 != fail_read)
        return false;
    hit();
    errno = EIO;
    return true;
}

/* How many of n bytes the device still takes; 0: it is full, errno set. */
static size_t room(int fd, size_t n)
{
    struct stat st;
    long long was;

    if (!armed || space < 0 || fd == 2 || fstat(fd, &st) || !S_ISREG(st.st_mode))
        return n;
    was = atomic_fetch_add(&written, (long long)n);
    if (freed && atomic_load(&refused) >= freed)
        return n;
    if (was >= space) {
        atomic_fetch_add(&refused, 1);
        hit();
        errno = ENOSPC;
        return 0;
    }
    return was + (long long)n > space ? (size_t)(space - was) : n;
}

ssize_t read(int fd, void *p, size_t n)
{
    if (interrupted() || bad_read())
        return -1;
    return syscall(SYS_read, fd, p, cut(n));
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
    if (interrupted() || bad_read())
        return -1;
    return syscall(SYS_pread64, fd, p, cut(n), at);
}

ssize_t pread64(int fd, void *p, size_t n, off_t at)
{
    return pread(fd, p, n, at);
}

ssize_t write(int fd, const void *p, size_t n)
{
    if (interrupted())
        return -1;
    n = cut(n);
    if (n && !(n = room(fd, n)))
        return -1;
    return syscall(SYS_write, fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
    if (interrupted())
        return -1;
    n = cut(n);
    if (n && !(n = room(fd, n)))
        return -1;
    return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off_t at)
{
    return pwrite(fd, p, n, at);
}

/* The vector calls move their first part alone when they are to be short or the device fills. */
ssize_t writev(int fd, const struct iovec *v, int count)
{
    int i = 0;

    if (!armed || (!shorter && space < 0)) {
        if (interrupted())
            return -1;
        return syscall(SYS_writev, fd, v, count);
    }
    while (i < count - 1 && !v[i].iov_len)
        i++;
    return count > 0 ? write(fd, v[i].iov_base, v[i].iov_len) : 0;
}

ssize_t readv(int fd, const struct iovec *v, int count)
{
    int i = 0;

    while (i < count - 1 && !v[i].iov_len)
        i++;
    return count > 0 ? read(fd, v[i].iov_base, v[i].iov_len) : 0;
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
    struct timespec t = {timeout / 1000, (timeout % 1000) * 1000000L};

    if (interrupted())
        return -1;
    return (int)syscall(SYS_ppoll, fds, n, timeout < 0 ? NULL : &t, NULL, (size_t)0);
}

static bool no_memory(void)
{
    long n;

    if (!armed || (!fail_alloc && !fail_one))
        return false;
    n = atomic_fetch_add(&allocs, 1) + 1;
    if (!(fail_alloc && n >= fail_alloc) && n != fail_one)
        return false;
    hit();
    errno = ENOMEM;
    return true;
}

void *malloc(size_t n)
{
    return no_memory() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return no_memory() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return no_memory() ? NULL : __libc_realloc(p, n);
}

void *memalign(size_t align, size_t n)
{
    return no_memory() ? NULL : __libc_memalign(align, n);
}

void *aligned_alloc(size_t align, size_t n)
{
    return memalign(align, n);
}

int posix_memalign(void **p, size_t align, size_t n)
{
    int keep = errno;
    void *q = memalign(align, n);

    errno = keep;
    if (!q)
        return ENOMEM;
    *p = q;
    return 0;
}
