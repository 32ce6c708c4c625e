/* form: whole models from one of their homes to another: a Hugging Face directory, a GGUF file of
   llama.cpp, a checkpoint of llm.c, a folder of NumPy arrays. */
#ifndef LM_NN_FORM_H
#define LM_NN_FORM_H
#include "nn/model.h"

enum { LM_FORM_HF, LM_FORM_GGUF, LM_FORM_LLMC, LM_FORM_NPY };

/* Reads the model at from, whose form its content tells, and writes it to out in form `to`, aside and
   renamed when whole; one band of one tensor is in memory at a time. dt: LM_F32, LM_F16 or LM_BF16, as
   which values are written, each rounded once; -1: the type in which all of them stay as they are
   (quantised ones are f32). Of a GGUF file tensors of one dimension and positions are f32 all the same.
   tok: a vocabulary that goes along (directory, tokenizer.json, GGUF file or list of ranks), of a model
   that has none, or in another form than GGUF; NULL: the model's own. LM_EUSAGE: dt is none of the form's;
   LM_EINVALID: not a model, a value that is not finite, what the form cannot say, by name; errors of
   reading each form; LM_EMISMATCH: a vocabulary that is none of the model's. */
int lm_model_convert(const char *from, int to, int dt, const char *tok, const char *out);

#endif
