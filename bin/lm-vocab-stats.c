/* lm-vocab-stats: how a vocabulary fits documents: bytes a token by language, common and unused
   tokens. Apart from lm-tok --count: sums over all documents, and which tokens. */
#include "lm.h"
#include <inttypes.h>
#include <pthread.h>

static const char *vocab;
static bool tsv;
static uint64_t count = 20, cache = 32 << 20;
static const lm_opt opts[] = {LM_FILE(0, "vocab", &vocab, "TOK",
                                      "the vocabulary: a directory or a tokenizer.json"),
                              LM_NUM('n', "count", &count, 0, UINT64_MAX, "N",
                                     "list the N commonest and N unused tokens (20)"),
                              LM_FLAG(0, "tsv", &tsv,
                                      "lines of total, lang and token, every token among them"),
                              LM_MUTE,
                              LM_SIZE(0, "cache", &cache, 0, 1ull << 36, "SIZE",
                                      "memory of each thread for words seen (32M)"),
                              LM_COMMON,
                              LM_END};
static const lm_tool tool = {.name = "lm-vocab-stats",
                             .does = "measure how a vocabulary fits documents",
                             .types = "doc,tok",
                             .opts = opts,
                             .flags = LM_IN | LM_TEXT | LM_PAR};

typedef struct {
    uint64_t docs, bytes, tokens;
} sum;
typedef struct {
    lm_str name;
    sum n;
} lang;
typedef struct {
    lang *v;
    size_t n, cap;
    lm_dict at; /* name -> place in v */
    lm_arena *text;
} langs;

struct all {
    const lm_vocab *v;
    uint64_t *used; /* by id */
    langs langs;
    pthread_mutex_t lock;
};
struct mine {
    struct all *all;
    lm_enc *enc;
    lm_ids ids;
    uint64_t *used;
    langs langs;
};

static void add_lang(langs *l, lm_str name, const sum *s)
{
    size_t i = *lm_dict_put(&l->at, name, l->n);

    if (i == l->n) {
        if (!l->text)
            l->text = lm_arena_new();
        LM_GROW(l->v, l->n, l->cap);
        l->v[l->n++] = (lang){.name = lm_arena_str(l->text, name)};
    }
    l->v[i].n.docs += s->docs;
    l->v[i].n.bytes += s->bytes;
    l->v[i].n.tokens += s->tokens;
}

static void langs_free(langs *l)
{
    free(l->v);
    lm_dict_free(&l->at);
    lm_arena_free(l->text);
}

/* A thread's share joins the others'; sums, so that the order does not matter. */
static void join(void *local)
{
    struct mine *m = local;

    if (m->all) {
        pthread_mutex_lock(&m->all->lock);
        for (uint32_t id = 0; id < lm_vocab_size(m->all->v); id++)
            m->all->used[id] += m->used[id];
        for (size_t i = 0; i < m->langs.n; i++)
            add_lang(&m->all->langs, m->langs.v[i].name, &m->langs.v[i].n);
        pthread_mutex_unlock(&m->all->lock);
    }
    lm_enc_free(m->enc);
    langs_free(&m->langs);
    free(m->ids.v);
    free(m->used);
}

/* The ids of a document, and the bytes they stand for. */
static int encode(lm_rec *r, struct mine *m, uint64_t *bytes)
{
    lm_str fim = lm_get(r, "fim");
    int err;

    if (!m->enc)
        m->enc = lm_enc_new(m->all->v, cache);
    *bytes = r->body.n;
    err = fim.p ? lm_enc_parts(m->enc, r->body, fim, LM_SPECIAL_TEXT, &m->ids, NULL)
                : lm_enc_text(m->enc, r->body, &m->ids);
    if (err < 0 && !*lm_last_error()->where)
        return lm_rec_fail(r, err, "%s", lm_last_error()->detail);
    return err;
}

/* The same of a record of ids: special tokens stand for no bytes. */
static int take(lm_rec *r, struct mine *m, uint64_t *bytes)
{
    const lm_vocab *v = m->all->v;
    lm_tokrec t;
    int err = lm_tokrec_get(r, &t);

    if (err < 0)
        return err;
    if (!lm_is(t.vocab, lm_vocab_hash(v)))
        return lm_rec_fail(r, LM_EMISMATCH, "vocab=%.*s, not %s",
                           (int)(t.vocab.n < 40 ? t.vocab.n : 40), t.vocab.p, lm_vocab_hash(v));
    lm_ids_need(&m->ids, t.n);
    for (uint64_t i = 0; i < t.n; i++) {
        uint32_t id = lm_tokrec_at(&t, i);
        lm_str s = lm_vocab_token(v, id);

        if (!s.p)
            return lm_rec_fail(r, LM_EINVALID, "id %u is not in the vocabulary", id);
        m->ids.v[m->ids.n++] = id;
        *bytes += lm_vocab_flags(v, id) & LM_TOKEN_SPECIAL ? 0 : s.n;
    }
    return 0;
}

static int one(lm_rec *r, void *ctx)
{
    struct mine *m = lm_local(sizeof *m, join);
    lm_str name = lm_get(r, "lang");
    sum s = {.docs = 1};
    int err;

    if (!m->all) {
        m->all = ctx;
        m->used = lm_zalloc((size_t)lm_vocab_size(m->all->v) + 1, sizeof *m->used);
    }
    m->ids.n = 0;
    err = lm_is(r->type, "tok") ? take(r, m, &s.bytes) : encode(r, m, &s.bytes);
    if (err < 0)
        return err;
    for (size_t i = 0; i < m->ids.n; i++)
        m->used[m->ids.v[i]]++;
    s.tokens = m->ids.n;
    if (!name.n)
        name = lm_get(r, "ext");
    add_lang(&m->langs, name.n ? name : LM_STR("-"), &s);
    return LM_DROP;
}

