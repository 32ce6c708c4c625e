/* cpu: which instruction level the kernels may use, told once for the whole process. */
#ifndef LM_CPU_H
#define LM_CPU_H
#include <stdbool.h>

/* Levels in rising order: a level may use every kernel of the lower ones.
   AVX2 stands for avx2 + fma + f16c + bmi + bmi2; AVX512F for f + bw + dq + vl on top of that;
   AVX512 adds the folders avx512bf16, avx512vnni and avx512amx as far as the machine has them. */
enum { LM_CPU_REF = 0, LM_CPU_AVX2 = 1, LM_CPU_AVX512F = 2, LM_CPU_AVX512 = 3 };

/* The level to use: the best of the machine, or the one LM_DEVICE=ref|avx2|avx512f|avx512 forces
   (auto or unset: the best). Less than 0 with the error stored: LM_EUSAGE for an unknown word,
   LM_EFACILITY when the machine lacks the level, LM_EDEVICE for cuda. Any thread may call it. */
int lm_cpu_level(void);
/* The best level of this machine, whatever LM_DEVICE says: for tests that walk all levels. */
int lm_cpu_best(void);
/* True if level is LM_CPU_AVX512 and the machine has the extension; bf16: and gains by it. */
bool lm_cpu_bf16(int level);
bool lm_cpu_vnni(int level);
/* amx: tiles of bf16; also asks Linux for their registers, once and for the whole process, which it
   must not refuse. To be called for a level whose kernels will be used: signal frames grow by it.
 */
bool lm_cpu_amx(int level);
const char *lm_cpu_name(int level); /* "ref", "avx2", "avx512f", "avx512" */

#endif
