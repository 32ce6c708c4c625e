/* tiktoken: vocabularies as lists of ranks, lines `BASE64 RANK`: a token's rank is its id and its priority, and any
   two neighbours merge whose joined bytes are in the list. Pattern and special tokens stand outside, in NAME.json
   beside NAME.tiktoken, by the names of tiktoken.Encoding's arguments. */
#ifndef LM_TIKTOKEN_H
#define LM_TIKTOKEN_H
#include "text/vocab-def.h"

/* NAME.json of a list: its path with .json in place of .tiktoken, or behind it. Into out. */
void lm_tiktoken_beside(const char *list, lm_buf *out);
/* The tokens of a list into d, and its merges in rank order: a token's parents are the last two parts that merging
   its bytes by rank leaves before the token itself. That pair is the only one by which the token ever comes about,
   in any text: a merge never crosses the ends of what becomes one token, so its bytes merge there as they do alone.
   Sets def.ignore_merges if merging reaches some token not at all: tiktoken looks up whole pretokens first.
   name is for messages. LM_EINVALID, LM_ELIMIT (a token over 8192 bytes). */
int lm_tiktoken_parse(lm_str list, const char *name, lm_draft *d);
/* Pattern, special tokens and roles from NAME.json into d. */
int lm_tiktoken_meta(lm_str json, const char *name, lm_draft *d);
/* The same for a published list, by its SHA-256: 1, 0 = not one of them, < 0. Roles by the known names. */
int lm_tiktoken_known(lm_str list, lm_draft *d);
/* The merges that a list of the tokens in token[ntoken] (p NULL: no such rank) implies: 2 ids each, appended to d;
   *missed: how many tokens of two bytes and more have none. LM_ELIMIT. */
int lm_tiktoken_merges(const lm_str *token, size_t ntoken, lm_draft *d, size_t *missed);
/* List and NAME.json of v, for ids equal to v's own in any text. LM_EINVALID, with the reason: the pattern or the
   normalizer has no counterpart, or tiktoken would merge otherwise. name: tiktoken's name of the encoding. */
int lm_tiktoken_write(const lm_vocab *v, const char *name, lm_buf *list, lm_buf *json);
/* A pattern as the one regular expression tiktoken wants, appended. LM_EINVALID: it has none. */
int lm_tiktoken_pattern(const lm_pre *pre, lm_buf *out);

#endif
