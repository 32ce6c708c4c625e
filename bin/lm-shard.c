/* lm-shard: lay tokens down as shards that training maps in place.
   Apart from lm-pack: packing decides what a row is, sharding only how bytes lie on disk. */
#include "lm.h"
#include <unistd.h>

static uint64_t size, align, seed; /* size, align 0: not given */
static bool by_hash, join;
static const char *vocab, *piece;
static const lm_opt opts[] = {
    LM_SIZE(0, "size", &size, 4096, 1ull << 46, "SIZE", "bytes of tokens a shard (256M)"),
    LM_NUM(0, "align", &align, 8, 65536, "N", "file offset of the tokens is a multiple of N (64)"),
    LM_FLAG(0, "by-hash", &by_hash, "write in the order of K(seed, id), not of arrival"),
    LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "N", "seed of --by-hash (0)"),
    LM_FILE(0, "vocab", &vocab, "TOK", "refuse tokens that are not of vocabulary TOK"),
    LM_STRING(0, "piece", &piece, "I/N",
              "write piece I of the N, from 0, that --join puts together"),
    LM_FLAG(0, "join", &join, "make one folder of those of all pieces, given as operands"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-shard",
                             .does = "write tokens as shards",
                             .types = "tok",
                             .opts = opts,
                             .flags = LM_IN | LM_FILES};

static void note(void *w, lm_str line)
{
    if (line.n > 4 && !memcmp(line.p, "%by ", 4))
        lm_shards_note(w, line);
}

/* --by-hash: records wait in an unnamed file beside DIR; their keys are sorted, then they are read
 * back. */
typedef struct {
    uint64_t key, off, len;
    lm_id id;
} place;
typedef struct {
    int fd;
    place *v;
    size_t n, cap;
    uint64_t end;
    lm_buf out;
} spool;

static int spool_open(spool *s, const char *dir)
{
    lm_buf parent = {0};
    const char *slash;
    size_t n = strlen(dir);
    int err;

    while (n > 1 && dir[n - 1] == '/')
        n--;
    slash = memrchr(dir, '/', n);
    lm_buf_add(&parent, slash ? dir : ".", slash ? (size_t)(slash - dir) + 1 : 1);
    err = lm_temp_file(parent.p, &s->fd);
    lm_buf_free(&parent);
    return err;
}

static int spool_flush(spool *s)
{
    int err =
        s->out.n && lm_write_all(s->fd, s->out.p, s->out.n) ? lm_err_sys("spool", "write") : 0;

    s->out.n = 0;
    return err;
}

static int spool_add(spool *s, lm_rec *r)
{
    size_t at = s->out.n;
    char hex[33];
    lm_str v[2] = {{hex, 32}, lm_get(r, "sub")};
    lm_id id = lm_rec_id(r);
    int err;

    lm_id_hex(id, hex);
    LM_GROW(s->v, s->n, s->cap);
    if ((err = lm_rec_write(&s->out, r)))
        return err;
    s->v[s->n++] = (place){lm_keyed(seed, "shard", v, v[1].p ? 2 : 1), s->end, s->out.n - at, id};
    s->end += s->out.n - at;
    return s->out.n >= 1 << 20 ? spool_flush(s) : 0;
}

static int by_key(const void *a, const void *b)
{
    const place *x = a, *y = b;
    int c = lm_id_cmp(x->id, y->id);

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return c ? c : x->off < y->off ? -1 : x->off > y->off;
}

static int spool_back(spool *s, lm_shards *w)
{
    lm_rec r = {0}, h = {0};
    lm_buf b = {0};
    int err = spool_flush(s);

    if (s->n)
        qsort(s->v, s->n, sizeof *s->v, by_key);
    for (size_t i = 0; !err && i < s->n; i++) {
        const place *p = &s->v[i];
        const char *why, *lf;
        uint64_t len;

        b.n = 0;
        if (lm_pread_all(s->fd, lm_buf_need(&b, p->len), p->len, p->off)) {
            err = lm_err_sys("spool", "read");
            break;
        }
        lf = memchr(b.p, '\n', p->len);
        if (!lf || (err = lm_head_parse(b.p, (size_t)(lf - b.p) + 1, &h, &len, &why)) < 0) {
            err = lm_err(LM_EIO, "spool: a record came back damaged");
            break;
        }
        lm_rec_view(&r, (lm_str){b.p, p->len}, h.type, h.attrs, (lm_str){lf + 1, len});
        err = lm_shards_add(w, &r);
    }
    lm_rec_free(&r);
    lm_buf_free(&b);
    return err;
}

static int join_pieces(void)
{
    size_t n = lm_nfiles();
    const char **paths;
    int err;

    if (size || align || seed || by_hash || vocab || piece || lm_common.types || lm_common.lax)
        return lm_err(LM_EUSAGE, "--join changes nothing of the pieces: it takes -o alone");
    if (!n)
        return lm_err(LM_EUSAGE, "--join wants the folders of the pieces");
    paths = lm_zalloc(n, sizeof *paths);
    for (size_t i = 0; i < n; i++)
        paths[i] = lm_file(i);
    err = lm_shards_join(lm_common.out, paths, n, lm_by_line());
    free(paths);
    return err;
}

static int run(lm_in *in, lm_out *unused)
{
    lm_shards_opt o = {.size = size ? size : 256 << 20,
                       .align = align ? align : 64,
                       .seed = seed,
                       .seeded = by_hash,
                       .by = lm_by_line()};
    spool s = {.fd = -1};
    lm_shards *w;
    lm_rec r = {0};
    char want[33] = "";
    int err = 0, got = 0;

    (void)unused;
    if (!lm_common.out)
        return lm_err(LM_EUSAGE, "-o DIR is needed");
    if (join)
        return join_pieces();
    if (piece && !lm_parse_part(lm_cstr(piece), &o.piece, &o.pieces))
        return lm_err(LM_EUSAGE, "--piece wants I/N with I from 0 to N - 1, not %s", piece);
    if (vocab) {
        lm_vocab *v;

        if ((err = lm_vocab_load(vocab, &v)))
            return err;
        o.vocab_size = lm_vocab_size(v);
        memcpy(want, lm_vocab_hash(v), sizeof want);
        o.vocab = want;
        lm_vocab_free(v);
    }
    if (!(w = lm_shards_new(lm_common.out, &o)))
        return lm_last_error()->err;
    lm_in_on_note(in, note, w);
    if (by_hash)
        err = spool_open(&s, lm_common.out);
    while (!err && (got = lm_next(in, &r)) == 1)
        if (lm_acts_on(r.type))
            err = by_hash ? spool_add(&s, &r) : lm_shards_add(w, &r);
    if (!err && got < 0)
        err = got;
    if (!err && by_hash)
        err = spool_back(&s, w);
    if (!err)
        err = lm_shards_end(w);
    lm_shards_free(w);
    lm_rec_free(&r);
    if (s.fd >= 0)
        close(s.fd);
    free(s.v);
    lm_buf_free(&s.out);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
