/* Shards written, mapped and read back by row: against a slow reference, packed or not, with
   damage in every place that is checked. */
#include "nn/data.h"
#include "nn/mix.h"
#include <sys/stat.h>
#include <unistd.h>

#define V 500
#define DOCS 300
static int count, failed;
static char dir[] = "/tmp/lm-unit-data.XXXXXX", vocab[] = "0123456789abcdef0123456789abcdef";

/* What was written: every token with its weight and document. */
static uint32_t all[100000], doc_of[100000], prefix_of[DOCS];
static uint8_t weight_of[100000];
static uint64_t total, doc_begin[DOCS + 1];
static bool prefixes; /* written with them? */
static lm_id doc_id[DOCS];

static void ok(bool good, const char *name)
{
    failed += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", ++count, name);
    if (!good && lm_last_error()->err)
        printf("# last error: %s: %s\n", lm_last_error()->where, lm_last_error()->detail);
}

static const char *in_dir(const char *name)
{
    static char path[4][512];
    static int i;

    i = (i + 1) % 4;
    snprintf(path[i], sizeof path[i], "%s/%s", dir, name);
    return path[i];
}

static void make_docs(void)
{
    uint64_t s = 1;

    for (uint32_t d = 0; d < DOCS; d++) {
        uint64_t n = lm_splitmix(&s) % 90 + (d % 50 == 0 ? 700 : 0);

        prefix_of[d] = d < 20 || d % 3 ? 0 : (uint32_t)((n + 1) * (d % 7) / 6);
        prefix_of[d] = prefix_of[d] < n ? prefix_of[d] : (uint32_t)n;

        doc_begin[d] = total;
        doc_id[d] = (lm_id){lm_splitmix(&s), lm_splitmix(&s)};
        for (uint64_t i = 0; i < n; i++, total++) {
            all[total] = (uint32_t)(lm_splitmix(&s) % V);
            doc_of[total] = d;
            weight_of[total] = d >= 100 && i < 5 ? 0 : 1;
        }
    }
    doc_begin[DOCS] = total;
}

/* The @tok record of document d. */
static void doc_rec(lm_rec *r, uint32_t d)
{
    uint64_t at = doc_begin[d], n = doc_begin[d + 1] - at, pad = (8 - n * 2 % 8) % 8;
    char hex[33];
    uint8_t *p;

    lm_rec_new(r, "tok");
    lm_id_hex(doc_id[d], hex);
    lm_set(r, "dt", LM_STR("u16"));
    lm_setf(r, "shape", "%llu", (unsigned long long)n);
    lm_set(r, "vocab", lm_cstr(vocab));
    lm_set(r, "id", lm_cstr(hex));
    lm_setf(r, "with", "weight:u8:%llu", (unsigned long long)n);
    if (prefixes && prefix_of[d])
        lm_setf(r, "prefix", "%u", prefix_of[d]);
    p = (uint8_t *)lm_body_alloc(r, n * 3 + pad);
    memset(p, 0, n * 3 + pad);
    for (uint64_t i = 0; i < n; i++) {
        p[2 * i] = (uint8_t)all[at + i];
        p[2 * i + 1] = (uint8_t)(all[at + i] >> 8);
        p[2 * n + pad + i] = weight_of[at + i];
    }
}

static int write_shards(const char *path, uint64_t size)
{
    lm_shards_opt o = {.size = size, .align = 64};
    lm_shards *w = lm_shards_new(path, &o);
    lm_rec r = {0};
    int err = w ? 0 : LM_EIO;

    for (uint32_t d = 0; !err && d < DOCS; d++) {
        doc_rec(&r, d);
        err = lm_shards_add(w, &r);
    }
    if (!err)
        err = lm_shards_end(w);
    lm_shards_free(w);
    lm_rec_free(&r);
    return err;
}

