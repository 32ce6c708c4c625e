/* lm-bpe-train: learn a vocabulary of byte pairs from documents, as a Hugging Face tokenizer
   directory. Apart from lm-tok: it reads a sample once and writes a directory; its word counts can
   be kept and joined. */
#include "lm.h"
#include <unistd.h>

static uint64_t vocab_size = 32768, reserve = 512, pad_to = 64, min_freq, max_bytes, seed, mem;
static int seen;
static const char *pretok = "qwen2";
static double sample = 1;
static bool lines, allow_short, quirks;
static const char *specials, *weights, *counts_out, *tmp;
static lm_list counts_in;
static const lm_opt opts[] = {
    LM_NUM(0, "vocab-size", &vocab_size, 2, 16777216, "N",
           "tokens in all, reserved ones too (32768)"),
    LM_NUM(0, "reserve", &reserve, 0, 65536, "N", "special tokens behind the last merge (512)"),
    LM_FILE(0, "specials", &specials, "FILE",
            "names of special tokens from the twelfth on, one a line"),
    LM_STRING(0, "pretok", &pretok, "PATTERN",
              "how text is cut into words: a name or regex:PAT (qwen2)"),
    LM_NUM(0, "pad-to", &pad_to, 1, 65536, "N", "round the size up to a multiple of N (64)"),
    LM_NUM(0, "min-frequency", &min_freq, 0, 1ull << 48, "N",
           "merge no pair that occurs less often (0)"),
    LM_NUM(0, "max-token-bytes", &max_bytes, 0, 1ull << 31, "N",
           "make no token longer than N bytes (0: any)"),
    LM_ENUM(0, "alphabet", &seen, "all|seen", "start from all 256 bytes or those that occur (all)"),
    LM_REAL(0, "sample", &sample, 0, 1, "P", "count each document with probability P, by its id"),
    LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "N", "seed of --sample (0)"),
    LM_FILE(0, "weights", &weights, "FILE", "weights of documents: lines KEY=VALUE WEIGHT"),
    LM_FLAG(0, "lines", &lines, "take each line as a text of its own"),
    LM_FLAG(0, "allow-short", &allow_short, "accept fewer merges than asked for"),
    LM_FLAG(0, "hf-quirks", &quirks, "do as Hugging Face's trainer does in odd cases too"),
    LM_MUTE,
    LM_SIZE('m', "memory", &mem, 16 << 20, UINT64_MAX / 2, "SIZE",
            "memory bound of counting (25 % of RAM)"),
    LM_FILE(0, "tmp", &tmp, "DIR", "spill to DIR ($TMPDIR, else /tmp)"),
    LM_LIST(0, "counts-in", &counts_in, "FILE",
            "take word counts from FILE, not documents (repeatable)"),
    LM_FILE(0, "counts-out", &counts_out, "FILE", "write the word counts to FILE"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-bpe-train",
                             .does = "learn a vocabulary of byte pairs from documents",
                             .types = "doc",
                             .opts = opts,
                             .flags = LM_IN | LM_FILES | LM_PAR};

enum { UNIT = 256 }; /* counts are in 1/256 where weights are given, or may have been */
struct weight {
    lm_str key, value;
    uint64_t n;
};
struct job {
    struct weight *weight;
    size_t nweight, capweight;
    lm_words_how how;
    lm_tally *tally;
    atomic_ullong docs;
    atomic_bool parts; /* counts that are no whole numbers */
};
struct mine {
    lm_words *words;
};

/* The weight of a document in units: the first line of --weights that holds of it, else 1. */
static uint64_t weigh(const struct job *j, lm_rec *r)
{
    for (size_t i = 0; i < j->nweight; i++) {
        lm_str v = lm_get(r, j->weight[i].key.p);

        if (v.p && lm_eq(v, j->weight[i].value))
            return j->weight[i].n;
    }
    return j->how.unit;
}

static int count(lm_rec *r, void *ctx)
{
    struct job *j = ctx;
    struct mine *m = lm_local(sizeof *m, NULL);
    uint64_t n = weigh(j, r);
    int err;

    if (sample < 1) {
        char hex[33];
        lm_str id;

        lm_id_hex(lm_rec_id(r), hex);
        id = lm_cstr(hex);
        if ((double)lm_keyed(seed, "sample", &id, 1) * 0x1p-64 >= sample)
            return LM_DROP;
    }
    atomic_fetch_add(&j->docs, 1);
    if (n % j->how.unit)
        atomic_store(&j->parts, true);
    if (!m->words)
        m->words = lm_tally_words(j->tally);
    err = n ? lm_words_text(m->words, j->how.pre, r->body, lines, n) : 0;
    return err == LM_ELIMIT ? lm_rec_fail(r, err, "%s", lm_last_error()->detail)
           : err < 0        ? err
                            : LM_DROP;
}

