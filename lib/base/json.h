/* json: a thin strict reader and writer over jansson, for config.json, the heads of safetensors,
   tokenizer.json, JSON lines and HTTP bodies. Values are jansson's json_t; free with json_decref. */
#ifndef LM_JSON_H
#define LM_JSON_H
#include "base/base.h"
#include <jansson.h>

#define LM_JSON_DEPTH 64                           /* arrays and objects inside each other, at most */

/* Reads one value of any kind that fills text but for white space. Refused as LM_EINVALID, with line,
   column and byte: a key given twice, depth over LM_JSON_DEPTH, bad UTF-8, lone surrogates, numbers
   JSON does not know, anything behind the value. Order of keys is kept. An integer beyond 64 bits
   becomes a real (transformers writes model_max_length 1e30 in digits). */
int lm_json_parse(lm_str text, json_t **out);
/* The same but for n pieces of text, in their order, that the caller reads himself (jscan.h): they are left
   out as if they were not there. Places named are those in text. */
int lm_json_parse_but(lm_str text, const lm_str *cut, size_t n, json_t **out);
int lm_json_bad(lm_str text, size_t at, const char *what);         /* such an error: LM_EINVALID at byte at of text */
int lm_json_read(const char *path, size_t max, json_t **out);      /* a file of at most max bytes; LM_EIO too */

/* Typed getters by key: 1 found, 0 absent or null, LM_EINVALID (key and wanted type named) if it is of another type.
   On 0 and on an error *v is untouched. Views and borrowed values live as long as obj. */
int lm_json_str(const json_t *obj, const char *key, lm_str *v);
int lm_json_i64(const json_t *obj, const char *key, int64_t *v);
int lm_json_u64(const json_t *obj, const char *key, uint64_t *v);  /* a negative number is invalid */
int lm_json_f64(const json_t *obj, const char *key, double *v);    /* integers too */
int lm_json_bool(const json_t *obj, const char *key, bool *v);
int lm_json_arr(const json_t *obj, const char *key, json_t **v);
int lm_json_obj(const json_t *obj, const char *key, json_t **v);
/* Makes absence an error: lm_json_need(lm_json_u64(o, "hidden_size", &n), "hidden_size") is 1 or < 0. */
int lm_json_need(int got, const char *key);
lm_str lm_json_text(const json_t *string);         /* the bytes of a string value; p NULL if it is none */

/* Writer of the text two common writers make. Calls nest: obj or arr, then members, then end. Inside an
   object key is the member's name, inside an array and at the top it is NULL.
   indent 2 is json.dumps(indent=2) and serde's pretty form; 0 is json.dumps ("a": 1, ...);
   -1 has no space at all. Non-ASCII text stands as it is; strings must be UTF-8. */
typedef struct { lm_buf *out; int indent; unsigned depth; uint64_t some, isobj; } lm_jw;
void lm_jw_init(lm_jw *w, lm_buf *out, int indent);
void lm_jw_obj(lm_jw *w, const char *key);
void lm_jw_arr(lm_jw *w, const char *key);
void lm_jw_end(lm_jw *w);                          /* ends the innermost object or array */
void lm_jw_str(lm_jw *w, const char *key, lm_str v);
void lm_jw_i64(lm_jw *w, const char *key, int64_t v);
void lm_jw_u64(lm_jw *w, const char *key, uint64_t v);
void lm_jw_f64(lm_jw *w, const char *key, double v);               /* as repr() writes it; nan and inf as null */
void lm_jw_bool(lm_jw *w, const char *key, bool v);
void lm_jw_null(lm_jw *w, const char *key);
void lm_jw_val(lm_jw *w, const char *key, const json_t *v);        /* any value, copied whole */
void lm_jw_name(lm_jw *w, lm_str key);             /* a key that may hold any bytes; the next call then passes key "" */
void lm_json_quote(lm_buf *out, lm_str s);         /* s as a JSON string with its quotes */
void lm_json_dump(lm_buf *out, const json_t *v, int indent);       /* one value, no LF behind */

#endif
