/* Fuzz target: any bytes as a GGUF file; what is taken lies within the bytes, and a vocabulary in
   it, written again, is read as the same. */
#include "text/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void look_at(lm_str file, const lm_gguf *g)
{
    volatile unsigned sum = 0;

    for (size_t i = 0; i < lm_gguf_keys(g); i++) {
        const lm_gg_key *k = lm_gguf_key(g, i);
        lm_str rest = k->data, s;
        uint64_t left = k->n;

        if (k->data.p < file.p || k->data.p + k->data.n > file.p + file.n)
            abort();
        if (k->elem == LM_GG_STR) {
            for (; left && lm_gg_next(&rest, &s); left--)
                for (size_t c = 0; c < s.n; c++)
                    sum = sum + (unsigned char)s.p[c];
            if (left || rest.n)
                abort();
        } else if (k->elem != LM_GG_F32 && k->elem != LM_GG_F64) {
            for (uint64_t c = 0; c < k->n; c++)
                sum = sum + (unsigned)lm_gg_int(k, c);
        }
    }
    for (size_t i = 0; i < lm_gguf_tensors(g); i++) {
        const lm_gg_tensor *t = lm_gguf_tensor(g, i);

        for (uint64_t c = 0; c < t->bytes; c++)
            sum = sum + (unsigned char)t->data[c];
    }
}

/* The keys of v, parsed again, hold the same tokens and merges. */
static void again(const lm_vocab *v, lm_str json)
{
    lm_ggw w;
    lm_buf file = {0};
    lm_gguf *g = NULL;
    lm_draft d;
    lm_str carried, chat;

    lm_ggw_init(&w, LM_GG_ALIGN);
    lm_draft_init(&d);
    if (lm_vocab_to_gguf(v, json, (lm_str){NULL, 0}, 0, &w) >= 0) {
        lm_ggw_head(&w, &file);
        if (lm_gguf_parse(lm_buf_str(&file), "again", &g) < 0 ||
            lm_vocab_from_gguf(g, &d, &carried, &chat) < 0 || lm_draft_done(&d) < 0 ||
            !lm_eq(carried, json) || d.def.nmerge != lm_vocab_merges(v))
            abort();
        for (uint32_t id = 0; id < lm_vocab_size(v); id++)
            if (!lm_vocab_flags(v, id) && lm_vocab_token(v, id).p &&
                (id >= d.def.ntoken || !lm_eq(lm_vocab_token(v, id), d.token[id])))
                abort();
    }
    lm_gguf_free(g);
    lm_draft_free(&d);
    lm_ggw_free(&w);
    lm_buf_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_str file = {(const char *)p, n}, json, chat;
    lm_buf tokenizer = {0};
    lm_vocab *v = NULL;
    lm_gguf *g;
    lm_draft d;

    if (lm_gguf_parse(file, "fuzz", &g) < 0) {
        if (g)
            abort();
        return 0;
    }
    look_at(file, g);
    lm_draft_init(&d);
    if (lm_vocab_from_gguf(g, &d, &json, &chat) >= 0 && lm_draft_done(&d) >= 0) {
        lm_vocab_write(&d.def, &tokenizer, NULL);
        if (lm_vocab_parse(lm_buf_str(&tokenizer), (lm_str){NULL, 0}, &v) >= 0)
            again(v, lm_buf_str(&tokenizer));
    }
    lm_vocab_free(v);
    lm_buf_free(&tokenizer);
    lm_draft_free(&d);
    lm_gguf_free(g);
    return 0;
}
