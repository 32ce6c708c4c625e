/* lm-train: train a model from token shards or a stream, with exact resume.
   Apart from lm-init: weights are made there, here they are only moved. */
#include "lm.h"

static lm_train_args args = LM_TRAIN_ARGS;
static const lm_opt opts[] = {LM_TRAIN_OPTS(args), LM_COMMON, LM_END};
static const lm_tool tool = {
    .name = "lm-train",
    .does = "train a model",
    .args = "SHARDS...",
    .opts = opts,
    .flags = LM_FOREIGN | LM_FILES | LM_PAR,
    .epilog = "SHARDS: folders of lm-shard, single shards, or - for a stream of tokens.\n"
              "-o RUN is the folder of the run: checkpoints, metrics.lm, ledger.lm.\n"};

static int run(lm_in *in, lm_out *out)
{
    const char **shards;
    lm_train_opt o;
    int err = lm_train_take(&o, &args, &shards);

    (void)in;
    (void)out;
    o.run = lm_common.out;
    o.jobs = lm_jobs();
    o.verbose = lm_common.verbose;
    if (!err && !o.run)
        err = lm_err(LM_EUSAGE, "-o RUN is needed");
    if (!err)
        err = lm_train(&o);
    free(shards);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
