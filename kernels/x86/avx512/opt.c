/* opt: for avx512; see the header. */
#include "kernels/x86/opt.h"

LM_KERN(avx512, opt)
{
    k->add = add;
    k->sum_rows = sum_rows;
    k->adamw = adamw;
    k->lion = lion;
    k->ema = ema;
    k->sumsq = sumsq;
    k->distsq = distsq;
    k->to_bf16 = to_bf16;
}
