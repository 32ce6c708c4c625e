/* lm-gen: prompts in, generations out.
   Apart from a server: a filter, whose output is a function of input, model, options and seed
   alone. */
#include "lm.h"
#include <unistd.h>

static const char *model_dir;
static int load_as;
static uint64_t samples = 1, max_tokens = 256, top_k, seed, logprobs = UINT64_MAX, ctx_max, batch,
                chunk = 512;
static uint64_t kv_mem;
static double temp, top_p = 1, min_p, repeat = 1;
static lm_list stops;
static int stop_at, truncate_how, fim;
static bool with_ids, times;

static const lm_opt opts[] = {
    LM_FILE('m', "model", &model_dir, "DIR", "Hugging Face directory of the model (needed)"),
    LM_NUM('n', "samples", &samples, 1, 1000000, "N", "samples a prompt (1); a prompt's n= wins"),
    LM_NUM(0, "max-tokens", &max_tokens, 1, 1u << 24, "N", "at most N tokens a sample (256)"),
    LM_REAL(0, "temp", &temp, 0, 1e6, "T", "temperature (0: the most likely token)"),
    LM_NUM(0, "top-k", &top_k, 0, 1u << 24, "K", "draw from the K most likely tokens (0: all)"),
    LM_REAL(0, "top-p", &top_p, 0, 1, "P", "draw from the fewest tokens of probability P (1: all)"),
    LM_REAL(0, "min-p", &min_p, 0, 1, "P", "drop tokens under P times the most likely (0: none)"),
    LM_REAL(0, "repeat", &repeat, 1e-3, 1e3, "R", "divide the logits of seen tokens by R (1: off)"),
    LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "SEED",
           "seed of all draws (0); a prompt's seed= wins"),
    LM_LIST(0, "stop", &stops, "STR", "end before STR; with the prompt's stop-1= .."),
    LM_ENUM(0, "stop-at", &stop_at, "eos|line|block",
            "end at the end token, the line or the block (eos)"),
    LM_NUM(0, "logprobs", &logprobs, 0, 64, "K",
           "add @logp: the chosen token and the K most likely"),
    LM_FLAG(0, "ids", &with_ids, "add @tok: ids of prompt (weight 0) and generation"),
    LM_ENUM(0, "fim", &fim, "psm|spm|off", "order of a prompt with cut= (psm); off refuses it"),
    LM_NUM(0, "ctx", &ctx_max, 2, 1u << 24, "N", "tokens of prompt and output (the model's)"),
    LM_ENUM(0, "truncate", &truncate_how, "error|left",
            "a longer prompt: finish=context, or cut off what is far (error)"),
    LM_FLAG(0, "times", &times, "add ms=: then two runs differ"),
    LM_ENUM(0, "load-as", &load_as, "file|f32|bf16",
            "arithmetic of the products: the file's type (file), f32, bf16"),
    LM_MUTE,
    LM_NUM(0, "batch", &batch, 1, 4096, "N", "generations at once (8)"),
    LM_NUM(0, "chunk", &chunk, 1, 1u << 20, "N", "prompt tokens a step (512)"),
    LM_SIZE(0, "kv-mem", &kv_mem, 1, UINT64_MAX, "SIZE", "memory for the cache (25 % of RAM)"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-gen",
                             .does = "generate text from prompts",
                             .types = "prompt",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR};

struct sample {
    lm_buf text, logp; /* logp: f32 rows, then later the ids beside them */
    lm_ids ids, top;
    double sum, ms;
    const char *finish;
};

/* What is to be written, in the order of reading: what passes, or a prompt and its samples. */
struct entry {
    struct entry *next;
    struct gen *G;
    lm_rec *rec;
    char *note;
    bool prompt;
    lm_job job;
    lm_ids ids;
    lm_str *str; /* stop strings */
    size_t nstr;
    struct sample *s;
    char id[33];
    double t0;
};

struct gen {
    lm_out *out;
    lm_model *model;
    lm_vocab *vocab;
    lm_pool *pool;
    lm_batch_gen *g;
    uint32_t ctx;
    char model_id[33];
    struct entry *first, **last;
    size_t waiting;
    bool told; /* the @run record is out */
    int err;
};

