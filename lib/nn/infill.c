/* infill: windows of a prompt and the ids that should follow it, through the core that generates:
   what is found here is what lm-gen would find of the same ids. */
#include "nn/infill.h"
#include "nn/sample.h"
#include <math.h>

struct window {
    lm_infill_sum *sum;
    lm_ids ids;         /* prompt, then what is scored */
    uint32_t first, at; /* the first id that is scored; ids in the cache */
    bool end;           /* the last id is the end token */
    char *known;        /* the bytes of ids[first] that stand in the prompt */
    size_t nknown;
    double logp, last;
};

struct row { /* logits that are wanted, and what for */
    struct window *w;
    uint32_t i;
    double logp;
};

struct lm_infill {
    const lm_model *m;
    const lm_vocab *v;
    lm_enc *enc;
    lm_infill_opt o;
    lm_kv *kv;
    uint32_t chunk, start, eos; /* chunk: ids a call */
    struct window *w;
    lm_kv_item *item;
    uint32_t fill;
    struct row *row;
    float *logits;
    lm_ids left, right, off;
    lm_buf text;
};

/* Logits of at most so many floats are held. */
enum { LOGITS = 1 << 24, CHUNK = 512 };

int lm_infill_new(lm_infill **out, const lm_model *m, lm_enc *enc, const lm_infill_opt *o)
{
    const lm_vocab *v = lm_enc_vocab(enc);
    uint32_t chunk = LOGITS / m->cfg.vocab, bos = lm_vocab_role(v, LM_ROLE_BOS);
    lm_ids none = {0};
    lm_infill *f;
    int err = 0;

    if (o->order != LM_FIM_OFF) {
        err = lm_fim_layout(v, NULL, 0, NULL, 0, o->order, SIZE_MAX, &none);
        free(none.v);
        if (err >= 0 && lm_vocab_role(v, LM_ROLE_EOS) == LM_NO_ID)
            err = lm_err(LM_EMISMATCH, "the vocabulary has no eos token");
    }
    if (err < 0)
        return err;
    f = lm_zalloc(1, sizeof *f);
    f->m = m;
    f->v = v;
    f->enc = enc;
    f->o = *o;
    f->chunk = chunk < 16 ? 16 : chunk > CHUNK ? CHUNK : chunk;
    f->eos = lm_vocab_role(v, LM_ROLE_EOS);
    f->start = bos != LM_NO_ID ? bos : f->eos != LM_NO_ID ? f->eos : 0;
    if ((err = lm_kv_new(&f->kv, m, o->rows, o->ctx, f->chunk, o->pool)) < 0) {
        free(f);
        return err;
    }
    f->w = lm_zalloc(o->rows, sizeof *f->w);
    f->item = lm_zalloc(o->rows, sizeof *f->item);
    f->row = lm_zalloc(f->chunk, sizeof *f->row);
    f->logits = lm_zalloc((size_t)f->chunk * m->cfg.vocab, sizeof *f->logits);
    *out = f;
    return 0;
}

static void clear(lm_infill *f)
{
    for (uint32_t i = 0; i < f->fill; i++) {
        free(f->w[i].ids.v);
        free(f->w[i].known);
        lm_kv_trim(f->kv, i, 0);
    }
    f->fill = 0;
}

void lm_infill_free(lm_infill *f)
{
    if (!f)
        return;
    clear(f);
    lm_kv_free(f->kv);
    free(f->w);
    free(f->item);
    free(f->row);
    free(f->logits);
    free(f->left.v);
    free(f->right.v);
    free(f->off.v);
    lm_buf_free(&f->text);
    free(f);
}

/* log of the chance of the first id among those that begin with the known bytes. */
static double chance(const lm_infill *f, const float *logits, const struct window *w)
{
    uint32_t n = lm_vocab_size(f->v), id = w->ids.v[w->first];
    double sum = 0; /* 1 / chance */

    for (uint32_t i = 0; i < n; i++) {
        lm_str t = lm_vocab_token(f->v, i);

        if (t.n >= w->nknown && !(lm_vocab_flags(f->v, i) & LM_TOKEN_SPECIAL) &&
            !memcmp(t.p, w->known, w->nknown))
            sum += lm_exp((double)logits[i] - logits[id]);
    }
    return -lm_log(sum);
}

static void score_row(void *ctx, size_t k, unsigned thread)
{
    lm_infill *f = ctx;
    struct row *r = &f->row[k];
    const float *logits = f->logits + k * f->m->cfg.vocab;

    (void)thread;
    if (r->i == r->w->first && r->w->nknown)
        r->logp = chance(f, logits, r->w);
    else
        r->logp = lm_logp(logits, f->m->cfg.vocab, r->w->ids.v[r->i]);
}

