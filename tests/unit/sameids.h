/* sameids: a text by an encoder has the ids of the slow one, which give the text back. */
#ifndef LM_SAMEIDS_H
#define LM_SAMEIDS_H
#include "lm.h"

static inline bool same_ids(lm_enc *e, lm_str t)
{
    lm_ids fast = {0}, slow = {0};
    lm_buf back = {0};
    const lm_vocab *v = lm_enc_vocab(e);
    bool good = !lm_enc_text(e, t, &fast) && !lm_vocab_encode_slow(v, t, &slow) &&
                fast.n == slow.n && (!fast.n || !memcmp(fast.v, slow.v, fast.n * sizeof *fast.v)) &&
                !lm_vocab_decode(v, fast.v, fast.n, false, &back) && lm_eq(lm_buf_str(&back), t);

    if (!good)
        printf("# a text of %zu bytes\n", t.n);
    free(fast.v);
    free(slow.v);
    lm_buf_free(&back);
    return good;
}

#endif
