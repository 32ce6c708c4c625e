/* export: the writers behind lm-export of documents: JSON Lines, files, a tar archive, bare text. */
#ifndef LM_TEXT_EXPORT_H
#define LM_TEXT_EXPORT_H
#include "stream/stream.h"
#include "text/fields.h"

enum { LM_TO_JSONL, LM_TO_DIR, LM_TO_TAR, LM_TO_TEXT };

typedef struct lm_export lm_export;
/* text: the field of the body in JSON; map: names of attributes there, which the export frees; force: dir replaces
   files; out: a folder or file, NULL = stdout; in: for the places of errors. NULL: error stored. */
lm_export *lm_export_new(int to, const char *text, lm_fields map, bool force, const char *out, lm_in *in);
int lm_export_put(lm_export *x, lm_rec *r);        /* 0, LM_EINVALID (a path that leads out, a file that exists), LM_EIO */
int lm_export_flush(lm_export *x);                 /* nothing is held back; 0 or LM_EIO */
int lm_export_end(lm_export *x);                   /* the last bytes, the rename */
void lm_export_free(lm_export *x);                 /* without lm_export_end no name is left behind */

#endif
