/* xsort: see xsort.h. The memory is one block: items grow from its start, their slots from its end;
   when they meet, the slots are sorted in place and the items written as a run. Merging cuts the
   same block into read buffers. */
#include "base/xsort.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define HEAD 16 /* key and length before an item's bytes */
#define OUT (256u << 10)
#define READ_MIN (256u << 10) /* a read buffer, if the bound allows */
#define WAYS_MAX 1024u

typedef struct {
    uint64_t key, at;
} slot;
typedef struct {
    uint64_t off, end;
} run;
typedef struct {
    uint64_t off, end; /* of the run, in the file: what is not read yet */
    char *buf;
    size_t cap, lo, hi;
    uint64_t key;
    lm_str item;
} reader;

struct lm_xsort {
    char *mem, *dir;
    size_t size, used, n, largest, top; /* top: of the slots, aligned; largest: item seen */
    int (*cmp)(void *, lm_str, lm_str);
    void *ctx;
    int fd;
    uint64_t tail; /* bytes in the file */
    run *runs;
    size_t nruns, capruns;
    bool done;
    size_t at; /* next slot, when all fitted in memory */
    reader *way, **heap;
    size_t nheap;
};

static int by_bytes(void *ctx, lm_str a, lm_str b)
{
    (void)ctx;
    return lm_cmp(a, b);
}

lm_xsort *lm_xsort_new(size_t mem, const char *dir, int (*cmp)(void *ctx, lm_str a, lm_str b),
                       void *ctx)
{
    lm_xsort *x = lm_zalloc(1, sizeof *x);

    x->size = mem < 1 << 20 ? 1 << 20 : mem;
    x->mem = lm_alloc(x->size);
    x->top = x->size & ~(size_t)15;
    x->dir = lm_strdup(dir ? dir : getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    x->cmp = cmp ? cmp : by_bytes;
    x->ctx = ctx;
    x->fd = -1;
    return x;
}

/* Two ways of a merge must fit, each with a buffer that holds an item. */
size_t lm_xsort_largest(const lm_xsort *x)
{
    return (x->size - OUT) / 2 - HEAD;
}

static slot *slots(const lm_xsort *x)
{
    return (slot *)(void *)(x->mem + x->top) - x->n;
}

static lm_str item_at(const lm_xsort *x, uint64_t at)
{
    uint64_t n;

    memcpy(&n, x->mem + at + 8, 8);
    return (lm_str){x->mem + at + HEAD, (size_t)n};
}

static int order(const lm_xsort *x, const slot *a, const slot *b)
{
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    return x->cmp(x->ctx, item_at(x, a->at), item_at(x, b->at));
}

static void swap(slot *a, slot *b)
{
    slot t = *a;

    *a = *b;
    *b = t;
}

static void sift(const lm_xsort *x, slot *v, size_t i, size_t n)
{
    for (size_t c; (c = 2 * i + 1) < n; i = c) {
        if (c + 1 < n && order(x, &v[c], &v[c + 1]) < 0)
            c++;
        if (order(x, &v[i], &v[c]) >= 0)
            break;
        swap(&v[i], &v[c]);
    }
}

static void heap_sort(const lm_xsort *x, slot *v, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift(x, v, i, n);
    while (n > 1) {
        swap(&v[0], &v[--n]);
        sift(x, v, 0, n);
    }
}

/* Quicksort in place; an input that would make it quadratic is heap-sorted. depth: levels left. */
static void sort(const lm_xsort *x, slot *v, size_t n, int depth)
{
    while (n > 16) {
        size_t i = 0, j = n - 1;
        slot pivot;

        if (!depth--) {
            heap_sort(x, v, n);
            return;
        }
        if (order(x, &v[n / 2], &v[0]) < 0)
            swap(&v[n / 2], &v[0]);
        if (order(x, &v[n - 1], &v[0]) < 0)
            swap(&v[n - 1], &v[0]);
        if (order(x, &v[n - 1], &v[n / 2]) < 0)
            swap(&v[n - 1], &v[n / 2]);
        pivot = v[n / 2];
        for (;; i++, j--) {
            while (order(x, &v[i], &pivot) < 0)
                i++;
            while (order(x, &pivot, &v[j]) < 0)
                j--;
            if (i >= j)
                break;
            swap(&v[i], &v[j]);
        }
        j++; /* [0, j) <= pivot <= [j, n) */
        if (j < n - j) {
            sort(x, v, j, depth);
            v += j;
            n -= j;
        } else {
            sort(x, v + j, n - j, depth);
            n = j;
        }
    }
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j && order(x, &v[j], &v[j - 1]) < 0; j--)
            swap(&v[j], &v[j - 1]);
}

