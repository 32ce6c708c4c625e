/* hop FILE: reads every record of a stream by lm_next and prints how many and the nanoseconds it took: what the
   reader alone costs, for tests/bench/pipe.sh. */
#include "lm.h"

int main(int argc, char **argv)
{
    lm_in *in = lm_in_open(argc > 1 ? argv[1] : "-", 0);
    lm_rec r = {0};
    uint64_t n = 0;
    double t = lm_now();
    int rc;

    while ((rc = lm_next(in, &r)) > 0)
        n++;
    printf("%llu %.0f\n", (unsigned long long)n, (lm_now() - t) * 1e9);
    lm_rec_free(&r);
    lm_in_close(in);
    return rc < 0;
}
