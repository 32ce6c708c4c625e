/* vocab-gguf: a vocabulary as the tokenizer.* keys of a GGUF file, as llama.cpp reads them. */
#ifndef LM_VOCAB_GGUF_H
#define LM_VOCAB_GGUF_H
#include "text/gguf.h"
#include "text/vocab-def.h"

/* Adds the keys of v. json: its tokenizer.json, carried whole so that vocab= stays; chat: a chat template or p NULL.
   rows: of the model's embedding, for which unused tokens follow those of v; 0: as many as v has. LM_EINVALID, with the reason: llama.cpp has no such pattern, or would give other ids. */
int lm_vocab_to_gguf(const lm_vocab *v, lm_str json, lm_str chat, uint32_t rows, lm_ggw *w);
/* The vocabulary from a file's keys, done but for lm_draft_done. *json: the tokenizer.json it carries, *chat: its chat
   template; p NULL = none, views into the file. LM_EINVALID, LM_EMISSING. */
int lm_vocab_from_gguf(const lm_gguf *g, lm_draft *d, lm_str *json, lm_str *chat);

#endif
