/* map: lm_map, an ordered pipeline of three steps: the caller reads batches of records, workers run
   the function over them, one writer writes the results in the order of reading. */
#include "par/par.h"
#include <pthread.h>

#define BATCH (1u << 20)
#define KEEP_ROOM (8u << 20) /* a batch that held a larger record gives its memory back */

static _Thread_local struct {
    void *p;
    void (*fini)(void *);
} local;

void *lm_local(size_t size, void (*fini)(void *))
{
    if (!local.p) {
        local.p = lm_zalloc(1, size);
        local.fini = fini;
    }
    return local.p;
}

static void local_end(void)
{
    if (local.p && local.fini)
        local.fini(local.p);
    free(local.p);
    local.p = NULL;
}

/* One record or note of a batch, as places in the batch's bytes. */
struct item {
    size_t at, n, type, ntype, attrs, nattrs, body, nbody;
    uint64_t seq, off;
    const char *file;
    bool note;
};
/* A stretch of output: bytes of the input (src 0), made bytes (1), or a note (2). */
struct seg {
    int src;
    size_t at, n;
    uint64_t recs, body;
};

enum { FREE, FULL, BUSY, READY };
struct batch {
    int state;
    bool flush; /* the reader was about to wait: show what there is */
    lm_buf in, out, rej;
    uint64_t rejs, rejbody;
    struct item *item;
    struct seg *seg;
    size_t items, capitem, segs, capseg;
    int err;
    lm_error error;
};

struct map {
    lm_in *in;
    lm_out *out;
    int (*f)(lm_rec *, void *);
    int (*big)(lm_in *, lm_rec *, uint64_t, lm_out *, void *);
    uint64_t limit; /* bytes of a body from which it is big's */
    void *ctx;
    unsigned jobs;
    size_t nring;
    struct batch *ring, *fill;
    uint64_t read, taken, written; /* serial numbers: batches handed out, begun, done */
    bool eof;
    atomic_bool stop; /* the reader looks at it without the lock */
    int err;
    lm_error error;
    pthread_mutex_t lock;
    pthread_cond_t full, ready, freed;
};

static int reject(lm_rec *r)
{
    lm_count_drop(r);
    return lm_rejects() ? lm_put(lm_rejects(), r) : 0;
}

/* Writes what f left: the record or not, then what it added. */
static int put_result(lm_out *out, lm_rec *r, int keep)
{
    int err = 0;

    if (keep == LM_DROP)
        err = reject(r);
    else if (out)
        err = lm_put(out, r);
    if (!err && r->nextra == UINT64_MAX)
        err = lm_last_error()->err;
    else if (!err && r->nextra && out)
        err = lm_out_raw(out, r->extra->p, r->extra->n, r->nextra, r->bextra);
    return err;
}

/* A record whose body of len bytes is not read yet. */
static int large(struct map *m, lm_rec *r, uint64_t len)
{
    size_t room = 256 << 10;
    char *p;
    ssize_t n;
    int err;

    if (lm_acts_on(r->type))
        return m->big(m->in, r, len, m->out, m->ctx);
    if (!m->out) /* the reader goes past it */
        return 0;
    p = lm_alloc(room);
    err = lm_put_head(m->out, r, len, 0);
    while (err >= 0 && (n = lm_body_read(m->in, p, room)) != 0)
        err = n < 0 ? (int)n : lm_body_write(m->out, p, (size_t)n);
    free(p);
    return err;
}

static int map_inline(struct map *m)
{
    lm_rec r = {0};
    uint64_t len;
    int rc;

    while ((rc = lm_next_upto(m->in, &r, m->limit, &len)) > 0) {
        int keep = rc == 2 ? large(m, &r, len) : lm_acts_on(r.type) ? m->f(&r, m->ctx) : LM_KEEP;

        rc = keep < 0 || rc == 2 ? keep : put_result(m->out, &r, keep);
        if (rc < 0)
            break;
    }
    lm_rec_free(&r);
    local_end();
    return rc;
}

static void seg_add(struct batch *b, int src, size_t at, size_t n, uint64_t recs, uint64_t body)
{
    struct seg *last = b->segs ? &b->seg[b->segs - 1] : NULL;

    if (last && src != 2 && last->src == src && last->at + last->n == at) {
        last->n += n;
        last->recs += recs;
        last->body += body;
        return;
    }
    LM_GROW(b->seg, b->segs, b->capseg);
    b->seg[b->segs++] = (struct seg){src, at, n, recs, body};
}

