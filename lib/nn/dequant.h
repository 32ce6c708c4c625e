/* dequant: the block formats of ggml's tensors as f32. */
#ifndef LM_NN_DEQUANT_H
#define LM_NN_DEQUANT_H
#include "base/base.h"

/* ggml's numbers of types (its ggml.h). */
enum {
    LM_GGT_F32 = 0,
    LM_GGT_F16 = 1,
    LM_GGT_Q4_0 = 2,
    LM_GGT_Q4_1 = 3,
    LM_GGT_Q5_0 = 6,
    LM_GGT_Q5_1 = 7,
    LM_GGT_Q8_0 = 8,
    LM_GGT_Q2_K = 10,
    LM_GGT_Q3_K = 11,
    LM_GGT_Q4_K = 12,
    LM_GGT_Q5_K = 13,
    LM_GGT_Q6_K = 14,
    LM_GGT_BF16 = 30
};
/* Values of a block of a type that lm_dequant reads: 1, 32 or 256; 0: a type it does not read. */
size_t lm_dequant_block(uint32_t type);
/* The n values that begin at src, which may lie at any address; n is a whole number of blocks of
   type, which lm_dequant_block knows. Each value is made as ggml-quants.c and the Python package gguf
   do, in f32 with a rounding after each operation: the same bits. */
void lm_dequant(uint32_t type, const void *src, size_t n, float *out);

#endif
