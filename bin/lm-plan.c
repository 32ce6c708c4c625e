/* lm-plan: tell what a training would take, memory, time and disk, before it is begun.
   Apart from lm-train: it takes the same options and asks the same planners, but reads no weights
   and takes no memory, so it plans on any machine for any other. */
#include "lm.h"
#include <inttypes.h>

static lm_train_args args = LM_TRAIN_ARGS;
static uint64_t ranks = 1, mem;
static bool tsv;
static const lm_opt opts[] = {LM_NUM(0, "ranks", &ranks, 1, 65536, "N",
                                     "processes that share the micro-batches of a step (1)"),
                              LM_SIZE(0, "mem", &mem, 1, 1ull << 50, "SIZE",
                                      "memory of the machine (of this one)"),
                              LM_FLAG(0, "tsv", &tsv, "a table for scripts: key, value"),
                              LM_TRAIN_OPTS(args),
                              LM_COMMON,
                              LM_END};
static const lm_tool tool = {.name = "lm-plan",
                             .does = "tell what a training would take",
                             .args = "[SHARDS...]",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_TEXT | LM_PAR,
                             .epilog = "Options are those of lm-train, but for -o.\n"};

/* A line of the report: a heading, or a key with its value; note says more, for people alone. */
static void head(const char *s)
{
    if (!tsv)
        printf("%s\n", s);
}

static void text(const char *key, const char *value, const char *note)
{
    if (tsv)
        printf("%s\t%s\n", key, value);
    else
        printf("  %-18s %15s%s%s\n", key, value, *note ? "  " : "", note);
}

static void number(const char *key, uint64_t n, const char *note)
{
    char s[24];

    snprintf(s, sizeof s, "%" PRIu64, n);
    text(key, s, note);
}

static void bytes(const char *key, uint64_t n, const char *note)
{
    char s[16];

    lm_fmt_bytes(s, n);
    if (tsv)
        number(key, n, "");
    else
        text(key, s, note);
}

/* The shortest that reads back for scripts, some digits for people. */
static void real(const char *key, double v, const char *note)
{
    char s[32];

    if (tsv)
        lm_fmt_f64(s, v);
    else
        snprintf(s, sizeof s, "%.4g", v);
    text(key, s, note);
}

static void run_of(const lm_train_facts *f)
{
    char note[64] = "";

    head("run");
    text("family", f->family, "");
    number("params", f->params, "");
    if (f->trained != f->params || tsv)
        number("trained", f->trained, "the others are frozen");
    number("seq", f->seq, "tokens a row");
    number("micro", f->micro, "rows a micro-batch");
    number("micro-batches", f->batches, "a step");
    number("batch-tokens", f->batch_tokens, "a step");
    number("steps", f->steps, "");
    snprintf(note, sizeof note, "%.3g a parameter",
             (double)f->steps * (double)f->batch_tokens / (double)f->params);
    number("tokens", f->steps * f->batch_tokens, note);
    if (f->rows) {
        number("data-tokens", f->data_tokens, "of SHARDS");
        real("epochs", (double)f->steps * (double)(f->batch_tokens / f->seq) / (double)f->rows,
             "times through SHARDS");
    }
    number("warmup-end", f->warm, "steps, from here on the rate is full");
    number("decay-start", f->fall, "steps, behind them it falls");
}

static void memory_of(const lm_train_facts *f)
{
    static const struct {
        int part;
        const char *key, *note;
    } part[] = {{LM_PART_FORWARD, "forward", "weights packed for the way forth"},
                {LM_PART_BACK, "backward", "and once more for the way back"},
                {LM_PART_MOMENTS, "moments", "of the optimiser, f32"},
                {LM_PART_GRADS, "gradients", "f32"},
                {LM_PART_EMA, "ema", "average of the weights, f32"},
                {LM_PART_ACTS, "activations", "what the way back needs of the way forth"},
                {LM_PART_WORK, "work", "gradients of activations, scratch of each thread"}};
    char change[64] = "";

    head("memory");
    bytes("master", f->masters, "weights, f32");
    for (size_t i = 0; i < LM_COUNT(part); i++)
        if (f->part[part[i].part] || tsv)
            bytes(part[i].key, f->part[part[i].part], part[i].note);
    bytes("arena", f->arena, "all but the masters, taken in one piece");
    bytes("batch", f->batch, "rows read");
    bytes("all", f->masters + f->arena + f->batch, "");
    text("recompute", lm_recompute_name(f->recompute), "");
    bytes("room", f->room, "nine tenths of the memory");
    text("fits", tsv ? f->fits ? "1" : "0" : f->fits ? "yes" : "no", "");
    if (!f->fits && f->fit_micro) {
        if (f->fit_micro != f->micro)
            snprintf(change, sizeof change, "--micro %" PRIu32 " ", f->fit_micro);
        snprintf(change + strlen(change), sizeof change - strlen(change), "--recompute %s",
                 lm_recompute_name(f->fit_recompute));
    }
    if (!f->fits && !tsv)
        printf("  would fit: %s\n", f->fit_micro ? change : "nothing; the model is too large");
    if (tsv) {
        text("change", change, "");
        bytes("change-arena", f->fits || !f->fit_micro ? 0 : f->fit_bytes, "");
    }
}

static void time_of(const lm_train_facts *f)
{
    head("time");
    real("gflop-token", f->flops / 1e9, "of a token's training");
    if (f->again > 0 || tsv)
        real("gflop-again", f->again / 1e9, "computed a second time, a token");
    if (f->update > 0 || tsv)
        real("gflop-update", f->update / 1e9, "of Muon's products, a step");
    if (f->timed) {
        real("tokens-second", f->tps, "at most: all at the peaks of --peaks");
        real("hours", f->seconds / 3600, "at least");
    } else if (tsv) {
        text("tokens-second", "", "");
        text("hours", "", "");
    } else {
        puts("  tokens-second      not known: no peaks.lm\n"
             "  hours              not known: no peaks.lm");
    }
}

static void disk_of(const lm_train_facts *f)
{
    head("disk");
    bytes("checkpoint", f->ckpt, "weights and state; tokenizer and settings on top");
    number("checkpoints", f->ckpts, "kept at most");
    bytes("run", f->ckpt * (f->ckpts + 1), "with one more while it is written");
}

static int run(lm_in *in, lm_out *out)
{
    const char **shards;
    lm_train_facts f;
    lm_train_opt o;
    int err = lm_train_take(&o, &args, &shards);

    (void)in;
    (void)out;
    o.jobs = lm_jobs();
    if (!err)
        err = lm_train_plan(&o, mem, (unsigned)ranks, &f);
    free(shards);
    if (err)
        return err;
    if (tsv)
        puts("key\tvalue");
    run_of(&f);
    memory_of(&f);
    time_of(&f);
    disk_of(&f);
    return f.fits ? LM_DONE : LM_NO;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
