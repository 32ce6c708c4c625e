/* The pretoken scanners cut as the regular expressions they stand for, run by PCRE2: each scanner
   of `tiers`, each named pattern, on every character, all short strings, random ones, ends of
   pages. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "lm.h"
#include "tap.h"
#include "kernels/cpu.h"
#include "kernels/data.h"
#include "text/scanmask.h"
#include "text/uclass.h"
#include <pcre2.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 4096, STEPS = 8 }; /* bytes of a text; steps of a pattern */
static pcre2_code *code[LM_PRE_COUNT][STEPS];
static pcre2_match_data *md;
static const lm_pre *as_regex[LM_PRE_COUNT];

/* --- the scanners: each writes all ends of a text, taken in batches of cap, and says how many ---
 */

typedef size_t scanner(int level, int kind, lm_str t, size_t cap, size_t *ends);

static size_t plain(int level, int kind, lm_str t, size_t cap, size_t *ends)
{
    size_t n = 0, k, at = 0;

    (void)level;
    while ((k = lm_scan_plain(kind, t.p, t.n, &at, ends + n, cap)))
        n += k;
    return n;
}

static size_t door(int level, int kind, lm_str t, size_t cap, size_t *ends)
{
    const lm_pre *pre = level < 0 ? as_regex[kind] : lm_pre_named(kind);
    lm_scan_pos pos = {.op = level < 0 ? NULL : lm_data_at(level)};
    size_t n = 0, k;

    while ((k = lm_scan(pre, t.p, t.n, &pos, ends + n, cap)))
        n += k;
    return pos.err || pos.run ? SIZE_MAX : n;
}

static size_t batch(int level, int kind, lm_str t, size_t cap, size_t *ends)
{
    static uint32_t end[LM_SCAN_BATCH];
    lm_scan_pos pos = {.op = lm_data_at(level)};
    size_t n = 0, k, from = 0;

    (void)cap;
    for (; (k = lm_scan_batch(lm_pre_named(kind), t.p, t.n, &pos, end)); from = pos.at)
        for (size_t i = 0; i < k && n < MOST; i++)
            ends[n++] = from + end[i];
    return pos.err || pos.run ? SIZE_MAX : n;
}

static struct tier {
    const char *name;
    scanner *scan;
    int level; /* of kernels/cpu.h; -1 = the steps by PCRE2 */
} tiers[12] = {{"lm_scan_plain", plain, 0}, {"lm_scan of the steps", door, -1}};
static size_t ntiers = 2;

static void find_tiers(void)
{
    for (int level = LM_CPU_REF + 1, best = lm_cpu_best(); level <= best; level++) {
        if (level == LM_CPU_AVX512F && best > level) /* the same kernels */
            continue;
        tiers[ntiers++] = (struct tier){"lm_scan", door, level};
        tiers[ntiers++] = (struct tier){"lm_scan_batch", batch, level};
    }
}

/* --- the oracle: step after step over the pieces of the one before, bytes that are not UTF-8 taken
 * for U+001A --- */

static size_t split(pcre2_code *re, const char *p, const size_t *in, size_t nin, size_t *out)
{
    size_t n = 0, lo = 0;

    for (size_t i = 0; i < nin; lo = in[i++]) {
        PCRE2_SIZE *o = pcre2_get_ovector_pointer(md);

        for (size_t at = lo; at < in[i];) {
            int got = pcre2_match(re, (PCRE2_SPTR)p + lo, in[i] - lo, at - lo, PCRE2_NO_UTF_CHECK,
                                  md, NULL);

            if (got < 1)
                o[0] = o[1] = in[i] - lo;
            if (o[0] + lo > at)
                out[n++] = o[0] + lo;
            if (o[1] > o[0])
                out[n++] = o[1] + lo;
            at = o[1] + lo;
        }
    }
    return n;
}

