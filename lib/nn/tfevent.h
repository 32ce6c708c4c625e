/* tfevent: the event files that TensorBoard reads: TFRecord frames around protobuf messages Event
   (tensorflow/core/lib/io/record_writer.h, core/util/event.proto, framework/summary.proto).
   A frame: length u64, masked CRC of these 8 bytes, the message, its masked CRC; little-endian. */
#ifndef LM_TFEVENT_H
#define LM_TFEVENT_H
#include "base/base.h"

typedef struct {
    lm_str tag; /* "train/loss" */
    float v;
} lm_tf_scalar;

uint32_t lm_crc32c(const void *p, size_t n); /* Castagnoli's polynomial (RFC 3720, B.4) */
uint32_t lm_tf_mask(uint32_t crc);           /* so that a CRC over data that hold CRCs stays good */
/* Each appends one frame to out; wall: seconds, of the epoch or of the run. */
void lm_tf_version(lm_buf *out, double wall); /* must be the first of a file */
void lm_tf_scalars(lm_buf *out, double wall, uint64_t step, const lm_tf_scalar *v, size_t n);
/* Tells the reader to forget what came before at this step and beyond it: a run was resumed. */
void lm_tf_restart(lm_buf *out, double wall, uint64_t step);

/* A folder of them: DIR/NAME/events.out.tfevents.0.lm for each run. */
typedef struct lm_board lm_board;
lm_board *lm_board_new(const char *dir);
/* What waits to be written for run i, named so when first met; the version stands in it then. */
lm_buf *lm_board_run(lm_board *b, size_t i, const char *name, double wall);
/* Writes what waits: the first time a file aside and renamed, in the place of an old one; then, if it
   was told of `more`, behind what is there. 0 or LM_EIO. */
int lm_board_flush(lm_board *b, bool more);
void lm_board_free(lm_board *b);

#endif
