/* source: foreign files as bytes or archive members, out of any compression, with a guard against
   bombs. gzip is undone here with zlib, so that all that was whole before a cut is still given;
   the other filters and all archives are libarchive's. */
#ifndef LM_TEXT_SOURCE_H
#define LM_TEXT_SOURCE_H
#include "base/base.h"

struct archive;
struct archive_entry;
typedef struct lm_source lm_source;

enum { /* what a source may be taken for */
       LM_SOURCE_TAR = 1,
       LM_SOURCE_ZIP = 2,
       LM_SOURCE_7Z = 4,
       LM_SOURCE_CPIO = 8,
       LM_SOURCE_RAW = 16
};

/* Opens a file ("-" = stdin) and finds what it is among kinds. NULL: error stored (LM_EIO: it
   cannot be opened; LM_EINVALID: it is none of kinds, or damaged at its start). ratio: the most
   bytes out for each byte in, beyond 16 MiB. */
lm_source *lm_source_open(const char *path, unsigned kinds, uint64_t ratio);
/* The bytes from lo on of a plain file, as they are. */
lm_source *lm_source_range(const char *path, uint64_t lo);
unsigned lm_source_kind(const lm_source *s); /* one of LM_SOURCE_* */
bool lm_source_plain(const lm_source *s);    /* no compression around it */
uint64_t lm_source_size(const lm_source *s); /* of the file; 0 if unknown */
uint64_t lm_source_in(const lm_source *s);   /* bytes read of it */
void lm_source_close(lm_source *s);

/* Raw: the next block, a view valid to the next call. 1, 0 end, LM_EINVALID or LM_ELIMIT with the
   error stored. */
int lm_source_block(lm_source *s, lm_str *block);

/* Archives: the next member. 1, 0 end, LM_NO_MEMBER = this member is damaged, others may follow, <
   0 the archive is. All errors are stored. */
enum { LM_NO_MEMBER = 2 };
int lm_source_member(lm_source *s, struct archive_entry **e);
/* Its body, up to max bytes, into out (emptied first), holes filled with zeros. 1; 0 = it is longer
   than max; LM_NO_MEMBER; < 0. */
int lm_source_data(lm_source *s, uint64_t max, lm_buf *out);
int lm_source_skip(lm_source *s); /* past the body: 1, LM_NO_MEMBER, < 0 */

#endif