/* All tokens that fill rows of n, packed as lm-pack packs them. */
static int write_rows(const char *path, uint64_t n)
{
    lm_shards_opt o = {.size = 1 << 20, .align = 64};
    lm_shards *w = lm_shards_new(path, &o);
    lm_tokrow row = {.width = 2};
    lm_rec r = {0};
    int err = w ? 0 : LM_EIO;

    for (uint64_t at = 0; !err && at + n <= total; at += n) {
        lm_tokrow_clear(&row);
        for (uint64_t g = at; g < at + n; g++) {
            uint64_t d = doc_of[g], from = g - doc_begin[d], e = g;

            lm_buf_le(&row.tok, all[g], 2);
            lm_buf_add(&row.weight, &weight_of[g], 1);
            if (g > at && doc_of[g - 1] == d)
                continue;
            while (e < at + n && doc_of[e] == d)
                e++;
            lm_tokrow_segment(&row, e - at, doc_id[d], from,
                              prefixes ? lm_prefix_cut(prefix_of[d], from, e - g) : 0);
        }
        lm_tokrow_rec(&row, &r, lm_cstr(vocab), LM_STR("concat"));
        err = lm_shards_add(w, &r);
    }
    if (!err)
        err = lm_shards_end(w);
    lm_shards_free(w);
    lm_tokrow_free(&row);
    lm_rec_free(&r);
    return err;
}

/* The place in the row from g0 on of the last token that token g sees, of a row of n. */
static uint64_t last_seen(uint64_t g0, uint64_t g, uint64_t n)
{
    uint64_t e = doc_begin[doc_of[g]] + prefix_of[doc_of[g]];

    if (!prefixes || g >= e)
        return g - g0;
    return (e < g0 + n ? e : g0 + n) - 1 - g0;
}

/* Rows of one shard, in order, against the tokens as written. */
static bool rows_equal(lm_data *d, uint64_t seq, bool docmask)
{
    uint32_t ids[1024], tgt[1024], start[1024], end[1024];
    uint8_t w[1024];
    lm_row row = {.ids = ids, .tgt = tgt, .start = start, .end = end, .w = w};
    const lm_data_facts *f = lm_data_about(d);
    uint64_t n = f->tokens, seen = 0;

    if (f->rows != (f->packed ? n : n - 1) / seq || n != (f->packed ? total / seq * seq : total))
        return false;
    for (uint64_t r = 0; r < f->rows; r++) {
        uint64_t begin = 0;
        bool any = false;

        if (lm_data_row(d, r, &row) != 1)
            return false;
        for (uint64_t i = 0; i < seq; i++) {
            uint64_t g = r * seq + i;
            bool over = g + 1 == n || doc_of[g] != doc_of[g + 1];
            uint64_t e = last_seen(r * seq, g, seq);

            if (docmask && i && doc_of[g] != doc_of[g - 1])
                begin = i;
            if (ids[i] != all[g] || tgt[i] != (g + 1 == n ? 0 : all[g + 1]) || start[i] != begin ||
                w[i] != (g + 1 == n || (docmask && over) || e > i ? 0 : weight_of[g + 1]) ||
                (row.prefixed && end[i] != e))
                return false;
            any = any || e > i;
        }
        if (row.prefixed != any)
            return false;
        seen += any;
    }
    return !prefixes || (seen && seen < f->rows);
}

static lm_data *open_with(const char *path, lm_data_opt o)
{
    return lm_data_open(&path, 1, &o);
}

/* Steps of G samples by w1 workers up to step k, then, all opened anew, by w2: every worker
   computes its own places, and together they read the rows one uninterrupted reader gets. Of n sets
   if n > 1. */
static bool resumes(const char *const *paths, size_t n, const char *order, uint64_t w1, uint64_t k,
                    uint64_t w2)
{
    enum { G = 24, M = 6, STEPS = 20, SEQ = 16 };
    lm_data_opt o = {.seq = SEQ, .seed = 3, .shuffle = order, .mix = n > 1 ? "2,1,5" : NULL};
    uint32_t a[SEQ], b[SEQ], tgt[SEQ], start[SEQ];
    uint8_t w[SEQ];
    lm_row whole = {.ids = a, .tgt = tgt, .start = start, .w = w},
           part = {.ids = b, .tgt = tgt, .start = start, .w = w};
    lm_data *d;
    uint64_t next = 0;
    bool good = (d = lm_data_open(paths, n, &o));

    for (uint64_t t = 0; good && t < STEPS; t++) {
        uint64_t world = t < k ? w1 : w2;

        for (uint64_t rank = 0; good && rank < world; rank++) {
            lm_data *mine = lm_data_open(paths, n, &o);

            for (uint64_t m = rank * M / world; m < (rank + 1) * M / world; m++)
                for (uint64_t i = 0; good && i < G / M; i++, next++)
                    good = mine && lm_data_sample(mine, t * G + m * (G / M) + i, &part) == 1 &&
                           lm_data_sample(d, next, &whole) == 1 && !memcmp(a, b, sizeof a);
            lm_data_close(mine);
        }
    }
    lm_data_close(d);
    return good && next == STEPS * G;
}

