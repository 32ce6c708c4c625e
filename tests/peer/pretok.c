/* pretok TOKENIZER_JSON <TEXTS: where its pattern cuts texts. TEXTS: a u32 length and the bytes of each. Prints the
   name of the pattern as a line, then for each text a u32 count and as many u32 ends. For tests/peer/pretok.py. */
#include "lm.h"

static int fail(void)
{
    fprintf(stderr, "%s\n", lm_last_error()->detail);
    return 3;
}

int main(int argc, char **argv)
{
    lm_vocab *v;
    lm_buf text = {0};
    uint32_t n, *to = NULL;
    size_t cap = 0;

    if (argc != 2)
        return 2;
    if (lm_vocab_load(argv[1], &v) < 0)
        return fail();
    lm_pct_encode(&text, lm_cstr(lm_pre_name(lm_vocab_pre(v)))); /* it may hold line ends */
    printf("%s\n", text.p);
    while (fread(&n, sizeof n, 1, stdin) == 1) {
        size_t end[64], k;
        uint32_t m = 0;
        lm_scan_pos at = {0};

        text.n = 0;
        if (fread(lm_buf_need(&text, n), 1, n, stdin) != n)
            return 3;
        while ((k = lm_scan(lm_vocab_pre(v), text.p, n, &at, end, LM_COUNT(end))))
            for (size_t i = 0; i < k; i++) {
                LM_GROW(to, m, cap);
                to[m++] = (uint32_t)end[i];
            }
        if (at.err < 0)
            return fail();
        fwrite(&m, sizeof m, 1, stdout);
        fwrite(to, sizeof *to, m, stdout);
    }
    free(to);
    lm_buf_free(&text);
    lm_vocab_free(v);
    return ferror(stdout) != 0;
}