static size_t oracle(int kind, lm_str t, size_t *ends)
{
    static size_t other[MOST];
    static char p[MOST];
    size_t n = t.n > 0;

    memcpy(p, t.p, t.n);
    for (size_t i = 0, len; i < t.n; i += len)
        if (lm_utf8_get(t.p + i, t.n - i, &len) == UINT32_MAX)
            p[i] = 0x1a;
    ends[0] = t.n;
    for (size_t k = 0; k < STEPS && code[kind][k]; k++) {
        n = split(code[kind][k], p, ends, n, other);
        memcpy(ends, other, n * sizeof *ends);
    }
    return n;
}

static void tell(const char *name, lm_str t, const size_t *end, size_t n)
{
    printf("#   %s:", name);
    for (size_t i = 0, at = 0; i < n && i < MOST; at = end[i++]) {
        printf(" |");
        for (; at < end[i] && at < t.n; at++)
            printf((unsigned char)t.p[at] - 33u < 94 ? "%c" : "\\x%02x", (unsigned char)t.p[at]);
    }
    printf("\n");
}

/* The ends of t's lines, each cut alone: by the oracle (window 0), or many at once as far as goes.
 */
static size_t by_lines(int level, int kind, lm_str t, size_t window, size_t *ends)
{
    static uint32_t end[LM_SCAN_BATCH];
    size_t n = 0, k, len;

    for (size_t at = 0; at < t.n; at += len) {
        const char *lf = memchr(t.p + at, '\n', t.n - at);

        len = lf ? (size_t)(lf - t.p) + 1 - at : t.n - at;
        if (window &&
            (k = lm_scan_lines_window(lm_data_at(level), kind, t.p + at, t.n - at, window, end))) {
            len = end[k - 1];
            for (size_t i = 0; i < k; i++)
                ends[n + i] = at + end[i];
        } else {
            k = oracle(kind, (lm_str){t.p + at, len}, ends + n);
            for (size_t i = 0; i < k; i++)
                ends[n + i] += at;
        }
        n += k;
    }
    return n;
}

static bool same_lines(int kind, lm_str t)
{
    static const size_t window[] = {64, 192, LM_SCAN_WINDOW};
    static size_t want[2 * MOST], have[2 * MOST];
    size_t n = by_lines(0, kind, t, 0, want), k;

    for (size_t i = 0; i < ntiers; i++)
        for (size_t c = 0; c < (tiers[i].scan == batch ? LM_COUNT(window) : 0); c++) {
            k = by_lines(tiers[i].level, kind, t, window[c], have);
            if (k == n && !memcmp(have, want, n * sizeof *want))
                continue;
            printf("# %s, lines at level %d, windows of %zu\n", lm_pre_name(lm_pre_named(kind)),
                   tiers[i].level, window[c]);
            tell("want", t, want, n);
            tell("have", t, have, k);
            return false;
        }
    return true;
}

/* Every scanner cuts t as the oracle does, taken in batches of each size. */
static bool same_kind(int kind, lm_str t, const size_t *cap, size_t ncap)
{
    static size_t want[MOST], have[MOST + 512];
    size_t n = oracle(kind, t, want), k;

    for (size_t i = 0; i < ntiers; i++)
        for (size_t c = 0; c < (tiers[i].scan == batch ? 1 : ncap); c++) {
            k = tiers[i].scan(tiers[i].level, kind, t, cap[c], have);
            if (k == n && !memcmp(have, want, n * sizeof *want))
                continue;
            printf("# %s, %s at level %d, batches of %zu\n", lm_pre_name(lm_pre_named(kind)),
                   tiers[i].name, tiers[i].level, cap[c]);
            tell("want", t, want, n);
            tell("have", t, have, k == SIZE_MAX ? 0 : k);
            return false;
        }
    return same_lines(kind, t);
}

