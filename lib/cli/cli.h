/* cli: the option table, the life of a tool, messages and exit codes. The only room that prints or exits. */
#ifndef LM_CLI_H
#define LM_CLI_H
#include "stream/stream.h"

typedef struct { const char **v; size_t n, cap; } lm_list;
typedef struct {
    char c;                                        /* short form, 0 = none */
    unsigned char kind;
    const char *name;                              /* long form */
    union { bool *flag; const char **str; lm_list *list; uint64_t *num; double *real; int *sel; } to;
    uint64_t lo, hi;                               /* LM_NUM, LM_SIZE */
    double rlo, rhi;                               /* LM_REAL; in LM_COMMON rows rlo = flags needed */
    const char *arg, *help;                        /* ARG name; for LM_ENUM the values a|b|c */
} lm_opt;
enum { LM_K_END, LM_K_FLAG, LM_K_STRING, LM_K_FILE, LM_K_LIST, LM_K_NUM, LM_K_SIZE, LM_K_REAL, LM_K_ENUM, LM_K_MUTE };

#define LM_FLAG(c, name, p, help)            {c, LM_K_FLAG, name, {.flag = p}, 0, 0, 0, 0, 0, help}
#define LM_STRING(c, name, p, arg, help)     {c, LM_K_STRING, name, {.str = p}, 0, 0, 0, 0, arg, help}
#define LM_FILE(c, name, p, arg, help)       {c, LM_K_FILE, name, {.str = p}, 0, 0, 0, 0, arg, help}   /* a path: never in %by */
#define LM_LIST(c, name, p, arg, help)       {c, LM_K_LIST, name, {.list = p}, 0, 0, 0, 0, arg, help}  /* repeatable */
#define LM_NUM(c, name, p, lo, hi, arg, help)  {c, LM_K_NUM, name, {.num = p}, lo, hi, 0, 0, arg, help}  /* 10k = 10,000 */
#define LM_SIZE(c, name, p, lo, hi, arg, help) {c, LM_K_SIZE, name, {.num = p}, lo, hi, 0, 0, arg, help} /* 1K = 1,024 */
#define LM_REAL(c, name, p, lo, hi, arg, help) {c, LM_K_REAL, name, {.real = p}, 0, 0, lo, hi, arg, help}
#define LM_ENUM(c, name, p, vals, help)      {c, LM_K_ENUM, name, {.sel = p}, 0, 0, 0, 0, vals, help}
#define LM_MUTE                              {0, LM_K_MUTE, NULL, {0}, 0, 0, 0, 0, 0, NULL}   /* rows below never change the output: kept out of %by */
#define LM_END                               {0, LM_K_END, NULL, {0}, 0, 0, 0, 0, 0, NULL}

