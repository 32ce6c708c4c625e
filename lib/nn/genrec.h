/* genrec: the records beside a generation: its token ids and their log-probabilities (lm-types(5)).
 */
#ifndef LM_NN_GENREC_H
#define LM_NN_GENREC_H
#include "stream/stream.h"

typedef struct {
    const char *id;
    uint32_t sample;
} lm_gen_name;
/* @tok dt=u16|u32 (u32 if wide) of the prompt's ids, then the generation's; with=weight:u8: 0 on
 * the prompt, 1 behind. */
int lm_gen_put_tok(lm_out *out, lm_gen_name of, const char *vocab, bool wide,
                   const uint32_t *prompt, size_t np, const uint32_t *gen, size_t ng);
/* @logp dt=f32 shape=n,w with=ids:u32:nxw: a row a token; column 0 the chosen one. */
int lm_gen_put_logp(lm_out *out, lm_gen_name of, const float *logp, const uint32_t *ids, size_t n,
                    uint32_t w);

#endif
