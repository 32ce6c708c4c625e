/* lm-ckpt-prune: remove old checkpoints of a run by the rule of lm-train.
   Apart from rm(1): it knows which ones may go, looks before it removes, and never takes the last
   whole one or one that a trainer holds. */
#include "lm.h"
#include <inttypes.h>
#include <unistd.h>

static uint64_t keep = 3, major = 10, every = 1000;
static bool force, tsv;
static const lm_opt opts[] = {LM_NUM(0, "keep", &keep, 1, 1 << 20, "N",
                                     "newest checkpoints kept (3)"),
                              LM_NUM(0, "major", &major, 0, 1 << 20, "N",
                                     "every N-th checkpoint is kept for ever, 0 = none (10)"),
                              LM_NUM(0, "every", &every, 1, 1ull << 40, "N",
                                     "steps between checkpoints: lm-train's --ckpt-every (1000)"),
                              LM_FLAG('f', "force", &force,
                                      "remove them; without, only tell which"),
                              LM_FLAG(0, "tsv", &tsv, "a table for scripts: path, step, bytes"),
                              LM_COMMON,
                              LM_END};
static const lm_tool tool = {.name = "lm-ckpt-prune",
                             .does = "remove old checkpoints of a run",
                             .args = "RUN",
                             .opts = opts,
                             .flags = LM_FOREIGN | LM_TEXT};

/* A line of what goes. */
static int tell(const char *path, const char *step)
{
    uint64_t bytes;
    char size[16];
    lm_buf shown = {0};
    int err = lm_tree_bytes(path, &bytes);

    if (err)
        return err;
    lm_fmt_bytes(size, bytes);
    lm_pct_encode(&shown, lm_cstr(path));
    if (tsv)
        printf("%s\t%s\t%" PRIu64 "\n", shown.p, step, bytes);
    else
        printf("%s  %s\n", shown.p, size);
    lm_buf_free(&shown);
    return 0;
}

/* What killed writers left: nobody writes now. */
static int litter(const char *run)
{
    lm_buf path = {0};
    char **v;
    size_t n;
    int err = lm_ckpt_litter(run, &v, &n);

    for (size_t i = 0; i < n; i++) {
        path.n = 0;
        lm_buf_addf(&path, "%s/%s", run, v[i]);
        if (!err)
            err = tell(path.p, "");
        if (!err && force)
            err = lm_rmtree(path.p);
        free(v[i]);
    }
    free(v);
    lm_buf_free(&path);
    return err;
}

static int checkpoints(const char *run)
{
    lm_buf path = {0};
    uint64_t *v, period;
    size_t n;
    int err;

    if (!lm_mul_ok(major, every, &period))
        return lm_err(LM_EUSAGE, "--major times --every is too large");
    err = lm_ckpt_spare(run, keep, period, LM_NO_STEP, &v, &n);
    for (size_t i = 0; !err && i < n; i++) {
        char step[24];

        snprintf(step, sizeof step, "%" PRIu64, v[i]);
        lm_ckpt_path(run, v[i], &path);
        err = tell(path.p, step);
        if (!err && force)
            err = lm_ckpt_remove(run, v[i]);
    }
    free(v);
    lm_buf_free(&path);
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    const char *dir = lm_arg(0).p;
    uint64_t *v;
    size_t n;
    int err;

    (void)in;
    (void)out;
    if (access(dir, R_OK | X_OK))
        return lm_err_sys(dir, "cannot read");
    if (tsv)
        puts("path\tstep\tbytes");
    err = lm_ckpt_list(dir, &v, &n);
    free(v);
    /* a folder that is no run gets no lock */
    if (err || (err = lm_run_lock(dir, force && n)) || (err = litter(dir)))
        return err;
    return checkpoints(dir);
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
