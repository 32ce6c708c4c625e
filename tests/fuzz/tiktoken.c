/* Fuzz target: any bytes as a list of ranks, and as what stands beside one; a list that is taken
   and written again is the same list. */
#include "text/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_str text = {(const char *)p, n};
    lm_buf tokenizer = {0}, list = {0}, json = {0}, twice = {0};
    lm_vocab *v = NULL;
    lm_draft d, e;

    lm_draft_init(&d);
    lm_draft_init(&e);
    if (lm_tiktoken_meta(text, "fuzz", &d) >= 0)
        lm_draft_done(&d);
    lm_draft_free(&d);
    lm_draft_init(&d);
    d.def.pre = lm_pre_named(LM_PRE_QWEN2);
    if (lm_tiktoken_parse(text, "fuzz", &d) >= 0 && lm_draft_done(&d) >= 0) {
        lm_vocab_write(&d.def, &tokenizer, NULL);
        if (lm_vocab_parse(lm_buf_str(&tokenizer), (lm_str){NULL, 0}, &v) < 0)
            abort();
        if (lm_tiktoken_write(v, "fuzz", &list, &json) >= 0) {
            e.def.pre = d.def.pre;
            if (lm_tiktoken_parse(lm_buf_str(&list), "again", &e) < 0 || lm_draft_done(&e) < 0)
                abort();
            lm_vocab_write(&e.def, &twice, NULL);
            if (!lm_eq(lm_buf_str(&twice), lm_buf_str(&tokenizer)))
                abort();
        }
    }
    lm_vocab_free(v);
    lm_draft_free(&d);
    lm_draft_free(&e);
    lm_buf_free(&tokenizer);
    lm_buf_free(&list);
    lm_buf_free(&json);
    lm_buf_free(&twice);
    return 0;
}
