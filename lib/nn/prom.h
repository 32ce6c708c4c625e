/* prom: newest values of metrics in the text form that Prometheus scrapes, version 0.0.4, for the
   textfile collector of its node exporter or any web server. */
#ifndef LM_PROM_H
#define LM_PROM_H
#include "base/base.h"

typedef struct lm_prom lm_prom;
lm_prom *lm_prom_new(const char *path);
/* The gauge lm_KIND_KEY{run="RUN"} is now val, a number as our records write it. Bytes of kind and key
   that a name may not have become _. */
void lm_prom_set(lm_prom *p, const char *run, const char *kind, lm_str key, lm_str val);
void lm_prom_clear(lm_prom *p); /* forgets all values */
void lm_prom_text(const lm_prom *p, lm_buf *out);
int lm_prom_write(const lm_prom *p); /* aside, then renamed; 0 or LM_EIO */
void lm_prom_free(lm_prom *p);

#endif
