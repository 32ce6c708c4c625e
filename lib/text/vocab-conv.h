/* vocab-conv: vocabularies in and out of their three homes: a Hugging Face directory, a list of ranks with NAME.json
   beside it, a GGUF file. Between them stands tokenizer.json: everything is read into it and written from it. */
#ifndef LM_VOCAB_CONV_H
#define LM_VOCAB_CONV_H
#include "text/vocab.h"

enum { LM_VFORM_HF, LM_VFORM_TIKTOKEN, LM_VFORM_GGUF };
typedef struct {
    lm_buf tokenizer, config;                      /* the two files; an imported vocabulary's are ours */
    bool has_config;
    char *chat;                                    /* chat template, NULL = none */
    lm_vocab *v;                                   /* what they load as */
} lm_vocab_files;

/* The form of what stands at path, by its content (a directory: HF); LM_EINVALID, LM_EIO. */
int lm_vform_guess(const char *path);
/* pre: the pattern of a list of ranks that has no NAME.json, and is no published one; NULL: none given. */
int lm_vocab_read(const char *path, int form, const lm_pre *pre, lm_vocab_files *f);
void lm_vocab_files_free(lm_vocab_files *f);
/* Written aside and renamed when whole. A Hugging Face directory gets the two files as they are. LM_EINVALID, with the
   reason: f's ids would not be the same there. */
int lm_vocab_save(const lm_vocab_files *f, int form, const char *path);

/* The two files of a vocabulary as a directory, likewise; config may be NULL. LM_EIO. */
int lm_vocab_save_dir(const char *path, const lm_buf *tokenizer, const lm_buf *config);

#endif
