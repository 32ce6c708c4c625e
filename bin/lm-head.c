/* lm-head: pass the first records and leave.
   Apart from lm-sample: it stops reading as soon as it has them, and ends its output itself. */
#include "lm.h"

static uint64_t count = UINT64_MAX, bytes = UINT64_MAX, skip;
static const lm_opt opts[] = {LM_NUM('n', "count", &count, 0, UINT64_MAX - 1, "N",
                                     "at most N records (10, unless --bytes is given)"),
                              LM_SIZE(0, "bytes", &bytes, 0, UINT64_MAX - 1, "SIZE",
                                      "records whose bodies have at most SIZE bytes in all"),
                              LM_NUM(0, "skip", &skip, 0, UINT64_MAX - 1, "N",
                                     "leave out N records first"),
                              LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-head",
                             .does = "pass the first records",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED};

static void no_note(void *ctx, lm_str line)
{
    (void)ctx;
    (void)line;
}

/* Goes past the records to leave out, by an index where there is a fresh one. Notes at the head of
   the input count; those on the way are left out too, so that the way does not show. */
static int pass(lm_in *in)
{
    lm_rec r = {0};
    uint64_t len, done = 0;
    int err = 1;

    while (done < skip && (err = lm_next_head(in, &r, &len)) == 1) {
        if (++done > 1)
            continue;
        lm_in_on_note(in, no_note, NULL);
        len = lm_in_jump(in, skip);
        done = len ? len : done;
    }
    lm_rec_free(&r);
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    uint64_t n = 0, b = 0;
    lm_rec r = {0};
    int err = 1;

    if (count == UINT64_MAX && bytes == UINT64_MAX)
        count = 10;
    if (skip)
        err = pass(in);
    while (err == 1 && n < count && (err = lm_next(in, &r)) == 1) {
        if (r.body.n > bytes - b)
            break;
        if (!n && skip)
            lm_in_on_note(in, NULL, NULL);
        b += r.body.n;
        n++;
        err = lm_put(out, &r);
        err = err < 0 ? err : 1;
    }
    lm_rec_free(&r);
    return err < 0 ? err : 0;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
