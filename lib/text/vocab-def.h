/* vocab-def: a vocabulary under construction, token by token, in arrays of its own: what importers fill
   and lm_vocab_write takes. */
#ifndef LM_VOCAB_DEF_H
#define LM_VOCAB_DEF_H
#include "text/vocab.h"

typedef struct {
    lm_vocab_def def;                              /* whole after lm_draft_done; points into what follows */
    lm_str *token; size_t captoken;
    uint32_t *merge; size_t capmerge;
    lm_str *special; uint32_t *id; bool *plain; size_t capspecial;
    uint32_t role[LM_ROLE_COUNT]; bool roles;      /* roles: the source tells them; else they go by the known names */
    const lm_pre *own;                             /* def.pre where it was compiled for this: freed with it */
    lm_arena *text;
} lm_draft;

void lm_draft_init(lm_draft *d);
void lm_draft_free(lm_draft *d);
/* An ordinary token (not empty). Bytes and contents are copied. LM_EINVALID: the id is taken or over 2^24 - 1. */
int lm_draft_token(lm_draft *d, uint64_t id, lm_str bytes);
int lm_draft_added(lm_draft *d, uint64_t id, lm_str content, bool plain);  /* plain: matched in text, but no control token */
void lm_draft_merge(lm_draft *d, uint32_t left, uint32_t right);
/* Sorts the added tokens and fills def. LM_EINVALID: an id or an added token's content given twice, or a role that
   no added token has. */
int lm_draft_done(lm_draft *d);
/* def.pre by a regular expression: a named pattern if it is that one's, else compiled. LM_EINVALID. */
int lm_draft_pattern(lm_draft *d, lm_str regex);
/* All of a loaded vocabulary, done; v must outlive it. */
int lm_draft_of(lm_draft *d, const lm_vocab *v);
int lm_vocab_apart(const lm_vocab *v);             /* LM_EINVALID: merges make an added token, by name */

#endif
