/* lines against a plain re-expression: characters one by one, encoded runs by PCRE2; at every
 * level. */
#include "base/base.h"
#include "kernels/cpu.h"
#include "text/doc.h"
#include "text/lines.h"
#include "text/re.h"
#include "text/uclass.h"

static int count, failed;

static void ok(bool good, const char *name)
{
    failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
}

static void plain_runs(lm_str text, const char *pattern, lm_lines *o)
{
    lm_re *re = lm_re_new(lm_cstr(pattern), 0);
    size_t at = 0, span[1][2];

    while (re && lm_re_match(re, text, at, span, 1) == 1) {
        size_t n = span[0][1] - span[0][0];

        o->enc_sum += n;
        o->enc_run = n > o->enc_run ? n : o->enc_run;
        at = span[0][1];
    }
    lm_re_free(re);
}

static void plain(lm_str text, lm_lines *o)
{
    size_t i, len, col = 0;
    char *word = lm_memdup(text.p, text.n); /* high bytes as '_': word bytes of no class */

    memset(o, 0, sizeof *o);
    o->bytes = text.n;
    for (i = 0; i < text.n; i += len) {
        uint32_t c = lm_utf8_get(text.p + i, text.n - i, &len);
        unsigned u = lm_uclass(c);

        o->chars++;
        o->alpha += u >= LM_U_LU && u <= LM_U_LL;
        o->alnum += (u >= LM_U_LU && u <= LM_U_LL) || u == LM_U_NUM;
        o->digit += c >= '0' && c <= '9';
        o->space += u == LM_U_SPACE;
        o->nonascii += c > 127;
        col++;
        if (c == '\n') {
            col -= 1 + (col > 1 && text.p[i - 1] == '\r');
            o->lines++;
            o->line_sum += col;
            o->line_max = col > o->line_max ? col : o->line_max;
            col = 0;
        }
    }
    if (text.n && text.p[text.n - 1] != '\n') {
        o->lines++;
        o->line_sum += col;
        o->line_max = col > o->line_max ? col : o->line_max;
    }
    for (i = 0; i < text.n; i++)
        if (word[i] & 0x80)
            word[i] = '_';
    plain_runs((lm_str){word, text.n}, "(?:\\b(?:0x|\\\\x)?[0-9a-fA-F]{2}(?:,|\\b\\s*)){8,}", o);
    for (i = 0; i < text.n; i++)
        if (text.p[i] & 0x80)
            word[i] = '-';
    plain_runs((lm_str){word, text.n}, "[a-zA-Z0-9+/\\n=]{64,}", o);
    plain_runs((lm_str){word, text.n}, "(?:\\\\u[0-9a-fA-F]{4}){8,}", o);
    free(word);
}

static bool same(lm_str text)
{
    lm_lines want, got;
    int level;

    plain(text, &want);
    for (level = 0; level <= lm_cpu_best(); level++) {
        memset(&got, 0xa5, sizeof got);
        lm_lines_scan(lm_data_at(level), text, &got);
        if (memcmp(&want, &got, sizeof got)) {
            printf("# %s n=%zu chars %llu %llu lines %llu %llu max %llu %llu sum %llu %llu run "
                   "%llu %llu enc %llu %llu\n",
                   lm_cpu_name(level), text.n, (unsigned long long)want.chars,
                   (unsigned long long)got.chars, (unsigned long long)want.lines,
                   (unsigned long long)got.lines, (unsigned long long)want.line_max,
                   (unsigned long long)got.line_max, (unsigned long long)want.line_sum,
                   (unsigned long long)got.line_sum, (unsigned long long)want.enc_run,
                   (unsigned long long)got.enc_run, (unsigned long long)want.enc_sum,
                   (unsigned long long)got.enc_sum);
            return false;
        }
    }
    return true;
}

/* Random texts of parts that make runs, borders of blocks and broken characters likely. */
static bool random_texts(unsigned n)
{
    static const char *const part[] = {"\n",
                                       "\r\n",
                                       "a",
                                       "be ",
                                       "0x41,",
                                       "\\x41",
                                       "\\u00e9",
                                       "\\u12fg",
                                       "de,",
                                       "ad  \n ",
                                       "QUJD",
                                       "0123456789abcdef",
                                       "\xc3\xa9",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "\xc3",
                                       "\x80",
                                       " ",
                                       "_",
                                       "x",
                                       "\t",
                                       "==\n",
                                       ",",
                                       "\xe4\xb8\xad",
                                       "7"};
    uint64_t rng = 42;
    lm_buf b = {0};
    unsigned i, k;
    bool good = true;

    for (i = 0; i < n && good; i++) {
        uint64_t few = lm_splitmix(&rng);

        b.n = 0;
        for (k = 0; k < few % 300; k++) { /* mostly of a few kinds */
            uint64_t v = lm_splitmix(&rng), kind = v % 3 ? few >> 8 >> v % 2 * 8 : v >> 8;

            lm_buf_adds(&b, part[kind % LM_COUNT(part)]);
        }
        good = same(lm_buf_str(&b));
    }
    lm_buf_free(&b);
    return good;
}

static lm_str repeat(lm_buf *b, const char *s, size_t n)
{
    for (b->n = 0; n; n--)
        lm_buf_adds(b, s);
    return lm_buf_str(b);
}

/* lm_text_binary and lm_doc_enc agree. */
static bool binary_same(void)
{
    uint64_t rng = 9;
    char text[300];
    unsigned i, k, of[2] = {0, 0};

    for (i = 0; i < 3000; i++) {
        size_t n = lm_splitmix(&rng) % sizeof text;
        uint64_t share = lm_splitmix(&rng) % 200;
        bool want;

        for (k = 0; k < n; k++)
            text[k] = lm_splitmix(&rng) % 200 < share ? (char)(1 + lm_splitmix(&rng) % 31) : 'a';
        if (n && i % 10 == 0)
            text[lm_splitmix(&rng) % n] = (char)(i % 20 ? 0 : 127);
        want = !strcmp(lm_doc_enc((lm_str){text, n}), "binary");
        of[want]++;
        for (k = 0; k <= (unsigned)lm_cpu_best(); k++)
            if (lm_text_binary(lm_data_at((int)k), (lm_str){text, n}) != want)
                return false;
    }
    return of[0] > 100 && of[1] > 100;
}

int main(void)
{
    lm_buf b = {0};
    lm_lines o;
    size_t n;
    bool good = true;

    ok(same((lm_str){"", 0}) && same(LM_STR("\n")) && same(LM_STR("\r\n")) && same(LM_STR("\r")),
       "line ends alone");
    for (n = 0; n < 300; n++)
        good &= same(repeat(&b, "A", n)) && same(repeat(&b, "\xc3\xa9", n)) &&
                same(repeat(&b, "0x0f,", n % 40));
    ok(good, "one run of every length");
    for (n = 16300; n < 16460; n++)
        good &= same(repeat(&b, "z", n));
    ok(good, "runs over the border of two kernel calls");
    lm_lines_scan(lm_data_at(0), repeat(&b, "\\x41", 9), &o);
    ok(o.enc_run == 32, "the first \\x of a run has no word border before it and stays out, as in "
                        "the paper's pattern");
    ok(random_texts(20000), "random texts");
    ok(binary_same(), "binary texts are those of lm_doc_enc");
    lm_buf_free(&b);
    printf("1..%d\n", count);
    return failed != 0;
}
