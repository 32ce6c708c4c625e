/* walk: the regular files below a directory, in byte order of their paths, without following links.
 */
#ifndef LM_TEXT_WALK_H
#define LM_TEXT_WALK_H
#include "base/base.h"

enum { LM_WALK_FILE, LM_WALK_LINK, LM_WALK_DEVICE, LM_WALK_DEEP, LM_WALK_ERROR };
typedef struct {
    int kind;    /* DEEP: a directory not entered; ERROR: error stored */
    lm_str path; /* below the root */
    int dir;     /* of a FILE: its directory and its name there, for openat */
    const char *name;
} lm_walk_entry;

/* Calls f for each entry that is no directory; f returns 0 or an error class, which ends the walk.
   depth: the most parts a path may have. 0, f's error, or LM_EIO if root cannot be read. */
int lm_walk(const char *root, uint64_t depth, int (*f)(void *ctx, const lm_walk_entry *e),
            void *ctx);

#endif