static int one(struct map *m, struct batch *b, const struct item *it, lm_rec *r)
{
    const char *p = b->in.p;
    size_t at = b->out.n;
    int keep, err = 0;

    lm_rec_view(r, (lm_str){p + it->at, it->n}, (lm_str){p + it->type, it->ntype},
                (lm_str){p + it->attrs, it->nattrs}, (lm_str){p + it->body, it->nbody});
    r->seq = it->seq;
    r->off = it->off;
    r->file = it->file;
    keep = lm_acts_on(r->type) ? m->f(r, m->ctx) : LM_KEEP;
    if (keep < 0)
        return keep;
    if (keep == LM_DROP) {
        lm_count_drop(r);
        if (lm_rejects()) {
            err = lm_rec_write(&b->rej, r);
            b->rejs++;
            b->rejbody += r->body.n;
        }
    } else if (r->raw.p) {
        seg_add(b, 0, it->at, it->n, 1, r->body.n);
    } else {
        err = lm_rec_write(&b->out, r);
        seg_add(b, 1, at, b->out.n - at, 1, r->body.n);
    }
    if (!err && r->nextra == UINT64_MAX)
        return lm_last_error()->err;
    if (!err && r->nextra) {
        seg_add(b, 1, b->out.n, r->extra->n, r->nextra, r->bextra);
        lm_buf_add(&b->out, r->extra->p, r->extra->n);
    }
    return err;
}

static void *worker(void *arg)
{
    struct map *m = arg;
    lm_rec r = {0};

    pthread_mutex_lock(&m->lock);
    for (;;) {
        struct batch *b;

        while (!m->stop && m->taken == m->read && !m->eof)
            pthread_cond_wait(&m->full, &m->lock);
        if (m->stop || m->taken == m->read)
            break;
        b = &m->ring[m->taken++ % m->nring];
        b->state = BUSY;
        pthread_mutex_unlock(&m->lock);
        for (size_t i = 0; i < b->items && !b->err; i++) {
            if (b->item[i].note)
                seg_add(b, 2, b->item[i].at, b->item[i].n, 0, 0);
            else
                b->err = one(m, b, &b->item[i], &r);
        }
        if (b->err)
            b->error = *lm_last_error();
        pthread_mutex_lock(&m->lock);
        b->state = READY;
        pthread_cond_signal(&m->ready);
    }
    pthread_mutex_unlock(&m->lock);
    lm_rec_free(&r);
    local_end();
    return NULL;
}

static int write_batch(struct map *m, struct batch *b)
{
    int err = 0;

    for (size_t i = 0; i < b->segs && !err && m->out; i++) {
        const struct seg *s = &b->seg[i];

        if (s->src == 2)
            err = lm_out_note(m->out, (lm_str){b->in.p + s->at, s->n});
        else
            err = lm_out_raw(m->out, (s->src ? b->out.p : b->in.p) + s->at, s->n, s->recs, s->body);
    }
    if (!err && b->rejs)
        err = lm_out_raw(lm_rejects(), b->rej.p, b->rej.n, b->rejs, b->rejbody);
    if (!err && b->flush && m->out)
        err = lm_out_flush(m->out);
    if (!err && b->err) {
        *lm_last_error() = b->error;
        err = b->err;
    }
    return err;
}