static bool same(lm_str t)
{
    static const size_t cap[] = {65, 3, MOST}; /* small ones, so that their borders are tried */
    bool good = true;

    for (int kind = 0; kind < LM_PRE_COUNT; kind++)
        good &= same_kind(kind, t, cap, t.n < 4 ? 1 : LM_COUNT(cap));
    return good;
}

/* --- texts --- */

/* Every character PCRE2's own Unicode knows, in much company. U+180E is a space to PCRE2 alone. */
static void characters(void)
{
    int err;
    PCRE2_SIZE at;
    pcre2_code *assigned =
        pcre2_compile((PCRE2_SPTR) "^[^\\p{Cn}\\p{Co}\\p{Cs}]$", PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_UCP | PCRE2_DOTALL, &err, &at, NULL);
    lm_buf b = {0};
    unsigned bad = 0, tried = 0;

    for (uint32_t c = 0; c < 0x110000 && bad < 10; c++) {
        char u[4];
        size_t n = lm_utf8_put(u, c);

        if (!n || c == 0x180e || pcre2_match(assigned, (PCRE2_SPTR)u, n, 0, 0, md, NULL) < 1)
            continue;
        b.n = 0;
        for (const char *p = "@ a@b 1@2 '@x @! \n@\n  @ \t@@A@B-@aA@"; *p; p++)
            lm_buf_add(&b, *p == '@' ? u : p, *p == '@' ? n : 1);
        bad += !same(lm_buf_str(&b)) || !same((lm_str){u, n});
        tried++;
    }
    ok(!bad && tried > 140000, "every assigned character");
    lm_buf_free(&b);
    pcre2_code_free(assigned);
}

static void short_strings(void)
{
    bool good = true;

    for (unsigned i = 0; i < 128 * 128 * 128 && good; i++) {
        char s[3] = {(char)(i >> 14), (char)(i >> 7 & 127), (char)(i & 127)};

        good = same((lm_str){s, 3}) && (i & 127 || same((lm_str){s, 2})) &&
               (i & 16383 || same((lm_str){s, 1}));
    }
    ok(good, "all strings of one to three ASCII characters");
}

/* What the patterns care about; the last ones are no UTF-8. */
static const char *const nasty[] = {"a",
                                    "b",
                                    "Z",
                                    "S",
                                    "s",
                                    "t",
                                    "r",
                                    "e",
                                    "v",
                                    "l",
                                    "m",
                                    "d",
                                    "'",
                                    "'s",
                                    "'LL",
                                    "\"",
                                    " ",
                                    " ",
                                    "  ",
                                    "\t",
                                    "\n",
                                    "\r",
                                    "\r\n",
                                    "\v",
                                    "0",
                                    "7",
                                    "12",
                                    "!",
                                    ".-",
                                    "/",
                                    "_",
                                    "\xc2\xa0",
                                    "\xe3\x80\x80",
                                    "\xc2\x85",
                                    "\xe2\x80\xa8",
                                    "\xc5\xbf",
                                    "\xc3\xa9",
                                    "\xc3\x89",
                                    "\xc7\x85",
                                    "\xca\xb0",
                                    "\xcc\x81",
                                    "\xe0\xa4\xbe",
                                    "\xd9\xa3",
                                    "\xe2\x85\xa7",
                                    "\xc2\xb2",
                                    "\xe4\xb8\xad",
                                    "\xe9\xbe\xa6",
                                    "\xe3\x80\x81",
                                    "\xed\x95\x9c",
                                    "\xe1\x84\x80",
                                    "\xf0\x9f\x98\x80",
                                    "\xe2\x80\x8d",
                                    "\xef\xb8\x8f",
                                    "\xe2\x80\x99",
                                    "\xef\xbc\x81",
                                    "\xf0\x9d\x90\x80",
                                    "\xff",
                                    "\x80",
                                    "\xe4\xb8",
                                    "\xf0\x9f",
                                    "\xed\xa0\x80"};

