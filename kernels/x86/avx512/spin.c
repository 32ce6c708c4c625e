/* spin: for avx512; see the header. */
#define NATIVE 0
#include "kernels/x86/spin512.h"

LM_KERN(avx512, spin)
{
    k->spin = spin;
}
