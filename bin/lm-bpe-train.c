/* lm-bpe-train: learn a vocabulary of byte pairs from documents, as a Hugging Face tokenizer
   directory. Apart from lm-tok: it reads a sample once and writes a directory; its word counts can
   be kept and joined. */
#include "lm.h"
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static uint64_t vocab_size = 32768, reserve = 512, pad_to = 64, min_freq, max_bytes, seed;
static int seen;
static const char *pretok = "qwen2";
static double sample = 1;
static bool lines, allow_short;
static const char *specials, *weights, *counts_out;
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
    LM_MUTE,
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
    lm_words *all;
    pthread_mutex_t lock;
    atomic_ullong docs;
};
struct mine {
    struct job *job;
    lm_words *words;
};

static void join(void *local)
{
    struct mine *m = local;

    if (!m->words)
        return;
    pthread_mutex_lock(&m->job->lock);
    lm_words_join(m->job->all, m->words);
    pthread_mutex_unlock(&m->job->lock);
    lm_words_free(m->words);
}

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
    struct mine *m = lm_local(sizeof *m, join);
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
    if (!m->words) {
        m->job = j;
        m->words = lm_words_new();
    }
    if (n && (err = lm_words_text(m->words, j->how.pre, r->body, lines, n)) < 0)
        return lm_rec_fail(r, err, "%s", lm_last_error()->detail);
    return LM_DROP;
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

static int read_counts(struct job *j)
{
    lm_in *in = lm_in_files(counts_in.v, counts_in.n, 0);
    lm_rec r = {0};
    int rc;

    while ((rc = lm_next(in, &r)) > 0)
        if (lm_is(r.type, "words") && (rc = lm_words_take(j->all, &r, &j->how)) < 0)
            break;
    lm_rec_free(&r);
    lm_in_close(in);
    return rc;
}

static int write_counts(const struct job *j, lm_word *w, size_t n)
{
    lm_words_how how = j->how;
    bool whole = true;
    lm_out *out = lm_out_open(counts_out, LM_OUT_CRC);
    int err;

    if (!out)
        return LM_EIO;
    for (size_t i = 0; i < n; i++)
        whole &= w[i].n % how.unit == 0;
    if (whole && how.unit != 1) { /* weights that were all whole numbers leave no trace */
        for (size_t i = 0; i < n; i++)
            w[i].n /= how.unit;
        how.unit = 1;
    }
    lm_out_by(out, lm_by_line());
    err = lm_words_put(out, w, n, &how);
    if (err >= 0)
        err = lm_out_end(out);
    if (whole)
        for (size_t i = 0; i < n; i++)
            w[i].n *= j->how.unit;
    lm_out_close(out);
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

static int write_file(const char *dir, const char *name, const lm_buf *b)
{
    lm_buf path = {0};
    int fd, err = 0;

    lm_buf_addf(&path, "%s/%s", dir, name);
    fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 || lm_write_all(fd, b->p, b->n))
        err = lm_err_sys(path.p, "cannot write");
    if (fd >= 0 && close(fd) && !err)
        err = lm_err_sys(path.p, "cannot write");
    lm_buf_free(&path);
    return err;
}

static int write_vocab(const lm_pre *pre, const lm_bpe *b)
{
    size_t n = reserve + (pad_to - (b->ntoken + reserve) % pad_to) % pad_to;
    lm_arena *text = lm_arena_new();
    lm_str *name = lm_zalloc(n + 1, sizeof *name);
    lm_buf tok = {0}, cfg = {0};
    lm_aside *dir = NULL;
    int err = name_specials(name, n, text);

    if (err >= 0) {
        lm_vocab_write(&(lm_vocab_def){pre, b->token, b->ntoken, b->merge, b->nmerge, name, n},
                       &tok, &cfg);
        dir = lm_aside_dir(lm_common.out);
        err = dir ? write_file(lm_aside_path(dir), "tokenizer.json", &tok) : LM_EIO;
    }
    if (err >= 0)
        err = write_file(lm_aside_path(dir), "tokenizer_config.json", &cfg);
    if (err >= 0)
        err = lm_aside_commit(dir);
    else if (dir)
        lm_aside_drop(dir);
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

static int learn(const struct job *j, const lm_word *w, size_t n)
{
    uint64_t size = (vocab_size + pad_to - 1) / pad_to * pad_to, want;
    lm_bpe b;
    int err = 0;

    if (size < reserve + (seen ? 1 : 256))
        return lm_err(LM_EUSAGE, "--vocab-size %llu has no room for the bytes and --reserve %llu",
                      (unsigned long long)vocab_size, (unsigned long long)reserve);
    want = size - reserve;
    lm_bpe_train(w, n, &(lm_bpe_opt){want, min_freq * j->how.unit, max_bytes, seen, show}, &b);
    if (b.ntoken < want && !allow_short)
        err = lm_err(
            LM_EINVALID,
            "%zu tokens can be made of %zu words, %llu are asked for (--allow-short takes them)",
            b.ntoken, n, (unsigned long long)want);
    else if (b.ntoken > want)
        err = lm_err(LM_EINVALID, "%zu bytes occur, there is room for %llu", b.ntoken,
                     (unsigned long long)want);
    else
        err = write_vocab(j->how.pre, &b);
    lm_bpe_free(&b);
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    struct job j = {.how = {NULL, lines, weights || counts_in.n ? UNIT : 1},
                    .lock = PTHREAD_MUTEX_INITIALIZER};
    lm_buf text = {0};
    lm_word *w = NULL;
    size_t n = 0;
    int err = 0;

    (void)out;
    if (!lm_common.out && !counts_out)
        return lm_err(LM_EUSAGE, "no -o DIR (nor --counts-out)");
    if (max_bytes == 1)
        return lm_err(LM_EUSAGE, "--max-token-bytes 1 leaves nothing to merge");
    if (counts_in.n && (lm_nfiles() || weights || sample < 1))
        return lm_err(LM_EUSAGE, "--counts-in goes without documents, --weights and --sample");
    if ((err = lm_pre_parse(lm_cstr(pretok), &j.how.pre)) < 0)
        return err;
    if (weights)
        err = load_weights(&j, &text);
    j.all = lm_words_new();
    if (err >= 0)
        err = counts_in.n ? read_counts(&j) : lm_map(in, NULL, LM_JOBS, count, &j);
    if (err >= 0 && !counts_in.n && !atomic_load(&j.docs))
        err = lm_err(LM_EINVALID, "no document");
    if (err >= 0)
        n = lm_words_sorted(j.all, &w);
    if (err >= 0 && counts_out)
        err = write_counts(&j, w, n);
    if (err >= 0 && lm_common.out)
        err = learn(&j, w, n);
    free(w);
    lm_words_free(j.all);
    lm_pre_free(j.how.pre);
    free(j.weight);
    lm_buf_free(&text);
    return err < 0 ? err : LM_DONE;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
