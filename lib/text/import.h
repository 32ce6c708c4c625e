/* import: the readers behind lm-import: files, directories, archives and JSON Lines become
   documents. Trouble in one item is told, counted and stepped over; what was whole is emitted. */
#ifndef LM_TEXT_IMPORT_H
#define LM_TEXT_IMPORT_H
#include "cli/cli.h"
#include "text/doc.h"
#include "text/fields.h"
#include "text/jsonl.h"
#include "text/source.h"

enum {
    LM_FROM_AUTO,
    LM_FROM_DIR,
    LM_FROM_TAR,
    LM_FROM_ZIP,
    LM_FROM_7Z,
    LM_FROM_CPIO,
    LM_FROM_JSONL,
    LM_FROM_TEXT
};

#define LM_IMPORT_XATTR "user.lm" /* of a tar member: its attributes, from lm-export */

typedef struct {
    /* options */
    int from, id;           /* LM_FROM_*, LM_ID_* */
    const char *text, *src; /* field of the body; src=, or NULL */
    lm_fields map;          /* none: every field whose name is an attribute's */
    uint64_t max_bytes, max_depth, max_ratio, part, parts; /* parts 0: all */
    bool mtime, utf16;
    /* state; zero at first */
    lm_out *out;
    lm_rec r, none; /* the document; a stand-in for what is left out */
    lm_jsonl js;
    lm_buf path, body, conv;
    uint64_t docs, bad, lone; /* lone: surrogates replaced in UTF-16 */
    int err;                  /* class of the first damage */
    uint64_t told;            /* messages about the present source */
} lm_import;

int lm_import_source(lm_import *m,
                     const char *path); /* one operand; 0 or an error class: the run is over */
int lm_import_jsonl(lm_import *m, lm_source *s, const char *path, lm_str first, uint64_t lo,
                    uint64_t hi);
int lm_import_archive(lm_import *m, lm_source *s, const char *path);
void lm_import_free(lm_import *m);

/* For the readers. */
void lm_import_skip(lm_import *m, const char *rule, lm_str path,
                    uint64_t bytes); /* counted, not damage */
void lm_import_bad(lm_import *m);    /* damage: the stored error is told and counted */
/* Completes m->r, whose attributes may have been set from a foreign record, and writes it. path:
   raw, p NULL if it has none. mtime: seconds, INT64_MIN = unknown. 0 or an error class. */
int lm_import_put(lm_import *m, lm_str path, lm_str body, int64_t mtime);

#endif
