/* The pretoken scanners cut as the regular expressions they stand for, run by PCRE2. */
/* link: pcre2-8 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "lm.h"
#include "text/uclass.h"
#include <pcre2.h>

static int count, failed;
static pcre2_code *code[LM_PRE_COUNT];
static pcre2_match_data *md;

static void ok(bool good, const char *name)
{
    failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
}

static bool same(int pre, lm_str t)
{
    size_t end[8], at = 0, from = 0, k; /* a small batch, so that its borders are tried too */

    while ((k = lm_scan(pre, t.p, t.n, &at, end, 8)))
        for (size_t i = 0; i < k; from = end[i++]) {
            int got =
                pcre2_match(code[pre], (PCRE2_SPTR)t.p, t.n, from, PCRE2_NO_UTF_CHECK, md, NULL);
            PCRE2_SIZE *o = pcre2_get_ovector_pointer(md);

            if (got < 1 || o[0] != from || o[1] != end[i]) {
                printf("# %s: ours %zu-%zu, PCRE2 %zu-%zu in %.*s\n", lm_pre_name[pre], from,
                       end[i], o[0], o[1], (int)t.n, t.p);
                return false;
            }
        }
    return from == t.n;
}

static bool same_all(lm_str t)
{
    bool good = true;

    for (int pre = 0; pre < LM_PRE_COUNT; pre++)
        good &= same(pre, t);
    return good;
}

/* Every character PCRE2's own Unicode knows, in many company. U+180E is a space to PCRE2 alone. */
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
        for (const char *p = "@ a@b 1@2 '@x @! \n@\n  @ \t@@"; *p; p++)
            lm_buf_add(&b, *p == '@' ? u : p, *p == '@' ? n : 1);
        bad += !same_all(lm_buf_str(&b));
        tried++;
    }
    ok(!bad && tried > 140000, "every assigned character");
    lm_buf_free(&b);
    pcre2_code_free(assigned);
}

static void strings(void)
{
    static const char *const piece[] = {"a",
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
                                        "\"",
                                        " ",
                                        " ",
                                        "\t",
                                        "\n",
                                        "\r",
                                        "0",
                                        "12",
                                        "!",
                                        ".-",
                                        "\xc2\xa0",
                                        "\xc3\xa9",
                                        "\xe4\xb8\xad",
                                        "\xe2\x80\xa8",
                                        "\xcc\x81",
                                        "\xd9\xa3",
                                        "\xc5\xbf",
                                        "\xc2\x85",
                                        "\xf0\x9f\x98\x80"};
    uint64_t seed = 7;
    lm_buf b = {0};
    bool good = true;

    for (int i = 0; i < 100000 && good; i++) {
        b.n = 0;
        for (uint64_t n = lm_splitmix(&seed) % 24; n; n--)
            lm_buf_adds(&b, piece[lm_splitmix(&seed) % LM_COUNT(piece)]);
        good = same_all(lm_buf_str(&b));
    }
    ok(good, "100,000 random strings of what the patterns care about");
    good = true;
    for (unsigned i = 0; i < 128 && good; i++)
        for (unsigned j = 0; j < 128 && good; j++) {
            char two[3] = {(char)i, (char)j, '\''};

            good = same_all((lm_str){two, 1}) && same_all((lm_str){two, 2}) &&
                   same_all((lm_str){two, 3});
        }
    ok(good, "all strings of one and two ASCII characters");
    lm_buf_free(&b);
}

static void any_bytes(void)
{
    uint64_t seed = 9;
    bool good = true;

    for (int i = 0; i < 20000 && good; i++) {
        char *t = lm_alloc(
            64); /* its end is the end of an allocation: a sanitizer sees one byte too many */
        size_t n = lm_splitmix(&seed) % 65, end[4], at = 0, last = 0, k;

        memset(t, 0, 64);
        for (size_t j = 0; j < n; j++)
            t[64 - n + j] = (char)(lm_splitmix(&seed) % 3 ? lm_splitmix(&seed)
                                                          : 0xc0 | (lm_splitmix(&seed) & 0x3f));
        for (int pre = 0; pre < LM_PRE_COUNT; pre++, good &= last == n)
            for (at = last = 0; (k = lm_scan(pre, t + 64 - n, n, &at, end, 4));)
                for (size_t j = 0; j < k; last = end[j++])
                    good &= end[j] > last;
        free(t);
    }
    ok(good, "any bytes are covered, in pieces that are not empty");
}

int main(void)
{
    int err;
    PCRE2_SIZE at;

    md = pcre2_match_data_create(4, NULL);
    for (int i = 0; i < LM_PRE_COUNT; i++) {
        code[i] = pcre2_compile((PCRE2_SPTR)lm_pre_regex[i], PCRE2_ZERO_TERMINATED,
                                PCRE2_UTF | PCRE2_UCP, &err, &at, NULL);
        ok(code[i] && pcre2_jit_compile(code[i], PCRE2_JIT_COMPLETE) <= 0, lm_pre_name[i]);
    }
    characters();
    strings();
    any_bytes();
    ok(lm_uclass(0x10ffff) == LM_U_OTHER && lm_uclass(0xffffffff) == LM_U_OTHER &&
           lm_uclass(0xe0100) == LM_U_MARK && lm_uclass(0x1c89) == LM_U_LU && lm_unfc(0x301) &&
           !lm_unfc(0xe9),
       "classes at the edges, and of Unicode 16");
    for (int i = 0; i < LM_PRE_COUNT; i++)
        pcre2_code_free(code[i]);
    pcre2_match_data_free(md);
    printf("1..%d\n", count);
    return failed > 0;
}
