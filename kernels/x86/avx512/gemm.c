/* gemm: 8 x 32 tiles in 16 zmm accumulators. Equal to ref/gemm.c bit for bit. */
#define MR 8
#define NR 32

#include "kernels/x86/gemm.h"
#include "kernels/x86/tile512.h"
#include "kernels/x86/gemmset.h"

LM_KERN(avx512, gemm)
{
    set(k);
}
