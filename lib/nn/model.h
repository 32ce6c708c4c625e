/* model: the weights of a decoder. Two tables: the logical one, where every matrix is [outputs,
   inputs] and q, k, v stand by themselves, and that of the file, under exact Hugging Face names. */
#ifndef LM_NN_MODEL_H
#define LM_NN_MODEL_H
#include "nn/cfg.h"
#include "nn/st.h"

enum {
    LM_T_MATRIX = 1,
    LM_T_RESID = 2,
    LM_T_EMBED = 4,
    LM_T_BIAS = 8
}; /* 2-D (decays); writes into the residual; embedding, head or positions; starts at 0 */
typedef struct {
    char *name; /* "model.layers.0.self_attn.q_proj.weight"; the file's, unless it is fused there */
    int nd;
    uint32_t dim[2]; /* rows (outputs), columns (inputs); or one size */
    size_t n, off;   /* elements; first element in the arrays of all parameters */
    unsigned flags;
    int dt;          /* of src */
    const void *src; /* in a mapped file, LM_F32 / BF16 / F16; NULL if there is none */
    size_t ld;       /* value (r, c) is src[r * ld + c], or src[c * ld + r] if kmajor */
    bool kmajor;
} lm_tensor;

/* A tensor of the file: `parts` logical ones from `first` on, their rows behind each other; if
   kmajor (the Conv1D of gpt2) it is [inputs, outputs]. */
typedef struct {
    char *name;
    int nd, dt; /* dt, src: as in lm_tensor */
    uint32_t dim[2];
    size_t first, parts, n;
    bool kmajor;
    const void *src;
} lm_ftensor;

/* The tensors a layer may have, in the order of the table. */
enum {
    LM_W_NORM1,
    LM_W_BNORM1, /* B..: a bias */
    LM_W_Q,
    LM_W_K,
    LM_W_V,
    LM_W_BQ,
    LM_W_BK,
    LM_W_BV,
    LM_W_QN,
    LM_W_KN,
    LM_W_O,
    LM_W_BO,
    LM_W_NORM2,
    LM_W_BNORM2,
    LM_W_GATE,
    LM_W_UP,
    LM_W_BGATE,
    LM_W_BUP,
    LM_W_DOWN,
    LM_W_BDOWN,
    LM_W_N
};

typedef struct lm_model {
    lm_cfg cfg;
    size_t nt;
    lm_tensor *t;             /* in walk order: embedding, positions, layers, final norm, head */
    size_t layer0, per_layer; /* tensors before the first layer, and in each */
    int at[LM_W_N];           /* place in a layer; -1: this model has no such tensor */
    size_t nf;
    lm_ftensor *f; /* of the file, in the same order */
    size_t n;      /* parameters */
    float *w;      /* [n] f32 masters, laid out by t[].off; NULL in a read-only model */
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
/* The tables alone, by DIR/config.json: no weights are looked for. dt: LM_F32 or LM_BF16. */
int lm_model_shape(lm_model **m, const char *dir, int dt);
int lm_model_load(lm_model **m, const char *dir, int dt, unsigned flags);
/* Writes DIR/config.json, DIR/generation_config.json and DIR/model.safetensors (type cfg.dt). DIR
 * exists. */
int lm_model_save(const lm_model *m, const char *dir);
uint64_t
lm_model_file_bytes(const lm_model *m); /* of the model.safetensors of a model in training */
/* model= of lm-stream(5): hash of the sorted list of name, type, shape and content, of the file's
   tensors. */
void lm_model_id(const lm_model *m, lm_id *id);
const lm_tensor *lm_model_find(const lm_model *m, const char *name);           /* logical */
const lm_tensor *lm_model_layer(const lm_model *m, uint32_t layer, int which); /* NULL: none */
enum { LM_W_FINAL, LM_W_BFINAL, LM_W_HEAD, LM_W_POS };
const lm_tensor *lm_model_end(const lm_model *m, int which); /* the head may be the embedding */
void lm_model_f32(const lm_model *m, const lm_tensor *t, size_t from, size_t n,
                  float *out); /* values as f32 */
void lm_model_free(lm_model *m);

/* The order in which bf16 products are summed (lm_gemm of kernels/kern.h): a chain, or in tiles as
   matrix units do. Attention's are chains. */
enum { LM_SUM_CHAIN = 0, LM_SUM_TILE = 1 };

#endif
