/* Fuzz target: any bytes as tokenizer.json; a vocabulary that is taken encodes and decodes without
 * harm. */
#include "text/vocab.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_str t = {(const char *)p, n};
    lm_ids ids = {0}, slow = {0};
    lm_buf out = {0};
    lm_vocab *v;

    if (lm_vocab_parse(t, (lm_str){NULL, 0}, &v) < 0)
        return 0;
    for (uint32_t id = 0; id < lm_vocab_size(v) && id < 4096; id++)
        if (lm_vocab_token(v, id).p && lm_vocab_decode(v, &id, 1, false, &out) < 0)
            abort();
    if (lm_vocab_encode(v, t, &ids) >= 0) {
        if (lm_vocab_encode_slow(v, t, &slow) < 0 || slow.n != ids.n ||
            (ids.n && memcmp(slow.v, ids.v, 4 * ids.n)))
            abort();
        out.n = 0;
        if (lm_vocab_decode(v, ids.v, ids.n, false, &out) < 0 || !lm_eq(lm_buf_str(&out), t))
            abort();
    }
    free(ids.v);
    free(slow.v);
    lm_buf_free(&out);
    lm_vocab_free(v);
    return 0;
}
