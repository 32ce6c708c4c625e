/* Training and generation: the bits do not depend on threads, instruction level, batch or chunks;
   and the refusals of the interface. */
#include "nn/nn.h"
#include "kernels/kern.h"
#include <math.h>
#include <unistd.h>

static int n, bad;

static void ok(bool yes, const char *what)
{
    n++;
    bad += !yes;
    printf("%sok %d - %s\n", yes ? "" : "not ", n, what);
}

enum { ROWS = 3, SEQ = 70, TOK = ROWS * SEQ };

static lm_model *model(int family, int dt)
{
    lm_cfg c;
    lm_model *m;

    lm_cfg_default(&c, family);
    c.dt = dt, c.vocab = 101, c.dim = 40, c.layers = 2, c.heads = 4, c.kv_heads = 2,
    c.head_dim = 14, c.ffn = 51, c.ctx = 128;
    c.tie = family == LM_FAM_QWEN3, c.init_range = 0.1;
    if (!lm_family_of(&c)->rotary)
        c.kv_heads = c.heads = 5, c.head_dim = 8, c.ffn = 120;
    if (family == LM_FAM_MPT) /* all that attention can have, with slopes for five heads */
        c.qk_ln = true, c.clip = 1.5, c.softcap = 2;
    if (family == LM_FAM_QWEN2)
        c.window = 9, c.window_from = 1;
    if (lm_model_init(&m, &c, 3) < 0)
        exit(1);
    for (size_t i = 0; i < m->nt; i++) /* biases that are not zero */
        if (m->t[i].flags & LM_T_BIAS)
            for (size_t j = 0; j < m->t[i].n; j++)
                m->w[m->t[i].off + j] = 0.01f * (float)(j % 7) - 0.02f;
    return m;
}

static void batch(uint32_t *in, uint32_t *target, uint32_t *start, uint32_t *end, uint8_t *weight)
{
    uint64_t s = 5;

    for (uint32_t i = 0; i < TOK; i++) {
        in[i] = (uint32_t)(lm_splitmix(&s) % 101);
        target[i] = (uint32_t)(lm_splitmix(&s) % 101);
        weight[i] = (uint8_t)(lm_splitmix(&s) % 3);
        start[i] = i % SEQ < 30 ? 0 : i % SEQ < 66 ? 30 : 66;
        end[i] = i % SEQ < 11 ? 10 : i % SEQ >= 30 && i % SEQ < 65 ? 64 : i % SEQ;
    }
}

/* Three steps of two micro-batches; the hash of everything that came out. */
static lm_id train(const char *level, int family, int dt, unsigned threads, int recompute)
{
    uint32_t in[TOK], target[TOK], start[TOK], end[TOK];
    uint8_t weight[TOK];
    lm_model *m = model(family, dt);
    lm_pool *p = threads ? lm_pool_new(threads) : NULL;
    lm_nn *nn;
    lm_loss l = {0};
    lm_buf b = {0};
    double norm = 0;
    lm_id id = {0, 0};

    setenv("LM_DEVICE", level, 1);
    batch(in, target, start, end, weight);
    if (lm_nn_new(&nn, m,
                  &(lm_nn_opt){.rows = ROWS,
                               .seq = SEQ,
                               .pool = p,
                               .train = true,
                               .zloss = 1e-4f,
                               .recompute = recompute}) < 0) {
        printf("# %s\n", lm_last_error()->detail);
        return id;
    }
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 2; j++) {
            lm_nn_fwdbwd(nn, &(lm_batch){in, target, weight, j ? start : NULL, i ? end : NULL}, &l);
            lm_buf_add(&b, &l.loss, sizeof l.loss);
            lm_buf_add(&b, &l.z, sizeof l.z);
        }
        if (lm_nn_update(
                nn,
                &(lm_adamw){
                    .lr = 0.01, .beta1 = .9, .beta2 = .95, .eps = 1e-8, .wd = .1, .clip = 1},
                &norm) < 0)
            printf("# %s\n", lm_last_error()->detail);
        lm_buf_add(&b, &norm, sizeof norm);
    }
    lm_buf_add(&b, m->w, m->n * 4);
    lm_buf_add(&b, lm_nn_array(nn, LM_NN_V, 0), m->n * 4);
    id = lm_hash128(b.p, b.n);
    lm_buf_free(&b);
    lm_nn_free(nn);
    lm_model_free(m);
    lm_pool_free(p);
    return id;
}

