/* Sampling: the distribution, truncation, ties, exp and log. */
#include "lm.h"
#include "nn/sample.h"
#include <math.h>

static int tests, failed;

static void ok(bool good, const char *name)
{
    printf("%sok %d - %s\n", good ? "" : "not ", ++tests, name);
    failed += !good;
}

static double worst_exp(void)
{
    double worst = 0;

    for (double x = -700; x < 700; x += 0.37) {
        double e = fabs(lm_exp(x) / exp(x) - 1);

        worst = e > worst ? e : worst;
    }
    return worst;
}

static double worst_log(void)
{
    double worst = 0;

    for (double x = 1e-300; x < 1e300; x *= 1.7) {
        double e = fabs(lm_log(x) - log(x)) / (fabs(log(x)) + 1);

        worst = e > worst ? e : worst;
    }
    return worst;
}

int main(void)
{
    float logit[6] = {1, 3, 2, 3, -1, 0};
    lm_sampling how = {1, 0, 1, 0, 0};
    lm_sampler *s = lm_sampler_new(6);
    uint32_t t, top[3], count[6] = {0}, seen[2] = {1, 1};
    double z = 0;
    bool good = true;

    ok(worst_exp() < 3e-16, "exp is within an ulp of libm's");
    ok(worst_log() < 3e-16, "log is within an ulp of libm's");
    lm_sample(s, &how, logit, NULL, 0, 0.5, &t);
    ok(t == 1, "temperature 0 takes the largest logit, ties to the smaller id");
    how.temp = 1;
    for (int i = 0; i < 100000; i++) {
        lm_sample(s, &how, logit, NULL, 0, (i + 0.5) / 100000, &t);
        count[t]++;
    }
    for (int i = 0; i < 6; i++)
        z += exp(logit[i]);
    for (int i = 0; i < 6; i++)
        good = good && fabs(count[i] - 1e5 * exp(logit[i]) / z) < 2;
    ok(good, "u uniform gives the softmax");
    how.top_k = 2;
    lm_sample(s, &how, logit, NULL, 0, 0.999, &t);
    ok(t == 3, "top-k 2 leaves two");
    how.top_k = 0;
    how.top_p = 0.3;
    lm_sample(s, &how, logit, NULL, 0, 0.999, &t);
    ok(t == 1, "top-p .3 leaves the first");
    how.top_p = 1;
    how.min_p = 0.5;
    lm_sample(s, &how, logit, NULL, 0, 0.999, &t);
    ok(t == 3, "min-p .5 leaves those within a factor of two");
    how = (lm_sampling){2, 0, 1, 0, 0};
    lm_sample(s, &how, logit, seen, 2, 0, &t);
    ok(t == 3, "the repetition penalty halves a seen token's logit once");
    logit[2] = NAN;
    ok(lm_sample(s, &how, logit, NULL, 0, 0, &t) == LM_EDEVICE, "a NaN logit is an error");
    logit[2] = 2;
    lm_top(logit, 6, 3, top);
    ok(top[0] == 1 && top[1] == 3 && top[2] == 2, "the three most likely, in order");
    ok(fabs(lm_logp(logit, 6, 2) - (2 - log(z))) < 1e-12, "log p of a token");
    lm_sampler_free(s);
    printf("1..%d\n", tests);
    return failed > 0;
}
