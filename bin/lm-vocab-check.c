/* lm-vocab-check: prove that a vocabulary holds together; list what does not.
   Apart from lm-vocab, which believes it: this one merges every token's bytes again. */
#include "lm.h"

static bool tsv;
static uint64_t count = 20;
static const lm_opt opts[] = {
    LM_NUM('n', "count", &count, 0, UINT64_MAX, "N", "list at most N findings of each check (20)"),
    LM_FLAG(0, "tsv", &tsv, "all findings, a line each: check, id, merge, other, bytes, ids"),
    LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-vocab-check",
                             .does = "prove that a vocabulary holds together",
                             .args = "TOK",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_TEXT};

static const char *const claim[LM_VC_COUNT] = {
    [LM_VC_BYTES] = "each byte is a token",
    [LM_VC_UNIQUE] = "no two merges make one token",
    [LM_VC_REACH] = "merges make each token from its bytes",
    [LM_VC_ORDER] = "merges join what bytes or earlier merges make",
    [LM_VC_IDS] = "ids rise with the rank of the merge",
    [LM_VC_SPECIAL] = "no text gives an added token",
    [LM_VC_TRIP] = "each token comes back",
};

/* The ids that a token's bytes are merged to, joined by commas. */
static void merged(const lm_vocab *v, uint32_t id, lm_ids *ids, lm_buf *b)
{
    lm_str s = lm_vocab_token(v, id);

    ids->n = b->n = 0;
    lm_buf_adds(b, "");
    if (lm_vocab_merge_ref(v, s, ids) >= 0)
        for (size_t i = 0; i < ids->n; i++)
            lm_buf_addf(b, "%s%u", i ? "," : "", ids->v[i]);
}

static void number(size_t n)
{
    if (n == SIZE_MAX || n == LM_NO_ID)
        printf("\t");
    else
        printf("\t%zu", n);
}

static void row(const lm_vocab *v, const lm_vc_find *f)
{
    lm_buf bytes = {0}, to = {0};
    lm_ids ids = {0};
    char byte = (char)f->id;

    lm_pct_encode(&bytes, f->check == LM_VC_BYTES ? (lm_str){&byte, 1} : lm_vocab_token(v, f->id));
    lm_buf_adds(&to, "");
    if (f->check == LM_VC_REACH)
        merged(v, f->id, &ids, &to);
    printf("%s\t%u", lm_vc_name[f->check], f->id);
    number(f->rank);
    number(f->other);
    printf("\t%s\t%s\n", bytes.p, to.p);
    lm_buf_free(&bytes);
    lm_buf_free(&to);
    free(ids.v);
}

static void tell(const lm_vocab *v, const lm_vc_find *f)
{
    lm_buf bytes = {0}, to = {0};
    lm_ids ids = {0};
    char byte = (char)f->id;

    lm_pct_encode(&bytes, f->check == LM_VC_BYTES ? (lm_str){&byte, 1} : lm_vocab_token(v, f->id));
    if (f->check == LM_VC_BYTES)
        printf("  byte %s\n", bytes.p);
    else
        printf("  %u %s", f->id, bytes.p);
    switch (f->check) {
    case LM_VC_UNIQUE:
        printf(": made by merge %zu and merge %zu\n", f->other, f->rank);
        break;
    case LM_VC_REACH:
        merged(v, f->id, &ids, &to);
        printf(": its bytes give %s\n", ids.n ? to.p : "nothing, as a byte is missing");
        break;
    case LM_VC_ORDER:
        printf(": merge %zu joins %zu, which no earlier merge makes\n", f->rank, f->other);
        break;
    case LM_VC_IDS:
        printf(": made by merge %zu, after %zu was\n", f->rank, f->other);
        break;
    case LM_VC_SPECIAL:
        printf(": spelt by ordinary text as %zu\n", f->other);
        break;
    case LM_VC_TRIP:
        printf(": other bytes come back, or none\n");
        break;
    default:
        break;
    }
    lm_buf_free(&bytes);
    lm_buf_free(&to);
    free(ids.v);
}

static void report(const lm_vocab *v, const lm_vc_report *r)
{
    for (int c = 0; c < LM_VC_COUNT; c++) {
        size_t left = r->failed[c];

        printf("%s\t%zu\t%zu\t%s\t%s\n", lm_vc_name[c], r->tried[c], r->failed[c],
               r->failed[c] ? "FAILS" : "holds", claim[c]);
        for (size_t i = 0, told = 0; i < r->n && left; i++) {
            if (r->find[i].check != c)
                continue;
            if (told++ == count) {
                printf("  and %zu more\n", left);
                break;
            }
            tell(v, &r->find[i]);
            left--;
        }
    }
}

static int run(lm_in *in, lm_out *out)
{
    lm_vc_report r = {0};
    lm_vocab *v;
    int err = lm_vocab_load(lm_arg(0).p, &v);

    (void)in;
    (void)out;
    if (err < 0)
        return err;
    if ((err = lm_vocab_check(v, &r)) >= 0) {
        if (tsv)
            for (size_t i = 0; i < r.n; i++)
                row(v, &r.find[i]);
        else
            report(v, &r);
    }
    lm_vc_free(&r);
    lm_vocab_free(v);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