static void bits(void)
{
    static const char *const level[] = {"avx2", "avx512f", "avx512"};

    for (int v = 0; v < 2 * LM_NFAM; v++) {
        int family = v / 2, dt = v % 2;
        lm_id want = train("ref", family, dt, 0, 0), got;

        printf("# family %d, %s\n", family, dt ? "bf16" : "f32");
        got = train("ref", family, dt, 3, 0);
        ok(!lm_id_cmp(want, got), "ref: three threads train the same bits");
        for (size_t i = 0; i < LM_COUNT(level); i++)
            for (unsigned t = 1; t < 4 && lm_kern_level(level[i]); t += family < 2 ? 1 : 2) {
                got = train(level[i], family, dt, t, 0);
                ok(!lm_id_cmp(want, got), level[i]);
            }
    }
    unsetenv("LM_DEVICE");
}

/* What is computed again has the bits it had, and less is kept. */
static void again(void)
{
    for (int family = 0; family < LM_NFAM; family++) {
        lm_id want = train("auto", family, LM_BF16, 2, 0);
        lm_model *m = model(family, LM_BF16);
        size_t bytes[3] = {0};

        for (int r = 0; r < 3; r++) {
            lm_nn_opt o = {.rows = ROWS, .seq = SEQ, .train = true, .recompute = r};
            lm_nn *nn;

            ok(!r || !lm_id_cmp(train("auto", family, LM_BF16, r, r), want),
               "recomputing trains the same bits");
            if (lm_nn_need(m, &o, &bytes[r], NULL) < 0 || lm_nn_new(&nn, m, &o) < 0)
                exit(1);
            ok(lm_nn_bytes(nn) == bytes[r] && (!r || bytes[r] < bytes[r - 1]),
               "takes what it says, and less memory");
            lm_nn_free(nn);
        }
        lm_model_free(m);
    }
    unsetenv("LM_DEVICE");
}

/* Text of a sequence decoded alone, token by token. */
static void alone(const lm_model *m, const uint32_t *ids, uint32_t len, float *out)
{
    lm_kv *kv;

    if (lm_kv_new(&kv, m, 1, 128, 1, NULL) < 0)
        exit(1);
    for (uint32_t i = 0; i < len; i++)
        lm_kv_step(kv, &(lm_kv_item){0, 1, ids + i, 1}, 1, out + i * m->cfg.vocab);
    lm_kv_free(kv);
}

static void cache(int family, int dt)
{
    enum { S = 3, LEN = 100, V = 101 };
    lm_model *m = model(family, dt);
    uint32_t ids[S][LEN], len[S] = {100, 71, 65};
    float *want[S], *got = lm_zalloc(S * LEN * V, 4);
    lm_pool *p = lm_pool_new(2);
    lm_kv *kv;
    uint64_t s = 77;
    bool same = true, copied;

    for (int i = 0; i < S; i++) {
        for (int j = 0; j < LEN; j++)
            ids[i][j] = (uint32_t)(lm_splitmix(&s) % V);
        want[i] = lm_zalloc(LEN * V, 4);
        alone(m, ids[i], len[i], want[i]);
    }
    if (lm_kv_new(&kv, m, S + 1, 128, 300, p) < 0)
        exit(1);
    /* a ragged prefill with all logits, then ragged chunks, then single tokens */
    for (uint32_t round = 0; round < 40; round++) {
        lm_kv_item it[S];
        size_t k = 0, rows = 0;

        for (uint32_t i = 0; i < S; i++) {
            uint32_t at = lm_kv_len(kv, i), c = round == 0  ? 30 + i * 9
                                                : round < 4 ? 3 + (i + round) % 3
                                                            : 1;

            if (at + c <= len[i])
                it[k++] = (lm_kv_item){i, c, ids[i] + at, 2};
        }
        if (lm_kv_step(kv, it, k, got) < 0)
            same = false;
        for (size_t q = 0; q < k; rows += it[q].n, q++)
            same = same && !memcmp(got + rows * V,
                                   want[it[q].seq] + (size_t)(it[q].ids - ids[it[q].seq]) * V,
                                   it[q].n * V * 4);
    }
    ok(same, dt ? "bf16 cache: batches and chunks do not change a bit"
                : "f32 cache: batches and chunks do not change a bit");
    lm_kv_copy(kv, S, 0);
    lm_kv_trim(kv, S, 41);
    copied = !lm_kv_step(kv, &(lm_kv_item){S, 5, ids[0] + 41, 1}, 1, got) &&
             !memcmp(got, want[0] + 45 * V, V * 4);
    ok(copied, "a copy that is cut goes on from there");
    ok(lm_kv_step(kv, &(lm_kv_item){0, 100, ids[0], 1}, 1, got) == LM_EINVALID,
       "a full cache is refused");
    ids[0][0] = V;
    ok(lm_kv_step(kv, &(lm_kv_item){S, 1, ids[0], 1}, 1, got) == LM_EINVALID,
       "an id beyond the vocabulary is refused");
    lm_kv_free(kv);
    lm_pool_free(p);
    lm_model_free(m);
    for (int i = 0; i < S; i++)
        free(want[i]);
    free(got);
}

