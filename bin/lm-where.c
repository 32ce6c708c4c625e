/* lm-where: tell which documents, and which bytes of them, a training step saw.
   Apart from lm-train: it needs no model and no run, but the shards and how they were read. */
#include "lm.h"
#include <inttypes.h>

static uint64_t seq, seed, batch_tokens = 524288, batch;
static int bos = 1;
static const char *vocab, *docs, *mix, *shuffle = "full";
static const lm_opt opts[] = {
    LM_NUM(0, "batch-tokens", &batch_tokens, 1, UINT64_MAX >> 1, "N", "tokens a step (524288)"),
    LM_NUM(0, "batch", &batch, 1, UINT64_MAX >> 1, "ROWS", "or rows a step"),
    LM_NUM(0, "seq", &seq, 1, 1 << 24, "N", "tokens a row (the shards' seq=, else 2048)"),
    LM_STRING(0, "mix", &mix, "W1,W2,..", "a weight for each of SHARDS"),
    LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "N", "seed of the order of the rows (0)"),
    LM_STRING(0, "shuffle", &shuffle, "full|block:SIZE,N|none",
              "order of the rows: all, blocks N at a time, as they lie (full)"),
    LM_FILE(0, "docs", &docs, "FILE", "the documents that lm-tok was given: path and bytes too"),
    LM_FILE(0, "vocab", &vocab, "TOK", "and the vocabulary"),
    LM_ENUM(0, "bos", &bos, "on|off", "each document begins with a bos token (off)"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-where",
                             .does = "tell the documents and bytes a training step saw",
                             .args = "SHARDS... STEP[-STEP]",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_TEXT};

/* A piece of a document in a row that is asked for. */
typedef struct {
    uint64_t step, sample, row;
    lm_piece p;
    uint32_t *ids; /* its tokens */
    lm_str path;
    bool found;
    uint64_t lo, hi; /* bytes */
    size_t next;     /* of the same document, SIZE_MAX: none */
} place;
static struct {
    place *v;
    size_t n, cap;
    lm_dict of; /* id -> first place + 1 */
    lm_arena *text;
} all;

static int parse_steps(lm_str s, uint64_t *lo, uint64_t *hi)
{
    const char *dash = memchr(s.p, '-', s.n);
    size_t n = dash ? (size_t)(dash - s.p) : s.n;

    if (!lm_parse_u64((lm_str){s.p, n}, lo))
        return -1;
    *hi = *lo;
    if (dash && !lm_parse_u64((lm_str){dash + 1, s.n - n - 1}, hi))
        return -1;
    return *lo && *hi >= *lo ? 0 : -1;
}

static void note(const place *x, const lm_row *row)
{
    uint8_t key[16];
    uint64_t *at;
    place *p;

    LM_GROW(all.v, all.n, all.cap);
    p = &all.v[all.n];
    *p = *x;
    p->ids = lm_memdup(row->ids + x->p.begin, x->p.n * sizeof *row->ids);
    lm_id_put(key, x->p.id);
    at = lm_dict_put(&all.of, (lm_str){(char *)key, 16}, 0);
    p->next = (size_t)*at - 1;
    *at = ++all.n;
}

/* The pieces of all rows of a step. */
static int step(lm_data *d, uint64_t s, uint64_t rows, lm_row *row)
{
    lm_piece *piece = NULL;
    size_t cap = 0;
    int err = 0;

    for (uint64_t i = (s - 1) * rows; i < s * rows && err >= 0; i++) {
        place x = {.step = s, .sample = i, .row = lm_data_row_of(d, i)};
        size_t n;

        if ((err = lm_data_row(d, x.row, row)) < 0 ||
            (err = lm_data_pieces(d, x.row, piece, cap, &n)) < 0)
            break;
        if (n > cap) {
            while (cap < n)
                LM_GROW(piece, cap, cap);
            lm_data_pieces(d, x.row, piece, cap, &n);
        }
        for (size_t k = 0; k < n; k++) {
            x.p = piece[k];
            if (x.p.id.hi || x.p.id.lo) /* else padding */
                note(&x, row);
        }
    }
    free(piece);
    return err < 0 ? err : 0;
}

/* Does the piece stand among these tokens? Then these are its bytes; end: of the text. */
static bool stands(place *p, const lm_ids *ids, const lm_ids *off, uint64_t end, uint32_t eos)
{
    uint64_t n = p->p.n, from = p->p.from;

    if (n && from + n == ids->n + 1 && p->ids[n - 1] == eos)
        n--; /* the end-of-text token is of no byte */
    if (from > ids->n || n > ids->n - from || memcmp(ids->v + from, p->ids, n * sizeof *p->ids))
        return false;
    p->lo = from < ids->n ? off->v[from] : end;
    p->hi = from + n < ids->n ? off->v[from + n] : end;
    return true;
}

