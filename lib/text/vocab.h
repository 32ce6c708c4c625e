/* vocab: a vocabulary of byte pairs in Hugging Face's own file (tokenizer.json, and beside it
   tokenizer_config.json for the roles), bytes to ids and back. Read-only once loaded: threads share it. */
#ifndef LM_VOCAB_H
#define LM_VOCAB_H
#include "text/scan.h"

typedef struct lm_vocab lm_vocab;
typedef struct { uint32_t *v; size_t n, cap; } lm_ids;     /* {0} is empty; free(v) */
#define LM_NO_ID UINT32_MAX

enum { LM_ROLE_EOS, LM_ROLE_PAD, LM_ROLE_BOS, LM_ROLE_FIM_PRE, LM_ROLE_FIM_MID, LM_ROLE_FIM_SUF,
       LM_ROLE_FIM_PAD, LM_ROLE_REPO, LM_ROLE_FILE, LM_ROLE_COUNT };
extern const char *const lm_role_name[LM_ROLE_COUNT];      /* "eos" "pad" "bos" "fim-pre" .. */

/* path: a directory that holds tokenizer.json (and, for the roles, tokenizer_config.json), or a
   tokenizer.json alone. *out is freed by lm_vocab_free. LM_EIO, LM_EINVALID (not byte-level BPE, a
   pattern, normaliser or entry we cannot honour: named). */
int lm_vocab_load(const char *path, lm_vocab **out);
/* The same from the two texts; config.p NULL = none: the roles come from the known names. */
int lm_vocab_parse(lm_str tokenizer, lm_str config, lm_vocab **out);
void lm_vocab_free(lm_vocab *v);

uint32_t lm_vocab_size(const lm_vocab *v);         /* the highest id + 1 */
const char *lm_vocab_hash(const lm_vocab *v);      /* vocab=: XXH3-128 of tokenizer.json, 32 hex digits */
const lm_pre *lm_vocab_pre(const lm_vocab *v);     /* lives as long as v */
uint32_t lm_vocab_role(const lm_vocab *v, int role);       /* its id, LM_NO_ID if none */
lm_str lm_vocab_token(const lm_vocab *v, uint32_t id);     /* its bytes; p NULL = no such id */
/* ADDED: found in text as a whole; SPECIAL: control, not text; MERGED: an added token that the merges of its bytes
   make too, so that even plain text can become it: a special named like a word, as Hugging Face's trainer takes it. */
enum { LM_TOKEN_ADDED = 1, LM_TOKEN_SPECIAL = 2, LM_TOKEN_MERGED = 4 };
unsigned lm_vocab_flags(const lm_vocab *v, uint32_t id);
static inline bool lm_token_merges(unsigned flags) { return !flags || flags & LM_TOKEN_MERGED; }   /* does it take part in merges? */
const char *lm_vocab_kind(const lm_vocab *v, uint32_t id);         /* "token", "special", "added" */
uint32_t lm_vocab_find(const lm_vocab *v, lm_str bytes);   /* the id of an ordinary token */
uint32_t lm_vocab_added(const lm_vocab *v, lm_str content);        /* the id of an added token */
/* The leftmost longest added token in text from *at on: its id, *at its offset; LM_NO_ID if none is left. */
uint32_t lm_vocab_scan_added(const lm_vocab *v, lm_str text, size_t *at);
/* The rank of a pair, SIZE_MAX if none; *id what it makes. */
size_t lm_vocab_rank(const lm_vocab *v, uint32_t left, uint32_t right, uint32_t *id);
/* The id of a whole pretoken under ignore_merges, else LM_NO_ID. */
uint32_t lm_vocab_whole(const lm_vocab *v, lm_str word);
size_t lm_vocab_merges(const lm_vocab *v);         /* how many */
void lm_vocab_merge(const lm_vocab *v, size_t rank, uint32_t *left, uint32_t *right, uint32_t *id);

/* Appends the ids of text; nothing in it becomes an added token. Many texts: lm_enc, which remembers words.
   LM_EINVALID: a byte the vocabulary lacks, or text its normaliser would change. */
