/* encode: what the encoder of the library alone costs: the documents of a stream are read into
   memory, then encoded and decoded several times over. For tests/bench/tok.py and tests/peer/ids.t.

       encode [-j THREADS] [-c CACHE] [-o IDS] [-w] VOCAB DOCS.lm PASSES

   -w joins the documents into one; -o writes the ids, u32. Prints NAME=VALUE lines: load (ms to
   read the vocabulary), base and rss (peak MB before and after), bytes, ids, pretokens, cold and
   warm (MB/s of the first pass, with fresh caches, and of the best later one), decode and scan
   (MB/s, best); seconds are the processor's with one thread, the wall's with more. With DOCS.lm
   "limits" instead of those: clock (GHz, from a chain of additions) and copy (MB/s, 64 MB to 64
   MB). */
#include "lm.h"
#include <time.h>
#include <unistd.h>

struct job {
    const lm_vocab *v;
    lm_str *doc;
    size_t n;
    size_t *first; /* of each block of documents, and one more */
    size_t blocks;
    lm_ids *ids;  /* of each block */
    size_t *at;   /* where the ids of each document begin in those of its block */
    lm_enc **enc; /* of each thread */
    atomic_int err;
};

/* Peak MB of this program alone: what getrusage tells counts what the caller held as it forked. */
static double rss(void)
{
    char line[128];
    double kb = 0;
    FILE *f = fopen("/proc/self/status", "r");

    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "VmHWM:", 6))
            kb = strtod(line + 6, NULL);
    if (f)
        fclose(f);
    return kb / 1024;
}

/* Seconds: of the processor with one thread, so that others' work does not count; else of the wall.
 */
