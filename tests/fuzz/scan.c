/* Fuzz target: scanners agree on any bytes. The first byte chooses the pattern: a named one, by
   plain code, as lm_scan has it and as its steps run by PCRE2 (on text whose characters PCRE2's
   Unicode knows as ours does: ASCII and invalid bytes); or a made-up sequence of steps, whose
   pieces must cover the text. */
#include "text/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { MADE_UP = 3 };
static const lm_pre_step steps[MADE_UP][3] = {
    {{LM_STEP_REGEX, LM_CUT_PREVIOUS, {"x*\\d|\\s", 7}}, {LM_STEP_TEXT, LM_CUT_NEXT, {"ab", 2}}},
    {{LM_STEP_REGEX, LM_CUT_NEXT, {"(?<=a)|[b-f]+", 13}}, {LM_STEP_DIGITS, LM_CUT_RUN, {NULL, 0}}},
    {{LM_STEP_REGEX, LM_CUT_RUN, {"\\p{L}|(?=\\n)", 12}},
     {LM_STEP_GPT2, LM_CUT_ISOLATED, {NULL, 0}}},
};

/* The ends of a text as a checksum; pieces must be in order and cover it. */
static uint64_t sum(const lm_pre *pre, const char *p, size_t n, size_t cap)
{
    lm_scan_pos at = {0};
    size_t end[16], last = 0, k;
    uint64_t h = 0;

    while ((k = lm_scan(pre, p, n, &at, end, cap)))
        for (size_t i = 0; i < k; last = end[i++]) {
            if (end[i] <= last || end[i] > n)
                abort();
            h = lm_hash64(&end[i], sizeof end[i], h);
        }
    if (at.err < 0)
        return 0; /* gave up: allowed to a regular expression */
    if (last != n || at.run)
        abort();
    return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *text, size_t n)
{
    static const lm_pre *pre[LM_PRE_COUNT + MADE_UP];
    const char *p = (const char *)text + 1;
    unsigned kind = n ? text[0] % LM_COUNT(pre) : 0;
    bool plain = true;
    size_t at = 0, end[16], k, m;
    uint64_t h = 0;

    if (!n--)
        return 0;
    if (!pre[kind]) {
        const lm_pre_step *s = kind < LM_PRE_COUNT ? lm_pre_steps(lm_pre_named((int)kind), &m)
                                                   : steps[kind - LM_PRE_COUNT];

        if (lm_pre_compile(s, kind < LM_PRE_COUNT ? m : 2, &pre[kind]))
            abort();
    }
    h = sum(pre[kind], p, n, 16);
    if (h != sum(pre[kind], p, n, 1))
        abort();
    if (kind >= LM_PRE_COUNT)
        return 0;
    for (size_t i = 0, len; i < n; i += len)
        plain &= lm_utf8_get(p + i, n - i, &len) < 128 || len == 1;
    if (plain && h && h != sum(lm_pre_named((int)kind), p, n, 7))
        abort();
    h = 0;
    while ((k = lm_scan_plain((int)kind, p, n, &at, end, 16)))
        for (size_t i = 0; i < k; i++)
            h = lm_hash64(&end[i], sizeof end[i], h);
    if (at != n || h != sum(lm_pre_named((int)kind), p, n, 3))
        abort();
    return 0;
}
