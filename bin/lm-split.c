/* lm-split: deal records to sets (train, valid, test) by a hash of what they are, never by place.
   Apart from lm-sample: every record goes somewhere, and one group never to two sets. */
#include "lm.h"
#include <fcntl.h>
#include <unistd.h>

#define SETS 64
__extension__ typedef unsigned __int128 wide;

static uint64_t seed;
static const char *names, *by, *also, *tmp;
static const lm_opt opts[] = {
    LM_STRING(0, "names", &names, "A,B,..", "names of the sets (train,valid,test)"),
    LM_STRING(0, "by", &by, "KEY", "deal whole groups of equal KEY (those without: by id)"),
    LM_STRING(0, "also", &also, "KEY",
              "a group of equal KEY met in two sets goes to the first set"),
    LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "SEED", "seed (0)"),
    LM_COMMON,
    LM_FILE(0, "tmp", &tmp, "DIR", "of --also: spool the input there (default: $TMPDIR or /tmp)"),
    LM_END};
static const lm_tool tool = {
    .name = "lm-split",
    .does = "deal records to train, valid and test sets",
    .args = "W:W..",
    .opts = opts,
    .flags = LM_IN | LM_FILES | LM_ORDERED,
    .epilog = "-o DIR writes DIR/NAME.lm for each set; without it split=NAME is set."};

typedef struct {
    char *name[SETS];
    uint64_t upto[SETS], total; /* cumulative weights */
    unsigned n, nweights;
    lm_out *out[SETS], *all; /* of -o DIR; else all */
    lm_aside *fresh;         /* a DIR that was not there: it comes whole or not at all */
    uint64_t *key;           /* of --also: hashes of its values, 0 = free; */
    uint8_t *side;           /* and the set, SETS = two were met */
    size_t have, cap;
} plan;

static int weights(plan *p, lm_str s)
{
    for (const char *at = s.p, *end = s.p + s.n, *stop; at <= end; at = stop + 1) {
        uint64_t w;

        stop = memchr(at, ':', (size_t)(end - at));
        stop = stop ? stop : end;
        if (p->n == SETS || !lm_parse_u64((lm_str){at, (size_t)(stop - at)}, &w) || w > UINT32_MAX)
            return lm_err(LM_EUSAGE, "'%s': weights are whole numbers between colons, at most %d",
                          s.p, SETS);
        p->total += w;
        p->upto[p->n++] = p->total;
    }
    return p->total ? 0 : lm_err(LM_EUSAGE, "'%s': all weights are 0", s.p);
}

