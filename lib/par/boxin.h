/* boxin: what the two halves of a box share; private to lib/par/box*.c. */
#ifndef LM_BOXIN_H
#define LM_BOXIN_H
#include "par/box.h"
#include <linux/filter.h>

/* From the supervisor to the caller, one write, smaller than PIPE_BUF. */
enum { BOX_READY = 1, BOX_ENDED = 2, BOX_BROKEN = 3 };
struct box_report {
    int kind, status;                              /* wait status of the program (or of the build step) */
    bool build, cpu_hit, wall_hit, mem_hit, pids_hit, disk_hit, violation;
    uint64_t cpu_us, wall_us, mem_peak, extra_us;  /* extra_us: CPU time of a program that was not our child */
    unsigned refused;                              /* tasks */
    int facility;                                  /* BOX_BROKEN: the kernel lacks what `why` names */
    char why[160];
};

/* From the warm interpreter's child to the supervisor, when the program has ended. */
struct box_done { int32_t status, pad; uint64_t cpu_us, mem_peak; };

struct box_in {
    const lm_box_spec *spec;
    bool root;                                     /* the caller is root: the program becomes nobody */
    int go, report, out, ask, notify;              /* descriptors; notify: where the zygote's child sends its listener */
    char work[64];                                 /* levels 1 and 2: the private folder */
    struct sock_fprog filter;
};

#define BOX_UID 1000                               /* of the program inside; outside: nobody, or ourselves */
#define BOX_NOBODY 65534
#define BOX_STACK (8 << 20)                        /* of a thread; space of its address space, beyond the memory limit */
#define BOX_STARVED 20                             /* real time may be this many times the wall limit */

struct box_tally { uint64_t cpu_us, rss; unsigned tasks; bool wants; };   /* wants: a task runs or waits for a CPU */
/* Adds up all processes of the box but the supervisor, which calls this; sig, if not 0, is sent to each.
   shares: pages of several processes count once in all (slower). */
struct box_tally lm_box_tally(const struct box_in *b, int sig, bool shares);

int lm_box_filter(struct sock_fprog *out);         /* built once; LM_EFACILITY */
/* Access masks of Landlock for what this kernel knows: all handled, reading, device files, the working folder. */
struct landlock_masks { uint64_t all, read, dev, work; };
struct landlock_masks lm_landlock_masks(void);
int lm_landlock_abi(void);                         /* 0 = none */
int lm_landlock_apply(const char *const *ro, const char *work);   /* 0, or -1 with errno */
/* Asks the zygote for a program inside box `pidfd`: 0, or -1 if it is gone. notify is its line to the supervisor. */
int lm_zygote_ask(const struct lm_zygote *z, const lm_box_spec *s, bool root, int pidfd, int out, int ask, int notify);
_Noreturn void lm_box_inside(struct box_in *b);    /* the supervisor */
int lm_box_tree(const struct box_in *b, const char *tmp);   /* mounts and pivot; 0, or -1 with errno and lm_box_step */
extern const char *lm_box_step;                    /* the step that failed */

#endif
