/* priv: what the files of this room share and nobody else sees. */
#ifndef LM_CLI_PRIV_H
#define LM_CLI_PRIV_H
#include "cli/cli.h"

/* Sets the table's variables; operands go to rest (room for argc), provenance text to by. 0 or LM_EUSAGE. */
int lm_opt_parse(const lm_tool *t, int argc, char **argv, const char **rest, size_t *nrest, lm_buf *by);
void lm_usage(FILE *f, const lm_tool *t);
void lm_help(const lm_tool *t);
void lm_help_tsv(const lm_tool *t);

void lm_prog_start(lm_in *in, const char *tool);   /* a line on the terminal, 6 times a second */
void lm_prog_stop(void);                           /* and wipe it */
void lm_prog_clear(void);                          /* before another line is printed */

void lm_counts_write(const char *path, lm_in *in, lm_out *out, int *err);   /* --counts */

#endif