static const char *const finish_name[] = {"eos", "line", "block", "stop"};

static bool is_eos(const struct gen *G, uint32_t id)
{
    return id == G->model->cfg.eos || id == lm_vocab_role(G->vocab, LM_ROLE_EOS);
}

static int on_token(lm_job *j, uint32_t k, uint32_t pos, uint32_t id, const float *logits)
{
    struct entry *e = j->user;
    struct gen *G = e->G;
    struct sample *s = &e->s[k];
    lm_stop stop = {e->str, e->nstr, stop_at};
    size_t seen = s->text.n, cut;
    uint32_t V = G->model->cfg.vocab;
    double lp = lm_logp(logits, V, id);
    int why;

    (void)pos;
    lm_ids_need(&s->ids, 1);
    s->ids.v[s->ids.n++] = id;
    s->sum += lp;
    if (logprobs != UINT64_MAX) {
        uint32_t n = (uint32_t)logprobs < V ? (uint32_t)logprobs : V;
        float f = (float)lp;

        lm_ids_need(&s->top, 1 + n);
        s->top.v[s->top.n] = id;
        lm_top(logits, V, n, s->top.v + s->top.n + 1);
        lm_buf_add(&s->logp, &f, sizeof f);
        for (uint32_t i = 0; i < n; i++) {
            f = (float)lm_logp(logits, V, s->top.v[s->top.n + 1 + i]);
            lm_buf_add(&s->logp, &f, sizeof f);
        }
        s->top.n += 1 + n;
    }
    if (is_eos(G, id)) {
        s->finish = finish_name[LM_STOP_EOS];
        return 1;
    }
    if (!(lm_vocab_flags(G->vocab, id) & LM_TOKEN_SPECIAL)) {
        lm_str t = lm_vocab_token(G->vocab, id);

        lm_buf_add(&s->text, t.p ? t.p : "", t.n);
    }
    why = lm_stop_find(&stop, e->rec->body, lm_buf_str(&s->text), seen, &cut);
    if (why < 0)
        return 0;
    s->text.n = cut;
    s->finish = finish_name[why];
    return 1;
}

static void on_end(lm_job *j, uint32_t k, bool full)
{
    struct entry *e = j->user;
    struct sample *s = &e->s[k];

    if (full)
        s->finish = "length";
    s->text.n -= lm_utf8_partial(s->text.p, s->text.n);
    s->ms = 1000 * (lm_now() - e->t0);
}

static int put_run(struct gen *G)
{
    lm_rec r = {0};
    static const char *const at[] = {"eos", "line", "block"}, *const order[] = {"psm", "spm",
                                                                                "off"};
    int err;

    if (G->told)
        return 0;
    G->told = true;
    lm_rec_new(&r, "run");
    lm_set(&r, "tool", lm_cstr("lm-gen"));
    lm_set(&r, "model", lm_cstr(G->model_id));
    lm_set(&r, "vocab", lm_cstr(lm_vocab_hash(G->vocab)));
    lm_setf(&r, "n", "%llu", (unsigned long long)samples);
    lm_setf(&r, "max-tokens", "%llu", (unsigned long long)max_tokens);
    lm_set_f64(&r, "temp", temp);
    lm_setf(&r, "top-k", "%llu", (unsigned long long)top_k);
    lm_set_f64(&r, "top-p", top_p);
    lm_set_f64(&r, "min-p", min_p);
    lm_set_f64(&r, "repeat", repeat);
    lm_setf(&r, "seed", "%llu", (unsigned long long)seed);
    lm_set(&r, "stop-at", lm_cstr(at[stop_at]));
    for (size_t i = 0; i < stops.n; i++) {
        char key[32];

        snprintf(key, sizeof key, "stop-%zu", i + 1);
        lm_set(&r, key, lm_cstr(stops.v[i]));
    }
    lm_set(&r, "fim", lm_cstr(order[fim]));
    lm_set(&r, "load-as", lm_cstr((const char *const[]){"file", "f32", "bf16"}[load_as]));
    lm_setf(&r, "ctx", "%u", G->ctx);
    lm_set(&r, "truncate", lm_cstr(truncate_how ? "left" : "error"));
    err = lm_put(G->out, &r);
    lm_rec_free(&r);
    return err;
}

