/* boxfilter: the system calls a program in a box may make, and the files it may open (Landlock).
   Allowed: what python3, perl, sh, node and the C compiler need. Calls without an honest use and
   process creation are sent to the supervisor (user notification): it ends the box on the former
   and counts tasks on the latter. All other calls look unknown (ENOSYS), so that runtimes fall
   back. */
/* link: seccomp */
#include "par/boxin.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const allow[] = {
    "_llseek",
    "_newselect",
    "accept",
    "accept4",
    "access",
    "alarm",
    "arch_prctl",
    "bind",
    "brk",
    "capget",
    "chdir",
    "chmod",
    "chown",
    "clock_getres",
    "clock_gettime",
    "clock_nanosleep",
    "close",
    "close_range",
    "connect",
    "copy_file_range",
    "creat",
    "dup",
    "dup2",
    "dup3",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_ctl_old",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "epoll_wait_old",
    "eventfd",
    "eventfd2",
    "execve",
    "execveat",
    "exit",
    "exit_group",
    "faccessat",
    "faccessat2",
    "fadvise64",
    "fallocate",
    "fchdir",
    "fchmod",
    "fchmodat",
    "fchown",
    "fchownat",
    "fcntl",
    "fdatasync",
    "fgetxattr",
    "flistxattr",
    "flock",
    "fstat",
    "fstatfs",
    "fsync",
    "ftruncate",
    "futex",
    "futex_waitv",
    "futimesat",
    "get_mempolicy",
    "get_robust_list",
    "getcpu",
    "getcwd",
    "getdents",
    "getdents64",
    "getegid",
    "geteuid",
    "getgid",
    "getgroups",
    "getitimer",
    "getpeername",
    "getpgid",
    "getpgrp",
    "getpid",
    "getppid",
    "getpriority",
    "getrandom",
    "getresgid",
    "getresuid",
    "getrlimit",
    "getrusage",
    "getsid",
    "getsockname",
    "getsockopt",
    "gettid",
    "gettimeofday",
    "getuid",
    "getxattr",
    "inotify_add_watch",
    "inotify_init",
    "inotify_init1",
    "inotify_rm_watch",
    "kill",
    "lchown",
    "lgetxattr",
    "link",
    "linkat",
    "listen",
    "listxattr",
    "llistxattr",
    "lseek",
    "lstat",
    "madvise",
    "membarrier",
    "memfd_create",
    "mincore",
    "mkdir",
    "mkdirat",
    "mknod",
    "mknodat",
    "mlock",
    "mlock2",
    "mmap",
    "mprotect",
    "mremap",
    "msync",
    "munlock",
    "munmap",
    "nanosleep",
    "newfstatat",
    "open",
    "openat",
    "pause",
    "pidfd_open",
    "pidfd_send_signal",
    "pipe",
    "pipe2",
    "pkey_alloc",
    "pkey_free",
    "pkey_mprotect",
    "poll",
    "ppoll",
    "prctl",
    "pread64",
    "preadv",
    "preadv2",
    "prlimit64",
    "pselect6",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "read",
    "readahead",
    "readlink",
    "readlinkat",
    "readv",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "rename",
    "renameat",
    "renameat2",
    "restart_syscall",
    "rmdir",
    "rseq",
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigqueueinfo",
    "rt_sigreturn",
    "rt_sigsuspend",
    "rt_sigtimedwait",
    "rt_tgsigqueueinfo",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "sched_getaffinity",
    "sched_getattr",
    "sched_getparam",
    "sched_getscheduler",
    "sched_rr_get_interval",
    "sched_setaffinity",
    "sched_yield",
    "select",
    "semctl",
    "semget",
    "semop",
    "semtimedop",
    "sendfile",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "set_robust_list",
    "set_tid_address",
    "setfsgid",
    "setfsuid",
    "setgid",
    "setgroups",
    "setitimer",
    "setpgid",
    "setpriority",
    "setregid",
    "setresgid",
    "setresuid",
    "setreuid",
    "setrlimit",
    "setsid",
    "setsockopt",
    "setuid",
    "shmat",
    "shmctl",
    "shmdt",
    "shmget",
    "shutdown",
    "sigaltstack",
    "signalfd",
    "signalfd4",
    "socketpair",
    "splice",
    "stat",
    "statfs",
    "statx",
    "symlink",
    "symlinkat",
    "sync_file_range",
    "sysinfo",
    "tee",
    "tgkill",
    "time",
    "timer_create",
    "timer_delete",
    "timer_getoverrun",
    "timer_gettime",
    "timer_settime",
    "timerfd_create",
    "timerfd_gettime",
    "timerfd_settime",
    "times",
    "tkill",
    "truncate",
    "umask",
    "uname",
    "unlink",
    "unlinkat",
    "utime",
    "utimensat",
    "utimes",
    "wait4",
    "waitid",
    "write",
    "writev",
};

/* No honest use inside a box: the supervisor ends it with VIOLATION. */
static const char *const deny[] = {
    "_sysctl",
    "acct",
    "add_key",
    "bpf",
    "chroot",
    "delete_module",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "init_module",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mount",
    "mount_setattr",
    "move_mount",
    "move_pages",
    "name_to_handle_at",
    "nfsservctl",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pidfd_getfd",
    "pivot_root",
    "process_madvise",
    "process_vm_readv",
    "process_vm_writev",
    "ptrace",
    "quotactl",
    "quotactl_fd",
    "reboot",
    "request_key",
    "setdomainname",
    "sethostname",
    "setns",
    "settimeofday",
    "swapoff",
    "swapon",
    "sysfs",
    "syslog",
    "umount",
    "umount2",
    "unshare",
    "uselib",
    "userfaultfd",
    "vhangup",
};