static void *writer(void *arg)
{
    struct map *m = arg;

    pthread_mutex_lock(&m->lock);
    while (!m->stop) {
        struct batch *b = &m->ring[m->written % m->nring];
        int err;

        if (m->written == m->read && m->eof)
            break;
        if (m->written == m->read || b->state != READY) {
            pthread_cond_wait(&m->ready, &m->lock);
            continue;
        }
        pthread_mutex_unlock(&m->lock);
        err = write_batch(m, b);
        pthread_mutex_lock(&m->lock);
        b->state = FREE;
        m->written++;
        if (err) {
            m->err = err;
            m->error = *lm_last_error();
            m->stop = true;
            pthread_cond_broadcast(&m->full);
        }
        pthread_cond_signal(&m->freed);
    }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

static void clear(lm_buf *b)
{
    b->n = 0;
    if (b->cap > KEEP_ROOM)
        lm_buf_free(b);
}

/* Hands the batch being filled to the workers and waits for a free one. false = the run stops. */
static bool hand_out(struct map *m, bool flush)
{
    struct batch *b;

    pthread_mutex_lock(&m->lock);
    m->fill->flush = flush;
    m->fill->state = FULL;
    m->read++;
    pthread_cond_signal(&m->full);
    b = &m->ring[m->read % m->nring];
    while (b->state != FREE && !m->stop)
        pthread_cond_wait(&m->freed, &m->lock);
    pthread_mutex_unlock(&m->lock);
    if (b->state != FREE)
        return false;
    clear(&b->in);
    clear(&b->out);
    clear(&b->rej);
    b->items = b->segs = 0;
    b->rejs = b->rejbody = 0;
    m->fill = b;
    return true;
}

static void on_block(void *ctx)
{
    struct map *m = ctx;

    if (m->fill->items && !m->stop)
        hand_out(m, true);
}

static void on_note(void *ctx, lm_str line)
{
    struct map *m = ctx;
    struct batch *b = m->fill;

    LM_GROW(b->item, b->items, b->capitem);
    b->item[b->items++] = (struct item){.at = b->in.n, .n = line.n, .note = true};
    lm_buf_add(&b->in, line.p, line.n);
    if (line.n >= 4 && !memcmp(line.p, "%seg", 4)) /* a segment's end is shown at once */
        hand_out(m, true);
}

static void add(struct map *m, const lm_rec *r)
{
    struct batch *b = m->fill;
    const char *p = r->raw.p;
    size_t at = b->in.n;

    LM_GROW(b->item, b->items, b->capitem);
    b->item[b->items++] = (struct item){at,
                                        r->raw.n,
                                        at + (size_t)(r->type.p - p),
                                        r->type.n,
                                        at + (size_t)(r->attrs.p - p),
                                        r->attrs.n,
                                        at + (size_t)(r->body.p - p),
                                        r->body.n,
                                        r->seq,
                                        r->off,
                                        r->file,
                                        false};
    lm_buf_add(&b->in, p, r->raw.n);
}

/* Has all that was read written: then what comes next may be written by this thread. */
static bool settle(struct map *m)
{
    bool go;

    if (m->fill->items && !hand_out(m, true))
        return false;
    pthread_mutex_lock(&m->lock);
    while (m->written != m->read && !m->stop)
        pthread_cond_wait(&m->freed, &m->lock);
    go = !m->stop;
    pthread_mutex_unlock(&m->lock);
    return go;
}

static int read_all(struct map *m)
{
    lm_rec r = {0};
    uint64_t len;
    bool go = true;
    int rc = 1;

    while (go && !m->stop && (rc = lm_next_upto(m->in, &r, m->limit, &len)) > 0) {
        if (rc == 2) {
            go = settle(m);
            if (go && (rc = large(m, &r, len)) < 0)
                break;
            continue;
        }
        add(m, &r);
        if (m->fill->in.n >= BATCH)
            go = hand_out(m, false);
    }
    if (go && !m->stop && m->fill->items)
        hand_out(m, false);
    lm_rec_free(&r);
    local_end();
    return rc < 0 ? rc : 0;
}

static int map_threads(struct map *m)
{
    pthread_t *t = lm_zalloc(m->jobs + 1, sizeof *t);
    unsigned n = 0;
    lm_error read_error;
    int rc;

    if (pthread_create(&t[n], NULL, writer, m)) {
        free(t);
        return lm_err(LM_EIO, "cannot start a thread");
    }
    for (n = 1; n <= m->jobs; n++)
        if (pthread_create(&t[n], NULL, worker, m))
            break;
    if (n == 1) {
        rc = lm_err(LM_EIO, "cannot start a thread");
        m->stop = true;
    } else {
        rc = read_all(m);
    }
    read_error = *lm_last_error();
    pthread_mutex_lock(&m->lock);
    m->eof = true;
    pthread_cond_broadcast(&m->full);
    pthread_cond_broadcast(&m->ready);
    pthread_mutex_unlock(&m->lock);
    while (n)
        pthread_join(t[--n], NULL);
    free(t);
    if (m->err) { /* of an earlier record than the read error */
        *lm_last_error() = m->error;
        return m->err;
    }
    *lm_last_error() = read_error;
    return rc;
}

int lm_map_big(lm_in *in, lm_out *out, unsigned jobs, int (*f)(lm_rec *r, void *ctx), void *ctx,
               uint64_t limit, int (*big)(lm_in *, lm_rec *, uint64_t, lm_out *, void *))
{
    struct map m = {.in = in,
                    .out = out,
                    .f = f,
                    .big = big,
                    .limit = limit,
                    .ctx = ctx,
                    .jobs = jobs ? jobs : lm_jobs(),
                    .lock = PTHREAD_MUTEX_INITIALIZER,
                    .full = PTHREAD_COND_INITIALIZER,
                    .ready = PTHREAD_COND_INITIALIZER,
                    .freed = PTHREAD_COND_INITIALIZER};
    int rc;

    if (m.jobs == 1)
        return map_inline(&m);
    m.nring = 4u * m.jobs;
    m.ring = lm_zalloc(m.nring, sizeof *m.ring);
    m.fill = m.ring;
    lm_in_tie(in, NULL);
    lm_in_on_note(in, on_note, &m);
    lm_in_on_block(in, on_block, &m);
    rc = map_threads(&m);
    lm_in_on_note(in, NULL, NULL);
    lm_in_on_block(in, NULL, NULL);
    if (out)
        lm_in_tie(in, out);
    for (size_t i = 0; i < m.nring; i++) {
        lm_buf_free(&m.ring[i].in);
        lm_buf_free(&m.ring[i].out);
        lm_buf_free(&m.ring[i].rej);
        free(m.ring[i].item);
        free(m.ring[i].seg);
    }
    free(m.ring);
    return rc;
}

int lm_map(lm_in *in, lm_out *out, unsigned jobs, int (*f)(lm_rec *r, void *ctx), void *ctx)
{
    return lm_map_big(in, out, jobs, f, ctx, UINT64_MAX, NULL);
}
