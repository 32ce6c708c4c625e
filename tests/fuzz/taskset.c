/* Fuzz target: a stream of @task, @prompt, @test, @solution and @gen records, as lm-exec reads it.
 */
#include "text/task.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_taskset s = {0};
    lm_task *t;
    lm_problem *q;
    lm_rec r = {0};
    char path[32];
    int fd = memfd_create("fuzz", 0);
    lm_in *in;

    if (fd < 0 || lm_write_all(fd, p, n) || lseek(fd, 0, SEEK_SET))
        abort();
    snprintf(path, sizeof path, "/dev/fd/%d", fd);
    in = lm_in_open(path, 0);
    while (lm_next(in, &r) > 0) {
        lm_str task = lm_get(&r, "task");

        if (lm_taskset_take(&s, &r) < 0)
            break;
        /* a name that is not in the stream would be looked for on the disk */
        if (lm_is(r.type, "gen") && s.last && s.last->nv &&
            (!task.p || lm_is(task, s.last->name)) && lm_taskset_find(&s, &r, &t, &q) >= 0 &&
            !q->prompt.p)
            abort();
    }
    lm_in_close(in);
    close(fd);
    lm_rec_free(&r);
    lm_taskset_free(&s);
    return 0;
}