static void sort_all(lm_xsort *x)
{
    int depth = 2;

    for (size_t k = x->n; k; k >>= 1)
        depth += 2;
    if (x->n)
        sort(x, slots(x), x->n, depth);
}

static int temp(const char *dir)
{
    lm_buf b = {0};
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0) {
        lm_buf_addf(&b, "%s/lm-sort-XXXXXX", dir);
        fd = mkostemp(b.p, O_CLOEXEC);
        if (fd >= 0)
            unlink(b.p);
        lm_buf_free(&b);
    }
    if (fd < 0)
        lm_err_sys(dir, "cannot make a temporary file");
    return fd;
}

/* A buffered writer at the end of a file. */
typedef struct {
    int fd;
    char *buf;
    size_t n;
    const char *dir;
} sink;

static int sink_flush(sink *s)
{
    size_t n = s->n;

    s->n = 0;
    return n && lm_write_all(s->fd, s->buf, n) ? lm_err_sys(s->dir, "cannot write a temporary file")
                                               : 0;
}

static int sink_put(sink *s, uint64_t key, lm_str item)
{
    uint64_t n = item.n;

    if (s->n + HEAD + item.n > OUT && sink_flush(s) < 0)
        return LM_EIO;
    memcpy(s->buf + s->n, &key, 8);
    memcpy(s->buf + s->n + 8, &n, 8);
    s->n += HEAD;
    if (HEAD + item.n > OUT) {
        if (sink_flush(s) < 0)
            return LM_EIO;
        return lm_write_all(s->fd, item.p, item.n)
                   ? lm_err_sys(s->dir, "cannot write a temporary file")
                   : 0;
    }
    memcpy(s->buf + s->n, item.p, item.n);
    s->n += item.n;
    return 0;
}

static int spill(lm_xsort *x)
{
    sink s = {.fd = x->fd, .dir = x->dir};
    slot *v = slots(x);
    uint64_t from = x->tail;
    int err = 0;

    if (x->fd < 0 && (s.fd = x->fd = temp(x->dir)) < 0)
        return LM_EIO;
    s.buf = lm_alloc(OUT);
    sort_all(x);
    for (size_t i = 0; i < x->n && !err; i++) {
        lm_str item = item_at(x, v[i].at);

        err = sink_put(&s, v[i].key, item);
        x->tail += HEAD + item.n;
    }
    if (!err)
        err = sink_flush(&s);
    free(s.buf);
    LM_GROW(x->runs, x->nruns, x->capruns);
    x->runs[x->nruns++] = (run){from, x->tail};
    x->n = x->used = 0;
    return err;
}

int lm_xsort_add(lm_xsort *x, uint64_t key, lm_str a, lm_str b)
{
    uint64_t n = a.n + b.n;
    size_t need = (HEAD + (size_t)n + 7) & ~(size_t)7;
    char *p;
    int err;

    if (n > lm_xsort_largest(x))
        return lm_err(LM_ELIMIT, "an item of %llu bytes is too large for the memory bound",
                      (unsigned long long)n);
    if (x->used + need + (x->n + 1) * sizeof(slot) + OUT > x->top && (err = spill(x)) < 0)
        return err;
    p = x->mem + x->used;
    memcpy(p, &key, 8);
    memcpy(p + 8, &n, 8);
    memcpy(p + HEAD, a.p, a.n);
    if (b.n)
        memcpy(p + HEAD + a.n, b.p, b.n);
    x->n++;
    *slots(x) = (slot){key, x->used};
    x->used += need;
    if (n > x->largest)
        x->largest = (size_t)n;
    return 0;
}

/* Makes n bytes unread in r's buffer. */
static int more(lm_xsort *x, reader *r, size_t n)
{
    while (r->hi - r->lo < n) {
        size_t room;

        if (r->lo) {
            memmove(r->buf, r->buf + r->lo, r->hi - r->lo);
            r->hi -= r->lo;
            r->lo = 0;
        }
        room = r->cap - r->hi;
        if (room > r->end - r->off)
            room = (size_t)(r->end - r->off);
        errno = EIO; /* of a run that ends within an item */
        if (!room || lm_pread_all(x->fd, r->buf + r->hi, room, r->off))
            return lm_err_sys(x->dir, "cannot read a temporary file");
        r->hi += room;
        r->off += room;
    }
    return 0;
}

/* 1 = r has an item, 0 = its run is done. */
static int advance(lm_xsort *x, reader *r)
{
    uint64_t n;

    if (r->lo == r->hi && r->off == r->end)
        return 0;
    if (more(x, r, HEAD) < 0)
        return LM_EIO;
    memcpy(&r->key, r->buf + r->lo, 8);
    memcpy(&n, r->buf + r->lo + 8, 8);
    if (more(x, r, HEAD + (size_t)n) < 0)
        return LM_EIO;
    r->item = (lm_str){r->buf + r->lo + HEAD, (size_t)n};
    r->lo += HEAD + (size_t)n;
    return 1;
}

