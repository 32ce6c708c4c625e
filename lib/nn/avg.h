/* avg: models of one shape made one, tensor by tensor. */
#ifndef LM_NN_AVG_H
#define LM_NN_AVG_H
#include "par/par.h"

/* Writes OUT, a whole model directory (aside, then renamed), whose every value is the sum of w[i]
   times that of dir[i], in f64 and in this order, divided by div, and rounded once to the type of
   dir[0]. Tensors of whole numbers must be equal. Other files are those of dir[0]; a MANIFEST is made.
   The result does not depend on pool, which may be NULL. LM_EMISMATCH, by name: tensors, their types
   or shapes, keys of config.json, tokenizers that differ; LM_EINVALID: a sum that is not finite. */
int lm_model_average(const char *const *dir, size_t n, const double *w, double div, const char *out,
                     lm_pool *pool);

#endif
