/* cpu: reads cpuid and the register state that the operating system saves. */
#include "base/base.h"
#include "kernels/cpu.h"
#include <sys/syscall.h>
#include <unistd.h>

enum { HAS_AVX2 = 1, HAS_AVX512 = 2, HAS_BF16 = 4, HAS_VNNI = 8, HAS_AMX = 16 };

#ifdef __x86_64__
#include <cpuid.h>

/* Sapphire Rapids issues vdpbf16ps at half the rate of an f32 fma on a zmm (measured: a peak of 124
   against 249 GFLOP/s a core), so pairs win nothing there and lose the same time again: products of
   widened values have the same bits and reach 217 GFLOP/s instead of 120. Zen 4 and 5 issue both at
   the same rate. */
static bool slow_pairs(void)
{
    unsigned a, b, c, d;

    return __get_cpuid(0, &a, &b, &c, &d) && b == signature_INTEL_ebx && c == signature_INTEL_ecx &&
           d == signature_INTEL_edx;
}

static unsigned probe(void)
{
    unsigned a, b, c, d, lo, hi, b7, c7, has = 0;
    const unsigned one = 1u << 12 | 1u << 27 | 1u << 28 | 1u << 29;  /* fma osxsave avx f16c */
    const unsigned two = 1u << 3 | 1u << 5 | 1u << 8;                /* bmi avx2 bmi2 */
    const unsigned five = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; /* avx512 f dq bw vl */
    const unsigned tiles = 1u << 22 | 1u << 24;                      /* amx bf16 tile */
    bool amx;

    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & one) != one)
        return 0;
    __asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    if ((lo & 6) != 6 || !__get_cpuid_count(7, 0, &a, &b7, &c7, &d) || (b7 & two) != two)
        return 0;
    has = HAS_AVX2;
    if ((lo & 0xe6) != 0xe6 || (b7 & five) != five) /* mask and zmm state saved? */
        return has;
    has |= HAS_AVX512;
    if (c7 & 1u << 11)
        has |= HAS_VNNI;
    amx =
        (d & tiles) == tiles && (lo & 0x60000) == 0x60000; /* tile configuration and data saved? */
    if (!__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a & 1u << 5))
        return has;
    if (!slow_pairs())
        has |= HAS_BF16;
    if (amx)
        has |= HAS_AMX;
    return has;
}
#else
static unsigned probe(void)
{
    return 0;
}
#endif

static unsigned machine(void)
{
    static _Atomic unsigned known; /* a cache: probe's answer, plus one bit */
    unsigned k = known;

    if (!k)
        known = k = probe() | 1u << 31;
    return k;
}

int lm_cpu_best(void)
{
    return machine() & HAS_AVX512 ? LM_CPU_AVX512 : machine() & HAS_AVX2 ? LM_CPU_AVX2 : LM_CPU_REF;
}

const char *lm_cpu_name(int level)
{
    static const char *const name[] = {"ref", "avx2", "avx512f", "avx512"};

    return level < 0 || (size_t)level >= LM_COUNT(name) ? "unknown" : name[level];
}

int lm_cpu_level(void)
{
    const char *want = getenv("LM_DEVICE");
    int level, best = lm_cpu_best();

    if (!want || !*want || !strcmp(want, "auto"))
        return best;
    if (!strcmp(want, "cuda"))
        return lm_err(LM_EDEVICE, "LM_DEVICE=cuda: this build has no CUDA kernels");
    for (level = LM_CPU_REF; level <= LM_CPU_AVX512; level++)
        if (!strcmp(want, lm_cpu_name(level)))
            return level <= best ? level
                                 : lm_err(LM_EFACILITY, "LM_DEVICE=%s: this processor has only %s",
                                          want, lm_cpu_name(best));
    return lm_err(LM_EUSAGE, "LM_DEVICE=%s: want auto, ref, avx2, avx512f, avx512 or cuda", want);
}

bool lm_cpu_bf16(int level)
{
    return level == LM_CPU_AVX512 && machine() & HAS_BF16;
}

bool lm_cpu_amx(int level)
{
    enum { REQ_XCOMP_PERM = 0x1023, XTILEDATA = 18 }; /* asm/prctl.h of Linux 5.16 */

    if (level != LM_CPU_AVX512 || !(machine() & HAS_AMX))
        return false;
#ifdef SYS_arch_prctl
    return !syscall(SYS_arch_prctl, REQ_XCOMP_PERM, XTILEDATA);
#else
    return false;
#endif
}

bool lm_cpu_vnni(int level)
{
    return level == LM_CPU_AVX512 && machine() & HAS_VNNI;
}
