/* lm-sample: pass a sample that depends on seed and ids alone; a smaller one lies inside a larger
   one. Apart from lm-head: it sees all of the input, and its order does not matter. */
#include "lm.h"
#include <fcntl.h>
#include <unistd.h>

static double rate = -1;
static uint64_t count = UINT64_MAX, bytes = UINT64_MAX, seed, memory = 1 << 30;
static const char *group, *tmp;
static const lm_opt opts[] = {
    LM_REAL('p', "rate", &rate, 0, 1, "RATE", "pass this share of the ids"),
    LM_NUM('n', "count", &count, 0, UINT64_MAX - 1, "N",
           "pass the N records whose hashes are lowest"),
    LM_SIZE(0, "bytes", &bytes, 0, UINT64_MAX - 1, "SIZE",
            "of the lowest hashes, as many as have SIZE bytes of bodies"),
    LM_STRING('k', "key", &group, "KEY", "whole groups of equal KEY (those without: by id)"),
    LM_NUM('s', "seed", &seed, 0, UINT64_MAX, "SEED", "seed (0)"),
    LM_COMMON,
    LM_SIZE('m', "memory", &memory, 1 << 20, UINT64_MAX >> 1, "SIZE",
            "of -n, --bytes: keep records in memory up to SIZE (1G)"),
    LM_FILE(0, "tmp", &tmp, "DIR", "and beyond it there (default: $TMPDIR or /tmp)"),
    LM_END};
static const lm_tool tool = {.name = "lm-sample",
                             .does = "pass a keyed sample",
                             .opts = opts,
                             .flags = LM_IN | LM_OUT | LM_ORDERED | LM_PAR};

static uint64_t place(lm_rec *r, lm_str *key, char hex[33])
{
    *key = group ? lm_get(r, group) : (lm_str){NULL, 0};
    if (!key->p)
        *key = lm_get(r, "id");
    if (!key->p) {
        lm_id_hex(lm_hash128(r->body.p, r->body.n), hex);
        *key = lm_cstr(hex);
    }
    return lm_keyed(seed, "sample", key, 1);
}

static int by_rate(lm_rec *r, void *ctx)
{
    lm_str key;
    char hex[33];

    (void)ctx;
    if (rate >= 1 || place(r, &key, hex) < (uint64_t)(rate * 18446744073709551616.0))
        return LM_KEEP;
    return LM_DROP;
}

/* A record of the sample so far. */
typedef struct {
    uint64_t seq, at, n, body;
    size_t next;
} entry;
/* Records that come or go together: a group of -k, else one record. tie orders equal hashes. */
typedef struct {
    uint64_t hash;
    lm_id tie;
    uint64_t n, body;
    size_t first;
} unit;
typedef struct {
    entry *e;
    size_t ne, cape, freed; /* freed: list of free entries, SIZE_MAX = none */
    unit *u;
    size_t nu, capu, ufreed;
    size_t *heap, nheap, capheap; /* units, the greatest first */
    lm_dict at;                   /* of -k: value -> unit + 1, 0 = out */
    uint64_t n, body;
    bool cut; /* nothing at or above edge is in any more */
    unit edge;
    lm_buf mem; /* records: the first ones here, the others in fd */
    int fd;
    uint64_t tail;
} pool;

static int cmp(const unit *a, const unit *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return lm_id_cmp(a->tie, b->tie);
}

static bool above(const pool *p, size_t a, size_t b)
{
    return cmp(&p->u[a], &p->u[b]) > 0;
}

static void heap_add(pool *p, size_t u)
{
    size_t i;

    LM_GROW(p->heap, p->nheap, p->capheap);
    for (i = p->nheap++; i && above(p, u, p->heap[(i - 1) / 2]); i = (i - 1) / 2)
        p->heap[i] = p->heap[(i - 1) / 2];
    p->heap[i] = u;
}

static size_t heap_pop(pool *p)
{
    size_t top = p->heap[0], last = p->heap[--p->nheap], i = 0;

    for (size_t c; (c = 2 * i + 1) < p->nheap; i = c) {
        if (c + 1 < p->nheap && above(p, p->heap[c + 1], p->heap[c]))
            c++;
        if (!above(p, p->heap[c], last))
            break;
        p->heap[i] = p->heap[c];
    }
    if (p->nheap)
        p->heap[i] = last;
    return top;
}

static int store(pool *p, lm_str raw, uint64_t *at)
{
    const char *dir = tmp ? tmp : getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    lm_buf path = {0};

    *at = p->tail;
    if (p->fd < 0 && p->mem.n + raw.n <= memory) {
        lm_buf_add(&p->mem, raw.p, raw.n);
        p->tail += raw.n;
        return 0;
    }
    if (p->fd < 0) {
        lm_buf_addf(&path, "%s/lm-sample-XXXXXX", dir);
        p->fd = mkostemp(path.p, O_CLOEXEC);
        if (p->fd >= 0)
            unlink(path.p);
        lm_buf_free(&path);
    }
    if (p->fd < 0 || lm_write_all(p->fd, raw.p, raw.n))
        return lm_err_sys(dir, "cannot write a temporary file");
    p->tail += raw.n;
    return 0;
}

