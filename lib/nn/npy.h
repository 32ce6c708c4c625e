/* npy: the head of NumPy's .npy files, format versions 1.0, 2.0 and 3.0. */
#ifndef LM_NN_NPY_H
#define LM_NN_NPY_H
#include "base/base.h"

typedef struct {
    lm_str descr;         /* the type, "<f4", as it stands in the file */
    uint64_t dim[2];      /* behind dims: 0 */
    unsigned dims;        /* 1 or 2 */
    bool fortran;         /* the first index runs fastest */
    size_t data;          /* where the values begin */
    uint64_t at;          /* on an error: the byte, and what is wrong there */
    char why[100];
} lm_npy;
/* file: from its first byte; nothing is said of how long the data must be. 0; LM_ETRUNC, LM_EINVALID,
   LM_EVERSION with at and why, and no error stored. */
int lm_npy_parse(lm_str file, lm_npy *out);

/* The head before the values of an array in C order of 1 or 2 dims. */
enum { LM_NPY_HEAD = 128 };
void lm_npy_head(char out[LM_NPY_HEAD], const char *descr, unsigned dims, const uint64_t *dim);

#endif