static int put_sample(struct gen *G, const struct entry *e, uint32_t k)
{
    const struct sample *s = &e->s[k];
    static const char *const carried[] = {"task", "lang"};
    uint32_t V = G->model->cfg.vocab;
    lm_rec r = {0};
    int err;

    lm_rec_new(&r, "gen");
    lm_set(&r, "id", lm_cstr(e->id));
    lm_setf(&r, "sample", "%u", k);
    lm_set(&r, "finish", lm_cstr(s->finish));
    lm_set(&r, "model", lm_cstr(G->model_id));
    for (size_t i = 0; i < LM_COUNT(carried); i++) {
        lm_str v = lm_get(e->rec, carried[i]);

        if (v.p)
            lm_set(&r, carried[i], v);
    }
    lm_setf(&r, "seed", "%llu", (unsigned long long)e->job.seed);
    lm_setf(&r, "prompt-tokens", "%zu", e->ids.n);
    lm_setf(&r, "tokens", "%zu", s->ids.n);
    lm_set_f64(&r, "logp", (double)(float)s->sum);
    if (times)
        lm_setf(&r, "ms", "%.1f", s->ms);
    lm_body(&r, s->text.p, s->text.n);
    err = lm_put(G->out, &r);
    lm_rec_free(&r);
    if (!err && with_ids)
        err = lm_gen_put_tok(G->out, (lm_gen_name){e->id, k}, lm_vocab_hash(G->vocab), V > 65536,
                             e->ids.v, e->ids.n, s->ids.v, s->ids.n);
    if (!err && logprobs != UINT64_MAX)
        err = lm_gen_put_logp(G->out, (lm_gen_name){e->id, k},
                              (const float *)(const void *)s->logp.p, s->top.v, s->ids.n,
                              1 + ((uint32_t)logprobs < V ? (uint32_t)logprobs : V));
    return err;
}

static void entry_free(struct entry *e)
{
    for (uint32_t k = 0; e->prompt && k < e->job.n; k++) {
        lm_buf_free(&e->s[k].text);
        lm_buf_free(&e->s[k].logp);
        free(e->s[k].ids.v);
        free(e->s[k].top.v);
    }
    free(e->s);
    free(e->str);
    free(e->ids.v);
    free(e->note);
    if (e->rec)
        lm_rec_free(e->rec);
    free(e->rec);
    free(e);
}

/* Writes what is whole at the head of the queue. */
static int drain(struct gen *G)
{
    struct entry *e;
    int err = 0;

    while (!err && (e = G->first) && (!e->prompt || e->job.done == e->job.n)) {
        if (e->note) {
            err = lm_out_note(G->out, lm_cstr(e->note));
        } else {
            err = e->prompt ? put_run(G) : 0;
            for (uint32_t k = 0; !err && e->prompt && k < e->job.n; k++)
                err = put_sample(G, e, k);
            if (!err && !e->prompt)
                err = lm_put(G->out, e->rec);
        }
        G->first = e->next;
        if (!G->first)
            G->last = &G->first;
        G->waiting--;
        entry_free(e);
    }
    return err;
}

static struct entry *push(struct gen *G)
{
    struct entry *e = lm_zalloc(1, sizeof *e);

    e->G = G;
    *G->last = e;
    G->last = &e->next;
    G->waiting++;
    return e;
}

static void on_note(void *ctx, lm_str line)
{
    struct gen *G = ctx;

    if (!G->first)
        lm_out_note(G->out, line); /* its error is sticky */
    else
        push(G)->note = lm_strndup(line);
}

