/* cfgi: the family table behind cfg.c. Internal to lib/nn. */
#ifndef LM_NN_CFGI_H
#define LM_NN_CFGI_H
#include "nn/cfg.h"
#include "base/json.h"

/* What a family calls the numbers of its config.json; NULL: it has no such key. */
typedef struct {
    const char *vocab, *dim, *layers, *heads, *kv_heads, *head_dim, *ffn, *ctx, *eps;
} lm_cfg_keys;

typedef struct {
    lm_family f;
    const lm_cfg_keys *keys;
    uint32_t kv_heads, head_dim; /* what transformers takes when the key is absent; 0: from heads */
    bool tie;                    /* likewise */
    /* Reads what only this family has, and refuses what is not supported, by name: LM_EINVALID. */
    int (*read)(lm_cfg *c, const json_t *o);
    void (*write)(const lm_cfg *c, json_t *o);
} lm_famdef;
extern const lm_famdef lm_families[LM_NFAM];

/* 1 found, 0 absent or null (*v untouched), LM_EINVALID. */
int lm_cfg_u32(const json_t *o, const char *key, uint32_t *v);
/* LM_EINVALID, key named, if it is there and neither null nor false. */
int lm_cfg_off(const json_t *o, const char *const *keys, size_t n);

#endif