int lm_vocab_encode(const lm_vocab *v, lm_str text, lm_ids *out);
/* Appends the bytes of n ids; specials too, as their text, unless drop. LM_EINVALID: an unknown id. */
int lm_vocab_decode(const lm_vocab *v, const uint32_t *ids, size_t n, bool drop, lm_buf *out);
/* The merges of one pretoken of n > 0 bytes (< 2^31), appended: a scan for the least rank while short; when long the
   greedy way, O(n), where ids rise with ranks, else a heap, O(n log n). LM_EINVALID: a byte the vocabulary lacks. */
int lm_vocab_word(const lm_vocab *v, const char *p, size_t n, lm_ids *out);
bool lm_vocab_words_first(const lm_vocab *v);      /* ignore_merges: a pretoken that is a token is that one, before any merge */
bool lm_vocab_nfc(const lm_vocab *v);              /* wants Unicode form C: text that may not be in it is refused */
void lm_ids_grow(lm_ids *b, size_t more);
static inline void lm_ids_need(lm_ids *b, size_t more)
{
    if (b->n + more > b->cap)
        lm_ids_grow(b, more);
}

/* Ids as records have them, little endian, of 2 bytes each or (wide) 4: to has room for ids->n; n of them appended. */
void lm_ids_pack(char *to, const lm_ids *ids, bool wide);
void lm_ids_unpack(lm_ids *ids, const void *p, size_t n, bool wide);

/* Writing. tokens: ordinary tokens in id order; merges: 2 ids each, by rank; specials take the ids behind. */
typedef struct {
    const lm_pre *pre;
    const lm_str *token; size_t ntoken;
    const uint32_t *merge; size_t nmerge;
    const lm_str *special; size_t nspecial;
    bool spoken;                                   /* merges make some of the specials */
    /* What may be left out, of an imported vocabulary: */
    const uint32_t *special_id;                    /* rising; then token[] may have gaps, p NULL */
    const bool *plain;                             /* special[i] is matched in text but no control token */
    const uint32_t *role;                          /* LM_ROLE_COUNT ids, LM_NO_ID = none; NULL: by known names */
    bool ignore_merges, nfc;
    lm_str chat;                                   /* chat template */
} lm_vocab_def;
/* tokenizer.json in the bytes Hugging Face re-saves it in, and tokenizer_config.json with the roles of the
   specials whose names are known, or def's; either NULL: not wanted. */
void lm_vocab_write(const lm_vocab_def *d, lm_buf *tokenizer, lm_buf *config);
/* The byte-level character of a byte (GPT-2's map), and back (-1: none). */
uint32_t lm_bytechar(uint8_t byte);
int lm_bytechar_back(uint32_t cp);
void lm_byte_level(lm_buf *out, lm_str bytes);     /* appends the byte-level text of bytes */
void lm_reserved_name(char out[40], size_t i);     /* the name of reserved special i: <|endoftext|>, .. */

/* Encoding many texts, one lm_enc a thread: a cache of words in at most cache bytes. */
typedef struct lm_enc lm_enc;
lm_enc *lm_enc_new(const lm_vocab *v, size_t cache);
void lm_enc_free(lm_enc *e);
int lm_enc_text(lm_enc *e, lm_str text, lm_ids *out);      /* as lm_vocab_encode */
const lm_vocab *lm_enc_vocab(const lm_enc *e);

/* What becomes of added tokens that stand in the text: they stay text, become their ids, are an error
   (LM_EINVALID), or are left out. */
enum { LM_SPECIAL_TEXT, LM_SPECIAL_PARSE, LM_SPECIAL_ERROR, LM_SPECIAL_DROP };
/* Appends the ids of one text; to off, if not NULL, the byte where each begins, base added (which must be < 4 GiB then). */
int lm_enc_part(lm_enc *e, lm_str text, int special, uint64_t base, lm_ids *ids, lm_ids *off);
/* The same for a document of several parts, fim= pre:120,suf:33,mid:40: each encoded alone, its
   marks before it. LM_EINVALID: fim does not fit, or the vocabulary has no such mark. */
int lm_enc_parts(lm_enc *e, lm_str body, lm_str fim, int special, lm_ids *ids, lm_ids *off);
void lm_ids_put(lm_ids *ids, lm_ids *off, uint32_t id, uint32_t at);       /* off may be NULL */
/* lm_vocab_encode by the plainest code, quadratic in a word: the meaning, for checks. */
int lm_vocab_encode_slow(const lm_vocab *v, lm_str text, lm_ids *out);

#endif
