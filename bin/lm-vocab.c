/* lm-vocab: show what a vocabulary is: size, pattern, roles, vocab=, or every token.
   Apart from the encoder: it reads no stream. */
#include "lm.h"

static bool tsv;
static const lm_opt opts[] = {LM_FLAG(0, "tsv", &tsv,
                                      "one line a token: id, kind, bytes (escaped as in a stream)"),
                              LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-vocab",
                             .does = "show a vocabulary: size, pattern, roles, vocab=",
                             .args = "TOK",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_TEXT};

static void every_token(const lm_vocab *v)
{
    lm_buf b = {0};

    for (uint32_t id = 0; id < lm_vocab_size(v); id++) {
        lm_str s = lm_vocab_token(v, id);

        if (!s.p)
            continue;
        b.n = 0;
        lm_pct_encode(&b, s);
        printf("%u\t%s\t%s\n", id, lm_vocab_kind(v, id), b.p);
    }
    lm_buf_free(&b);
}

static void summary(const lm_vocab *v)
{
    size_t kinds[3] = {0}, bytes = 0;
    lm_buf b = {0};

    for (uint32_t id = 0; id < lm_vocab_size(v); id++) {
        lm_str s = lm_vocab_token(v, id);
        unsigned flags = lm_vocab_flags(v, id);

        if (s.p)
            kinds[flags & LM_TOKEN_SPECIAL ? 2 : flags ? 1 : 0]++;
        if (s.p && !flags)
            bytes += s.n;
    }
    printf("size\t%u\ntokens\t%zu\nadded\t%zu\nspecial\t%zu\nmerges\t%zu\nbytes\t%zu\n",
           lm_vocab_size(v), kinds[0], kinds[1], kinds[2], lm_vocab_merges(v), bytes);
    lm_pct_encode(&b, lm_cstr(lm_pre_name(lm_vocab_pre(v))));
    printf("pattern\t%s\nnormalizer\t%s\nignore-merges\t%s\n", b.p,
           lm_vocab_nfc(v) ? "NFC" : "none", lm_vocab_words_first(v) ? "yes" : "no");
    for (int role = 0; role < LM_ROLE_COUNT; role++) {
        uint32_t id = lm_vocab_role(v, role);

        if (id == LM_NO_ID)
            continue;
        b.n = 0;
        lm_pct_encode(&b, lm_vocab_token(v, id));
        printf("%s\t%u\t%s\n", lm_role_name[role], id, b.p);
    }
    printf("vocab\t%s\n", lm_vocab_hash(v));
    lm_buf_free(&b);
}

static int run(lm_in *in, lm_out *out)
{
    lm_vocab *v;
    int err = lm_vocab_load(lm_arg(0).p, &v);

    (void)in;
    (void)out;
    if (err < 0)
        return err;
    if (tsv)
        every_token(v);
    else
        summary(v);
    lm_vocab_free(v);
    return LM_DONE;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