static void random_text(lm_buf *b, uint64_t *seed, size_t longest)
{
    b->n = 0;
    for (uint64_t n = lm_splitmix(seed) % longest; n && b->n < MOST - 64; n--) {
        const char *s = nasty[lm_splitmix(seed) % LM_COUNT(nasty)];

        for (uint64_t k = lm_splitmix(seed) % 16 ? 1 : lm_splitmix(seed) % 12; k; k--) /* runs */
            lm_buf_adds(b, s);
    }
}

static void random_strings(void)
{
    uint64_t seed = 7;
    lm_buf b = {0};
    bool good = true;

    for (int i = 0; i < 60000 && good; i++) {
        random_text(&b, &seed, i % 16 ? 24 : 200);
        good = same(lm_buf_str(&b));
    }
    ok(good, "60,000 random strings of what the patterns care about");
    for (int i = 0; i < 1000 && good; i++) {
        random_text(&b, &seed, 2000);
        good = same(lm_buf_str(&b));
    }
    ok(good, "1,000 longer ones");
    lm_buf_free(&b);
}

/* Every length and alignment, up to the last byte before a page that may not be read. */
static void page_end(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t seed = 9;
    bool good = !mprotect(p + page, page, PROT_NONE);
    lm_buf b = {0};

    for (size_t n = 0; n <= 200; n++)
        for (size_t gap = 0; gap < 64 && good; gap = gap < 8 ? gap + 1 : gap * 2) {
            char *t = p + page - gap - n;

            do
                random_text(&b, &seed, 300);
            while (b.n < n);
            memset(t, 'a', n + gap);
            memcpy(t, b.p, n);
            if (gap & 1) /* any bytes, often ones that begin a character */
                for (size_t j = 0; j < n; j++)
                    t[j] = (char)(lm_splitmix(&seed) % 3 ? lm_splitmix(&seed)
                                                         : 0xc0 | (lm_splitmix(&seed) & 0x3f));
            good = same((lm_str){t, n});
        }
    ok(good, "every length to 200, at the end of a page and before it");
    munmap(p, 2 * page);
    lm_buf_free(&b);
}

int main(void)
{
    int err;
    PCRE2_SIZE at;
    bool good = true;

    find_tiers();
    md = pcre2_match_data_create(4, NULL);
    for (int i = 0; i < LM_PRE_COUNT; i++) {
        size_t n, m;
        const lm_pre_step *s = lm_pre_steps(lm_pre_named(i), &n),
                          *g = lm_pre_steps(lm_pre_named(LM_PRE_GPT2), &m);

        for (size_t k = 0; k < n; k++) {
            lm_str re = s[k].what == LM_STEP_DIGITS ? LM_STR("\\p{N}")
                        : s[k].what == LM_STEP_GPT2 ? g->pattern
                                                    : s[k].pattern;

            code[i][k] =
                pcre2_compile((PCRE2_SPTR)re.p, re.n, PCRE2_UTF | PCRE2_UCP, &err, &at, NULL);
            good &= code[i][k] && pcre2_jit_compile(code[i][k], PCRE2_JIT_COMPLETE) <= 0;
        }
        good &= !lm_pre_compile(s, n, &as_regex[i]) && lm_pre_kind(as_regex[i]) == LM_PRE_REGEX;
    }
    ok(good, "patterns compile");
    characters();
    short_strings();
    random_strings();
    page_end();
    ok(lm_uclass(0x10ffff) == LM_U_OTHER && lm_uclass(0xffffffff) == LM_U_OTHER &&
           lm_uclass(0xe0100) == LM_U_MARK && lm_uclass(0x1c89) == LM_U_LU && lm_unfc(0x301) &&
           !lm_unfc(0xe9),
       "classes at the edges, and of Unicode 16");
    for (int i = 0; i < LM_PRE_COUNT; i++) {
        lm_pre_free(as_regex[i]);
        for (int k = 0; k < STEPS; k++)
            pcre2_code_free(code[i][k]);
    }
    pcre2_match_data_free(md);
    return done();
}
