/* spawn: a shell command as a child, with pipes to its stdin and from its stdout. */
#ifndef LM_SPAWN_H
#define LM_SPAWN_H
#include "base/base.h"
#include <sys/types.h>

typedef struct {
    pid_t pid;                                     /* also its process group; 0 = none */
    int in, out;                                   /* we write to in, read from out; -1 = closed */
} lm_child;
/* Runs `sh -c cmd` with this environment (NULL = ours), in a process group of its own that is killed
   when the calling thread ends. 0 or LM_EIO. */
int lm_spawn(lm_child *c, const char *cmd, char *const *env);
/* write(2) that tells a reader that left by EPIPE, without SIGPIPE, in any thread. */
ssize_t lm_write_quiet(int fd, const void *p, size_t n);
/* Waits until the deadline (lm_now seconds; 0 = for ever) for the end. 1 ended, with its wait status; 0 not in time. */
int lm_child_wait(lm_child *c, double deadline, int *status);
void lm_child_kill(lm_child *c);                   /* SIGKILL to the group, waits, closes the pipes */
void lm_child_close(lm_child *c);                  /* closes the pipes */
uint64_t lm_group_ticks(pid_t group);              /* processor time used so far by a process group, in clock ticks */
/* "ended with status 3" or "was killed by signal 9 (Killed)". */
void lm_child_told(int status, char *out, size_t n);

#endif
