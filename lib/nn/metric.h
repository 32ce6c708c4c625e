/* metric: reads @metric, @run, @event and @ledger records of training runs, with what a resume did over again taken out. */
#ifndef LM_METRIC_H
#define LM_METRIC_H
#include "stream/stream.h"

typedef struct {
    lm_str attrs;                                  /* " key=value .." as written */
    uint64_t step;                                 /* 0 if there is none */
    uint32_t run;                                  /* index in lm_metrics.run */
    bool event, dead;                              /* an @event; superseded by a later record */
    lm_str kind;                                   /* kind= of a metric, event= of an event */
} lm_mrow;

/* A run and its resumes count as one; records before any @run are one of their own. name: of the
   file, for people: its folder if it is metrics.lm. id, last: run= of the first and of the latest @run. */
typedef struct { char id[33], last[33]; char *name; } lm_mrun;

typedef struct {
    lm_mrow *row;
    size_t n, cap;
    lm_mrun *run;
    size_t nrun, caprun;
    lm_arena *ar;
    lm_dict seen;                                  /* run, kind and step -> row */
} lm_metrics;

/* Takes a @metric, @run or @event record; others are not for it. 0 or LM_EINVALID (step= is no number).
   A resume (@run with parent= and step=S) takes out what its parent recorded beyond step S; a later
   record of the same kind and step takes out the one before. */
int lm_metrics_take(lm_metrics *m, lm_rec *r);
void lm_metrics_free(lm_metrics *m);
lm_str lm_mrow_get(const lm_mrow *w, const char *key);             /* value as written; p NULL = absent */
bool lm_mrow_f64(const lm_mrow *w, const char *key, double *v);    /* false: absent or no number */
bool lm_mrow_each(const lm_mrow *w, size_t *at, lm_str *key, lm_str *val);     /* *at from 0 */

/* Is val a number to reckon with? Hashes are none, even those of digits alone. */
bool lm_metric_num(lm_str key, lm_str val, double *v);

/* Seconds of training after each step that a record of kind time tells of, by rising step. */
typedef struct {
    uint64_t *step;
    double *sec;
    size_t n, cap, cap2;
} lm_mclock;
/* Step took so many milliseconds, on top of the step before. Forgets this step and those beyond it if
   it knew them: a resume did them over again. */
void lm_mclock_add(lm_mclock *c, uint64_t step, double ms);
double lm_mclock_at(const lm_mclock *c, uint64_t step);    /* of the last step not beyond; NaN: none */
void lm_mclock_free(lm_mclock *c);

/* Exponential moving average, its start corrected for bias: factor 0 = as is. {0} to begin. */
typedef struct { double sum, weight; } lm_ema;
double lm_ema_add(lm_ema *e, double factor, double v);
/* An average for each run, kind and key. {0} to begin. Counts (step, tokens), nan and inf come back as
   they are, so does all with factor 0; averages are rounded to f32. */
typedef struct { lm_dict dict; lm_arena *ar; } lm_means;
double lm_means_add(lm_means *e, double factor, const lm_mrow *w, lm_str key, double v);
void lm_means_free(lm_means *e);

bool lm_listed(const char *list, lm_str word);     /* is word an item of the list a,b,c? */

#endif
