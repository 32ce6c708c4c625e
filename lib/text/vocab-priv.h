/* vocab-priv: what a loaded vocabulary is made of; for the vocab-*.c files alone. */
#ifndef LM_VOCAB_PRIV_H
#define LM_VOCAB_PRIV_H
#include "base/json.h"
#include "text/borders.h"
#include "text/vocab.h"
#include "kernels/data.h"

struct lm_vocab_pair { uint64_t key; uint32_t rank, id; };         /* key = left << 32 | right; ~0 = free */

enum { LM_MAX_ID = 1 << 24, LM_TOKEN_ODD = 128, LM_TOKEN_LISTED = 64 };  /* while loading: a key that is no byte-level text; an added token whose bytes vocab has */

struct lm_vocab {
    uint32_t size;
    const lm_pre *pre;
    size_t cap;                                    /* of token and flags */
    bool nfc, ignore_merges;
    char hash[33];
    lm_str *token;                                 /* size of them; p NULL = no such id */
    uint8_t *flags;
    char (*head)[16];                              /* the first 16 bytes of each, for decoding by whole moves */
    uint8_t *len;                                  /* its length; 255 = that or more; 0 = no such id */
    uint32_t byte[256];                            /* the id of each byte */
    uint64_t *find; unsigned findbits;             /* open table of 1 << findbits: half a hash << 32 | id; ~0 = free */
    struct lm_vocab_pair *pair; unsigned pairbits; /* open table of 1 << pairbits */
    uint32_t (*merge)[3]; size_t nmerge;           /* left, right, id by rank */
    lm_dict added;                                 /* content -> id */
    size_t *addlen; size_t naddlen;                /* their lengths, longest first */
    uint8_t addpair[8192];                         /* a bit for each first two bytes an added token can have */
    uint32_t role[LM_ROLE_COUNT];
    /* Made by lm_vocab_index for encoding. */
    const lm_data_ops *op;
    bool ordered;                                  /* merge k makes a token of its own, of a higher id than merge k - 1 */
    uint32_t *pair2;                               /* [65536] by two bytes, first << 8 | second: what they merge to, or
                                                      LM_MERGE_NONE; if ordered */
    lm_jointab join;                               /* if ordered */
    lm_mergetab merges;                            /* the same, if all ids of merges are below LM_NARROW_NONE */
    uint32_t (*split)[2];                          /* of each id the two its merge joins; itself twice: none */
    struct lm_trie *trie;                          /* tokens that encode to themselves; if ordered */
    lm_wordtab word;                               /* tokens of 1-7 bytes that a pretoken of their bytes becomes */
    lm_borders border;                             /* of all tokens */
    lm_arena *text;
};

/* vocab-pre.c: pre_tokenizer of tokenizer.json, read into v->pre; written. */
int lm_vocab_load_pre(lm_vocab *v, json_t *pre);
void lm_vocab_write_pre(lm_jw *w, const lm_pre *pre);
void lm_vocab_write_level(lm_jw *w, const char *key, bool regex);  /* a ByteLevel */

static inline uint64_t lm_pair_hash(uint64_t key, unsigned bits)
{
    return (key * 0x9e3779b97f4a7c15ull ^ (key >> 32) * 0xd6e8feb86659fd93ull) >> (64 - bits);
}

/* Where a search for an entry of find begins. */
static inline size_t lm_find_slot(const lm_vocab *v, uint64_t entry)
{
    return entry >> (64 - v->findbits);
}

/* The merge of two neighbours, NULL if there is none. */
static inline const struct lm_vocab_pair *lm_pair_find(const lm_vocab *v, uint32_t left, uint32_t right)
{
    uint64_t key = (uint64_t)left << 32 | right, mask = (1ull << v->pairbits) - 1;

    for (uint64_t i = lm_pair_hash(key, v->pairbits);; i = (i + 1) & mask) {
        if (v->pair[i].key == key)
            return &v->pair[i];
        if (v->pair[i].key == UINT64_MAX)
            return NULL;
    }
}

/* Reads model.vocab and model.merges in text into token, flags, find and merge (an id of a merge may be
   LM_NO_ID or an added token's: not looked at); *rest = all the others, the two lists left out. */
int lm_vocab_lists(lm_vocab *v, lm_str text, json_t **rest);
void lm_vocab_grow(lm_vocab *v, uint32_t id);      /* room for id; size counts it */

/* A trie over tokens, two bytes a step: node = step[node, two bytes]; a token of odd length hangs on the node of
   its bytes but the last. best: the longest token that begins the bytes of a node. */
struct lm_trie {
    uint32_t first[65536];                         /* node of the first two bytes; 0 = none */
    uint64_t *step; unsigned bits;                 /* open table: node (21 bits), odd (1), bytes (16); value (22); ~0 = free */
    uint32_t *best; size_t nnode;
    uint32_t *shorter;                             /* of each id the longest token that begins it, LM_NO_ID if none */
};
/* Makes v->trie of the tokens that `in`, a byte each, tells. */
void lm_trie_make(lm_vocab *v, const uint8_t *in);
void lm_trie_free(struct lm_trie *t);

/* Builds the tables for encoding, once all else is loaded. < 0: LM_DEVICE names no level of this machine. */
int lm_vocab_index(lm_vocab *v);
void lm_vocab_index_free(lm_vocab *v);

/* What lm_vocab_merge_words starts from, in an ordered vocabulary: the bytes of a word of n > 0 bytes, or of its characters beyond
   ASCII what their own bytes become, where that is one token whatever stands beside it. Returns how many, 0 if more
   than LM_MERGE_MAX. */
size_t lm_merge_load(const lm_vocab *v, const char *p, size_t n, uint32_t *id, uint32_t *to);
/* As lm_data_ops.narrow, or wide where ids are. */
static inline void lm_vocab_merge_words(const lm_vocab *v, size_t words, uint32_t (*id)[LM_MERGE_MAX],
                                        uint32_t (*to)[LM_MERGE_MAX], uint8_t *n)
{
    if (v->merges.lines)
        v->op->narrow(&v->merges, words, id, to, n);
    else
        v->op->wide(&v->join, words, id, to, n);
}
/* Words of which most are beyond ASCII, by a guess. */
static inline bool lm_is_wide(const char *p, size_t n)
{
    return n > 2 && ((p[n - 1] | p[0] | p[1]) & 0x80);
}

/* Whether two tokens stand side by side when the merges of their joined bytes before that of token `limit` (LM_NO_ID:
   all) are done: Backtracking BPE (rust-gems, is_valid_token_pair). Ordered vocabularies; both are tokens that encode
   to themselves. */
bool lm_pair_lasts(const lm_vocab *v, uint32_t left, uint32_t right, uint32_t limit);
/* A memo of which token follows which, for one thread; not cleared between calls, NULL = none. */
enum { LM_MEMO = 1 << 15 };
typedef struct { uint64_t pair[LM_MEMO]; } lm_memo;
/* As lm_vocab_word. */
int lm_word_ids(const lm_vocab *v, lm_memo *memo, const char *p, size_t n, lm_ids *out);
/* The ids of a word of n > 0 bytes in an ordered vocabulary, in time linear in n. */
void lm_word_greedy(const lm_vocab *v, lm_memo *memo, const char *p, size_t n, lm_ids *out);

#endif
