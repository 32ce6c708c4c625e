/* lax: --lax: going on after a cut or damaged record. */
#include "stream/in.h"

void lm_in_lax_warn(lm_in *in)
{
    lm_error *e = lm_last_error();
    char text[1800];

    snprintf(text, sizeof text, "%s: %s: %s", e->where, lm_class_name(e->err), e->detail);
    if (in->warn)
        in->warn(text);
    in->st.skipped++;
}

/* --lax: tells of the trouble and finds the next header whose record is whole. 1 = go on, 0 = the file is done. */
int lm_in_lax_skip(lm_in *in)
{
    if (in->err == LM_EIO || in->err == LM_EABORT)
        return -1;
    lm_in_lax_warn(in);
    in->err = 0;
    in->nocrc = true;
    in->open = in->any = true;
    for (;;) {
        char *p, *lf;

        lm_in_eat(in, in->hi > in->lo ? 1 : 0);
        p = in->buf + in->lo;
        lf = in->hi > in->lo ? memchr(p, '\n', in->hi - in->lo) : NULL;
        if (!lf) {
            lm_in_eat(in, in->hi - in->lo);
            if (in->eof || !lm_in_fill(in, 1))
                return in->err ? -1 : 0;
            if (in->hi == in->lo)
                return 0;
            continue;
        }
        lm_in_eat(in, (size_t)(lf - p));
        if (!lm_in_fill(in, 2))
            return -1;
        if (in->hi - in->lo < 2)
            return 0;
        p = in->buf + in->lo + 1;
        if (*p == '@' && lm_in_fill(in, LM_MAX_HEAD)) {
            lm_rec r = {0};
            uint64_t len;
            const char *why, *q;

            p = in->buf + in->lo + 1;
            q = memchr(p, '\n', in->hi - in->lo - 1);
            if (!q || lm_head_parse(p, (size_t)(q - p) + 1, &r, &len, &why) || len > lm_max_body)
                continue;
            if (!lm_in_fill(in, (size_t)(q - p) + 3 + len))
                return -1;
            p = in->buf + in->lo + 1;
            q = memchr(p, '\n', in->hi - in->lo - 1);
            if (in->hi - in->lo < (size_t)(q - p) + 3 + len || q[len + 1] != '\n')
                continue;
            lm_in_eat(in, 1);
            return 1;
        }
    }
}
