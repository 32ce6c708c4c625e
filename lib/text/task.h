/* task: evaluation tasks: a folder of task.conf and problems.lm (lm-task(5)), problems by id, programs
   put together from prompt, completion and test. */
#ifndef LM_TASK_H
#define LM_TASK_H
#include "stream/stream.h"

typedef struct {
    lm_str id, prompt, test, solution, lang, entry;   /* p NULL = not given */
    size_t order;                                  /* of its first record */
    lm_id hash;                                    /* of all these; 0 until lm_task_seal */
} lm_problem;

typedef struct {
    char *name, *kind, *lang, *text;               /* text: the template, NULL = the runtime's */
    bool strip;                                    /* prompt-newline = strip: prompts lose their last LF */
    lm_buf conf;                                   /* task.conf as it stands */
    char *stop[16];
    size_t nstop;
    uint64_t shots, n, cpu_ms, wall_ms, mem, level;   /* 0 = not said */
    lm_problem *v;
    size_t nv, capv;
    lm_dict by_id;                                 /* id -> index in v */
    lm_arena *ar;
    char hash[33];                                 /* of the folder; "" for a task built from a stream */
} lm_task;

lm_task *lm_task_new(void);
void lm_task_free(lm_task *t);
/* Reads a task.conf: lines `key = value`, # comments, %XX escapes in values. LM_EINVALID with the line named. */
int lm_task_conf(lm_task *t, lm_str conf, const char *where);
/* Takes a @prompt, @test or @solution record; other types are passed over. LM_EMISSING, LM_EINVALID. */
int lm_task_add(lm_task *t, lm_rec *r);
lm_problem *lm_task_find(lm_task *t, lm_str id);   /* NULL = no such problem; valid to the next lm_task_add */
/* Loads the folder of a task: a name is looked for in LM_TASKS (folders of tasks, ':' between), then in
   the share folder; a name with a slash is the folder itself. LM_EINVALID, LM_EIO, LM_EUSAGE if not found. */
int lm_task_load(const char *name, lm_task **out);
/* The task's own record: name hash kind lang n, conf as body. */
void lm_task_record(const lm_task *t, lm_rec *r);
/* The program of a problem: template with {prompt} {completion} {test} {entry} filled in. */
void lm_task_program(const lm_task *t, const lm_problem *p, const char *text, lm_str completion, lm_buf *out);
void lm_task_seal(lm_task *t);                     /* computes the hashes of what was added or changed */

/* The tasks of a stream: those its records spell out, and those of folders, loaded when first asked for. */
typedef struct { lm_dict by_name; lm_task *last, **v; size_t nv, capv; } lm_taskset;
/* Takes @task, @prompt, @test and @solution records; passes over the rest. 0 or an error at r. */
int lm_taskset_take(lm_taskset *s, lm_rec *r);
/* The problem that a record with id= (and task=, else the last @task's) is about: from the stream, else from
   the task's folder, whose hash must be the stream's. 0, or LM_EMISSING, LM_EMISMATCH, LM_EINVALID at r.
   p is valid to the next call. */
int lm_taskset_find(lm_taskset *s, lm_rec *r, lm_task **t, lm_problem **p);
void lm_taskset_free(lm_taskset *s);

/* HumanEval's form: JSON lines of task_id, prompt, entry_point, canonical_solution, test. text: the whole
   file. Fills t (name, template, problems). */
int lm_task_humaneval(lm_task *t, const char *file, lm_str text, const char *name);
/* JSON lines of task_id, completion, each handed to f as a @gen record with id, sample and task. */
int lm_task_samples(const char *file, lm_str text, const char *task, int (*f)(void *ctx, lm_rec *gen), void *ctx);
/* A file read whole, gzip or zstd undone. LM_EIO, LM_ELIMIT, LM_EINVALID. */
int lm_task_slurp(const char *path, lm_buf *out, size_t max);
/* Writes t as a task folder: task.conf and problems.lm. */
int lm_task_save(lm_task *t, const char *folder);

#endif
