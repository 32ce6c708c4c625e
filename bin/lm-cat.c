/* lm-cat: join streams to one, decompress and compress them.
   Apart from cat: one head, one end, checked counts, and frames that readers can start at. */
#include "lm.h"

static uint64_t frame = 4 << 20;
static const lm_opt opts[] = {LM_SIZE(0, "frame", &frame, 4096, 1 << 30, "SIZE",
                                      "of compressed output, bytes a frame (4M)"),
                              LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-cat",
                             .does = "join, compress and decompress streams",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED,
                             .epilog = "-o X.lm.gz and -o X.lm.zst compress."};

static bool ends(const char *s, const char *tail)
{
    size_t n = s ? strlen(s) : 0, k = strlen(tail);

    return n > k && !strcmp(s + n - k, tail);
}

static int run(lm_in *in, lm_out *out)
{
    bool packed = ends(lm_common.out, ".gz") || ends(lm_common.out, ".zst");
    uint64_t since = 0;
    lm_rec r = {0};
    int err;

    while ((err = lm_next(in, &r)) == 1) {
        if (packed && since && since + r.raw.n > frame) {
            if ((err = lm_out_seg(out)) < 0)
                break;
            since = 0;
        }
        since += r.raw.n;
        if ((err = lm_put(out, &r)) < 0)
            break;
    }
    lm_rec_free(&r);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
