/* lm-check: verify a file whole: framing, counts, checksum, arrays; save what a damaged one still
   holds. Apart from lm-cat: it writes nothing unless asked, and knows what to do after damage. */
#include "lm.h"

static bool salvage;
static const lm_opt opts[] = {
    LM_FLAG(0, "salvage", &salvage,
            "go past damage, write what is whole, tell the lost byte ranges"),
    LM_COMMON, LM_END};
static const lm_tool tool = {.name = "lm-check",
                             .does = "verify a stream, or salvage a damaged one",
                             .opts = opts,
                             .flags = LM_IN | LM_FILES};

typedef struct {
    uint64_t ranges, bytes, arrays;
} damage;

static void on_lost(void *ctx, const char *file, uint64_t from, uint64_t to)
{
    damage *d = ctx;

    d->ranges++;
    d->bytes += to - from;
    lm_warn("%s: lost bytes %llu to %llu (%llu)", file, (unsigned long long)from,
            (unsigned long long)to, (unsigned long long)(to - from));
}

/* A record that names the shape of its body must have a body of that shape, to the last byte. */
static int arrays(lm_rec *r)
{
    lm_str bytes, with = lm_get(r, "with");
    uint64_t d0, n;
    char name[33];

    if (!lm_get(r, "shape").p || !lm_get(r, "dt").p)
        return 0;
    if (lm_array(r, "", NULL, &bytes, &d0, &n) < 0)
        return LM_EINVALID;
    for (const char *p = with.p, *end = p + with.n; p && p < end;) {
        const char *stop = memchr(p, ',', (size_t)(end - p)), *colon;

        stop = stop ? stop : end;
        colon = memchr(p, ':', (size_t)(stop - p));
        snprintf(name, sizeof name, "%.*s", (int)((colon ? colon : stop) - p), p);
        if (lm_array(r, name, NULL, &bytes, &d0, &n) < 0)
            return LM_EINVALID;
        p = stop + 1;
    }
    if (bytes.p + bytes.n != r->body.p + r->body.n)
        return lm_rec_fail(r, LM_EINVALID, "the body is longer than its arrays");
    return 0;
}

static int run(lm_in *in, lm_out *none)
{
    bool write = salvage || lm_common.out;
    lm_out *out = NULL;
    damage d = {0};
    lm_rec r = {0};
    int err;

    (void)none;
    if (write) {
        out = lm_out_open(lm_common.out, LM_OUT_CRC);
        if (!out)
            return LM_EIO;
        lm_out_by(out, lm_by_line());
        lm_in_tie(in, out);
    }
    if (salvage)
        lm_in_salvage(in, on_lost, &d);
    while ((err = lm_next(in, &r)) == 1) {
        if ((err = arrays(&r)) < 0) {
            if (!salvage)
                break;
            lm_warn("%s: %s", lm_last_error()->where, lm_last_error()->detail);
            on_lost(&d, lm_in_name(in), r.off, r.off + r.raw.n);
            d.arrays++;
            continue;
        }
        if (out && (err = lm_put(out, &r)) < 0)
            break;
    }
    if (!err && out)
        err = lm_out_end(out);
    else if (out && err == LM_EABORT && lm_in_abort(in).n)
        lm_out_abort_line(out, lm_in_abort(in));
    else if (out)
        lm_out_abort(out, lm_class_exit(err), lm_self(), lm_last_error()->detail);
    lm_in_tie(in, NULL);
    if (!err && lm_in_stats(in)->skipped + d.ranges) {
        lm_warn("%llu records are whole, %llu bytes in %llu ranges are lost",
                (unsigned long long)lm_in_stats(in)->recs - d.arrays, (unsigned long long)d.bytes,
                (unsigned long long)d.ranges);
        err = LM_NO;
    }
    lm_out_close(out);
    lm_rec_free(&r);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
