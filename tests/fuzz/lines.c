/* Fuzz target: any text measured and signed, the same at every kernel level and within bounds. */
#include "kernels/cpu.h"
#include "text/linerule.h"
#include "text/minhash.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_str text = {(const char *)p, n};
    lm_lines want, got;
    lm_minhash m;
    lm_minhash_room room = {0};
    uint32_t a[LM_MH_PERMS], b[LM_MH_PERMS];
    bool signed_;
    int level;

    lm_lines_scan(lm_data_at(0), text, &want);
    if (want.chars > n || want.alpha > want.alnum || want.alnum > want.chars ||
        want.line_max > want.line_sum || want.line_sum > want.chars ||
        want.chars != lm_utf8_count(text.p, n) || lm_html_visible(text) > want.chars)
        abort();
    lm_minhash_init(&m, lm_data_at(0), 1);
    signed_ = lm_minhash_sign(&m, &room, text, a);
    for (level = 1; level <= lm_cpu_best(); level++) {
        lm_lines_scan(lm_data_at(level), text, &got);
        m.k = lm_data_at(level);
        if (memcmp(&want, &got, sizeof got) || lm_minhash_sign(&m, &room, text, b) != signed_ ||
            memcmp(a, b, sizeof a))
            abort();
    }
    lm_minhash_room_free(&room);
    return 0;
}