static double now(unsigned threads)
{
    struct timespec t;

    if (threads > 1)
        return lm_now();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void encode(void *ctx, size_t i, unsigned thread)
{
    struct job *j = ctx;
    lm_ids *ids = &j->ids[i];
    int err;

    ids->n = 0;
    for (size_t d = j->first[i]; d < j->first[i + 1]; d++) {
        j->at[d] = ids->n;
        if ((err = lm_enc_text(j->enc[thread], j->doc[d], ids)) < 0)
            j->err = err;
    }
}

/* Document by document, each into fresh memory, as who asks for one text at a time would. */
static void decode(void *ctx, size_t i, unsigned thread)
{
    struct job *j = ctx;
    (void)thread;

    for (size_t d = j->first[i]; d < j->first[i + 1]; d++) {
        size_t end = d + 1 < j->first[i + 1] ? j->at[d + 1] : j->ids[i].n;
        lm_buf b = {0};
        int err = lm_vocab_decode(j->v, j->ids[i].v + j->at[d], end - j->at[d], false, &b);

        if (err < 0 || !lm_eq(lm_buf_str(&b), j->doc[d]))
            j->err = LM_EFACILITY;
        lm_buf_free(&b);
    }
}

static size_t scan(const struct job *j)
{
    size_t ends[256], n = 0, got;

    for (size_t d = 0; d < j->n; d++) {
        lm_scan_pos at = {0};

        while ((got = lm_scan(lm_vocab_pre(j->v), j->doc[d].p, j->doc[d].n, &at, ends, 256)))
            n += got;
    }
    return n;
}

static int limits(void)
{
    size_t size = 64 << 20;
    char *a = lm_alloc(size), *b = lm_alloc(size);
    double clock = 0, copy = 0;

    memset(a, 1, size);
    memset(b, 2, size);
    for (int k = 0; k < 7; k++) {
        uint64_t x = (uint64_t)k;
        double t = now(1);

        for (int i = 0; i < 10000000; i++) {
            x += 3; /* one cycle each, none beside another */
            __asm__ volatile("" : "+r"(x));
            x += 5;
            __asm__ volatile("" : "+r"(x));
            x += 7;
            __asm__ volatile("" : "+r"(x));
            x += 9;
            __asm__ volatile("" : "+r"(x));
        }
        t = 4e7 / (now(1) - t) / 1e9;
        clock = t > clock ? t : clock;
        t = now(1);
        memcpy(a, b, size);
        __asm__ volatile("" : : "r"(a) : "memory");
        t = (double)size / (now(1) - t) / 1e6;
        copy = t > copy ? t : copy;
    }
    printf("clock=%.3f\ncopy=%.0f\n", clock, copy);
    free(a);
    free(b);
    return 0;
}

/* Reads the bodies; joined: as one. */
static int read_docs(const char *path, bool joined, struct job *j, lm_buf *text)
{
    lm_in *in = lm_in_open(path, 0);
    lm_rec r = {0};
    size_t cap = 0, *end = NULL, n = 0;
    int rc;

    while ((rc = lm_next(in, &r)) > 0) {
        lm_buf_add(text, r.body.p, r.body.n);
        if (n == cap)
            end = lm_reallocn(end, cap = cap * 2 + 16, sizeof *end);
        end[n++] = text->n;
    }
    lm_rec_free(&r);
    lm_in_close(in);
    if (joined && n) {
        end[0] = text->n;
        n = 1;
    }
    j->doc = lm_zalloc(n + 1, sizeof *j->doc);
    for (j->n = 0; j->n < n; j->n++) {
        size_t at = j->n ? end[j->n - 1] : 0;

        j->doc[j->n] = (lm_str){text->p + at, end[j->n] - at};
    }
    free(end);
    return rc;
}

/* Blocks of about 256 kB; with one thread, one of all. */
static void deal(struct job *j, unsigned threads)
{
    size_t size = 0;

    j->first = lm_zalloc(j->n + 2, sizeof *j->first);
    j->at = lm_zalloc(j->n + 1, sizeof *j->at);
    for (size_t d = 0; d < j->n; d++) {
        size += j->doc[d].n;
        if (d + 1 == j->n || (threads > 1 && size >= 256 << 10)) {
            j->first[++j->blocks] = d + 1;
            size = 0;
        }
    }
    j->ids = lm_zalloc(j->blocks + 1, sizeof *j->ids);
    for (size_t i = 0; i < j->blocks; i++) { /* room, not touched: its first use is timed */
        const lm_str *last = &j->doc[j->first[i + 1] - 1];

        lm_ids_need(&j->ids[i], (size_t)(last->p + last->n - j->doc[j->first[i]].p) / 3);
    }
}

static int run(struct job *j, unsigned threads, size_t cache, size_t bytes, unsigned passes,
               const char *to)
{
    lm_pool *pool = lm_pool_new(threads);
    double cold = 0, warm = 0, back = 0, cut = 0, t;
    size_t pre = 0, n = 0;
    FILE *f;

    j->enc = lm_zalloc(threads, sizeof *j->enc);
    for (unsigned k = 0; k < passes; k++) {
        t = now(threads);
        for (unsigned i = 0; k == 0 && i < threads; i++)
            j->enc[i] = lm_enc_new(j->v, cache);
        lm_pool_run(pool, j->blocks, encode, j);
        t = (double)bytes / (now(threads) - t) / 1e6;
        cold = k ? cold : t;
        warm = t > warm && (k || passes == 1) ? t : warm;
    }
    printf("rss=%.2f\n", rss());
    for (unsigned k = 0; !j->err && k < passes; k++) {
        t = now(threads);
        lm_pool_run(pool, j->blocks, decode, j);
        t = (double)bytes / (now(threads) - t) / 1e6;
        back = t > back ? t : back;
        t = now(threads);
        pre = scan(j);
        t = (double)bytes / (now(threads) - t) / 1e6;
        cut = t > cut ? t : cut;
    }
    for (unsigned i = 0; i < threads; i++)
        lm_enc_free(j->enc[i]);
    lm_pool_free(pool);
    free(j->enc);
    if (j->err)
        return fprintf(stderr, "encode: %s\n", lm_last_error()->detail), 1;
    f = to ? fopen(to, "wb") : NULL;
    if (to && !f)
        return perror(to), 1;
    for (size_t i = 0; i < j->blocks; i++) {
        n += j->ids[i].n;
        if (f && fwrite(j->ids[i].v, 4, j->ids[i].n, f) != j->ids[i].n)
            return perror(to), 1;
    }
    if (f && fclose(f))
        return perror(to), 1;
    printf("bytes=%zu\nids=%zu\npretokens=%zu\ncold=%.2f\nwarm=%.2f\ndecode=%.2f\nscan=%.2f\n",
           bytes, n, pre, cold, warm, back, cut);
    return 0;
}

int main(int argc, char **argv)
{
    struct job j = {0};
    lm_buf text = {0};
    lm_vocab *v = NULL;
    uint64_t threads = 1, cache = 32 << 20, passes;
    const char *to = NULL;
    bool joined = false, good = true;
    double t;
    int o, rc;

    while ((o = getopt(argc, argv, "j:c:o:w")) != -1) {
        if (o == 'j')
            good &= lm_parse_u64(lm_cstr(optarg), &threads) && threads > 0 && threads < 1024;
        else if (o == 'c')
            good &= lm_parse_size(lm_cstr(optarg), &cache);
        else if (o == 'o')
            to = optarg;
        else if (o == 'w')
            joined = true;
        else
            good = false;
    }
    if (argc - optind == 1 && !strcmp(argv[optind], "limits"))
        return limits();
    if (!good || argc - optind != 3 || !lm_parse_u64(lm_cstr(argv[optind + 2]), &passes) || !passes)
        return fputs("usage: encode [-j N] [-c CACHE] [-o IDS] [-w] VOCAB DOCS.lm PASSES\n",
                     stderr),
               2;
    if (read_docs(argv[optind + 1], joined, &j, &text) < 0)
        return fprintf(stderr, "encode: %s\n", lm_last_error()->detail), 1;
    t = now(1);
    if (lm_vocab_load(argv[optind], &v) < 0)
        return fprintf(stderr, "encode: %s\n", lm_last_error()->detail), 1;
    printf("load=%.2f\nbase=%.2f\n", (now(1) - t) * 1e3, rss());
    j.v = v;
    deal(&j, (unsigned)threads);
    rc = run(&j, (unsigned)threads, cache, text.n, (unsigned)passes, to);
    for (size_t i = 0; i < j.blocks; i++)
        free(j.ids[i].v);
    free(j.ids);
    free(j.at);
    free(j.first);
    free(j.doc);
    lm_buf_free(&text);
    lm_vocab_free(v);
    return rc;
}
