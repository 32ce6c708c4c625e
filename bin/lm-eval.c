/* lm-eval: how likely a model finds held-out documents: bits a byte and perplexity.
   Apart from lm-passk, which scores what was generated and run. */
#include "lm.h"
#include <math.h>

static const char *model_dir;
static int load_as, order = -1;
static uint64_t ctx_max, stride, batch = 8;
static bool each, tsv;

static const lm_opt opts[] = {
    LM_FILE('m', "model", &model_dir, "DIR", "Hugging Face directory of the model (needed)"),
    LM_NUM(0, "ctx", &ctx_max, 2, 1u << 24, "N", "tokens a window (the model's, at most 2048)"),
    LM_NUM(0, "stride", &stride, 1, 1u << 24, "N", "tokens from window to window (half of --ctx)"),
    LM_ENUM(0, "fim", &order, "psm|spm|off",
            "score the middles that lm-fim cut: filled in, or (off) left to right"),
    LM_FLAG(0, "each", &each, "pass each document, without its body, with logp= tokens= size="),
    LM_FLAG(0, "tsv", &tsv, "print the scores as a table: name, value, standard error, n"),
    LM_ENUM(0, "load-as", &load_as, "file|f32|bf16",
            "arithmetic of the products: the file's type (file), f32, bf16"),
    LM_MUTE,
    LM_NUM(0, "batch", &batch, 1, 1024, "N", "windows a forward pass (8)"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-eval",
                             .does = "score held-out documents by likelihood",
                             .types = "doc",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_TEXT | LM_ORDERED | LM_PAR};

struct text { /* a document until all of its windows have run */
    lm_rec *rec;
    lm_ids ids;
    float *nll;
    lm_infill_sum *sum; /* under --fim, instead of the two above */
    uint64_t bytes;
};

struct ratio { /* of two sums, each document's part kept for the standard error */
    double *up, *down, sum, over;
    size_t n, cap, cap2;
};

struct eval {
    lm_model *model;
    lm_vocab *vocab;
    lm_enc *enc;
    lm_roll *roll;
    lm_infill *fill;
    lm_out *out;
    struct text *t;
    size_t n, cap, waiting; /* waiting: ids in t */
    uint64_t tokens, words;
    struct ratio nll, end; /* nats over bytes; of end tokens, over their number */
    int err;
};

static void ratio_add(struct ratio *r, double up, double down)
{
    LM_GROW(r->up, r->n, r->cap);
    LM_GROW(r->down, r->n, r->cap2);
    r->up[r->n] = up;
    r->down[r->n++] = down;
    r->sum += up;
    r->over += down;
}

static double ratio_of(const struct ratio *r)
{
    return r->over > 0 ? r->sum / r->over : 0;
}

/* Its standard error over documents (delta method). */
static double ratio_se(const struct ratio *r)
{
    double s = 0, n = (double)r->n, ratio = ratio_of(r);

    for (size_t i = 0; i < r->n; i++) {
        double d = r->up[i] - ratio * r->down[i];

        s += d * d;
    }
    return n > 1 && r->over > 0 ? sqrt(n / (n - 1) * s) / r->over : 0;
}

static uint64_t words_of(lm_str s)
{
    uint64_t n = 0;
    bool in = false;

    for (size_t i = 0; i < s.n; i++) {
        bool space = s.p[i] == ' ' || (s.p[i] >= 9 && s.p[i] <= 13);

        n += !space && !in;
        in = !space;
    }
    return n;
}

static int finish_text(struct eval *E, struct text *t)
{
    uint64_t tokens = t->sum ? t->sum->tokens : t->ids.n - 1;
    double sum = t->sum ? -t->sum->logp : 0;
    int err = 0;

    for (size_t i = 0; t->nll && i < tokens; i++)
        sum += t->nll[i];
    if (sum != sum)
        return lm_rec_fail(t->rec, LM_EDEVICE, "the loss is not a number");
    E->tokens += tokens;
    if (!t->sum || t->bytes || t->sum->ends) /* a document without a middle has nothing to score */
        ratio_add(&E->nll, sum, (double)t->bytes);
    if (t->sum && t->sum->ends)
        ratio_add(&E->end, -t->sum->end, (double)t->sum->ends);
    if (each) {
        lm_set_f64(t->rec, "logp", sum != 0 ? (double)(float)-sum : 0);
        lm_setf(t->rec, "tokens", "%llu", (unsigned long long)tokens);
        lm_setf(t->rec, "size", "%llu", (unsigned long long)t->bytes);
        if (t->sum && t->sum->ends)
            lm_set_f64(t->rec, "logp-end", (double)(float)t->sum->end);
        lm_body(t->rec, NULL, 0);
        err = lm_put(E->out, t->rec);
    }
    return err;
}

static void text_free(struct text *t)
{
    lm_rec_free(t->rec);
    free(t->rec);
    free(t->ids.v);
    free(t->nll);
    free(t->sum);
}

/* Runs the windows of all waiting documents and takes their sums. */
static int settle(struct eval *E)
{
    int err = E->fill ? lm_infill_flush(E->fill) : lm_roll_flush(E->roll);

    for (size_t i = 0; i < E->n; i++) {
        struct text *t = &E->t[i];

        if (!err)
            err = finish_text(E, t);
        text_free(t);
    }
    E->n = E->waiting = 0;
    return err;
}

/* The middles of a document, each between the two sides of its own text. */
static int add_middles(struct eval *E, lm_rec *r)
{
    lm_str list = lm_get(r, "fim");
    struct text *t;
    lm_fim_text part;
    size_t at = 0;
    int rc = 0;

    LM_GROW(E->t, E->n, E->cap);
    t = &E->t[E->n++];
    *t = (struct text){.rec = lm_keep(r), .sum = lm_zalloc(1, sizeof *t->sum)};
    while (list.p && (rc = lm_fim_texts(r->body, &list, &at, &part)) > 0) {
        E->words += words_of(part.mid);
        if ((rc = lm_infill_add(E->fill, &part, t->sum)) < 0)
            break;
    }
    t->bytes = t->sum->bytes;
    E->waiting += r->body.n / 4;
    if (rc < 0)
        return lm_rec_fail(r, rc, "%s", lm_last_error()->detail);
    return E->waiting > 1u << 16 || E->n > 4096 ? settle(E) : 0;
}

static int add(struct eval *E, lm_rec *r)
{
    struct text *t;
    uint32_t start = lm_vocab_role(E->vocab, LM_ROLE_BOS);
    int err;

    LM_GROW(E->t, E->n, E->cap);
    t = &E->t[E->n];
    *t = (struct text){.bytes = r->body.n};
    if (start == LM_NO_ID) /* a document begins behind the end of another */
        start = lm_vocab_role(E->vocab, LM_ROLE_EOS);
    lm_ids_need(&t->ids, 1);
    t->ids.v[t->ids.n++] = start == LM_NO_ID ? 0 : start;
    err = lm_enc_text(E->enc, r->body, &t->ids);
    if (err < 0) {
        free(t->ids.v);
        return lm_rec_fail(r, err, "%s", lm_last_error()->detail);
    }
    E->words += words_of(r->body);
    t->rec = lm_keep(r);
    t->nll = lm_zalloc(t->ids.n, sizeof *t->nll);
    E->n++;
    E->waiting += t->ids.n;
    err = lm_roll_text(E->roll, t->ids.v, t->ids.n, t->nll);
    return !err && E->waiting > 1u << 16 ? settle(E) : err;
}

static int score(struct eval *E, const char *name, double value, double se, uint64_t n)
{
    lm_rec r = {0};
    int err = 0;

    if (tsv) {
        fprintf(lm_out_text(E->out), "%s\t%.6g\t%.3g\t%llu\n", name, value, se,
                (unsigned long long)n);
        return 0;
    }
    lm_rec_new(&r, "score");
    lm_set(&r, "name", lm_cstr(name));
    lm_set_f64(&r, "value", value);
    lm_setf(&r, "n", "%llu", (unsigned long long)n);
    if (order >= 0)
        lm_set(&r, "method",
               lm_cstr((const char *const[]){"fim-psm", "fim-spm", "fim-off"}[order]));
    lm_set_f64(&r, "se", (double)(float)se);
    err = lm_put(E->out, &r);
    lm_rec_free(&r);
    return err;
}

static int report(struct eval *E)
{
    double nats = ratio_of(&E->nll), bits = nats / M_LN2, se = ratio_se(&E->nll) / M_LN2;
    double mean = E->tokens ? E->nll.sum / (double)E->tokens : 0;
    double word = E->words ? E->nll.sum / (double)E->words : 0, rel = bits > 0 ? se / bits : 0;
    int err = score(E, "bits-per-byte", bits, se, E->nll.n);

    if (!err)
        err = score(E, "loss", mean, mean * rel, E->tokens);
    if (!err)
        err = score(E, "perplexity-token", lm_exp(mean), lm_exp(mean) * mean * rel, E->tokens);
    if (!err)
        err = score(E, "perplexity-word", lm_exp(word), lm_exp(word) * word * rel, E->words);
    if (!err)
        err = score(E, "bytes-per-token", E->tokens ? E->nll.over / (double)E->tokens : 0, 0,
                    (uint64_t)E->nll.over);
    if (!err && (order == LM_FIM_PSM || order == LM_FIM_SPM))
        err = score(E, "loss-end", ratio_of(&E->end), ratio_se(&E->end), (uint64_t)E->end.over);
    return err;
}

static int load(struct eval *E)
{
    int err = lm_model_load(&E->model, model_dir, (const int[]){-1, LM_F32, LM_BF16}[load_as], 0);

    if (err >= 0)
        err = lm_vocab_load(model_dir, &E->vocab);
    if (err >= 0 && lm_vocab_size(E->vocab) > E->model->cfg.vocab)
        err = lm_err_at(LM_EMISMATCH, model_dir, "the vocabulary has %u ids, the model %u",
                        lm_vocab_size(E->vocab), E->model->cfg.vocab);
    return err;
}

/* Notes keep their place: what was read before them is settled first. */
static void on_note(void *ctx, lm_str line)
{
    struct eval *E = ctx;

    if (each && !E->err)
        E->err = settle(E);
    lm_out_note(E->out, line);
}

static void on_block(void *ctx)
{
    struct eval *E = ctx;

    if (each && !E->err)
        E->err = settle(E);
    lm_out_flush(E->out);
}

static int work(struct eval *E, lm_in *in)
{
    lm_rec r = {0};
    int rc;

    lm_in_on_note(in, on_note, E);
    lm_in_on_block(in, on_block, E);
    while ((rc = lm_next(in, &r)) > 0 && !(rc = E->err)) {
        if (lm_acts_on(r.type)) {
            rc = E->fill ? add_middles(E, &r) : add(E, &r);
        } else if (!tsv) {
            rc = settle(E); /* order is kept */
            if (!rc)
                rc = lm_put(E->out, &r);
        }
        if (rc < 0)
            break;
    }
    lm_in_on_note(in, NULL, NULL);
    lm_in_on_block(in, NULL, NULL);
    lm_rec_free(&r);
    if (rc >= 0)
        rc = E->err ? E->err : settle(E);
    return rc < 0 ? rc : report(E);
}

static int run(lm_in *in, lm_out *out)
{
    struct eval E = {.out = out};
    lm_pool *pool = NULL;
    uint32_t ctx;
    int rc;

    if (!model_dir)
        return lm_err(LM_EUSAGE, "-m DIR is needed");
    if (tsv && each)
        return lm_err(LM_EUSAGE, "--each writes records, --tsv a table: not both");
    if (tsv)
        lm_out_text(out);
    rc = load(&E);
    if (rc >= 0) {
        ctx = E.model->cfg.ctx < 2048 ? E.model->cfg.ctx : 2048;
        if (ctx_max)
            ctx = ctx_max < E.model->cfg.ctx ? (uint32_t)ctx_max : E.model->cfg.ctx;
        if (!stride)
            stride = (ctx + 1) / 2;
        if (stride > ctx)
            rc = lm_err(LM_EUSAGE, "--stride is larger than the window of %u tokens", ctx);
        else if (order >= 0 && ctx - stride < LM_FIM_MARKS + 1)
            rc = lm_err(LM_EUSAGE,
                        "--fim: a window of %u tokens less --stride has no room for marks", ctx);
    }
    if (rc >= 0) {
        pool = lm_pool_new(lm_jobs());
        E.enc = lm_enc_new(E.vocab, 8u << 20);
        if (order < 0)
            rc = lm_roll_new(&E.roll, E.model, ctx, (uint32_t)stride, (uint32_t)batch, pool);
        else
            rc = lm_infill_new(&E.fill, E.model, E.enc,
                               &(lm_infill_opt){order, ctx, (uint32_t)stride, (uint32_t)batch,
                                                pool});
    }
    if (rc >= 0)
        rc = work(&E, in);
    while (E.n)
        text_free(&E.t[--E.n]);
    free(E.t);
    for (int i = 0; i < 2; i++) {
        struct ratio *r = i ? &E.end : &E.nll;

        free(r->up);
        free(r->down);
    }
    lm_infill_free(E.fill);
    lm_roll_free(E.roll);
    lm_enc_free(E.enc);
    lm_pool_free(pool);
    lm_vocab_free(E.vocab);
    lm_model_free(E.model);
    return rc;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
