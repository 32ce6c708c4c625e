/* ckpt: training checkpoints: a model directory (config.json, model.safetensors, the tokenizer's files)
   with train.safetensors (f32 master., opt.m., opt.v., ema. of each tensor, as lm_nn_array has them), state.json
   and MANIFEST; where an average of the weights is kept, a second model directory of it in ema/. */
#ifndef LM_CKPT_H
#define LM_CKPT_H
#include "nn/step.h"

/* Copies the files of a tokenizer (a directory, or a tokenizer.json alone) into dir. Without config
   only tokenizer.json must be there. LM_EIO; LM_EINVALID if tok has no tokenizer.json. */
int lm_tokenizer_copy(const char *tok, const char *dir);
/* vocab= of a tokenizer.json: 32 hex digits. 0; LM_NO if DIR has none; LM_EIO. */
int lm_tokenizer_hash(const char *dir, char out[33]);

/* Copies what lies beside the weights of a model into dir: configuration, tokenizer, code (.json, .txt, .jinja, .model,
   .py), but no weights and no state of a training. LM_EIO. */
int lm_beside_copy(const char *from, const char *dir);

/* MANIFEST of a directory: a line `xxh128 offset length file` for each 64 MiB of each file but itself, by
   name; those of its folders too, as FOLDER/FILE. Write, and check: LM_ECORRUPT, LM_ETRUNC name file and bytes, LM_EMISSING what is not there. Files
   that were laid beside later are no damage, but one of a checkpoint's own that MANIFEST does not list is: LM_ECORRUPT. */
int lm_manifest_write(const char *dir);
int lm_manifest_check(const char *dir);
/* What is damaged, part by part. err: LM_ECORRUPT, LM_ETRUNC, LM_EMISSING; LM_EMISMATCH: a file that MANIFEST does not
   list. Bytes [from, to); size: of the file by MANIFEST. file and what live as long as the call. */
typedef struct { const char *file; int err; uint64_t from, to, size; const char *what; } lm_damage;
/* Reads all of dir and tells each damage to bad, which goes on by 0. What bad returned; LM_EIO, LM_ELIMIT. */
int lm_manifest_each(const char *dir, int (*bad)(void *ctx, const lm_damage *d), void *ctx);

/* Writes RUN/step-NNNNNNNN aside, renames it, checks it on disk and points RUN/latest at it. state: the
   bytes of state.json; tok: where the tokenizer's files come from, NULL for none. */
int lm_ckpt_write(const char *run, uint64_t step, const lm_model *m, lm_nn *nn, lm_str state, const char *tok);
/* Bytes of the model.safetensors and train.safetensors of a checkpoint of m trained by o; what else lies there
   (tokenizer, settings, MANIFEST) is text and comes on top. */
uint64_t lm_ckpt_bytes(const lm_model *m, const lm_nn_opt *o);
/* Fills masters, moments and average of nn (made of the model of dir) from dir/train.safetensors. LM_EINVALID: tensor
   named. lax: of another recipe: moments that the file lacks begin at zero, an average at the masters. */
int lm_ckpt_read(const char *dir, const lm_model *m, lm_nn *nn, bool lax);
/* The steps that RUN holds, rising; the caller frees *v. */
int lm_ckpt_list(const char *run, uint64_t **v, size_t *n);
void lm_ckpt_path(const char *run, uint64_t step, lm_buf *out);    /* RUN/step-NNNNNNNN */
uint64_t lm_ckpt_latest(const char *run);           /* the step RUN/latest points to, LM_NO_STEP if to none */
#define LM_NO_STEP UINT64_MAX

/* Takes RUN/lock for as long as the process lives: whoever writes or removes checkpoints holds it. With make, folder and
   lock are made where they are not; else a run without a lock is not locked. LM_EIO: another process has it. */
int lm_run_lock(const char *run, bool make);
/* The steps that a rule lets go, rising; the caller frees *v. Kept are the newest `keep`, multiples of `major` (0: none),
   the one `latest` points to, and `whole`. LM_NO_STEP there: the newest whose MANIFEST holds is looked for if any is to
   go, and if none holds, that is the error. */
int lm_ckpt_spare(const char *run, uint64_t keep, uint64_t major, uint64_t whole, uint64_t **v, size_t *n);
/* Removes one. It loses its name first, so that none is ever there in part. */
int lm_ckpt_remove(const char *run, uint64_t step);
/* What killed writers left in RUN: names by bytes; the caller frees each, then *v. */
int lm_ckpt_litter(const char *run, char ***v, size_t *n);
void lm_ckpt_sweep(const char *run);               /* removes that */
/* Bytes of a file, or of all files in a folder and its folders. LM_EIO. */
int lm_tree_bytes(const char *path, uint64_t *bytes);

#endif