static int by_bytes(const void *a, const void *b)
{
    const lang *x = a, *y = b;

    if (x->n.bytes != y->n.bytes)
        return x->n.bytes < y->n.bytes ? 1 : -1;
    return lm_cmp(x->name, y->name);
}

typedef struct {
    uint64_t n;
    uint32_t id;
} use;

static int by_use(const void *a, const void *b)
{
    const use *x = a, *y = b;

    if (x->n != y->n)
        return x->n < y->n ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static double per(uint64_t bytes, uint64_t tokens)
{
    return tokens ? (double)bytes / (double)tokens : 0;
}

static void show(lm_buf *b, lm_str s)
{
    b->n = 0;
    lm_buf_adds(b, "");
    lm_pct_encode(b, s);
}

static void table(const struct all *a, const sum *t, const use *u, size_t n)
{
    lm_buf b = {0};

    printf("total\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%.4f\n", t->docs, t->bytes, t->tokens,
           per(t->bytes, t->tokens));
    for (size_t i = 0; i < a->langs.n; i++) {
        const lang *l = &a->langs.v[i];

        show(&b, l->name);
        printf("lang\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%.4f\n", b.p, l->n.docs,
               l->n.bytes, l->n.tokens, per(l->n.bytes, l->n.tokens));
    }
    for (size_t i = 0; i < n; i++) {
        show(&b, lm_vocab_token(a->v, u[i].id));
        printf("token\t%u\t%" PRIu64 "\t%s\t%s\n", u[i].id, u[i].n, lm_vocab_kind(a->v, u[i].id),
               b.p);
    }
    lm_buf_free(&b);
}

static void report(const struct all *a, const sum *t, const use *u, size_t n)
{
    size_t words = 0, used = 0, told = 0;
    lm_buf b = {0};

    for (size_t i = 0; i < n; i++)
        if (!lm_vocab_flags(a->v, u[i].id)) {
            words++;
            used += u[i].n > 0;
        }
    printf("%-20s %12s %14s %14s %12s\n", "language", "documents", "bytes", "tokens",
           "bytes/token");
    for (size_t i = 0; i < a->langs.n; i++) {
        const lang *l = &a->langs.v[i];

        show(&b, l->name);
        printf("%-20s %12" PRIu64 " %14" PRIu64 " %14" PRIu64 " %12.3f\n", b.p, l->n.docs,
               l->n.bytes, l->n.tokens, per(l->n.bytes, l->n.tokens));
    }
    printf("%-20s %12" PRIu64 " %14" PRIu64 " %14" PRIu64 " %12.3f\n", "all", t->docs, t->bytes,
           t->tokens, per(t->bytes, t->tokens));
    printf("\nof %zu ordinary tokens %zu are used, %zu are not\n", words, used, words - used);
    if (count && t->tokens)
        printf("\n%12s %8s %8s  %s\n", "times", "%", "id", "commonest tokens");
    for (size_t i = 0; i < n && i < count && u[i].n; i++) {
        show(&b, lm_vocab_token(a->v, u[i].id));
        printf("%12" PRIu64 " %8.2f %8u  %s\n", u[i].n, 100 * per(u[i].n, t->tokens), u[i].id, b.p);
    }
    if (count && words > used)
        printf("\n%8s  %s\n", "id", "unused tokens");
    for (size_t i = 0; i < n && told < count; i++) {
        if (u[i].n || lm_vocab_flags(a->v, u[i].id))
            continue;
        show(&b, lm_vocab_token(a->v, u[i].id));
        printf("%8u  %s\n", u[i].id, b.p);
        told++;
    }
    if (words - used > told)
        printf("%8s  and %zu more\n", "", words - used - told);
    lm_buf_free(&b);
}

static void tell(struct all *a)
{
    use *u = lm_reallocn(NULL, (size_t)lm_vocab_size(a->v) + 1, sizeof *u);
    sum t = {0};
    size_t n = 0;

    for (uint32_t id = 0; id < lm_vocab_size(a->v); id++)
        if (lm_vocab_token(a->v, id).p)
            u[n++] = (use){a->used[id], id};
    qsort(u, n, sizeof *u, by_use);
    if (a->langs.n)
        qsort(a->langs.v, a->langs.n, sizeof *a->langs.v, by_bytes);
    for (size_t i = 0; i < a->langs.n; i++) {
        t.docs += a->langs.v[i].n.docs;
        t.bytes += a->langs.v[i].n.bytes;
        t.tokens += a->langs.v[i].n.tokens;
    }
    (tsv ? table : report)(a, &t, u, n);
    free(u);
}

static int run(lm_in *in, lm_out *out)
{
    struct all a = {.lock = PTHREAD_MUTEX_INITIALIZER};
    lm_vocab *v;
    int err;

    (void)out;
    if (!vocab)
        return lm_err(LM_EUSAGE, "no --vocab TOK");
    if ((err = lm_vocab_load(vocab, &v)) < 0)
        return err;
    a.v = v;
    a.used = lm_zalloc((size_t)lm_vocab_size(v) + 1, sizeof *a.used);
    if ((err = lm_map(in, NULL, LM_JOBS, one, &a)) >= 0)
        tell(&a);
    langs_free(&a.langs);
    free(a.used);
    lm_vocab_free(v);
    return err < 0 ? err : LM_DONE;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
