/* act: for avx2; see the header. */
#include "kernels/x86/act.h"

LM_KERN(avx2, act)
{
    k->swiglu = swiglu;
    k->swiglu_bwd = swiglu_bwd;
    k->gelu = gelu;
    k->gelu_bwd = gelu_bwd;
    k->clip = clip;
    k->clip_bwd = clip_bwd;
}
