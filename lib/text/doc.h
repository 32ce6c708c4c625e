/* doc: what every importer must decide in the same way about a document: its path, extension,
   encoding and id. */
#ifndef LM_TEXT_DOC_H
#define LM_TEXT_DOC_H
#include "base/base.h"

/* Appends the path without leading '/', without '.', '..' and empty parts; *parts = how many are
   left. False if nothing is. */
bool lm_path_clean(lm_buf *out, lm_str raw, uint64_t *parts);
/* The extension in lower case, without its dot, into out; empty if there is none: a leading dot
   starts a name, and an extension is at most 16 of [A-Za-z0-9_+-]. Returns its length. */
size_t lm_path_ext(lm_str path, char out[17]);

/* "binary" (a NUL byte, or over 30 % control bytes other than TAB LF VT FF CR), "ascii", "utf8" or
   "bytes" (neither). An empty body is ascii. */
const char *lm_doc_enc(lm_str body);

/* Text that starts with a UTF-16 byte order mark is written to out as UTF-8 without the mark; a
   lone surrogate or half unit becomes U+FFFD and is counted. False: no mark, nothing written. */
bool lm_utf16_to_utf8(lm_str s, lm_buf *out, uint64_t *lone);

enum { LM_ID_XXH3, LM_ID_SHA256, LM_ID_SHA1GIT };
/* The id of a body in lower-case hex: 32, 64 or 40 digits (sha1git: that of a git blob). */
void lm_doc_id(int kind, lm_str body, char out[65]);
bool lm_doc_id_ok(lm_str id); /* 32, 40 or 64 lower-case hex digits */

void lm_b64_encode(lm_buf *out, lm_str s);
bool lm_b64_decode(lm_buf *out, lm_str s); /* false: not base64; out is as before */

#endif