/* The input pauses: all that was asked is answered before we wait. */
static void on_block(void *ctx)
{
    struct gen *G = ctx;
    int rc = 1;

    while (!G->err && rc > 0) {
        rc = lm_gen_step(G->g);
        if (rc >= 0 && drain(G) < 0)
            rc = LM_EIO;
    }
    if (rc < 0)
        G->err = rc;
    lm_out_flush(G->out);
}

/* The ids of a prompt; if so asked and marks fit, those next to the cursor that fit in room. */
static int prompt_ids(struct gen *G, struct entry *e, size_t room)
{
    lm_str b = e->rec->body;
    uint64_t cut;
    int rc = lm_get_u64(e->rec, "cut", &cut);
    bool hole = rc > 0;

    if (rc < 0)
        return rc;
    if (hole && (fim == LM_FIM_OFF || cut > b.n))
        return lm_rec_fail(e->rec, LM_EINVALID, "cut= %s",
                           fim == LM_FIM_OFF ? "under --fim off" : "lies beyond the body");
    if (!truncate_how || (hole && room < LM_FIM_MARKS))
        room = SIZE_MAX;
    if (hole)
        rc = lm_fim_prompt(G->vocab, (lm_str){b.p, (size_t)cut},
                           (lm_str){b.p + cut, b.n - (size_t)cut}, fim, room, &e->ids);
    else
        rc = b.n ? lm_vocab_encode(G->vocab, b, &e->ids) : 0;
    if (rc >= 0 && e->ids.n > room) {
        memmove(e->ids.v, e->ids.v + e->ids.n - room, room * sizeof *e->ids.v);
        e->ids.n = room;
    }
    return rc < 0 ? lm_rec_fail(e->rec, rc, "%s", lm_last_error()->detail) : 0;
}

static void gather_stops(struct entry *e)
{
    e->str = lm_zalloc(stops.n + 64, sizeof *e->str);
    for (size_t i = 0; i < stops.n; i++)
        e->str[e->nstr++] = lm_cstr(stops.v[i]);
    for (int i = 1; i <= 64; i++) {
        char key[24];
        lm_str v;

        snprintf(key, sizeof key, "stop-%d", i);
        v = lm_get(e->rec, key);
        if (v.n)
            e->str[e->nstr++] = v;
    }
}

static int ask(struct gen *G, lm_rec *r)
{
    struct entry *e;
    uint64_t n = samples, s = seed;
    lm_str id = lm_get(r, "id");
    size_t room = G->ctx > max_tokens ? G->ctx - max_tokens : 1;
    int err;

    if (lm_get_u64(r, "n", &n) < 0 || lm_get_u64(r, "seed", &s) < 0)
        return LM_EINVALID;
    if (!n || n > 1000000)
        return lm_rec_fail(r, LM_EINVALID, "n= is not from 1 to 1000000");
    if (id.n > 32)
        return lm_rec_fail(r, LM_EINVALID, "id= is longer than 32 bytes");
    e = push(G);
    e->rec = lm_keep(r);
    e->prompt = true;
    e->job.n = (uint32_t)n;
    e->s = lm_zalloc(n, sizeof *e->s);
    e->t0 = lm_now();
    if (id.p)
        memcpy(e->id, id.p, id.n);
    else
        lm_id_hex(lm_rec_id(r), e->id);
    gather_stops(e);
    err = prompt_ids(G, e, room);
    if (err < 0)
        return err;
    if (!e->ids.n) { /* an empty prompt starts as a document does: behind the end of another */
        uint32_t start = lm_vocab_role(G->vocab, LM_ROLE_BOS);

        start = start == LM_NO_ID ? lm_vocab_role(G->vocab, LM_ROLE_EOS) : start;
        lm_ids_need(&e->ids, 1);
        e->ids.v[e->ids.n++] = start == LM_NO_ID ? 0 : start;
    }
    if (e->ids.n > room) {
        for (uint32_t k = 0; k < e->job.n; k++)
            e->s[k].finish = "context";
        e->job.done = e->job.n;
        return 0;
    }
    e->job.ids = e->ids.v;
    e->job.nids = (uint32_t)e->ids.n;
    e->job.max_tokens = (uint32_t)max_tokens;
    e->job.how = (lm_sampling){repeat, temp, top_p, min_p, (uint32_t)top_k};
    e->job.seed = s;
    e->job.id = lm_cstr(e->id);
    e->job.token = on_token;
    e->job.ended = on_end;
    e->job.user = e;
    lm_gen_submit(G->g, &e->job);
    return 0;
}

