/* rope: for avx2; see the header. */
#include "kernels/x86/rope.h"

LM_KERN(avx2, rope)
{
    k->rope = rope;
    k->rope_bwd = rope_bwd;
}