static int rule(scmp_filter_ctx c, uint32_t act, const char *name)
{
    int nr = seccomp_syscall_resolve_name(name);

    return nr == __NR_SCMP_ERROR || nr < 0 ? 0 : seccomp_rule_add(c, act, nr, 0);
}

static int rules(scmp_filter_ctx c)
{
    int e = 0;

    for (size_t i = 0; i < LM_COUNT(allow) && !e; i++)
        e = rule(c, SCMP_ACT_ALLOW, allow[i]);
    for (size_t i = 0; i < LM_COUNT(deny) && !e; i++)
        e = rule(c, SCMP_ACT_NOTIFY, deny[i]);
    /* Processes and threads: counted by the supervisor, which also reads the namespace flags. */
    if (!e)
        e = rule(c, SCMP_ACT_NOTIFY, "clone");
    if (!e)
        e = rule(c, SCMP_ACT_NOTIFY, "fork");
    if (!e)
        e = rule(c, SCMP_ACT_NOTIFY, "vfork");
    /* No network: only local sockets exist. */
    if (!e)
        e = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                             SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0));
    if (!e)
        e = seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
                             SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0));
    /* Characters pushed into a terminal's input, by either call. The kernel looks at 32 bits. */
    if (!e)
        e = seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, TIOCSTI));
    if (!e)
        e = seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffu, TIOCLINUX));
    if (!e)
        e = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 0);
    /* Address space randomisation may be switched off (personality), nothing else about the
     * machine. */
    if (!e)
        e = seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1,
                             SCMP_A0(SCMP_CMP_EQ, 0xffffffffu, 0));
    return e;
}

int lm_box_filter(struct sock_fprog *out)
{
    static struct sock_fprog made;
    scmp_filter_ctx c;
    struct stat st;
    int fd, e;

    if (made.filter) {
        *out = made;
        return 0;
    }
    c = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (!c)
        return lm_err(LM_EFACILITY, "seccomp: cannot begin a filter; see --level 1");
    seccomp_attr_set(c, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS); /* 32-bit and x32 calls */
    seccomp_attr_set(c, SCMP_FLTATR_CTL_OPTIMIZE, 2);                    /* a tree, not a list */
    e = rules(c);
    fd = memfd_create("filter", MFD_CLOEXEC);
    if (!e)
        e = fd < 0 ? -errno : seccomp_export_bpf(c, fd);
    seccomp_release(c);
    if (!e && !fstat(fd, &st) && st.st_size > 0) {
        made.len = (unsigned short)((size_t)st.st_size / sizeof *made.filter);
        made.filter = lm_alloc((size_t)st.st_size);
        if (lm_pread_all(fd, made.filter, (size_t)st.st_size, 0))
            e = -EIO;
    }
    if (fd >= 0)
        close(fd);
    if (e) {
        free(made.filter);
        made = (struct sock_fprog){0};
        return lm_err(LM_EFACILITY, "seccomp: %s; see --level 1", strerror(-e));
    }
    *out = made;
    return 0;
}

int lm_landlock_abi(void)
{
    long v = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return v < 0 ? 0 : (int)v;
}

#define LL_READ \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define LL_WRITE_FILE (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE)
#define LL_TRUNCATE (1ull << 14) /* since ABI 3; not in Debian 12's header */

static int beneath(int set, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr a = {.allowed_access = access};
    struct stat st;
    int e;

    a.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (a.parent_fd < 0)
        return errno == ENOENT ? 0 : -1;
    if (!fstat(a.parent_fd, &st) && !S_ISDIR(st.st_mode))
        a.allowed_access &= LANDLOCK_ACCESS_FS_EXECUTE | LL_WRITE_FILE | LL_TRUNCATE;
    e = (int)syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
    close(a.parent_fd);
    return e;
}

struct landlock_masks lm_landlock_masks(void)
{
    int abi = lm_landlock_abi();
    struct landlock_masks m = {.all = (1ull << 13) - 1,
                               .read = LL_READ,
                               .dev = LL_WRITE_FILE}; /* ABI 1 */

    if (!abi)
        return (struct landlock_masks){0, 0, 0, 0};
    if (abi >= 2)
        m.all |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        m.all |= LL_TRUNCATE, m.dev |= LL_TRUNCATE;
    m.work = m.all & ~(uint64_t)(LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK);
    return m;
}

int lm_landlock_apply(const char *const *ro, const char *work)
{
    static const char *const dev[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                      "/dev/urandom"};
    struct landlock_masks m = lm_landlock_masks();
    struct landlock_ruleset_attr a = {.handled_access_fs = m.all};
    int set, e = 0;

    if (!m.all)
        return 0;
    set = (int)syscall(SYS_landlock_create_ruleset, &a, sizeof a.handled_access_fs, 0);
    if (set < 0)
        return -1;
    for (; *ro && !e; ro++)
        e = beneath(set, *ro, m.read);
    for (size_t i = 0; i < LM_COUNT(dev) && !e; i++)
        e = beneath(set, dev[i], m.dev);
    if (!e)
        e = beneath(set, work, m.work);
    if (!e)
        e = (int)syscall(SYS_landlock_restrict_self, set, 0);
    close(set);
    return e;
}
