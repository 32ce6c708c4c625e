/* fields: attributes of records and the fields of foreign formats they go by, for import and
 * export. */
#ifndef LM_TEXT_FIELDS_H
#define LM_TEXT_FIELDS_H
#include "cli/cli.h"

typedef struct {
    lm_str key, field;
} lm_field;
typedef struct {
    lm_field *v;
    size_t n;
} lm_fields;

/* "ATTR=FIELD,.." of each value of a --map option. 0 or LM_EUSAGE. v is the caller's to free; its
   strings are views of the option's. */
int lm_fields_parse(const lm_list *maps, lm_fields *out);
bool lm_key_ok(lm_str s); /* [a-z][a-z0-9-]{0,31}, as lm-stream(5) has it */
/* Is the value of this attribute always a number (lm-types(5))? Foreign formats want one type a
 * column. */
bool lm_key_number(lm_str key);

#endif