static bool before(const lm_xsort *x, const reader *a, const reader *b)
{
    return a->key != b->key ? a->key < b->key : x->cmp(x->ctx, a->item, b->item) < 0;
}

static void down(lm_xsort *x)
{
    reader **h = x->heap;

    for (size_t i = 0, c; (c = 2 * i + 1) < x->nheap; i = c) {
        reader *t = h[i];

        if (c + 1 < x->nheap && before(x, h[c + 1], h[c]))
            c++;
        if (!before(x, h[c], t))
            break;
        h[i] = h[c];
        h[c] = t;
    }
}

static int heap_fill(lm_xsort *x, const run *r, size_t n)
{
    size_t share = (x->size - OUT) / n;

    x->nheap = 0;
    for (size_t i = 0; i < n; i++) {
        reader *w = &x->way[i];
        int got;

        *w = (reader){.off = r[i].off,
                      .end = r[i].end,
                      .buf = x->mem + OUT + i * share,
                      .cap = share};
        got = advance(x, w);
        if (got < 0)
            return got;
        if (!got)
            continue;
        x->heap[x->nheap++] = w;
        for (size_t k = x->nheap - 1; k && before(x, x->heap[k], x->heap[(k - 1) / 2]);
             k = (k - 1) / 2) {
            reader *t = x->heap[k];

            x->heap[k] = x->heap[(k - 1) / 2];
            x->heap[(k - 1) / 2] = t;
        }
    }
    return 0;
}

static int heap_step(lm_xsort *x)
{
    int got = advance(x, x->heap[0]);

    if (got < 0)
        return got;
    if (!got)
        x->heap[0] = x->heap[--x->nheap];
    down(x);
    return 0;
}

/* Merges the runs in groups of `ways` to longer ones in a new file. */
static int pass(lm_xsort *x, size_t ways)
{
    sink s = {.fd = temp(x->dir), .buf = x->mem, .dir = x->dir};
    uint64_t tail = 0;
    size_t made = 0;
    int err = s.fd < 0 ? LM_EIO : 0;

    for (size_t i = 0; i < x->nruns && !err; i += ways) {
        uint64_t from = tail;

        err = heap_fill(x, x->runs + i, x->nruns - i < ways ? x->nruns - i : ways);
        while (!err && x->nheap) {
            reader *w = x->heap[0];

            err = sink_put(&s, w->key, w->item);
            tail += HEAD + w->item.n;
            if (!err)
                err = heap_step(x);
        }
        x->runs[made++] = (run){from, tail};
    }
    if (!err)
        err = sink_flush(&s);
    if (err) {
        if (s.fd >= 0)
            close(s.fd);
        return err;
    }
    close(x->fd);
    x->fd = s.fd;
    x->nruns = made;
    return 0;
}

static int finish(lm_xsort *x)
{
    size_t ways = (x->size - OUT) / (x->largest + HEAD > READ_MIN ? x->largest + HEAD : READ_MIN);
    int err;

    x->done = true;
    if (!x->nruns) {
        sort_all(x);
        return 0;
    }
    if (x->n && (err = spill(x)) < 0)
        return err;
    ways = ways < 2 ? 2 : ways > WAYS_MAX ? WAYS_MAX : ways;
    x->way = lm_zalloc(ways, sizeof *x->way);
    x->heap = lm_zalloc(ways, sizeof *x->heap);
    while (x->nruns > ways)
        if ((err = pass(x, ways)) < 0)
            return err;
    x->at = SIZE_MAX; /* the first call of next must not step */
    return heap_fill(x, x->runs, x->nruns);
}

int lm_xsort_next(lm_xsort *x, lm_str *item)
{
    int err;

    if (!x->done && (err = finish(x)) < 0)
        return err;
    if (!x->nruns) {
        if (x->at == x->n)
            return 0;
        *item = item_at(x, slots(x)[x->at++].at);
        return 1;
    }
    if (x->at == SIZE_MAX)
        x->at = 0;
    else if (x->nheap && (err = heap_step(x)) < 0)
        return err;
    if (!x->nheap)
        return 0;
    *item = x->heap[0]->item;
    return 1;
}

void lm_xsort_free(lm_xsort *x)
{
    if (!x)
        return;
    if (x->fd >= 0)
        close(x->fd);
    free(x->mem);
    free(x->dir);
    free(x->runs);
    free(x->way);
    free(x->heap);
    free(x);
}
