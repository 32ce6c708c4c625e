/* Fuzz target: any bytes as the state.json of a checkpoint that a run goes on from. What is taken
   without a change allowed has the recipe of the run; written again it is read the same. */
#include "nn/traini.h"
#include <fcntl.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static char dir[40];

static void gone(void)
{
    lm_rmtree(dir);
}

static void put(const char *p, size_t n)
{
    char path[64];
    int fd;

    snprintf(path, sizeof path, "%s/state.json", dir);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || lm_write_all(fd, p, n) || close(fd))
        abort();
}

static lm_trainer make(void)
{
    static lm_train_opt o;
    lm_trainer t = {.o = &o};
    lm_nn_opt n = {.rows = 1, .seq = 4, .train = true};
    lm_cfg c;

    snprintf(dir, sizeof dir, "%s/lm-fuzz-state.XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    if (!mkdtemp(dir))
        abort();
    atexit(gone);
    lm_cfg_default(&c, LM_FAM_GPT2);
    c.vocab = c.ffn = c.ctx = c.dim = 4;
    c.layers = c.heads = c.kv_heads = 1;
    c.head_dim = 4;
    if (lm_model_init(&t.m, &c, 0) < 0 || lm_nn_new(&t.nn, t.m, &n) < 0)
        abort();
    lm_settings_add(&t.recipe, "seed", "0");
    lm_settings_add(&t.recipe, "opt", "muon");
    lm_settings_add(&t.recipe, "lr x", "%s", "a \"b\"\n");
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static lm_trainer t;
    lm_train_opt o = {0};
    lm_buf drift = {0}, none = {0}, text = {0};
    uint64_t step, samples;
    int strict, lax;

    if (!*dir)
        t = make();
    t.o = &o;
    put((const char *)p, n);
    strict = lm_trainer_recall(&t, dir, &none);
    if (none.n)
        abort(); /* nothing may change unasked */
    o.allow_drift = true;
    lax = lm_trainer_recall(&t, dir, &drift);
    if (!strict != (!lax && !drift.n))
        abort();
    if (!lax) {
        step = t.step;
        samples = t.samples;
        lm_trainer_state(&t, &text);
        put(text.p, text.n);
        o.allow_drift = false;
        if (lm_trainer_recall(&t, dir, &none) || t.step != step || t.samples != samples)
            abort();
    }
    lm_buf_free(&drift);
    lm_buf_free(&none);
    lm_buf_free(&text);
    return 0;
}