/* Looks at a document: is it one of those asked for? */
static int look(lm_rec *r, lm_enc *e, lm_ids *ids, lm_ids *off)
{
    const lm_vocab *v = lm_enc_vocab(e);
    uint8_t key[16];
    uint64_t *at;
    lm_str fim = lm_get(r, "fim"), path = lm_get(r, "path");
    int err;

    lm_id_put(key, lm_rec_id(r));
    if (!(at = lm_dict_get(&all.of, (lm_str){(char *)key, 16})))
        return 0;
    if (r->body.n > UINT32_MAX)
        return lm_rec_fail(r, LM_ELIMIT, "a document of 4 GiB or more");
    ids->n = off->n = 0;
    if (bos == 0)
        lm_ids_put(ids, off, lm_vocab_role(v, LM_ROLE_BOS), 0);
    err = fim.p ? lm_enc_parts(e, r->body, fim, LM_SPECIAL_TEXT, ids, off)
                : lm_enc_part(e, r->body, LM_SPECIAL_TEXT, 0, ids, off);
    if (err < 0)
        return err;
    for (size_t i = (size_t)*at - 1; i != SIZE_MAX; i = all.v[i].next) {
        place *p = &all.v[i];

        if (!p->found && stands(p, ids, off, r->body.n, lm_vocab_role(v, LM_ROLE_EOS))) {
            p->found = true;
            p->path = lm_arena_str(all.text, path.p ? path : LM_STR(""));
        }
    }
    return 0;
}

static int read_docs(const lm_vocab *v)
{
    lm_in *in = lm_in_open(docs, 0);
    lm_enc *e = lm_enc_new(v, 32 << 20);
    lm_ids ids = {0}, off = {0};
    lm_rec r = {0};
    int rc;

    while ((rc = lm_next(in, &r)) > 0 &&
           (!lm_is(r.type, "doc") || (rc = look(&r, e, &ids, &off)) >= 0)) {
    }
    free(ids.v);
    free(off.v);
    lm_enc_free(e);
    lm_rec_free(&r);
    lm_in_close(in);
    return rc < 0 ? rc : 0;
}

static int print(void)
{
    lm_buf b = {0};
    size_t lost = 0;

    for (size_t i = 0; i < all.n; i++) {
        const place *p = &all.v[i];
        char hex[33];

        lm_id_hex(p->p.id, hex);
        printf("%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%s\t%" PRIu64,
               p->step, p->sample, p->row, p->p.begin, p->p.n, hex, p->p.from);
        if (docs && p->found) {
            b.n = 0;
            lm_pct_encode(&b, p->path);
            printf("\t%s\t%" PRIu64 "\t%" PRIu64, b.n ? b.p : "-", p->lo, p->hi);
        } else if (docs) {
            printf("\t-\t-\t-");
            lost++;
        }
        putchar('\n');
    }
    lm_buf_free(&b);
    if (lost)
        return lm_err_at(
            LM_EMISMATCH, docs,
            "%zu of %zu pieces are not in these documents as this vocabulary cuts them", lost,
            all.n);
    return 0;
}

static int where(lm_data *d, const lm_vocab *v, uint64_t lo, uint64_t hi)
{
    uint64_t n = lm_data_about(d)->seq, rows = batch ? batch : batch_tokens / n;
    lm_row row = {.ids = lm_zalloc(n, 4),
                  .tgt = lm_zalloc(n, 4),
                  .start = lm_zalloc(n, 4),
                  .w = lm_zalloc(n, 1)};
    int err = rows ? 0 : lm_err(LM_EUSAGE, "--batch-tokens: less than a row of %" PRIu64, n);

    for (uint64_t s = lo; !err && s <= hi; s++)
        err = step(d, s, rows, &row);
    if (!err && docs)
        err = read_docs(v);
    if (!err)
        err = print();
    free(row.ids);
    free(row.tgt);
    free(row.start);
    free(row.w);
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    lm_data_opt o = {.seq = seq, .seed = seed, .shuffle = shuffle, .mix = mix};
    lm_vocab *v = NULL;
    lm_data *d = NULL;
    const char **path;
    uint64_t lo, hi;
    size_t n = lm_nargs();
    int err = 0;

    (void)in;
    (void)out;
    if (n < 2 || parse_steps(lm_arg(n - 1), &lo, &hi))
        return lm_err(LM_EUSAGE, "want SHARDS... and a step from 1 on, or FROM-TO");
    if (!docs != !vocab)
        return lm_err(LM_EUSAGE, "--docs and --vocab go together");
    if (vocab && (err = lm_vocab_load(vocab, &v)) < 0)
        return err;
    if (v) {
        o.vocab = lm_vocab_hash(v);
        o.ids = lm_vocab_size(v);
    }
    path = lm_zalloc(n, sizeof *path);
    for (size_t i = 0; i + 1 < n; i++)
        path[i] = lm_arg(i).p;
    all.text = lm_arena_new();
    d = lm_data_open(path, n - 1, &o);
    err = d ? where(d, v, lo, hi) : lm_last_error()->err;
    for (size_t i = 0; i < all.n; i++)
        free(all.v[i].ids);
    free(all.v);
    lm_dict_free(&all.of);
    lm_arena_free(all.text);
    lm_data_close(d);
    lm_vocab_free(v);
    free(path);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
