/* Fuzz target: a task.conf and HumanEval's JSON lines. A conf that is taken, and its programs, stay
 * within bounds. */
#include "text/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int sink(void *ctx, lm_rec *gen)
{
    *(uint64_t *)ctx += gen->body.n;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_str in = {(const char *)p, n};
    lm_task *t = lm_task_new(), *h = lm_task_new();
    lm_problem q = {.prompt = LM_STR("p"), .test = LM_STR("t")};
    lm_buf out = {0};
    uint64_t sum = 0;

    if (lm_task_conf(t, in, "fuzz") >= 0)
        lm_task_program(t, &q, "{prompt}{completion}", LM_STR("c"), &out);
    lm_task_humaneval(h, "fuzz", in, "fuzz");
    lm_task_samples("fuzz", in, "fuzz", sink, &sum);
    lm_buf_free(&out);
    lm_task_free(t);
    lm_task_free(h);
    return 0;
}
