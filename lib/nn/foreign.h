/* foreign: tokens in the files of other programs: MosaicML Streaming (mds), Megatron-LM, llm.c, datatrove and
   nanotron, bare ids (raw) and NumPy (npy); written from token records and read back to them. */
#ifndef LM_FOREIGN_H
#define LM_FOREIGN_H
#include "nn/tokrec.h"
#include "text/vocab.h"

enum {
    LM_FOREIGN_MDS, LM_FOREIGN_MEGATRON, LM_FOREIGN_LLMC, LM_FOREIGN_DATATROVE, LM_FOREIGN_RAW, LM_FOREIGN_NPY,
    LM_FOREIGN_KINDS
};
bool lm_foreign_folder(int kind);                  /* is it a folder of files, not one file? */

/* --- writing */
typedef struct {
    int kind;
    const char *out;                               /* a folder, or a file (NULL: stdout); appears whole or not at all */
    uint64_t size;                                 /* bytes a file at most; 0: the format's own limit */
    unsigned width;                                /* of an id: 2, 4, or 0: as the first record has */
    const char *column, *tokenizer;                /* mds; name in datatrove's metadata, NULL: the vocabulary's hash */
    const lm_vocab *vocab;                         /* records must be of it, ids below its size; NULL: not checked */
} lm_exporter_opt;
typedef struct lm_exporter lm_exporter;
lm_exporter *lm_exporter_new(const lm_exporter_opt *o);            /* NULL: error stored */
/* One sequence: a document or a row. 0; LM_EMISMATCH (other vocab= or seq= than before), LM_EINVALID (an id too
   large), LM_ELIMIT (too long for the format), all stored without a place; LM_EIO. */
int lm_exporter_add(lm_exporter *x, const lm_tokrec *t);
int lm_exporter_flush(lm_exporter *x);             /* raw: nothing is held back; 0 or LM_EIO */
int lm_exporter_end(lm_exporter *x);               /* the last file, the index, the rename */
void lm_exporter_free(lm_exporter *x);             /* without lm_exporter_end no name is left behind */

/* The sequences of a stream: of each @tok record itself, or of shards in it the pieces of @ends or, packed, the rows. */
typedef struct lm_seqs lm_seqs;
lm_seqs *lm_seqs_new(int (*f)(void *ctx, const lm_tokrec *t), void *ctx);
int lm_seqs_stream(lm_seqs *s, lm_in *in, bool (*wanted)(lm_str type));    /* up to its end; 0 or < 0 */
int lm_seqs_folder(lm_seqs *s, const char *dir);   /* the shards that DIR/index.lm lists, mapped */
void lm_seqs_free(lm_seqs *s);

/* --- reading */
enum { LM_FOREIGN_AUTO, LM_FOREIGN_U16, LM_FOREIGN_U32, LM_FOREIGN_I32, LM_FOREIGN_I64 };  /* types of an id */
enum { LM_CUT_AFTER, LM_CUT_BEFORE, LM_CUT_NONE };  /* where files that do not tell end a document: at the eos */
typedef struct {
    int kind, dtype, cut;                          /* dtype: of raw; of mds columns of bytes, and datatrove (AUTO: what is told, else by the vocabulary) */
    const char *column, *src;                      /* mds; src= of the records, NULL: none */
    uint64_t seq;                                  /* sequences are rows of so many ids; 0: documents, unless the file says rows */
    uint64_t max_ratio;                            /* compressed shards: bytes out for a byte in, at most */
    const lm_vocab *vocab;                         /* ids are of it: needed */
    lm_out *out;
} lm_importer;
/* One operand, "-" = stdin for a format of one file: @tok records, u16 while the vocabulary has at most 65,536 ids.
   0; LM_EINVALID (an id beyond the vocabulary, a type we do not take), LM_ECORRUPT, LM_ETRUNC, LM_EVERSION,
   LM_EMISMATCH (parts that disagree), LM_EIO; the place is file:sequence:byte. */
int lm_foreign_import(const lm_importer *m, const char *path);

#endif
