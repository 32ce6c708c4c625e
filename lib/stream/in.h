/* in: the state of one input, shared by the files that read it: in.c (bytes, lines, records),
   innote.c (lines that start with '%'), body.c (bodies in pieces), lax.c (going on after damage). */
#ifndef LM_STREAM_IN_H
#define LM_STREAM_IN_H
#include "stream/io.h"

#define LM_IN_BUF (1u << 20)
#define LM_IN_LOW (LM_IN_BUF / 16)                 /* so little is moved rather than read on to */
#define LM_IN_TAIL (LM_IN_BUF / 4)                 /* room for the last record of a buffer that is to stay */

struct lm_in {
    char **paths;
    size_t npaths, at;                 /* at: the file being read */
    int flags;
    lm_src *src;
    char *buf;
    size_t cap, lo, hi;                /* unread bytes are buf[lo, hi) */
    bool eof;
    uint64_t off;                      /* of buf[lo] in the (decompressed) file */
    uint64_t seq, next_seq, recoff;    /* the current record */
    bool open, any;                    /* inside a stream; a stream was seen in this file */
    uint64_t n, b, segn, segb;
    uint32_t crc;
    size_t crcat;                      /* bytes before it are in crc */
    bool nocrc;                        /* bodies were hopped over */
    bool lossy;                        /* part of this stream was gone past: its counts say nothing */
    bool jumped;                       /* .. was jumped over on purpose */
    uint64_t left;                     /* of the body that lm_next_head left unread */
    bool pending;                      /* .. and its LF */
    int err;
    lm_buf abort;
    lm_out *tie;
    void (*note)(void *, lm_str);
    void *note_ctx;
    void (*block)(void *);
    void *block_ctx;
    void (*turn)(void *);
    void *turn_ctx;
    void (*warn)(const char *);
    void (*lost)(void *, const char *, uint64_t, uint64_t);
    void *lost_ctx;
    lm_str map;
    lm_stats st;
};

/* Makes at least need bytes unread, if the file has them; false with in->err set on a read error. */
bool lm_in_fill(lm_in *in, size_t need);
int lm_in_bad(lm_in *in, int err, const char *why);                /* an error at the read position */
void lm_in_crc_upto(lm_in *in, size_t to);
int lm_in_note(lm_in *in, lm_str ln);              /* a line that starts with '%': 0 = gone past, <0 */
int lm_in_header(lm_in *in, lm_rec *r, lm_str *ln, uint64_t *len); /* finds the next header; 1, 0, <0 */
void lm_in_counted(lm_in *in, lm_rec *r, uint64_t len);
int lm_in_leave(lm_in *in, lm_rec *r, lm_str ln, uint64_t len);    /* r: the header alone; its body is left unread. 2 */
int lm_in_hop(lm_in *in);                          /* to behind the body that lm_next_head left unread */
/* LM_IN_LAX: tells of the trouble and finds the next whole record: 1 = go on, 0 = the file is done, <0. */
int lm_in_lax_skip(lm_in *in);
int lm_in_told(lm_in *in);                         /* LM_IN_LAX: tells of in->err and clears it, 0; else in->err */

static inline void lm_in_eat(lm_in *in, size_t n)
{
    in->lo += n;
    in->off += n;
}

#endif
