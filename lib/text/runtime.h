/* runtime: how programs of a language are put together, built, run in a box and judged. The whole
   knowledge is the table of runtime.c: one row a language. */
#ifndef LM_RUNTIME_H
#define LM_RUNTIME_H
#include "par/box.h"

typedef struct {
    const char *lang;                              /* as lang= of records */
    const char *names;                             /* its programs, by preference, separated by spaces */
    const char *file;                              /* the program text's name in the working folder */
    const char *build[10], *argv[8];               /* words; "@" is the runtime's path; build[0] NULL = no build step */
    const char *version;                           /* the option that prints the version */
    const char *text;                              /* default template: {prompt} {completion} {test} {entry} */
    const char *before, *after;                    /* put around the program under --verdict sentinel */
    const char *driver, *cold;                     /* texts that argv names, joined, as "%", or NULL */
    const char *exits;                             /* "10=FAIL 12=COMPILE_ERROR *=NO_VERDICT": first match; 0 is never looked up */
    const char *fail_says;                         /* printed text that makes a RUNTIME_ERROR a FAIL, or NULL */
    bool as_ok;                                    /* bears RLIMIT_AS */
    const char *warm;                              /* behind driver: the zygote's text, or NULL */
} lm_runtime;

typedef struct {
    const lm_runtime *row;
    char *path, *version;                          /* absolute program, "python 3.11.2" */
    char *cold, *warm;                             /* driver with either text, or NULL */
    const char **ro;                               /* paths of the box, NULL-ended */
} lm_runtime_at;

const lm_runtime *lm_runtime_of(lm_str lang);      /* NULL: no such row */
/* The installed runtime of a language, found once and kept: LM_EFACILITY if none is installed.
   Its version is asked for inside a box of `level`. */
int lm_runtime_find(lm_str lang, int level, const lm_runtime_at **out);
/* The warm interpreter of a runtime, started at the first call; NULL if it has none, or it would not start. */
const lm_zygote *lm_runtime_warm(const lm_runtime_at *at);
void lm_runtime_stop(void);                        /* ends the warm interpreters */
const char *const *lm_runtime_env(void);           /* the clean environment of every box */

#endif
