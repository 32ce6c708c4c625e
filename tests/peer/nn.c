/* nn: the neural core on raw arrays, for comparison with other programs (tests/peer/nn.py).
   nn logits DIR ROWS SEQ: u32 ids [ROWS*SEQ], starts and ends on stdin, f32 logits on stdout.
   nn grads DIR ROWS SEQ: ids, starts, ends, targets (u32), weights (u8); gives f64 loss sum, then a
   line and the f32 gradient of each tensor. nn steps DIR ROWS SEQ N LR: N AdamW steps on the same
   batch, f64 losses. nn save DIR TO: loads and writes. nn init FAMILY DT TO: a small new model. nn
   greedy DIR N CHUNK: prompt ids on stdin, N ids. LM_THREADS: threads; LM_DT=f32|bf16: arithmetic.
 */
#include "lm.h"

static int dt = -1;
static lm_pool *pool;

static int fail(const char *what)
{
    fprintf(stderr, "nn: %s: %s: %s\n", what, lm_last_error()->where, lm_last_error()->detail);
    return 1;
}

static void *input(size_t n, size_t size)
{
    void *p = lm_zalloc(n, size);

    if (fread(p, size, n, stdin) != n) {
        fprintf(stderr, "nn: short input\n");
        exit(1);
    }
    return p;
}

static int train(const char *verb, lm_model *m, uint32_t rows, uint32_t seq, uint64_t steps,
                 double lr)
{
    size_t t = (size_t)rows * seq;
    bool logits = !strcmp(verb, "logits");
    lm_nn *nn;
    lm_batch b = {0};
    lm_loss l = {0};
    double norm;

    if (lm_nn_new(&nn, m, &(lm_nn_opt){.rows = rows, .seq = seq, .pool = pool, .train = !logits}) <
        0)
        return fail("new");
    b.in = input(t, 4);
    b.start = input(t, 4);
    b.end = input(t, 4);
    if (logits) {
        float *o = lm_zalloc(t * m->cfg.vocab, sizeof *o);

        if (lm_nn_logits(nn, &b, o) < 0)
            return fail("logits");
        fwrite(o, 4, t * m->cfg.vocab, stdout);
        return 0;
    }
    b.target = input(t, 4);
    b.weight = input(t, 1);
    for (uint64_t i = 0; i < steps; i++) {
        l = (lm_loss){0};
        if (lm_nn_fwdbwd(nn, &b, &l) < 0)
            return fail("step");
        l.loss /= (double)l.weight;
        fwrite(&l.loss, 8, 1, stdout);
        if (!strcmp(verb, "grads")) {
            for (size_t j = 0; j < m->nt; j++) {
                printf("%s %zu\n", m->t[j].name, m->t[j].n);
                fwrite(lm_nn_array(nn, LM_NN_GRAD, j), 4, m->t[j].n, stdout);
            }
            return 0;
        }
        if (lm_nn_update(
                nn,
                &(lm_adamw){.lr = lr, .beta1 = .9, .beta2 = .95, .eps = 1e-8, .wd = .1, .clip = 1},
                &norm) < 0)
            return fail("update");
    }
    lm_nn_free(nn);
    return 0;
}

static int greedy(const lm_model *m, uint32_t n, uint32_t chunk)
{
    uint32_t id, at = 0, len = 0, ids[4096];
    float *o = lm_zalloc(m->cfg.vocab, sizeof *o);
    lm_kv *kv;

    while (len < 4096 && fread(&id, 4, 1, stdin) == 1)
        ids[len++] = id;
    if (lm_kv_new(&kv, m, 1, len + n, chunk > len ? chunk : len, pool) < 0)
        return fail("kv");
    for (uint32_t c; at < len; at += c) {
        c = len - at < chunk ? len - at : chunk;
        if (lm_kv_step(kv, &(lm_kv_item){0, c, ids + at, at + c == len}, 1, o) < 0)
            return fail("prefill");
    }
    for (uint32_t i = 0; i < n; i++) {
        id = 0;
        for (uint32_t j = 1; j < m->cfg.vocab; j++)
            if (o[j] > o[id])
                id = j;
        fwrite(&id, 4, 1, stdout);
        if (i + 1 < n && lm_kv_step(kv, &(lm_kv_item){0, 1, &id, 1}, 1, o) < 0)
            return fail("decode");
    }
    lm_kv_free(kv);
    free(o);
    return 0;
}

static int init(const char *family, const char *dir)
{
    lm_cfg c;
    lm_model *m;

    for (int f = 0; f < LM_NFAM; f++) {
        lm_cfg_default(&c, f);
        if (!strcmp(family, lm_family_of(&c)->type))
            break;
    }
    c.dt = dt, c.vocab = 131, c.dim = 72, c.layers = 3, c.heads = 6, c.kv_heads = 2,
    c.head_dim = 16, c.ffn = 110, c.ctx = 256;
    if (!lm_family_of(&c)->rotary)
        c.kv_heads = c.heads, c.head_dim = c.dim / c.heads, c.ffn = 4 * c.dim;
    c.tie = c.family == LM_FAM_QWEN3, c.eos = 3, c.init_range = 0.1;
    return lm_model_init(&m, &c, 11) < 0 || lm_model_save(m, dir) < 0 ? fail(dir) : 0;
}

int main(int argc, char **argv)
{
    uint64_t n[4] = {0};
    lm_model *m;
    const char *e;
    double lr = 0;

    if ((e = getenv("LM_DT")))
        dt = !strcmp(e, "bf16") ? LM_BF16 : LM_F32;
    if ((e = getenv("LM_THREADS")) && lm_parse_u64(lm_cstr(e), &n[0]))
        pool = lm_pool_new((unsigned)n[0]);
    if (argc < 4)
        return 2;
    if (!strcmp(argv[1], "init"))
        return argc < 5 ? 2 : init(argv[2], argv[4]);
    if (lm_model_load(&m, argv[2], dt, strcmp(argv[1], "greedy") ? LM_MODEL_RW : 0) < 0)
        return fail(argv[2]);
    if (!strcmp(argv[1], "save"))
        return lm_model_save(m, argv[3]) < 0 ? fail(argv[3]) : 0;
    for (int i = 3; i < argc && i < 6; i++)
        if (!lm_parse_u64(lm_cstr(argv[i]), &n[i - 3]))
            return 2;
    if (!strcmp(argv[1], "greedy"))
        return greedy(m, (uint32_t)n[0], (uint32_t)n[1]);
    if (argc > 6 && !lm_parse_f64(lm_cstr(argv[6]), &lr))
        return 2;
    return train(argv[1], m, (uint32_t)n[0], (uint32_t)n[1], n[2] ? n[2] : 1, lr);
}
