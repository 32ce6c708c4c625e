/* Fuzz target: scanners agree on any bytes: on each level of this machine and in batches, every
   named pattern has the ends of its plain scanner. The first byte chooses one more pattern: a named
   one whose steps PCRE2 runs (compared on text whose characters PCRE2's Unicode knows as ours does:
   ASCII and invalid bytes), or a made-up sequence of steps, whose pieces must cover the text. Its
   high bit says that for the first comparison the text is repeated until it is longer than a window
   of the masks. */
#include "text/scan.h"
#include "text/scanmask.h"
#include "kernels/cpu.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { MADE_UP = 3, BATCH = 600 };
static const lm_pre_step steps[MADE_UP][3] = {
    {{LM_STEP_REGEX, LM_CUT_PREVIOUS, {"x*\\d|\\s", 7}}, {LM_STEP_TEXT, LM_CUT_NEXT, {"ab", 2}}},
    {{LM_STEP_REGEX, LM_CUT_NEXT, {"(?<=a)|[b-f]+", 13}}, {LM_STEP_DIGITS, LM_CUT_RUN, {NULL, 0}}},
    {{LM_STEP_REGEX, LM_CUT_RUN, {"\\p{L}|(?=\\n)", 12}},
     {LM_STEP_GPT2, LM_CUT_ISOLATED, {NULL, 0}}},
};

/* Ends as a checksum; they must rise. */
typedef struct {
    size_t last;
    uint64_t h;
} ends;

static void end_at(ends *e, size_t end)
{
    if (end <= e->last)
        abort();
    e->last = end;
    e->h = lm_hash64(&end, sizeof end, e->h);
}

/* A scan is over: the pieces must cover the text, unless a regular expression gave up (0). */
static uint64_t sum_of(const ends *e, const lm_scan_pos *at, lm_str t)
{
    if (at->run)
        abort();
    if (at->err < 0)
        return 0;
    if (e->last != t.n || at->at != t.n)
        abort();
    return e->h;
}

typedef size_t scanner(const lm_pre *pre, const char *p, size_t n, lm_scan_pos *pos, size_t *end,
                       size_t cap);

static uint64_t sum(scanner *scan, const lm_data_ops *op, const lm_pre *pre, lm_str t, size_t cap)
{
    lm_scan_pos at = {.op = op};
    ends e = {0};
    size_t end[BATCH], k;

    while ((k = scan(pre, t.p, t.n, &at, end, cap)))
        for (size_t i = 0; i < k; i++)
            end_at(&e, end[i]);
    return sum_of(&e, &at, t);
}

static uint64_t sum_batch(const lm_data_ops *op, const lm_pre *pre, lm_str t)
{
    static uint32_t end[LM_SCAN_BATCH];
    lm_scan_pos at = {.op = op};
    ends e = {0};
    size_t from = 0, k;

    for (; (k = lm_scan_batch(pre, t.p, t.n, &at, end)); from = at.at)
        for (size_t i = 0; i < k; i++)
            end_at(&e, from + end[i]);
    return sum_of(&e, &at, t);
}

static void named(int kind, lm_str t)
{
    const lm_pre *pre = lm_pre_named(kind);
    uint64_t want = sum(lm_scan_slow, NULL, pre, t, BATCH);

    for (int level = LM_CPU_REF + 1, best = lm_cpu_best(); level <= best; level++) {
        const lm_data_ops *op = lm_data_at(level);

        if (level == LM_CPU_AVX512F && best > level) /* the same kernels */
            continue;
        if (sum_batch(op, pre, t) != want || sum(lm_scan, op, pre, t, BATCH) != want ||
            (t.n < LM_SCAN_WINDOW && sum(lm_scan, op, pre, t, 65) != want))
            abort();
    }
}

static void stepped(unsigned kind, lm_str t)
{
    static const lm_pre *pre[LM_PRE_COUNT + MADE_UP];
    bool plain = true;
    uint64_t h;
    size_t m;

    if (!pre[kind]) {
        const lm_pre_step *s = kind < LM_PRE_COUNT ? lm_pre_steps(lm_pre_named((int)kind), &m)
                                                   : steps[kind - LM_PRE_COUNT];

        if (lm_pre_compile(s, kind < LM_PRE_COUNT ? m : 2, &pre[kind]))
            abort();
    }
    h = sum(lm_scan, NULL, pre[kind], t, 16);
    if (h != sum(lm_scan, NULL, pre[kind], t, 1) || h != sum_batch(NULL, pre[kind], t))
        abort();
    for (size_t i = 0, len; i < t.n; i += len)
        plain &= lm_utf8_get(t.p + i, t.n - i, &len) < 128 || len == 1;
    if (kind >= LM_PRE_COUNT)
        return;
    if (plain && h && h != sum(lm_scan_slow, NULL, lm_pre_named((int)kind), t, 7))
        abort();
    if (sum_batch(lm_data_at(LM_CPU_REF), lm_pre_named((int)kind), t) !=
        sum(lm_scan_slow, NULL, lm_pre_named((int)kind), t, 1))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static lm_buf more;
    lm_str t;

    if (!n)
        return 0;
    t = (lm_str){(const char *)p + 1, n - 1};
    stepped((*p & 127) % (LM_PRE_COUNT + MADE_UP), t);
    if (*p & 128 && t.n && t.n < LM_SCAN_WINDOW) {
        for (more.n = 0; more.n < LM_SCAN_WINDOW + 200;)
            lm_buf_add(&more, t.p, t.n);
        t = lm_buf_str(&more);
    }
    for (int kind = 0; kind < LM_PRE_COUNT; kind++)
        named(kind, t);
    return 0;
}
