/* Texts cut for filling in: nothing is lost, cuts are where they may be, shares are what was asked.
   With two streams as arguments: does the second, as lm-fim wrote it, hold the documents of the
   first? */
#include "lm.h"
#include "tap.h"
#include <math.h>

static uint64_t seed = 1;
static uint64_t rnd(uint64_t n)
{
    return lm_splitmix(&seed) % n;
}

/* Puts the parts of a cut text (or of each of several files) in their first order. */
static bool whole(lm_str body, lm_str fim, lm_buf *out)
{
    lm_str part[3] = {{NULL, 0}}, role;
    size_t at = 0, have = 0;
    uint64_t len;

    while (fim.n) {
        if (!lm_fim_next(&fim, &role, &len) || len > body.n - at)
            return false;
        if (lm_is(role, "pre") || lm_is(role, "mid") || lm_is(role, "suf")) {
            part[lm_is(role, "pre") ? 0 : lm_is(role, "mid") ? 1 : 2] = (lm_str){body.p + at, len};
            if (++have == 3) {
                for (int i = 0; i < 3; i++)
                    lm_buf_add(out, part[i].p, part[i].n);
                have = 0;
            }
        } else {
            lm_buf_add(out, body.p + at, len);
        }
        at += len;
    }
    return at == body.n && !have;
}

static bool at_char(lm_str t, size_t i)
{
    return i == 0 || i == t.n || (unsigned char)t.p[i] >> 6 != 2;
}

static bool at_line(lm_str t, size_t i)
{
    return i == 0 || i == t.n || t.p[i - 1] == '\n';
}

static bool at_token(const lm_ids *off, lm_str t, size_t i)
{
    for (size_t k = 0; k < off->n; k++)
        if (off->v[k] == i)
            return true;
    return i == t.n;
}

