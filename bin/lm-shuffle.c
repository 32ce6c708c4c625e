/* lm-shuffle: put records into a random order that depends on seed, epoch and ids alone.
   Apart from lm-sample: it passes all, within a memory bound; sorted runs spill to a temporary
   file. */
#include "lm.h"

#define OWN (10u << 20) /* what the program needs besides records */

static uint64_t seed, epoch, memory = 1 << 30;
static const char *group, *tmp;
static const lm_opt opts[] = {
    LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "SEED", "seed (0)"),
    LM_NUM(0, "epoch", &epoch, 0, UINT64_MAX, "N", "another order for each N (0)"),
    LM_STRING(0, "group", &group, "KEY",
              "keep records of equal KEY together (those without: by id)"),
    LM_COMMON,
    LM_SIZE('m', "memory", &memory, 16 << 20, UINT64_MAX >> 1, "SIZE",
            "use at most SIZE of memory (1G)"),
    LM_FILE(0, "tmp", &tmp, "DIR", "spill there (default: $TMPDIR or /tmp)"),
    LM_END};
static const lm_tool tool = {.name = "lm-shuffle",
                             .does = "put records into a keyed random order",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_SHUFFLED};

typedef struct {
    uint64_t second, body;
} prefix; /* before each record: its place in its group, its body's length */

/* Those that fall on one place: by second key, then canonical header, then body: never by arrival.
 */
static int cmp(void *ctx, lm_str a, lm_str b)
{
    prefix x, y;

    (void)ctx;
    memcpy(&x, a.p, sizeof x);
    memcpy(&y, b.p, sizeof y);
    if (x.second != y.second)
        return x.second < y.second ? -1 : 1;
    return lm_rec_order((lm_str){a.p + sizeof x, a.n - sizeof x},
                        (lm_str){b.p + sizeof y, b.n - sizeof y});
}

static uint64_t place(lm_str key)
{
    char n[24];
    lm_str v[2] = {{n, (size_t)snprintf(n, sizeof n, "%llu", (unsigned long long)epoch)}, key};

    return lm_keyed(seed, "shuffle", v, 2);
}

static int gather(lm_in *in, lm_xsort *x)
{
    lm_rec r = {0};
    int err;

    while ((err = lm_next(in, &r)) == 1) {
        lm_str id = lm_get(&r, "id"), g = group ? lm_get(&r, group) : (lm_str){NULL, 0};
        prefix p = {.body = r.body.n};
        char hex[33];
        uint64_t key;

        if (!id.p) {
            lm_id_hex(lm_hash128(r.body.p, r.body.n), hex);
            id = lm_cstr(hex);
        }
        key = place(g.p ? g : id);
        p.second = g.p ? place(id) : 0;
        if (r.raw.n > lm_xsort_largest(x) / 2) {
            err = lm_fail(in, LM_ELIMIT, "a record of %zu bytes is too large for -m %llu", r.raw.n,
                          (unsigned long long)memory);
            break;
        }
        err = lm_xsort_add(x, key, (lm_str){(char *)&p, sizeof p}, r.raw);
        if (err < 0)
            break;
    }
    lm_rec_free(&r);
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    lm_xsort *x = lm_xsort_new((size_t)(memory - OWN) / 8 * 5, tmp, cmp, NULL);
    int err = gather(in, x);
    lm_str item;
    prefix p;

    while (!err && (err = lm_xsort_next(x, &item)) == 1) {
        memcpy(&p, item.p, sizeof p);
        err = lm_out_raw(out, item.p + sizeof p, item.n - sizeof p, 1, p.body);
    }
    lm_xsort_free(x);
    return err;
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
