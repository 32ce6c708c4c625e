/* err: result classes, their names and exit codes, and this thread's last error. */
#include "base/base.h"
#include <errno.h>

static const struct {
    const char *name;
    int exit;
} class[] = {
    [0] = {"ok", 0},
    [-LM_EUSAGE] = {"usage", 2},
    [-LM_ECORRUPT] = {"corrupt", 3},
    [-LM_ETRUNC] = {"truncated", 3},
    [-LM_ELIMIT] = {"limit", 3},
    [-LM_EVERSION] = {"version", 3},
    [-LM_EMISSING] = {"missing", 3},
    [-LM_EMISMATCH] = {"mismatch", 3},
    [-LM_EINVALID] = {"invalid", 3},
    [-LM_EABORT] = {"aborted", 4},
    [-LM_EIO] = {"io", 5},
    [-LM_EMEM] = {"memory", 5},
    [-LM_EDEVICE] = {"device", 5},
    [-LM_EFACILITY] = {"facility", 5},
    [-LM_EAGAIN] = {"again", 6},
    [-LM_EDIVERGED] = {"diverged", 7},
    [-LM_ESUSPECT] = {"suspect", 8},
};

const char *lm_class_name(int err)
{
    return err < 0 && (size_t)-err < LM_COUNT(class) ? class[-err].name : "ok";
}

int lm_class_exit(int err)
{
    if (err >= 0)
        return err;
    return (size_t)-err < LM_COUNT(class) ? class[-err].exit : 5;
}

lm_error *lm_last_error(void)
{
    static _Thread_local lm_error last;

    return &last;
}

static LM_PRINTF(3, 0) int store(int err, const char *where, const char *fmt, va_list ap)
{
    lm_error *e = lm_last_error();
    char detail[sizeof e->detail]; /* the arguments may point into the old error */

    vsnprintf(detail, sizeof detail, fmt, ap);
    e->err = err;
    if (where != e->where)
        snprintf(e->where, sizeof e->where, "%s", where ? where : "");
    memcpy(e->detail, detail, sizeof detail);
    return err;
}

int lm_err(int err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    store(err, NULL, fmt, ap);
    va_end(ap);
    return err;
}

int lm_err_at(int err, const char *where, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    store(err, where, fmt, ap);
    va_end(ap);
    return err;
}

int lm_err_sys(const char *where, const char *what)
{
    return lm_err_at(LM_EIO, where, "%s: %s", what, strerror(errno));
}