static void refusals(void)
{
    uint32_t in[TOK] = {0}, target[TOK] = {0}, start[TOK] = {0}, end[TOK];
    uint8_t none[TOK] = {0};
    lm_model *m = model(LM_FAM_LLAMA, LM_F32);
    lm_loss l = {0};
    lm_nn *nn;
    double norm;
    lm_adamw o = {.lr = 1, .beta1 = .9, .beta2 = .95, .eps = 1e-8};

    setenv("LM_DEVICE", "quantum", 1);
    ok(lm_nn_new(&nn, m, &(lm_nn_opt){.rows = 1, .seq = 8, .train = true}) == LM_EUSAGE,
       "an unknown LM_DEVICE is refused");
    setenv("LM_DEVICE", "cuda", 1);
    ok(lm_nn_new(&nn, m, &(lm_nn_opt){.rows = 1, .seq = 8, .train = true}) == LM_EDEVICE,
       "an absent device is refused");
    unsetenv("LM_DEVICE");
    ok(lm_nn_new(&nn, m, &(lm_nn_opt){.rows = 1, .seq = 129, .train = true}) == LM_EINVALID,
       "rows longer than the model's context are refused");
    if (lm_nn_new(&nn, m, &(lm_nn_opt){.rows = ROWS, .seq = SEQ, .train = true}) < 0)
        exit(1);
    in[7] = 101;
    ok(lm_nn_fwdbwd(nn, &(lm_batch){.in = in, .target = target}, &l) == LM_EINVALID,
       "an id beyond the vocabulary is refused");
    in[7] = 0, start[3] = 9;
    ok(lm_nn_fwdbwd(nn, &(lm_batch){in, target, NULL, start, NULL}, &l) == LM_EINVALID,
       "a document that starts in the future is refused");
    for (uint32_t i = 0; i < TOK; i++)
        start[i] = i % SEQ < 30 ? 0 : 30, end[i] = i % SEQ < 20 ? 19 : i % SEQ;
    ok(!lm_nn_loss(nn, &(lm_batch){in, target, NULL, start, end}, &l), "a prefix is taken");
    for (int i = 0; i < 4; i++) { /* beyond the row, the document, behind the token, falling */
        static const uint32_t at[] = {SEQ + 25, 19, SEQ + 40, 3}, to[] = {SEQ, 30, 39, 18};
        uint32_t was = end[at[i]];

        end[at[i]] = to[i];
        ok(lm_nn_loss(nn, &(lm_batch){in, target, NULL, start, end}, &l) == LM_EINVALID,
           "a prefix that cannot be is refused");
        end[at[i]] = was;
    }
    ok(lm_nn_update(nn, &o, &norm) == LM_EINVALID, "an update without a gradient is refused");
    l = (lm_loss){0};
    ok(!lm_nn_fwdbwd(nn, &(lm_batch){.in = in, .target = target, .weight = none}, &l) &&
           l.weight == 0 && lm_nn_update(nn, &o, &norm) == LM_EINVALID,
       "and one without weights");
    m->w[0] = NAN;
    lm_nn_repack(nn);
    lm_nn_clear(nn);
    ok(!lm_nn_fwdbwd(nn, &(lm_batch){.in = in, .target = target}, &l) &&
           lm_nn_update(nn, &o, &norm) == LM_EDIVERGED,
       "a gradient that is not finite is told");
    lm_nn_free(nn);
    lm_model_free(m);
}

