/* tokrow: one place that writes what lm_tokrec_get reads of a packed row. */
#include "nn/tokrec.h"

void lm_tokrow_segment(lm_tokrow *w, uint64_t end, lm_id id, uint64_t from, uint64_t prefix)
{
    uint8_t b[16];

    lm_id_put(b, id);
    lm_buf_le(&w->seg, end, 4);
    lm_buf_add(&w->ids, b, 16);
    lm_buf_le(&w->from, from, 8);
    lm_buf_le(&w->prefix, prefix, 4);
    w->k++;
}

/* Are all bytes v? */
static bool all(const lm_buf *b, char v)
{
    return !b->n || (b->p[0] == v && !memcmp(b->p, b->p + 1, b->n - 1));
}

static void part(lm_tokrow *w, const lm_buf *b)
{
    lm_buf_align8(&w->body);
    if (b->n)
        lm_buf_add(&w->body, b->p, b->n);
}

void lm_tokrow_rec(lm_tokrow *w, lm_rec *r, lm_str vocab, lm_str mode)
{
    unsigned long long seq = w->tok.n / w->width, k = w->k;
    lm_buf with = {0};

    w->body.n = 0;
    part(w, &w->tok);
    if (!all(&w->weight, 1)) {
        part(w, &w->weight);
        lm_buf_addf(&with, "weight:u8:%llu,", seq);
    }
    part(w, &w->seg);
    part(w, &w->ids);
    part(w, &w->from);
    lm_buf_addf(&with, "seg:u32:%llu,ids:u8:%llux16,from:u64:%llu", k, k, k);
    if (!all(&w->prefix, 0)) {
        part(w, &w->prefix);
        lm_buf_addf(&with, ",prefix:u32:%llu", k);
    }
    lm_rec_new(r, "tok");
    lm_setf(r, "dt", "u%u", w->width * 8);
    lm_setf(r, "shape", "%llu", seq);
    lm_set(r, "vocab", vocab);
    lm_setf(r, "seq", "%llu", seq);
    lm_set(r, "mode", mode);
    lm_set(r, "with", lm_buf_str(&with));
    lm_body(r, w->body.p, w->body.n);
    lm_buf_free(&with);
}

void lm_tokrow_clear(lm_tokrow *w)
{
    w->tok.n = w->weight.n = w->seg.n = w->ids.n = w->from.n = w->prefix.n = 0;
    w->k = 0;
}

void lm_tokrow_free(lm_tokrow *w)
{
    lm_buf *b[] = {&w->tok, &w->weight, &w->seg, &w->ids, &w->from, &w->prefix, &w->body};

    for (size_t i = 0; i < LM_COUNT(b); i++)
        lm_buf_free(b[i]);
}
