/* judge: one program of a task in a box, and the verdict on how it ended. */
#ifndef LM_JUDGE_H
#define LM_JUDGE_H
#include "text/runtime.h"
#include "text/task.h"

enum {
    LM_V_PASS, LM_V_FAIL, LM_V_RUNTIME_ERROR, LM_V_COMPILE_ERROR, LM_V_CPU_LIMIT, LM_V_WALL_LIMIT, LM_V_MEM_LIMIT,
    LM_V_OUTPUT_LIMIT, LM_V_PIDS_LIMIT, LM_V_VIOLATION, LM_V_NO_VERDICT, LM_V_FLAKY, LM_V_INFRA_ERROR, LM_V_N
};
const char *lm_verdict_name(int v);
int lm_verdict_parse(lm_str s);                    /* -1: no verdict's name */

typedef struct {
    int level;                                     /* of the box: 3, 2, 1 */
    bool sentinel;                                 /* else exit status 0 is a PASS */
    uint64_t mem;                                  /* bytes */
    bool cold;                                     /* no warm interpreters */
} lm_judge;

/* What one or more runs of a program gave. */
typedef struct {
    int verdict, tries;
    uint64_t cpu_us, wall_us, mem_peak;
    lm_buf out;
} lm_judged;

/* Starts the program of problem p of task t with this completion. NULL: error stored. */
lm_box *lm_judge_start(const lm_judge *j, const lm_runtime_at *rt, const lm_task *t, const lm_problem *p,
                       lm_str completion, uint64_t cpu_ms, uint64_t wall_ms);
/* The verdict of a finished box; adds output and figures to out (tries is the caller's). */
int lm_judge_verdict(const lm_judge *j, const lm_runtime_at *rt, const lm_box_result *r, lm_judged *out);

/* Identity of a run: everything its verdict depends on. */
lm_id lm_judge_key(const lm_judge *j, const lm_runtime_at *rt, const lm_problem *p, lm_str completion,
                   const char *limits);
lm_str lm_judge_machine(void);                     /* names this kind of machine: processor and number of CPUs */

/* Kept results: DIR/KEY holds one @verdict record. Load: 1 found, 0 not there or unreadable. */
int lm_judged_load(const char *dir, lm_id key, lm_judged *out);
int lm_judged_save(const char *dir, lm_id key, const lm_judged *d);   /* 0 or LM_EIO */
void lm_judged_attrs(const lm_judged *d, lm_rec *r);                  /* verdict, cpu-ms, wall-ms, mem, tries; the body */

#endif