/* The gradient of the attention's matrices against the loss on both sides of a step along it. */
static void slope(int family, const char *part)
{
    uint32_t in[TOK], target[TOK], start[TOK], end[TOK];
    uint8_t weight[TOK];
    lm_model *m = model(family, LM_F32);
    lm_batch b = {in, target, weight, start, end};
    float *g = lm_zalloc(m->n, sizeof *g), *was = lm_memdup(m->w, m->n * sizeof *m->w);
    double norm = 0, side[2] = {0}, h;
    lm_nn *nn;
    lm_loss l = {0};

    batch(in, target, start, end, weight);
    if (lm_nn_new(&nn, m, &(lm_nn_opt){.rows = ROWS, .seq = SEQ, .train = true}) < 0 ||
        lm_nn_fwdbwd(nn, &b, &l) < 0)
        exit(1);
    for (size_t i = 0; i < m->nt; i++)
        if (strstr(m->t[i].name, part))
            memcpy(g + m->t[i].off, lm_nn_array(nn, LM_NN_GRAD, i), m->t[i].n * 4);
    for (size_t i = 0; i < m->n; i++)
        norm += (double)g[i] * g[i];
    h = 0.01 / sqrt(norm);
    printf("# %s: ", lm_family_of(&m->cfg)->type);
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; i < m->n; i++)
            m->w[i] = was[i] + (float)(s ? h : -h) * g[i];
        lm_nn_repack(nn);
        l = (lm_loss){0};
        if (lm_nn_loss(nn, &b, &l) < 0)
            exit(1);
        side[s] = l.loss / TOK;
    }
    h = (side[1] - side[0]) / (2 * h * norm);
    printf("slope %.6f of what the gradient says\n", h);
    ok(fabs(h - 1) < 1e-3, "the gradient, with prefixes, is the slope of the loss");
    lm_nn_free(nn);
    lm_model_free(m);
    free(g);
    free(was);
}

static void schedule(void)
{
    bool good = true;

    good = good && lm_sched(LM_SCHED_WSD, 1, 0, 100, 10, 20) < 0.1 &&
           lm_sched(LM_SCHED_WSD, 1, 10, 100, 10, 20) == 1;
    good = good && lm_sched(LM_SCHED_WSD, 1, 79, 100, 10, 20) == 1 &&
           fabs(lm_sched(LM_SCHED_WSD, 1, 85, 100, 10, 20) - 0.5) < 1e-12;
    good = good && fabs(lm_sched(LM_SCHED_COSINE, 2, 55, 100, 10, 0) - 1) < 1e-12 &&
           fabs(lm_sched(LM_SCHED_LINEAR, 2, 55, 100, 10, 0) - 1) < 1e-12;
    good = good && lm_sched(LM_SCHED_CONST, 3, 99, 100, 0, 0) == 3 &&
           lm_sched(LM_SCHED_COSINE, 1, 100, 100, 0, 0) == 0;
    ok(good, "schedules pass through the points they should");
}

int main(void)
{
    bits();
    again();
    for (int f = 0; f < LM_NFAM; f++)
        if (f != LM_FAM_LLAMA) {
            cache(f, LM_F32);
            cache(f, LM_BF16);
        }
    refusals();
    slope(LM_FAM_QWEN3, "self_attn");
    slope(LM_FAM_QWEN2, "self_attn");
    slope(LM_FAM_QWEN2, ".bias");
    slope(LM_FAM_GPT2, "");
    slope(LM_FAM_GPT2, "wpe");
    slope(LM_FAM_MPT, "");
    schedule();
    printf("1..%d\n", n);
    return bad != 0;
}
