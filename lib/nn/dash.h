/* dash: the rows of runs as TensorBoard and Prometheus take them. Tags are train/loss, val/loss,
   time/tps (kind step is train) and event/NAME; gauges lm_train_loss{run="NAME"}; events have none.
   Two runs of one name are NAME and NAME-2. */
#ifndef LM_DASH_H
#define LM_DASH_H
#include "nn/metric.h"

typedef struct {
    const char *board, *prom; /* folder, file; NULL: not that one */
    const char *keys;         /* values to show, a,b,c; NULL: all that are numbers */
    double smooth;            /* of the past in a moving average, 0 = none */
} lm_dash_opt;

typedef struct lm_dash lm_dash;
lm_dash *lm_dash_new(const lm_metrics *m, const lm_dash_opt *o); /* both outlive it */
/* Winds the runs' clocks on by the rows of m from `from` on. The time of a record is that of its
   run's first event plus what the steps since took (kind time, ms=); without an event from 0 on;
   without times a step is a second. */
void lm_dash_wind(lm_dash *d, size_t from);
void lm_dash_row(lm_dash *d, const lm_mrow *w);
/* The last run was resumed at step: what was shown beyond it counts no more. The rows shown that still
   count are to be given again to lm_dash_again. */
void lm_dash_resume(lm_dash *d, uint64_t step);
void lm_dash_again(lm_dash *d, const lm_mrow *w);
int lm_dash_flush(lm_dash *d, bool more); /* writes; more: rows will follow. 0 or LM_EIO */
void lm_dash_free(lm_dash *d);            /* NULL too */

#endif
