/* runlog: a stream that a long run appends to, record by record, and goes on with after a kill. */
#ifndef LM_RUNLOG_H
#define LM_RUNLOG_H
#include "stream/stream.h"

typedef struct {
    int fd;                                        /* -1: not open */
    char *path;
    bool is_pipe;                                  /* stdout: a reader that goes away is no error */
    bool gone, told;                               /* the reader went away; a failure was warned of */
    uint64_t recs, body;                           /* of the stream being written */
    lm_buf out;                                    /* not yet written */
} lm_runlog;

/* Opens PATH ("-" = stdout) to append a new stream. What a killed writer left torn is cut off, an %abort
   too, and its stream ended. With cut_step, records whose step= is beyond keep are cut as well.
   LM_EIO; LM_ECORRUPT if the file is no stream. Writes nothing itself before lm_runlog_flush. */
int lm_runlog_open(lm_runlog *l, const char *path, bool cut_step, uint64_t keep);
void lm_runlog_put(lm_runlog *l, lm_rec *r);       /* adds a record to what is waiting */
/* One write of all that waits. A full disk is told once by *warn (set, else NULL) and tried again next time. */
void lm_runlog_flush(lm_runlog *l, const char **warn);
int lm_runlog_end(lm_runlog *l);                   /* %end, flush, close; LM_EIO: not all of it could be written */
void lm_runlog_abort(lm_runlog *l, int code, const char *tool, const char *msg);   /* %abort instead */

#endif
