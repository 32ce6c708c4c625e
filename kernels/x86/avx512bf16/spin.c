/* spin: for avx512bf16; see the header. */
#define NATIVE 1
#include "kernels/x86/spin512.h"

LM_KERN(avx512bf16, spin)
{
    k->spin = spin;
}