/* 200 worlds drawn at random, half of them of a mixture. */
static bool worlds(const char *one, const char *many)
{
    const char *paths[] = {many, one, many}, *order[] = {"full", "block:200,3", "none"};
    uint64_t s = 9;

    for (int i = 0; i < 200; i++) {
        uint64_t w1 = 1 + lm_below(&s, 9), k = lm_below(&s, 21), w2 = 1 + lm_below(&s, 9);

        if (!resumes(paths, i % 2 ? 3 : 1, order[i % 3], w1, k, w2)) {
            printf("# %d workers to step %d, then %d\n", (int)w1, (int)k, (int)w2);
            return false;
        }
    }
    return true;
}

/* Shares of a mixture, and each set's own order: its samples are its epochs. */
static bool mixes(const char *one, const char *many)
{
    const char *paths[] = {one, many};
    lm_data_opt o = {.seq = 16, .seed = 3, .mix = "3,1"};
    lm_data *d = lm_data_open(paths, 2, &o), *set[2] = {open_with(one, (lm_data_opt){.seq = 16}),
                                                        open_with(many, (lm_data_opt){.seq = 16})};
    uint64_t rows[2], taken[2] = {0}, *times;
    bool good = d && set[0] && set[1];

    if (!good)
        return false;
    rows[0] = lm_data_about(set[0])->rows;
    rows[1] = lm_data_about(set[1])->rows;
    times = lm_zalloc(rows[0] + rows[1], sizeof *times);
    good = lm_data_about(d)->rows == rows[0] + rows[1];
    for (uint64_t c = 0; c < 2 * LM_STRATUM; c++) {
        uint64_t row = lm_data_row_of(d, c);

        taken[row >= rows[0]]++;
        times[row]++;
    }
    good = good && taken[0] == 6144 && taken[1] == 2048;
    for (uint64_t r = 0; good && r < rows[0] + rows[1]; r++) {
        uint64_t k = r >= rows[0], whole = taken[k] / rows[k];

        good = times[r] == whole || times[r] == whole + 1;
    }
    free(times);
    lm_data_close(d);
    lm_data_close(set[0]);
    lm_data_close(set[1]);
    return good;
}

/* Two epochs: each row once in each. */
static bool epochs(lm_data *d)
{
    uint64_t n = lm_data_about(d)->rows, moved = 0;
    uint8_t *seen = lm_zalloc(n, 2);
    bool good = true;

    for (uint64_t i = 0; i < 2 * n; i++)
        good = good && !seen[i / n * n + lm_data_row_of(d, i)]++;
    for (uint64_t i = 0; i < n; i++)
        moved += lm_data_row_of(d, i) != lm_data_row_of(d, n + i);
    free(seen);
    return good && moved > n / 2;
}

static bool pieces_name_documents(lm_data *d, uint64_t seq)
{
    lm_piece p[600];

    for (uint64_t r = 0; r < lm_data_about(d)->rows; r++) {
        uint64_t at = 0;
        size_t n;

        if (lm_data_pieces(d, r, p, LM_COUNT(p), &n))
            return false;

        for (size_t i = 0; i < n; i++) {
            uint64_t g = r * seq + p[i].begin;
            uint32_t doc = doc_of[g];

            if (p[i].begin != at || lm_id_cmp(p[i].id, doc_id[doc]) ||
                p[i].from != g - doc_begin[doc])
                return false;
            at += p[i].n;
        }
        if (at != seq)
            return false;
    }
    return true;
}

/* Overwrites a byte of a file. */
static void flip(const char *path, long at, int whence)
{
    FILE *f = fopen(path, "r+b");
    int c;

    fseek(f, at, whence);
    c = fgetc(f);
    fseek(f, -1, SEEK_CUR);
    fputc(c ^ 0x10, f);
    fclose(f);
}