static int work(struct gen *G, lm_in *in)
{
    lm_rec r = {0};
    int rc, more = 1;

    while ((rc = lm_next(in, &r)) > 0 && !(rc = G->err)) {
        if (lm_acts_on(r.type))
            rc = ask(G, &r);
        else
            push(G)->rec = lm_keep(&r);
        while (rc >= 0 && (rc = drain(G)) >= 0 && (!lm_gen_hungry(G->g) || G->waiting > 4096))
            if ((rc = lm_gen_step(G->g)) < 0)
                break;
        if (rc < 0)
            break;
    }
    lm_rec_free(&r);
    if (rc >= 0)
        rc = G->err;
    while (rc >= 0 && more > 0)
        if ((more = lm_gen_step(G->g)) < 0 || (more >= 0 && drain(G) < 0))
            rc = more < 0 ? more : LM_EIO;
    return rc;
}

/* As many places as asked that fit the memory; one must. */
static int engine(struct gen *G)
{
    uint64_t want = batch ? batch : 8;
    uint64_t room =
        kv_mem ? kv_mem : (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 4;

    G->ctx = ctx_max && ctx_max < G->model->cfg.ctx ? (uint32_t)ctx_max : G->model->cfg.ctx;
    while (want > 2 &&
           lm_kv_bytes(G->model, (uint32_t)want, G->ctx, (uint32_t)(want + chunk)) > room)
        want--;
    if (lm_kv_bytes(G->model, 2, G->ctx, (uint32_t)(2 + chunk)) > room) {
        uint32_t fits = G->ctx;

        while (fits > 2 && lm_kv_bytes(G->model, 2, fits, (uint32_t)(2 + chunk)) > room)
            fits /= 2;
        return lm_err(LM_EMEM, "no room for the cache of one sequence of %u tokens; --ctx %u fits",
                      G->ctx, fits);
    }
    return lm_gen_new(&G->g, G->model, (uint32_t)want, G->ctx, (uint32_t)chunk, G->pool);
}

static int run(lm_in *in, lm_out *out)
{
    struct gen G = {.out = out, .last = &G.first};
    lm_id id;
    int rc;

    if (!model_dir)
        return lm_err(LM_EUSAGE, "-m DIR is needed");
    for (size_t i = 0; i < stops.n; i++)
        if (!*stops.v[i])
            return lm_err(LM_EUSAGE, "--stop '': an empty text stops everything");
    rc = lm_model_load(&G.model, model_dir, (const int[]){-1, LM_F32, LM_BF16}[load_as], 0);
    if (rc >= 0)
        rc = lm_vocab_load(model_dir, &G.vocab);
    if (rc >= 0 && lm_vocab_size(G.vocab) > G.model->cfg.vocab)
        rc = lm_err_at(LM_EMISMATCH, model_dir, "the vocabulary has %u ids, the model %u",
                       lm_vocab_size(G.vocab), G.model->cfg.vocab);
    if (rc >= 0) {
        lm_model_id(G.model, &id);
        lm_id_hex(id, G.model_id);
        G.pool = lm_pool_new(lm_jobs());
        rc = engine(&G);
    }
    if (rc >= 0) {
        lm_in_on_note(in, on_note, &G);
        lm_in_on_block(in, on_block, &G);
        rc = work(&G, in);
        lm_in_on_note(in, NULL, NULL);
        lm_in_on_block(in, NULL, NULL);
    }
    while (G.first) {
        struct entry *e = G.first;

        G.first = e->next;
        entry_free(e);
    }
    lm_gen_free(G.g);
    lm_pool_free(G.pool);
    lm_vocab_free(G.vocab);
    lm_model_free(G.model);
    return rc;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
