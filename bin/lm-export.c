/* lm-export: write documents, or tokens, in the files of other programs.
   The counterpart of lm-import, which gives the same records back. */
#include "lm.h"
#include <sys/stat.h>

enum {
    DOCS = LM_TO_TEXT + 1
}; /* so many of the formats are of documents, those behind them of tokens */
static int to = LM_TO_JSONL, dtype;
static const char *text = "content", *column = "tokens", *tokenizer, *vocab;
static lm_list maps;
static uint64_t size;
static bool force;
static const lm_opt opts[] = {
    LM_ENUM(0, "to", &to, "jsonl|dir|tar|text|mds|megatron|llmc|datatrove|raw|npy",
            "what to write (jsonl); all from mds on: tokens"),
    LM_STRING(0, "text", &text, "FIELD", "jsonl: the field of the body (content)"),
    LM_LIST(0, "map", &maps, "ATTR=FIELD,..", "jsonl: other names for attributes"),
    LM_FLAG('f', "force", &force, "dir: replace files that exist"),
    LM_SIZE(0, "size", &size, 4096, 1ull << 46, "SIZE", "tokens: bytes a file at most (mds: 64M)"),
    LM_ENUM(0, "dtype", &dtype, "auto|u16|u32", "tokens: ids of this type (auto: as they are)"),
    LM_STRING(0, "column", &column, "NAME", "mds: the column of the ids (tokens)"),
    LM_STRING(0, "tokenizer", &tokenizer, "NAME", "datatrove: its name (vocab=HASH)"),
    LM_FILE(0, "vocab", &vocab, "TOK", "tokens: refuse those that are not of vocabulary TOK"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-export",
                             .does = "write documents or tokens in the files of other programs",
                             .types = "doc,tok",
                             .opts = opts,
                             .flags = LM_IN | LM_TEXT | LM_FILES | LM_ORDERED};

/* Of the types acted on by default each format takes its own. */
static bool wanted(lm_str type)
{
    return lm_common.types ? lm_acts_on(type) : lm_is(type, to < DOCS ? "doc" : "tok");
}

/* Nothing is held back while the next record is waited for. */
typedef struct {
    lm_export *docs;
    lm_exporter *toks;
    int err;
} waiting;

static void drain(void *ctx)
{
    waiting *w = ctx;

    if (!w->err)
        w->err = w->docs ? lm_export_flush(w->docs) : lm_exporter_flush(w->toks);
}

static int documents(lm_in *in)
{
    waiting w = {0};
    lm_fields map = {0};
    lm_rec r = {0};
    int got = 0, err = lm_fields_parse(&maps, &map);

    if (err)
        return err;
    if (!(w.docs = lm_export_new(to, text, map, force, lm_common.out, in)))
        return lm_last_error()->err;
    lm_in_on_block(in, drain, &w);
    while (!err && (got = lm_next(in, &r)) == 1)
        if (!(err = w.err) && wanted(r.type))
            err = lm_export_put(w.docs, &r);
    if (!err)
        err = got < 0 ? got : w.err;
    if (!err)
        err = lm_export_end(w.docs);
    lm_export_free(w.docs);
    lm_rec_free(&r);
    return err;
}

static int add(void *x, const lm_tokrec *t)
{
    return lm_exporter_add(x, t);
}

static bool folder(const char *path)
{
    struct stat st;

    return strcmp(path, "-") && !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* Files and folders of shards in the order they are named; without folders all as one input. */
static int sequences(lm_in *in, lm_seqs *s, waiting *w)
{
    size_t n = lm_nfiles(), folders = 0;
    int err = 0;

    for (size_t i = 0; i < n; i++)
        folders += folder(lm_file(i));
    if (!folders) {
        lm_in_on_block(in, drain, w);
        return lm_seqs_stream(s, in, wanted);
    }
    for (size_t i = 0; !err && i < n; i++) {
        lm_in *one;

        if (folder(lm_file(i))) {
            err = lm_seqs_folder(s, lm_file(i));
            continue;
        }
        one = lm_in_open(lm_file(i), lm_common.lax ? LM_IN_LAX : 0);
        err = lm_seqs_stream(s, one, wanted);
        if (err == LM_EABORT)
            lm_in_set_abort(in, lm_in_abort(one));
        lm_in_close(one);
    }
    return err;
}

static int tokens(lm_in *in)
{
    lm_exporter_opt o = {.kind = to - DOCS,
                         .out = lm_common.out,
                         .size = size,
                         .width = dtype ? 2u * (unsigned)dtype : 0,
                         .column = column,
                         .tokenizer = tokenizer};
    bool many = lm_foreign_folder(o.kind);
    lm_vocab *v = NULL;
    waiting w = {0};
    lm_seqs *s;
    int err;

    if (many && !o.out)
        return lm_err(LM_EUSAGE, "this format is a folder: -o DIR is needed");
    if (!many && size)
        return lm_err(LM_EUSAGE, "--size: raw and npy are one file");
    if (vocab && (err = lm_vocab_load(vocab, &v)))
        return err;
    o.vocab = v;
    if ((w.toks = lm_exporter_new(&o))) {
        s = lm_seqs_new(add, w.toks);
        err = sequences(in, s, &w);
        if (!err)
            err = w.err;
        if (!err)
            err = lm_exporter_end(w.toks);
        lm_seqs_free(s);
        lm_exporter_free(w.toks);
    } else {
        err = lm_last_error()->err;
    }
    lm_vocab_free(v);
    return err;
}

/* Options of the other kind of formats would be without effect. */
static int strays(void)
{
    if (to < DOCS && (size || dtype || vocab || tokenizer || strcmp(column, "tokens")))
        return lm_err(LM_EUSAGE,
                      "--size --dtype --vocab --tokenizer --column are of formats of tokens");
    if (to >= DOCS && (maps.n || force || strcmp(text, "content")))
        return lm_err(LM_EUSAGE, "--text --map -f are of formats of documents");
    if (tokenizer && to - DOCS != LM_FOREIGN_DATATROVE)
        return lm_err(LM_EUSAGE, "--tokenizer is of --to datatrove");
    if (strcmp(column, "tokens") && to - DOCS != LM_FOREIGN_MDS)
        return lm_err(LM_EUSAGE, "--column is of --to mds");
    return 0;
}

static int run(lm_in *in, lm_out *out)
{
    int err = strays();

    (void)out;
    return err ? err : to < DOCS ? documents(in) : tokens(in);
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
