/* Fuzz target: any bytes as a stream of @words records, as lm-bpe-train --counts-in reads them.
   What is taken comes out in order, each word once, is written, and read back as the same. */
#include "text/bpe.h"
#include "text/words.h"
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct list {
    lm_word *v;
    size_t n, cap;
    lm_arena *text;
};

static int keep(void *ctx, const lm_word *w)
{
    struct list *l = ctx;

    if (!w->n || !w->s.n || (l->n && lm_cmp(l->v[l->n - 1].s, w->s) >= 0))
        abort();
    LM_GROW(l->v, l->n, l->cap);
    l->v[l->n++] = (lm_word){lm_arena_str(l->text, w->s), w->n};
    return 0;
}

/* The words of a stream, in order; <0 if it is refused. */
static int take(int fd, const lm_words_how *how, struct list *l)
{
    lm_tally *t = lm_tally_new(1 << 24, 1, NULL);
    lm_words *w = lm_tally_words(t);
    char path[64];
    lm_rec r = {0};
    bool parts = false;
    lm_in *in;
    int got;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    in = lm_in_open(path, 0);
    while ((got = lm_next(in, &r)) > 0)
        if (lm_is(r.type, "words") && (got = lm_words_take(w, &r, how, &parts)) < 0)
            break;
    lm_rec_free(&r);
    lm_in_close(in);
    if (got >= 0 && lm_tally_each(t, true, NULL, keep, l) < 0)
        abort();
    lm_tally_free(t);
    return got;
}

static void learn(const struct list *l)
{
    lm_bpe_words words = {0};
    lm_bpe b;
    int err = 0;

    for (size_t i = 0; i < l->n && err >= 0; i++)
        err = lm_bpe_add(&words, l->v[i].s, l->v[i].n);
    if (err >= 0) {
        if (lm_bpe_train(&words, &(lm_bpe_opt){.tokens = 300}, &b) < 0)
            abort();
        for (size_t i = 0; i < 2 * b.nmerge; i++)
            if (b.merge[i] >= 256 + i / 2)
                abort();
        lm_bpe_free(&b);
    }
    lm_bpe_words_free(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    lm_words_how how = {lm_pre_named(LM_PRE_QWEN2), false, 256};
    struct list one = {.text = lm_arena_new()}, two = {.text = lm_arena_new()};
    int fd = memfd_create("words", MFD_CLOEXEC), back = memfd_create("back", MFD_CLOEXEC);
    lm_words_out *o;
    lm_out *out;

    if (fd < 0 || back < 0 || lm_write_all(fd, p, n))
        abort();
    if (take(fd, &how, &one) >= 0) {
        out = lm_out_fd(back, "back", 0);
        o = lm_words_out_new(out, &how);
        for (size_t i = 0; i < one.n; i++)
            if (lm_words_out_put(o, &one.v[i]) < 0)
                abort();
        if (lm_words_out_end(o) < 0 || lm_out_end(out) < 0)
            abort();
        lm_out_close(out);
        if (take(back, &how, &two) < 0 || one.n != two.n)
            abort();
        for (size_t i = 0; i < one.n; i++)
            if (!lm_eq(one.v[i].s, two.v[i].s) || one.v[i].n != two.v[i].n)
                abort();
        learn(&one);
    }
    free(one.v);
    free(two.v);
    lm_arena_free(one.text);
    lm_arena_free(two.text);
    close(fd);
    close(back);
    return 0;
}
