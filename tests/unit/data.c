/* The data kernels that words.c does not have: every level of this machine equals ref, at every
   length and alignment. */
#include "base/base.h"
#include "kernels/cpu.h"
#include "kernels/data.h"

static int count, failed;

static void ok(bool good, const char *what, int level)
{
    failed += !good;
    printf("%sok %d - %s: %s = ref\n", good ? "" : "not ", ++count, what, lm_cpu_name(level));
}

static bool fold_equal(const lm_data_ops *k, const uint8_t *buf, size_t max)
{
    char want[512], got[512];
    size_t n;

    for (n = 0; n <= max; n++) {
        memset(want, 1, sizeof want);
        memset(got, 1, sizeof got);
        lm_fold_ref(want, (const char *)buf + n % 5, n);
        memcpy(got, buf + n % 5, n);
        k->fold(got, got, n);
        if (memcmp(want, got, sizeof want))
            return false;
    }
    return true;
}

static bool minhash_equal(const lm_data_ops *k)
{
    static uint32_t x[2500];
    uint64_t a[256], b[256], rng = 3;
    uint32_t want[256], got[256];
    size_t i, n;

    for (i = 0; i < 256; i++) {
        a[i] = lm_splitmix(&rng) | 1;
        b[i] = lm_splitmix(&rng);
    }
    for (i = 0; i < LM_COUNT(x); i++)
        x[i] = i % 50 == 7 ? UINT32_MAX : i % 50 == 8 ? 0 : (uint32_t)lm_splitmix(&rng);
    for (n = 0; n <= LM_COUNT(x); n += n < 20 ? 1 : 311) {
        for (i = 0; i < 256; i++)
            want[i] = got[i] = n % 2 ? UINT32_MAX : (uint32_t)i << 24;
        lm_minhash_ref(x, n, a, b, 256, want);
        k->minhash(x, n, a, b, 256, got);
        if (memcmp(want, got, sizeof want))
            return false;
    }
    return true;
}

int main(void)
{
    uint8_t buf[400];
    uint64_t rng = 1;
    size_t i;
    int level;

    for (i = 0; i < sizeof buf; i++)
        buf[i] = i < 256 ? (uint8_t)i : (uint8_t)lm_splitmix(&rng);
    for (level = LM_CPU_REF + 1; level <= lm_cpu_best(); level++) {
        const lm_data_ops *k = lm_data_at(level);

        ok(k && fold_equal(k, buf, 380), "fold", level);
        ok(k && minhash_equal(k), "minhash", level);
    }
    setenv("LM_DEVICE", "ref", 1);
    ok(lm_cpu_level() == LM_CPU_REF && lm_data_kernels()->level == LM_CPU_REF, "LM_DEVICE=ref",
       LM_CPU_REF);
    setenv("LM_DEVICE", "fast", 1);
    ok(lm_cpu_level() == LM_EUSAGE && !lm_data_kernels(), "an unknown LM_DEVICE is refused",
       LM_CPU_REF);
    setenv("LM_DEVICE", "cuda", 1);
    ok(lm_cpu_level() == LM_EDEVICE, "LM_DEVICE=cuda is refused", LM_CPU_REF);
    printf("1..%d\n", count);
    return failed != 0;
}
