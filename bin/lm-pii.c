/* lm-pii: find e-mail addresses, IP addresses and keys in documents, and replace them.
   Apart from lm-map with sed: exact offsets, vendors' formats and sums, the same fakes everywhere.
 */
#include "lm.h"

enum { MOST_SPANS = 1000 }; /* written to pii=: the header line has room for these */

static int how = -1;
static bool detect, all_ip;
static const char *only;
static uint64_t seed, window = 8 << 20;
static const lm_opt opts[] = {
    LM_ENUM(0, "replace", &how, "tag|fake", "put <EMAIL> <IP> <KEY> (tag), or a made-up value"),
    LM_FLAG(0, "detect", &detect, "replace nothing, say where it stands"),
    LM_STRING(0, "only", &only, "TYPE,..", "of email ipv4 ipv6 key url-cred; all"),
    LM_FLAG(0, "all-ip", &all_ip, "also private and other special addresses"),
    LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "SEED", "of the made-up values (0)"),
    LM_MUTE,
    LM_SIZE(0, "window", &window, 64 << 10, UINT64_MAX / 2, "SIZE", "bytes looked at at once (8M)"),
    LM_COMMON,
    LM_END};
static const lm_tool tool = {.name = "lm-pii",
                             .does = "find and replace personal data and keys",
                             .types = "doc",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR};

typedef struct {
    lm_pii_list found;
    lm_buf text, attr;
} local;

static void local_free(void *p)
{
    local *l = p;

    free(l->found.v);
    lm_buf_free(&l->text);
    lm_buf_free(&l->attr);
}

static int one(lm_rec *r, void *ctx)
{
    local *l = lm_local(sizeof *l, local_free);
    lm_str enc = lm_get(r, "enc"), path = lm_get(r, "path");
    size_t i;

    if (enc.p ? lm_is(enc, "binary") : lm_text_binary(lm_data_kernels(), r->body))
        return LM_KEEP;
    lm_pii_scan(ctx, r->body, path, &l->found);
    if (!l->found.n)
        return LM_KEEP;
    lm_pii_replace(ctx, r->body, path, &l->found, how == 1, seed, &l->text);
    l->attr.n = 0;
    for (i = 0; i < l->found.n && i < MOST_SPANS; i++)
        lm_buf_addf(&l->attr, "%s%s:%zu:%zu", i ? ";" : "", l->found.v[i].type, l->found.v[i].off,
                    l->found.v[i].len);
    lm_set(r, "pii", lm_buf_str(&l->attr));
    lm_setf(r, "pii-n", "%zu", l->found.n);
    if (!detect)
        memcpy(lm_body_alloc(r, l->text.n), l->text.p, l->text.n);
    return LM_KEEP;
}

static int kinds(unsigned *out)
{
    static const struct {
        const char *name;
        unsigned kind;
    } known[] = {{"email", LM_PII_EMAIL},
                 {"ipv4", LM_PII_IPV4},
                 {"ipv6", LM_PII_IPV6},
                 {"key", LM_PII_KEY},
                 {"url-cred", LM_PII_URL}};
    const char *p = only, *end;
    size_t i;

    if (!only) {
        *out = LM_PII_ALL;
        return 0;
    }
    for (*out = 0;; p = end + 1) {
        end = strchrnul(p, ',');
        for (i = 0; i < LM_COUNT(known); i++)
            if (lm_eq(lm_cstr(known[i].name), (lm_str){p, (size_t)(end - p)}))
                break;
        if (i == LM_COUNT(known))
            return lm_err(LM_EUSAGE, "--only: no type '%.*s'", (int)(end - p), p);
        *out |= known[i].kind;
        if (!*end)
            return 0;
    }
}

static int run(lm_in *in, lm_out *out)
{
    lm_pii_cfg cfg = {.k = lm_data_kernels(), .all_ip = all_ip, .window = window};
    lm_pii *p;
    int err;

    if (!cfg.k)
        return lm_last_error()->err;
    if (detect && how >= 0)
        return lm_err(LM_EUSAGE, "--detect replaces nothing: not with --replace");
    err = kinds(&cfg.kinds);
    if (err)
        return err;
    p = lm_pii_new(&cfg);
    err = lm_map(in, out, LM_JOBS, one, p);
    lm_pii_free(p);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