/* One call: as many ids as it takes, of all windows that have some left. 1, 0 when none has. */
static int step(lm_infill *f)
{
    uint32_t room = f->chunk;
    size_t n = 0, rows = 0;
    int err;

    for (uint32_t i = 0; i < f->fill && room; i++) {
        struct window *w = &f->w[i];
        uint32_t last = (uint32_t)w->ids.n - 1, to = w->at < w->first - 1 ? w->first - 1 : last;
        uint32_t k = to - w->at < room ? to - w->at : room;

        if (!k)
            continue;
        f->item[n++] =
            (lm_kv_item){i, k, w->ids.v + w->at, to == last && w->at >= w->first - 1 ? 2 : 0};
        room -= k;
        for (uint32_t j = 0; f->item[n - 1].want && j < k; j++)
            f->row[rows++] = (struct row){w, w->at + j + 1, 0};
        w->at += k;
    }
    if (!n)
        return 0;
    if ((err = lm_kv_step(f->kv, f->item, n, f->logits)) < 0)
        return err;
    lm_pool_run(f->o.pool, rows, score_row, f);
    for (size_t k = 0; k < rows; k++) {
        struct row *r = &f->row[k];

        if (!isfinite(r->logp))
            return lm_err(LM_EDEVICE, "the loss is not a number");
        if (r->w->end && r->i + 1 == r->w->ids.n)
            r->w->last = r->logp;
        else
            r->w->logp += r->logp;
    }
    return 1;
}

int lm_infill_flush(lm_infill *f)
{
    int more;

    while ((more = step(f)) > 0) {
    }
    for (uint32_t i = 0; more >= 0 && i < f->fill; i++) {
        f->w[i].sum->logp += f->w[i].logp;
        f->w[i].sum->end += f->w[i].last;
    }
    clear(f);
    return more;
}

static void append(lm_ids *to, const uint32_t *ids, size_t n)
{
    lm_ids_need(to, n);
    memcpy(to->v + to->n, ids, n * sizeof *ids);
    to->n += n;
}

/* Windows for ids [first, n) of f->left, which are the middle; known: bytes of the first that stand
   before it. */
static int windows(lm_infill *f, size_t first, lm_str known, lm_infill_sum *sum)
{
    bool ends = f->o.order != LM_FIM_OFF;
    size_t at = first, n = f->left.n;
    int err = 0;

    do {
        size_t to = n - at < f->o.step ? n : at + f->o.step, room = f->o.ctx - (to - at);
        struct window *w = &f->w[f->fill];

        *w = (struct window){.sum = sum, .end = ends && to == n};
        if (ends) {
            err = lm_fim_layout(f->v, f->left.v, at, f->right.v, f->right.n, f->o.order, room,
                                &w->ids);
        } else if (at) {
            append(&w->ids, f->left.v + (at > room ? at - room : 0), at > room ? room : at);
        } else {
            lm_ids_put(&w->ids, NULL, f->start, 0);
        }
        w->first = (uint32_t)w->ids.n;
        append(&w->ids, f->left.v + at, to - at);
        if (w->end)
            lm_ids_put(&w->ids, NULL, f->eos, 0);
        if (at == first && known.n) {
            w->known = lm_strndup(known);
            w->nknown = known.n;
        }
        f->fill++;
        if (err >= 0 && f->fill == f->o.rows)
            err = lm_infill_flush(f);
        at = to;
    } while (err >= 0 && at < n);
    return err;
}

/* Ids of pre and mid as one text; *first: the one that has the first byte of mid. */
static int joined(lm_infill *f, const lm_fim_text *t, size_t *first, lm_str *known)
{
    int err;

    f->text.n = f->off.n = 0;
    lm_buf_add(&f->text, t->pre.p, t->pre.n);
    lm_buf_add(&f->text, t->mid.p, t->mid.n);
    if (f->text.n > UINT32_MAX)
        return lm_err(LM_ELIMIT, "a text of 4 GiB or more");
    err = lm_enc_part(f->enc, lm_buf_str(&f->text), LM_SPECIAL_TEXT, 0, &f->left, &f->off);
    for (*first = f->left.n; *first && f->off.v[*first - 1] >= t->pre.n;)
        --*first;
    if (*first && t->mid.n && (*first == f->left.n || f->off.v[*first] > t->pre.n)) {
        --*first;
        *known = (lm_str){f->text.p + f->off.v[*first], t->pre.n - f->off.v[*first]};
    }
    return err;
}

int lm_infill_add(lm_infill *f, const lm_fim_text *t, lm_infill_sum *sum)
{
    lm_str known = {NULL, 0};
    size_t first = 0;
    int err;

    f->left.n = f->right.n = 0;
    lm_ids_need(&f->left, 1);
    if (f->o.order == LM_FIM_OFF) {
        if (!t->mid.n)
            return 0;
        err = joined(f, t, &first, &known);
    } else {
        err = lm_enc_text(f->enc, t->pre, &f->left);
        first = f->left.n;
        if (err >= 0)
            err = lm_enc_text(f->enc, t->mid, &f->left);
        if (err >= 0)
            err = lm_enc_text(f->enc, t->suf, &f->right);
        sum->ends++;
    }
    if (err < 0)
        return err;
    sum->bytes += t->mid.n;
    sum->tokens += f->left.n - first;
    return windows(f, first, known, sum);
}
