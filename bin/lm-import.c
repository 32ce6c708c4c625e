/* lm-import: turn directories, archives, JSON Lines and plain text into documents.
   The one door for foreign data: behind it every tool reads the same stream. */
#include "lm.h"

static int from = LM_FROM_AUTO, id = LM_ID_XXH3;
static const char *text = "content", *src, *part;
static lm_list maps;
static uint64_t max_bytes = 1 << 20, max_depth = 64, max_ratio = 200;
static bool mtime, utf16, keep_going;
static const lm_opt opts[] = {
    LM_ENUM(0, "from", &from, "auto|dir|tar|zip|7z|cpio|jsonl|text", "what SRC is (auto)"),
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
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-import",
                             .does = "turn files, archives and JSON Lines into documents",
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
    int err = lm_fields_parse(&maps, &m.map);

    (void)in;
    if (!err)
        err = parts(&m);
    if (!err && !lm_nargs())
        err = lm_err(LM_EUSAGE, "no SRC: a directory, an archive, a file, or - for stdin");
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
