/* rope: for avx512; see the header. */
#include "kernels/x86/rope.h"

LM_KERN(avx512, rope)
{
    k->rope = rope;
    k->rope_bwd = rope_bwd;
}