/* Flags of a tool: what it reads and writes, its order, and which common options make sense. */
enum {
    LM_IN = 1, LM_OUT = 2,                         /* lm streams: operands (after .args) are input files; output to stdout or -o */
    LM_FOREIGN = 4, LM_TEXT = 8, LM_FILES = 16,    /* foreign input (operands all in lm_arg); text on stdout; -o names a file or directory the tool itself writes */
    LM_ORDERED = 32, LM_SORTED = 64, LM_SHUFFLED = 128,
    LM_PAR = 256,                                  /* -j works */
    LM_REJ = 512                                   /* -r FILE works: lm_map writes dropped records there */
};
/* Common options: each row shows and works only if the tool's flags (or .types for -t) give it a meaning. */
struct lm_common {
    uint64_t jobs; const char *out, *types, *rejects, *counts; bool quiet, verbose, lax, crc, help, version; const char *help_as;
};
extern struct lm_common lm_common;
#define LM_COMMON \
    LM_MUTE, \
    {'j', LM_K_NUM, "jobs", {.num = &lm_common.jobs}, 1, 1024, LM_PAR, 0, "N", "threads (default: all CPUs)"}, \
    {'o', LM_K_FILE, "output", {.str = &lm_common.out}, 0, 0, LM_OUT | LM_TEXT | LM_FILES, 0, "FILE", "write FILE, whole or not at all"}, \
    {'r', LM_K_FILE, "rejects", {.str = &lm_common.rejects}, 0, 0, LM_REJ, 0, "FILE", "write dropped records, with drop=, to FILE"}, \
    {0, LM_K_FILE, "counts", {.str = &lm_common.counts}, 0, 0, LM_ORDERED, 0, "FILE", "write records and bytes kept and dropped by rule to FILE"}, \
    {'t', LM_K_STRING, "type", {.str = &lm_common.types}, 0, 0, -1, 0, "TYPE", "act on records of TYPE (a,b for several)"}, \
    {0, LM_K_FLAG, "lax", {.flag = &lm_common.lax}, 0, 0, LM_IN, 0, NULL, "warn of a cut or bad record and go on"}, \
    {0, LM_K_FLAG, "crc", {.flag = &lm_common.crc}, 0, 0, LM_OUT, 0, NULL, "end the output with a CRC-32 (always with -o)"}, \
    {'q', LM_K_FLAG, "quiet", {.flag = &lm_common.quiet}, 0, 0, 0, 0, NULL, "no progress, no warnings"}, \
    {'v', LM_K_FLAG, "verbose", {.flag = &lm_common.verbose}, 0, 0, 0, 0, NULL, "one summary line at the end"}, \
    {0, LM_K_FLAG, "help", {.flag = &lm_common.help}, 0, 0, 0, 0, NULL, "show this help (--help=tsv: for scripts)"}, \
    {0, LM_K_FLAG, "version", {.flag = &lm_common.version}, 0, 0, 0, 0, NULL, "show version, compiler and libraries"}

typedef struct {
    const char *name, *does;                       /* "lm-has", "pass documents that hold a string" */
    const char *args;                              /* operands before the files: "STRING", "[N]", "SRC..." (takes all); NULL = none */
    const char *types;                             /* record types acted on, "doc" or "doc,tok"; "*" = all, -t narrows; NULL = all or none, no -t */
    const lm_opt *opts;
    unsigned flags;
    const char *epilog;                            /* shown at the end of --help; may be NULL */
} lm_tool;

int lm_main(int argc, char **argv, const lm_tool *tool, int (*run)(lm_in *in, lm_out *out));   /* in, out NULL without LM_IN, LM_OUT */
lm_str lm_arg(size_t i);                           /* operand i of .args; p NULL = not given */
size_t lm_nargs(void);
size_t lm_nfiles(void);                            /* input files named behind .args; 0 = stdin */
const char *lm_file(size_t i);                     /* input file i of them; NULL = not given */
const char *lm_self(void);                         /* "lm-has" */
lm_str lm_by_line(void);                           /* this tool's "%by tool= ver= args=" without LF; n 0 under LM_PROV=0 */
const char *lm_version(void);
bool lm_acts_on(lm_str type);                      /* is type among the tool's types (or -t's)? */
void lm_warn(const char *fmt, ...) LM_PRINTF(1, 2);                /* one line, unless -q; counted */
_Noreturn void lm_die(int err, const char *fmt, ...) LM_PRINTF(2, 3);   /* for main() alone, where no run exists yet */
void lm_show(bool last, const char *fmt, ...) LM_PRINTF(2, 3);        /* a line for a person on stderr; on a terminal rewritten in place until the last */
void lm_progress(uint64_t done, uint64_t total, const char *unit); /* for tools whose work is not reading records */
unsigned lm_jobs(void);                            /* -j, LM_JOBS, or CPUs of the affinity mask */
/* Rejected records: sets drop=TOOL:RULE:VALUE and returns LM_DROP. */
int lm_drop(lm_rec *r, const char *rule, const char *fmt, ...) LM_PRINTF(3, 4);
lm_out *lm_rejects(void);                          /* the -r stream, or NULL: for tools that do not use lm_map */
void lm_count_drop(lm_rec *r);                     /* counts by rule for --counts; lm_map does it itself */

#endif