/* Lines KEY=VALUE WEIGHT; empty lines and lines that begin with # are skipped. */
static int load_weights(struct job *j, lm_buf *text)
{
    int err = lm_read_file(weights, text, 1 << 24), row = 0;
    char *save = NULL;

    for (char *line = err < 0 ? NULL : strtok_r(text->p, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        char *eq = strchr(line, '='), *sp = strrchr(line, ' ');
        double w;

        row++;
        if (!*line || *line == '#')
            continue;
        if (!eq || !sp || sp < eq || !lm_parse_f64(lm_cstr(sp + 1), &w) || !(w >= 0 && w <= 65536))
            return lm_err_at(LM_EINVALID, weights, "entry %d is not KEY=VALUE WEIGHT (0 to 65536)",
                             row);
        *eq = *sp = 0;
        LM_GROW(j->weight, j->nweight, j->capweight);
        j->weight[j->nweight++] =
            (struct weight){lm_cstr(line), lm_cstr(eq + 1), (uint64_t)(w * UNIT + .5)};
    }
    return err < 0 ? err : 0;
}

/* Counts go through the same tables as documents, so any number of files, in any order, fits in -m.
 */
static int read_counts(struct job *j)
{
    lm_in *in = lm_in_files(counts_in.v, counts_in.n, 0);
    lm_words *words = lm_tally_words(j->tally);
    lm_rec r = {0};
    bool parts = false;
    int rc;

    while ((rc = lm_next(in, &r)) > 0)
        if (lm_is(r.type, "words") && (rc = lm_words_take(words, &r, &j->how, &parts)) < 0)
            break;
    atomic_store(&j->parts, parts);
    lm_rec_free(&r);
    lm_in_close(in);
    return rc;
}

/* Where the counted words go: to --counts-out, to the trainer, or both. */
struct sink {
    lm_words_out *file;
    uint64_t unit; /* of what the file gets */
    bool learn;
    lm_bpe_words words;
    size_t n;
};

static int take(void *ctx, const lm_word *w)
{
    struct sink *s = ctx;
    int err = 0;

    s->n++;
    if (s->file)
        err = lm_words_out_put(s->file, &(lm_word){w->s, w->n / s->unit});
    return err >= 0 && s->learn ? lm_bpe_add(&s->words, w->s, w->n) : err;
}

static int hand_on(struct job *j, struct sink *s, lm_pool *pool)
{
    lm_words_how how = j->how;
    lm_out *out = NULL;
    int err;

    s->unit = 1;
    if (counts_out) {
        if (!(out = lm_out_open(counts_out, LM_OUT_CRC)))
            return LM_EIO;
        if (!atomic_load(&j->parts)) { /* weights that were all whole numbers leave no trace */
            s->unit = how.unit;
            how.unit = 1;
        }
        lm_out_by(out, lm_by_line());
        s->file = lm_words_out_new(out, &how);
    }
    err = lm_tally_each(j->tally, counts_out, pool, take, s);
    if (out) {
        if (err >= 0)
            err = lm_words_out_end(s->file);
        else
            lm_words_out_drop(s->file);
        if (err >= 0)
            err = lm_out_end(out);
        lm_out_close(out);
    }
    return err;
}

/* The names of n specials: ours, and from the twelfth on those of --specials. Freed by the caller,
 * text too. */
static int name_specials(lm_str *to, size_t n, lm_arena *text)
{
    lm_buf file = {0};
    lm_dict taken = {0};
    char *save = NULL, *line = NULL;
    int err = specials ? lm_read_file(specials, &file, 1 << 24) : 0;

    if (err >= 0 && specials)
        line = strtok_r(file.p, "\n", &save);
    for (size_t i = 0; i < n && err >= 0; i++) {
        char name[40];

        lm_reserved_name(name, i);
        to[i] = lm_arena_str(text, lm_cstr(i >= 12 && line ? line : name));
        if (i >= 12 && line)
            line = strtok_r(NULL, "\n", &save);
        if (!lm_utf8_valid(to[i].p, to[i].n))
            err = lm_err_at(LM_EINVALID, specials, "a name is not UTF-8");
        else if (lm_dict_get(&taken, to[i]))
            err = lm_err_at(LM_EINVALID, specials, "\"%s\" is named twice", to[i].p);
        lm_dict_put(&taken, to[i], i);
    }
    if (err >= 0 && line)
        err = lm_err_at(LM_EINVALID, specials, "more names than --reserve %zu has room for", n);
    lm_dict_free(&taken);
    lm_buf_free(&file);
    return err < 0 ? err : 0;
}

static int write_vocab(const lm_pre *pre, const lm_bpe *b)
{
    size_t n = reserve + (pad_to - (b->ntoken + reserve) % pad_to) % pad_to;
    lm_arena *text = lm_arena_new();
    lm_str *name = lm_zalloc(n + 1, sizeof *name);
    lm_buf tok = {0}, cfg = {0};
    int err = name_specials(name, n, text);

    if (err >= 0) {
        lm_vocab_write(&(lm_vocab_def){.pre = pre,
                                       .token = b->token,
                                       .ntoken = b->ntoken,
                                       .merge = b->merge,
                                       .nmerge = b->nmerge,
                                       .special = name,
                                       .nspecial = n,
                                       .spoken = b->spoken},
                       &tok, &cfg);
        err = lm_vocab_save_dir(lm_common.out, &tok, &cfg);
    }
    lm_buf_free(&tok);
    lm_buf_free(&cfg);
    lm_arena_free(text);
    free(name);
    return err;
}

static void show(uint64_t done, uint64_t total)
{
    lm_progress(done, total, "tokens");
}

static int learn(const struct job *j, struct sink *s, lm_pool *pool)
{
    uint64_t size = (vocab_size + pad_to - 1) / pad_to * pad_to, want;
    lm_bpe_opt o = {.max_bytes = max_bytes, .seen = seen, .quirks = quirks, .pool = pool};
    lm_arena *text = lm_arena_new();
    lm_str *name = lm_zalloc(reserve + 1, sizeof *name);
    lm_bpe b = {0};
    int err = 0;

    want = size - reserve;
    o.tokens = want;
    o.min_count = min_freq * j->how.unit;
    o.progress = show;
    if (quirks && (err = name_specials(name, reserve, text)) >= 0) {
        o.special = name;
        o.nspecial = reserve;
    }
    if (err >= 0)
        err = lm_bpe_train(&s->words, &o, &b);
    if (err >= 0 && b.ntoken < want && !allow_short)
        err = lm_err(
            LM_EINVALID,
            "%zu tokens can be made of %zu words, %llu are asked for (--allow-short takes them)",
            b.ntoken, s->n, (unsigned long long)want);
    else if (err >= 0 && b.ntoken > want)
        err = lm_err(LM_EINVALID, "%zu bytes occur, there is room for %llu", b.ntoken,
                     (unsigned long long)want);
    else if (err >= 0)
        err = write_vocab(j->how.pre, &b);
    lm_bpe_free(&b);
    lm_arena_free(text);
    free(name);
    return err;
}

static int check(void)
{
    uint64_t size = (vocab_size + pad_to - 1) / pad_to * pad_to;

    if (!lm_common.out && !counts_out)
        return lm_err(LM_EUSAGE, "no -o DIR (nor --counts-out)");
    if (max_bytes == 1)
        return lm_err(LM_EUSAGE, "--max-token-bytes 1 leaves nothing to merge");
    if (counts_in.n && (lm_nfiles() || weights || sample < 1))
        return lm_err(LM_EUSAGE, "--counts-in goes without documents, --weights and --sample");
    if (lm_common.out && size < reserve + (seen ? 1 : 256))
        return lm_err(LM_EUSAGE, "--vocab-size %llu has no room for the bytes and --reserve %llu",
                      (unsigned long long)vocab_size, (unsigned long long)reserve);
    if (!mem)
        mem = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 4;
    return 0;
}

static int run(lm_in *in, lm_out *out)
{
    struct job j = {.how = {NULL, lines, weights || counts_in.n ? UNIT : 1}};
    struct sink s = {.learn = lm_common.out};
    lm_pool *pool = NULL;
    lm_buf text = {0};
    int err = check();

    (void)out;
    if (err < 0)
        return err;
    if ((err = lm_pre_parse(lm_cstr(pretok), &j.how.pre)) < 0)
        return err;
    if (weights)
        err = load_weights(&j, &text);
    j.tally = lm_tally_new(mem, counts_in.n ? 1 : lm_jobs(), tmp);
    if (err >= 0)
        err = counts_in.n ? read_counts(&j) : lm_map(in, NULL, LM_JOBS, count, &j);
    if (err >= 0 && !counts_in.n && !atomic_load(&j.docs))
        err = lm_err(LM_EINVALID, "no document");
    pool = lm_pool_new(lm_jobs());
    if (err >= 0)
        err = hand_on(&j, &s, pool);
    lm_tally_free(j.tally);
    if (err >= 0 && s.learn)
        err = learn(&j, &s, pool);
    lm_bpe_words_free(&s.words);
    lm_pool_free(pool);
    lm_pre_free(j.how.pre);
    free(j.weight);
    lm_buf_free(&text);
    return err < 0 ? err : LM_DONE;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
