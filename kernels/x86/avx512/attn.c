/* attn: for avx512; see the header. */
#include "kernels/x86/attn.h"

LM_KERN(avx512, attn)
{
    k->attn_bytes = attn_bytes;
    k->attn = attn;
    k->attn_bwd = attn_bwd;
}
