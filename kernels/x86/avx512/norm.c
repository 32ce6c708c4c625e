/* norm: for avx512; see the header. */
#include "kernels/x86/norm.h"

LM_KERN(avx512, norm)
{
    k->rms = rms;
    k->rms_bwd = rms_bwd;
    k->ln = ln;
    k->ln_bwd = ln_bwd;
}
