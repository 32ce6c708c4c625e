/* about: what lies in the directory of a model or a checkpoint, without reading its values. */
#ifndef LM_ABOUT_H
#define LM_ABOUT_H
#include "nn/ckpt.h"
#include "base/json.h"

/* Texts are "" where there is nothing. Begins as {.path = ..}, which stays the caller's. */
typedef struct {
    const char *path;
    bool latest;                                   /* the caller's to set */
    char step[24], tokens[24], loss[32], val[32];  /* loss, val: of the step, nats a token */
    uint64_t bytes, params, tensors;               /* bytes: of all files of the directory */
    uint64_t of_dt[LM_NDT];                        /* tensors of each type */
} lm_about;

char *lm_in_dir(const char *dir, const char *name);   /* DIR/NAME; the caller frees it */
/* step and tokens from state.json. *j: what it holds, for json_decref; NULL where there is none. LM_EIO ..,
   LM_EINVALID, LM_EMISSING: file and key named. */
int lm_about_state(lm_about *a, json_t **j);
/* bytes, params, tensors, of_dt from the files and their heads. The errors of lm_st_open_model. */
int lm_about_sizes(lm_about *a);
/* loss and val of v[0 .. n) by their step from RUN/metrics.lm, as far as it has any; damage ends the reading. */
void lm_about_losses(const char *run, lm_about *v, size_t n);

#endif
