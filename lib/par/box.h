/* box: a sandboxed child for untrusted programs. One box = a supervisor of ours (process 1 of its
   own namespaces at level 3) and the program below it; the caller polls boxes from one thread.

   Level 3: user, pid, mount, net, ipc, uts namespaces; a read-only tree of the named paths and a
            private tmpfs at /tmp; seccomp allow-list; Landlock if the kernel has it; rlimits.
   Level 2: Landlock, seccomp, rlimits, another user if we are root; a private folder in place of /tmp.
   Level 1: rlimits alone. Never lowered silently: what is missing is LM_EFACILITY, named.

   kill -9 of the caller ends every process of the box at levels 3 and 2; so does lm_box_free. */
#ifndef LM_BOX_H
#define LM_BOX_H
#include "base/base.h"
#include <sys/types.h>

enum { LM_BOX_FD = 3 };                            /* the descriptor a program asks for its report value on */

typedef struct { const char *name; lm_str data; } lm_box_file;

typedef struct {
    int level;                                     /* 3, 2, 1 */
    const char *const *build;                      /* argv of a build step run first, or NULL */
    const char *const *argv;                       /* the program; argv[0] is an absolute path */
    const char *const *env;
    const char *const *ro;                         /* NULL-ended: absolute paths seen read-only */
    const lm_box_file *files;                      /* put into the working folder before the start */
    size_t nfiles;
    uint64_t cpu_ms, wall_ms;                      /* of the program, all its processes; time spent waiting for a CPU is not wall time */
    uint64_t build_cpu_ms, build_mem;              /* of the build step */
    uint64_t mem;                                  /* bytes of the tree; also RLIMIT_AS if as_ok */
    uint64_t disk;                                 /* bytes of the working folder (level 3) */
    uint64_t fsize;                                /* largest file */
    unsigned pids;                                 /* tasks, threads included */
    size_t out_max;                                /* captured output; beyond it the box is killed */
    bool as_ok;                                    /* the runtime bears RLIMIT_AS */
    const struct lm_zygote *zygote;                /* level 3: a warm interpreter that becomes the program, or NULL */
    const char *warm_arg;                          /* a word for it */
} lm_box_spec;

typedef struct {
    int exit, sig;                                 /* of the program: exit status, or -1 and the signal */
    bool build_failed;                             /* the build step ended with another status than 0 */
    bool reported;                                 /* the report value came back: the program reached its end */
    bool forged;                                   /* something else came back */
    bool cpu_hit, wall_hit, mem_hit, out_hit, pids_hit, disk_hit, violation;
    bool broken;                                   /* our fault: why says what could not be set up */
    uint64_t cpu_us, wall_us, mem_peak;            /* mem_peak: bytes resident, largest seen */
    char why[176];
    lm_buf out;
} lm_box_result;

typedef struct lm_box lm_box;

/* Does this machine have what the level needs? 0 or LM_EFACILITY. Tried once, in a real box. */
int lm_box_probe(int level);
/* What stands behind the level: "landlock=7 seccomp=1" for a @run record. */
void lm_box_describe(int level, lm_buf *out);

lm_box *lm_box_start(const lm_box_spec *spec);     /* NULL: error stored. spec may go after the call */
/* Waits until one of n boxes is finished or ms are over (-1 = for ever): its index, -1 none, <-1 error class. */
int lm_box_wait(lm_box **v, size_t n, int ms);
const lm_box_result *lm_box_done(lm_box *b);       /* after lm_box_wait named it */
void lm_box_free(lm_box *b);                       /* kills what still runs */

/* A warm interpreter: argv runs the runtime's own zygote program with its control socket at fd 3
   (see lib/par/zygote.c). NULL: could not be started; boxes then start cold. Level 3 only. */
typedef struct lm_zygote lm_zygote;
lm_zygote *lm_zygote_start(const char *const *argv, const char *const *env);
void lm_zygote_stop(lm_zygote *z);

#endif
