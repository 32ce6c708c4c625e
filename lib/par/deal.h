/* deal: a stream dealt to copies of a command that filters streams, gathered in order. */
#ifndef LM_DEAL_H
#define LM_DEAL_H
#include "par/par.h"

/* Runs `jobs` copies of cmd (by sh), gives each its share of in as batches of 1 MiB closed by %seg, and
   writes to out what one copy would have written. LM_DONE; LM_NO if every copy ended with status 1;
   an error if one failed, died, or does not work record by record. */
int lm_deal(lm_in *in, lm_out *out, const char *cmd, unsigned jobs);

#endif
