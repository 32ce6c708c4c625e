/* lm-rows: the rows that training reads, as a stream: any rank's share, from any place, in any
   order. Apart from lm-cat: rows come as the reader of lm-train makes them, not as the shards lie.
 */
#include "lm.h"
#include <inttypes.h>

static uint64_t seq, seed, batch = 1, from, steps;
static const char *vocab, *mix, *shuffle = "full", *rank;
static const lm_opt opts[] = {
    LM_NUM(0, "seq", &seq, 1, 1 << 24, "N", "tokens a row (the shards' seq=, else 2048)"),
    LM_STRING(0, "mix", &mix, "W1,W2,..", "a weight for each of SHARDS: exact shares"),
    LM_STRING(0, "shuffle", &shuffle, "full|block:SIZE,N|none",
              "order of the rows: all, blocks N at a time, as they lie (full)"),
    LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "N", "seed of the order of the rows (0)"),
    LM_NUM(0, "batch", &batch, 1, 1ull << 40, "ROWS", "rows a step, of all ranks together (1)"),
    LM_STRING(0, "rank", &rank, "R/W", "only the share of rank R of W, from 0"),
    LM_NUM(0, "from", &from, 0, 1ull << 60, "N", "rows of the order to leave out at its start (0)"),
    LM_NUM('n', "steps", &steps, 1, 1ull << 40, "N", "steps (to the end of the epoch)"),
    LM_FILE(0, "vocab", &vocab, "TOK", "refuse shards and ids that are not of vocabulary TOK"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-rows",
                             .does = "write the rows that training reads",
                             .args = "SHARDS...",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_OUT | LM_ORDERED};

typedef struct {
    lm_data *d;
    lm_rec r;
    lm_tokrow row;
    lm_piece *piece;
    size_t cap;
} rows;

static int pieces(rows *x, uint64_t row, size_t *n)
{
    int err = lm_data_pieces(x->d, row, x->piece, x->cap, n);

    if (err || *n <= x->cap)
        return err;
    x->cap = 2 * *n;
    x->piece = lm_reallocn(x->piece, x->cap, sizeof *x->piece);
    return lm_data_pieces(x->d, row, x->piece, x->cap, n);
}

/* What follows the row in its shard: the target of its last token. */
static void follower(rows *x, const lm_view *v, bool same)
{
    uint64_t n = lm_data_about(x->d)->seq;
    const uint8_t *p = v->tok + n * v->width;

    if (v->n == n) {
        lm_set(&x->r, "next", LM_STR("none"));
        return;
    }
    lm_setf(&x->r, "next", "%" PRIu32, lm_load_id(p, v->width));
    if (v->weight && v->weight[n] != 1)
        lm_setf(&x->r, "next-weight", "%u", v->weight[n]);
    if (!same)
        lm_set(&x->r, "next-doc", LM_STR("1"));
}

static int row(rows *x, uint64_t sample, lm_out *out)
{
    const lm_data_facts *f = lm_data_about(x->d);
    uint64_t at = lm_data_row_of(x->d, sample);
    lm_tokrow *w = &x->row;
    lm_view v;
    size_t n;
    int err = lm_data_view(x->d, at, &v);

    if (err || (err = pieces(x, at, &n)))
        return err;
    lm_tokrow_clear(w);
    w->width = v.width;
    lm_buf_add(&w->tok, v.tok, f->seq * v.width);
    if (v.weight)
        lm_buf_add(&w->weight, v.weight, f->seq);
    for (size_t i = 0; i < n; i++)
        lm_tokrow_segment(w, x->piece[i].begin + x->piece[i].n, x->piece[i].id, x->piece[i].from,
                          x->piece[i].prefix);
    lm_tokrow_rec(w, &x->r, lm_cstr(f->vocab), lm_cstr(f->packed ? f->mode : "concat"));
    lm_setf(&x->r, "sample", "%" PRIu64, sample);
    lm_setf(&x->r, "row", "%" PRIu64, at);
    follower(x, &v, n && x->piece[n - 1].goes_on);
    return lm_put(out, &x->r);
}

static int parse_rank(uint64_t *r, uint64_t *w)
{
    *r = 0;
    *w = 1;
    if (!rank || lm_parse_part(lm_cstr(rank), r, w))
        return 0;
    return lm_err(LM_EUSAGE, "--rank wants R/W with R from 0 to W - 1, not %s", rank);
}

static int walk(rows *x, lm_out *out)
{
    uint64_t n = lm_data_about(x->d)->rows, r, w, end;
    int err = parse_rank(&r, &w);

    if (err)
        return err;
    if (!steps && mix)
        return lm_err(LM_EUSAGE, "a mixture has no epoch: give --steps");
    end = steps ? from + steps * batch : (from / n + 1) * n;
    for (uint64_t at = from; at < end && !err; at += batch) {
        uint64_t lo = at + r * batch / w, hi = at + (r + 1) * batch / w;

        lm_data_ahead(x->d, lo + batch, hi - lo);
        for (uint64_t i = lo; i < hi && i < end && !err; i++)
            err = row(x, i, out);
    }
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    lm_data_opt o = {.seq = seq, .seed = seed, .shuffle = shuffle, .mix = mix};
    const char **path = lm_zalloc(lm_nargs() + 1, sizeof *path);
    lm_vocab *v = NULL;
    rows x = {0};
    int err = lm_nargs() ? 0 : lm_err(LM_EUSAGE, "want SHARDS: folders of lm-shard, or shards");

    (void)in;
    for (size_t i = 0; i < lm_nargs(); i++)
        path[i] = lm_arg(i).p;
    if (!err && vocab && !(err = lm_vocab_load(vocab, &v))) {
        o.vocab = lm_vocab_hash(v);
        o.ids = lm_vocab_size(v);
    }
    if (!err)
        err = (x.d = lm_data_open(path, lm_nargs(), &o)) ? walk(&x, out) : lm_last_error()->err;
    lm_data_close(x.d);
    lm_vocab_free(v);
    lm_rec_free(&x.r);
    lm_tokrow_free(&x.row);
    free(x.piece);
    free(path);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
