/* ce: for avx512; see the header. */
#include "kernels/x86/ce.h"

LM_KERN(avx512, ce)
{
    k->ce = ce;
}
