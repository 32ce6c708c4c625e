/* act: for avx2; see the header. */
#include "kernels/x86/act.h"

LM_KERN(avx2, act)
{
    k->swiglu = swiglu;
    k->swiglu_bwd = swiglu_bwd;
}
