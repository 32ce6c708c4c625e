/* reader: the library's reader of shards, measured. reader SHARDS SEQ ROWS prints, over ROWS rows
   in keyed order: milliseconds to open; GB/s of rows copied out of views, the first pass with every
   block checked and the best of the later ones; ns a view, ns a whole row laid out for training;
   GB/s of memcpy of as much. reader open SHARDS SEQ: milliseconds to open and to the first row. */
#include "lm.h"
#include <stdio.h>

static lm_data *d;
static uint8_t *copy;

static double views(uint64_t rows, bool copied)
{
    uint64_t seq = lm_data_about(d)->seq;
    double t = lm_now(), bytes = 0;
    lm_view v;

    for (uint64_t i = 0; i < rows; i++) {
        if (lm_data_view(d, lm_data_row_of(d, i), &v))
            exit(1);
        if (copied)
            memcpy(copy + i % 16 * seq * 4, v.tok, seq * v.width);
        bytes += (double)(seq * v.width);
    }
    t = lm_now() - t;
    return copied ? bytes / t / 1e9 : t / (double)rows * 1e9;
}

static double whole(uint64_t rows)
{
    uint64_t n = lm_data_about(d)->seq;
    lm_row r = {.ids = lm_zalloc(n, 4),
                .tgt = lm_zalloc(n, 4),
                .start = lm_zalloc(n, 4),
                .end = lm_zalloc(n, 4),
                .w = lm_zalloc(n, 1)};
    double t = lm_now();

    for (uint64_t i = 0; i < rows; i++)
        if (lm_data_sample(d, i, &r) != 1)
            exit(1);
    t = (lm_now() - t) / (double)rows * 1e9;
    free(r.ids), free(r.tgt), free(r.start), free(r.end), free(r.w);
    return t;
}

static double plain(uint64_t rows) /* the same rows by memcpy alone */
{
    uint64_t seq = lm_data_about(d)->seq;
    const uint8_t **p = lm_zalloc(rows, sizeof *p);
    unsigned width = 0;
    double t;
    lm_view v;

    for (uint64_t i = 0; i < rows; i++) {
        lm_data_view(d, lm_data_row_of(d, i), &v);
        p[i] = v.tok;
        width = v.width;
    }
    t = lm_now();
    for (uint64_t i = 0; i < rows; i++)
        memcpy(copy + i % 16 * seq * 4, p[i], seq * width);
    t = (double)(rows * seq * width) / (lm_now() - t) / 1e9;
    free(p);
    return t;
}

int main(int argc, char **argv)
{
    bool only = argc == 4 && !strcmp(argv[1], "open");
    lm_data_opt o = {.docmask = true, .ids = 60000};
    double t = lm_now(), opened, first, again = 0, view = 1e9, row = 1e9, mem = 0;
    const char *path = argv[only ? 2 : 1];
    uint64_t rows;

    if (argc != 4)
        return 2;
    o.seq = strtoull(argv[only ? 3 : 2], NULL, 10);
    if (!(d = lm_data_open(&path, 1, &o))) {
        fprintf(stderr, "reader: %s: %s\n", lm_last_error()->where, lm_last_error()->detail);
        return 1;
    }
    opened = (lm_now() - t) * 1e3;
    copy = lm_zalloc(o.seq, 64);
    if (only) {
        views(1, true);
        printf("%.2f %.2f %.0f\n", opened, (lm_now() - t) * 1e3,
               (double)lm_data_about(d)->tokens / 1e9);
        return 0;
    }
    rows = strtoull(argv[3], NULL, 10);
    if (rows > lm_data_about(d)->rows)
        rows = lm_data_about(d)->rows;
    first = views(rows, true);
    for (int i = 0; i < 5; i++) {
        double x = views(rows, true), y = views(rows, false), z = whole(rows), m = plain(rows);

        again = x > again ? x : again;
        view = y < view ? y : view;
        row = z < row ? z : row;
        mem = m > mem ? m : mem;
    }
    printf("%.2f %.2f %.2f %.0f %.0f %.2f\n", opened, first, again, view, row, mem);
    lm_data_close(d);
    return 0;
}
