/* innote: the lines that start with '%': stream heads, ends, aborts, segments, provenance. */
#include "stream/in.h"

static int counts_check(lm_in *in, lm_str attrs, uint64_t n, uint64_t b)
{
    uint64_t vn, vb;

    if (!lm_parse_u64(lm_attr_find(attrs, "n"), &vn) ||
        !lm_parse_u64(lm_attr_find(attrs, "b"), &vb))
        return lm_in_bad(in, LM_ECORRUPT, "no n= or b= in the note");
    if ((vn != n || vb != b) && !in->lossy && !in->jumped) {
        char why[128];

        snprintf(why, sizeof why, "%llu records, %llu bytes read where the note says %llu, %llu",
                 (unsigned long long)n, (unsigned long long)b, (unsigned long long)vn,
                 (unsigned long long)vb);
        return lm_in_bad(in, LM_ECORRUPT, why);
    }
    return 0;
}

static int end_check(lm_in *in, lm_str attrs)
{
    lm_str crc = lm_attr_find(attrs, "crc");
    char have[16];

    lm_in_crc_upto(in, in->lo);
    if (counts_check(in, attrs, in->n, in->b) < 0)
        return in->err;
    snprintf(have, sizeof have, "%08x", in->crc);
    if (crc.p && !in->nocrc && !in->lossy && !in->jumped && !lm_is(crc, have))
        return lm_in_bad(in, LM_ECORRUPT, "checksum differs: bytes were changed");
    return 0;
}

static int open_stream(lm_in *in, lm_str ln, lm_str word)
{
    uint64_t v;

    if (in->open && !in->lossy &&
        lm_in_bad(in, LM_ETRUNC, "a new stream begins before the end of this one") &&
        lm_in_told(in) < 0)
        return in->err;
    if (!lm_parse_u64(word, &v))
        return lm_in_bad(in, LM_ECORRUPT, "bad %lm line");
    if (v != 1)
        return lm_in_bad(in, LM_EVERSION, "stream version is not 1: written by newer tools");
    lm_in_eat(in, ln.n);
    in->open = in->any = true;
    in->n = in->b = in->segn = in->segb = 0;
    in->crc = 0;
    in->crcat = in->lo;
    in->nocrc = in->lossy = in->jumped = false;
    return 0;
}

static void hand_note(lm_in *in, lm_str ln)
{
    if (in->note)
        in->note(in->note_ctx, ln);
    else if (in->tie)
        lm_out_note(in->tie, ln);
}

/* A line that starts with '%'. 0 = gone past, <0. */
int lm_in_note(lm_in *in, lm_str ln)
{
    const char *end = ln.p + ln.n - 1, *sp;
    lm_str word, attrs = {NULL, 0}, bare = {ln.p, ln.n - 1};
    const char *why = NULL;
    int err = 0;

    if (ln.n > 2 && ln.p[1] == '#') {
        for (const char *p = ln.p; p < end; p++)
            if (*p < 0x20 || *p > 0x7e)
                return lm_in_bad(in, LM_ECORRUPT, "bad byte in a note");
        if (!in->open)
            return lm_in_bad(in, LM_ECORRUPT, "a note outside a stream");
        hand_note(in, bare);
        lm_in_eat(in, ln.n);
        return 0;
    }
    sp = memchr(ln.p, ' ', ln.n);
    word = (lm_str){ln.p + 1, (size_t)((sp ? sp : end) - ln.p) - 1};
    if (lm_is(word, "lm") && sp) { /* "%lm N attrs": N is no attribute */
        const char *stop = memchr(sp + 1, ' ', (size_t)(end - sp - 1));

        if (!stop)
            stop = end;
        if (lm_attrs_check(stop, end, &attrs))
            return lm_in_bad(in, LM_ECORRUPT, "bad %lm line");
        return open_stream(in, ln, (lm_str){sp + 1, (size_t)(stop - sp - 1)});
    }
    if (!word.n || word.n > 32 || word.p[0] < 'a' || word.p[0] > 'z')
        why = "bad note";
    for (size_t i = 0; !why && i < word.n; i++)
        if (!memchr("abcdefghijklmnopqrstuvwxyz0123456789-", word.p[i], 37))
            why = "bad note";
    if (!why)
        why = lm_attrs_check(sp ? sp : end, end, &attrs);
    if (why)
        return lm_in_bad(in, LM_ECORRUPT, why);
    if (!in->open)
        return lm_in_bad(in, LM_ECORRUPT, in->any ? "a note after %end" : "no %lm line");
    if (lm_is(word, "end")) {
        err = end_check(in, attrs) < 0 ? lm_in_told(in) : 0;
        in->open = false;
    } else if (lm_is(word, "abort")) {
        in->abort.n = 0;
        lm_buf_add(&in->abort, bare.p, bare.n);
        lm_in_bad(in, LM_EABORT, "upstream aborted");
        if (!(in->flags & LM_IN_SALVAGE))
            return in->err;
        err = lm_in_told(in);
        in->open = false;
    } else if (lm_is(word, "seg")) {
        err = counts_check(in, attrs, in->segn, in->segb) < 0 ? lm_in_told(in) : 0;
        in->segn = in->segb = 0;
        if (!err)
            hand_note(in, bare);
    } else {
        hand_note(in, bare);
    }
    lm_in_eat(in, ln.n);
    return err;
}