static void babble(lm_buf *b, size_t n)
{
    static const char *const word[] = {
        "int ", "\n", "\r\n", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80", "x", " ", "();"};

    b->n = 0;
    while (b->n < n)
        lm_buf_adds(b, word[rnd(LM_COUNT(word))]);
}

static bool cuts(int cut)
{
    lm_fim_opt o = {.rate = 1, .spm = .5, .cut = cut};
    lm_buf t = {0}, body = {0}, fim = {0}, back = {0};
    lm_ids off = {0};
    bool good = true;

    for (int k = 0; good && k < 3000; k++) {
        char num[16];
        lm_str key = {num, (size_t)snprintf(num, sizeof num, "%d", k)}, role, list;
        uint64_t len[2] = {0};

        babble(&t, rnd(60));
        off.n = 0;
        for (size_t i = 0; i < t.n; i += 1 + rnd(4))
            lm_ids_put(&off, NULL, (uint32_t)i, 0);
        body.n = fim.n = back.n = 0;
        good = lm_fim_cut(&o, &key, 1, lm_buf_str(&t), &off, &body, &fim) &&
               whole(lm_buf_str(&body), lm_buf_str(&fim), &back) &&
               lm_eq(lm_buf_str(&back), lm_buf_str(&t));
        for (list = lm_buf_str(&fim); good && list.n;) {
            uint64_t n;

            good = lm_fim_next(&list, &role, &n);
            if (lm_is(role, "pre") || lm_is(role, "mid"))
                len[lm_is(role, "mid")] = n;
        }
        len[1] += len[0];
        for (int i = 0; good && i < 2; i++)
            good = cut == LM_FIM_CHAR   ? at_char(lm_buf_str(&t), len[i])
                   : cut == LM_FIM_LINE ? at_line(lm_buf_str(&t), len[i])
                                        : at_token(&off, lm_buf_str(&t), len[i]);
    }
    lm_buf_free(&t);
    lm_buf_free(&body);
    lm_buf_free(&fim);
    lm_buf_free(&back);
    free(off.v);
    return good;
}

/* Shares within three standard deviations, and cuts at every place equally often. */
static bool shares(double rate, double spm)
{
    enum { N = 40000, LEN = 20 };
    lm_fim_opt o = {.rate = rate, .spm = spm, .seed = 3};
    lm_buf body = {0}, fim = {0};
    lm_str text = LM_STR("abcdefghijklmnopqrst");
    size_t cut = 0, suffix_first = 0, place[LEN + 1] = {0};
    double chi = 0;

    for (int k = 0; k < N; k++) {
        char num[16];
        lm_str key = {num, (size_t)snprintf(num, sizeof num, "%d", k)}, list, role;
        uint64_t n, pre = 0, mid = 0;

        body.n = fim.n = 0;
        if (!lm_fim_cut(&o, &key, 1, text, NULL, &body, &fim))
            continue;
        cut++;
        suffix_first += fim.p[0] == 's';
        for (list = lm_buf_str(&fim); lm_fim_next(&list, &role, &n);) {
            pre = lm_is(role, "pre") ? n : pre;
            mid = lm_is(role, "mid") ? n : mid;
            if (!list.n)
                break;
        }
        place[pre]++;
        place[pre + mid]++;
    }
    lm_buf_free(&body);
    lm_buf_free(&fim);
    for (size_t i = 0; cut && i <= LEN; i++) {
        double want = 2.0 * (double)cut / (LEN + 1), d = (double)place[i] - want;

        chi += d * d / want;
    }
    return fabs((double)cut - N * rate) <= 3 * sqrt(N * rate * (1 - rate)) &&
           fabs((double)suffix_first - (double)cut * spm) <=
               3 * sqrt((double)cut * spm * (1 - spm)) &&
           chi < 45.3; /* 20 degrees of freedom: one in a thousand is above */
}

/* The documents of two streams, pieces (sub=) of one put together. */
static int compare(const char *from, const char *cut)
{
    lm_in *a = lm_in_open(from, 0), *b = lm_in_open(cut, 0);
    lm_rec ra = {0}, rb = {0};
    lm_buf back = {0};
    size_t docs = 0, parts = 0;
    int more = lm_next(b, &rb), rc;

    while ((rc = lm_next(a, &ra)) > 0) {
        lm_str id = lm_get(&ra, "id");

        back.n = 0;
        for (bool first = true; more > 0 && lm_eq(lm_get(&rb, "id"), id); first = false) {
            lm_str fim = lm_get(&rb, "fim"), sub = lm_get(&rb, "sub");

            if (!first && (!sub.p || lm_is(sub, "0")))
                break;
            parts += fim.p != NULL;
            if (!fim.p)
                lm_buf_add(&back, rb.body.p, rb.body.n);
            else if (!whole(rb.body, fim, &back))
                break;
            more = lm_next(b, &rb);
        }
        if (!lm_eq(lm_buf_str(&back), ra.body)) {
            printf("document %zu, id=%.*s: not the same\n", docs, (int)id.n, id.p);
            return 1;
        }
        docs++;
    }
    printf("%zu documents, %zu texts cut%s\n", docs, parts, more || rc ? ", and more" : "");
    lm_in_close(a);
    lm_in_close(b);
    lm_rec_free(&ra);
    lm_rec_free(&rb);
    lm_buf_free(&back);
    return more || rc;
}

int main(int argc, char **argv)
{
    lm_fim_opt small = {.rate = 1, .min_bytes = 5};
    lm_buf body = {0}, fim = {0};
    lm_str key = LM_STR("k"), list = LM_STR("pre:1,x"), role;
    uint64_t n;

    if (argc == 3)
        return compare(argv[1], argv[2]);
    ok(cuts(LM_FIM_CHAR), "between characters: parts make the text");
    ok(cuts(LM_FIM_LINE), "behind line ends");
    ok(cuts(LM_FIM_TOKEN), "between tokens");
    ok(shares(.5, .5) && shares(.9, .1) && shares(.05, 1), "shares, and places of cuts");
    ok(!lm_fim_cut(&small, &key, 1, LM_STR("abcd"), NULL, &body, &fim) &&
           lm_fim_cut(&small, &key, 1, LM_STR("abcde"), NULL, &body, &fim) && body.n == 5,
       "short texts stay whole");
    ok(lm_fim_next(&list, &role, &n) && n == 1 && !lm_fim_next(&list, &role, &n), "a bad list");
    lm_buf_free(&body);
    lm_buf_free(&fim);
    return done();
}
