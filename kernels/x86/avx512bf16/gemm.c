/* gemm: 8 x 32 tiles in 16 zmm accumulators; bf16 by vdpbf16ps. Equal to ref/gemm.c bit for bit. */
#define MR 8
#define NR 32
#define NATIVE 1
#include "kernels/x86/gemm.h"
#include "kernels/x86/tile512.h"
#include "kernels/x86/gemmset.h"

LM_KERN(avx512bf16, gemm)
{
    set(k);
}
