/* model: the weights of a decoder under their Hugging Face names. */
#ifndef LM_NN_MODEL_H
#define LM_NN_MODEL_H
#include "nn/cfg.h"
#include "nn/st.h"

enum {
    LM_T_MATRIX = 1,
    LM_T_RESID = 2,
    LM_T_EMBED = 4
}; /* 2-D (decays); writes into the residual; embedding or head */
typedef struct {
    char *name; /* "model.layers.0.self_attn.q_proj.weight" */
    int nd;
    uint32_t dim[2]; /* rows (outputs), columns (inputs); or one size */
    size_t n, off;   /* elements; first element in the arrays of all parameters */
    unsigned flags;
    int dt;          /* of src */
    const void *src; /* in a mapped file, LM_F32 / BF16 / F16; NULL if there is none */
} lm_tensor;

typedef struct lm_model {
    lm_cfg cfg;
    size_t nt;
    lm_tensor *t; /* in walk order: embedding, layers, final norm, head */
    size_t n;     /* parameters */
    float *w;     /* [n] f32 masters, laid out by t[].off; NULL in a read-only model */
    size_t nfile;
    struct lm_st **file; /* the mapped files of a read-only model */
} lm_model;

/* A new model: matrices N(0, cfg->init_range), those that write into the residual divided by
   sqrt(2 layers), norms 1. Each value is a function of (seed, tensor name, element): Philox 4x32-10
   and our own Box-Muller, so equal everywhere. With LM_BF16 the masters are rounded. Takes over
   *cfg. */
int lm_model_init(lm_model **m, lm_cfg *cfg, uint64_t seed);
/* Loads DIR (config.json and model.safetensors, or the files of model.safetensors.index.json).
   LM_MODEL_RW: copies into m->w (for training); else tensors stay mapped. dt: LM_F32, LM_BF16, or
   -1 for the file's own. LM_EINVALID, tensor named: missing, wrong shape, unknown, not finite, a
   tied head that differs. */
enum { LM_MODEL_RW = 1 };
int lm_model_load(lm_model **m, const char *dir, int dt, unsigned flags);
/* Writes DIR/config.json, DIR/generation_config.json and DIR/model.safetensors (type cfg.dt). DIR
 * exists. */
int lm_model_save(const lm_model *m, const char *dir);
/* model= of lm-stream(5): hash of the sorted list of name, type, shape and content. */
void lm_model_id(const lm_model *m, lm_id *id);
const lm_tensor *lm_model_find(const lm_model *m, const char *name);
void lm_model_f32(const lm_model *m, const lm_tensor *t, size_t from, size_t n,
                  float *out); /* values as f32 */
void lm_model_free(lm_model *m);

#endif
