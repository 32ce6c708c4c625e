/* dispatch: the table of kernels for a level: ref first, then what each level up to it overrides by
   stem. kern.inc is the list of LM_KERN lines that the Makefile finds in the kernel files. */
#include "kernels/cpu.h"
#include "kernels/kern.h"

#define KERN(level, stem) void lm_kern_##level##_##stem(struct lm_kern *k);
#undef LM_KERN
#define LM_KERN KERN
#include "kern.inc"
#undef LM_KERN

/* The folders in rising order, and from which level on they count. */
enum { ref, avx2, avx512, avx512bf16, avx512vnni, avx512amx, FOLDERS };
static const struct {
    int folder;
    void (*set)(struct lm_kern *);
} file[] = {
#define LM_KERN(level, stem) {level, lm_kern_##level##_##stem},
#include "kern.inc"
#undef LM_KERN
};

static bool folder_ok(int folder, int level)
{
    switch (folder) {
    case ref:
        return true;
    case avx2:
        return level >= LM_CPU_AVX2;
    case avx512:
        return level >= LM_CPU_AVX512F;
    case avx512bf16:
        return lm_cpu_bf16(level);
    case avx512vnni:
        return lm_cpu_vnni(level);
    case avx512amx:
        return lm_cpu_amx(level);
    default:
        return false;
    }
}

static const lm_kern *at(int level)
{
    static lm_kern table[LM_CPU_AVX512 + 1];
    static atomic_int state[LM_CPU_AVX512 + 1]; /* 0 empty, 1 being filled, 2 ready */
    int zero = 0;

    if (atomic_load(&state[level]) == 2)
        return &table[level];
    if (atomic_compare_exchange_strong(&state[level], &zero, 1)) {
        table[level].name = lm_cpu_name(level);
        for (int f = 0; f < FOLDERS; f++)
            for (size_t i = 0; i < LM_COUNT(file); i++)
                if (file[i].folder == f && folder_ok(f, level))
                    file[i].set(&table[level]);
        atomic_store(&state[level], 2);
    }
    while (atomic_load(&state[level]) != 2)
        ;
    return &table[level];
}

const lm_kern *lm_kern_get(void)
{
    int level = lm_cpu_level();

    return level < 0 ? NULL : at(level);
}

const lm_kern *lm_kern_level(const char *name)
{
    for (int level = LM_CPU_REF; level <= lm_cpu_best(); level++)
        if (!strcmp(name, lm_cpu_name(level)))
            return at(level);
    return NULL;
}

#ifdef __x86_64__
#include <immintrin.h>
unsigned lm_kern_enter(void)
{
    unsigned was = _mm_getcsr();

    _mm_setcsr(was | 0x8040); /* flush to zero, denormals are zero */
    return was;
}

void lm_kern_leave(unsigned saved)
{
    _mm_setcsr(saved);
}
#else
unsigned lm_kern_enter(void)
{
    return 0;
}

void lm_kern_leave(unsigned saved)
{
    (void)saved;
}
#endif
