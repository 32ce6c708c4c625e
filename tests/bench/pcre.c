/* pcre FILE: the patterns of the peers of lm-pii, bare, by PCRE2's just-in-time compiler over the bodies of a
   file; prints MB/s of each pattern and of all, and how often each was found. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const pattern[] = {
    "[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)*\\.[A-Za-z]{2,24}",
    "(?<![0-9.])(?:(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(?![0-9.])",
    "(?i)(?:key|secret|token|passw(?:or)?d)[\\w.-]{0,20}[\"' \\t]{0,3}(?:=|:)[ \\t]{0,3}[\"']([\\w+/=.~!@#$%^&*:?|-]{16,512})[\"']"
};

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    FILE *f = argc == 2 ? fopen(argv[1], "rb") : NULL;
    size_t n, i, size = (size_t)256 << 20, hits;
    char *text = malloc(size);
    double all = 0;

    if (!f || !text)
        return 2;
    n = fread(text, 1, size, f);
    for (i = 0; i < sizeof pattern / sizeof *pattern; i++) {
        int err;
        PCRE2_SIZE off, at = 0;
        pcre2_code *re = pcre2_compile((PCRE2_SPTR)pattern[i], PCRE2_ZERO_TERMINATED, 0, &err, &off, NULL);
        pcre2_match_data *m;
        double t;

        if (!re || pcre2_jit_compile(re, PCRE2_JIT_COMPLETE))
            return 2;
        m = pcre2_match_data_create_from_pattern(re, NULL);
        t = seconds();
        for (hits = 0; pcre2_match(re, (PCRE2_SPTR)text, n, at, 0, m, NULL) > 0; hits++)
            at = pcre2_get_ovector_pointer(m)[1];
        t = seconds() - t;
        all += t;
        printf("%.1f %zu\n", (double)n / t / 1e6, hits);
        pcre2_match_data_free(m);
        pcre2_code_free(re);
    }
    printf("%.1f\n", (double)n / all / 1e6);
    free(text);
    fclose(f);
    return 0;
}