static size_t new_unit(pool *p, const unit *like)
{
    size_t u = p->ufreed;

    if (u != SIZE_MAX) {
        p->ufreed = p->u[u].first;
    } else {
        LM_GROW(p->u, p->nu, p->capu);
        u = p->nu++;
    }
    p->u[u] = *like;
    p->u[u].first = SIZE_MAX;
    heap_add(p, u);
    return u;
}

/* Drops the greatest units until the sample fits. What fits is the longest run of units from the
   lowest hash up: so it does not depend on the order of the input. */
static void shrink(pool *p)
{
    while (p->n > count || p->body > bytes) {
        size_t u = heap_pop(p), next;

        p->cut = true;
        p->edge = p->u[u];
        p->n -= p->u[u].n;
        p->body -= p->u[u].body;
        for (size_t e = p->u[u].first; e != SIZE_MAX; e = next) {
            next = p->e[e].next;
            p->e[e].next = p->freed;
            p->freed = e;
        }
        p->u[u].first = p->ufreed;
        p->ufreed = u;
    }
}

static int consider(pool *p, lm_rec *r, uint64_t no)
{
    lm_str key;
    char hex[33];
    unit like = {.hash = place(r, &key, hex)};
    size_t u = SIZE_MAX, e = p->freed;
    uint64_t *at = NULL, where;
    int err;

    if (p->cut && like.hash > p->edge.hash)
        return 0;
    if (group) {
        like.tie = lm_hash128(key.p, key.n);
    } else {
        lm_rec *c = lm_keep(r);
        lm_buf b = {0};

        lm_rec_canon(c);
        err = lm_rec_write(&b, c);
        like.tie = lm_hash128(b.p, b.n);
        lm_buf_free(&b);
        lm_rec_free(c);
        free(c);
        if (err < 0)
            return err;
    }
    if (p->cut && cmp(&like, &p->edge) >= 0)
        return 0;
    if ((err = store(p, r->raw, &where)) < 0)
        return err;
    if (group) {
        at = lm_dict_put(&p->at, key, 0);
        u = *at ? (size_t)*at - 1 : SIZE_MAX;
    }
    if (u == SIZE_MAX) {
        u = new_unit(p, &like);
        if (at)
            *at = u + 1;
    }
    if (e != SIZE_MAX) {
        p->freed = p->e[e].next;
    } else {
        LM_GROW(p->e, p->ne, p->cape);
        e = p->ne++;
    }
    p->e[e] = (entry){no, where, r->raw.n, r->body.n, p->u[u].first};
    p->u[u].first = e;
    p->u[u].n++;
    p->u[u].body += r->body.n;
    p->n++;
    p->body += r->body.n;
    shrink(p);
    return 0;
}

static int by_seq(const void *a, const void *b)
{
    const entry *x = a, *y = b;

    return (x->seq > y->seq) - (x->seq < y->seq);
}

static int emit(pool *p, lm_out *out)
{
    entry *v = lm_zalloc(p->n, sizeof *v);
    lm_buf b = {0};
    size_t n = 0;
    int err = 0;

    for (size_t i = 0; i < p->nheap; i++)
        for (size_t e = p->u[p->heap[i]].first; e != SIZE_MAX; e = p->e[e].next)
            v[n++] = p->e[e];
    qsort(v, n, sizeof *v, by_seq);
    for (size_t i = 0; i < n && !err; i++) {
        const char *from;

        if (v[i].at < p->mem.n) {
            from = p->mem.p + v[i].at;
        } else {
            b.n = 0;
            from = lm_buf_need(&b, v[i].n);
            if (lm_pread_all(p->fd, b.p, v[i].n, v[i].at - p->mem.n))
                err = lm_err_sys(NULL, "cannot read a temporary file");
        }
        if (!err)
            err = lm_out_raw(out, from, v[i].n, 1, v[i].body);
    }
    lm_buf_free(&b);
    free(v);
    return err;
}

static void on_note(void *ctx, lm_str line)
{
    if (line.n >= 4 && !memcmp(line.p, "%by ", 4))
        lm_out_note(ctx, line);
}

static int lowest(lm_in *in, lm_out *out)
{
    pool p = {.fd = -1, .freed = SIZE_MAX, .ufreed = SIZE_MAX};
    lm_rec r = {0};
    uint64_t no = 0;
    int err;

    lm_in_on_note(in, on_note, out);
    while ((err = lm_next(in, &r)) == 1)
        if ((err = consider(&p, &r, no++)) < 0)
            break;
    lm_rec_free(&r);
    if (!err)
        err = emit(&p, out);
    if (p.fd >= 0)
        close(p.fd);
    lm_buf_free(&p.mem);
    lm_dict_free(&p.at);
    free(p.e);
    free(p.u);
    free(p.heap);
    return err;
}

static int run(lm_in *in, lm_out *out)
{
    bool low = count != UINT64_MAX || bytes != UINT64_MAX;

    if ((rate >= 0) == low)
        return lm_err(LM_EUSAGE, "-p RATE, or -n N and --bytes SIZE, is needed");
    return low ? lowest(in, out) : lm_map(in, out, LM_JOBS, by_rate, NULL);
}

int main(int argc, char **argv)
{
    return lm_main(argc, argv, &tool, run);
}
