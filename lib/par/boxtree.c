/* boxtree: the file tree of a level 3 box: a small tmpfs as root, the runtime's paths bound
   read-only into it, /dev with five harmless nodes, its own /proc read-only, a private tmpfs at
   /tmp. Runs in the supervisor, inside the new user and mount namespaces. */
/* link: seccomp */
#include "par/boxin.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *lm_box_step = "";

/* As in linux/mount.h, which clashes with sys/mount.h in Debian 12. */
struct mount_attr_v0 {
    uint64_t attr_set, attr_clr, propagation, userns_fd;
};
#define ATTR_RDONLY 1u
#define ATTR_NOSUID 2u
#define ATTR_NODEV 4u
#define AT_REC 0x8000

/* Makes the folders above path (relative to the working folder), then path itself: a folder or an
 * empty file. */
static int make(const char *path, bool folder)
{
    char p[PATH_MAX];
    size_t n = strlen(path);
    int fd;

    if (n >= sizeof p) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(p, path, n + 1);
    for (char *s = p + 1; *s; s++)
        if (*s == '/') {
            *s = 0;
            if (mkdir(p, 0755) && errno != EEXIST)
                return -1;
            *s = '/';
        }
    if (folder)
        return mkdir(p, 0755) && errno != EEXIST ? -1 : 0;
    fd = open(p, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    return fd < 0 ? -1 : close(fd);
}

/* Binds the host's path to the same place below the working folder, read-only with all below it. */
static int bind_ro(const char *path)
{
    struct mount_attr_v0 a = {.attr_set = ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV};
    char to[PATH_MAX], target[PATH_MAX];
    struct stat st;
    ssize_t n;

    if (lstat(path, &st))
        return errno == ENOENT ? 0 : -1; /* a path of the list that this system does not have */
    if ((size_t)snprintf(to, sizeof to, ".%s", path) >= sizeof to) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (S_ISLNK(st.st_mode)) { /* /bin -> usr/bin stays what it is */
        n = readlink(path, target, sizeof target - 1);
        if (n < 0)
            return -1;
        target[n] = 0;
        if (make(to, false) || unlink(to))
            return -1;
        return symlink(target, to);
    }
    if (make(to, S_ISDIR(st.st_mode)) || mount(path, to, NULL, MS_BIND | MS_REC, NULL))
        return -1;
    return (int)syscall(SYS_mount_setattr, AT_FDCWD, to, AT_REC, &a, sizeof a);
}

static int text(const char *path, const char *s)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644), e;

    if (fd < 0)
        return -1;
    e = lm_write_all(fd, s, strlen(s));
    close(fd);
    return e;
}

/* A folder to mount on that hides none of the paths to be bound. */
static const char *place(const char *const *ro)
{
    static const char *const at[] = {"/mnt", "/media", "/srv", "/opt", "/sys", "/tmp"};
    struct stat st;

    for (size_t i = 0; i < LM_COUNT(at); i++) {
        bool used = stat(at[i], &st) || !S_ISDIR(st.st_mode);
        for (size_t k = 0; ro[k]; k++)
            used = used || !strncmp(ro[k], at[i], strlen(at[i]));
        if (!used)
            return at[i];
    }
    return NULL;
}

#define STEP(what, call) \
    do { \
        lm_box_step = (what); \
        if (call) \
            return -1; \
    } while (0)

int lm_box_tree(const struct box_in *b, const char *tmp)
{
    static const char *const dev[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                      "/dev/urandom"};
    const lm_box_spec *s = b->spec;
    const char *root = place(s->ro);
    char opt[128];

    errno = ENOENT;
    STEP("a place for the root", !root);
    STEP("private mounts", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    STEP("tmpfs",
         mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,nr_inodes=4k,mode=0755"));
    STEP("root", chdir(root));
    for (size_t i = 0; s->ro[i]; i++)
        STEP(s->ro[i], bind_ro(s->ro[i]));
    for (size_t i = 0; i < LM_COUNT(dev); i++) {
        char to[32];
        snprintf(to, sizeof to, ".%s", dev[i]);
        if (access(dev[i], F_OK))
            continue;
        STEP(dev[i], make(to, false) || mount(dev[i], to, NULL, MS_BIND, NULL));
    }
    STEP("/dev", symlink("/proc/self/fd", "dev/fd") || symlink("/proc/self/fd/0", "dev/stdin") ||
                     symlink("/proc/self/fd/1", "dev/stdout") ||
                     symlink("/proc/self/fd/2", "dev/stderr") || symlink("/tmp", "dev/shm"));
    STEP("/etc", make("etc", true) || text("etc/passwd", "box:x:1000:1000:box:/tmp:/bin/sh\n") ||
                     text("etc/group", "box:x:1000:\n") ||
                     text("etc/hosts", "127.0.0.1 localhost\n"));
    STEP("/proc",
         make("proc", true) || mount("proc", "proc", "proc",
                                     MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "hidepid=2"));
    snprintf(opt, sizeof opt, "size=%llu,nr_inodes=16k,mode=0700,uid=%d,gid=%d",
             (unsigned long long)s->disk, BOX_UID, BOX_UID);
    STEP("/tmp", make("tmp", true) || mount("tmpfs", tmp + 1, "tmpfs", MS_NOSUID | MS_NODEV, opt));
    STEP("pivot_root", syscall(SYS_pivot_root, ".", "."));
    STEP("old root", umount2(".", MNT_DETACH));
    STEP("root", chdir("/"));
    STEP("read-only root",
         mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL));
    STEP("/tmp", chdir(tmp));
    return 0;
}
