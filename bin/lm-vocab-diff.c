/* lm-vocab-diff: what two vocabularies have in common and what not.
   Apart from diff(1): tokens are matched by their bytes, merges by what they join, not line by
   line. */
#include "lm.h"

static bool tsv;
static uint64_t count = 20;
static const lm_opt opts[] = {
    LM_NUM('n', "count", &count, 0, UINT64_MAX, "N", "list at most N tokens of each kind (20)"),
    LM_FLAG(0, "tsv", &tsv, "all tokens, and no line that is not a difference"), LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-vocab-diff",
                             .does = "compare two vocabularies",
                             .args = "A B",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_TEXT};

enum { ONLY_A, ONLY_B, MOVED, KIND, LISTS };
static const char *const list_name[LISTS] = {"only-a", "only-b", "id", "kind"};

typedef struct {
    const lm_vocab *a, *b;
    bool differ;
    size_t n[LISTS];
    lm_buf row[LISTS];
} diff;

/* The id of the same bytes in another vocabulary, of the same sort if there is one. */
static uint32_t twin(const lm_vocab *in, lm_str s, bool added)
{
    uint32_t id = added ? lm_vocab_added(in, s) : lm_vocab_find(in, s);

    return id != LM_NO_ID ? id : added ? lm_vocab_find(in, s) : lm_vocab_added(in, s);
}

/* One more token for a list, if there is still room. */
static void list(diff *d, int which, lm_str token, const char *a, const char *b)
{
    lm_buf *to = &d->row[which];

    if (d->n[which]++ >= count && !tsv)
        return;
    lm_buf_addf(to, "%s\t%s\t%s\t", list_name[which], a, b);
    lm_pct_encode(to, token);
    lm_buf_addc(to, '\n');
}

static void tokens(diff *d)
{
    char x[24], y[24];

    for (uint32_t id = 0; id < lm_vocab_size(d->a); id++) {
        lm_str s = lm_vocab_token(d->a, id);
        uint32_t other;

        if (!s.p)
            continue;
        other = twin(d->b, s, lm_vocab_flags(d->a, id));
        snprintf(x, sizeof x, "%u", id);
        snprintf(y, sizeof y, "%u", other);
        if (other == LM_NO_ID)
            list(d, ONLY_A, s, x, "");
        else if (id != other)
            list(d, MOVED, s, x, y);
        if (other != LM_NO_ID && strcmp(lm_vocab_kind(d->a, id), lm_vocab_kind(d->b, other)))
            list(d, KIND, s, lm_vocab_kind(d->a, id), lm_vocab_kind(d->b, other));
    }
    for (uint32_t id = 0; id < lm_vocab_size(d->b); id++) {
        lm_str s = lm_vocab_token(d->b, id);

        snprintf(y, sizeof y, "%u", id);
        if (s.p && twin(d->a, s, lm_vocab_flags(d->b, id)) == LM_NO_ID)
            list(d, ONLY_B, s, "", y);
    }
    for (int k = 0; k < LISTS; k++) {
        if (d->n[k])
            fwrite(d->row[k].p ? d->row[k].p : "", 1, d->row[k].n, stdout);
        if (d->n[k] > count && !tsv)
            printf("%s\t\t\tand %zu more\n", list_name[k], d->n[k] - (size_t)count);
        d->differ |= d->n[k] > 0;
        lm_buf_free(&d->row[k]);
    }
}

static void differing(diff *d, const char *what, const char *a, const char *b)
{
    if (!strcmp(a, b))
        return;
    d->differ = true;
    printf("%s\t%s\t%s\n", what, a, b);
}

static void numbers(diff *d, const char *what, size_t a, size_t b)
{
    char x[24], y[24];

    snprintf(x, sizeof x, "%zu", a);
    snprintf(y, sizeof y, "%zu", b);
    differing(d, what, x, y);
}

static void role(diff *d, int r)
{
    const lm_vocab *v[2] = {d->a, d->b};
    lm_buf said[2] = {{0}};

    for (int i = 0; i < 2; i++) {
        uint32_t id = lm_vocab_role(v[i], r);

        lm_buf_adds(&said[i], "");
        if (id == LM_NO_ID)
            continue;
        lm_buf_addf(&said[i], "%u ", id);
        lm_pct_encode(&said[i], lm_vocab_token(v[i], id));
    }
    differing(d, lm_role_name[r], said[0].p, said[1].p);
    lm_buf_free(&said[0]);
    lm_buf_free(&said[1]);
}

/* What merge k joins, as "LEFT RIGHT"; empty behind the last. */
static void joined(const lm_vocab *v, size_t k, lm_buf *b)
{
    uint32_t left, right, id;

    b->n = 0;
    lm_buf_adds(b, "");
    if (k >= lm_vocab_merges(v))
        return;
    lm_vocab_merge(v, k, &left, &right, &id);
    lm_pct_encode(b, lm_vocab_token(v, left));
    lm_buf_addc(b, ' ');
    lm_pct_encode(b, lm_vocab_token(v, right));
}

static void merges(diff *d)
{
    size_t na = lm_vocab_merges(d->a), nb = lm_vocab_merges(d->b);
    lm_buf a = {0}, b = {0};

    numbers(d, "merges", na, nb);
    for (size_t k = 0; k < na || k < nb; k++) {
        joined(d->a, k, &a);
        joined(d->b, k, &b);
        if (lm_eq(lm_buf_str(&a), lm_buf_str(&b)))
            continue;
        printf("merge\t%s\t%s\t%zu\n", a.p, b.p, k);
        d->differ = true;
        break;
    }
    lm_buf_free(&a);
    lm_buf_free(&b);
}

static void compare(diff *d)
{
    lm_buf a = {0}, b = {0};

    numbers(d, "size", lm_vocab_size(d->a), lm_vocab_size(d->b));
    lm_pct_encode(&a, lm_cstr(lm_pre_name(lm_vocab_pre(d->a))));
    lm_pct_encode(&b, lm_cstr(lm_pre_name(lm_vocab_pre(d->b))));
    differing(d, "pattern", a.p, b.p);
    differing(d, "normalizer", lm_vocab_nfc(d->a) ? "NFC" : "none",
              lm_vocab_nfc(d->b) ? "NFC" : "none");
    differing(d, "ignore-merges", lm_vocab_words_first(d->a) ? "yes" : "no",
              lm_vocab_words_first(d->b) ? "yes" : "no");
    for (int r = 0; r < LM_ROLE_COUNT; r++)
        role(d, r);
    merges(d);
    tokens(d);
    if (strcmp(lm_vocab_hash(d->a),
               lm_vocab_hash(d->b))) /* of the bytes of the file: no difference by itself */
        printf("vocab\t%s\t%s\n", lm_vocab_hash(d->a), lm_vocab_hash(d->b));
    lm_buf_free(&a);
    lm_buf_free(&b);
}

static int run(lm_in *in, lm_out *out)
{
    lm_vocab *a = NULL, *b = NULL;
    diff d = {0};
    int err;

    (void)in;
    (void)out;
    if ((err = lm_vocab_load(lm_arg(0).p, &a)) >= 0 &&
        (err = lm_vocab_load(lm_arg(1).p, &b)) >= 0) {
        d.a = a;
        d.b = b;
        compare(&d);
    }
    lm_vocab_free(a);
    lm_vocab_free(b);
    return err < 0 ? err : d.differ ? LM_NO : LM_DONE;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
