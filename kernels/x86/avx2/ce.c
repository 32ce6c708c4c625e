/* ce: for avx2; see the header. */
#include "kernels/x86/ce.h"

LM_KERN(avx2, ce)
{
    k->ce = ce;
}
