/* arena: one block for everything a computation needs, planned before it is taken: the same walk counts its
   bytes, by what they are for, and then deals them out. Internal to lib/nn but for the parts. */
#ifndef LM_NN_ARENA_H
#define LM_NN_ARENA_H
#include "base/base.h"

enum {
    LM_PART_WORK,    /* tables, scratch of the threads, gradients of activations */
    LM_PART_FORWARD, /* weights packed for the way forth, in the type of the products */
    LM_PART_BACK,    /* and once more for the way back */
    LM_PART_GRADS,
    LM_PART_MOMENTS,
    LM_PART_EMA,
    LM_PART_ACTS,    /* what forward keeps for backward */
    LM_PARTS
};

/* A bump allocator: with base NULL it only counts. at: the part that what is taken is counted to. */
typedef struct {
    char *base;
    size_t n, part[LM_PARTS];
    int at;
} lm_plan;
void *lm_take(lm_plan *p, size_t bytes); /* 64-byte aligned; NULL while counting */

#endif
