/* modeli: the tables of tensors, between model.c and tensors.c. Internal to lib/nn. */
#ifndef LM_NN_MODELI_H
#define LM_NN_MODELI_H
#include "nn/model.h"

void lm_tensors_make(lm_model *m); /* both tables, from m->cfg; nothing is bound */
void lm_tensors_free(lm_model *m);
/* The tensor of the file of that name, with or without "transformer." before it; NULL if none. */
const lm_ftensor *lm_tensors_file(const lm_model *m, const char *name);
void lm_tensors_bind(lm_model *m, const lm_ftensor *f); /* f->src, f->dt to its logical parts */
/* All values of f as the file has them, of a model with m->w. *own: to be freed, or NULL. */
const float *lm_tensors_values(const lm_model *m, const lm_ftensor *f, float **own);
/* DIR/generation_config.json: the token ids of c. LM_EIO. */
int lm_generation_write(const lm_cfg *c, const char *dir);

#endif
