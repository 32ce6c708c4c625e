/* lm-import: turn directories, archives, JSON Lines and plain text into documents, and the token
   files of other programs into tokens. The one door for foreign data: behind it every tool reads
   the same stream. */
#include "lm.h"

enum {
    DOCS = LM_FROM_TEXT + 1
}; /* so many of the formats are of documents, those behind them of tokens */
static int from = LM_FROM_AUTO, id = LM_ID_XXH3, dtype, cut;
static const char *text = "content", *src, *part, *column = "tokens", *vocab;
static lm_list maps;
static uint64_t seq, max_bytes = 1 << 20, max_depth = 64, max_ratio = 200;
static bool mtime, utf16, keep_going;
static const lm_opt opts[] = {
    LM_ENUM(0, "from", &from,
            "auto|dir|tar|zip|7z|cpio|jsonl|text|mds|megatron|llmc|datatrove|raw|npy",
            "what SRC is (auto); all from mds on: tokens"),
    LM_STRING(0, "text", &text, "FIELD", "jsonl: the field of the body (content)"),
    LM_LIST(0, "map", &maps, "ATTR=FIELD,..", "jsonl: attributes and the fields they come from"),
    LM_STRING(0, "src", &src, "NAME", "set src=NAME"),
    LM_SIZE(0, "max-bytes", &max_bytes, 0, 1ull << 30, "N", "leave out longer bodies (1M)"),
    LM_NUM(0, "max-depth", &max_depth, 1, 512, "N",
           "leave out deeper paths and nested values (64)"),
    LM_NUM(0, "max-ratio", &max_ratio, 1, 1000000, "N",
           "stop where 1 byte gives more than N (200)"),
    LM_STRING(0, "part", &part, "I/N", "only part I of N, from 0"),
    LM_FLAG(0, "mtime", &mtime, "set mtime="),
    LM_FLAG(0, "utf16", &utf16, "turn UTF-16 with a byte order mark into UTF-8"),
    LM_FLAG(0, "keep-going", &keep_going, "damaged items do not make the end an abort"),
    LM_ENUM(0, "id", &id, "xxh3|sha256|sha1git", "hash of the id (xxh3)"),
    LM_FILE(0, "vocab", &vocab, "TOK", "tokens: the vocabulary they are of (needed)"),
    LM_ENUM(0, "dtype", &dtype, "auto|u16|u32|i32|i64",
            "ids in raw files, columns of bytes, old datatrove"),
    LM_ENUM(0, "cut", &cut, "after|before|none",
            "llmc, raw, npy: documents end after eos, before it, or not"),
    LM_NUM(0, "seq", &seq, 1, 1 << 30, "N", "tokens: sequences are rows of N ids"),
    LM_STRING(0, "column", &column, "NAME", "mds: the column of the ids (tokens)"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-import",
                             .does =
                                 "turn files, archives, JSON Lines and token files into records",
                             .args = "SRC...",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_OUT | LM_ORDERED};

static int parts(lm_import *m)
{
    lm_str s = lm_cstr(part);
    const char *slash = part ? strchr(part, '/') : NULL;

    if (!part)
        return 0;
    if (!slash || !lm_parse_u64((lm_str){s.p, (size_t)(slash - s.p)}, &m->part) ||
        !lm_parse_u64(lm_cstr(slash + 1), &m->parts) || m->part >= m->parts || m->parts > 1000000)
        return lm_err(LM_EUSAGE, "--part wants I/N with I from 0 to N - 1, not %s", part);
    return 0;
}

static int tokens(lm_out *out)
{
    lm_importer m = {.kind = from - DOCS,
                     .dtype = dtype,
                     .cut = cut,
                     .seq = seq,
                     .column = column,
                     .src = src,
                     .max_ratio = max_ratio,
                     .out = out};
    lm_vocab *v;
    int err;

    if (!vocab)
        return lm_err(LM_EUSAGE, "--vocab TOK is needed: these files do not tell their vocabulary");
    if (m.kind == LM_FOREIGN_RAW && !dtype)
        return lm_err(LM_EUSAGE, "--from raw needs --dtype: the file does not tell");
    if ((err = lm_vocab_load(vocab, &v)))
        return err;
    m.vocab = v;
    for (size_t i = 0; i < lm_nargs() && !err; i++)
        err = lm_foreign_import(&m, lm_arg(i).p);
    lm_vocab_free(v);
    return err;
}

/* Options of the other kind of formats would be without effect. */
static int strays(void)
{
    int kind = from - DOCS;

    if (from < DOCS && (vocab || dtype || cut || seq || strcmp(column, "tokens")))
        return lm_err(LM_EUSAGE, "--vocab --dtype --cut --seq --column are of formats of tokens");
    if (from < DOCS)
        return 0;
    if (maps.n || part || mtime || utf16 || keep_going || id != LM_ID_XXH3 ||
        strcmp(text, "content"))
        return lm_err(
            LM_EUSAGE,
            "--text --map --part --mtime --utf16 --keep-going --id are of formats of documents");
    if (strcmp(column, "tokens") && kind != LM_FOREIGN_MDS)
        return lm_err(LM_EUSAGE, "--column is of --from mds");
    if (dtype && kind != LM_FOREIGN_RAW && kind != LM_FOREIGN_MDS && kind != LM_FOREIGN_DATATROVE)
        return lm_err(LM_EUSAGE, "--dtype: these files tell the type of their ids");
    if (cut && kind != LM_FOREIGN_RAW && kind != LM_FOREIGN_LLMC && kind != LM_FOREIGN_NPY)
        return lm_err(LM_EUSAGE, "--cut: these files tell where documents end");
    if (cut && seq)
        return lm_err(LM_EUSAGE, "--cut makes documents, --seq rows");
    return 0;
}

static int run(lm_in *in, lm_out *out)
{
    lm_import m = {.from = from,
                   .id = id,
                   .text = text,
                   .src = src,
                   .max_bytes = max_bytes,
                   .max_depth = max_depth,
                   .max_ratio = max_ratio,
                   .mtime = mtime,
                   .utf16 = utf16,
                   .out = out};
    int err = strays();

    (void)in;
    if (!err && !lm_nargs())
        err = lm_err(LM_EUSAGE, "no SRC: a directory, an archive, a file, or - for stdin");
    if (err || from >= DOCS)
        return err ? err : tokens(out);
    if (!(err = lm_fields_parse(&maps, &m.map)))
        err = parts(&m);
    for (size_t i = 0; i < lm_nargs() && !err; i++)
        err = lm_import_source(&m, lm_arg(i).p);
    if (!err && m.lone + m.js.surrogates)
        lm_warn("%llu lone surrogates became U+FFFD",
                (unsigned long long)(m.lone + m.js.surrogates));
    if (!err && m.err && !keep_going)
        err = lm_err(m.err, "%llu damaged items left out (--keep-going makes light of them)",
                     (unsigned long long)m.bad);
    lm_import_free(&m);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
