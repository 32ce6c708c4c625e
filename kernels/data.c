/* data: chooses the kernels of the data filters for a level. A level takes from the lower ones
   the operations it has no file for. */
#include "base/base.h"
#include "kernels/cpu.h"
#include "kernels/data.h"

static const lm_data_ops ops[] = {
    {LM_CPU_REF, lm_bytesets_ref, lm_fold_ref, lm_minhash_ref, lm_positions_ref, lm_wordids_ref,
     lm_narrow_ref, lm_wide_ref},
#ifdef __x86_64__
    {LM_CPU_AVX2, lm_bytesets_avx2, lm_fold_avx2, lm_minhash_avx2, lm_positions_avx2,
     lm_wordids_avx2, lm_narrow_ref, lm_wide_ref},
    {LM_CPU_AVX512F, lm_bytesets_avx512, lm_fold_avx2, lm_minhash_avx512, lm_positions_avx512,
     lm_wordids_avx512, lm_narrow_avx512, lm_wide_avx512},
    {LM_CPU_AVX512, lm_bytesets_avx512, lm_fold_avx2, lm_minhash_avx512, lm_positions_avx512,
     lm_wordids_avx512, lm_narrow_avx512, lm_wide_avx512},
#endif
};

const lm_data_ops *lm_data_at(int level)
{
    return level < 0 || (size_t)level >= LM_COUNT(ops) ? NULL : &ops[level];
}

const lm_data_ops *lm_data_kernels(void)
{
    return lm_data_at(lm_cpu_level());
}
