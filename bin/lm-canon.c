/* lm-canon: write records in their one canonical form: keys sorted, escapes minimal, no padding, no
   notes. Apart from lm-cat: equal data gets equal bytes, for hashes and goldens. */
#include "lm.h"

static const lm_opt opts[] = {LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-canon",
                             .does = "write records in canonical form",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR};

static int one(lm_rec *r, void *ctx)
{
    (void)ctx;
    lm_rec_canon(r);
    return LM_KEEP;
}

static int run(lm_in *in, lm_out *out)
{
    lm_out_bare(out);
    return lm_map(in, out, LM_JOBS, one, NULL);
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
