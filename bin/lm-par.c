/* lm-par: deal a stream to N copies of a filter and gather their output in order.
   Apart from -j of the filters: it speeds up any record-local command that speaks the format. */
#include "lm.h"

static const lm_opt opts[] = {LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-par",
                             .does = "run copies of a filter side by side",
                             .args = "CMD",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR};

static int run(lm_in *in, lm_out *out)
{
    return lm_deal(in, out, lm_arg(0).p, lm_jobs());
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