static int name_sets(plan *p)
{
    const char *at = names ? names : "train,valid,test";
    unsigned n = 0;

    for (const char *stop; at; at = *stop ? stop + 1 : NULL) {
        stop = strchrnul(at, ',');
        if (!names && n == p->n)
            break;
        if (n == p->n || stop == at || *at == '.' ||
            strspn(at, "abcdefghijklmnopqrstuvwxyz"
                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") < (size_t)(stop - at))
            return lm_err(LM_EUSAGE, "--names %s: not %u names of letters, digits, . _ -", at,
                          p->n);
        p->name[n] = lm_strndup((lm_str){at, (size_t)(stop - at)});
        for (unsigned i = 0; i < n; i++)
            if (!strcmp(p->name[i], p->name[n]))
                return lm_err(LM_EUSAGE, "--names: %s is there twice", p->name[i]);
        n++;
    }
    return n == p->n ? 0 : lm_err(LM_EUSAGE, "%u sets need --names", p->n);
}

static unsigned set_of(const plan *p, lm_rec *r)
{
    lm_str key = by ? lm_get(r, by) : (lm_str){NULL, 0};
    char hex[33];
    uint64_t x;
    unsigned i = 0;

    if (!key.p)
        key = lm_get(r, "id");
    if (!key.p) {
        lm_id_hex(lm_hash128(r->body.p, r->body.n), hex);
        key = lm_cstr(hex);
    }
    x = (uint64_t)(((wide)lm_keyed(seed, "split", &key, 1) * p->total) >> 64);
    while (x >= p->upto[i])
        i++;
    return i;
}

static size_t slot(const plan *p, uint64_t h)
{
    size_t i = h & (p->cap - 1);

    while (p->key[i] && p->key[i] != h)
        i = (i + 1) & (p->cap - 1);
    return i;
}

static uint64_t hash(lm_str v)
{
    uint64_t h = lm_hash64(v.p, v.n, 0);

    return h ? h : 1;
}

static void grow(plan *p)
{
    plan old = *p;

    p->cap = p->cap ? p->cap * 2 : 1024;
    p->key = lm_zalloc(p->cap, sizeof *p->key);
    p->side = lm_zalloc(p->cap, 1);
    for (size_t i = 0; i < old.cap; i++)
        if (old.key[i]) {
            size_t to = slot(p, old.key[i]);

            p->key[to] = old.key[i];
            p->side[to] = old.side[i];
        }
    free(old.key);
    free(old.side);
}

static void meet(plan *p, lm_str cluster, unsigned set)
{
    uint64_t h = hash(cluster);
    size_t i;

    if (p->have * 4 >= p->cap * 3)
        grow(p);
    i = slot(p, h);
    if (!p->key[i]) {
        p->key[i] = h;
        p->side[i] = (uint8_t)set;
        p->have++;
    } else if (p->side[i] != set) {
        p->side[i] = SETS;
    }
}

static int put(plan *p, lm_rec *r)
{
    unsigned set = set_of(p, r);
    lm_str cluster = also ? lm_get(r, also) : (lm_str){NULL, 0};

    if (cluster.p && p->side[slot(p, hash(cluster))] == SETS)
        set = 0;
    if (p->all) {
        lm_set(r, "split", lm_cstr(p->name[set]));
        return lm_put(p->all, r);
    }
    return lm_put(p->out[set], r);
}

static void on_note(void *ctx, lm_str line)
{
    plan *p = ctx;

    for (unsigned i = 0; i < p->n; i++)
        if (line.n >= 4 && !memcmp(line.p, "%by ", 4))
            lm_out_note(p->out[i], line);
}

static int deal(plan *p, lm_in *in)
{
    lm_rec r = {0};
    int err;

    if (p->all)
        lm_in_tie(in, p->all);
    else
        lm_in_on_note(in, on_note, p);
    while ((err = lm_next(in, &r)) == 1)
        if ((err = put(p, &r)) < 0)
            break;
    lm_in_tie(in, NULL);
    lm_rec_free(&r);
    return err;
}

/* First pass of --also: notes which set each cluster meets, and copies the input aside. */
static int look(plan *p, lm_in *in, lm_out *spool)
{
    lm_rec r = {0};
    int err;

    grow(p);
    lm_out_by(spool, lm_by_line());
    lm_in_tie(in, spool);
    while ((err = lm_next(in, &r)) == 1) {
        lm_str cluster = lm_get(&r, also);

        if (cluster.p)
            meet(p, cluster, set_of(p, &r));
        if ((err = lm_put(spool, &r)) < 0)
            break;
    }
    lm_in_tie(in, NULL);
    lm_rec_free(&r);
    return err ? err : lm_out_end(spool);
}

static int two_passes(plan *p, lm_in *in)
{
    const char *dir = tmp ? tmp : getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    lm_buf path = {0};
    lm_out *spool;
    lm_in *again;
    int fd, err;

    lm_buf_addf(&path, "%s/lm-split-XXXXXX", dir);
    fd = mkostemp(path.p, O_CLOEXEC);
    if (fd < 0) {
        lm_buf_free(&path);
        return lm_err_sys(dir, "cannot make a temporary file");
    }
    unlink(path.p);
    path.n = 0;
    lm_buf_addf(&path, "/proc/self/fd/%d", fd);
    spool = lm_out_fd(fd, dir, 0);
    err = look(p, in, spool);
    lm_out_close(spool);
    if (!err) {
        again = lm_in_open(path.p, 0);
        err = deal(p, again);
        lm_in_close(again);
    }
    close(fd);
    lm_buf_free(&path);
    return err;
}

static int open_all(plan *p)
{
    if (!lm_common.out) {
        p->all = lm_out_open(NULL, 0);
        lm_out_by(p->all, lm_by_line());
        return 0;
    }
    if (access(lm_common.out, F_OK) && !(p->fresh = lm_aside_dir(lm_common.out)))
        return LM_EIO;
    for (unsigned i = 0; i < p->n; i++) {
        lm_buf path = {0};

        lm_buf_addf(&path, "%s/%s.lm", p->fresh ? lm_aside_path(p->fresh) : lm_common.out,
                    p->name[i]);
        p->out[i] = lm_out_open(path.p, LM_OUT_CRC);
        lm_buf_free(&path);
        if (!p->out[i])
            return LM_EIO;
        lm_out_by(p->out[i], lm_by_line());
    }
    return 0;
}

static int close_all(plan *p, lm_in *in, int err)
{
    for (unsigned i = 0; i < p->n && !err && !p->all; i++)
        err = lm_out_end(p->out[i]);
    if (!err && p->all)
        err = lm_out_end(p->all);
    else if (err == LM_EABORT && p->all && lm_in_abort(in).n)
        lm_out_abort_line(p->all, lm_in_abort(in));
    else if (err && p->all)
        lm_out_abort(p->all, lm_class_exit(err), lm_self(), lm_last_error()->detail);
    lm_out_close(p->all);
    for (unsigned i = 0; i < p->n; i++) {
        lm_out_close(p->out[i]);
        free(p->name[i]);
    }
    if (p->fresh && err)
        lm_aside_drop(p->fresh);
    else if (p->fresh)
        err = lm_aside_commit(p->fresh);
    free(p->key);
    free(p->side);
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    plan p = {0};
    int err = weights(&p, lm_arg(0));

    (void)out;
    if (!err)
        err = name_sets(&p);
    if (!err)
        err = open_all(&p);
    if (!err)
        err = also ? two_passes(&p, in) : deal(&p, in);
    return close_all(&p, in, err);
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