/* Shards whose documents have prefixes: whole, packed, cut anywhere by the rows. */
static void prefixed(const char *path)
{
    static const uint64_t seq[] = {16, 64, 37, 512};
    bool good = true;

    prefixes = true;
    for (int k = 0; good && k < 8; k++) {
        lm_data_opt o = {.seq = seq[k / 2], .docmask = k % 2, .shuffle = "none"};
        lm_data *d = NULL;

        good = write_shards(path, 1 << 20) == 0 && (d = open_with(path, o)) &&
               rows_equal(d, o.seq, o.docmask);
        lm_data_close(d);
        lm_rmtree(path);
    }
    ok(good, "prefixes of documents equal the slow reference");
    for (int k = 0; good && k < 8; k++) {
        lm_data_opt o = {.docmask = k % 2};
        lm_data *d = NULL;

        good = write_rows(path, seq[k / 2]) == 0 && (d = open_with(path, o)) &&
               rows_equal(d, seq[k / 2], o.docmask);
        lm_data_close(d);
        lm_rmtree(path);
    }
    ok(good, "and those of packed rows");
    prefixes = false;
}

static void damage(const char *one)
{
    uint32_t ids[64], tgt[64], start[64];
    uint8_t w[64];
    lm_row row = {.ids = ids, .tgt = tgt, .start = start, .w = w};
    lm_buf whole = {0};
    lm_data *d;
    bool refused = true;
    int err = 0;

    d = open_with(one, (lm_data_opt){.seq = 64, .vocab = "00000000000000000000000000000000"});
    ok(!d && lm_last_error()->err == LM_EMISMATCH, "another vocabulary is refused");
    d = open_with(one, (lm_data_opt){.seq = 64, .ids = V / 2});
    for (uint64_t i = 0; d && !err && i < lm_data_about(d)->rows; i++)
        err = lm_data_row(d, i, &row) < 0 ? lm_last_error()->err : 0;
    ok(d && err == LM_EINVALID, "an id beyond the vocabulary is refused when met");
    lm_data_close(d);

    lm_read_file(in_dir("one/00000.lm"), &whole, 1 << 24);
    for (size_t n = 0; n < whole.n; n += n + 700 < whole.n && n > 600 ? 97 : 1) {
        FILE *f = fopen(in_dir("cut.lm"), "wb");

        fwrite(whole.p, 1, n, f);
        fclose(f);
        d = open_with(in_dir("cut.lm"), (lm_data_opt){.seq = 64});
        refused = refused && !d &&
                  (lm_last_error()->err == LM_ETRUNC || lm_last_error()->err == LM_ECORRUPT);
        lm_data_close(d);
    }
    ok(refused, "a shard cut anywhere is refused");
    flip(in_dir("one/00000.lm"), 512 + 700 + 3000, SEEK_SET);
    d = open_with(one, (lm_data_opt){.seq = 64});
    err = 0;
    for (uint64_t i = 0; d && !err && i < lm_data_about(d)->rows; i++)
        err = lm_data_row(d, i, &row) < 0 ? lm_last_error()->err : 0;
    ok(d && err == LM_ECORRUPT && strstr(lm_last_error()->detail, "block 0"),
       "a flipped bit names its block");
    lm_data_close(d);
    lm_buf_free(&whole);
}

int main(void)
{
    char *one, *many;
    lm_data *d;

    if (!mkdtemp(dir))
        return 1;
    make_docs();
    one = lm_strdup(in_dir("one"));
    many = lm_strdup(in_dir("many"));
    ok(write_shards(one, 1 << 20) == 0, "shards are written");
    d = open_with(one, (lm_data_opt){.seq = 64, .docmask = true});
    ok(d && rows_equal(d, 64, true), "rows with documents apart equal the slow reference");
    ok(d && pieces_name_documents(d, 64), "the pieces of a row name document and place");
    lm_data_close(d);
    d = open_with(one, (lm_data_opt){.seq = 37});
    ok(d && rows_equal(d, 37, false), "plain rows equal the slow reference");
    lm_data_close(d);

    ok(write_shards(many, 4096) == 0 && access(in_dir("many/00003.lm"), R_OK) == 0,
       "several shards");
    d = open_with(many, (lm_data_opt){.seq = 16, .seed = 3});
    ok(d && epochs(d), "each epoch has each row once, in another order");
    lm_data_close(d);
    ok(worlds(one, many), "w1 workers, then w2, read what one uninterrupted reader reads");
    ok(mixes(one, many), "a mixture has its shares, and the rows of each set epoch by epoch");
    prefixed(in_dir("prefixed"));
    damage(one);
    lm_rmtree(dir);
    free(one);
    free(many);
    printf("1..%d\n", count);
    return failed != 0;
}
